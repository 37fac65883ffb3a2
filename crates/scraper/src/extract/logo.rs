//! The image that is most likely the logo of the site.

use url::Url;

use super::head::absolute;
use super::tag::Attributes;

/// Words by which images of others' logos are told apart from the site's own.
const FOREIGN: &[&str] = &[
    "partner", "client", "customer", "sponsor", "payment", "award", "member", "kunden",
];

/// Keeps the best image seen so far; among equals the first, as a logo stands on top.
#[derive(Debug, Default)]
pub(super) struct Logo {
    best: Option<(u32, String)>,
    /// Open elements that are named after a logo, by the names of their tags, each with the
    /// number of elements of the same tag that are open within it.
    open_boxes: Vec<(String, u32)>,
}

impl Logo {
    /// An element begins that is named after a logo, so that an image in it is likely one; or one
    /// that is not, of a tag that such elements have.
    pub(super) fn enter_box(&mut self, tag: &str, class: &str, id: &str) {
        if let Some((_, nested)) = self.open_boxes.iter_mut().find(|(known, _)| known == tag) {
            *nested = nested.saturating_add(1);
        } else if names_logo(class) || names_logo(id) {
            self.open_boxes.push((tag.to_owned(), 0));
        }
    }

    pub(super) fn leave_box(&mut self, tag: &str) {
        let Some(at) = self.open_boxes.iter().position(|(known, _)| known == tag) else {
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
        if score > self.best.as_ref().map_or(0, |(best, _)| *best)
            && ![class, id, &*alt, &*src].into_iter().any(is_foreign)
            && let Some(url) = absolute(base, &src)
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
    FOREIGN
        .iter()
        .any(|word| contains_ignoring_case(text, word))
}

/// Whether a text contains a word, which is in lower case and begins with a letter.
fn contains_ignoring_case(text: &str, word: &str) -> bool {
    let word = word.as_bytes();
    let first = word.first().copied();
    text.as_bytes().windows(word.len()).any(|part| {
        part.first().map(u8::to_ascii_lowercase) == first && part.eq_ignore_ascii_case(word)
    })
}
