//! Answers, good and bad ones: everything a crawler has to survive.

use std::time::Duration;

use bytes::Bytes;

/// What the farm sends for one request.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) delivery: Delivery,
}

#[derive(Clone, Debug)]
pub(super) enum Delivery {
    /// A well-formed head and a body.
    Response(Response),
    /// These bytes, then the connection is closed.
    Verbatim(Bytes),
    /// The connection is closed without a byte.
    Closed,
    /// Nothing, for as long as the client waits.
    Silence,
}

#[derive(Clone, Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Body,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    /// Sent at once, with its length.
    Whole(Bytes),
    /// Chunked transfer coding, each chunk written on its own.
    Chunked { chunks: Vec<Bytes>, pause: Duration },
    /// Text without end up to a length, with that length announced. Never in memory as a whole.
    Repeated { unit: Bytes, total_bytes: usize },
    /// One byte more is announced than sent; then the connection is closed.
    CutShort(Bytes),
    /// One byte more is announced than sent; then nothing, for as long as the client waits.
    Stalled(Bytes),
}

impl Reply {
    /// 200 with an HTML document.
    pub fn html(document: impl Into<Bytes>) -> Self {
        Self::of_type("text/html; charset=utf-8", document)
    }

    /// 200 with a body of the given content type.
    pub fn of_type(content_type: &str, body: impl Into<Bytes>) -> Self {
        Self::response(200, Body::Whole(body.into())).with_header("content-type", content_type)
    }

    /// This status with a short HTML page.
    pub fn status(status: u16) -> Self {
        let page = format!("<!DOCTYPE html><title>{status}</title><h1>{status}</h1>\n");
        Self::html(page).with_status(status)
    }

    /// 302 to `location`.
    pub fn redirect(location: &str) -> Self {
        Self::status(302).with_header("location", location)
    }

    /// 200 with an HTML document in pieces of `chunk_bytes`, each after a pause; a piece a second
    /// is a slow server, one byte and no pause is a test of the parser.
    ///
    /// # Panics
    ///
    /// When `chunk_bytes` is 0.
    pub fn trickled(document: impl Into<Bytes>, chunk_bytes: usize, pause: Duration) -> Self {
        assert!(chunk_bytes > 0, "a chunk needs at least one byte");
        let mut rest = document.into();
        let mut chunks = Vec::new();
        while !rest.is_empty() {
            chunks.push(rest.split_to(chunk_bytes.min(rest.len())));
        }
        Self::chunked(chunks, pause)
    }

    /// 200 with an HTML document cut into the given chunks, each sent after a pause.
    pub fn chunked(chunks: Vec<Bytes>, pause: Duration) -> Self {
        Self::response(200, Body::Chunked { chunks, pause })
            .with_header("content-type", "text/html; charset=utf-8")
    }

    /// 200 with an HTML document of exactly this length, made up while it is sent.
    pub fn huge(total_bytes: usize) -> Self {
        // One page of text, so that few writes are needed and little is kept.
        let unit = Bytes::from("<p>There is no end to what we have to say.</p>\n".repeat(1400));
        Self::response(200, Body::Repeated { unit, total_bytes })
            .with_header("content-type", "text/html; charset=utf-8")
    }

    /// 200 with an HTML document whose connection breaks before its announced end.
    pub fn cut_short(document: impl Into<Bytes>) -> Self {
        Self::response(200, Body::CutShort(document.into()))
            .with_header("content-type", "text/html; charset=utf-8")
    }

    /// 200 with an HTML document that stops before its announced end, and silence.
    pub fn stalled(document: impl Into<Bytes>) -> Self {
        Self::response(200, Body::Stalled(document.into()))
            .with_header("content-type", "text/html; charset=utf-8")
    }

    /// Exactly these bytes, head included, then the end of the connection.
    pub fn verbatim(bytes: impl Into<Bytes>) -> Self {
        Self {
            delivery: Delivery::Verbatim(bytes.into()),
        }
    }

    /// The connection is closed without an answer.
    pub fn closed() -> Self {
        Self {
            delivery: Delivery::Closed,
        }
    }

    /// No answer, for as long as the client waits.
    pub fn silence() -> Self {
        Self {
            delivery: Delivery::Silence,
        }
    }

    /// With another status. Without effect on replies that have none.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        if let Delivery::Response(response) = &mut self.delivery {
            response.status = status;
        }
        self
    }

    /// With a header, in place of one of the same name. Without effect on replies that have none.
    /// Lengths and transfer codings are the farm's own; use [`Self::verbatim`] to lie about them.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Delivery::Response(response) = &mut self.delivery {
            response
                .headers
                .retain(|(present, _value)| !present.eq_ignore_ascii_case(name));
            response.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Without a header of this name.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        if let Delivery::Response(response) = &mut self.delivery {
            response
                .headers
                .retain(|(present, _value)| !present.eq_ignore_ascii_case(name));
        }
        self
    }

    fn response(status: u16, body: Body) -> Self {
        Self {
            delivery: Delivery::Response(Response {
                status,
                headers: Vec::new(),
                body,
            }),
        }
    }
}
