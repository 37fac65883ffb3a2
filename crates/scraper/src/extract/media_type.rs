//! Whether an answer is HTML, by its `Content-Type` or, where that is missing, by its beginning.

use encoding_rs::Encoding;

/// The beginnings by which the MIME Sniffing Standard (7.1) knows HTML.
const HTML_SIGNATURES: &[&str] = &[
    "<!doctype html",
    "<html",
    "<head",
    "<script",
    "<iframe",
    "<h1",
    "<div",
    "<font",
    "<table",
    "<a",
    "<style",
    "<title",
    "<b",
    "<body",
    "<br",
    "<p",
    "<!--",
];

/// What the header says of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MediaType {
    kind: Kind,
    charset: Option<&'static Encoding>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Html,
    Other,
    Unstated,
}

impl MediaType {
    pub(crate) fn parse(header: Option<&str>) -> Self {
        let mut parts = header.unwrap_or_default().split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let kind = match essence.as_str() {
            "text/html" | "application/xhtml+xml" => Kind::Html,
            text if text.contains('/') => Kind::Other,
            _ => Kind::Unstated,
        };
        let charset = parts
            .filter_map(|part| part.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
            .and_then(|(_, label)| Encoding::for_label(label.trim().trim_matches('"').as_bytes()));
        Self { kind, charset }
    }

    pub(crate) fn is_html(self) -> bool {
        self.kind == Kind::Html
    }

    /// Whether the header says that it is something else than HTML.
    pub(crate) fn is_other(self) -> bool {
        self.kind == Kind::Other
    }

    pub(crate) fn charset(self) -> Option<&'static Encoding> {
        self.charset
    }

    /// Whether a body of unstated type is HTML, by its beginning.
    pub(crate) fn looks_like_html(body: &[u8]) -> bool {
        let (encoding, bom_bytes) = Encoding::for_bom(body).unwrap_or((encoding_rs::UTF_8, 0));
        let body = body.get(bom_bytes..).unwrap_or_default();
        let sample = body.get(..body.len().min(512)).unwrap_or_default();
        let (text, _) = encoding.decode_without_bom_handling(sample);
        let text = text.trim_start().to_ascii_lowercase();
        HTML_SIGNATURES.iter().any(|signature| {
            let after = text
                .strip_prefix(signature)
                .and_then(|rest| rest.chars().next());
            *signature == "<!--" && text.starts_with(signature)
                || after.is_some_and(|c| matches!(c, ' ' | '>' | '\t' | '\n' | '\r' | '/'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_what_a_body_is() {
        assert!(MediaType::parse(Some("Text/HTML; Charset=\"UTF-8\"")).is_html());
        assert!(MediaType::parse(Some("application/xhtml+xml")).is_html());
        assert!(MediaType::parse(Some("application/pdf")).is_other());
        for unstated in [None, Some(""), Some("nonsense"), Some("; charset=utf-8")] {
            let media_type = MediaType::parse(unstated);
            assert!(
                !media_type.is_html() && !media_type.is_other(),
                "{unstated:?}"
            );
        }
    }

    #[test]
    fn the_charset_is_read_from_the_header() {
        let charset = |header| MediaType::parse(Some(header)).charset().map(Encoding::name);
        assert_eq!(charset("text/html; charset=latin1"), Some("windows-1252"));
        assert_eq!(
            charset("text/html;x=y; CHARSET = \"koi8-r\""),
            Some("KOI8-R")
        );
        assert_eq!(charset("text/html; charset=nonsense"), None);
    }

    #[test]
    fn html_is_known_by_its_beginning() {
        for html in [
            &b"\xef\xbb\xbf \n<!DOCTYPE HTML><p>"[..],
            b"<html>",
            b"<!--x",
            b"<p class=x>",
            b"\xff\xfe<\0h\0t\0m\0l\0>\0",
        ] {
            assert!(MediaType::looks_like_html(html), "{html:?}");
        }
        for other in [
            &b"%PDF-1.4"[..],
            b"{\"a\":1}",
            b"",
            b"<?xml version='1.0'?>",
            b"<pre-x>",
        ] {
            assert!(!MediaType::looks_like_html(other), "{other:?}");
        }
    }
}
