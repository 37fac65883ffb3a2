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
#[derive(Debug, Default)]
pub(super) struct Attributes<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Attributes<'a> {
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
    }
}

/// Iterates over tags.
#[derive(Debug)]
pub(super) struct Tags<'a> {
    markup: &'a str,
    position: usize,
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let rest = self.markup.get(self.position..)?;
            let open = self.position + rest.find('<')? + 1;
            self.position = open;
            match *self.markup.as_bytes().get(open)? {
                b'/' => {
                    self.position += 1;
                    if !self.peek()?.is_ascii_alphabetic() {
                        continue;
                    }
                    let name = self.name();
                    // An end tag may have attributes as well; nobody reads them.
                    self.attributes()?;
                    return Some(Tag::End(name));
                }
                letter if letter.is_ascii_alphabetic() => {
                    let name = self.name();
                    return Some(Tag::Start(name, self.attributes()?));
                }
                b'!' | b'?' => {
                    self.position += self.markup.get(open..)?.find('>')?;
                }
                _ => {}
            }
        }
    }
}

impl<'a> Tags<'a> {
    fn peek(&self) -> Option<u8> {
        self.markup.as_bytes().get(self.position).copied()
    }

    /// Takes bytes up to the first that `ends`. Only ASCII ends anything here, so that what is
    /// taken is whole.
    fn take(&mut self, ends: impl Fn(u8) -> bool) -> &'a str {
        let start = self.position;
        let rest = self.markup.as_bytes().get(start..).unwrap_or_default();
        let length = rest.iter().position(|b| ends(*b)).unwrap_or(rest.len());
        self.position = start + length;
        self.markup.get(start..self.position).unwrap_or_default()
    }

    fn name(&mut self) -> Cow<'a, str> {
        let name = self.take(|b| is_space(b) || b == b'/' || b == b'>');
        if name.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        }
    }

    /// The attributes up to the end of the tag; `None` if it has no end.
    fn attributes(&mut self) -> Option<Attributes<'a>> {
        let mut found = Vec::new();
        loop {
            self.take(|b| !is_space(b) && b != b'/');
            if self.peek()? == b'>' {
                self.position += 1;
                return Some(Attributes(found));
            }
            let start = self.position;
            // A name may begin with the sign that otherwise ends it.
            self.position += usize::from(self.peek()? == b'=');
            self.take(|b| is_space(b) || matches!(b, b'/' | b'>' | b'='));
            let name = self.markup.get(start..self.position).unwrap_or_default();
            self.take(|b| !is_space(b));
            let value = if self.peek()? == b'=' {
                self.position += 1;
                self.value()?
            } else {
                ""
            };
            if found.len() < ATTRIBUTES_MAX {
                found.push((name, value));
            }
        }
    }

    fn value(&mut self) -> Option<&'a str> {
        self.take(|b| !is_space(b));
        match self.peek()? {
            quote @ (b'"' | b'\'') => {
                self.position += 1;
                let value = self.take(|b| b == quote);
                self.position += 1;
                Some(value)
            }
            _ => Some(self.take(|b| is_space(b) || b == b'>')),
        }
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
        let found: Vec<String> = tags(markup)
            .map(|tag| match tag {
                Tag::End(name) => format!("/{name}"),
                Tag::Start(name, attributes) => {
                    let attributes: Vec<String> = attributes
                        .iter()
                        .map(|(n, v)| format!(" {n}={v}"))
                        .collect();
                    format!("{name}{}", attributes.concat())
                }
            })
            .collect();
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
        let Some(Tag::Start(_, attributes)) = tags("<a B='1&amp;' b=2>").next() else {
            panic!("a start tag");
        };
        assert_eq!(attributes.get("b").as_deref(), Some("1&"));
        assert_eq!(attributes.get("c"), None);
    }

    proptest! {
        #[test]
        fn any_markup_is_read_to_its_end(markup in "[a-b<>/='\"! ü]{0,60}") {
            prop_assert!(tags(&markup).count() <= markup.len());
        }
    }
}
