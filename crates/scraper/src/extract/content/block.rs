//! One block of text, such as a paragraph, and its two spellings: plain and Markdown.

use std::sync::Arc;

use super::super::text::is_invisible;
use super::words;

/// Most bytes of markup in one block; what is longer becomes two.
const BLOCK_MAX_BYTES: usize = 16 * 1024;

/// Most marks in one block; with more it ends.
const MARKS_MAX: usize = 512;

/// What a block is, and with it how it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Paragraph,
    Heading(u8),
    /// Spaces and line breaks count.
    Preformatted,
}

/// What an inline element says of the text in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Style {
    Code,
    Emphasis,
    Link(Arc<str>),
    Strike,
    Strong,
}

/// Something between two pieces of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    Open(Style),
    Close(Style),
    LineBreak,
    Image { alt: String, url: Arc<str> },
}

/// The block that is being read.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Text with entities.
    raw: String,
    /// Marks, each before so many bytes of text.
    marks: Vec<(usize, Mark)>,
    /// Bytes in links, without spaces.
    linked_bytes: usize,
}

impl Block {
    /// Takes text as far as there is room; gives back the rest.
    pub(super) fn push<'a>(&mut self, text: &'a str, is_linked: bool) -> &'a str {
        let room = BLOCK_MAX_BYTES.saturating_sub(self.raw.len());
        let (fits, rest) = text.split_at(text.floor_char_boundary(room));
        self.raw.push_str(fits);
        if is_linked {
            self.linked_bytes += visible_bytes(fits);
        }
        rest
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        self.marks.push((self.raw.len(), mark));
    }

    /// The bytes of its text with entities.
    pub(super) fn raw_bytes(&self) -> usize {
        self.raw.len()
    }

    /// No more fits.
    pub(super) fn is_full(&self) -> bool {
        self.raw.len() + 4 > BLOCK_MAX_BYTES || self.marks.len() >= MARKS_MAX
    }

    /// There is nothing to be seen.
    pub(super) fn is_blank(&self) -> bool {
        let is_image = |(_, mark): &(usize, Mark)| matches!(mark, Mark::Image { .. });
        !self.has_text() && !self.marks.iter().any(is_image)
    }

    pub(super) fn has_text(&self) -> bool {
        !self.raw.bytes().all(|byte| byte.is_ascii_whitespace())
    }

    /// Most of the text leads elsewhere.
    pub(super) fn is_linked(&self) -> bool {
        self.linked_bytes > 0 && self.linked_bytes * 2 > visible_bytes(&self.raw)
    }

    pub(super) fn clear(&mut self) {
        self.raw.clear();
        self.marks.clear();
        self.linked_bytes = 0;
    }

    /// The words of the text as it is seen, if no inline element was marked.
    pub(super) fn words(&self) -> u64 {
        let pieces = self.pieces();
        pieces
            .map(|(piece, _)| words::count(&htmlize::unescape(piece)))
            .sum()
    }

    /// Writes the text as it is seen in place of what `out` holds.
    pub(super) fn text(&self, kind: Kind, out: &mut String) {
        let mut line = Line::new(out);
        for (piece, mark) in self.pieces() {
            line.write(piece, kind, false);
            if mark == Some(&Mark::LineBreak) {
                line.line_break("\n");
            }
        }
        line.finish();
    }

    /// The text as Markdown, without what stands before its lines.
    pub(super) fn markdown(&self, kind: Kind) -> String {
        let mut markdown = String::with_capacity(self.raw.len() + self.raw.len() / 8);
        if kind == Kind::Preformatted {
            self.text(kind, &mut markdown);
            return fenced(&markdown);
        }
        let mut text = Line::new(&mut markdown);
        let mut code_depth = 0_u32;
        for (piece, mark) in self.pieces() {
            text.write(piece, kind, code_depth == 0);
            match mark {
                Some(Mark::Open(style)) => {
                    code_depth += u32::from(*style == Style::Code);
                    text.openings.push(opening(style));
                }
                Some(Mark::Close(style)) => {
                    code_depth = code_depth.saturating_sub(u32::from(*style == Style::Code));
                    text.close(style);
                }
                Some(Mark::LineBreak) => text.line_break("  \n"),
                Some(Mark::Image { alt, url }) => {
                    text.begin_word();
                    text.out.push_str("![");
                    escape(text.out, alt);
                    text.out.push_str("](");
                    text.out.push_str(url);
                    text.out.push(')');
                }
                None => {}
            }
        }
        text.finish();
        match kind {
            // A heading is one line.
            Kind::Heading(level) => {
                let marks = "#".repeat(usize::from(level));
                format!("{marks} {}", markdown.replace("  \n", " "))
            }
            Kind::Paragraph | Kind::Preformatted => escape_beginning(markdown),
        }
    }

    /// The pieces of text, each with the mark that follows.
    fn pieces(&self) -> impl Iterator<Item = (&str, Option<&Mark>)> {
        let mut start = 0;
        let marks = self.marks.iter().map(|(at, mark)| (*at, Some(mark)));
        marks
            .chain([(self.raw.len(), None)])
            .map(move |(at, mark)| {
                let piece = self.raw.get(start..at).unwrap_or_default();
                start = at;
                (piece, mark)
            })
    }
}

/// The mark of code.
const CODE_MARK: &str = "`";

/// Text that is being written, each gap a single space.
#[derive(Debug)]
struct Line<'a> {
    out: &'a mut String,
    /// A gap has been read and not yet been written.
    has_gap: bool,
    /// Marks that stand before the next word.
    openings: Vec<&'static str>,
    /// Where the code begins that is open.
    code: Option<usize>,
}

impl<'a> Line<'a> {
    fn new(out: &'a mut String) -> Self {
        out.clear();
        Self {
            out,
            has_gap: false,
            openings: Vec::new(),
            code: None,
        }
    }

    fn write(&mut self, raw: &str, kind: Kind, escapes: bool) {
        let text = htmlize::unescape(raw);
        if kind == Kind::Preformatted {
            let is_kept =
                |c: &char| matches!(c, '\n' | '\t') || !(c.is_control() || is_invisible(*c));
            self.out.extend(text.chars().filter(is_kept));
            return;
        }
        let is_plain = is_plain(text.trim_matches(' ').as_bytes());
        let mut rest = &*text;
        while !rest.is_empty() {
            let (words, gap_bytes, is_gap) = next_words(rest, is_plain);
            if !words.is_empty() {
                self.begin_word();
                if escapes {
                    escape(self.out, words);
                } else {
                    self.out.push_str(words);
                }
            }
            self.has_gap |= is_gap;
            rest = rest.get(words.len() + gap_bytes..).unwrap_or_default();
        }
    }

    /// Writes what stands before a word.
    fn begin_word(&mut self) {
        if std::mem::take(&mut self.has_gap) && !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push(' ');
        }
        for opening in self.openings.drain(..) {
            self.out.push_str(opening);
            if opening == CODE_MARK {
                self.code = Some(self.out.len());
            }
        }
    }

    /// Ends a style; nothing is written of one without a word.
    fn close(&mut self, style: &Style) {
        if self.openings.pop().is_some() {
            return;
        }
        match style {
            Style::Link(url) => {
                self.out.push_str("](");
                self.out.push_str(url);
                self.out.push(')');
            }
            Style::Code => self.close_code(),
            other => self.out.push_str(opening(other)),
        }
    }

    /// Ends code with more marks than stand in it, and puts as many before it (`CommonMark` 6.1).
    fn close_code(&mut self) {
        let start = self.code.take().unwrap_or(self.out.len());
        let code = self.out.get(start..).unwrap_or_default();
        let run = longest_run(code);
        let touches = code.starts_with(CODE_MARK) || code.ends_with(CODE_MARK);
        let gap = if touches { " " } else { "" };
        let more = CODE_MARK.repeat(run);
        self.out.insert_str(start, &format!("{more}{gap}"));
        self.out.push_str(&format!("{gap}{more}{CODE_MARK}"));
    }

    fn line_break(&mut self, line_break: &str) {
        if !self.out.is_empty() {
            self.out.push_str(line_break);
            self.has_gap = false;
        }
    }

    fn finish(self) {
        let length = self.out.trim_end().len();
        self.out.truncate(length);
    }
}

/// The words with single spaces between them that a text begins with, the bytes after them that
/// are left out, and whether those are a gap or cannot be seen at all. A plain text, as most are, is
/// such words between its spaces.
fn next_words(text: &str, is_plain: bool) -> (&str, usize, bool) {
    if is_plain && !text.starts_with(' ') {
        let words = text.trim_end_matches(' ');
        return (words, text.len() - words.len(), words.len() < text.len());
    }
    words_before_gap(text)
}

/// Whether a text surely has no gap but single spaces within. Without a way out at the first
/// gap, compilers compare many bytes at once.
fn is_plain(text: &[u8]) -> bool {
    let Some((first, rest)) = text.split_first() else {
        return false;
    };
    let is_plain = |byte: u8| {
        (byte >= b' ')
            & (byte != 0x7f)
            & (byte != 0xc2)
            & !(0xe1..=0xe3).contains(&byte)
            & (byte != 0xef)
    };
    *first > b' '
        && is_plain(*first)
        && text.iter().zip(rest).fold(true, |so_far, (before, byte)| {
            so_far & is_plain(*byte) & ((*before > b' ') | (*byte > b' '))
        })
}

fn words_before_gap(text: &str) -> (&str, usize, bool) {
    let mut words_bytes = None;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let (is_gap, length) = match byte {
            b' ' if at > 0 && words_bytes.is_none() && begins_word(bytes.get(at + 1)) => (false, 1),
            0..=b' ' | 0x7f => (true, 1),
            // The signs whose first byte is one of these include all other spaces and controls.
            0xc2 | 0xe1 | 0xe2 | 0xe3 | 0xef => {
                let sign = text.get(at..).and_then(|rest| rest.chars().next());
                if let Some(sign) = sign.filter(|sign| is_invisible(*sign)) {
                    if words_bytes.is_some() {
                        at += sign.len_utf8();
                        continue;
                    }
                    return (text.get(..at).unwrap_or_default(), sign.len_utf8(), false);
                }
                let is_gap = |c: char| c.is_whitespace() || c.is_control();
                (sign.is_some_and(is_gap), sign.map_or(1, char::len_utf8))
            }
            _ => (false, 1),
        };
        match (is_gap, words_bytes) {
            (true, None) => words_bytes = Some(at),
            (false, Some(_)) => break,
            _ => {}
        }
        at += length;
    }
    let words_bytes = words_bytes.unwrap_or(at);
    (
        text.get(..words_bytes).unwrap_or_default(),
        at - words_bytes,
        at > words_bytes,
    )
}

/// Whether a byte is sure to be no part of a gap.
fn begins_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| !matches!(byte, 0..=b' ' | 0x7f | 0xc2 | 0xe1 | 0xe2 | 0xe3 | 0xef))
}

fn visible_bytes(text: &str) -> usize {
    text.bytes().filter(|byte| *byte > b' ').count()
}

/// What stands before a style, and but for links also after it.
fn opening(style: &Style) -> &'static str {
    match style {
        Style::Code => CODE_MARK,
        Style::Emphasis => "*",
        Style::Link(_) => "[",
        Style::Strike => "~~",
        Style::Strong => "**",
    }
}

/// Writes words so that nothing in them is taken for a mark.
fn escape(out: &mut String, words: &str) {
    let is_mark = |b: &u8| matches!(b, b'\\' | b'*' | b'_' | b'[' | b']' | b'`' | b'<' | b'~');
    // Without a way out at the first mark, of which there is hardly any, compilers compare many
    // bytes at once.
    let has_marks = words.bytes().fold(false, |so_far, b| so_far | is_mark(&b));
    let mut rest = words;
    while has_marks && let Some(at) = rest.as_bytes().iter().position(is_mark) {
        let (before, after) = rest.split_at(at);
        let (mark, after) = after.split_at(1);
        out.extend([before, "\\", mark]);
        rest = after;
    }
    out.push_str(rest);
}

/// Keeps a paragraph from being taken for a heading, a quote or a list.
fn escape_beginning(text: String) -> String {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let at = match text.as_bytes().get(digits) {
        Some(b'#' | b'>' | b'+' | b'-' | b'=') if digits == 0 => 0,
        Some(b'.' | b')') if (1..10).contains(&digits) => digits,
        _ => return text,
    };
    let (before, after) = text.split_at(at);
    format!("{before}\\{after}")
}

/// The most marks of code in a row.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or_default()
}

/// Text as it is, between fences that it does not hold.
fn fenced(text: &str) -> String {
    let fence = CODE_MARK.repeat(longest_run(text).max(2) + 1);
    format!("{fence}\n{}\n{fence}", text.trim_matches('\n'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_words_are_found_as_all_words_are(
            text in "([a-zß–・]{1,9}|  ?|\\n|\u{a0}|\u{7f}|\u{3000}|\u{1680}|é){0,12}",
        ) {
            let is_plain = is_plain(text.trim_matches(' ').as_bytes());
            let mut rest = &*text;
            while !rest.is_empty() {
                let (words, gap_bytes, is_gap) = next_words(rest, is_plain);
                prop_assert!(words.len() + gap_bytes > 0);
                if !rest.starts_with(' ') {
                    prop_assert_eq!((words, gap_bytes, is_gap), words_before_gap(rest));
                }
                rest = &rest[words.len() + gap_bytes..];
            }
        }

        #[test]
        fn each_mark_is_escaped(words in "[a-cß*_~`<>\\[\\]\\\\]{0,90}") {
            let mut escaped = String::new();
            escape(&mut escaped, &words);
            let is_mark = |c: char| "\\*_[]`<~".contains(c);
            let expected = words.chars().flat_map(|c| is_mark(c).then_some('\\').into_iter().chain([c]));
            prop_assert_eq!(escaped, expected.collect::<String>());
        }
    }
}
