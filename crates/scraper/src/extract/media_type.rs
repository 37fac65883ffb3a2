//! Whether an answer is HTML, by its `Content-Type` and by its beginning: headers lie in both ways.

use encoding_rs::{Encoding, UTF_8};

use super::charset::utf_16_by_zeros;

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
];

/// The beginnings of what is no text at all, whatever the header says (MIME Sniffing Standard, 6.1 to
/// 6.3 and 7.1): documents, images, archives, media, programs.
const BINARY_SIGNATURES: &[&[u8]] = &[
    b"%PDF-",
    b"%!PS-",
    b"\x89PNG",
    b"GIF87a",
    b"GIF89a",
    b"\xff\xd8\xff",
    b"\0\0\x01\0",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"Rar!",
    b"7z\xbc\xaf",
    b"OggS",
    b"\x1a\x45\xdf\xa3",
    b"wOFF",
    b"wOF2",
    b"\xd0\xcf\x11\xe0",
    b"\x7fELF",
];

/// What the header says of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MediaType {
    kind: Kind,
    is_xhtml: bool,
    charset: Option<&'static Encoding>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Html,
    Other,
    /// Nothing, or what servers say of files that they do not know.
    Unsure,
}

impl MediaType {
    pub(crate) fn parse(header: Option<&str>) -> Self {
        // Where two servers each add one, they come as a list.
        let mut listed = header.unwrap_or_default().split(',').map(str::trim);
        let first = listed.find(|part| !part.is_empty()).unwrap_or_default();
        let mut parts = first.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let kind = match essence.as_str() {
            "text/html" | "application/xhtml+xml" => Kind::Html,
            "text/plain"
            | "text/xml"
            | "application/xml"
            | "application/octet-stream"
            | "application/x-httpd-php"
            | "unknown/unknown"
            | "application/unknown" => Kind::Unsure,
            text if text.contains('/') => Kind::Other,
            _ => Kind::Unsure,
        };
        let charset = parts
            .filter_map(|part| part.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
            .and_then(|(_, label)| {
                let label = label.trim().trim_matches(['"', '\'']);
                Encoding::for_label_no_replacement(label.as_bytes())
            });
        Self {
            kind,
            is_xhtml: essence == "application/xhtml+xml",
            charset,
        }
    }

    /// Whether the header says that it is something else than HTML.
    pub(crate) fn is_other(self) -> bool {
        self.kind == Kind::Other
    }

    /// Whether browsers read it as XML rather than as HTML.
    pub(crate) fn is_xhtml(self) -> bool {
        self.is_xhtml
    }

    pub(crate) fn charset(self) -> Option<&'static Encoding> {
        self.charset
    }

    /// Whether a body that begins with `head` is HTML.
    pub(crate) fn is_html(self, head: &[u8]) -> bool {
        match self.kind {
            Kind::Html => !BINARY_SIGNATURES
                .iter()
                .any(|signature| head.starts_with(signature)),
            Kind::Unsure => looks_like_html(head),
            Kind::Other => false,
        }
    }
}

/// Whether a body is HTML by its beginning alone.
fn looks_like_html(head: &[u8]) -> bool {
    let (encoding, bom_bytes) = Encoding::for_bom(head)
        .or_else(|| utf_16_by_zeros(head).map(|encoding| (encoding, 0)))
        .unwrap_or((UTF_8, 0));
    let head = head.get(bom_bytes..).unwrap_or_default();
    let (text, _) = encoding.decode_without_bom_handling(head);
    let text = text.trim_start().to_ascii_lowercase();
    // XHTML: the declaration, and perhaps comments, come before the root.
    if let Some(declaration) = text.strip_prefix("<?xml") {
        let Some((_, mut rest)) = declaration.split_once("?>") else {
            return false;
        };
        while let Some(comment) = rest.trim_start().strip_prefix("<!--") {
            let Some((_, after)) = comment.split_once("-->") else {
                return false;
            };
            rest = after;
        }
        return begins_with_tag(rest.trim_start(), &["<!doctype html", "<html"]);
    }
    text.starts_with("<!--") || begins_with_tag(&text, HTML_SIGNATURES)
}

fn begins_with_tag(text: &str, tags: &[&str]) -> bool {
    tags.iter().any(|tag| {
        text.strip_prefix(tag)
            .and_then(|rest| rest.chars().next())
            .is_some_and(|c| matches!(c, ' ' | '>' | '\t' | '\n' | '\r' | '/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_believed_unless_the_body_says_otherwise() {
        let is_html = |header, head: &[u8]| MediaType::parse(header).is_html(head);
        for header in ["Text/HTML; Charset=\"UTF-8\"", "application/xhtml+xml"] {
            assert!(is_html(Some(header), b"just text"));
            assert!(is_html(Some(header), b""));
            for binary in [
                &b"%PDF-1.7"[..],
                b"\x89PNG\r\n",
                b"PK\x03\x04",
                b"\x1f\x8b\x08",
            ] {
                assert!(!is_html(Some(header), binary), "{binary:?}");
            }
        }
        for header in [
            None,
            Some(""),
            Some("nonsense"),
            Some("; charset=utf-8"),
            Some("text/plain"),
            Some("application/xml; charset=utf-8"),
            Some("application/octet-stream"),
        ] {
            assert!(!MediaType::parse(header).is_other(), "{header:?}");
            assert!(is_html(header, b"<!doctype html>"), "{header:?}");
            assert!(!is_html(header, b"just text"), "{header:?}");
        }
        for header in [
            "application/pdf",
            "image/png",
            "application/json",
            "text/css",
        ] {
            assert!(MediaType::parse(Some(header)).is_other());
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
        let listed = ", text/html; charset=latin1, text/plain";
        assert_eq!(charset(listed), Some("windows-1252"));
        assert!(!MediaType::parse(Some("text/html, text/html")).is_other());
    }

    #[test]
    fn html_is_known_by_its_beginning() {
        for html in [
            &b"\xef\xbb\xbf \n<!DOCTYPE HTML><p>"[..],
            b"<html>",
            b"<!--x",
            b"<p class=x>",
            b"\xff\xfe<\0h\0t\0m\0l\0>\0",
            b"<\0h\0t\0m\0l\0>\0",
            b"\0<\0h\0t\0m\0l\0>",
            b"<?xml version='1.0'?>\n<!-- a --> <!-- b --><html xmlns='x'>",
            b"<?xml version='1.0'?><!DOCTYPE html PUBLIC 'x'>",
        ] {
            assert!(looks_like_html(html), "{html:?}");
        }
        for other in [
            &b"%PDF-1.4"[..],
            b"{\"a\":1}",
            b"",
            b"<?xml version='1.0'?>",
            b"<?xml version='1.0'?><rss>",
            b"<?xml version='1.0'?><!-- <html> --><svg>",
            b"<pre-x>",
        ] {
            assert!(!looks_like_html(other), "{other:?}");
        }
    }
}
