//! What the words before a number say of it.

mod words;

use words::{
    CLASS_WORDS, CONTACT_WORDS, FAX_PIECES, FREE_PHONES, NOT_PHONE_STEMS, Named, OTHER_PIECES,
    OTHER_STEMS, OTHER_WORDS, PHONE_PIECES, PHONE_STEMS, PHONE_WORDS, WEAK_ENDINGS, WEAK_STEMS,
    WEAK_WORDS,
};

/// How far before a number a word is looked for, in bytes and in words.
const LABEL_BYTES: usize = 48;
const LABEL_WORDS: usize = 3;

/// How far before a number a sentence may begin that speaks of phones, in bytes.
const SENTENCE_BYTES: usize = 120;

/// Most bytes of a line that may be the label of the line below it.
const LINE_MAX_BYTES: usize = 40;

/// Most digits of such a line: those of "Phone (24 h):".
const LINE_DIGITS_MAX: usize = 4;

/// Signs for a phone and for a fax. The first of each is also put where an element is named after
/// one.
pub(super) const PHONE_SIGN: char = '☎';
pub(super) const FAX_SIGN: char = '℻';
const PHONE_SIGNS: &[char] = &[PHONE_SIGN, '✆', '📞', '📱', '☏', '🕿', '📲', '🤙'];
const FAX_SIGNS: &[char] = &[FAX_SIGN, '📠', '🖷'];

/// What the words before a number say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Phone,
    /// A number of another kind for sure.
    Other,
    /// A number of another kind, unless it is written with its country code.
    Weak,
    None,
}

impl Label {
    /// Reads the words since the last number, of which the one next to this number counts most;
    /// where there are none, those of the line above.
    pub(super) fn of(before: &str, above: &str) -> Self {
        let start = before.ceil_char_boundary(before.len().saturating_sub(LABEL_BYTES));
        let before = before.get(start..).unwrap_or_default();
        let since_number = before
            .rsplit(|c: char| c.is_ascii_digit())
            .next()
            .unwrap_or_default();
        let says_nothing = since_number.len() == before.len()
            && !before.contains(|c: char| c.is_alphabetic() || is_sign(c));
        // A line with a number of its own announces no other.
        let has_number = || above.bytes().filter(u8::is_ascii_digit).count() > LINE_DIGITS_MAX;
        if says_nothing && above.len() <= LINE_MAX_BYTES && !has_number() {
            return Self::of_words(above);
        }
        Self::of_words(since_number)
    }

    fn of_words(text: &str) -> Self {
        let text = text.to_lowercase();
        let last = text.trim_end_matches(|c: char| !c.is_alphabetic());
        let mut free = FREE_PHONES
            .iter()
            .filter_map(|free| last.strip_suffix(free));
        if free.any(|before| !before.ends_with(char::is_alphanumeric)) {
            return Self::Phone;
        }
        let mut label = Self::None;
        let words = text
            .split(|c: char| !(c.is_alphabetic() || is_sign(c)))
            .filter(|word| !word.is_empty());
        for (distance, word) in words.rev().take(LABEL_WORDS).enumerate() {
            // A single letter is a label only next to its number: "T 030 1234567".
            if distance > 0 && word.chars().nth(1).is_none() && !word.contains(is_sign) {
                continue;
            }
            let of_word = Self::of_word(word);
            if label == Self::Weak && distance == 1 && CONTACT_WORDS.contains(&word) {
                return Self::Phone;
            }
            // "Tel./Fax" names a phone number as well.
            if of_word == Self::Phone {
                return Self::Phone;
            }
            if label == Self::None || of_word == Self::Other {
                label = of_word;
            }
        }
        label
    }

    fn of_word(word: &str) -> Self {
        let begins = |stems: &[&str]| stems.iter().any(|stem| word.starts_with(stem));
        if word.contains(PHONE_SIGNS) {
            return Self::Phone;
        }
        if word.contains(FAX_SIGNS) || FAX_PIECES.iter().any(|piece| word.contains(piece)) {
            return Self::Other;
        }
        let is_phone = PHONE_WORDS.contains(&word)
            || (begins(PHONE_STEMS) && !begins(NOT_PHONE_STEMS))
            || PHONE_PIECES.iter().any(|piece| word.contains(piece));
        if is_phone {
            Self::Phone
        } else if OTHER_WORDS.contains(&word)
            || begins(OTHER_STEMS)
            || OTHER_PIECES.iter().any(|piece| word.contains(piece))
        {
            Self::Other
        } else if WEAK_WORDS.contains(&word)
            || begins(WEAK_STEMS)
            || WEAK_ENDINGS.iter().any(|ending| word.ends_with(ending))
        {
            Self::Weak
        } else {
            Self::None
        }
    }
}

/// Whether the sentence that leads to a number speaks of phones, and of no other number:
/// "The phone is answered from 8 to 12 at".
pub(super) fn is_mentioned(before: &str) -> bool {
    let start = before.ceil_char_boundary(before.len().saturating_sub(SENTENCE_BYTES));
    let text = before.get(start..).unwrap_or_default();
    let mut sentence = text;
    for (at, _) in text.match_indices(['.', '!', '?', ';']) {
        let rest = text.get(at + 1..).unwrap_or_default();
        let next = rest.trim_start_matches(' ');
        if next.len() < rest.len() && next.starts_with(char::is_uppercase) {
            sentence = next;
        }
    }
    let lower = sentence.to_lowercase();
    let words = lower.split(|c: char| !(c.is_alphanumeric() || is_sign(c)));
    let (mut is_phone, mut is_other) = (false, false);
    for word in words.filter(|word| word.chars().nth(1).is_some()) {
        match Label::of_word(word) {
            Label::Phone => is_phone = true,
            Label::Other => return false,
            Label::Weak => is_other = true,
            // The number that was announced is over.
            Label::None => is_other &= !word.contains(|c: char| c.is_ascii_digit()),
        }
    }
    is_phone && !is_other
}

/// Whether a text ends in what announces a fax and no phone.
pub(super) fn announces_fax(text: &str) -> bool {
    let line = text.rsplit('\n').next().unwrap_or_default();
    let start = line.ceil_char_boundary(line.len().saturating_sub(LABEL_BYTES));
    let lower = line.get(start..).unwrap_or_default().to_lowercase();
    let since_number = lower.rsplit(|c: char| c.is_ascii_digit()).next();
    let since_number = since_number.unwrap_or_default();
    Label::of_words(since_number) == Label::Other
        && (since_number.contains(FAX_SIGNS)
            || FAX_PIECES.iter().any(|piece| since_number.contains(piece)))
}

/// Whether a raised text is the number of a note, and none of what it stands behind.
pub(super) fn is_note_number(text: &str) -> bool {
    (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The sign to put before the text of an element that is named after a phone or a fax.
pub(super) fn sign_of(class: &str) -> Option<char> {
    let words = class.as_bytes().split(|b| !b.is_ascii_alphanumeric());
    let named = |word: &[u8]| {
        let known = CLASS_WORDS.get(word.len())?.iter();
        let mut same = known.filter(|(known, _)| word.eq_ignore_ascii_case(known.as_bytes()));
        same.next().map(|(_, named)| *named)
    };
    match words.filter_map(named).next()? {
        Named::Screen => None,
        Named::Fax => Some(FAX_SIGN),
        Named::Phone => Some(PHONE_SIGN),
    }
}

/// Whether a word, in lower case, says of what kind a number is.
pub(super) fn is_labeling(word: &str) -> bool {
    Label::of_word(word) != Label::None
}

fn is_sign(c: char) -> bool {
    PHONE_SIGNS.contains(&c) || FAX_SIGNS.contains(&c)
}

#[cfg(test)]
mod word_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_in_many_languages() {
        for (before, label) in [
            ("Tel.: ", Label::Phone),
            ("Telefon ", Label::Phone),
            ("Téléphone : ", Label::Phone),
            ("Teléfono: ", Label::Phone),
            ("Telefonnummer: ", Label::Phone),
            ("Tel./Fax: ", Label::Phone),
            ("Телефон: ", Label::Phone),
            ("お電話番号：", Label::Phone),
            ("Puh. ", Label::Phone),
            ("☎ ", Label::Phone),
            ("T ", Label::Phone),
            ("Fax: ", Label::Other),
            ("Telefax: ", Label::Other),
            ("Faks ", Label::Other),
            ("Télécopie : ", Label::Other),
            ("℻", Label::Other),
            ("F ", Label::Other),
            ("NIP: ", Label::Other),
            ("IBAN ", Label::Other),
            ("Org.nr. ", Label::Weak),
            ("USt-IdNr. ", Label::Other),
            ("Order number ", Label::Weak),
            ("Contact number: ", Label::Phone),
            ("Gratisnummer ", Label::Phone),
            ("Customer number: ", Label::Weak),
            ("Art.-Nr. ", Label::Weak),
            ("Taxi ", Label::None),
            ("", Label::None),
            ("Tel. 1 Fax ", Label::Other),
            ("T wie in Tor ", Label::None),
        ] {
            assert_eq!(Label::of(before, ""), label, "{before}");
        }
        assert_eq!(Label::of("", "Telefon"), Label::Phone);
        assert_eq!(Label::of(" ", "Fax:"), Label::Other);
        assert_eq!(Label::of("", "ABN 51 824 753 556"), Label::None);
        assert_eq!(Label::of("or ", "Fax:"), Label::None);
        assert_eq!(Label::of("", &"Telefon ".repeat(9)), Label::None);
    }

    #[test]
    fn a_fax_is_told_from_a_phone() {
        assert!(announces_fax("Tel 030 1\nFax: "));
        assert!(announces_fax("Telefon 030 12 Telefax "));
        assert!(!announces_fax("Tel./Fax: "));
        assert!(!announces_fax("Fax: 030 1\nTelefon"));
        assert!(!announces_fax("IBAN "));
    }

    #[test]
    fn elements_are_named_after_phones() {
        for (class, sign) in [
            ("fa fa-phone", Some(PHONE_SIGN)),
            ("contact__tel", Some(PHONE_SIGN)),
            ("icon-fax", Some(FAX_SIGN)),
            ("hidden-phone", None),
            ("visible-phone", None),
            ("hotel title", None),
            ("microphone", None),
            ("", None),
        ] {
            assert_eq!(sign_of(class), sign, "{class}");
        }
    }
}
