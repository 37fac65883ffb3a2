//! A tag as it stands in the markup: its name, and its attributes without copies.
//!
//! The state machine is that of the HTML standard (13.2.5.8 and 13.2.5.32 to 13.2.5.40).

use std::borrow::Cow;

use super::element::{Element, NameHash};
use super::text::attribute_text;

/// Most attributes of one tag that are looked at; beyond lies no markup made for people.
const ATTRIBUTES_MAX: usize = 128;

/// One tag, its name in lower case.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tag<'a> {
    Start {
        element: Element,
        name: &'a str,
        attributes: Attributes<'a>,
    },
    End {
        element: Element,
    },
}

/// The attributes of an element.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Attributes<'a>(&'a [(&'a str, &'a str)]);

impl<'a> Attributes<'a> {
    /// There are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first value of an attribute, its entities decoded.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.raw(name).map(attribute_text)
    }

    /// The first value of an attribute as it is written.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    /// Whether one of the words of an attribute is this one.
    pub(super) fn has_word(&self, name: &str, word: &str) -> bool {
        self.raw(name).is_some_and(|value| {
            value
                .split_ascii_whitespace()
                .any(|known| known.eq_ignore_ascii_case(word))
        })
    }

    /// All attributes as they are written.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().copied()
    }
}

/// Reads the tags of some markup.
#[derive(Debug)]
pub(super) struct TagReader<'a> {
    markup: &'a str,
    position: usize,
    // Of the tag that has been read last; one memory for all tags.
    is_end: bool,
    element: Element,
    name: &'a str,
    /// The name in lower case, where it is written otherwise.
    lower_name: String,
    attributes: Vec<(&'a str, &'a str)>,
    closes_itself: bool,
}

impl<'a> TagReader<'a> {
    pub(super) fn new(markup: &'a str) -> Self {
        Self {
            markup,
            position: 0,
            is_end: false,
            element: Element::of_hash(NameHash::EMPTY),
            name: "",
            lower_name: String::new(),
            attributes: Vec::new(),
            closes_itself: false,
        }
    }

    /// Reads the tag that begins at a `<`, behind which stands a letter, or a slash and a letter;
    /// gives back its length, unless the markup ends within it.
    pub(super) fn read(&mut self, at: usize) -> Option<usize> {
        self.position = at + 1;
        self.is_end = self.peek()? == b'/';
        self.position += usize::from(self.is_end);
        self.read_name();
        self.read_attributes()?;
        Some(self.position - at)
    }

    /// The tag that has been read last.
    pub(super) fn tag(&self) -> Tag<'_> {
        let name = if self.lower_name.is_empty() {
            self.name
        } else {
            &self.lower_name
        };
        if self.is_end {
            // An end tag may have attributes as well; nobody reads them.
            Tag::End {
                element: self.element,
            }
        } else {
            Tag::Start {
                element: self.element,
                name,
                attributes: Attributes(&self.attributes),
            }
        }
    }

    /// Whether that tag ends with a slash.
    pub(super) fn closes_itself(&self) -> bool {
        self.closes_itself
    }

    fn peek(&self) -> Option<u8> {
        self.markup.as_bytes().get(self.position).copied()
    }

    fn before(&self) -> Option<u8> {
        let before = self.position.checked_sub(1)?;
        self.markup.as_bytes().get(before).copied()
    }

    /// Passes over bytes while they are such.
    fn skip(&mut self, is_such: impl Fn(u8) -> bool) {
        let rest = self.markup.as_bytes().get(self.position..);
        let rest = rest.unwrap_or_default();
        let length = rest.iter().position(|b| !is_such(*b));
        self.position += length.unwrap_or(rest.len());
    }

    /// What has been passed over since a place. Only ASCII ends anything here, so that it is whole.
    fn since(&self, start: usize) -> &'a str {
        self.markup.get(start..self.position).unwrap_or_default()
    }

    fn read_name(&mut self) {
        let start = self.position;
        let mut hash = NameHash::EMPTY;
        let mut has_upper = false;
        for byte in self.markup.as_bytes().get(start..).unwrap_or_default() {
            if is_space(*byte) || matches!(byte, b'/' | b'>') {
                break;
            }
            hash = hash.with(byte.to_ascii_lowercase());
            has_upper |= byte.is_ascii_uppercase();
            self.position += 1;
        }
        self.element = Element::of_hash(hash);
        self.name = self.since(start);
        self.lower_name.clear();
        if has_upper {
            self.lower_name.push_str(self.name);
            self.lower_name.make_ascii_lowercase();
        }
    }

    /// Reads the attributes up to the end of the tag; `None` if it has no end.
    fn read_attributes(&mut self) -> Option<()> {
        self.attributes.clear();
        loop {
            let gap = self.position;
            self.skip(|b| is_space(b) || b == b'/');
            if self.peek()? == b'>' {
                self.closes_itself = self.position > gap && self.before() == Some(b'/');
                self.position += 1;
                return Some(());
            }
            let start = self.position;
            // A name may begin with the sign that otherwise ends it.
            self.position += usize::from(self.peek()? == b'=');
            self.skip(|b| !(is_space(b) || matches!(b, b'/' | b'>' | b'=')));
            let name = self.since(start);
            self.skip(is_space);
            let value = if self.peek()? == b'=' {
                self.position += 1;
                self.value()?
            } else {
                ""
            };
            if self.attributes.len() < ATTRIBUTES_MAX {
                self.attributes.push((name, value));
            }
        }
    }

    fn value(&mut self) -> Option<&'a str> {
        self.skip(is_space);
        let quote = self.peek()?;
        if !matches!(quote, b'"' | b'\'') {
            let start = self.position;
            self.skip(|b| !is_space(b) && b != b'>');
            return Some(self.since(start));
        }
        let rest = self.markup.get(self.position + 1..)?;
        let length = memchr::memchr(quote, rest.as_bytes())?;
        self.position += length + 2;
        rest.get(..length)
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(markup: &str, expected: Option<&str>) {
        let mut tags = TagReader::new(markup);
        let length = tags.read(0);
        let found = length.map(|_| match tags.tag() {
            Tag::End { element } => format!("/{}", element.name()),
            Tag::Start {
                name, attributes, ..
            } => {
                let attributes = attributes.iter().map(|(n, v)| format!(" {n}={v}"));
                format!("{name}{}", attributes.collect::<String>())
            }
        });
        assert_eq!(found.as_deref(), expected, "{markup}");
        assert!(length.is_none_or(|length| length == markup.len()));
    }

    #[test]
    fn tags_are_read_as_browsers_read_them() {
        check("<p>", Some("p"));
        check("</A >", Some("/a"));
        check("</b/>", Some("/b"));
        check("<A HREF = x>", Some("a HREF=x"));
        check("<a b='>' c=\"'\" d=/e/>", Some("a b=> c=' d=/e/"));
        check("<br/>", Some("br"));
        check("<i b/c>", Some("i b= c="));
        check("<a =b=c d=>", Some("a =b=c d="));
        check("<p\tü=ä\x0c>", Some("p ü=ä"));
        check("<a<b>", Some("a<b"));
        check("<a b", None);
        check("<a b='c>", None);
        check("<a", None);
    }

    #[test]
    fn the_first_of_equal_attributes_counts() {
        let mut tags = TagReader::new("<a B='1&amp;' b=2>");
        tags.read(0);
        let Tag::Start { attributes, .. } = tags.tag() else {
            panic!("a start tag");
        };
        assert_eq!(attributes.get("b").as_deref(), Some("1&"));
        assert_eq!(attributes.get("c"), None);
    }

    #[test]
    fn a_slash_before_the_end_closes_an_element() {
        for (markup, expected) in [
            ("<a/>", true),
            ("<a b='c'/>", true),
            ("<a / >", false),
            ("<a b=/>", false),
            ("<a>", false),
        ] {
            let mut tags = TagReader::new(markup);
            tags.read(0);
            assert_eq!(tags.closes_itself(), expected, "{markup}");
        }
    }
}
