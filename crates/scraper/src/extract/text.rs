//! Text as it comes out of markup, made fit to keep: entities decoded, clean, bounded.
//!
//! Nothing here depends on how text was cut into chunks.

use std::borrow::Cow;

use super::seams::is_gap;

/// Bytes of text searched at once.
const WINDOW_BYTES: usize = 16 * 1024;

/// Most bytes carried from one window into the next where no line ends in its last half, so that
/// nothing is cut in two. Longer than any e-mail address or phone number with the words before
/// it.
const CARRY_BYTES: usize = 512;

/// Most bytes of a text that is put into brackets.
const BRACKETED_MAX_BYTES: usize = 16;

/// Spaces at which no line breaks; to readers they are spaces.
const HARD_SPACES: &[char] = &['\u{a0}', '\u{202f}', '\u{2007}', '\u{2009}'];

/// Characters that nobody sees: soft hyphens, marks of direction, zero-width spaces and joiners.
const INVISIBLE: &[char] = &[
    '\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}',
];

/// Decodes the entities of an attribute's value.
pub(super) fn attribute_text(value: &str) -> Cow<'_, str> {
    // Nearly no value has one, and the library asks more than this.
    if memchr::memchr(b'&', value.as_bytes()).is_none() {
        return Cow::Borrowed(value);
    }
    htmlize::unescape_attribute(value)
}

/// Makes raw text a single clean line of at most `max_bytes`; `None` if nothing is left.
pub(super) fn clean(raw: &str, max_bytes: usize) -> Option<String> {
    let mut decoded = htmlize::unescape(raw);
    if !decoded.is_ascii() && decoded.contains(is_invisible) {
        decoded.to_mut().retain(|sign| !is_invisible(sign));
    }
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

/// Signs that only say where a line may or may not break: the soft hyphen, the space and the
/// joiner without width, the byte order mark. Not U+200C and U+200D, with which Persian, Hindi and
/// emoji are spelled.
pub(super) fn is_invisible(sign: char) -> bool {
    matches!(sign, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// The bytes that clean text, line breaks and tabs take within a JSON text.
pub(super) fn json_bytes(text: &str) -> usize {
    let is_escaped = |byte: &u8| matches!(byte, b'"' | b'\\' | b'\n' | b'\t');
    // Of so few that one byte counts them, compilers compare many at once.
    let pieces = text.as_bytes().chunks(usize::from(u8::MAX));
    let escaped = pieces.map(|piece| piece.iter().fold(0_u8, |n, b| n + u8::from(is_escaped(b))));
    text.len() + escaped.map(usize::from).sum::<usize>()
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
///
/// White space is a single space, as readers see it; a line break stands between what is not one
/// run of text.
#[derive(Debug, Default)]
pub(super) struct TextWindow {
    raw: String,
    /// Where the text of the inline element begins that was opened last.
    mark: Option<usize>,
    /// Where inline elements begin and end, in order.
    seams: Vec<usize>,
}

impl TextWindow {
    /// Adds text; `search` is called with every window that has become full.
    pub(super) fn push(&mut self, text: &str, mut search: impl FnMut(&str)) {
        let mut rest = text;
        while !rest.is_empty() {
            let (words, tail) = rest.split_at(single_spaced_bytes(rest));
            self.push_piece(words, &mut search);
            rest = tail.trim_ascii_start();
            if rest.len() < tail.len() && !self.raw.ends_with([' ', '\n']) {
                self.push_piece(" ", &mut search);
            }
        }
    }

    /// Ends a run of text, so that what follows is not read together with what came before.
    pub(super) fn separate(&mut self, mut search: impl FnMut(&str)) {
        if !self.raw.is_empty() && !self.raw.ends_with('\n') {
            self.push_piece("\n", &mut search);
        }
    }

    /// An element begins; what it says may be told apart from the text around it if it is inline.
    pub(super) fn mark(&mut self, is_inline: bool) {
        self.mark = is_inline.then_some(self.raw.len());
    }

    /// An inline element begins or ends, at which a word may end.
    pub(super) fn seam(&mut self) {
        let is_known = self.seams.last() == Some(&self.raw.len());
        if !is_known && !self.raw.ends_with([' ', '\n']) {
            self.seams.push(self.raw.len());
        }
    }

    /// Puts the text since the mark into brackets if it is of a kind, and forgets the mark.
    pub(super) fn bracket(&mut self, is_kind: impl Fn(&str) -> bool) {
        if let Some(mark) = self.mark.take()
            && self.raw.len() <= mark + BRACKETED_MAX_BYTES
            && let Some(text) = self.raw.get(mark..)
            && is_kind(text)
        {
            self.raw.insert(mark, '(');
            self.raw.push(')');
            self.seams.retain(|seam| *seam < mark);
        }
    }

    /// The text before what comes next, with entities.
    pub(super) fn tail(&self) -> &str {
        let start = self.raw.len().saturating_sub(CARRY_BYTES);
        self.raw
            .get(self.raw.ceil_char_boundary(start)..)
            .unwrap_or_default()
    }

    /// Hands out what is left.
    pub(super) fn finish(&mut self, mut search: impl FnMut(&str)) {
        search(&readable(&with_gaps(&self.raw, &self.seams)));
        self.raw.clear();
        self.seams.clear();
    }

    fn push_piece(&mut self, mut text: &str, search: &mut impl FnMut(&str)) {
        while !text.is_empty() {
            let room = WINDOW_BYTES.saturating_sub(self.raw.len());
            let (fits, rest) = text.split_at(text.floor_char_boundary(room));
            self.raw.push_str(fits);
            text = rest;
            if !rest.is_empty() {
                self.flush(search);
            }
        }
    }

    /// Hands out the whole lines of a full window and keeps what follows; if there are none, all
    /// of it, and keeps its last words to be read again with what follows them.
    fn flush(&mut self, search: &mut impl FnMut(&str)) {
        self.mark = None;
        let last_line = self.raw.rfind('\n').filter(|at| *at >= WINDOW_BYTES / 2);
        let (seen, kept) = if let Some(at) = last_line {
            (at, at)
        } else {
            let earliest = self
                .raw
                .ceil_char_boundary(self.raw.len().saturating_sub(CARRY_BYTES));
            let tail = self.raw.get(earliest..).unwrap_or_default();
            // Begin at a word, so that no half of one is taken for a whole.
            let word = tail.find(' ').unwrap_or(tail.len());
            (self.raw.len(), earliest + word)
        };
        let text = self.raw.get(..seen).unwrap_or_default();
        search(&readable(&with_gaps(text, &self.seams)));
        self.seams.retain_mut(|seam| {
            let is_kept = *seam > kept;
            *seam = seam.saturating_sub(kept);
            is_kept
        });
        let carried = self.raw.get(kept..).unwrap_or_default().to_owned();
        self.raw = carried;
    }
}

/// The bytes at the beginning of a text that are words with single spaces between them.
fn single_spaced_bytes(text: &str) -> usize {
    let plain = plain_bytes(text.as_bytes());
    // The last of those that are plain is looked at again, as what stands before the next.
    let seen = plain.saturating_sub(1);
    let mut previous = b' ';
    for (at, byte) in text.bytes().enumerate().skip(seen) {
        if byte.is_ascii_whitespace() && (byte != b' ' || previous == b' ') && at >= plain {
            // Of a longer gap, the first space is no part.
            return at.saturating_sub(usize::from(previous == b' '));
        }
        previous = byte;
    }
    text.len()
}

/// Bytes that are looked at together, so that one gap costs no look at all that follows it.
const PLAIN_BYTES: usize = 256;

/// How many bytes at the beginning surely have no gap but single spaces within; of most texts all.
/// Without a way out at the first gap, compilers compare many bytes at once.
fn plain_bytes(text: &[u8]) -> usize {
    if text.first().is_none_or(|first| *first <= b' ') {
        return 0;
    }
    let mut plain = 1;
    while let Some(piece) = text.get(plain..(plain + PLAIN_BYTES).min(text.len()))
        && !piece.is_empty()
        && let Some(before) = text.get(plain - 1..plain - 1 + piece.len())
        && before
            .iter()
            .zip(piece)
            .fold(true, |so_far, (before, byte)| {
                so_far & (*byte >= b' ') & ((*before > b' ') | (*byte > b' '))
            })
    {
        plain += piece.len();
    }
    plain
}

/// A text with a space at each seam within it that is a [gap](is_gap).
fn with_gaps<'t>(text: &'t str, seams: &[usize]) -> Cow<'t, str> {
    // The last first, as what is behind a seam ends at the next gap.
    let mut gaps: Vec<usize> = Vec::new();
    for &seam in seams.iter().rev() {
        let end = gaps.last().copied().unwrap_or(text.len());
        if let Some((before, behind)) = text.split_at_checked(seam)
            && is_gap(
                before,
                behind.get(..end.saturating_sub(seam)).unwrap_or_default(),
            )
        {
            gaps.push(seam);
        }
    }
    if gaps.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut spaced = String::with_capacity(text.len() + gaps.len());
    let mut kept = 0;
    for gap in gaps.into_iter().rev() {
        spaced.push_str(text.get(kept..gap).unwrap_or_default());
        spaced.push(' ');
        kept = gap;
    }
    spaced.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(spaced)
}

/// Text as it is seen: entities decoded, without what is invisible.
fn readable(raw: &str) -> Cow<'_, str> {
    let text = htmlize::unescape(raw);
    let mut seen = String::new();
    let mut kept = 0;
    // All signs that change begin with one of three bytes.
    for at in memchr::memchr3_iter(0xc2, 0xe2, 0xef, text.as_bytes()) {
        let rest = text.get(at..).unwrap_or_default();
        let Some(sign) = rest.chars().next() else {
            continue;
        };
        let shown = if HARD_SPACES.contains(&sign) {
            Some(' ')
        } else if INVISIBLE.contains(&sign) {
            None
        } else if let Some(narrow) = narrow(sign) {
            Some(narrow)
        } else {
            continue;
        };
        seen.push_str(text.get(kept..at).unwrap_or_default());
        seen.extend(shown);
        kept = at + sign.len_utf8();
    }
    if kept == 0 {
        return with_ascii_digits(text);
    }
    seen.push_str(text.get(kept..).unwrap_or_default());
    with_ascii_digits(Cow::Owned(seen))
}

/// Text with the digits of Arabic, Persian and Hindi in ASCII, as numbers are read.
fn with_ascii_digits(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut seen = String::new();
    let mut kept = 0;
    // The first bytes of these digits.
    for at in memchr::memchr3_iter(0xd9, 0xdb, 0xe0, text.as_bytes()) {
        let sign = text.get(at..).and_then(|rest| rest.chars().next());
        let Some((sign, digit)) = sign.and_then(|sign| Some((sign, ascii_digit(sign)?))) else {
            continue;
        };
        seen.push_str(text.get(kept..at).unwrap_or_default());
        seen.push(digit);
        kept = at + sign.len_utf8();
    }
    if kept == 0 {
        return text;
    }
    seen.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(seen)
}

/// The ASCII digit of the same value as an Arabic-Indic, Persian or Devanagari one.
fn ascii_digit(c: char) -> Option<char> {
    let zero = ['\u{660}', '\u{6f0}', '\u{966}'].into_iter();
    let value = zero
        .filter_map(|zero| u32::from(c).checked_sub(u32::from(zero)))
        .find(|value| *value < 10)?;
    char::from_digit(value, 10)
}

/// The ASCII character of which this is the wide form, as Chinese and Japanese texts have them.
fn narrow(c: char) -> Option<char> {
    ('\u{ff01}'..='\u{ff5e}')
        .contains(&c)
        .then(|| char::from_u32(u32::from(c) - 0xfee0))
        .flatten()
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

    #[test]
    fn windows_end_where_lines_do_and_show_each_line_once() {
        let mut window = TextWindow::default();
        let mut seen = Vec::new();
        let line = "a line of text ".repeat(10);
        for _ in 0..500 {
            window.push(&line, |part| seen.push(part.to_owned()));
            window.separate(|part| seen.push(part.to_owned()));
        }
        window.finish(|part| seen.push(part.to_owned()));
        assert!(seen.len() > 2);
        let lines = seen.iter().flat_map(|part| part.lines());
        let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, [line.as_str(); 500]);
    }

    #[test]
    fn text_is_handed_out_as_it_is_seen() {
        let mut window = TextWindow::default();
        window.push("in&shy;fo\u{200b}@firma.de  \n ", |_| {});
        window.push("\t Tel&nbsp;1", |_| {});
        window.separate(|_| {});
        window.push(" x", |_| {});
        let mut seen = String::new();
        window.finish(|part| seen.push_str(part));
        assert_eq!(seen, "info@firma.de Tel 1\nx");
        let mut seen = String::new();
        window.push("ＴＥＬ：０３－１２３", |_| {});
        window.finish(|part| seen.push_str(part));
        assert_eq!(seen, "TEL:03-123");
    }

    #[test]
    fn words_end_at_seams_that_are_gaps() {
        let mut window = TextWindow::default();
        for part in [
            "Anna Ott",
            "anna@firma.de",
            "0711 123456",
            "Fax",
            "030 9876543",
            "in",
            "fo",
            "@",
            "firma.de",
        ] {
            window.push(part, |_| {});
            window.seam();
        }
        let mut seen = String::new();
        window.finish(|part| seen.push_str(part));
        assert_eq!(
            seen,
            "Anna Ott anna@firma.de 0711 123456 Fax 030 9876543 info@firma.de"
        );
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
