//! Fixed words, looked for all at once.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// An automaton of words in lower case; ASCII letters are found in either case.
#[derive(Debug)]
pub(super) struct Words(Option<AhoCorasick>);

impl Words {
    pub(super) fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let built = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            // Some hundred KB each, and several times as fast as the compact kind.
            .kind(Some(AhoCorasickKind::DFA))
            .build(words);
        if let Err(error) = &built {
            // Only too many words make this fail, and they are fixed.
            tracing::error!(%error, "words cannot be looked for");
        }
        Self(built.ok())
    }

    /// Which word is where: its index, its first byte and the byte after it. Overlapping words
    /// are all found.
    pub(super) fn find<'t>(
        &'t self,
        text: &'t str,
    ) -> impl Iterator<Item = (usize, usize, usize)> + 't {
        let automaton = self.0.as_ref();
        automaton
            .into_iter()
            .flat_map(move |automaton| automaton.find_overlapping_iter(text))
            .map(|found| (found.pattern().as_usize(), found.start(), found.end()))
    }
}

/// What follows a word at the beginning of a text, whatever the case of its ASCII letters.
pub(super) fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let start = text.get(..word.len())?;
    if start.eq_ignore_ascii_case(word) {
        text.get(word.len()..)
    } else {
        None
    }
}
