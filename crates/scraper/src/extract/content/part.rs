//! What is kept of the blocks of a page, and which of them are.
//!
//! Outside of what its author calls the main content, the menus of a page divide it into runs.
//! Blocks of links in a row are a menu if they are several, unless a link has several blocks, as
//! cards have. A run is kept if it has a heading with something under it, or enough words.

use std::borrow::Cow;

use super::super::text::json_bytes;

/// Words that a run without a heading must have to be kept. Chosen: an address with its name has
/// as many, the labels between menus have fewer.
const RUN_WORDS_MIN: u64 = 10;

/// Links in a row that are a menu wherever they stand. Chosen: two are often the buttons below a
/// text.
const MENU_LINKS_MIN: u32 = 3;

/// Those that are one in a list, before all content, and after it.
const SHORT_MENU_LINKS_MIN: u32 = 2;

/// Most bytes of text that wait for more, and of menus that are kept for a page of nothing else.
const WAITING_MAX_BYTES: usize = 4 * 1024;

/// A block, written.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    pub(super) text: String,
    /// Empty where none is asked for.
    pub(super) markdown: String,
    /// What divides its Markdown from the block before.
    pub(super) gap: Cow<'static, str>,
    pub(super) words: u64,
    /// What its text would take, if that was only counted.
    pub(super) unwritten_bytes: usize,
    /// Most of it leads elsewhere.
    pub(super) is_linked: bool,
    /// Links that begin in it.
    pub(super) links: u32,
    /// All of them lead to the start page or to the top of this one.
    pub(super) leads_home: bool,
    /// Its level, if it is a heading.
    pub(super) heading: Option<u8>,
    pub(super) is_item: bool,
    /// It stands in a paragraph outside of lists.
    pub(super) is_paragraph: bool,
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
    /// Something other than headings is kept.
    has_text: bool,
    has_menu: bool,
    run: Run,
    row: Row,
    /// The beginning of what was left out.
    left_out: Vec<Written>,
    left_out_bytes: usize,
}

/// Blocks without a menu between them.
#[derive(Debug, Default)]
struct Run {
    /// Blocks that are kept if more follow.
    waiting: Vec<Written>,
    waiting_bytes: usize,
    words: u64,
    is_kept: bool,
}

/// Blocks of links with nothing between them; until it is known what they are, they wait at the
/// end of the run.
#[derive(Debug, Default)]
struct Row {
    blocks: usize,
    links: u32,
    /// A link has several blocks.
    has_cards: bool,
    is_list: bool,
    are_paragraphs: bool,
    is_menu: bool,
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
        self.has_text |= block.heading.is_none() && block.words > 0;
        self.text.push_block("\n", &block.text, limits.text_bytes);
        self.markdown
            .push_block(&block.gap, &block.markdown, limits.markdown_bytes);
    }

    /// Takes a block that is kept if it is no part of a menu.
    pub(super) fn weigh(&mut self, block: &mut Written, limits: Limits) {
        if block.words == 0 {
            // A line between links, or a picture: it says nothing of what is around it.
            if self.row.is_menu {
                self.leave_out(block);
            } else {
                self.row.blocks += usize::from(self.row.blocks > 0);
                self.wait(block, limits);
            }
            return;
        }
        if block.is_linked && block.heading.is_none() {
            self.weigh_links(block, limits);
            return;
        }
        self.end_row();
        let is_label = block.heading.is_some() && !block.is_linked;
        if block.heading.is_none() {
            self.run.words += block.words;
        }
        self.run.is_kept |= (block.heading.is_some() && block.is_linked)
            || self.run.words >= RUN_WORDS_MIN
            || (!is_label && self.run.has_heading());
        if self.run.is_kept {
            self.keep_waiting(limits);
        }
        // What a heading is worth, the next block tells.
        if self.run.is_kept && !is_label {
            self.keep(block, limits);
        } else {
            self.wait(block, limits);
        }
    }

    /// Takes a block of links.
    fn weigh_links(&mut self, block: &mut Written, limits: Limits) {
        if self.row.is_menu || block.leads_home {
            self.leave_out(block);
            return;
        }
        let row = &mut self.row;
        row.has_cards |= row.blocks > 0 && block.links == 0;
        row.are_paragraphs = block.is_paragraph && (row.are_paragraphs || row.blocks == 0);
        row.is_list |= block.is_item;
        row.links = row.links.saturating_add(block.links);
        row.blocks += 1;
        let is_early = !self.has_text && !self.run.is_kept && !self.run.has_heading();
        let enough = if self.row.is_list || is_early {
            SHORT_MENU_LINKS_MIN
        } else {
            MENU_LINKS_MIN
        };
        self.wait(block, limits);
        if self.row.links >= enough && !self.row.has_cards {
            self.begin_menu(limits);
        }
    }

    /// The row is a menu: what stands before it is a run, without the label of the menu.
    fn begin_menu(&mut self, limits: Limits) {
        let mut run = std::mem::take(&mut self.run);
        let start = run.waiting.len().saturating_sub(self.row.blocks);
        let mut menu = run.waiting.split_off(start);
        for mut waiting in run.waiting {
            let is_label = waiting.heading.is_some_and(|level| level > 1);
            if waiting.heading == Some(1) || (run.is_kept && !is_label) {
                self.keep(&waiting, limits);
            } else {
                self.leave_out(&mut waiting);
            }
        }
        for block in &mut menu {
            self.leave_out(block);
        }
        self.has_menu = true;
        self.row = Row {
            is_menu: true,
            ..Row::default()
        };
    }

    /// Something else follows on the row: what is no menu belongs to the text.
    fn end_row(&mut self) {
        let row = std::mem::take(&mut self.row);
        if row.links > 0 {
            let before = self.run.waiting.len().saturating_sub(row.blocks);
            let mut before = self.run.waiting.iter().take(before);
            self.run.is_kept |= row.has_cards || before.any(|block| block.heading.is_some());
        }
    }

    fn wait(&mut self, block: &mut Written, limits: Limits) {
        self.run.waiting_bytes += block.bytes();
        self.run.waiting.push(std::mem::take(block));
        if self.run.waiting_bytes > WAITING_MAX_BYTES {
            self.run.is_kept = true;
            self.row.blocks = 0;
            self.keep_waiting(limits);
        }
    }

    fn keep_waiting(&mut self, limits: Limits) {
        self.run.waiting_bytes = 0;
        for waiting in std::mem::take(&mut self.run.waiting) {
            self.keep(&waiting, limits);
        }
    }

    /// Takes what is kept only if there is nothing else.
    fn leave_out(&mut self, block: &mut Written) {
        if self.has_text || self.left_out_bytes > WAITING_MAX_BYTES {
            return;
        }
        self.left_out_bytes += block.bytes();
        self.left_out.push(std::mem::take(block));
    }

    /// Nothing is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.words == 0 && self.text.text.is_empty() && self.markdown.text.is_empty()
    }

    /// Ends the part: a page of few words is kept whole.
    pub(super) fn finish(&mut self, limits: Limits) {
        if self.row.links >= SHORT_MENU_LINKS_MIN && !self.row.has_cards && !self.row.are_paragraphs
        {
            self.begin_menu(limits);
        }
        self.end_row();
        let run = &self.run;
        if run.is_kept || run.has_heading() || !self.has_menu || !self.has_text {
            self.keep_waiting(limits);
        }
    }

    /// Takes what was left out, if there is nothing else but headings.
    pub(super) fn fall_back(&mut self, limits: Limits) {
        if self.has_text {
            return;
        }
        for block in std::mem::take(&mut self.left_out) {
            self.keep(&block, limits);
        }
    }
}

impl Run {
    fn has_heading(&self) -> bool {
        self.waiting.iter().any(|block| block.heading.is_some())
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
