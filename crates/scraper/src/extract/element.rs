//! Elements by their names.

/// An element, as a number that is cheap to compare: the hash of its name, with what is asked of
/// every element in the lowest bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element(u64);

/// Has no content and no end tag (HTML standard, 13.1.2).
const VOID: u64 = 1;

/// Runs on within a line, so that text in it belongs to the text around it.
const INLINE: u64 = 1 << 1;

/// Ends a paragraph that is open (HTML standard, 13.2.6.4.7).
const ENDS_PARAGRAPH: u64 = 1 << 2;

/// End tags do not reach beyond it (HTML standard, 13.2.4.2).
const SCOPE: u64 = 1 << 3;

/// A heading.
const HEADING: u64 = 1 << 4;

const TRAITS: u64 = VOID | INLINE | ENDS_PARAGRAPH | SCOPE | HEADING;

/// The FNV-1a hash of a name. Two names with one hash would be taken for each other, which harms
/// nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct NameHash(u64);

impl NameHash {
    /// That of an empty name.
    pub(super) const EMPTY: Self = Self(0xcbf2_9ce4_8422_2325);

    /// That of the name with one more byte, in lower case.
    pub(super) const fn with(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(0x0100_0000_01b3))
    }

    const fn of(name: &str) -> Self {
        let mut hash = Self::EMPTY;
        let mut bytes = name.as_bytes();
        while let Some((byte, rest)) = bytes.split_first() {
            hash = hash.with(*byte);
            bytes = rest;
        }
        hash
    }

    /// The hash alone, as far as elements have it.
    const fn bits(self) -> u64 {
        self.0 & !TRAITS
    }
}

impl Element {
    /// The element of a name in lower case.
    #[cfg(test)]
    pub(super) fn of(name: &str) -> Self {
        Self::of_hash(NameHash::of(name))
    }

    /// Its name, if anything is known of it.
    #[cfg(test)]
    pub(super) fn name(self) -> &'static str {
        let mut names = NAMES.iter();
        names.find(|name| Self::of(name) == self).unwrap_or(&"?")
    }

    pub(super) fn is_void(self) -> bool {
        self.0 & VOID != 0
    }

    pub(super) fn is_inline(self) -> bool {
        self.0 & INLINE != 0
    }

    pub(super) fn ends_paragraph(self) -> bool {
        self.0 & ENDS_PARAGRAPH != 0
    }

    pub(super) fn is_scope(self) -> bool {
        self.0 & SCOPE != 0
    }

    /// The text before and after it is no longer of one paragraph.
    pub(super) fn ends_block(self) -> bool {
        !self.is_inline() && (!self.is_void() || self == Self::HR) && self != Self::PICTURE
    }

    /// The level of a heading.
    pub(super) fn heading_level(self) -> Option<u8> {
        Some(match self {
            Self::H1 => 1,
            Self::H2 => 2,
            Self::H3 => 3,
            Self::H4 => 4,
            Self::H5 => 5,
            Self::H6 => 6,
            _ => return None,
        })
    }

    pub(super) fn is_heading(self) -> bool {
        self.0 & HEADING != 0
    }
}

/// All elements that anything is known of, by their names, with their traits.
macro_rules! elements {
    ($($constant:ident = $name:literal, $traits:expr;)*) => {
        impl Element {
            $(pub(super) const $constant: Self = Self(NameHash::of($name).bits() | $traits);)*

            /// The element of a name with this hash.
            pub(super) fn of_hash(hash: NameHash) -> Self {
                $(const $constant: u64 = NameHash::of($name).bits();)*
                match hash.bits() {
                    $($constant => Self::$constant,)*
                    unknown => Self(unknown),
                }
            }
        }

        #[cfg(test)]
        const NAMES: &[&str] = &[$($name),*];
    };
}

elements! {
    A = "a", INLINE;
    ABBR = "abbr", INLINE;
    ADDRESS = "address", ENDS_PARAGRAPH;
    ANNOTATION_XML = "annotation-xml", 0;
    AREA = "area", VOID;
    ARTICLE = "article", ENDS_PARAGRAPH;
    ASIDE = "aside", ENDS_PARAGRAPH;
    AUDIO = "audio", 0;
    B = "b", INLINE;
    BASE = "base", VOID;
    BDI = "bdi", INLINE;
    BDO = "bdo", INLINE;
    BIG = "big", INLINE;
    BLOCKQUOTE = "blockquote", ENDS_PARAGRAPH;
    BODY = "body", 0;
    BR = "br", VOID;
    BUTTON = "button", 0;
    CANVAS = "canvas", 0;
    CAPTION = "caption", SCOPE;
    CENTER = "center", ENDS_PARAGRAPH;
    CITE = "cite", INLINE;
    CODE = "code", INLINE;
    COL = "col", VOID;
    DATA = "data", INLINE;
    DD = "dd", ENDS_PARAGRAPH;
    DEL = "del", INLINE;
    DESC = "desc", 0;
    DETAILS = "details", ENDS_PARAGRAPH;
    DFN = "dfn", INLINE;
    DIALOG = "dialog", ENDS_PARAGRAPH;
    DIV = "div", ENDS_PARAGRAPH;
    DL = "dl", ENDS_PARAGRAPH;
    DT = "dt", ENDS_PARAGRAPH;
    EM = "em", INLINE;
    EMBED = "embed", VOID;
    FIELDSET = "fieldset", ENDS_PARAGRAPH;
    FIGCAPTION = "figcaption", ENDS_PARAGRAPH;
    FIGURE = "figure", ENDS_PARAGRAPH;
    FONT = "font", INLINE;
    FOOTER = "footer", ENDS_PARAGRAPH;
    FOREIGN_OBJECT = "foreignobject", 0;
    FORM = "form", ENDS_PARAGRAPH;
    FRAME = "frame", VOID;
    H1 = "h1", ENDS_PARAGRAPH | HEADING;
    H2 = "h2", ENDS_PARAGRAPH | HEADING;
    H3 = "h3", ENDS_PARAGRAPH | HEADING;
    H4 = "h4", ENDS_PARAGRAPH | HEADING;
    H5 = "h5", ENDS_PARAGRAPH | HEADING;
    H6 = "h6", ENDS_PARAGRAPH | HEADING;
    HEAD = "head", 0;
    HEADER = "header", ENDS_PARAGRAPH;
    HGROUP = "hgroup", ENDS_PARAGRAPH;
    HR = "hr", VOID | ENDS_PARAGRAPH;
    HTML = "html", 0;
    I = "i", INLINE;
    IFRAME = "iframe", 0;
    IMG = "img", VOID;
    INPUT = "input", VOID;
    INS = "ins", INLINE;
    KBD = "kbd", INLINE;
    LABEL = "label", 0;
    LI = "li", ENDS_PARAGRAPH;
    LINK = "link", VOID;
    LISTING = "listing", 0;
    MAIN = "main", ENDS_PARAGRAPH;
    MARK = "mark", INLINE;
    MATH = "math", 0;
    MENU = "menu", ENDS_PARAGRAPH;
    META = "meta", VOID;
    METER = "meter", 0;
    MI = "mi", 0;
    MN = "mn", 0;
    MO = "mo", 0;
    MS = "ms", 0;
    MTEXT = "mtext", 0;
    NAV = "nav", ENDS_PARAGRAPH;
    NOBR = "nobr", INLINE;
    NOEMBED = "noembed", 0;
    NOFRAMES = "noframes", 0;
    NOSCRIPT = "noscript", 0;
    OBJECT = "object", SCOPE;
    OL = "ol", ENDS_PARAGRAPH;
    OPTION = "option", 0;
    P = "p", ENDS_PARAGRAPH;
    PARAM = "param", VOID;
    PICTURE = "picture", 0;
    PLAINTEXT = "plaintext", 0;
    PRE = "pre", ENDS_PARAGRAPH;
    Q = "q", INLINE;
    RUBY = "ruby", 0;
    S = "s", INLINE;
    SAMP = "samp", INLINE;
    SCRIPT = "script", 0;
    SEARCH = "search", ENDS_PARAGRAPH;
    SECTION = "section", ENDS_PARAGRAPH;
    SELECT = "select", 0;
    SMALL = "small", INLINE;
    SOURCE = "source", VOID;
    SPAN = "span", INLINE;
    STRIKE = "strike", INLINE;
    STRONG = "strong", INLINE;
    STYLE = "style", 0;
    SUB = "sub", INLINE;
    SUMMARY = "summary", ENDS_PARAGRAPH;
    SUP = "sup", INLINE;
    SVG = "svg", 0;
    TABLE = "table", ENDS_PARAGRAPH | SCOPE;
    TBODY = "tbody", 0;
    TD = "td", SCOPE;
    TEMPLATE = "template", SCOPE;
    TEXTAREA = "textarea", 0;
    TFOOT = "tfoot", 0;
    TH = "th", SCOPE;
    THEAD = "thead", 0;
    TIME = "time", INLINE;
    TITLE = "title", 0;
    TR = "tr", 0;
    TRACK = "track", VOID;
    TT = "tt", INLINE;
    U = "u", INLINE;
    UL = "ul", ENDS_PARAGRAPH;
    VAR = "var", INLINE;
    VIDEO = "video", 0;
    WBR = "wbr", VOID | INLINE;
    XMP = "xmp", 0;
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_name_has_its_own_number() {
        let numbers: HashSet<u64> = NAMES.iter().map(|n| NameHash::of(n).bits()).collect();
        assert_eq!(numbers.len(), NAMES.len());
        assert!(NAMES.is_sorted());
        assert_eq!(Element::of("blockquote"), Element::BLOCKQUOTE);
        assert!(Element::WBR.is_inline() && Element::WBR.is_void() && !Element::HR.is_inline());
        assert!(Element::H6.ends_paragraph() && !Element::of("my-element").ends_paragraph());
        assert_ne!(Element::of("my-element"), Element::of("my-elements"));
    }
}
