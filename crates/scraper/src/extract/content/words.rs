//! How many words a text has.
//!
//! A word is what stands between two spaces and has a letter or a digit. Scripts without spaces
//! are counted by their signs: of Chinese and Japanese each sign is a word, as word processors
//! count them; of Thai, Lao, Khmer and Burmese each four letters begun are one.

use std::ops::Range;

/// Letters of a word in scripts without spaces that have letters. Chosen: Thai words have four
/// to five.
const LETTERS_OF_WORD: u64 = 4;

/// What a byte is: part of a gap, of a word for sure, or the first of a sign that needs a closer
/// look, as spaces and scripts without spaces do.
const GAP: u8 = 1;
const OF_WORD: u8 = 2;
const UNSURE: u8 = 4;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut rest: &mut [u8] = &mut classes;
    let mut byte = 0_u8;
    while let Some((class, following)) = rest.split_first_mut() {
        *class = match byte {
            0..=b' ' | 0x7f => GAP,
            0xc2 | 0xe0.. => OF_WORD | UNSURE,
            0x80.. => OF_WORD,
            _ if byte.is_ascii_alphanumeric() => OF_WORD,
            _ => 0,
        };
        rest = following;
        byte = byte.wrapping_add(1);
    }
    classes
};

/// The words of a text.
pub(super) fn count(text: &str) -> u64 {
    let mut words = 0;
    let mut start = 0;
    let mut seen = 0;
    for (at, byte) in text.bytes().enumerate() {
        let class = CLASSES.get(usize::from(byte)).copied().unwrap_or_default();
        if class != GAP {
            seen |= class;
            continue;
        }
        words += count_between(text, start..at, seen);
        start = at + 1;
        seen = 0;
    }
    words + count_between(text, start..text.len(), seen)
}

/// The words between two gaps, of which all bytes have these classes.
fn count_between(text: &str, range: Range<usize>, seen: u8) -> u64 {
    if seen & UNSURE == 0 {
        return u64::from(seen & OF_WORD != 0);
    }
    text.get(range)
        .unwrap_or_default()
        .split(|sign: char| sign.is_whitespace() || sign.is_control())
        .map(count_in_run)
        .sum()
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
            ("§ 5", 2),
            ("a\u{a0}b\u{3000}c\u{85}d\u{7f}e", 5),
        ] {
            assert_eq!(count(text), words, "{text}");
        }
    }
}
