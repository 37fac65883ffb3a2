//! Where markup alone divides a text: `<i>email</i>info@firma.de`, `<b>Tel</b><b>030 123456</b>`.
//!
//! Words go on across inline elements more often than not, as in `<b>in</b>fo@firma.de`. A seam is
//! a gap only where what stands on its sides is whole by itself, one of them an address or a
//! phone number.

use super::email_text::{is_local_char, names_address};
use super::phone_text::{is_phone_char, is_span_or_clock};

/// Most bytes on each side of a seam that are looked at.
const SIDE_MAX_BYTES: usize = 128;

/// Digits of the shortest phone number.
const NUMBER_DIGITS_MIN: usize = 7;

/// Letters of the shortest word that surely is one.
const WORD_MIN: usize = 3;

/// Whether what is before and behind a seam, with entities, are two words.
pub(super) fn is_gap(before: &str, behind: &str) -> bool {
    let start = before.ceil_char_boundary(before.len().saturating_sub(SIDE_MAX_BYTES));
    let before = before.get(start..).unwrap_or_default();
    let end = behind.floor_char_boundary(SIDE_MAX_BYTES);
    let behind = behind.get(..end).unwrap_or_default();
    let (Some(last), Some(first)) = (before.bytes().last(), behind.bytes().next()) else {
        return false;
    };
    // Most seams are between words, spaces and signs.
    let has_value = || {
        let begins = first.is_ascii_digit() || first == b'+' || first == b'(';
        let is_mail = || {
            [before, behind]
                .iter()
                .any(|text| text.contains(['@', '&']))
        };
        begins || last.is_ascii_digit() || is_mail()
    };
    if last.is_ascii_whitespace() || first.is_ascii_whitespace() || !has_value() {
        return false;
    }
    let before = htmlize::unescape(before);
    let behind = htmlize::unescape(behind);
    match behind.chars().next() {
        Some('0'..='9' | '+' | '(') => is_number_apart(&before, &behind),
        Some(c) if c.is_alphabetic() => is_word_apart(&before, &behind),
        _ => false,
    }
}

/// Whether digits are apart from what is before them.
fn is_number_apart(before: &str, behind: &str) -> bool {
    let number_bytes = behind.find(|c| !is_phone_char(c)).unwrap_or(behind.len());
    let (number, rest) = behind.split_at(number_bytes);
    let is_whole = is_number(number) && !rest.starts_with(is_word_char);
    if before.ends_with(char::is_alphabetic) {
        let word = before.rsplit(|c: char| !c.is_alphabetic()).next();
        return is_whole && word.is_some_and(|word| word.chars().nth(1).is_some());
    }
    let follows_number = is_number(trailing_number(before));
    let times_it = || {
        let is_bound = number.len() <= 2 && rest.starts_with(char::is_alphabetic);
        is_bound || is_span_or_clock(number.trim_end())
    };
    let begins_anew = number.starts_with(['0', '+', '(']);
    follows_number && ((is_whole && begins_anew) || times_it())
}

/// Whether a word is apart from the one before it.
fn is_word_apart(before: &str, behind: &str) -> bool {
    let name = behind
        .split(|c| !is_word_char(c))
        .next()
        .unwrap_or_default();
    let begins_upper = |text: &str| {
        let mut chars = text.chars();
        chars.next().is_some_and(char::is_uppercase) && chars.next().is_some_and(char::is_lowercase)
    };
    let number = trailing_number(before);
    let before = before
        .rsplit(char::is_whitespace)
        .next()
        .unwrap_or_default();
    if is_address(before) {
        return is_address(behind) || begins_upper(name);
    }
    if !before.contains('@') && is_number(number) {
        return name.chars().nth(WORD_MIN - 1).is_some();
    }
    let is_word = || before.chars().all(|c| c.is_alphabetic() || c == '-');
    let is_name = || before.chars().nth(WORD_MIN - 1).is_some() && begins_upper(before);
    let is_lower = !behind.starts_with(char::is_uppercase);
    is_address(behind) && is_word() && (names_address(before) || (is_lower && is_name()))
}

/// The digits and signs of a phone number with which a text ends; none if they are the end of a
/// word.
fn trailing_number(text: &str) -> &str {
    let rest = text.trim_end_matches(is_phone_char);
    let number = text.get(rest.len()..).unwrap_or_default();
    let is_touched = rest.ends_with(is_word_char) && !number.contains(' ');
    if is_touched { "" } else { number }
}

fn is_number(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).count() >= NUMBER_DIGITS_MIN
}

/// Whether an address is what a text begins with.
fn is_address(text: &str) -> bool {
    let Some((local, rest)) = text.split_once('@') else {
        return false;
    };
    let end = rest.find(|c: char| !(c.is_alphanumeric() || "-.".contains(c)));
    let domain = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    let last = domain.trim_end_matches('.').rsplit_once('.');
    !local.is_empty()
        && local.chars().all(is_local_char)
        && last.is_some_and(|(_, suffix)| suffix.chars().nth(1).is_some())
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '@' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seams_are_gaps_between_what_is_whole() {
        for (before, behind, expected) in [
            ("email", "info@firma.de", true),
            ("x E-Mail", "info&#64;firma.de x", true),
            ("Anna Ott", "anna@firma.de", true),
            ("Kopieren", "info@firma.de", true),
            ("0711 123456", "info@firma.de", true),
            ("Telefon0711 123456", "Fax", true),
            ("info@firma.de", "office@firma.de", true),
            ("info@firma.de", "Impressum", true),
            ("info@firma.de", "0711 123456", true),
            ("Telefon", "0711 123456", true),
            ("phone", "+49 711 123456", true),
            ("030 1234567", "0171 234567", true),
            ("030 1234567", "8-17 Uhr", true),
            ("030 1234567", "24h", true),
            ("in", "fo@firma.de", false),
            ("I", "nfo@firma.de", false),
            ("info", "@firma.de", false),
            ("info@", "firma.de", false),
            ("info@firma", ".de", false),
            ("info@firma.co", "m", false),
            ("info@fir", "ma.de", false),
            ("max", "mustermann@firma.de", false),
            ("kontakt1234567", "x@firma.de", false),
            ("0711", "123456", false),
            ("0711 1234", "56", false),
            ("030 1234567", "89 Fax", false),
            ("12345678", "A", false),
            ("a", "1234567@firma.de", false),
            ("G", "mbH", false),
            ("Haus", "24", false),
            ("", "x", false),
        ] {
            assert_eq!(is_gap(before, behind), expected, "{before}|{behind}");
        }
    }
}
