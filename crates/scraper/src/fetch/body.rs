//! The body of an answer: counted as it comes over the wire, then decoded.
//!
//! What it takes to decode a body is bounded by what is read of it, not only by what it gives: a
//! body may be long and give nothing. No poll goes on for long, so that deadlines are kept.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_compression::tokio::bufread::{
    BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder,
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use thiserror::Error;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, ReadBuf};
use tokio::task::coop;
use tokio_util::io::StreamReader;

/// The codings that are decoded.
pub(super) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip, br, zstd, deflate");

/// Bytes of a decoded piece. Chosen: what extraction takes well, and little to hold.
const PIECE_BYTES: usize = 16 * 1024;

/// Most bytes that a decoder is given at once. A task is made to wait after 128 of these, so that
/// what gives nothing takes 128 KiB of input between two looks at the clock.
const RATION_BYTES: usize = 1024;

/// A body, piece by piece.
pub(super) enum Body {
    /// As it comes.
    Plain(Response),
    /// Coded, and not begun: an empty body is no coded nothing.
    Coded(Coding, Wire),
    /// Coded, with its decoder.
    Decoded(Box<dyn AsyncRead + Send + Unpin>),
    /// In codings that are not decoded.
    Foreign,
    /// There was none.
    Empty,
}

/// Coded bytes as they come.
type Code = BoxStream<'static, io::Result<Bytes>>;

type Wire = Rationed<StreamReader<Code, Bytes>>;

impl Body {
    /// The body of a response. Where it is coded, at most `max_bytes` of the code are read.
    pub(super) fn of(response: Response, max_bytes: usize) -> Self {
        match Coding::of(response.headers()) {
            Ok(None) => Self::Plain(response),
            Err(ForeignCoding) => Self::Foreign,
            Ok(Some(coding)) => {
                let code = response.bytes_stream().map(|bytes| bytes.map_err(other));
                Self::coded(coding, code.boxed(), max_bytes)
            }
        }
    }

    pub(super) fn coded(coding: Coding, code: Code, max_bytes: usize) -> Self {
        Self::Coded(coding, Rationed::new(StreamReader::new(code), max_bytes))
    }

    /// The next piece, decoded; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::FileTooLarge`] where there is more code than is read; else what the client or
    /// the decoder says.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub(super) async fn chunk(&mut self) -> io::Result<Option<Bytes>> {
        coop::consume_budget().await;
        if let Self::Coded(_, wire) = self {
            let first = wire.fill_buf().await?.first().copied();
            *self = match (std::mem::replace(self, Self::Empty), first) {
                (Self::Coded(coding, wire), Some(first)) => {
                    Self::Decoded(coding.decoder(wire, first))
                }
                _ => Self::Empty,
            };
        }
        match self {
            Self::Plain(response) => response.chunk().await.map_err(other),
            Self::Decoded(decoder) => {
                let mut piece = BytesMut::with_capacity(PIECE_BYTES);
                let length = decoder.read_buf(&mut piece).await?;
                Ok((length > 0).then(|| piece.freeze()))
            }
            Self::Foreign => Err(io::Error::new(io::ErrorKind::InvalidData, ForeignCoding)),
            Self::Coded(..) | Self::Empty => Ok(None),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Coded(..) => "Coded",
            Self::Decoded(_) => "Decoded",
            Self::Foreign => "Foreign",
            Self::Empty => "Empty",
        })
    }
}

/// How a body is coded (RFC 9110, 8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// A body in several codings over each other, or in one that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a content coding that is not decoded")]
pub(super) struct ForeignCoding;

/// The other content codings that are registered (IANA, HTTP Content Coding Registry).
const FOREIGN: [&str; 7] = [
    "aes128gcm",
    "compress",
    "x-compress",
    "dcb",
    "dcz",
    "exi",
    "pack200-gzip",
];

impl Coding {
    /// What servers state that is no coding at all (`identity`, `none`, `utf-8`) says nothing.
    fn of(headers: &HeaderMap) -> Result<Option<Self>, ForeignCoding> {
        let lines = headers.get_all(CONTENT_ENCODING).iter();
        let mut found = None;
        for stated in lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
        {
            match Self::parse(stated)? {
                Some(_) if found.is_some() => return Err(ForeignCoding),
                coding => found = found.or(coding),
            }
        }
        Ok(found)
    }

    pub(super) fn parse(stated: &str) -> Result<Option<Self>, ForeignCoding> {
        match stated.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Ok(Some(Self::Gzip)),
            "deflate" => Ok(Some(Self::Deflate)),
            "br" => Ok(Some(Self::Brotli)),
            "zstd" => Ok(Some(Self::Zstd)),
            other if FOREIGN.contains(&other) => Err(ForeignCoding),
            _ => Ok(None),
        }
    }

    /// The decoder for code that begins with this byte.
    fn decoder(self, wire: Wire, first: u8) -> Box<dyn AsyncRead + Send + Unpin> {
        match self {
            Self::Gzip => {
                // One body may be many members (RFC 1952, 2.2).
                let mut decoder = GzipDecoder::new(wire);
                decoder.multiple_members(true);
                Box::new(decoder)
            }
            Self::Deflate if is_zlib(first) => Box::new(ZlibDecoder::new(wire)),
            Self::Deflate => Box::new(DeflateDecoder::new(wire)),
            Self::Brotli => Box::new(BrotliDecoder::new(wire)),
            Self::Zstd => {
                // One body may be many frames (RFC 8878, 3).
                let mut decoder = ZstdDecoder::new(wire);
                decoder.multiple_members(true);
                Box::new(decoder)
            }
        }
    }
}

/// Whether what is called `deflate` is the zlib format, as it should be, or bare DEFLATE, as some
/// servers have it (RFC 9110, 8.4.1.2): the method 8 (RFC 1950, 2.2) would be a stored block whose
/// padding is not zero.
fn is_zlib(first: u8) -> bool {
    first & 0x0f == 8
}

/// Input for a decoder, which asks for more until it has something to give: gives little at once,
/// fails after `max_bytes`, and makes the task wait now and then.
#[derive(Debug)]
pub(crate) struct Rationed<R> {
    inner: R,
    left: usize,
}

impl<R> Rationed<R> {
    pub(crate) fn new(inner: R, max_bytes: usize) -> Self {
        Self {
            inner,
            left: max_bytes,
        }
    }
}

impl<R: AsyncBufRead + Unpin> AsyncBufRead for Rationed<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        let turn = ready!(coop::poll_proceed(cx));
        let available = ready!(Pin::new(&mut this.inner).poll_fill_buf(cx))?;
        turn.made_progress();
        if this.left == 0 && !available.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        let ration = this.left.min(RATION_BYTES);
        Poll::Ready(Ok(available.get(..ration).unwrap_or(available)))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let this = self.get_mut();
        this.left = this.left.saturating_sub(amount);
        Pin::new(&mut this.inner).consume(amount);
    }
}

/// Asked for by the decoders and not used by them.
impl<R: AsyncBufRead + Unpin> AsyncRead for Rationed<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let available = ready!(self.as_mut().poll_fill_buf(cx))?;
        let amount = available.len().min(to.remaining());
        to.put_slice(available.get(..amount).unwrap_or_default());
        self.consume(amount);
        Poll::Ready(Ok(()))
    }
}

fn other(error: reqwest::Error) -> io::Error {
    io::Error::other(error)
}
