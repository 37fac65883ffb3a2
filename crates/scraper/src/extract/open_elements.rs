//! Which elements are open, told from tags as they come.
//!
//! Follows the HTML standard (13.2.6.4.7) where authors rely on it: void elements, end tags that
//! may be left out, end tags that close more than one element or none. Formatting elements are
//! not reopened, and tables are not mended.

use super::element::Element;

/// Most open elements; browsers nest no deeper (Blink: `kMaximumHTMLParserDOMTreeDepth`).
const DEPTH_MAX: usize = 512;

/// The open elements.
#[derive(Debug, Default)]
pub(super) struct OpenElements {
    stack: Vec<Element>,
    /// Paragraphs among them: there is hardly ever one for the next element to close.
    paragraphs: usize,
    /// Elements that were opened beyond [`DEPTH_MAX`].
    beyond: u32,
}

impl OpenElements {
    /// The number of open elements.
    pub(super) fn depth(&self) -> usize {
        self.stack.len()
    }

    /// Closes what ends where `element` begins; says whether that is something.
    pub(super) fn before(&mut self, element: Element) -> bool {
        let depth = self.stack.len();
        if self.paragraphs > 0 && element.ends_paragraph() {
            self.close(
                |open| open == Element::P,
                |open| open.is_scope() || open == Element::BUTTON,
            );
        }
        match element {
            Element::LI => self.close(|open| open == Element::LI, bounds_list_item),
            Element::DD | Element::DT => self.close(
                |open| matches!(open, Element::DD | Element::DT),
                bounds_list_item,
            ),
            Element::TD | Element::TH => self.close(
                |open| matches!(open, Element::TD | Element::TH),
                |open| matches!(open, Element::TR | Element::TABLE | Element::TEMPLATE),
            ),
            Element::TR => self.close(
                |open| open == Element::TR,
                |open| matches!(open, Element::TABLE | Element::TEMPLATE),
            ),
            Element::TBODY | Element::TFOOT | Element::THEAD => self.close(
                |open| matches!(open, Element::TBODY | Element::TFOOT | Element::THEAD),
                |open| matches!(open, Element::TABLE | Element::TEMPLATE),
            ),
            Element::OPTION => self.close(|open| open == Element::OPTION, |_| true),
            heading if heading.is_heading() => self.close(Element::is_heading, |_| true),
            _ => {}
        }
        self.stack.len() < depth
    }

    /// Opens an element; gives back how deep it is, unless it has no content or is too deep.
    pub(super) fn open(&mut self, element: Element) -> Option<usize> {
        if element.is_void() {
            return None;
        }
        let depth = self.stack.len();
        if depth >= DEPTH_MAX {
            self.beyond = self.beyond.saturating_add(1);
            return None;
        }
        self.paragraphs += usize::from(element == Element::P);
        self.stack.push(element);
        Some(depth)
    }

    /// Takes an end tag; says whether it closes something.
    pub(super) fn end(&mut self, element: Element) -> bool {
        if self.beyond > 0 && !element.is_void() {
            self.beyond -= 1;
            return false;
        }
        let depth = self.stack.len();
        match element {
            // What comes after them still belongs to them.
            Element::HTML | Element::BODY => {}
            // Any heading ends any other.
            heading if heading.is_heading() => self.close(Element::is_heading, Element::is_scope),
            Element::TABLE | Element::TBODY | Element::TFOOT | Element::THEAD | Element::TR => {
                self.close(
                    |open| open == element,
                    |open| matches!(open, Element::TABLE | Element::TEMPLATE),
                );
            }
            inline if inline.is_inline() => {
                self.close(|open| open == inline, |open| !open.is_inline());
            }
            other => self.close(|open| open == other, Element::is_scope),
        }
        self.stack.len() < depth
    }

    /// Closes the innermost element that `is_meant` and all within it, unless an element that
    /// `bounds` is met first.
    fn close(&mut self, is_meant: impl Fn(Element) -> bool, bounds: impl Fn(Element) -> bool) {
        for (depth, open) in self.stack.iter().enumerate().rev() {
            if is_meant(*open) {
                let closed = self.stack.drain(depth..);
                self.paragraphs -= closed.filter(|open| *open == Element::P).count();
                return;
            }
            if bounds(*open) {
                return;
            }
        }
    }
}

/// An item of a list does not end one beyond these.
fn bounds_list_item(element: Element) -> bool {
    !element.is_inline() && !matches!(element, Element::ADDRESS | Element::DIV | Element::P)
}

#[cfg(test)]
mod tests {
    use super::super::tag::Tag;
    use super::super::tokenizer::{Token, tokens};
    use super::*;

    /// Checks which elements are open where the markup ends.
    fn check(markup: &str, expected: &[&str]) {
        let mut open = OpenElements::default();
        tokens(markup, |token| match token {
            Token::Tag(Tag::Start { element, .. }) => {
                open.before(element);
                open.open(element);
            }
            Token::Tag(Tag::End { element }) => {
                open.end(element);
            }
            _ => {}
        });
        let expected: Vec<Element> = expected.iter().map(|name| Element::of(name)).collect();
        assert_eq!(open.stack, expected, "{markup}");
        let paragraphs = open.stack.iter().filter(|open| **open == Element::P);
        assert_eq!(open.paragraphs, paragraphs.count(), "{markup}");
    }

    #[test]
    fn elements_end_where_browsers_end_them() {
        check("<div><p><br><img></div>", &[]);
        check("<html><body><div></body></html>", &["html", "body", "div"]);
        check("<p><b><div>", &["div"]);
        check("<p>a<p>b", &["p"]);
        check("<p><button><div>", &["p", "button", "div"]);
        check("<ul><li>a<li>b", &["ul", "li"]);
        check("<ul><li><div><li>", &["ul", "li"]);
        check("<ul><li><ul><li>", &["ul", "li", "ul", "li"]);
        check("<dl><dt>a<dd>b<dt>", &["dl", "dt"]);
        check("<table><tr><td>a<td>b<tr><td>", &["table", "tr", "td"]);
        check("<table><tbody><tr><td><tbody>", &["table", "tbody"]);
        check(
            "<table><tr><td><table><tr><td></table>",
            &["table", "tr", "td"],
        );
        check(
            "<table><tr><td></div></p></section>",
            &["table", "tr", "td"],
        );
        check("<select><option>a<option>", &["select", "option"]);
        check("<h1>a<h2>", &["h2"]);
        check("<h1>a</h3>", &[]);
    }

    #[test]
    fn end_tags_without_a_beginning_end_nothing() {
        check("<span><div></span>", &["span", "div"]);
        check("<div></p></section></b>", &["div"]);
        check("<b><i></b>", &[]);
        check("<x-card><div></x-card>", &[]);
    }

    #[test]
    fn depth_is_bounded_and_what_is_deeper_ends_in_its_order() {
        let deep = "<div>".repeat(DEPTH_MAX + 1000);
        let mut expected = vec!["div"; DEPTH_MAX];
        check(&deep, &expected);
        check(&format!("{deep}{}", "</div>".repeat(1000)), &expected);
        expected.truncate(DEPTH_MAX - 1);
        check(&format!("{deep}{}", "</div>".repeat(1001)), &expected);
    }
}
