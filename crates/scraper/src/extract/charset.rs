//! Which charset a page is in: byte order mark, zeros, header, `<meta>`, XML declaration, then the
//! bytes themselves.
//!
//! Labels of charsets that nobody should decode (`iso-2022-kr` and kin, the WHATWG's replacement)
//! count as none at all: the page would be lost.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// The charset of a page that begins with `sample`, and the length of its byte order mark; `None`
/// where nothing is declared.
pub(crate) fn declared(
    sample: &[u8],
    of_header: Option<&'static Encoding>,
) -> Option<(&'static Encoding, usize)> {
    if let Some(found) = Encoding::for_bom(sample) {
        return Some(found);
    }
    let encoding = utf_16_by_zeros(sample)
        .or(of_header)
        .or_else(|| of_meta(sample))
        .or_else(|| of_xml_declaration(sample))?;
    Some((encoding, 0))
}

/// The charset of undeclared text, by a piece of it that begins with its first byte that is not ASCII.
/// `tld` is the last label of the page's host.
pub(super) fn detected(sample: &[u8], tld: &str) -> &'static Encoding {
    if is_mostly_utf_8(sample) {
        return UTF_8;
    }
    // In the HTML of a stranger, ISO-2022-JP would make scripts of what looks like text.
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, false);
    let is_label = !tld.is_empty()
        && tld
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    detector.guess(is_label.then_some(tld.as_bytes()), Utf8Detection::Deny)
}

/// UTF-16 without a mark, by the zeros between the letters of its first tag. HTML of any other charset
/// cannot begin like this.
pub(super) fn utf_16_by_zeros(sample: &[u8]) -> Option<&'static Encoding> {
    match sample {
        [b'<' | b'\t'..=b'\r' | b' ', 0, second, 0, ..] if *second != 0 => Some(UTF_16LE),
        [0, b'<' | b'\t'..=b'\r' | b' ', 0, second, ..] if *second != 0 => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether text is UTF-8 but for a few bytes: a broken character must not spoil all others. In text of
/// another charset, bytes that happen to be a character of UTF-8 are rare.
fn is_mostly_utf_8(sample: &[u8]) -> bool {
    if std::str::from_utf8(sample).is_err_and(|error| error.error_len().is_none()) {
        // A character cut by the end of the sample is no error.
        return true;
    }
    let mut characters = 0_usize;
    let mut errors = 0_usize;
    for chunk in sample.utf8_chunks() {
        characters += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        errors += usize::from(!chunk.invalid().is_empty());
    }
    characters >= errors.saturating_mul(4)
}

/// The charset that the markup declares, by the rules of the HTML standard's prescan: comments are
/// passed over, and what can be read as ASCII is not UTF-16, whatever it says.
fn of_meta(sample: &[u8]) -> Option<&'static Encoding> {
    let mut rest = sample;
    while let Some(start) = rest.iter().position(|byte| *byte == b'<') {
        rest = rest.get(start..)?;
        if let Some(comment) = rest.strip_prefix(b"<!--") {
            let end = comment.windows(3).position(|window| window == b"-->")?;
            rest = comment.get(end + 3..)?;
            continue;
        }
        let is_meta = rest
            .get(..5)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"<meta"))
            && rest
                .get(5)
                .is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b'/');
        if !is_meta {
            rest = rest.get(1..)?;
            continue;
        }
        rest = rest.get(5..)?;
        let end = rest.iter().position(|byte| *byte == b'>');
        let tag = rest.get(..end.unwrap_or(rest.len()))?;
        if let Some(encoding) = charset_of_tag(tag) {
            return Some(readable_as_ascii(encoding));
        }
    }
    None
}

/// `charset=x` of either form of the tag: an attribute of its own, or within `content` beside
/// `http-equiv`.
fn charset_of_tag(tag: &[u8]) -> Option<&'static Encoding> {
    let is_http_equiv = find_ignoring_case(tag, b"http-equiv").is_some();
    let mut rest = tag;
    let mut quote = None;
    while let Some(byte) = rest.first() {
        match (quote, *byte) {
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if byte == open => quote = None,
            _ => {}
        }
        if (quote.is_none() || is_http_equiv)
            && let Some(label) = label_after(rest, b"charset")
        {
            return Encoding::for_label_no_replacement(label);
        }
        rest = rest.get(1..)?;
    }
    None
}

/// `encoding="x"` of `<?xml … ?>`.
fn of_xml_declaration(sample: &[u8]) -> Option<&'static Encoding> {
    let declaration = sample.strip_prefix(b"<?xml")?;
    let end = declaration.iter().position(|byte| *byte == b'>')?;
    let declaration = declaration.get(..end)?;
    let start = find_ignoring_case(declaration, b"encoding")?;
    let label = label_after(declaration.get(start..)?, b"encoding")?;
    Encoding::for_label_no_replacement(label).map(readable_as_ascii)
}

/// The value after `word` and `=`, where `text` begins with them.
fn label_after<'a>(text: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(word.len())?;
    if !start.eq_ignore_ascii_case(word) {
        return None;
    }
    let value = rest.trim_ascii_start().strip_prefix(b"=")?;
    let value = value.trim_ascii_start();
    let value = value
        .strip_prefix(b"\"")
        .or(value.strip_prefix(b"'"))
        .unwrap_or(value);
    let end = value
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || b"\"';/>".contains(byte))
        .unwrap_or(value.len());
    value.get(..end)
}

/// A declaration that could be read as ASCII does not stand in UTF-16.
fn readable_as_ascii(encoding: &'static Encoding) -> &'static Encoding {
    match encoding {
        found if found == UTF_16BE || found == UTF_16LE => UTF_8,
        found if found == X_USER_DEFINED => WINDOWS_1252,
        found => found,
    }
}

fn find_ignoring_case(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len())
        .position(|window| window.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use encoding_rs::{
        BIG5, EUC_KR, GBK, ISO_8859_2, SHIFT_JIS, WINDOWS_1250, WINDOWS_1251, WINDOWS_1253,
    };

    use super::*;

    fn declared_by(sample: &[u8], header: Option<&'static Encoding>) -> Option<&'static Encoding> {
        declared(sample, header).map(|(encoding, _)| encoding)
    }

    #[test]
    fn the_surest_declaration_wins() {
        for (sample, header, expected) in [
            (&b"\xff\xfe<\0"[..], Some(UTF_8), Some(UTF_16LE)),
            (b"\xfe\xff\0<", None, Some(UTF_16BE)),
            (
                b"\xef\xbb\xbf<meta charset=big5>",
                Some(SHIFT_JIS),
                Some(UTF_8),
            ),
            (b"<\0!\0d\0", Some(UTF_8), Some(UTF_16LE)),
            (b"\n\0<\0h\0", None, Some(UTF_16LE)),
            (b"\0<\0h\0t", None, Some(UTF_16BE)),
            (b"<\0\0\0", None, None),
            (
                b"<meta charset=big5>",
                Some(WINDOWS_1251),
                Some(WINDOWS_1251),
            ),
            (b"<META CharSet='windows-1251'>", None, Some(WINDOWS_1251)),
            (b"<meta charset = big5 >", None, Some(BIG5)),
            (
                b"<meta http-equiv=content-type content=\"text/html; charset=Shift_JIS\">",
                None,
                Some(SHIFT_JIS),
            ),
            (
                b"<?xml version='1.0' encoding=\"iso-8859-2\"?><html>",
                None,
                Some(ISO_8859_2),
            ),
            (b"<?xml version='1.0'?><html>", None, None),
            (b"<meta charset=utf-16>", None, Some(UTF_8)),
            (b"<meta charset=nonsense>\xff", None, None),
            (b"<meta charset=iso-2022-kr>", None, None),
            (
                b"<!-- <meta charset=big5> --><meta charset=gbk>",
                None,
                Some(GBK),
            ),
            (b"<!-- <meta charset=big5>", None, None),
            (b"<metaphor charset=big5>", None, None),
            (
                b"<meta name=description content='all of charset=big5'>",
                None,
                None,
            ),
            (b"<meta", None, None),
            (b"", None, None),
        ] {
            let found = declared_by(sample, header);
            assert_eq!(found, expected, "{}", sample.escape_ascii());
        }
    }

    #[test]
    fn undeclared_text_is_known_by_its_letters() {
        for (text, encoding, tld) in [
            (
                "Öffnungszeiten für Gäste: täglich außer Montag",
                WINDOWS_1252,
                "de",
            ),
            (
                "Добро пожаловать в нашу пекарню, мы открыты",
                WINDOWS_1251,
                "ru",
            ),
            ("Příliš žluťoučký kůň úpěl ďábelské ódy", WINDOWS_1250, "cz"),
            (
                "Καλώς ήρθατε στο εστιατόριό μας στην Αθήνα",
                WINDOWS_1253,
                "gr",
            ),
            (
                "東京の小さなパン屋です。毎日焼きたてのパンをお届けします。",
                SHIFT_JIS,
                "jp",
            ),
            ("欢迎光临我们的餐厅，我们每天营业到晚上十点。", GBK, "cn"),
            (
                "서울에 있는 작은 빵집입니다. 매일 신선한 빵을 굽습니다.",
                EUC_KR,
                "kr",
            ),
            (
                "Öffnungszeiten für Gäste: täglich außer Montag",
                UTF_8,
                "de",
            ),
            ("Добро пожаловать", UTF_8, "com"),
        ] {
            let (bytes, _, is_lossy) = encoding.encode(text);
            assert!(!is_lossy, "{text}");
            let found = detected(&bytes, tld);
            let (read, _) = found.decode_without_bom_handling(&bytes);
            assert_eq!(read, text, "{} read as {}", encoding.name(), found.name());
        }
    }

    #[test]
    fn a_broken_character_does_not_spoil_the_others() {
        let text = "Öffnungszeiten für Gäste: täglich außer Montag".repeat(3);
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(b"\xff\xfc.");
        assert_eq!(detected(&bytes, "de"), UTF_8);
        assert_eq!(detected(b"\xc3", "de"), UTF_8);
        assert_eq!(detected(b"\xfc</p>", "de"), WINDOWS_1252);
        // No label of a host makes the detector panic.
        for tld in ["", "1", "xn--p1ai", "COM", "a.b", "\u{fc}"] {
            detected(b"\xfc", tld);
        }
    }
}
