//! Elements whose text is none of the site's own as it stands: decoys within addresses, which are
//! hidden, addresses written backwards, and what visitors have posted.
//!
//! Only inline elements are decoys: what else is hidden at first, such as a menu, scripts show
//! later.

use super::element::Element;
use super::tag::Attributes;
use super::text::BoundedText;

/// Most bytes of a text that is turned around.
const REVERSED_MAX_BYTES: usize = 256;

/// How the text of an element differs from what is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Masked {
    Hidden,
    Reversed,
    /// A comment or a review.
    Posted,
}

/// The outermost such element that is open.
#[derive(Debug, Default)]
pub(super) struct Mask {
    open: Option<(usize, Masked)>,
    reversed: BoundedText,
}

impl Mask {
    /// An element begins at a depth.
    pub(super) fn enter(
        &mut self,
        element: Element,
        depth: Option<usize>,
        attributes: &Attributes<'_>,
        class: &str,
    ) {
        let Some(depth) = depth.filter(|_| self.open.is_none()) else {
            return;
        };
        let masked = if element.is_inline() {
            masked(attributes, class)
        } else {
            is_posted(class).then_some(Masked::Posted)
        };
        self.open = masked.map(|masked| (depth, masked));
    }

    /// Only so many elements are open any more; gives back a text as it is seen.
    pub(super) fn leave(&mut self, depth: usize) -> Option<String> {
        let (_, masked) = self.open.take_if(|(at, _)| *at >= depth)?;
        let raw = std::mem::take(&mut self.reversed);
        let text = htmlize::unescape(raw.as_str());
        (masked == Masked::Reversed).then(|| text.chars().rev().collect())
    }

    /// Whether text is hidden.
    pub(super) fn is_hidden(&self) -> bool {
        matches!(self.open, Some((_, Masked::Hidden)))
    }

    /// Takes text that is not seen as it stands; says whether it is such.
    pub(super) fn text(&mut self, text: &str) -> bool {
        if matches!(self.open, Some((_, Masked::Reversed))) {
            self.reversed.push(text, REVERSED_MAX_BYTES);
        }
        self.open.is_some()
    }
}

fn masked(attributes: &Attributes<'_>, class: &str) -> Option<Masked> {
    let mut styled = None;
    for (name, value) in attributes.iter() {
        if name.eq_ignore_ascii_case("hidden") && !value.eq_ignore_ascii_case("until-found") {
            return Some(Masked::Hidden);
        }
        if name.eq_ignore_ascii_case("style") {
            styled = of_style(value);
        }
    }
    styled.or_else(|| of_class(class))
}

fn of_style(style: &str) -> Option<Masked> {
    if !style.contains(['n', 'd', 'v', 'N', 'D', 'V']) {
        return None;
    }
    let style: String = style.split_ascii_whitespace().collect();
    let style = style.to_ascii_lowercase();
    let is = |rule: &str| style.contains(rule);
    if is("display:none") || is("visibility:hidden") {
        Some(Masked::Hidden)
    } else {
        (is("bidi-override") && is("direction:rtl")).then_some(Masked::Reversed)
    }
}

/// Names that systems give to what visitors write.
fn is_posted(class: &str) -> bool {
    class.split_ascii_whitespace().any(|word| {
        matches!(
            word,
            "comment"
                | "comment-body"
                | "comment-content"
                | "comment-list"
                | "comment-text"
                | "commentlist"
                | "comments-list"
                | "customer-review"
                | "review"
                | "review-body"
                | "review-content"
                | "review-text"
                | "user-comment"
                | "user-review"
        )
    })
}

/// Names that systems and plugins give to decoys. `d-none d-md-inline` says how wide a screen is.
fn of_class(class: &str) -> Option<Masked> {
    let mut found = None;
    for word in class.split_ascii_whitespace() {
        match word {
            "d-none" | "display-none" | "hidden" | "hide" | "invisible" | "is-hidden"
            | "u-hidden" | "uk-hidden" | "w-hidden" => found = Some(Masked::Hidden),
            _ if word.ends_with("-nodis") => found = Some(Masked::Hidden),
            "eeb-rtl" | "wpml-rtl" => found = Some(Masked::Reversed),
            _ if word.starts_with("d-") || word.contains(':') => return None,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tag::{Tag, TagReader};
    use super::*;

    fn check(markup: &str, expected: Option<Masked>) {
        let mut tags = TagReader::new(markup);
        tags.read(0);
        let Tag::Start {
            element,
            attributes,
            ..
        } = tags.tag()
        else {
            panic!("a start tag: {markup}");
        };
        let class = attributes.get("class").unwrap_or_default();
        let mut mask = Mask::default();
        mask.enter(element, Some(3), &attributes, &class);
        assert_eq!(mask.open.map(|(_, masked)| masked), expected, "{markup}");
    }

    #[test]
    fn decoys_and_turned_text_are_told_from_what_is_seen() {
        check("<span hidden>", Some(Masked::Hidden));
        check(
            "<b style='color:red; Display : None'>",
            Some(Masked::Hidden),
        );
        check("<span class='x hide'>", Some(Masked::Hidden));
        check("<i class=d-none>", Some(Masked::Hidden));
        check("<span class=wpml-nodis>", Some(Masked::Hidden));
        check(
            "<span style='unicode-bidi:bidi-override; direction: rtl'>",
            Some(Masked::Reversed),
        );
        check("<span class=wpml-rtl>", Some(Masked::Reversed));
        check("<li class='comment even'>", Some(Masked::Posted));
        for seen in [
            "<span>",
            "<span class='d-none d-md-inline'>",
            "<span class='hidden md:inline'>",
            "<span class=hidden-xs>",
            "<span style='display:inline'>",
            "<span aria-hidden=true>",
            "<span dir=rtl>",
            "<div hidden>",
            "<div style='display:none'>",
            "<div class=comments-link>",
        ] {
            check(seen, None);
        }
    }

    #[test]
    fn a_mask_ends_with_its_element() {
        let mut mask = Mask::default();
        assert!(!mask.text("x"));
        mask.open = Some((3, Masked::Reversed));
        assert!(mask.text("ed.amrif&#64;"));
        assert_eq!(mask.leave(4), None);
        assert!(mask.text("ofni"));
        assert_eq!(mask.leave(3).as_deref(), Some("info@firma.de"));
        assert!(!mask.text("x"));
        mask.open = Some((3, Masked::Hidden));
        assert!(mask.text("x") && mask.is_hidden());
        assert_eq!(mask.leave(1), None);
        assert!(!mask.is_hidden());
    }
}
