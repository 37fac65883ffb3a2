//! The lines of a text: those with digits, and what stands above them.

/// The lines of a text that have digits, each with the byte that it begins at.
pub(super) fn numbered_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut read = 0;
    std::iter::from_fn(move || {
        let rest = text.as_bytes().get(read..)?;
        let digit = read + rest.iter().position(u8::is_ascii_digit)?;
        let before = text.as_bytes().get(read..digit)?;
        let start = memchr::memrchr(b'\n', before).map_or(read, |at| read + at + 1);
        let behind = text.as_bytes().get(digit..)?;
        let end = memchr::memchr(b'\n', behind).map_or(text.len(), |at| digit + at);
        read = end;
        Some((start, text.get(start..end)?))
    })
}

/// The lines above the one that begins at a byte, the nearest first, but for empty ones, each with
/// the byte that it begins at.
pub(super) fn lines_above(text: &str, start: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut before = text.get(..start).unwrap_or_default();
    std::iter::from_fn(move || {
        loop {
            before = before.strip_suffix('\n').unwrap_or(before);
            if before.is_empty() {
                return None;
            }
            let at = before.rfind('\n').map_or(0, |at| at + 1);
            let (rest, line) = before.split_at_checked(at)?;
            before = rest;
            if !line.trim().is_empty() {
                return Some((at, line.trim()));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_digits_and_those_above_are_found() {
        let text = "a\n1 b\n\nc\n d \ne2\n3";
        let found: Vec<_> = numbered_lines(text).collect();
        assert_eq!(found, [(2, "1 b"), (13, "e2"), (16, "3")]);
        let above: Vec<_> = lines_above(text, 13).collect();
        assert_eq!(above, [(9, "d"), (7, "c"), (2, "1 b"), (0, "a")]);
        assert_eq!(numbered_lines("no\ndigits").count(), 0);
        assert_eq!(lines_above("x", 0).count(), 0);
    }
}
