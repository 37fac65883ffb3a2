//! One client's connection: reads requests, asks the farm for replies, sends them byte by byte.
//!
//! Only what a crawler's client needs of HTTP/1.1 (RFC 9112): GET and HEAD, keep-alive, chunked
//! transfer coding. Written by hand because half of the replies break the protocol on purpose.

use std::future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::gate::HeldRequest;
use super::ledger::OpenHit;
use super::reply::{Body, Delivery, Reply, Response};
use super::{Shared, lock};

/// The longest head of a request. Common servers allow 8 to 16 KiB.
const HEAD_LIMIT_BYTES: usize = 16 * 1024;

/// The most header fields of a request. Common servers allow about 100.
const HEADER_LIMIT: usize = 100;

/// What is written after the ledger has the end of an answer. Fits the socket's buffer, so that
/// the ledger is not wrong for as long as a client takes to read.
const LAST_WRITE_BYTES: usize = 16 * 1024;

/// First byte of a TLS record that carries a handshake (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// What becomes of a client that speaks TLS to the farm's plain port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsHello {
    /// Plain 400, as nginx and Apache send, and the end of the connection.
    #[default]
    BadRequest,
    /// The end of the connection.
    Close,
    /// Silence, for as long as the client waits.
    Silence,
}

/// Serves one connection to its end.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    // An answer is a head and a body: without this the body waits for the client's delayed
    // acknowledgment.
    let _ = stream.set_nodelay(true);
    let mut connection = Connection {
        stream,
        received: BytesMut::new(),
    };
    // An error means that the client is gone; nobody is left to tell.
    while let Ok(Next::Request) = connection.exchange(&shared).await {}
}

/// What follows an exchange.
enum Next {
    Request,
    End,
}

/// What is left of a request's head.
struct Request {
    target: HeldRequest,
    user_agent: Option<String>,
    cookies: Option<String>,
    is_head: bool,
    is_last: bool,
}

struct Connection {
    stream: TcpStream,
    received: BytesMut,
}

impl Connection {
    async fn exchange(&mut self, shared: &Shared) -> io::Result<Next> {
        if self.received.is_empty() {
            self.receive().await?;
        }
        if self.received.first() == Some(&TLS_HANDSHAKE) {
            shared.ledger.count_tls_hello();
            let treatment = *lock(&shared.tls_hello);
            return self.treat_tls(treatment).await;
        }
        let Some(request) = self.read_head().await? else {
            return self.refuse(400).await;
        };
        let HeldRequest { host, path } = &request.target;
        let hit = shared.ledger.begin(host, path, request.user_agent.clone());
        let site = shared.site(host);
        self.patiently(shared.gates.pass(&request.target)).await?;
        if let Some(site) = &site {
            self.pause(site.latency()).await?;
        }
        let reply = match site {
            Some(site) => site.reply(host, path, request.cookies.as_deref()),
            None => Reply::status(404),
        };
        self.send(reply, &request, hit).await
    }

    async fn treat_tls(&mut self, treatment: TlsHello) -> io::Result<Next> {
        match treatment {
            TlsHello::BadRequest => self.refuse(400).await,
            TlsHello::Close => Ok(Next::End),
            TlsHello::Silence => self.patiently(future::pending()).await,
        }
    }

    /// Answers what is not a request that the farm serves.
    async fn refuse(&mut self, status: u16) -> io::Result<Next> {
        let head = format!(
            "HTTP/1.1 {status} {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            reason(status)
        );
        self.stream.write_all(head.as_bytes()).await?;
        self.close().await
    }

    /// Ends the connection in good order: unread bytes would make the kernel reset it, and the
    /// client might lose an answer that it has not read yet (RFC 9112, section 9.6).
    async fn close(&mut self) -> io::Result<Next> {
        self.stream.shutdown().await?;
        while self.receive().await.is_ok() {
            self.received.clear();
        }
        Ok(Next::End)
    }

    /// Reads on until the head of a request is complete; `None` if it never can be.
    async fn read_head(&mut self) -> io::Result<Option<Request>> {
        loop {
            match parse_head(&self.received) {
                Ok(httparse::Status::Complete((request, head_bytes))) => {
                    self.received.advance(head_bytes);
                    return Ok(request);
                }
                Ok(httparse::Status::Partial) if self.received.len() < HEAD_LIMIT_BYTES => {
                    self.receive().await?;
                }
                Ok(httparse::Status::Partial) | Err(_) => return Ok(None),
            }
        }
    }

    /// Waits for more bytes; the end of the stream is an error.
    async fn receive(&mut self) -> io::Result<()> {
        if self.stream.read_buf(&mut self.received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// Waits for something other than the client, and ends early if the client leaves.
    async fn patiently<T>(&mut self, wait: impl Future<Output = T>) -> io::Result<T> {
        let mut wait = pin!(wait);
        loop {
            tokio::select! {
                biased;
                waited = &mut wait => return Ok(waited),
                received = self.receive() => received?,
            }
        }
    }

    /// Sleeps, unless for no time at all: a timer's shortest sleep is a millisecond.
    async fn pause(&mut self, time: Duration) -> io::Result<()> {
        if time.is_zero() {
            return Ok(());
        }
        self.patiently(sleep(time)).await
    }

    async fn send(
        &mut self,
        reply: Reply,
        request: &Request,
        hit: OpenHit<'_>,
    ) -> io::Result<Next> {
        match reply.delivery {
            Delivery::Response(response) => self.send_response(response, request, hit).await,
            Delivery::Verbatim(bytes) => {
                self.stream.write_all(&bytes).await?;
                drop(hit);
                self.close().await
            }
            Delivery::Closed => Ok(Next::End),
            Delivery::Silence => self.patiently(future::pending()).await,
        }
    }

    async fn send_response(
        &mut self,
        response: Response,
        request: &Request,
        hit: OpenHit<'_>,
    ) -> io::Result<Next> {
        let status = response.status;
        let mut head = head(&response, request.is_last);
        if request.is_head || matches!(status, 204 | 304) {
            self.finish(head.freeze(), hit, status).await?;
            return self.next(request).await;
        }
        match response.body {
            Body::Whole(body) => {
                head.extend_from_slice(&body);
                self.finish(head.freeze(), hit, status).await?;
            }
            Body::Chunked { chunks, pause } => {
                self.stream.write_all(&head).await?;
                self.send_chunks(chunks, pause).await?;
                self.finish(Bytes::from_static(b"0\r\n\r\n"), hit, status)
                    .await?;
            }
            Body::Repeated { unit, total_bytes } => {
                self.stream.write_all(&head).await?;
                let mut rest = total_bytes;
                while rest > unit.len() {
                    self.stream.write_all(&unit).await?;
                    rest -= unit.len();
                }
                self.finish(unit.slice(..rest), hit, status).await?;
            }
            Body::CutShort(body) => {
                head.extend_from_slice(&body);
                self.stream.write_all(&head).await?;
                drop(hit);
                return self.close().await;
            }
            Body::Stalled(body) => {
                head.extend_from_slice(&body);
                self.stream.write_all(&head).await?;
                return self.patiently(future::pending()).await;
            }
        }
        self.next(request).await
    }

    async fn send_chunks(&mut self, chunks: Vec<Bytes>, pause: Duration) -> io::Result<()> {
        // An empty chunk would be the end of the body.
        for chunk in chunks.into_iter().filter(|chunk| !chunk.is_empty()) {
            self.pause(pause).await?;
            let mut framed = BytesMut::from(format!("{:x}\r\n", chunk.len()).as_bytes());
            framed.extend_from_slice(&chunk);
            framed.extend_from_slice(b"\r\n");
            self.stream.write_all(&framed).await?;
        }
        Ok(())
    }

    /// Sends the last part of an answer; see [`OpenHit::end_with`] for the order.
    async fn finish(&mut self, mut bytes: Bytes, hit: OpenHit<'_>, status: u16) -> io::Result<()> {
        let last = bytes.split_off(bytes.len().saturating_sub(LAST_WRITE_BYTES));
        self.stream.write_all(&bytes).await?;
        hit.end_with(status);
        self.stream.write_all(&last).await
    }

    async fn next(&mut self, request: &Request) -> io::Result<Next> {
        if request.is_last {
            self.close().await
        } else {
            Ok(Next::Request)
        }
    }
}

/// Parses a head, answering `None` in place of a request that the farm refuses, and its length.
fn parse_head(received: &[u8]) -> httparse::Result<(Option<Request>, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; HEADER_LIMIT];
    let mut parsed = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head_bytes) = parsed.parse(received)? else {
        return Ok(httparse::Status::Partial);
    };
    let field = |name: &str| {
        let header = parsed
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(header.value).into_owned())
    };
    let is_head = parsed.method == Some("HEAD");
    let has_body = field("content-length").is_some() || field("transfer-encoding").is_some();
    let is_served = (is_head || parsed.method == Some("GET")) && !has_body;
    let request = match (field("host"), parsed.path) {
        (Some(authority), Some(path)) if is_served => Some(Request {
            target: HeldRequest {
                host: host_of(&authority),
                path: path.to_owned(),
            },
            user_agent: field("user-agent"),
            cookies: field("cookie"),
            is_head,
            is_last: field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
                || parsed.version == Some(0),
        }),
        _ => None,
    };
    Ok(httparse::Status::Complete((request, head_bytes)))
}

/// The host of an authority, without the port, in lower case.
fn host_of(authority: &str) -> String {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    host.to_ascii_lowercase()
}

fn head(response: &Response, is_last: bool) -> BytesMut {
    let status = response.status;
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match &response.body {
        Body::Whole(body) => head.push_str(&format!("content-length: {}\r\n", body.len())),
        Body::Chunked { .. } => head.push_str("transfer-encoding: chunked\r\n"),
        Body::Repeated { total_bytes, .. } => {
            head.push_str(&format!("content-length: {total_bytes}\r\n"));
        }
        Body::CutShort(body) | Body::Stalled(body) => {
            head.push_str(&format!("content-length: {}\r\n", body.len() + 1));
        }
    }
    if is_last {
        head.push_str("connection: close\r\n");
    }
    head.push_str("\r\n");
    BytesMut::from(head.as_bytes())
}

/// A reason phrase; clients ignore it (RFC 9112, section 4), people reading a trace do not.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        410 => "Gone",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
