//! Which charset a page is in: byte order mark, then header, then `<meta>`, then the bytes.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// The charset of a page that begins with `sample`, and the length of its byte order mark.
pub(super) fn decide(
    sample: &[u8],
    of_header: Option<&'static Encoding>,
) -> (&'static Encoding, usize) {
    if let Some((encoding, bom_bytes)) = Encoding::for_bom(sample) {
        return (encoding, bom_bytes);
    }
    let encoding = of_header
        .or_else(|| of_meta(sample))
        .unwrap_or_else(|| guess(sample));
    (encoding, 0)
}

/// The charset that the markup declares, by the rules of the HTML standard's prescan: what can
/// be read as ASCII is not UTF-16, whatever it says.
fn of_meta(sample: &[u8]) -> Option<&'static Encoding> {
    let mut rest = sample;
    while let Some(start) = find_ignoring_case(rest, b"<meta") {
        rest = rest.get(start + 5..)?;
        let end = rest
            .iter()
            .position(|byte| *byte == b'>')
            .unwrap_or(rest.len());
        let tag = rest.get(..end)?;
        if let Some(encoding) = charset_attribute(tag) {
            return Some(match encoding {
                found if found == UTF_16BE || found == UTF_16LE => UTF_8,
                found if found == X_USER_DEFINED => WINDOWS_1252,
                found => found,
            });
        }
        rest = rest.get(end..)?;
    }
    None
}

/// `charset=x` of either form of the tag.
fn charset_attribute(tag: &[u8]) -> Option<&'static Encoding> {
    let mut rest = tag;
    while let Some(start) = find_ignoring_case(rest, b"charset") {
        rest = rest.get(start + 7..)?;
        let Some(value) = rest.trim_ascii_start().strip_prefix(b"=") else {
            continue;
        };
        let value = value.trim_ascii_start();
        let value = value
            .strip_prefix(b"\"")
            .or(value.strip_prefix(b"'"))
            .unwrap_or(value);
        let end = value
            .iter()
            .position(|byte| byte.is_ascii_whitespace() || b"\"';/>".contains(byte))
            .unwrap_or(value.len());
        return Encoding::for_label(value.get(..end)?);
    }
    None
}

/// Without a declaration: UTF-8 if the sample is valid, else what old pages are written in.
fn guess(sample: &[u8]) -> &'static Encoding {
    match std::str::from_utf8(sample) {
        Ok(_) => UTF_8,
        // A character cut by the end of the sample is no error.
        Err(error) if error.error_len().is_none() => UTF_8,
        Err(_) => WINDOWS_1252,
    }
}

fn find_ignoring_case(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len())
        .position(|window| window.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use encoding_rs::{SHIFT_JIS, WINDOWS_1251};

    use super::*;

    #[test]
    fn the_surest_sign_of_the_charset_wins() {
        let decide = |sample: &[u8], header| decide(sample, header).0;
        assert_eq!(decide(b"\xff\xfe<\0", Some(UTF_8)), UTF_16LE);
        assert_eq!(
            decide(b"\xef\xbb\xbf<meta charset=big5>", Some(SHIFT_JIS)),
            UTF_8
        );
        assert_eq!(
            decide(b"<meta charset=big5>", Some(WINDOWS_1251)),
            WINDOWS_1251
        );
        assert_eq!(decide(b"<META CharSet='windows-1251'>", None), WINDOWS_1251);
        let http_equiv = b"<meta http-equiv=content-type content=\"text/html; charset=Shift_JIS\">";
        assert_eq!(decide(http_equiv, None), SHIFT_JIS);
        assert_eq!(decide(b"<meta charset=utf-16>", None), UTF_8);
        assert_eq!(decide(b"<meta charset=nonsense>\xff", None), WINDOWS_1252);
        assert_eq!(decide("<p>ü".as_bytes(), None), UTF_8);
        assert_eq!(decide(b"<p>\xc3", None), UTF_8);
        assert_eq!(decide(b"<p>\xfc</p>", None), WINDOWS_1252);
        assert_eq!(decide(b"", None), UTF_8);
    }
}
