//! The main content of a page, as text and as Markdown, told while the page arrives.
//!
//! Text is read in blocks: what stands between two tags that are not inline. Parts that a page
//! shares with the others of its site are left out by what their authors call them, and outside
//! of `<main>` and `<article>` also the blocks of links and the few words between those. What
//! is kept is bounded, what is counted is not.

mod block;
mod boilerplate;
mod part;
mod table;
mod words;

use std::borrow::Cow;
use std::sync::Arc;

use trawl_domain::crawl_options::Formats;

use super::base::Base;
use super::element::Element;
use super::tag::Attributes;
use super::text::clean;
use crate::facts::content::{MARKDOWN_MAX_BYTES, TEXT_MAX_BYTES};
use block::{Block, Kind, Mark, Style};
use part::{Limits, Part, Written};
use table::Table;

/// Bytes of text kept as a sample where no text is asked for.
const SAMPLE_BYTES: usize = 2048;

/// Most inline elements that are open at the same time, and most lists and quotes.
const STYLES_MAX: usize = 16;
const CONTAINERS_MAX: usize = 16;

/// Most bytes of a URL in Markdown, and of the text of an image.
const URL_MAX_BYTES: usize = 512;
const ALT_MAX_BYTES: usize = 256;

/// Main content counts as such if it has at least this part of the words around it: else the
/// element is a teaser among others, or empty until a script fills it.
const MAIN_WORDS_PART: u64 = 4;

/// Collects the main content.
#[derive(Debug)]
pub(super) struct MainContent {
    formats: Formats,
    limits: Limits,
    /// The depth of the element that is being left out.
    dropped: Option<usize>,
    /// It is a form.
    drops_form: bool,
    /// The depth of the outermost `<main>` or `<article>`.
    main: Option<usize>,
    heading: Option<(usize, u8)>,
    preformatted: Option<usize>,
    /// The depth of the open link that leads elsewhere.
    link: Option<usize>,
    /// Open inline elements, for Markdown.
    styles: Vec<(usize, Style)>,
    containers: Vec<Container>,
    table: Option<Table>,
    block: Block,
    written: Written,
    /// The block before was one of a list.
    was_in_list: bool,
    outside: Part,
    inside: Part,
}

/// An element that says something of the blocks in it.
#[derive(Debug)]
struct Container {
    depth: usize,
    kind: ContainerKind,
}

#[derive(Debug)]
enum ContainerKind {
    Quote,
    /// A list, with the number of its next item if those are numbered.
    List(Option<u64>),
    /// An item, with what stands before its first line, until that is written.
    Item {
        marker: String,
        is_written: bool,
    },
}

/// The main content.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Its words, those included that are not kept.
    pub(super) words: u64,
    /// Its beginning; all that is kept where the format `text` is asked for.
    pub(super) text: String,
    pub(super) markdown: String,
    /// Something was asked for and did not fit.
    pub(super) is_cut: bool,
}

impl MainContent {
    pub(super) fn new(formats: Formats) -> Self {
        Self {
            limits: Limits {
                text_bytes: if formats.text {
                    TEXT_MAX_BYTES
                } else {
                    SAMPLE_BYTES
                },
                markdown_bytes: MARKDOWN_MAX_BYTES,
            },
            formats,
            dropped: None,
            drops_form: false,
            main: None,
            heading: None,
            preformatted: None,
            link: None,
            styles: Vec::new(),
            containers: Vec::new(),
            table: None,
            block: Block::default(),
            written: Written::default(),
            was_in_list: false,
            outside: Part::default(),
            inside: Part::default(),
        }
    }

    /// A start or an end tag of an element that ends blocks.
    pub(super) fn end_block(&mut self) {
        if self.dropped.is_some() {
            return;
        }
        if self.block.is_blank() {
            self.block.clear();
        } else {
            self.write_block();
        }
        if self.formats.markdown {
            for (_, style) in &self.styles {
                self.block.mark(Mark::Open(style.clone()));
            }
        }
    }

    /// An element begins, at a depth unless it has no content.
    pub(super) fn enter(
        &mut self,
        element: Element,
        depth: Option<usize>,
        attributes: &Attributes<'_>,
        (class, id): (&str, &str),
        base: &mut Base,
    ) {
        if self.dropped.is_some() {
            // A form around all of a page, as ASP.NET makes them.
            if self.drops_form
                && element == Element::INPUT
                && attributes.raw("name") == Some("__VIEWSTATE")
            {
                self.dropped = None;
            }
            return;
        }
        let Some(depth) = depth else {
            self.enter_void(element, attributes, base);
            return;
        };
        let is_in_main = self.main.is_some();
        if boilerplate::is_boilerplate(element, attributes, class, id, is_in_main) {
            self.dropped = Some(depth);
            self.drops_form = element == Element::FORM;
            return;
        }
        match element {
            Element::MAIN | Element::ARTICLE => self.main = self.main.or(Some(depth)),
            Element::PRE => self.preformatted = self.preformatted.or(Some(depth)),
            Element::TABLE => {
                self.place_table();
                self.table = Some(Table::new(depth));
            }
            Element::TR => {
                if let Some(table) = &mut self.table {
                    table.begin_row();
                }
            }
            Element::TD | Element::TH => {
                if let Some(table) = &mut self.table {
                    table.begin_cell();
                }
            }
            Element::A => self.enter_link(depth, attributes, base),
            _ => {}
        }
        if attributes.raw("role") == Some("main") {
            self.main = self.main.or(Some(depth));
        }
        if let Some(level) = element.heading_level() {
            self.heading = Some((depth, level));
        }
        if self.formats.markdown {
            self.enter_markdown(element, depth, attributes);
        }
    }

    /// Only so many elements are open any more.
    pub(super) fn leave(&mut self, depth: usize) {
        let is_closed = |at: usize| at >= depth;
        if self.dropped.is_some_and(is_closed) {
            self.dropped = None;
        }
        if self.dropped.is_some() {
            return;
        }
        while let Some((_, style)) = self.styles.pop_if(|(at, _)| is_closed(*at)) {
            self.block.mark(Mark::Close(style));
        }
        while self
            .containers
            .pop_if(|open| is_closed(open.depth))
            .is_some()
        {}
        if self
            .table
            .as_ref()
            .is_some_and(|table| is_closed(table.depth))
        {
            self.end_table();
        }
        if self.main.is_some_and(is_closed) {
            self.main = None;
        }
        for open in [&mut self.link, &mut self.preformatted] {
            if open.is_some_and(is_closed) {
                *open = None;
            }
        }
        if self.heading.is_some_and(|(at, _)| is_closed(at)) {
            self.heading = None;
        }
    }

    /// Visible text, with entities.
    pub(super) fn text(&mut self, mut text: &str) {
        if self.dropped.is_some() {
            return;
        }
        loop {
            text = self.block.push(text, self.link.is_some());
            if text.is_empty() {
                return;
            }
            self.end_block();
        }
    }

    /// Everything that was found.
    pub(super) fn finish(&mut self) -> Content {
        self.dropped = None;
        self.end_block();
        self.end_table();
        let Self {
            inside, outside, ..
        } = self;
        inside.finish(self.limits);
        outside.finish(self.limits);
        let is_main =
            !inside.is_empty() && inside.words.saturating_mul(MAIN_WORDS_PART) >= outside.words;
        let part = std::mem::take(if is_main { inside } else { outside });
        Content {
            words: part.words,
            is_cut: (self.formats.text && part.text.is_cut) || part.markdown.is_cut,
            text: part.text.text,
            markdown: part.markdown.text,
        }
    }

    fn enter_void(&mut self, element: Element, attributes: &Attributes<'_>, base: &mut Base) {
        match element {
            Element::BR => self.mark(Mark::LineBreak),
            Element::IMG if self.formats.markdown => {
                let alt = attributes.get("alt").unwrap_or_default();
                let src = attributes.get("src").unwrap_or_default();
                if let Some(alt) = clean(&alt, ALT_MAX_BYTES)
                    && let Some(url) = markdown_url(base, &src)
                {
                    self.mark(Mark::Image { alt, url });
                }
            }
            _ => {}
        }
    }

    fn enter_link(&mut self, depth: usize, attributes: &Attributes<'_>, base: &mut Base) {
        let Some(href) = attributes.get("href") else {
            return;
        };
        let is_contact = |scheme: &str| {
            let start = href.trim_start().get(..scheme.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        if is_contact("mailto:") || is_contact("tel:") {
            return;
        }
        self.link = self.link.or(Some(depth));
        if self.formats.markdown
            && let Some(url) = markdown_url(base, &href)
        {
            self.open_style(depth, Style::Link(url));
        }
    }

    /// What only Markdown tells.
    fn enter_markdown(&mut self, element: Element, depth: usize, attributes: &Attributes<'_>) {
        let kind = match element {
            Element::B | Element::STRONG => return self.open_style(depth, Style::Strong),
            Element::EM | Element::I => return self.open_style(depth, Style::Emphasis),
            Element::DEL | Element::S | Element::STRIKE => {
                return self.open_style(depth, Style::Strike);
            }
            Element::CODE | Element::KBD | Element::SAMP | Element::TT => {
                return self.open_style(depth, Style::Code);
            }
            Element::BLOCKQUOTE => ContainerKind::Quote,
            Element::UL | Element::MENU => ContainerKind::List(None),
            Element::OL => {
                let start = attributes.get("start");
                ContainerKind::List(Some(start.and_then(|n| n.trim().parse().ok()).unwrap_or(1)))
            }
            Element::LI => ContainerKind::Item {
                marker: self.next_marker(),
                is_written: false,
            },
            _ => return,
        };
        if self.containers.len() < CONTAINERS_MAX {
            self.containers.push(Container { depth, kind });
        }
    }

    fn open_style(&mut self, depth: usize, style: Style) {
        let is_open = |(_, open): &(usize, Style)| {
            *open == style || matches!((open, &style), (Style::Link(_), Style::Link(_)))
        };
        if self.styles.len() < STYLES_MAX && !self.styles.iter().any(is_open) {
            self.mark(Mark::Open(style.clone()));
            self.styles.push((depth, style));
        }
    }

    fn mark(&mut self, mark: Mark) {
        if self.block.is_full() {
            self.end_block();
        }
        self.block.mark(mark);
    }

    /// What stands before the next item of the innermost list.
    fn next_marker(&mut self) -> String {
        let list = self
            .containers
            .iter_mut()
            .rev()
            .find_map(|open| match &mut open.kind {
                ContainerKind::List(number) => Some(number),
                _ => None,
            });
        match list {
            Some(Some(number)) => {
                let marker = format!("{number}. ");
                *number = number.saturating_add(1);
                marker
            }
            _ => "- ".to_owned(),
        }
    }

    fn write_block(&mut self) {
        let kind = match (self.preformatted, self.heading) {
            (Some(_), _) => Kind::Preformatted,
            (None, Some((_, level))) => Kind::Heading(level),
            (None, None) => Kind::Paragraph,
        };
        let mut written = std::mem::take(&mut self.written);
        written.text.clear();
        written.markdown.clear();
        written.is_linked = self.block.is_linked();
        written.is_heading = matches!(kind, Kind::Heading(_));
        match self.only_counted(kind) {
            Some(words) => {
                written.words = words;
                written.unwritten_bytes = self.block.raw_bytes();
            }
            None => {
                self.block.text(kind, &mut written.text);
                written.words = words::count(&written.text);
                written.unwritten_bytes = 0;
            }
        }
        if self.formats.markdown {
            for (_, style) in self.styles.iter().rev() {
                self.block.mark(Mark::Close(style.clone()));
            }
            written.markdown = self.block.markdown(kind);
        }
        self.block.clear();
        let holds_more = kind != Kind::Paragraph || self.is_in_list();
        match &mut self.table {
            // A caption stands before the first cell.
            Some(table) if !table.has_cells() => self.place(&mut written),
            Some(table) if !holds_more => {
                table.push(&mut written);
                if table.is_too_large() {
                    self.place_table();
                }
            }
            _ => {
                // What holds more than lines is there to place things.
                self.place_table();
                self.place(&mut written);
            }
        }
        self.written = written;
    }

    /// The words of the open block if nothing else is asked of it, as the sample is full.
    fn only_counted(&self, kind: Kind) -> Option<u64> {
        let part = if self.main.is_some() {
            &self.inside
        } else {
            &self.outside
        };
        let is_asked_for = self.formats.text || self.formats.markdown || self.table.is_some();
        if is_asked_for || !part.is_full() || kind == Kind::Preformatted {
            return None;
        }
        Some(self.block.words())
    }

    fn is_in_list(&self) -> bool {
        let is_item = |open: &Container| matches!(open.kind, ContainerKind::Item { .. });
        self.containers.iter().any(is_item)
    }

    /// Takes the open table apart.
    fn place_table(&mut self) {
        if let Some(table) = self.table.take() {
            for mut written in table.take_apart() {
                self.place(&mut written);
            }
        }
    }

    fn end_table(&mut self) {
        if let Some(table) = self.table.take() {
            for mut written in table.finish() {
                self.place(&mut written);
            }
        }
    }

    /// Takes a block to where it belongs.
    fn place(&mut self, written: &mut Written) {
        if self.formats.markdown && !written.markdown.is_empty() {
            let is_in_list = self.is_in_list();
            written.is_tight = is_in_list && self.was_in_list;
            self.was_in_list = is_in_list;
            self.write_prefix(&mut written.markdown);
        }
        if self.main.is_some() {
            self.inside.keep(written, self.limits);
        } else {
            self.outside.weigh(written, self.limits);
        }
    }

    /// Writes before each line what its quotes and lists ask for.
    fn write_prefix(&mut self, markdown: &mut String) {
        if self.containers.is_empty() {
            return;
        }
        let mut first = String::new();
        let mut others = String::new();
        for open in &mut self.containers {
            match &mut open.kind {
                ContainerKind::Quote => {
                    first.push_str("> ");
                    others.push_str("> ");
                }
                ContainerKind::List(_) => {}
                ContainerKind::Item { marker, is_written } => {
                    let indent = " ".repeat(marker.len());
                    first.push_str(if *is_written { &indent } else { marker });
                    others.push_str(&indent);
                    *is_written = true;
                }
            }
        }
        first.push_str(&markdown.replace('\n', &format!("\n{others}")));
        *markdown = first;
    }
}

/// An absolute URL that can stand in Markdown.
fn markdown_url(base: &mut Base, reference: &str) -> Option<Arc<str>> {
    if reference.trim().is_empty() {
        return None;
    }
    let url = base.resolve(reference).ok()?.as_str();
    let escaped = if url.contains(['(', ')']) {
        Cow::Owned(url.replace('(', "%28").replace(')', "%29"))
    } else {
        Cow::Borrowed(url)
    };
    (escaped.len() <= URL_MAX_BYTES).then(|| Arc::from(&*escaped))
}

#[cfg(test)]
mod tests;
