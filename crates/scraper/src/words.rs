//! Fixed words, looked for all at once.

use std::iter::FusedIterator;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, BuildError};

/// An automaton of words; ASCII letters are found in either case.
///
/// A table of some hundred KB, and several times as fast as the compact kinds.
#[derive(Debug)]
pub(crate) struct Words(Option<DFA>);

impl Words {
    /// The automaton of a fixed list, which finds nothing if the list is too long for one.
    pub(crate) fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self::build(words).unwrap_or_else(|error| {
            tracing::error!(%error, "words cannot be looked for");
            Self(None)
        })
    }

    /// The automaton of a list.
    ///
    /// # Errors
    ///
    /// Only too many words make this fail.
    pub(crate) fn build<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, BuildError> {
        let dfa = DFA::builder()
            .ascii_case_insensitive(true)
            // There is none that helps with so many words, and each match would ask for it.
            .prefilter(false)
            .build(words)?;
        Ok(Self(Some(dfa)))
    }

    /// Which word is where: its index, its first byte and the byte after it. Overlapping words
    /// are all found.
    pub(crate) fn find<'t>(&'t self, text: &'t str) -> Found<'t> {
        let start = |dfa: &DFA| dfa.start_state(Anchored::No).ok();
        let start = self.0.as_ref().and_then(start);
        Found {
            dfa: self.0.as_ref(),
            text: text.as_bytes(),
            state: start.unwrap_or_default(),
            end: 0,
            told: 0,
            ending: 0,
        }
    }
}

/// Iterates over the words of a text.
#[derive(Debug)]
pub(crate) struct Found<'t> {
    dfa: Option<&'t DFA>,
    text: &'t [u8],
    state: StateID,
    /// The bytes that have been read.
    end: usize,
    /// Of the words that end there, how many have been told and how many there are.
    told: usize,
    ending: usize,
}

impl Iterator for Found<'_> {
    type Item = (usize, usize, usize);

    // By hand, as the iterator of the library takes twice the instructions for each byte
    // (measured in November 2026).
    fn next(&mut self) -> Option<Self::Item> {
        let dfa = self.dfa?;
        while self.told == self.ending {
            let mut state = self.state;
            let rest = self.text.get(self.end..)?;
            let special = rest.iter().position(|byte| {
                state = dfa.next_state(Anchored::No, state, *byte);
                dfa.is_special(state)
            });
            self.state = state;
            self.end += special.map_or(rest.len(), |at| at + 1);
            special?;
            self.told = 0;
            self.ending = if dfa.is_match(state) {
                dfa.match_len(state)
            } else {
                0
            };
        }
        let word = dfa.match_pattern(self.state, self.told);
        self.told += 1;
        let start = self.end.saturating_sub(dfa.pattern_len(word));
        Some((word.as_usize(), start, self.end))
    }
}

impl FusedIterator for Found<'_> {}

/// A short word with its ASCII letters in lower case, in the memory of a buffer; `None` if it does
/// not fit there.
pub(crate) fn lower<'b, const MAX_BYTES: usize>(
    word: &str,
    buffer: &'b mut [u8; MAX_BYTES],
) -> Option<&'b str> {
    let lower = buffer.get_mut(..word.len())?;
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    str::from_utf8(lower).ok()
}

/// What follows a word at the beginning of a text, whatever the case of its ASCII letters.
pub(crate) fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let start = text.get(..word.len())?;
    if start.eq_ignore_ascii_case(word) {
        text.get(word.len()..)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn overlapping_words_are_all_found_in_either_case() {
        let words = Words::new(["ab", "abc", "BC", "é"]);
        let found: Vec<_> = words.find("xABCé ab").collect();
        assert_eq!(
            found,
            [(0, 1, 3), (1, 1, 4), (2, 2, 4), (3, 4, 6), (0, 7, 9)]
        );
        assert_eq!(words.find("").next(), None);
    }

    #[test]
    fn short_words_are_lowered_in_place() {
        assert_eq!(lower("AbÄ", &mut [0; 4]), Some("abÄ"));
        assert_eq!(lower("", &mut [0; 4]), Some(""));
        assert_eq!(lower("abcde", &mut [0; 4]), None);
    }

    proptest! {
        #[test]
        fn words_are_found_as_the_library_finds_them(text in "[abcAé ]{0,40}") {
            let list = ["a", "ab", "abca", "bc", "é", "a ", "cab"];
            let library = aho_corasick::AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .build(list)
                .expect("automaton");
            let expected: Vec<_> = library
                .find_overlapping_iter(&text)
                .map(|found| (found.pattern().as_usize(), found.start(), found.end()))
                .collect();
            let found: Vec<_> = Words::new(list).find(&text).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
