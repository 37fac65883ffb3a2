//! Text that is no markup, and where it ends.

use super::super::element::Element;
use super::TextKind;

/// The content of an element up to its end tag.
#[derive(Debug)]
pub(super) struct RawText {
    kind: TextKind,
    /// What its end tag begins with.
    end_tag: &'static str,
    escape: Escape,
}

/// Scripts may be hidden in a comment, within which `<script>` and its end tag are a pair (HTML
/// standard, 13.2.5.15 to 13.2.5.31).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    Nowhere,
    InComment,
    /// In a script in the comment.
    InInnerScript,
}

/// Whether a text begins with a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begins {
    Yes,
    No,
    /// It is too short to tell.
    Unsure,
}

/// What a text begins with.
enum Sign {
    /// The end tag.
    End,
    /// So many bytes of text.
    Text(usize),
    /// The beginning of a sign, perhaps.
    Cut,
}

impl RawText {
    /// The content of an element, if that is no markup to browsers that run scripts.
    pub(super) fn of(element: Element) -> Option<Self> {
        let (kind, end_tag) = match element {
            Element::IFRAME => (TextKind::Raw, "</iframe"),
            Element::NOEMBED => (TextKind::Raw, "</noembed"),
            Element::NOFRAMES => (TextKind::Raw, "</noframes"),
            Element::NOSCRIPT => (TextKind::Raw, "</noscript"),
            Element::SCRIPT => (TextKind::Script, "</script"),
            Element::STYLE => (TextKind::Raw, "</style"),
            Element::TEXTAREA => (TextKind::Rcdata, "</textarea"),
            Element::TITLE => (TextKind::Rcdata, "</title"),
            Element::XMP => (TextKind::Raw, "</xmp"),
            _ => return None,
        };
        Some(Self {
            kind,
            end_tag,
            escape: Escape::Nowhere,
        })
    }

    pub(super) fn kind(&self) -> TextKind {
        self.kind
    }

    /// The length of the text that some markup begins with, and whether its end tag follows.
    ///
    /// What may be the beginning of a sign is left, to be read again with what follows it.
    pub(super) fn read(&mut self, markup: &str, is_last: bool) -> (usize, bool) {
        let mut at = 0;
        loop {
            let rest = markup.as_bytes().get(at..).unwrap_or_default();
            let sign = match self.escape {
                Escape::Nowhere => memchr::memchr(b'<', rest),
                Escape::InComment | Escape::InInnerScript => memchr::memchr2(b'<', b'-', rest),
            };
            let Some(sign) = sign else {
                return (markup.len(), false);
            };
            at += sign;
            match self.sign(rest.get(sign..).unwrap_or_default()) {
                Sign::End => return (at, true),
                Sign::Text(length) => at += length,
                Sign::Cut if is_last => at += 1,
                Sign::Cut => return (at, false),
            }
        }
    }

    fn sign(&mut self, text: &[u8]) -> Sign {
        let mut is_unsure = false;
        let mut is = |answer: Begins| {
            is_unsure |= answer == Begins::Unsure;
            answer == Begins::Yes
        };
        if is(begins_name(text, self.end_tag)) {
            if self.escape != Escape::InInnerScript {
                return Sign::End;
            }
            self.escape = Escape::InComment;
            return Sign::Text(self.end_tag.len());
        }
        match self.escape {
            // The dashes may end the comment as well: `<!-->`.
            Escape::Nowhere if self.kind == TextKind::Script && is(begins(text, "<!--")) => {
                self.escape = Escape::InComment;
                return Sign::Text("<!".len());
            }
            Escape::InComment | Escape::InInnerScript if is(begins(text, "-->")) => {
                self.escape = Escape::Nowhere;
                return Sign::Text("-->".len());
            }
            Escape::InComment if is(begins_name(text, "<script")) => {
                self.escape = Escape::InInnerScript;
                return Sign::Text("<script".len());
            }
            _ => {}
        }
        if is_unsure { Sign::Cut } else { Sign::Text(1) }
    }
}

/// Whether a text begins with a word, whatever the case of its letters.
pub(super) fn begins(text: &[u8], word: &str) -> Begins {
    let word = word.as_bytes();
    let known = text.get(..word.len()).unwrap_or(text);
    let (expected, more) = word.split_at_checked(known.len()).unwrap_or((word, &[]));
    if !known.eq_ignore_ascii_case(expected) {
        Begins::No
    } else if more.is_empty() {
        Begins::Yes
    } else {
        Begins::Unsure
    }
}

/// Whether a text begins with the beginning of a tag, and its name ends there.
fn begins_name(text: &[u8], tag: &str) -> Begins {
    match (begins(text, tag), text.get(tag.len())) {
        (Begins::Yes, None) => Begins::Unsure,
        (Begins::Yes, Some(b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'/' | b'>')) => Begins::Yes,
        (Begins::Yes, Some(_)) => Begins::No,
        (other, _) => other,
    }
}
