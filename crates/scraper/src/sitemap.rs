//! Reads sitemaps and indexes of sitemaps while they arrive (sitemaps.org protocol 0.9): XML, and text
//! with a URL on each line.
//!
//! No document tree, no document type definition, no entity but the five that XML knows, and bounds
//! on everything: what is malformed or too much ends the reading, and what was found until then
//! counts. It decides nothing about the URLs.

mod utf8;

use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_compression::tokio::bufread::GzipDecoder;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, BufReader, ReadBuf};
use tokio::task::coop;
use trawl_domain::url_rules::PAGE_URL_MAX_BYTES;

use crate::fetch::Rationed;
use utf8::Utf8;

/// Most bytes of one tag, text, comment or line. Chosen: thirty times the longest URL.
const EVENT_MAX_BYTES: usize = 64 * 1024;

/// Deepest nesting. Chosen: extensions for images and news take five.
const DEPTH_MAX: usize = 32;

/// How a gzip file begins (RFC 1952, 2.3.1).
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// What a sitemap names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry<'a> {
    Page(&'a str),
    Sitemap(&'a str),
}

/// What reading one file gave, besides its entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Read {
    /// Whether it was a sitemap or an index of them at all.
    pub(crate) is_sitemap: bool,
    /// Decoded bytes.
    pub(crate) bytes: usize,
}

/// Hands the entries of a file over in their order, until it ends, is malformed, has given
/// `max_bytes` decoded bytes, or `found` breaks off.
///
/// Whether it is compressed is seen by its first bytes: names and types of files lie. Of a file of
/// several members (RFC 1952, 2.2), the first is read: as many as one likes may hold nothing.
///
/// # Cancel safety
///
/// What is abandoned is lost.
pub(crate) async fn read(
    mut body: impl AsyncBufRead + Send + Unpin,
    max_bytes: usize,
    found: impl FnMut(Entry<'_>) -> ControlFlow<()>,
) -> Read {
    let is_gzip = matches!(body.fill_buf().await, Ok(start) if start.starts_with(GZIP_MAGIC));
    if is_gzip {
        let decoder = GzipDecoder::new(Rationed::new(body, max_bytes));
        read_decoded(BufReader::new(decoder), max_bytes, found).await
    } else {
        read_decoded(body, max_bytes, found).await
    }
}

async fn read_decoded(
    body: impl AsyncBufRead + Unpin,
    max_bytes: usize,
    found: impl FnMut(Entry<'_>) -> ControlFlow<()>,
) -> Read {
    let mut body = Utf8::new(body);
    let start = body.fill_buf().await.unwrap_or_default();
    let is_text = matches!(start.trim_ascii_start().first(), Some(b'h' | b'H'));
    let body = Metered {
        inner: body,
        event_left: EVENT_MAX_BYTES,
        total_left: max_bytes,
    };
    if is_text {
        read_text(body, max_bytes, found).await
    } else {
        read_xml(body, max_bytes, found).await
    }
}

/// What begins with no URL is no sitemap; what follows is for whoever takes the entries to judge.
async fn read_text(
    mut body: Metered<impl AsyncBufRead + Unpin>,
    max_bytes: usize,
    mut found: impl FnMut(Entry<'_>) -> ControlFlow<()>,
) -> Read {
    let mut is_sitemap = false;
    let mut line = Vec::new();
    loop {
        line.clear();
        body.event_left = EVENT_MAX_BYTES;
        coop::consume_budget().await;
        let Ok(1..) = body.read_until(b'\n', &mut line).await else {
            break;
        };
        let Ok(url) = std::str::from_utf8(line.trim_ascii()) else {
            break;
        };
        if url.is_empty() {
            continue;
        }
        let scheme = url.get(..4).unwrap_or_default();
        is_sitemap |= scheme.eq_ignore_ascii_case("http");
        if !is_sitemap || found(Entry::Page(url)).is_break() {
            break;
        }
    }
    Read {
        is_sitemap,
        bytes: max_bytes.saturating_sub(body.total_left),
    }
}

async fn read_xml(
    body: Metered<impl AsyncBufRead + Unpin>,
    max_bytes: usize,
    mut found: impl FnMut(Entry<'_>) -> ControlFlow<()>,
) -> Read {
    let mut xml = Reader::from_reader(body);
    let config = xml.config_mut();
    config.allow_dangling_amp = true;
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    let mut buffer = Vec::new();
    let mut place = Place::default();
    loop {
        buffer.clear();
        xml.get_mut().event_left = EVENT_MAX_BYTES;
        // Much comes out of little input, which alone would make the task wait.
        coop::consume_budget().await;
        // What cannot be read ends the file, as its end does.
        let Ok(event) = xml.read_event_into_async(&mut buffer).await else {
            break;
        };
        let is_over = match event {
            Event::Start(tag) => place.enter(tag.local_name().as_ref()).is_break(),
            Event::End(_) => place.leave(&mut found).is_break(),
            Event::Text(text) => {
                place.push(&text);
                false
            }
            Event::CData(text) => {
                place.push(&text);
                false
            }
            Event::GeneralRef(entity) => {
                match entity.resolve_char_ref() {
                    Ok(Some(character)) => place.push(character.encode_utf8(&mut [0; 4])),
                    _ => place.push(resolve_predefined_entity(&entity).unwrap_or_default()),
                }
                false
            }
            Event::Eof => true,
            Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => false,
        };
        if is_over {
            break;
        }
    }
    Read {
        is_sitemap: place.is_sitemap,
        bytes: max_bytes.saturating_sub(xml.get_ref().total_left),
    }
}

/// An element, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Url,
    Sitemap,
    Location,
    Other,
}

/// Where in the document the reader is.
#[derive(Debug, Default)]
struct Place {
    open: Vec<Element>,
    location: String,
    is_sitemap: bool,
}

impl Place {
    fn enter(&mut self, name: &str) -> ControlFlow<()> {
        if self.open.len() >= DEPTH_MAX {
            return ControlFlow::Break(());
        }
        if self.open.is_empty() {
            self.is_sitemap = matches!(name, "urlset" | "sitemapindex");
            if !self.is_sitemap {
                return ControlFlow::Break(());
            }
        }
        self.open.push(match name {
            "url" => Element::Url,
            "sitemap" => Element::Sitemap,
            "loc" => Element::Location,
            _ => Element::Other,
        });
        self.location.clear();
        ControlFlow::Continue(())
    }

    fn push(&mut self, text: &str) {
        if self.open.last() == Some(&Element::Location)
            && self.location.len() <= PAGE_URL_MAX_BYTES * 3
        {
            self.location.push_str(text);
        }
    }

    /// Images and videos have locations of their own, inside elements of their own.
    fn leave(&mut self, found: &mut impl FnMut(Entry<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let left = self.open.pop();
        let location = self.location.trim();
        let verdict = match (self.open.last(), left) {
            (Some(Element::Url), Some(Element::Location)) => found(Entry::Page(location)),
            (Some(Element::Sitemap), Some(Element::Location)) => found(Entry::Sitemap(location)),
            _ => ControlFlow::Continue(()),
        };
        self.location.clear();
        verdict
    }
}

/// Fails where a file, or one piece of it, goes on for too long.
#[derive(Debug)]
struct Metered<R> {
    inner: R,
    event_left: usize,
    total_left: usize,
}

impl<R: AsyncBufRead + Unpin> AsyncBufRead for Metered<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.event_left == 0 || this.total_left == 0 {
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        let left = this.event_left.min(this.total_left);
        let available = std::task::ready!(Pin::new(&mut this.inner).poll_fill_buf(cx))?;
        Poll::Ready(Ok(available.get(..left).unwrap_or(available)))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let this = self.get_mut();
        this.event_left = this.event_left.saturating_sub(amount);
        this.total_left = this.total_left.saturating_sub(amount);
        Pin::new(&mut this.inner).consume(amount);
    }
}

/// Asked for by the XML reader and never used by it beyond its first bytes.
impl<R: AsyncBufRead + Unpin> AsyncRead for Metered<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let available = std::task::ready!(self.as_mut().poll_fill_buf(cx))?;
        let amount = available.len().min(to.remaining());
        to.put_slice(available.get(..amount).unwrap_or_default());
        self.consume(amount);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
