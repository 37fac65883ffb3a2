//! What is kept of the blocks of a page, and which of them are.

use super::super::text::json_bytes;

/// Words that the text between two blocks of links must have to be kept. Chosen: an address with
/// its name has as many, the labels between menus have fewer.
const RUN_WORDS_MIN: u64 = 10;

/// Most bytes of text that wait for more.
const WAITING_MAX_BYTES: usize = 4 * 1024;

/// A block, written.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    pub(super) text: String,
    /// Empty where none is asked for.
    pub(super) markdown: String,
    pub(super) words: u64,
    /// What its text would take, if that was only counted.
    pub(super) unwritten_bytes: usize,
    /// Most of it leads elsewhere.
    pub(super) is_linked: bool,
    pub(super) is_heading: bool,
    /// It continues a list, so that no empty line stands before it.
    pub(super) is_tight: bool,
}

impl Written {
    /// What it takes, or would take.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + self.markdown.len() + self.unwritten_bytes
    }
}

/// Most bytes, as JSON, of what is kept of a part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) text_bytes: usize,
    pub(super) markdown_bytes: usize,
}

/// A part of a page: what stands in the element that its author calls the main content, or what
/// stands outside of it.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) text: Bounded,
    pub(super) markdown: Bounded,
    pub(super) words: u64,
    run: Run,
}

/// Blocks without a block of links between them.
#[derive(Debug, Default)]
struct Run {
    /// Those that are kept if more follow.
    waiting: Vec<Written>,
    waiting_bytes: usize,
    words: u64,
}

/// Text that is as long as it may be at most.
#[derive(Debug, Default)]
pub(super) struct Bounded {
    pub(super) text: String,
    json_bytes: usize,
    pub(super) is_cut: bool,
}

impl Part {
    /// Whether no more text is kept, so that of a block only its words count.
    pub(super) fn is_full(&self) -> bool {
        self.text.is_cut
    }

    /// Takes a block that is kept whatever is around it.
    pub(super) fn keep(&mut self, block: &Written, limits: Limits) {
        self.words += block.words;
        self.text.push_block("\n", &block.text, limits.text_bytes);
        let gap = if block.is_tight { "\n" } else { "\n\n" };
        self.markdown
            .push_block(gap, &block.markdown, limits.markdown_bytes);
    }

    /// Takes a block that is kept if it stands among enough text.
    pub(super) fn weigh(&mut self, block: &mut Written, limits: Limits) {
        if block.is_linked && !block.is_heading {
            self.run = Run::default();
            return;
        }
        if !block.is_heading {
            self.run.words += block.words;
        }
        if self.run.words >= RUN_WORDS_MIN {
            for waiting in std::mem::take(&mut self.run.waiting) {
                self.keep(&waiting, limits);
            }
            self.run.waiting_bytes = 0;
            self.keep(block, limits);
            return;
        }
        self.run.waiting_bytes += block.bytes();
        if self.run.waiting_bytes > WAITING_MAX_BYTES {
            self.run = Run::default();
        } else {
            self.run.waiting.push(std::mem::take(block));
        }
    }

    /// Nothing is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.words == 0 && self.text.text.is_empty() && self.markdown.text.is_empty()
    }

    /// Ends the part: a page of few words is kept whole.
    pub(super) fn finish(&mut self, limits: Limits) {
        let run = std::mem::take(&mut self.run);
        if self.is_empty() {
            for waiting in &run.waiting {
                self.keep(waiting, limits);
            }
        }
    }
}

impl Bounded {
    fn push_block(&mut self, gap: &str, block: &str, max_bytes: usize) {
        if block.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.push(gap, max_bytes);
        }
        self.push(block, max_bytes);
    }

    fn push(&mut self, text: &str, max_bytes: usize) {
        if self.is_cut {
            return;
        }
        let bytes = self.json_bytes + json_bytes(text);
        if bytes <= max_bytes {
            self.json_bytes = bytes;
            self.text.push_str(text);
            return;
        }
        self.is_cut = true;
        for sign in text.chars() {
            self.json_bytes += json_bytes_of(sign);
            if self.json_bytes > max_bytes {
                return;
            }
            self.text.push(sign);
        }
    }
}

fn json_bytes_of(sign: char) -> usize {
    sign.len_utf8() + usize::from(matches!(sign, '"' | '\\' | '\n' | '\t'))
}
