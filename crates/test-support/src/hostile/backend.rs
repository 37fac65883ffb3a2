//! One connection of the hostile pooler to PostgreSQL.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bytes::BytesMut;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;
use url::Url;

use crate::wire::codec::{Frame, FrameDecoder};

/// Version 3.0 of the protocol.
const PROTOCOL: u32 = 3 << 16;
/// The code in place of a version that asks to cancel; see "Message Formats" in the manual.
const CANCEL_REQUEST: u32 = 80_877_102;

/// Kinds of `Authentication` messages.
const OK: u32 = 0;
const CLEARTEXT: u32 = 3;
const SASL: u32 = 10;
const SASL_CONTINUE: u32 = 11;
const SASL_FINAL: u32 = 12;

/// Where the backends are, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    host: String,
    port: u16,
    user: String,
    password: String,
    pub(super) database: String,
}

/// The way to a backend for those who do not own it.
#[derive(Clone, Debug)]
pub(super) struct BackDoor {
    pub(super) number: usize,
    writer: Arc<Mutex<OwnedWriteHalf>>,
    /// Process id and secret, as `BackendKeyData` has them.
    key: [u8; 8],
}

/// A backend and the right to its answers.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) door: BackDoor,
    reader: OwnedReadHalf,
    decoder: FrameDecoder,
    chunk: BytesMut,
    /// What it told of itself at its start, for greeting clients.
    pub(super) parameters: Vec<Frame>,
}

impl Upstream {
    pub(super) fn parse(url: &Url) -> Result<Self> {
        let host = url.host_str().context("the upstream URL has no host")?;
        Ok(Self {
            host: host.to_owned(),
            port: url.port().unwrap_or(5432),
            user: url.username().to_owned(),
            password: url.password().unwrap_or_default().to_owned(),
            database: url.path().trim_start_matches('/').to_owned(),
        })
    }

    /// The same server and user, another database.
    pub(super) fn with_database(&self, database: &str) -> Self {
        Self {
            database: database.to_owned(),
            ..self.clone()
        }
    }

    async fn open(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Asks for the cancellation of whatever this backend runs by then.
    pub(super) async fn cancel(&self, door: &BackDoor) -> Result<()> {
        let mut request = Vec::from(16_u32.to_be_bytes());
        request.extend_from_slice(&CANCEL_REQUEST.to_be_bytes());
        request.extend_from_slice(&door.key);
        let mut stream = self.open().await?;
        stream.write_all(&request).await?;
        Ok(())
    }
}

impl BackDoor {
    /// Sends bytes to the backend, whoever it works for.
    pub(super) async fn push(&self, bytes: &[u8]) -> Result<()> {
        self.writer.lock().await.write_all(bytes).await?;
        Ok(())
    }
}

impl Backend {
    /// Opens and authenticates a connection.
    pub(super) async fn open(upstream: &Upstream, number: usize) -> Result<Self> {
        let (reader, writer) = upstream.open().await?.into_split();
        let mut backend = Self {
            door: BackDoor {
                number,
                writer: Arc::new(Mutex::new(writer)),
                key: [0; 8],
            },
            reader,
            decoder: FrameDecoder::of_server(),
            chunk: BytesMut::new(),
            parameters: Vec::new(),
        };
        let start = startup(&upstream.user, &upstream.database);
        backend.door.push(&start).await?;
        backend.authenticate(&upstream.password).await?;
        loop {
            let frame = backend.expect_frame().await?;
            match frame.tag {
                Some(b'S') => backend.parameters.push(frame),
                Some(b'K') => backend
                    .door
                    .key
                    .copy_from_slice(frame.body().get(..8).context("a key of eight bytes")?),
                Some(b'Z') => return Ok(backend),
                Some(b'E') => bail!("the server refuses a session: {}", text(&frame)),
                _ => {}
            }
        }
    }

    async fn authenticate(&mut self, password: &str) -> Result<()> {
        let mut scram = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
        loop {
            let frame = self.expect_frame().await?;
            if frame.tag != Some(b'R') {
                bail!("the server refuses the pooler: {}", text(&frame));
            }
            let (kind, rest) = frame
                .body()
                .split_first_chunk::<4>()
                .context("an authentication message has a kind")?;
            let answer = match u32::from_be_bytes(*kind) {
                OK => return Ok(()),
                CLEARTEXT => [password.as_bytes(), b"\0"].concat(),
                SASL => {
                    let first = scram.message();
                    let length = u32::try_from(first.len())?.to_be_bytes();
                    [SCRAM_SHA_256.as_bytes(), b"\0", &length, first].concat()
                }
                SASL_CONTINUE => {
                    scram.update(rest)?;
                    scram.message().to_vec()
                }
                SASL_FINAL => {
                    scram.finish(rest)?;
                    continue;
                }
                other => bail!("the server asks for authentication of kind {other}"),
            };
            self.door.push(&Frame::new(b'p', &answer).bytes).await?;
        }
    }

    /// Runs SQL of the pooler's own and ignores what it answers.
    pub(super) async fn run(&mut self, sql: &str) -> Result<()> {
        let query = Frame::new(b'Q', format!("{sql}\0").as_bytes());
        self.door.push(&query.bytes).await?;
        while self.expect_frame().await?.tag != Some(b'Z') {}
        Ok(())
    }

    /// The next message that has arrived already.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>> {
        Ok(self.decoder.next_frame()?)
    }

    /// Waits for more; `false` at the end of the connection.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub(super) async fn receive(&mut self) -> Result<bool> {
        if self.reader.read_buf(&mut self.chunk).await? == 0 {
            return Ok(false);
        }
        self.decoder.feed(&self.chunk.split());
        Ok(true)
    }

    async fn expect_frame(&mut self) -> Result<Frame> {
        loop {
            if let Some(frame) = self.next_frame()? {
                return Ok(frame);
            }
            if !self.receive().await? {
                bail!("the server has closed the connection");
            }
        }
    }
}

fn startup(user: &str, database: &str) -> Vec<u8> {
    let mut body = Vec::from(PROTOCOL.to_be_bytes());
    for text in [
        "user",
        user,
        "database",
        database,
        "client_encoding",
        "UTF8",
    ] {
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), body.as_slice()].concat()
}

/// A message as far as a person can read it.
fn text(frame: &Frame) -> String {
    String::from_utf8_lossy(frame.body()).replace('\0', " ")
}
