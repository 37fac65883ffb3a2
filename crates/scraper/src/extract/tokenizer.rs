//! What a page is made of, told while it arrives: tags, texts and comments.
//!
//! Follows the tokenization of the HTML standard (13.2.5), and of its tree construction as much as
//! decides what a text is: the elements whose content is no markup, and SVG and `MathML`, in which
//! those names mean nothing. Holds no more than the tag or the comment that is cut by the end of a
//! piece, so that what it tells does not depend on where pieces end.

mod namespace;
mod raw_text;

use super::element::Element;
use super::tag::{Tag, TagReader};
use namespace::Namespaces;
use raw_text::{Begins, RawText, begins};

/// Most bytes of a tag or a comment; a longer one ends what is read of the page. Inline images
/// reach some 100 KB.
const TOKEN_MAX_BYTES: usize = 2 * 1024 * 1024;

/// One piece of a page.
#[derive(Debug)]
pub(super) enum Token<'t> {
    Tag(Tag<'t>),
    /// A part of a text, which markup alone ends.
    Text(TextKind, &'t str),
    Comment(&'t str),
}

/// What a text stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextKind {
    /// Visible, with entities.
    Data,
    /// `<title>` or `<textarea>`: with entities, without tags.
    Rcdata,
    Script,
    /// Styles, `<noscript>` and others that are not shown.
    Raw,
}

/// Tells the tokens of one page.
#[derive(Debug, Default)]
pub(super) struct Tokenizer {
    content: Content,
    namespaces: Namespaces,
    /// Any element may close itself.
    is_xhtml: bool,
    /// The beginning of what the end of the last piece has cut.
    cut: String,
    /// The length of it with which reading is tried again: twice the last, so that all tries
    /// together cost no more than two.
    retry_bytes: usize,
    /// A token was too long, and the rest is ignored.
    is_over: bool,
}

/// How what follows is read.
#[derive(Debug, Default)]
enum Content {
    #[default]
    Markup,
    /// Text up to an end tag.
    Raw(RawText),
    /// Text to the end of the page, which `<plaintext>` begins.
    Plain,
}

/// The tokens of markup that is at hand as a whole.
pub(super) fn tokens(markup: &str, mut see: impl FnMut(Token<'_>)) {
    let mut tokenizer = Tokenizer::default();
    tokenizer.write(markup, &mut see);
    tokenizer.finish(&mut see);
}

impl Tokenizer {
    /// Takes the page for XHTML, in which any element may close itself; before its first piece.
    pub(super) fn expect_xhtml(&mut self) {
        self.is_xhtml = true;
    }

    /// Takes the next piece of the page.
    pub(super) fn write(&mut self, piece: &str, mut see: impl FnMut(Token<'_>)) {
        if self.is_over {
            return;
        }
        if self.cut.is_empty() {
            let read = self.read(piece, false, &mut see);
            self.cut.push_str(piece.get(read..).unwrap_or_default());
        } else {
            self.cut.push_str(piece);
            if self.cut.len() < self.retry_bytes {
                return;
            }
            let mut markup = std::mem::take(&mut self.cut);
            let read = self.read(&markup, false, &mut see);
            markup.drain(..read);
            self.cut = markup;
        }
        self.is_over |= self.cut.len() > TOKEN_MAX_BYTES;
        if self.is_over {
            self.cut = String::new();
        }
        self.retry_bytes = (2 * self.cut.len()).min(TOKEN_MAX_BYTES + 1);
    }

    /// Ends the page.
    pub(super) fn finish(&mut self, mut see: impl FnMut(Token<'_>)) {
        let markup = std::mem::take(&mut self.cut);
        self.read(&markup, true, &mut see);
    }

    /// Tells the tokens of some markup; gives back how many bytes of it those take.
    fn read(&mut self, markup: &str, is_last: bool, see: &mut impl FnMut(Token<'_>)) -> usize {
        let mut tags = TagReader::new(markup);
        let mut at = 0;
        while at < markup.len() {
            let rest = markup.get(at..).unwrap_or_default();
            let read = match &mut self.content {
                Content::Plain => Some(rest.len()),
                Content::Raw(text) => {
                    let (length, is_end) = text.read(rest, is_last);
                    if length > 0 {
                        let part = rest.get(..length).unwrap_or_default();
                        see(Token::Text(text.kind(), part));
                    }
                    if is_end {
                        self.content = Content::Markup;
                    }
                    (length > 0 || is_end).then_some(length)
                }
                Content::Markup => match opening(rest, self.namespaces.is_foreign(), is_last) {
                    Opening::Text(length) => {
                        let text = rest.get(..length).unwrap_or_default();
                        see(Token::Text(TextKind::Data, text));
                        Some(length)
                    }
                    Opening::Tag => self.read_tag(&mut tags, at, see),
                    Opening::Comment => comment(rest, is_last, see),
                    Opening::Bogus(skipped) => bogus_comment(rest, skipped, is_last, see),
                    Opening::Untold(end) => end_of(rest, end, is_last),
                    Opening::Cut => None,
                },
            };
            let Some(read) = read else { break };
            at += read;
        }
        at
    }

    /// Tells the tag at a place and reads on as its content asks for; gives back its length.
    fn read_tag(
        &mut self,
        tags: &mut TagReader<'_>,
        at: usize,
        see: &mut impl FnMut(Token<'_>),
    ) -> Option<usize> {
        let length = tags.read(at).filter(|length| is_short(*length))?;
        let tag = tags.tag();
        match tag {
            Tag::Start {
                element,
                attributes,
                ..
            } => {
                let closes_itself = tags.closes_itself();
                if self.namespaces.enter(element, &attributes, closes_itself) {
                    self.content = Content::of(element);
                }
                see(Token::Tag(tag));
                if self.is_xhtml && closes_itself && !matches!(self.content, Content::Markup) {
                    self.content = Content::Markup;
                    see(Token::Tag(Tag::End { element }));
                }
            }
            Tag::End { element } => {
                self.namespaces.leave(element);
                see(Token::Tag(tag));
            }
        }
        Some(length)
    }
}

impl Content {
    /// What follows the start tag of an element.
    fn of(element: Element) -> Self {
        match RawText::of(element) {
            Some(text) => Self::Raw(text),
            None if element == Element::PLAINTEXT => Self::Plain,
            None => Self::Markup,
        }
    }
}

/// What stands at the beginning of some markup.
enum Opening {
    /// A text of so many bytes.
    Text(usize),
    Tag,
    Comment,
    /// What the standard takes for a comment, behind so many bytes.
    Bogus(usize),
    /// What nobody reads, up to a sign.
    Untold(&'static str),
    /// More is needed to tell.
    Cut,
}

fn opening(markup: &str, is_foreign: bool, is_last: bool) -> Opening {
    let Some(rest) = markup.as_bytes().strip_prefix(b"<") else {
        let length = memchr::memchr(b'<', markup.as_bytes());
        return Opening::Text(length.unwrap_or(markup.len()));
    };
    match rest {
        [letter, ..] | [b'/', letter, ..] if letter.is_ascii_alphabetic() => Opening::Tag,
        [b'/', b'>', ..] => Opening::Untold(">"),
        [b'/', _, ..] => Opening::Bogus("</".len()),
        [b'?', ..] => Opening::Bogus("<".len()),
        [b'!', rest @ ..] => declaration(rest, is_foreign, is_last),
        [] | [b'/'] if !is_last => Opening::Cut,
        _ => {
            let length = memchr::memchr(b'<', rest);
            Opening::Text(length.map_or(markup.len(), |length| length + 1))
        }
    }
}

/// What `<!` and the rest of some markup begin.
fn declaration(rest: &[u8], is_foreign: bool, is_last: bool) -> Opening {
    let openings = [
        ("--", Opening::Comment),
        ("doctype", Opening::Untold(">")),
        ("[CDATA[", Opening::Untold("]]>")),
    ];
    for (sign, opening) in openings {
        if sign == "[CDATA[" && !is_foreign {
            continue;
        }
        match begins(rest, sign) {
            Begins::Yes => return opening,
            Begins::Unsure if !is_last => return Opening::Cut,
            Begins::Unsure | Begins::No => {}
        }
    }
    Opening::Bogus("<!".len())
}

/// Tells the comment that some markup begins with; gives back its length.
fn comment(markup: &str, is_last: bool, see: &mut impl FnMut(Token<'_>)) -> Option<usize> {
    let start = "<!--".len();
    for sign in memchr::memchr_iter(b'>', markup.as_bytes()) {
        let text = match markup.get(start..sign) {
            None => continue,
            Some("" | "-") => Some(""),
            Some(text) => text.strip_suffix("--").or(text.strip_suffix("--!")),
        };
        if let Some(text) = text {
            let length = sign + 1;
            return is_short(length).then(|| {
                see(Token::Comment(text));
                length
            });
        }
    }
    let text = markup.get(start..).filter(|_| is_last)?;
    let ends = ["--!", "--", "-"].into_iter();
    let whole = ends.filter_map(|end| text.strip_suffix(end)).next();
    see(Token::Comment(whole.unwrap_or(text)));
    Some(markup.len())
}

/// The same of what is a comment only by mistake, whose text begins behind some bytes.
fn bogus_comment(
    markup: &str,
    skipped: usize,
    is_last: bool,
    see: &mut impl FnMut(Token<'_>),
) -> Option<usize> {
    let length = end_of(markup, ">", is_last)?;
    let text = markup.get(skipped..length).unwrap_or_default();
    see(Token::Comment(text.strip_suffix('>').unwrap_or(text)));
    Some(length)
}

/// The length of what ends with a sign, or with the page.
fn end_of(markup: &str, sign: &str, is_last: bool) -> Option<usize> {
    let end = markup.find(sign).map(|at| at + sign.len());
    end.or_else(|| is_last.then_some(markup.len()))
        .filter(|length| is_short(*length))
}

fn is_short(length: usize) -> bool {
    length <= TOKEN_MAX_BYTES
}

#[cfg(test)]
mod tests;
