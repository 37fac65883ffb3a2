//! What XML closes by itself, closed as HTML does: a filter before the parser of pages that are
//! served as XHTML.
//!
//! To HTML, `<script/>` and its like open an element whose text goes on to its end tag, which hides
//! the rest of the page. The filter adds that end tag and changes nothing else. It holds no more
//! than a name, and whatever it misjudges costs an end tag too few or too many.

/// The elements whose text is no markup to HTML (HTML Standard, 13.2.6.2 and 13.2.6.4).
const RAW: [&[u8]; 8] = [
    b"script",
    b"style",
    b"title",
    b"textarea",
    b"iframe",
    b"noembed",
    b"noframes",
    b"xmp",
];

/// Longer than any of these names.
const NAME_MAX_BYTES: usize = 9;

/// The filter of one page.
#[derive(Debug, Default)]
pub(super) struct SelfClosing {
    state: State,
    /// Of the tag at hand, in lower case and cut at [`NAME_MAX_BYTES`].
    name: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After `<`.
    Name,
    /// After the name; whether a slash came last.
    Tag { is_slash: bool },
    /// In the value of an attribute.
    Quoted(u8),
    /// In the text of a raw element, whose end tag has come so far.
    Raw { matched: usize },
}

impl SelfClosing {
    /// The next piece of a page, with the end tags that it lacks.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut passed = Vec::with_capacity(bytes.len() + 64);
        for byte in bytes {
            passed.push(*byte);
            self.state = self.after(*byte, &mut passed);
        }
        passed
    }

    fn after(&mut self, byte: u8, passed: &mut Vec<u8>) -> State {
        match (self.state, byte) {
            (State::Text, b'<') => {
                self.name.clear();
                State::Name
            }
            (State::Text, _) => State::Text,
            (State::Name, b'<') => {
                self.name.clear();
                State::Name
            }
            (State::Name, b'>') => self.after_tag(false, passed),
            (State::Name, b'/') if !self.name.is_empty() => State::Tag { is_slash: true },
            (State::Name, byte) if byte.is_ascii_alphanumeric() => {
                if self.name.len() < NAME_MAX_BYTES {
                    self.name.push(byte.to_ascii_lowercase());
                }
                State::Name
            }
            // An end tag, a comment, an instruction, a lone sign.
            (State::Name, _) if self.name.is_empty() => State::Text,
            (State::Name, _) => State::Tag { is_slash: false },
            (State::Tag { is_slash }, b'>') => self.after_tag(is_slash, passed),
            (State::Tag { .. }, quote @ (b'"' | b'\'')) => State::Quoted(quote),
            (State::Tag { .. }, byte) => State::Tag {
                is_slash: byte == b'/',
            },
            (State::Quoted(quote), byte) if byte == quote => State::Tag { is_slash: false },
            (State::Quoted(quote), _) => State::Quoted(quote),
            (State::Raw { matched }, byte) => self.after_raw(matched, byte),
        }
    }

    fn after_tag(&mut self, is_self_closed: bool, passed: &mut Vec<u8>) -> State {
        if !RAW.contains(&self.name.as_slice()) {
            return State::Text;
        }
        if !is_self_closed {
            return State::Raw { matched: 0 };
        }
        passed.extend_from_slice(b"</");
        passed.extend_from_slice(&self.name);
        passed.push(b'>');
        State::Text
    }

    fn after_raw(&self, matched: usize, byte: u8) -> State {
        let mut end_tag = b"</".iter().chain(&self.name);
        let matched = match end_tag.nth(matched) {
            Some(expected) if *expected == byte.to_ascii_lowercase() => matched + 1,
            _ => usize::from(byte == b'<'),
        };
        if matched == self.name.len() + 2 {
            State::Text
        } else {
            State::Raw { matched }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passed(page: &str) -> String {
        let whole = SelfClosing::default().pass(page.as_bytes());
        let mut filter = SelfClosing::default();
        let bytes = page.as_bytes().iter();
        let pieces: Vec<u8> = bytes.flat_map(|byte| filter.pass(&[*byte])).collect();
        assert_eq!(pieces, whole);
        String::from_utf8(whole).expect("ASCII is added")
    }

    #[test]
    fn what_hides_the_rest_of_a_page_is_closed() {
        for (page, expected) in [
            ("<title/>a", "<title/></title>a"),
            (
                "<SCRIPT src='/a/>b' /><p/>",
                "<SCRIPT src='/a/>b' /></script><p/>",
            ),
            (
                "<style a=\"/\"/>\n<textarea/>",
                "<style a=\"/\"/></style>\n<textarea/></textarea>",
            ),
        ] {
            assert_eq!(passed(page), expected);
        }
    }

    #[test]
    fn all_else_is_left_as_it_is() {
        for page in [
            "<br/><a href='<script/>'>x</a>",
            "<script>if (a <b) { x = '<title/>'; }</script><p>it's</p>",
            "<title>a <i/></titl</title>",
            "<scripts/><script / ></script>",
            "<?xml version='1.0'?><!DOCTYPE html><p>a < b</p></script/>",
        ] {
            assert_eq!(passed(page), page);
        }
        assert_eq!(
            passed("<script>'</scrip'</script><script/>"),
            "<script>'</scrip'</script><script/></script>"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_pass_and_only_end_tags_are_added(page in "[<>/'\" a-ctilescrp]{0,200}") {
            let passed = passed(&page);
            let without = passed.replace("<script/></script>", "<script/>");
            prop_assert!(without.len() >= page.len());
        }
    }
}
