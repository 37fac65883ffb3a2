//! One pattern: texts with gaps and a version between them.
//!
//! Less than a regular expression on purpose: a match costs no more than the length of the input,
//! and a rule can be read at a glance.

use super::Kind;

/// Stands for a version.
const VERSION: &str = "{version}";

/// Least bytes of the first text; shorter ones would be met on every page. Where the place is
/// known, less is enough.
const FIRST_TEXT_MIN_BYTES: usize = 4;
const ANCHORED_TEXT_MIN_BYTES: usize = 3;

/// Most bytes of a version.
const VERSION_MAX_BYTES: usize = 24;

/// Most bytes that a gap skips, so that hostile input costs no more than other input does.
const GAP_MAX_BYTES: usize = 200;

/// A pattern of one technology.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) technology: usize,
    /// How sure a match makes, in percent.
    pub(super) confidence: u8,
    first: String,
    rest: Vec<Piece>,
    starts_input: bool,
    ends_input: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Version,
    Gap,
}

impl Pattern {
    /// Reads a pattern; `None` if it does not begin with enough text, or names an attribute
    /// without its value.
    pub(super) fn parse(kind: Kind, text: &str, technology: usize, confidence: u8) -> Option<Self> {
        let (starts_input, ends_input) = match kind {
            Kind::Meta | Kind::Header => (true, false),
            Kind::Cookie | Kind::Class | Kind::Attribute | Kind::Element => (true, true),
            Kind::Url | Kind::Script | Kind::Comment => (false, false),
        };
        if kind == Kind::Attribute && !text.contains('=') {
            return None;
        }
        let (starts_input, text) = match text.strip_prefix('^') {
            Some(text) => (true, text),
            None => (starts_input, text),
        };
        let (ends_input, text) = match (text.strip_suffix('$'), text.strip_suffix('*')) {
            (Some(text), _) => (true, text),
            (None, Some(text)) => (false, text),
            (None, None) => (ends_input, text),
        };
        let mut pieces = Vec::new();
        for (position, part) in text.split('*').enumerate() {
            if position > 0 {
                pieces.push(Piece::Gap);
            }
            for (position, part) in part.split(VERSION).enumerate() {
                if position > 0 {
                    pieces.push(Piece::Version);
                }
                if !part.is_empty() {
                    pieces.push(Piece::Text(part.to_ascii_lowercase()));
                }
            }
        }
        if pieces.is_empty() {
            return None;
        }
        let Piece::Text(first) = pieces.remove(0) else {
            return None;
        };
        let min_bytes = if starts_input {
            ANCHORED_TEXT_MIN_BYTES
        } else {
            FIRST_TEXT_MIN_BYTES
        };
        (first.len() >= min_bytes).then_some(Self {
            technology,
            confidence,
            first,
            rest: pieces,
            starts_input,
            ends_input,
        })
    }

    /// Whether a pattern for URLs begins within a path or the name of a host, so that any site may
    /// have such: `/wp-content/`, `.cloudfront.net/`.
    pub(super) fn begins_within(&self) -> bool {
        !self.starts_input && self.first.starts_with(['/', '.'])
    }

    /// The text that every match begins with.
    pub(super) fn first_text(&self) -> &str {
        &self.first
    }

    /// Whether the pattern matches where its first text was found, and the version there.
    ///
    /// Of classes, each is an input of its own.
    pub(super) fn matches<'a>(
        &self,
        kind: Kind,
        input: &'a str,
        start: usize,
        end: usize,
    ) -> Option<Option<&'a str>> {
        let before = input.as_bytes().get(..start)?;
        let mut rest = input.get(end..)?;
        let is_edge =
            |byte: Option<&u8>| byte.is_none_or(|b| kind == Kind::Class && b.is_ascii_whitespace());
        if self.starts_input && !is_edge(before.last()) {
            return None;
        }
        let mut found = None;
        let mut may_skip = false;
        for piece in &self.rest {
            match piece {
                Piece::Gap => may_skip = true,
                Piece::Text(text) => {
                    let at = find(rest, text, may_skip)?;
                    rest = rest.get(at + text.len()..)?;
                    may_skip = false;
                }
                Piece::Version => {
                    let at = if may_skip {
                        rest.bytes()
                            .take(GAP_MAX_BYTES)
                            .position(|b| b.is_ascii_digit())?
                    } else {
                        0
                    };
                    rest = rest.get(at..)?;
                    let length = version_length(rest)?;
                    found = rest.get(..length);
                    rest = rest.get(length..)?;
                    may_skip = false;
                }
            }
        }
        (!self.ends_input || is_edge(rest.as_bytes().first())).then_some(found)
    }
}

/// Where a text in lower case stands in an input of any case.
fn find(input: &str, text: &str, anywhere: bool) -> Option<usize> {
    let input = input.as_bytes();
    let text = text.as_bytes();
    let limit = if anywhere { GAP_MAX_BYTES } else { 1 };
    input
        .windows(text.len())
        .take(limit)
        .position(|window| window.eq_ignore_ascii_case(text))
}

/// The length of the version at the beginning of a text: `6.4.2`, `8.0-beta1`. Long numbers
/// without a dot are dates and checksums that make browsers load anew.
fn version_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = bytes
        .iter()
        .position(|b| !b.is_ascii_digit() && *b != b'.')
        .unwrap_or(bytes.len());
    let number = text.get(..digits)?.trim_end_matches('.');
    let is_version = number.starts_with(|c: char| c.is_ascii_digit())
        && number.len() <= VERSION_MAX_BYTES
        && (number.contains('.') || number.len() <= 3);
    if !is_version {
        return None;
    }
    let suffix = text.get(number.len()..)?;
    let is_early = ["-alpha", "-beta", "-rc", "-dev"].iter().any(|word| {
        suffix
            .get(..word.len())
            .is_some_and(|s| s.eq_ignore_ascii_case(word))
    });
    let suffix_length = suffix
        .bytes()
        .skip(1)
        .position(|b| !b.is_ascii_alphanumeric())
        .map_or(suffix.len(), |at| at + 1);
    let length = number.len() + suffix_length;
    if is_early && length <= VERSION_MAX_BYTES {
        Some(length)
    } else {
        Some(number.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, pattern: &str, input: &str, expected: Option<Option<&str>>) {
        let pattern = Pattern::parse(kind, pattern, 0, 100).expect(pattern);
        let lower = input.to_ascii_lowercase();
        let found = lower
            .match_indices(pattern.first_text())
            .find_map(|(at, first)| pattern.matches(kind, input, at, at + first.len()));
        assert_eq!(found, expected, "{pattern:?} in {input}");
    }

    #[test]
    fn patterns_match_texts_gaps_and_versions() {
        check(
            Kind::Url,
            "jquery-{version}.min.js",
            "/JQuery-3.7.1.min.js",
            Some(Some("3.7.1")),
        );
        check(
            Kind::Url,
            "jquery-{version}.min.js",
            "/jquery-3.7.1.js",
            None,
        );
        check(
            Kind::Url,
            "/core.js*ver={version}",
            "/core.js?a=1&ver=6.5-beta2&b",
            Some(Some("6.5-beta2")),
        );
        check(
            Kind::Url,
            "/core.js*ver={version}",
            "/core.js?ver=20240501",
            None,
        );
        check(Kind::Url, "/core.js$", "/core.js?x", None);
        check(
            Kind::Meta,
            "generator: wix",
            "generator: Wix.com",
            Some(None),
        );
        check(Kind::Meta, "generator: wix", "og:generator: Wix.com", None);
    }

    #[test]
    fn words_match_as_a_whole_unless_they_say_otherwise() {
        check(Kind::Class, "wpcf7", "a wpcf7\tb", Some(None));
        check(Kind::Class, "wpcf7", "a wpcf7-form", None);
        check(Kind::Class, "wpcf7*", "a wpcf7-form", Some(None));
        check(Kind::Cookie, "_shopify_y", "_shopify_y2", None);
        check(
            Kind::Cookie,
            "wordpress_*",
            "wordpress_logged_in",
            Some(None),
        );
        check(Kind::Attribute, "id=__next", "id=__next", Some(None));
        check(Kind::Attribute, "id=__next", "data-id=__next", None);
        check(
            Kind::Attribute,
            "ng-version={version}",
            "ng-version=17.1.0",
            Some(Some("17.1.0")),
        );
    }

    #[test]
    fn patterns_begin_with_text() {
        for text in ["", "*abcd", "{version}", "abc", "^", "$"] {
            assert!(Pattern::parse(Kind::Url, text, 0, 100).is_none(), "{text}");
        }
    }
}
