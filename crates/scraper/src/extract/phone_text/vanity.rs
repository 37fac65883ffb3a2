//! Numbers of which a part is a word: `1300 FIXPIPE`, `1-800-FLOWERS`.

/// Beginnings of numbers that are given as words, by their digits, each with the number of
/// characters that follow.
const PREFIXES: &[(&str, usize)] = &[
    ("1800", 7),
    ("1888", 7),
    ("1877", 7),
    ("1866", 7),
    ("1855", 7),
    ("1844", 7),
    ("1833", 7),
    ("800", 7),
    ("888", 7),
    ("877", 7),
    ("866", 7),
    ("855", 7),
    ("1300", 6),
    ("1800", 6),
    ("0800", 6),
    ("0508", 6),
    ("0800", 7),
];

/// Most characters after the beginning that are dialed: more are for the eye.
const WORD_MAX: usize = 10;

/// A number in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Vanity {
    /// In digits.
    pub(super) number: String,
    /// The bytes that the words take after the beginning.
    pub(super) bytes: usize,
}

/// Reads the words after the digits with which a number begins.
pub(super) fn vanity(prefix: &str, after: &str) -> Option<Vanity> {
    let word = after.trim_start_matches([' ', '-']);
    if !word.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()) {
        return None;
    }
    let digits: String = prefix.chars().filter(char::is_ascii_digit).collect();
    if !PREFIXES.iter().any(|(known, _)| *known == digits) || !after.starts_with([' ', '-']) {
        return None;
    }
    let mut word = String::new();
    let mut letters = 0;
    let mut bytes = 0;
    for (at, c) in after.char_indices().take(2 * WORD_MAX) {
        match c {
            'A'..='Z' | '0'..='9' => {
                letters += usize::from(c.is_ascii_uppercase());
                word.push(key(c));
                bytes = at + 1;
            }
            ' ' | '-' => {}
            // A word in small letters is one of the sentence.
            _ => break,
        }
    }
    let after_word = after.get(bytes..)?;
    let is_whole = !after_word.starts_with(|c: char| c.is_alphanumeric());
    let fits = PREFIXES
        .iter()
        .any(|(known, count)| *known == digits && *count == word.len());
    (letters >= 3 && is_whole && fits).then(|| Vanity {
        number: format!("{digits}{word}"),
        bytes,
    })
}

/// The key of a phone that a letter is on (ITU-T E.161).
fn key(c: char) -> char {
    match c {
        'A'..='C' => '2',
        'D'..='F' => '3',
        'G'..='I' => '4',
        'J'..='L' => '5',
        'M'..='O' => '6',
        'P'..='S' => '7',
        'T'..='V' => '8',
        'W'..='Z' => '9',
        digit => digit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_dialed_by_their_letters() {
        for (prefix, after, expected) in [
            ("1300", " PIPES X or", Some("1300747379")),
            ("1-800", "-FLOWERS", Some("18003569377")),
            ("1 800", " GOT JUNK", Some("18004685865")),
            ("1-800", "-GOT-JUNK", Some("18004685865")),
            ("0800", " REWIRE now", Some("0800739473")),
            ("1300", " Pipes", None),
            ("2024", " FLOWERS", None),
            ("1800", " ABC", None),
            ("1300", "", None),
        ] {
            let found = vanity(prefix, after).map(|vanity| vanity.number);
            assert_eq!(found.as_deref(), expected, "{prefix}{after}");
        }
    }
}
