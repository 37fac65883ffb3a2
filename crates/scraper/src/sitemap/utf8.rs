//! A file as UTF-8, whatever it comes in: what is malformed becomes U+FFFD instead of an end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use encoding_rs::{Decoder, UTF_8};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::extract::declared_charset;

/// Bytes decoded at once. Chosen: what one read from the network gives, or little more.
const PIECE_BYTES: usize = 8 * 1024;

/// Reads text in any encoding as UTF-8. A byte order mark counts first and is removed.
pub(super) struct Utf8<R> {
    inner: R,
    /// Chosen by the first bytes.
    decoder: Option<Decoder>,
    decoded: Vec<u8>,
    taken: usize,
    is_over: bool,
}

impl<R> Utf8<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            decoder: None,
            decoded: Vec::new(),
            taken: 0,
            is_over: false,
        }
    }
}

impl<R: AsyncBufRead + Unpin> AsyncBufRead for Utf8<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.taken >= this.decoded.len() && !this.is_over {
            let code = ready!(Pin::new(&mut this.inner).poll_fill_buf(cx))?;
            let piece = code.get(..PIECE_BYTES).unwrap_or(code);
            let decoder = this.decoder.get_or_insert_with(|| {
                declared_charset(piece, None)
                    .map_or(UTF_8, |(encoding, _)| encoding)
                    .new_decoder()
            });
            this.is_over = piece.is_empty();
            let most = decoder.max_utf8_buffer_length(piece.len());
            this.decoded.resize(most.unwrap_or(PIECE_BYTES * 3), 0);
            let (_, read, written, _) =
                decoder.decode_to_utf8(piece, &mut this.decoded, this.is_over);
            this.decoded.truncate(written);
            this.taken = 0;
            Pin::new(&mut this.inner).consume(read);
        }
        Poll::Ready(Ok(this.decoded.get(this.taken..).unwrap_or_default()))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        self.get_mut().taken += amount;
    }
}

/// Asked for with [`AsyncBufRead`], and used by nobody.
impl<R: AsyncBufRead + Unpin> AsyncRead for Utf8<R> {
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
