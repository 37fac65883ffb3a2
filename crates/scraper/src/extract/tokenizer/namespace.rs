//! SVG and `MathML`, in which the names of elements mean nothing to HTML, and the HTML within those
//! (HTML standard, 13.2.6.5).

use super::super::element::Element;
use super::super::tag::Attributes;

/// Most changes of the namespace that are open. Chosen: as many as browsers nest elements.
const DEPTH_MAX: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Namespace {
    Html,
    MathMl,
    Svg,
}

/// The namespaces that are open, the innermost last; below all of them lies HTML.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    open: Vec<Namespace>,
}

impl Namespaces {
    pub(super) fn is_foreign(&self) -> bool {
        self.current() != Namespace::Html
    }

    /// An element begins; says whether it is one of HTML.
    pub(super) fn enter(
        &mut self,
        element: Element,
        attributes: &Attributes<'_>,
        closes_itself: bool,
    ) -> bool {
        if self.is_foreign() && ends_foreign(element, attributes) {
            self.leave_foreign();
        }
        let inner = match (self.current(), element) {
            (_, Element::MATH) => Namespace::MathMl,
            (_, Element::SVG) => Namespace::Svg,
            (Namespace::Html, _) => return true,
            (foreign, _) if holds_html(foreign, element, attributes) => Namespace::Html,
            _ => return false,
        };
        if !closes_itself && self.open.len() < DEPTH_MAX {
            self.open.push(inner);
        }
        false
    }

    /// An end tag.
    pub(super) fn leave(&mut self, element: Element) {
        let is_left = match (self.open.as_slice(), element) {
            ([.., Namespace::Svg | Namespace::MathMl], Element::BR | Element::P) => {
                return self.leave_foreign();
            }
            ([.., Namespace::Svg], Element::SVG) | ([.., Namespace::MathMl], Element::MATH) => true,
            ([.., around, Namespace::Html], element) => is_integration_point(*around, element),
            _ => false,
        };
        if is_left {
            self.open.pop();
        }
    }

    fn current(&self) -> Namespace {
        self.open.last().copied().unwrap_or(Namespace::Html)
    }

    fn leave_foreign(&mut self) {
        while self.is_foreign() {
            self.open.pop();
        }
    }
}

/// Whether an element is known in HTML alone, and ends what is open of other namespaces.
fn ends_foreign(element: Element, attributes: &Attributes<'_>) -> bool {
    match element {
        Element::FONT => ["color", "face", "size"]
            .into_iter()
            .any(|name| attributes.raw(name).is_some()),
        Element::B
        | Element::BIG
        | Element::BLOCKQUOTE
        | Element::BODY
        | Element::BR
        | Element::CENTER
        | Element::CODE
        | Element::DD
        | Element::DIV
        | Element::DL
        | Element::DT
        | Element::EM
        | Element::EMBED
        | Element::HEAD
        | Element::HR
        | Element::I
        | Element::IMG
        | Element::LI
        | Element::LISTING
        | Element::MENU
        | Element::META
        | Element::NOBR
        | Element::OL
        | Element::P
        | Element::PRE
        | Element::RUBY
        | Element::S
        | Element::SMALL
        | Element::SPAN
        | Element::STRIKE
        | Element::STRONG
        | Element::SUB
        | Element::SUP
        | Element::TABLE
        | Element::TT
        | Element::U
        | Element::UL
        | Element::VAR => true,
        other => other.is_heading(),
    }
}

/// Whether the content of an element of another namespace is HTML.
fn holds_html(namespace: Namespace, element: Element, attributes: &Attributes<'_>) -> bool {
    is_integration_point(namespace, element)
        && (element != Element::ANNOTATION_XML
            || attributes.raw("encoding").is_some_and(|encoding| {
                encoding.eq_ignore_ascii_case("text/html")
                    || encoding.eq_ignore_ascii_case("application/xhtml+xml")
            }))
}

/// Whether the content of an element may be HTML.
fn is_integration_point(namespace: Namespace, element: Element) -> bool {
    match namespace {
        Namespace::Html => false,
        Namespace::MathMl => matches!(
            element,
            Element::ANNOTATION_XML
                | Element::MI
                | Element::MN
                | Element::MO
                | Element::MS
                | Element::MTEXT
        ),
        Namespace::Svg => matches!(
            element,
            Element::DESC | Element::FOREIGN_OBJECT | Element::TITLE
        ),
    }
}
