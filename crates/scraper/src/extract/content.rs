//! The main content of a page, as text and as Markdown, told while the page arrives.
//!
//! Text is read in blocks: what stands between two tags that are not inline. Parts that a page
//! shares with the others of its site are left out by what their authors call them, and outside
//! of `<main>` and `<article>` also the blocks of links and the few words between those. What
//! is kept is bounded, what is counted is not.

mod block;
mod boilerplate;
mod containers;
mod image;
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
use containers::Containers;
use part::{Limits, Part, Written};
use table::Table;

/// Bytes of text kept as a sample where no text is asked for.
const SAMPLE_BYTES: usize = 2048;

/// Most inline elements that are open at the same time.
const STYLES_MAX: usize = 16;

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
    containers: Containers,
    table: Option<Table>,
    block: Block,
    written: Written,
    /// The depths of the outermost open item of a list and of the open paragraph.
    item: Option<usize>,
    paragraph: Option<usize>,
    /// Links that were opened since the last block with text.
    links: u32,
    /// All of them lead to the start page or to the top of this one.
    leads_home: bool,
    outside: Part,
    inside: Part,
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
            containers: Containers::default(),
            table: None,
            block: Block::default(),
            written: Written::default(),
            item: None,
            paragraph: None,
            links: 0,
            leads_home: false,
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
            self.forget_links();
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
        let is_in_heading = self.heading.is_some();
        if boilerplate::is_boilerplate(element, attributes, class, id, is_in_main, is_in_heading) {
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
                    table.has_headers |= element == Element::TH;
                }
            }
            Element::A => self.enter_link(depth, attributes, base),
            Element::LI => self.item = self.item.or(Some(depth)),
            Element::P => self.paragraph = self.paragraph.or(Some(depth)),
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
        self.containers.leave(depth);
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
        for open in [
            &mut self.link,
            &mut self.preformatted,
            &mut self.item,
            &mut self.paragraph,
        ] {
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
        if !is_main {
            outside.fall_back(self.limits);
        }
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
                let src = image::source(attributes).unwrap_or_default();
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
        if let Some(url) = contact_url(&href) {
            if self.formats.markdown && url.len() <= URL_MAX_BYTES {
                self.open_style(depth, Style::Link(Arc::from(url)));
            }
            return;
        }
        self.link = self.link.or(Some(depth));
        self.leads_home = leads_home(&href) && (self.leads_home || self.links == 0);
        self.links = self.links.saturating_add(1);
        if self.formats.markdown
            && let Some(url) = markdown_url(base, &href)
        {
            self.open_style(depth, Style::Link(url));
        }
    }

    /// What only Markdown tells.
    fn enter_markdown(&mut self, element: Element, depth: usize, attributes: &Attributes<'_>) {
        let style = match element {
            Element::B | Element::STRONG => Style::Strong,
            Element::EM | Element::I => Style::Emphasis,
            Element::DEL | Element::S | Element::STRIKE => Style::Strike,
            Element::CODE | Element::KBD | Element::SAMP | Element::TT => Style::Code,
            _ => return self.containers.enter(element, depth, attributes),
        };
        self.open_style(depth, style);
    }

    /// Forgets the links of pictures, but for one that is still open: it is that of the next block.
    fn forget_links(&mut self) {
        self.links = self.links.min(u32::from(self.link.is_some()));
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
        written.heading = match kind {
            Kind::Heading(level) => Some(level),
            _ => None,
        };
        written.links = self.links;
        written.leads_home = self.leads_home && self.links > 0;
        written.is_item = self.item.is_some();
        written.is_paragraph = self.paragraph.is_some() && !written.is_item;
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
        if self.block.has_text() {
            self.links = 0;
        } else {
            self.forget_links();
        }
        self.block.clear();
        // A list within a table that has headers is one of lines.
        let is_line_of =
            |table: &Table| table.has_headers && self.item.is_some_and(|item| item > table.depth);
        let holds_more = kind != Kind::Paragraph
            || (self.item.is_some() && !self.table.as_ref().is_some_and(is_line_of));
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

    /// Takes the open table apart.
    fn place_table(&mut self) {
        if let Some(table) = self.table.take() {
            let inner = self.containers.take_within(table.depth);
            for mut written in table.take_apart() {
                self.place(&mut written);
            }
            self.containers.restore(inner);
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
            written.gap = self.containers.write(&mut written.markdown);
        }
        if self.main.is_some() {
            self.inside.keep(written, self.limits);
        } else {
            self.outside.weigh(written, self.limits);
        }
    }
}

/// Whether a link leads to the start page or to the top of the page, as each page has them.
fn leads_home(href: &str) -> bool {
    matches!(
        href.trim(),
        "/" | "./"
            | "../"
            | "#"
            | "#top"
            | "/index.html"
            | "index.html"
            | "/index.php"
            | "index.php"
    )
}

/// The URL of a link to a mail address or a phone number, as it can stand in Markdown.
fn contact_url(href: &str) -> Option<String> {
    let (scheme, target) = href.split_once(':')?;
    let scheme = scheme.trim();
    let scheme = ["mailto", "tel"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(scheme))?;
    let mut url = format!("{scheme}:");
    for sign in target.trim().chars() {
        match sign {
            ' ' | '(' | ')' | '<' | '>' => {
                url.push_str(&format!("%{:02X}", u32::from(sign)));
            }
            _ if sign.is_control() => {}
            _ => url.push(sign),
        }
    }
    Some(url)
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
