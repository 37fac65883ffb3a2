//! How many words a text has.
//!
//! A word is what stands between two spaces and has a letter or a digit. Scripts without spaces
//! are counted by their signs: of Chinese and Japanese each sign is a word, as word processors
//! count them; of Thai, Lao, Khmer and Burmese each four letters begun are one.

/// Letters of a word in scripts without spaces that have letters. Chosen: Thai words have four
/// to five.
const LETTERS_OF_WORD: u64 = 4;

/// The words of a text.
pub(super) fn count(text: &str) -> u64 {
    // The scripts that need a closer look take three bytes or more for each sign.
    if text.bytes().any(|byte| byte >= 0xe0) {
        return text.split_ascii_whitespace().map(count_in_run).sum();
    }
    let mut words = 0;
    let mut is_in_word = false;
    for byte in text.bytes() {
        if byte.is_ascii_whitespace() {
            is_in_word = false;
        } else if !is_in_word && is_of_word(byte) {
            words += 1;
            is_in_word = true;
        }
    }
    words
}

/// The words in a run without spaces.
fn count_in_run(run: &str) -> u64 {
    if run.bytes().all(|byte| byte < 0xe0) {
        return u64::from(run.bytes().any(is_of_word));
    }
    let mut words = 0;
    let mut letters = 0_u64;
    let mut is_in_word = false;
    for sign in run.chars() {
        let is_letter = has_letters_and_no_spaces(sign);
        if !is_letter {
            words += std::mem::take(&mut letters).div_ceil(LETTERS_OF_WORD);
        }
        if is_letter {
            letters += 1;
            is_in_word = false;
        } else if is_a_word(sign) {
            words += 1;
            is_in_word = false;
        } else if sign.is_alphanumeric() {
            words += u64::from(!is_in_word);
            is_in_word = true;
        } else if is_cjk_punctuation(sign) {
            is_in_word = false;
        }
    }
    words + letters.div_ceil(LETTERS_OF_WORD)
}

/// Whether a byte makes a word of the run that it stands in, unless its script is looked at closely.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// Chinese characters and Japanese syllables.
fn is_a_word(sign: char) -> bool {
    matches!(sign,
        '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

fn has_letters_and_no_spaces(sign: char) -> bool {
    matches!(sign,
        '\u{0e01}'..='\u{0e4e}'
        | '\u{0e81}'..='\u{0edf}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17d3}')
}

fn is_cjk_punctuation(sign: char) -> bool {
    matches!(sign, '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_as_each_script_writes_them() {
        for (text, words) in [
            ("", 0),
            ("one two\nthree", 3),
            ("it's well-known – & so on!", 4),
            ("Straße 12a", 2),
            ("Привет, мир", 2),
            ("안녕하세요 세계", 2),
            ("大きさ、東京。", 5),
            ("版本 2.0 发布", 5),
            ("iPhone手机", 3),
            ("สวัสดี", 2),
            ("“Quoted” €", 1),
            ("😀 • —", 0),
        ] {
            assert_eq!(count(text), words, "{text}");
        }
    }
}
