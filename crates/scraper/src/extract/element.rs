//! Elements by their names.

/// The name of an element, as a number that is cheap to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element(u64);

impl Element {
    /// The element of a name in lower case: its FNV-1a hash. Two names with one hash would be
    /// taken for each other, which harms nothing.
    pub(super) const fn of(name: &str) -> Self {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let mut bytes = name.as_bytes();
        while let Some((byte, rest)) = bytes.split_first() {
            hash = (hash ^ *byte as u64).wrapping_mul(0x0100_0000_01b3);
            bytes = rest;
        }
        Self(hash)
    }

    /// Has no content and no end tag (HTML standard, 13.1.2).
    pub(super) fn is_void(self) -> bool {
        matches!(
            self,
            Self::AREA
                | Self::BASE
                | Self::BR
                | Self::COL
                | Self::EMBED
                | Self::FRAME
                | Self::HR
                | Self::IMG
                | Self::INPUT
                | Self::LINK
                | Self::META
                | Self::PARAM
                | Self::SOURCE
                | Self::TRACK
                | Self::WBR
        )
    }

    /// Runs on within a line, so that text in it belongs to the text around it.
    pub(super) fn is_inline(self) -> bool {
        matches!(
            self,
            Self::A
                | Self::ABBR
                | Self::B
                | Self::BDI
                | Self::BDO
                | Self::BIG
                | Self::CITE
                | Self::CODE
                | Self::DATA
                | Self::DEL
                | Self::DFN
                | Self::EM
                | Self::FONT
                | Self::I
                | Self::INS
                | Self::KBD
                | Self::MARK
                | Self::NOBR
                | Self::Q
                | Self::S
                | Self::SAMP
                | Self::SMALL
                | Self::SPAN
                | Self::STRIKE
                | Self::STRONG
                | Self::SUB
                | Self::SUP
                | Self::TIME
                | Self::TT
                | Self::U
                | Self::VAR
                | Self::WBR
        )
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
        self.heading_level().is_some()
    }
}

macro_rules! elements {
    ($($constant:ident = $name:literal,)*) => {
        impl Element {
            $(pub(super) const $constant: Self = Self::of($name);)*
        }

        #[cfg(test)]
        const NAMES: &[&str] = &[$($name),*];
    };
}

elements! {
    A = "a",
    ABBR = "abbr",
    ADDRESS = "address",
    ANNOTATION_XML = "annotation-xml",
    AREA = "area",
    ARTICLE = "article",
    ASIDE = "aside",
    AUDIO = "audio",
    B = "b",
    BASE = "base",
    BDI = "bdi",
    BDO = "bdo",
    BIG = "big",
    BLOCKQUOTE = "blockquote",
    BODY = "body",
    BR = "br",
    BUTTON = "button",
    CANVAS = "canvas",
    CAPTION = "caption",
    CENTER = "center",
    CITE = "cite",
    CODE = "code",
    COL = "col",
    DATA = "data",
    DD = "dd",
    DEL = "del",
    DESC = "desc",
    DETAILS = "details",
    DFN = "dfn",
    DIALOG = "dialog",
    DIV = "div",
    DL = "dl",
    DT = "dt",
    EM = "em",
    EMBED = "embed",
    FIELDSET = "fieldset",
    FIGCAPTION = "figcaption",
    FIGURE = "figure",
    FONT = "font",
    FOOTER = "footer",
    FOREIGN_OBJECT = "foreignobject",
    FORM = "form",
    FRAME = "frame",
    H1 = "h1",
    H2 = "h2",
    H3 = "h3",
    H4 = "h4",
    H5 = "h5",
    H6 = "h6",
    HEAD = "head",
    HEADER = "header",
    HGROUP = "hgroup",
    HR = "hr",
    HTML = "html",
    I = "i",
    IFRAME = "iframe",
    IMG = "img",
    INPUT = "input",
    INS = "ins",
    KBD = "kbd",
    LABEL = "label",
    LI = "li",
    LINK = "link",
    LISTING = "listing",
    MAIN = "main",
    MARK = "mark",
    MATH = "math",
    MENU = "menu",
    META = "meta",
    METER = "meter",
    MI = "mi",
    MN = "mn",
    MO = "mo",
    MS = "ms",
    MTEXT = "mtext",
    NAV = "nav",
    NOBR = "nobr",
    NOEMBED = "noembed",
    NOFRAMES = "noframes",
    NOSCRIPT = "noscript",
    OBJECT = "object",
    OL = "ol",
    OPTION = "option",
    P = "p",
    PARAM = "param",
    PICTURE = "picture",
    PLAINTEXT = "plaintext",
    PRE = "pre",
    Q = "q",
    RUBY = "ruby",
    S = "s",
    SAMP = "samp",
    SCRIPT = "script",
    SEARCH = "search",
    SECTION = "section",
    SELECT = "select",
    SMALL = "small",
    SOURCE = "source",
    SPAN = "span",
    STRIKE = "strike",
    STRONG = "strong",
    STYLE = "style",
    SUB = "sub",
    SUMMARY = "summary",
    SUP = "sup",
    SVG = "svg",
    TABLE = "table",
    TBODY = "tbody",
    TD = "td",
    TEMPLATE = "template",
    TEXTAREA = "textarea",
    TFOOT = "tfoot",
    TH = "th",
    THEAD = "thead",
    TIME = "time",
    TITLE = "title",
    TR = "tr",
    TRACK = "track",
    TT = "tt",
    U = "u",
    UL = "ul",
    VAR = "var",
    VIDEO = "video",
    WBR = "wbr",
    XMP = "xmp",
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_name_has_its_own_number() {
        let numbers: HashSet<u64> = NAMES.iter().map(|name| Element::of(name).0).collect();
        assert_eq!(numbers.len(), NAMES.len());
        assert!(NAMES.is_sorted());
        assert_eq!(Element::of("blockquote"), Element::BLOCKQUOTE);
        assert_ne!(Element::of("my-element"), Element::of("my-elements"));
    }
}
