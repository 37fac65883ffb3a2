//! All links of a page with what they say, for those who ask for them.

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::base::Base;
use super::tag::Attributes;
use super::text::{BoundedText, clean, json_bytes};
use crate::facts::content::{LINKS_MAX_BYTES, PageLink};

/// Most bytes of what a link says.
const TEXT_MAX_BYTES: usize = 128;

/// What a link takes as JSON beside its values.
const OVERHEAD_BYTES: usize = r#"{"url":"","text":""},"#.len();

/// Collects links, each URL once.
#[derive(Debug, Default)]
pub(super) struct LinkList {
    /// What each URL is called.
    links: IndexMap<String, String, RandomState>,
    json_bytes: usize,
    /// What the link that is open says; it is the last one.
    open: Option<BoundedText>,
    /// What the open link is called if it says nothing, and how surely.
    title: Option<(usize, String)>,
    is_cut: bool,
}

impl LinkList {
    /// A link begins.
    pub(super) fn enter(&mut self, base: &mut Base, href: &str) {
        self.leave();
        let Ok(url) = base.resolve(href) else {
            return;
        };
        let url = url.as_str();
        if href.trim().is_empty() || self.links.contains_key(url) {
            return;
        }
        let bytes = self.json_bytes + json_bytes(url) + OVERHEAD_BYTES;
        if bytes > LINKS_MAX_BYTES {
            self.is_cut = true;
            return;
        }
        self.json_bytes = bytes;
        self.open = Some(BoundedText::default());
        self.links.insert(url.to_owned(), String::new());
    }

    /// Visible text, with entities.
    pub(super) fn text(&mut self, text: &str) {
        if let Some(open) = &mut self.open {
            // Entities may take several bytes for one.
            open.push(text, 4 * TEXT_MAX_BYTES);
        }
    }

    /// The link, or an image in it: a link without text is called by the `alt` of its image, by
    /// its label, or by its title.
    pub(super) fn see_titles(&mut self, attributes: &Attributes<'_>) {
        if self.open.is_none() {
            return;
        }
        for (rank, name) in ["title", "aria-label", "alt"].into_iter().enumerate() {
            if self.title.as_ref().is_none_or(|(known, _)| *known < rank)
                && let Some(value) = attributes.get(name)
                && let Some(title) = clean(&value, TEXT_MAX_BYTES)
            {
                self.title = Some((rank, title));
            }
        }
    }

    /// A link ends.
    pub(super) fn leave(&mut self) {
        let title = self.title.take().map(|(_, title)| title);
        if let Some(open) = self.open.take()
            && let Some(text) = clean(open.as_str(), TEXT_MAX_BYTES).or(title)
            && let Some((_, says)) = self.links.last_mut()
        {
            let bytes = self.json_bytes + json_bytes(&text);
            if bytes <= LINKS_MAX_BYTES {
                self.json_bytes = bytes;
                *says = text;
            } else {
                self.is_cut = true;
            }
        }
    }

    /// The links, and whether some are missing.
    pub(super) fn take(&mut self) -> (Vec<PageLink>, bool) {
        self.leave();
        let links = std::mem::take(&mut self.links).into_iter();
        let links = links.map(|(url, text)| PageLink { url, text });
        (links.collect(), self.is_cut)
    }
}
