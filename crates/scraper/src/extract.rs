//! From the bytes of a page to its facts and links, in one pass while they arrive.
//!
//! No document tree and no copy of the body. Nothing that markup can contain makes this fail: at
//! worst the rest of a page is ignored, and what was found until then is kept. The result does
//! not depend on how the bytes were cut into pieces.

mod announced;
mod base;
mod charset;
mod checksum;
mod collector;
mod company;
mod company_name;
mod content;
mod element;
mod email_cipher;
mod email_data;
mod email_script;
mod email_text;
mod emails;
mod head;
mod hours;
mod json_ld;
mod language;
mod lines;
mod link_list;
mod links;
mod logo;
mod mailbox;
mod marks;
mod mask;
mod media_type;
mod microdata;
mod open_elements;
mod others;
mod phone_label;
mod phone_text;
mod phones;
mod postal;
mod region;
mod registers;
mod script_kind;
mod seams;
mod site_name;
mod social;
mod tag;
mod text;
mod tokenizer;
mod vat;
mod wordpress;

use encoding_rs::{CoderResult, Decoder, Encoding};
use trawl_domain::crawl_options::Formats;
use trawl_domain::url_rules::{GivenUrl, PageUrl, SiteScope};

use crate::facts::PageFacts;
use crate::facts::content::PageContent;
use crate::not_fetched::Refused;
pub(crate) use charset::declared as declared_charset;
use collector::Collector;
pub(crate) use links::{Link, names_a_file};
pub(crate) use media_type::MediaType;
use tokenizer::Tokenizer;

/// Bytes looked at for a charset before parsing begins: four times what the HTML standard asks
/// for, as many pages declare theirs behind scripts.
const PRESCAN_BYTES: usize = 4096;

/// Bytes, from the first that is not ASCII on, by which the charset of undeclared text is detected.
/// Chosen: some hundred letters of any script.
const DETECT_BYTES: usize = 4096;

/// Text decoded at once, in bytes. Chosen: fits the cache of a core.
const DECODED_PIECE_BYTES: usize = 8 * 1024;

/// Bytes of a page at hand that are taken at once: about what one read from the network gives.
const PIECE_BYTES: usize = 16 * 1024;

/// What a page gave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Extracted {
    pub(crate) facts: PageFacts,
    /// The links into the site that are to be followed, in their order, each once.
    pub(crate) links: Vec<Link>,
    /// Present if a format beside the facts was asked for.
    pub(crate) content: Option<PageContent>,
    /// The links that are not followed.
    pub(crate) refused: Vec<Refused>,
}

impl Extracted {
    /// Whether nothing of the page came that a visitor would see or follow.
    pub(crate) fn says_nothing(&self) -> bool {
        self.facts.title.is_none() && self.facts.word_count == 0 && self.links.is_empty()
    }
}

/// The facts of a page that is at hand as a whole, as a crawl would find them.
///
/// `headers` are those of its answer; the charset is read from them.
pub fn facts_of(url: &PageUrl, headers: &[(&str, &str)], body: &[u8]) -> PageFacts {
    page_of(url, headers, body, Formats::default()).0
}

/// The facts and the content of a page that is at hand as a whole, as a crawl would find them.
pub fn page_of(
    url: &PageUrl,
    headers: &[(&str, &str)],
    body: &[u8],
    formats: Formats,
) -> (PageFacts, Option<PageContent>) {
    let content_type = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| *value);
    let charset = MediaType::parse(content_type).charset();
    let mut extractor = Extractor::new(url, SiteScope::of(url), charset, formats);
    for (name, value) in headers {
        extractor.header(name, value);
    }
    for piece in body.chunks(PIECE_BYTES) {
        extractor.write(piece);
    }
    let extracted = extractor.finish();
    (extracted.facts, extracted.content)
}

/// Extracts one page.
#[derive(Debug)]
pub(crate) struct Extractor {
    input: Input,
    tokenizer: Tokenizer,
    /// In a box, as what waits for a page would be large otherwise.
    collector: Box<Collector>,
    /// The last label of the host, which hints at a language.
    tld: String,
}

#[derive(Debug)]
enum Input {
    /// The first bytes are kept until the charset is decided.
    Prescan {
        head: Vec<u8>,
        of_header: Option<&'static Encoding>,
    },
    /// Nothing is declared, and nothing but ASCII has come, which means the same in all charsets that
    /// are detected.
    Ascii,
    /// Nothing is declared; what has come since the first other byte is kept.
    Detect(Vec<u8>),
    /// The charset is known. What is not valid in it is replaced, in UTF-8 as well.
    Decode {
        decoder: Box<Decoder>,
        piece: String,
    },
}

impl Extractor {
    /// Begins a page at `url`, whose links count within `scope`, and whose charset the HTTP
    /// header may have named. Beside the facts, it gives what `formats` ask for.
    pub(crate) fn new(
        url: &GivenUrl,
        scope: SiteScope,
        charset: Option<&'static Encoding>,
        formats: Formats,
    ) -> Self {
        Self {
            input: Input::Prescan {
                head: Vec::new(),
                of_header: charset,
            },
            tokenizer: Tokenizer::default(),
            collector: Box::new(Collector::new(url, scope, formats)),
            tld: url
                .as_url()
                .host_str()
                .and_then(|host| host.rsplit('.').next())
                .unwrap_or_default()
                .to_owned(),
        }
    }

    /// Takes the page for XHTML, in which any element may close itself; before its first byte.
    pub(crate) fn expect_xhtml(&mut self) {
        self.tokenizer.expect_xhtml();
    }

    /// Takes what headers and page ask of this product as asked of us; before all of them.
    pub(crate) fn crawl_as(&mut self, product: &str) {
        self.collector.crawl_as(product);
    }

    /// Takes a header of the answer; all come before the body.
    pub(crate) fn header(&mut self, name: &str, value: &str) {
        self.collector.header(name, value);
    }

    /// Takes the next piece of the body.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        match &mut self.input {
            Input::Prescan { head, .. } => {
                head.extend_from_slice(bytes);
                if head.len() >= PRESCAN_BYTES {
                    self.begin_parsing();
                }
            }
            Input::Ascii => {
                let ascii_bytes = Encoding::ascii_valid_up_to(bytes);
                let (ascii, rest) = bytes.split_at_checked(ascii_bytes).unwrap_or((bytes, &[]));
                let collector = &mut self.collector;
                self.tokenizer
                    .write(str::from_utf8(ascii).unwrap_or_default(), |token| {
                        collector.token(token);
                    });
                if !rest.is_empty() {
                    self.input = Input::Detect(Vec::new());
                    self.write(rest);
                }
            }
            Input::Detect(sample) => {
                sample.extend_from_slice(bytes);
                if sample.len() >= DETECT_BYTES {
                    self.decode_detected();
                }
            }
            Input::Decode { .. } => self.decode(bytes, false),
        }
    }

    /// Ends the page.
    pub(crate) fn finish(mut self) -> Extracted {
        if matches!(self.input, Input::Prescan { .. }) {
            self.begin_parsing();
        }
        if matches!(self.input, Input::Detect(_)) {
            self.decode_detected();
        }
        self.decode(&[], true);
        let mut collector = self.collector;
        self.tokenizer.finish(|token| collector.token(token));
        collector.finish()
    }

    /// Decides on the charset by the first [`PRESCAN_BYTES`] alone, however many have come.
    fn begin_parsing(&mut self) {
        let Input::Prescan { head, of_header } = &mut self.input else {
            return;
        };
        let head = std::mem::take(head);
        let sample = head.get(..PRESCAN_BYTES).unwrap_or(&head);
        match charset::declared(sample, *of_header) {
            Some((encoding, bom_bytes)) => {
                self.input = Input::of(encoding);
                self.write(head.get(bom_bytes..).unwrap_or_default());
            }
            None => {
                self.input = Input::Ascii;
                self.write(&head);
            }
        }
    }

    /// Decides on the charset by the first [`DETECT_BYTES`] alone, however many have come.
    fn decode_detected(&mut self) {
        let Input::Detect(sample) = &mut self.input else {
            return;
        };
        let text = std::mem::take(sample);
        let sample = text.get(..DETECT_BYTES).unwrap_or(&text);
        self.input = Input::of(charset::detected(sample, &self.tld));
        self.write(&text);
    }

    /// Takes the next bytes, if their charset is known.
    fn decode(&mut self, mut bytes: &[u8], is_last: bool) {
        let Input::Decode { decoder, piece } = &mut self.input else {
            return;
        };
        loop {
            piece.clear();
            let (result, read, _replaced) = decoder.decode_to_string(bytes, piece, is_last);
            let collector = &mut self.collector;
            self.tokenizer.write(piece, |token| collector.token(token));
            bytes = bytes.get(read..).unwrap_or_default();
            match result {
                CoderResult::InputEmpty => return,
                CoderResult::OutputFull => {}
            }
        }
    }
}

impl Input {
    fn of(encoding: &'static Encoding) -> Self {
        Self::Decode {
            decoder: Box::new(encoding.new_decoder_without_bom_handling()),
            piece: String::with_capacity(DECODED_PIECE_BYTES),
        }
    }
}

#[cfg(test)]
mod tests;
