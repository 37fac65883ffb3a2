//! A tag as it stands in the markup: its name, and its attributes without copies.
//!
//! Reads what the parser has already told from text, comments and scripts; the state machine is
//! that of the HTML standard (13.2.5.32 to 13.2.5.40). Never fails: what is no whole tag is
//! passed over.

use std::borrow::Cow;

use super::text::attribute_text;

/// Most attributes of one tag that are looked at; beyond lies no markup made for people.
const ATTRIBUTES_MAX: usize = 128;

/// One tag.
#[derive(Debug)]
pub(super) enum Tag<'a> {
    /// The name in lower case, and the attributes.
    Start(Cow<'a, str>, Attributes<'a>),
    /// The name in lower case.
    End(Cow<'a, str>),
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

/// The tags in markup that holds nothing else but declarations.
pub(super) fn tags(markup: &str) -> Tags<'_> {
    Tags {
        markup,
        position: 0,
        attributes: Vec::new(),
    }
}

/// Goes through tags one after the other.
#[derive(Debug)]
pub(super) struct Tags<'a> {
    markup: &'a str,
    position: usize,
    /// Of the tag that has been read last; one memory for all tags.
    attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Tags<'a> {
    /// The next tag.
    pub(super) fn next_tag(&mut self) -> Option<Tag<'_>> {
        loop {
            self.skip(|b| b != b'<');
            self.position += 1;
            match self.peek()? {
                b'/' => {
                    self.position += 1;
                    if !self.peek()?.is_ascii_alphabetic() {
                        continue;
                    }
                    let name = self.name();
                    // An end tag may have attributes as well; nobody reads them.
                    self.read_attributes()?;
                    return Some(Tag::End(name));
                }
                letter if letter.is_ascii_alphabetic() => {
                    let name = self.name();
                    self.read_attributes()?;
                    return Some(Tag::Start(name, Attributes(&self.attributes)));
                }
                b'!' | b'?' => self.skip(|b| b != b'>'),
                _ => {}
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.markup.as_bytes().get(self.position).copied()
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

    fn name(&mut self) -> Cow<'a, str> {
        let start = self.position;
        self.skip(|b| b.is_ascii_alphanumeric() || !(is_space(b) || b == b'/' || b == b'>'));
        let name = self.since(start);
        if name.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        }
    }

    /// Reads the attributes up to the end of the tag; `None` if it has no end.
    fn read_attributes(&mut self) -> Option<()> {
        self.attributes.clear();
        loop {
            self.skip(|b| is_space(b) || b == b'/');
            if self.peek()? == b'>' {
                self.position += 1;
                return Some(());
            }
            let start = self.position;
            // A name may begin with the sign that otherwise ends it.
            self.position += usize::from(self.peek()? == b'=');
            self.skip(|b| {
                b.is_ascii_alphanumeric() || !(is_space(b) || matches!(b, b'/' | b'>' | b'='))
            });
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
    use proptest::prelude::*;

    use super::*;

    fn check(markup: &str, expected: &[&str]) {
        let mut tags = tags(markup);
        let mut found = Vec::new();
        while let Some(tag) = tags.next_tag() {
            found.push(match tag {
                Tag::End(name) => format!("/{name}"),
                Tag::Start(name, attributes) => {
                    let attributes: Vec<String> = attributes
                        .iter()
                        .map(|(n, v)| format!(" {n}={v}"))
                        .collect();
                    format!("{name}{}", attributes.concat())
                }
            });
        }
        assert_eq!(found, expected, "{markup}");
    }

    #[test]
    fn tags_are_read_as_browsers_read_them() {
        check("<p>", &["p"]);
        check("</A ></b/>", &["/a", "/b"]);
        check("<A HREF = x>", &["a HREF=x"]);
        check("<a b='>' c=\"'\" d=/e/>", &["a b=> c=' d=/e/"]);
        check("<br/><i b/c>", &["br", "i b= c="]);
        check("<a =b=c d=>", &["a =b=c d="]);
        check("<!DOCTYPE html><?x?><![CDATA[]]><p ü=ä>", &["p ü=ä"]);
        check("<a b", &[]);
        check("<a b='c>", &[]);
        check("</ <1 <", &[]);
    }

    #[test]
    fn the_first_of_equal_attributes_counts() {
        let mut tags = tags("<a B='1&amp;' b=2>");
        let Some(Tag::Start(_, attributes)) = tags.next_tag() else {
            panic!("a start tag");
        };
        assert_eq!(attributes.get("b").as_deref(), Some("1&"));
        assert_eq!(attributes.get("c"), None);
    }

    proptest! {
        #[test]
        fn any_markup_is_read_to_its_end(markup in "[a-b<>/='\"! ü]{0,60}") {
            let mut tags = tags(&markup);
            let mut count = 0;
            while tags.next_tag().is_some() {
                count += 1;
            }
            prop_assert!(count <= markup.len());
        }
    }
}
