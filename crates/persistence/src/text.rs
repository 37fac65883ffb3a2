//! Text that PostgreSQL accepts: it refuses NUL in `text` and `\u0000` in `jsonb`, and a page must
//! not be lost for one.

use std::borrow::Cow;

/// `text` with NUL replaced by U+FFFD.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The bytes of [`clean`]ed text.
pub(crate) fn cleaned_bytes(text: &str) -> usize {
    let nuls = text.bytes().filter(|byte| *byte == 0).count();
    text.len() + nuls * (char::REPLACEMENT_CHARACTER.len_utf8() - 1)
}

/// JSON text with every escaped NUL replaced by an escaped U+FFFD, which is as long.
pub(crate) fn clean_json(json: &str) -> Cow<'_, str> {
    const NUL: &str = "\\u0000";
    if !json.contains(NUL) {
        return Cow::Borrowed(json);
    }
    let mut cleaned = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        cleaned.push_str(before);
        // A backslash always has its partner in JSON; `\\u0000` is a backslash and plain text.
        let (written, length) = if escape.starts_with(NUL) {
            ("\\ufffd", NUL.len())
        } else {
            (escape.get(..2).unwrap_or(escape), 2.min(escape.len()))
        };
        cleaned.push_str(written);
        rest = escape.get(length..).unwrap_or_default();
    }
    cleaned.push_str(rest);
    Cow::Owned(cleaned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nul_is_replaced() {
        assert_eq!(clean("a\0b"), "a\u{fffd}b");
        assert_eq!(clean("ab"), "ab");
        for text in ["", "ä", "a\0\0b"] {
            assert_eq!(cleaned_bytes(text), clean(text).len());
        }
        for (json, expected) in [
            (r#"{"a":"b"}"#, r#"{"a":"b"}"#),
            (r#""x\u0000y""#, r#""x\ufffdy""#),
            (r#""x\\u0000y""#, r#""x\\u0000y""#),
            (r#""x\\\u0000\ny\"""#, r#""x\\\ufffd\ny\"""#),
        ] {
            assert_eq!(clean_json(json), expected);
        }
    }
}
