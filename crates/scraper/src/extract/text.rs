//! Text as it comes out of markup, made fit to keep: entities decoded, clean, bounded.
//!
//! Nothing here depends on how text was cut into chunks.

use std::borrow::Cow;

/// Bytes of text searched at once.
const WINDOW_BYTES: usize = 16 * 1024;

/// Most bytes carried from one window into the next, so that nothing is cut in two. Longer than
/// any e-mail address or phone number with the words before it.
const CARRY_BYTES: usize = 512;

/// Decodes the entities of an attribute's value.
pub(super) fn attribute_text(value: &str) -> Cow<'_, str> {
    htmlize::unescape_attribute(value)
}

/// Makes raw text a single clean line of at most `max_bytes`; `None` if nothing is left.
pub(super) fn clean(raw: &str, max_bytes: usize) -> Option<String> {
    let decoded = htmlize::unescape(raw);
    let mut line = String::with_capacity(decoded.len().min(max_bytes));
    for word in decoded.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        let space = usize::from(!line.is_empty());
        let room = max_bytes.saturating_sub(line.len() + space);
        let kept = word
            .get(..word.floor_char_boundary(room))
            .unwrap_or_default();
        if kept.is_empty() {
            break;
        }
        if space == 1 {
            line.push(' ');
        }
        line.push_str(kept);
        if kept.len() < word.len() {
            break;
        }
    }
    if line.is_empty() { None } else { Some(line) }
}

/// The bytes that clean text, line breaks and tabs take within a JSON text.
pub(super) fn json_bytes(text: &str) -> usize {
    let is_escaped = |byte: &&u8| matches!(byte, b'"' | b'\\' | b'\n' | b'\t');
    text.len() + text.as_bytes().iter().filter(is_escaped).count()
}

/// Raw text up to a number of bytes; what comes after the first cut is ignored.
#[derive(Debug, Default)]
pub(super) struct BoundedText {
    text: String,
    is_full: bool,
}

impl BoundedText {
    pub(super) fn push(&mut self, text: &str, max_bytes: usize) {
        if self.is_full {
            return;
        }
        let room = max_bytes.saturating_sub(self.text.len());
        let kept = text
            .get(..text.floor_char_boundary(room))
            .unwrap_or_default();
        self.text.push_str(kept);
        self.is_full = kept.len() < text.len();
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

/// Collects the visible text and hands it out in windows of bounded size.
#[derive(Debug, Default)]
pub(super) struct TextWindow {
    raw: String,
}

impl TextWindow {
    /// Adds text; `search` is called with every window that has become full.
    pub(super) fn push(&mut self, mut text: &str, mut search: impl FnMut(&str)) {
        while !text.is_empty() {
            let room = WINDOW_BYTES.saturating_sub(self.raw.len());
            let (fits, rest) = text.split_at(text.floor_char_boundary(room));
            self.raw.push_str(fits);
            text = rest;
            if !rest.is_empty() {
                self.flush(&mut search);
            }
        }
    }

    /// Ends a run of text, so that what follows is not read together with what came before.
    pub(super) fn separate(&mut self, search: impl FnMut(&str)) {
        if !self.raw.is_empty() && !self.raw.ends_with('\n') {
            self.push("\n", search);
        }
    }

    /// Hands out what is left.
    pub(super) fn finish(&mut self, mut search: impl FnMut(&str)) {
        search(&htmlize::unescape(self.raw.as_str()));
        self.raw.clear();
    }

    /// Hands out a full window, and keeps its end for the next one.
    fn flush(&mut self, search: &mut impl FnMut(&str)) {
        search(&htmlize::unescape(self.raw.as_str()));
        let earliest = self
            .raw
            .ceil_char_boundary(self.raw.len().saturating_sub(CARRY_BYTES));
        let tail = self.raw.get(earliest..).unwrap_or_default();
        // Begin at a word, so that no half of one is taken for a whole.
        let start = tail.find(char::is_whitespace).unwrap_or(tail.len());
        let carried = tail.get(start..).unwrap_or_default().to_owned();
        self.raw = carried;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_becomes_one_clean_line() {
        assert_eq!(
            clean(" a\n\tb&nbsp;&amp;\0c ", 99),
            Some("a b & c".to_owned())
        );
        assert_eq!(
            clean("&#0;&#xD800;", 99),
            Some("\u{fffd}\u{fffd}".to_owned())
        );
        assert_eq!(clean(" \n&nbsp; ", 99), None);
        assert_eq!(clean("äöü", 3), Some("ä".to_owned()));
        assert_eq!(clean("ab cd", 3), Some("ab".to_owned()));
    }

    #[test]
    fn windows_overlap_by_whole_words() {
        let mut window = TextWindow::default();
        let mut seen = Vec::new();
        let text = "word ".repeat(WINDOW_BYTES / 4);
        window.push(&text, |part| seen.push(part.to_owned()));
        window.push("last", |part| seen.push(part.to_owned()));
        window.finish(|part| seen.push(part.to_owned()));
        assert!(seen.len() > 1);
        assert!(seen.iter().skip(1).all(|part| part.starts_with(" word")));
        assert!(seen.last().is_some_and(|part| part.ends_with("last")));
    }

    proptest! {
        #[test]
        fn the_cut_of_the_input_does_not_matter(
            text in "(\\PC|[a-z &;#]){0,300}",
            cut in 0_usize..400,
        ) {
            let text = text.repeat(100);
            let cut = text.floor_char_boundary(cut * 40);
            let (head, tail) = text.split_at(cut);
            let run = |parts: [&str; 2]| {
                let mut seen = Vec::new();
                let mut window = TextWindow::default();
                let mut bounded = BoundedText::default();
                for part in parts {
                    window.push(part, |found| seen.push(found.to_owned()));
                    bounded.push(part, 100);
                }
                window.finish(|found| seen.push(found.to_owned()));
                (seen, bounded.text)
            };
            prop_assert_eq!(run([&text, ""]), run([head, tail]));
        }

        #[test]
        fn clean_text_is_bounded_and_without_control_characters(
            raw in any::<String>(),
            max in 0_usize..50,
        ) {
            if let Some(line) = clean(&raw, max) {
                prop_assert!(line.len() <= max);
                prop_assert!(!line.chars().any(char::is_control));
            }
        }
    }
}
