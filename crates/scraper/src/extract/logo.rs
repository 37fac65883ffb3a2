//! The image that is most likely the logo of the site.

use std::sync::LazyLock;

use url::Url;

use super::element::Element;
use super::head::absolute;
use super::tag::Attributes;
use crate::registrable::is_same_site;
use crate::words::Words;

/// Words by which others' logos, and boxes of them, are told apart from the site's own. Not
/// `brand`, as many call their own that.
const FOREIGN: &[&str] = &[
    "partner",
    "client",
    "customer",
    "sponsor",
    "payment",
    "award",
    "member",
    "kunden",
    "brands",
    "marken",
    "testimonial",
    "paypal",
    "klarna",
    "mastercard",
    "certificat",
    "zertifikat",
];

static FOREIGN_WORDS: LazyLock<Words> = LazyLock::new(|| Words::new(FOREIGN.iter().copied()));

/// Most boxes named after others that are remembered as open.
const FOREIGN_BOXES_MAX: usize = 16;

/// Keeps the best image seen so far; among equals the first, as a logo stands on top.
#[derive(Debug, Default)]
pub(super) struct Logo {
    best: Option<(u32, String)>,
    /// Open elements that are named after a logo, each with the number of those of the same tag
    /// that are open within it.
    open_boxes: Vec<(Element, u32)>,
    /// The depths of open elements that are named after others, the innermost last.
    foreign_boxes: Vec<usize>,
}

impl Logo {
    /// An element begins: in one that is named after others stand their logos.
    pub(super) fn enter(&mut self, depth: usize, class: &str, id: &str) {
        let is_named = !(class.is_empty() && id.is_empty());
        if is_named
            && self.foreign_boxes.len() < FOREIGN_BOXES_MAX
            && (is_foreign(class) || is_foreign(id))
        {
            self.foreign_boxes.push(depth);
        }
    }

    /// So many elements are open yet.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.foreign_boxes.last().is_some_and(|open| *open >= depth) {
            self.foreign_boxes.pop();
        }
    }

    /// An element begins that is named after a logo, so that an image in it is likely one; or one
    /// that is not, of a tag that such elements have.
    pub(super) fn enter_box(&mut self, tag: Element, class: &str, id: &str) {
        if let Some((_, nested)) = self.open_boxes.iter_mut().find(|(known, _)| *known == tag) {
            *nested = nested.saturating_add(1);
        } else if names_logo(class) || names_logo(id) {
            self.open_boxes.push((tag, 0));
        }
    }

    pub(super) fn leave_box(&mut self, tag: Element) {
        let Some(at) = self.open_boxes.iter().position(|(known, _)| *known == tag) else {
            return;
        };
        match self.open_boxes.get_mut(at) {
            Some((_, nested)) if *nested > 0 => *nested -= 1,
            _ => {
                self.open_boxes.swap_remove(at);
            }
        }
    }

    pub(super) fn see_image(
        &mut self,
        attributes: &Attributes<'_>,
        class: &str,
        id: &str,
        base: &Url,
    ) {
        // Images that load late keep their address elsewhere.
        let src = ["src", "data-src", "data-lazy-src"]
            .into_iter()
            .filter_map(|name| attributes.get(name))
            .find(|src| !src.trim().is_empty() && !src.trim_start().starts_with("data:"));
        let Some(src) = src else { return };
        let alt = attributes.get("alt").unwrap_or_default();
        let file = src.rsplit('/').next().unwrap_or_default();
        let is_marked = attributes
            .get("itemprop")
            .is_some_and(|prop| prop == "logo");
        let score = [
            (is_marked, 8),
            (names_logo(class) || names_logo(id), 4),
            (!self.open_boxes.is_empty(), 4),
            (names_logo(file), 3),
            (names_logo(&alt), 2),
        ]
        .into_iter()
        .filter_map(|(holds, points)| holds.then_some(points))
        .sum();
        // Nearly all images are no candidates, so the dearer question comes last.
        let best = self.best.as_ref().map_or(0, |(best, _)| *best);
        if score > best
            && self.foreign_boxes.is_empty()
            && ![class, id, &*alt, &*src].into_iter().any(is_foreign)
            && let Some(url) = absolute(base, &src)
            && let score = of_host(score, &url, base)
            && score > best
        {
            self.best = Some((score, url));
        }
    }

    pub(super) fn best(&mut self) -> Option<String> {
        self.best.take().map(|(_, url)| url)
    }
}

fn names_logo(text: &str) -> bool {
    contains_ignoring_case(text, "logo")
}

fn is_foreign(text: &str) -> bool {
    FOREIGN_WORDS.find(text).next().is_some()
}

/// The score of an image by where it is: at another site, where those of others are as well, it
/// counts half.
fn of_host(score: u32, url: &str, base: &Url) -> u32 {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    if is_same_site(host, base.host_str().unwrap_or_default()) {
        score
    } else {
        score.div_ceil(2)
    }
}

/// Whether a text contains a word, which is in lower case and begins with a letter.
fn contains_ignoring_case(text: &str, word: &str) -> bool {
    let word = word.as_bytes();
    let first = word.first().copied();
    text.as_bytes().windows(word.len()).any(|part| {
        part.first().map(u8::to_ascii_lowercase) == first && part.eq_ignore_ascii_case(word)
    })
}
