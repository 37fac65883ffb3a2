//! One client's session: a transaction at a time, each on another backend, each in danger.
//!
//! The order is that of a real pooler: the first byte of a transaction takes a backend, the
//! `ReadyForQuery` that ends it gives the backend back, and whatever the client has sent by then is
//! no longer this backend's business.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{sleep, timeout};

use super::backends::{Backends, Lent, POISONS};
use super::request::{Assembler, Request, Wish};
use super::{Deed, Shared};
use crate::dice::Dice;
use crate::wire::codec::Frame;
use crate::wire::message::{Backend as Answer, Opening, ServerError};
use crate::wire::{Effect, RequestKind, TransactionStatus};

/// Wait for a free backend. Above a restart of all of them, below every client's patience.
const CHECKOUT_PATIENCE: Duration = Duration::from_secs(3);
/// How long `ReadyForQuery` is behind the error before it: time for a client that does not wait.
const HOLD_AFTER_ERROR: Duration = Duration::from_millis(3);
/// How long the pooler does not notice that a client has gone.
const HALF_OPEN: Duration = Duration::from_millis(1500);
/// Supavisor's cost of one request: 259 ms at 1 MB, quadratic (measured).
const SECONDS_AT_ONE_MEGABYTE: f64 = 0.26;
/// The part of an answer that comes in crumbs.
const CRUMBLED_BYTES: usize = 256;

/// How a session goes on.
enum Next {
    Continue,
    /// Both sides are closed.
    Close,
    /// The client gets a last message first.
    Tell(ServerError),
    /// Nothing is closed and nothing passes any more.
    Silence,
}

/// What becomes of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Delivered,
    Crumbled,
    /// Swallowed, after which the connection is cut, silent, or told of a shutdown.
    Lost(Deed),
}

struct Session {
    shared: Arc<Shared>,
    backends: Arc<Backends>,
    dice: Dice,
    incoming: Assembler,
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    chunk: BytesMut,
    lent: Option<Lent>,
    last: Option<usize>,
}

/// Serves one connection to its end.
///
/// # Errors
///
/// When a socket fails or the peer does not speak the protocol: an ordinary end here.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>, number: u64) -> Result<()> {
    let (reader, writer) = stream.into_split();
    let mut session = Session {
        dice: Dice::of(shared.hostility().seed, number),
        backends: shared.backends(&shared.upstream.database),
        shared,
        incoming: Assembler::new(),
        reader,
        writer,
        chunk: BytesMut::new(),
        lent: None,
        last: None,
    };
    let ended = session.run().await;
    let end = session.part(ended).await;
    // Whatever the client left open is rolled back when the backend's connection closes; now, or
    // when the pooler notices.
    if session.lent.is_some() && session.happens(Deed::HalfOpen) {
        sleep(HALF_OPEN).await;
    }
    end
}

impl Session {
    /// Whether a deed is to be done now; then it counts as committed.
    fn happens(&mut self, deed: Deed) -> bool {
        let rate = self.shared.hostility().rate(deed);
        let happens = self.dice.happens(rate);
        if happens {
            self.shared.committed(deed);
        }
        happens
    }

    /// Takes leave of the client as it should be.
    async fn part(&mut self, ended: Result<Next>) -> Result<()> {
        match ended? {
            Next::Continue | Next::Close => {}
            Next::Tell(error) => self.writer.write_all(&error.frame().bytes).await?,
            Next::Silence => {
                self.lent = None;
                std::future::pending::<()>().await;
            }
        }
        // The client learns of the end at once, whatever happens behind the pooler.
        let _ = self.writer.shutdown().await;
        Ok(())
    }

    async fn run(&mut self) -> Result<Next> {
        loop {
            match self.open().await? {
                Some(Next::Continue) => break,
                Some(end) => return Ok(end),
                None => {
                    if !self.receive().await? {
                        return Ok(Next::Close);
                    }
                }
            }
        }
        loop {
            let Some(request) = self.next_request().await? else {
                return Ok(Next::Close);
            };
            self.shared.report().requests += 1;
            match self.serve_request(request).await? {
                Next::Continue => {}
                end => return Ok(end),
            }
        }
    }

    /// Looks at what came first; `None` if more is needed.
    async fn open(&mut self) -> Result<Option<Next>> {
        while let Some(opening) = self.incoming.opening()? {
            match opening {
                Opening::Encryption => self.writer.write_all(b"N").await?,
                Opening::Cancel => {
                    self.cancel_somebody().await?;
                    return Ok(Some(Next::Close));
                }
                Opening::Startup(parameters) => {
                    let named = parameters.iter().find(|(name, _value)| name == "database");
                    if let Some((_name, database)) = named {
                        self.backends = self.shared.backends(database);
                    }
                    return self.greet().await.map(Some);
                }
            }
        }
        Ok(None)
    }

    async fn greet(&mut self) -> Result<Next> {
        if self.happens(Deed::TooManyClients) {
            return Ok(fatal(&Effect::too_many_clients()));
        }
        if self.happens(Deed::BlackHoleAtConnect) {
            return Ok(Next::Silence);
        }
        let mut greeting = BytesMut::from(&Frame::new(b'R', &0_u32.to_be_bytes()).bytes[..]);
        // What the server says of itself; the backend is not the client's before it asks something.
        let Some(mut lent) = self.borrow().await? else {
            return Ok(fatal(&Effect::checkout_timeout()));
        };
        for parameter in &lent.backend()?.parameters {
            greeting.extend_from_slice(&parameter.bytes);
        }
        lent.give_back();
        // A key that fits every backend and therefore none.
        greeting.extend_from_slice(&Frame::new(b'K', &[0; 8]).bytes);
        greeting.extend_from_slice(&Frame::new(b'Z', b"I").bytes);
        self.writer.write_all(&greeting).await?;
        Ok(Next::Continue)
    }

    /// Waits for a request; `None` when there will be none.
    async fn next_request(&mut self) -> Result<Option<Request>> {
        let is_idle = self.lent.is_none();
        let cut_after = if is_idle && self.happens(Deed::CutIdle) {
            self.dice.millis(1..=300)
        } else {
            Duration::MAX
        };
        loop {
            match self.incoming.next()? {
                Some(Wish::Request(request)) => return Ok(Some(request)),
                Some(Wish::Terminate) => {
                    // A farewell in the middle of a transaction reaches its backend too.
                    self.lent = None;
                    return Ok(None);
                }
                None => {}
            }
            let received = match &mut self.lent {
                None => match timeout(cut_after, self.receive()).await {
                    Ok(received) => received?,
                    Err(_elapsed) => return Ok(None),
                },
                Some(lent) => {
                    let backend = lent.backend()?;
                    tokio::select! {
                        received = read(&mut self.reader, &mut self.chunk, &mut self.incoming) => received?,
                        // Its last words, such as that it was idle for too long.
                        alive = backend.receive() => {
                            let is_alive = alive.unwrap_or(false);
                            while let Some(frame) = backend.next_frame()? {
                                self.writer.write_all(&frame.bytes).await?;
                            }
                            is_alive
                        }
                    }
                }
            };
            if !received {
                return Ok(None);
            }
        }
    }

    async fn receive(&mut self) -> Result<bool> {
        read(&mut self.reader, &mut self.chunk, &mut self.incoming).await
    }

    /// Lends a backend, in whatever condition; `None` when none gets free in time.
    async fn borrow(&mut self) -> Result<Option<Lent>> {
        let backends = Arc::clone(&self.backends);
        let lent = backends
            .lend(self.last, &mut self.dice, CHECKOUT_PATIENCE)
            .await?;
        if let Some(lent) = &lent {
            self.last = Some(lent.number());
        }
        Ok(lent)
    }

    async fn serve_request(&mut self, request: Request) -> Result<Next> {
        if self.lent.is_none()
            && let Some(end) = self.begin().await?
        {
            return Ok(end);
        }
        if self.happens(Deed::AdminShutdown) {
            return Ok(fatal(&Effect::admin_shutdown()));
        }
        if self.happens(Deed::Delay) {
            let late = self.dice.millis(1..=100);
            sleep(late).await;
        }
        let bytes = request.bytes.len();
        if self.happens(Deed::SlowLargeRequests) {
            sleep(cost_of(bytes)).await;
        }
        let is_commit = request.kind == RequestKind::Commit;
        if self.happens(Deed::CutBefore) || is_commit && self.happens(Deed::CutBeforeCommit) {
            return Ok(Next::Close);
        }
        if self.happens(Deed::BlackHoleBefore) {
            return Ok(Next::Silence);
        }
        let sent = if request.is_named && self.happens(Deed::RefuseNamed) {
            let (sqlstate, message) = match self.dice.below(3) {
                0 => ("26000", "prepared statement does not exist"),
                1 => ("42P05", "prepared statement already exists"),
                _ => return Ok(fatal(&Effect::no_named_statements())),
            };
            failing_query(sqlstate, message).bytes
        } else if request.kind == RequestKind::Statement && self.happens(Deed::WrongCancel) {
            failing_query("57014", "canceling statement due to user request").bytes
        } else {
            request.bytes
        };
        self.lent()?.backend()?.door.clone().push(&sent).await?;
        if self.happens(Deed::CutDuring) || is_commit && self.happens(Deed::CutDuringCommit) {
            return Ok(Next::Close);
        }
        if self.happens(Deed::StrayCancel) {
            self.cancel_somebody().await?;
        }
        let fate = self.fate(is_commit);
        self.answer(fate).await
    }

    /// Takes a backend for a new transaction; `Some` when the client gets none.
    async fn begin(&mut self) -> Result<Option<Next>> {
        if self.happens(Deed::CheckoutTimeout) {
            return Ok(Some(fatal(&Effect::checkout_timeout())));
        }
        let Some(mut lent) = self.borrow().await? else {
            return Ok(Some(fatal(&Effect::checkout_timeout())));
        };
        if self.happens(Deed::DeadBackend) {
            // Dropped and not given back: its connection closes, and with it the client's.
            return Ok(Some(Next::Close));
        }
        if self.happens(Deed::ForgetStatements) {
            let sql = self
                .dice
                .choose(&["DEALLOCATE ALL", "DISCARD ALL"])
                .copied();
            lent.backend()?.run(sql.unwrap_or_default()).await?;
        }
        if self.happens(Deed::PoisonSettings) {
            let sql = self.dice.choose(&POISONS).copied();
            lent.backend()?.run(sql.unwrap_or_default()).await?;
        }
        self.shared.report().transactions += 1;
        self.lent = Some(lent);
        Ok(None)
    }

    fn fate(&mut self, is_commit: bool) -> Fate {
        if is_commit && self.happens(Deed::CutAfterCommit) {
            return Fate::Lost(Deed::CutAfter);
        }
        for deed in [
            Deed::CutAfter,
            Deed::BlackHoleAfter,
            Deed::AdminShutdownAfter,
        ] {
            if self.happens(deed) {
                return Fate::Lost(deed);
            }
        }
        if self.happens(Deed::Trickle) {
            return Fate::Crumbled;
        }
        Fate::Delivered
    }

    /// Passes one answer on, up to and including its `ReadyForQuery`.
    async fn answer(&mut self, fate: Fate) -> Result<Next> {
        let mut passed = BytesMut::new();
        let mut has_error = false;
        loop {
            while let Some(frame) = self.lent()?.backend()?.next_frame()? {
                let Ok(message) = Answer::parse(&frame) else {
                    return Ok(Next::Close);
                };
                has_error |= matches!(message, Answer::Error(_));
                if let Answer::Ready(status) = message {
                    if has_error {
                        // As PostgreSQL does: the error at once, the rest in its own time.
                        self.deliver(&mut passed, fate).await?;
                        self.hold().await?;
                    }
                    passed.extend_from_slice(&frame.bytes);
                    return self.end_of_request(status, passed, fate).await;
                }
                passed.extend_from_slice(&frame.bytes);
            }
            self.deliver(&mut passed, fate).await?;
            let backend = match &mut self.lent {
                Some(lent) => lent.backend()?,
                None => return Ok(Next::Close),
            };
            let goes_on = tokio::select! {
                alive = backend.receive() => alive.unwrap_or(false),
                received = read(&mut self.reader, &mut self.chunk, &mut self.incoming) => received?,
            };
            if !goes_on {
                return Ok(Next::Close);
            }
        }
    }

    /// Holds `ReadyForQuery` back for a moment and listens to what the client says meanwhile.
    async fn hold(&mut self) -> Result<()> {
        let hold = sleep(HOLD_AFTER_ERROR);
        tokio::pin!(hold);
        loop {
            tokio::select! {
                () = &mut hold => return Ok(()),
                received = read(&mut self.reader, &mut self.chunk, &mut self.incoming) => {
                    if !received? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// The backend is ready: it goes back if no transaction is open, and what the client has sent
    /// by now goes astray.
    async fn end_of_request(
        &mut self,
        status: TransactionStatus,
        mut passed: BytesMut,
        fate: Fate,
    ) -> Result<Next> {
        let is_over = status == TransactionStatus::Idle;
        if is_over && let Some(lent) = self.lent.take() {
            lent.give_back();
        }
        self.deliver(&mut passed, fate).await?;
        match fate {
            Fate::Delivered | Fate::Crumbled => {}
            Fate::Lost(Deed::BlackHoleAfter) => return Ok(Next::Silence),
            Fate::Lost(Deed::AdminShutdownAfter) => return Ok(fatal(&Effect::admin_shutdown())),
            Fate::Lost(_cut) => return Ok(Next::Close),
        }
        while is_over && self.incoming.has_begun() && self.happens(Deed::MisrouteEarlyBytes) {
            let Some(request) = self.next_request().await? else {
                return Ok(Next::Close);
            };
            let shared = Arc::clone(&self.shared);
            shared.report().requests += 1;
            shared.report().astray.push(request.label);
            if let Some(door) = self.backends.stranger(self.last, &mut self.dice) {
                // Where that fails, the request is lost, which is no better for the client.
                let _ = door.push(&request.bytes).await;
            }
        }
        Ok(Next::Continue)
    }

    async fn deliver(&mut self, passed: &mut BytesMut, fate: Fate) -> Result<()> {
        match fate {
            Fate::Lost(_) => passed.clear(),
            Fate::Delivered => self.writer.write_all(&passed.split()).await?,
            Fate::Crumbled => {
                let mut crumbled = passed.split_to(passed.len().min(CRUMBLED_BYTES));
                while !crumbled.is_empty() {
                    let bytes = 1 + self.dice.below(16);
                    let crumb = crumbled.split_to(bytes.min(crumbled.len()));
                    self.writer.write_all(&crumb).await?;
                    sleep(Duration::from_millis(1)).await;
                }
                self.writer.write_all(&passed.split()).await?;
            }
        }
        Ok(())
    }

    /// Cancels whatever one of the backends runs.
    async fn cancel_somebody(&mut self) -> Result<()> {
        if let Some(door) = self.backends.stranger(None, &mut self.dice) {
            self.backends.upstream.cancel(&door).await?;
        }
        Ok(())
    }

    fn lent(&mut self) -> Result<&mut Lent> {
        self.lent.as_mut().context("no backend is lent")
    }
}

async fn read(
    reader: &mut OwnedReadHalf,
    chunk: &mut BytesMut,
    incoming: &mut Assembler,
) -> Result<bool> {
    if reader.read_buf(chunk).await? == 0 {
        return Ok(false);
    }
    incoming.feed(&chunk.split());
    Ok(true)
}

fn fatal(effect: &Effect) -> Next {
    effect.fatal().map_or(Next::Close, Next::Tell)
}

fn cost_of(bytes: usize) -> Duration {
    let megabytes = bytes as f64 / 1e6;
    Duration::from_secs_f64(SECONDS_AT_ONE_MEGABYTE * megabytes * megabytes)
}

/// A statement that fails as told, so that the transaction is left as an error leaves it.
fn failing_query(sqlstate: &str, message: &str) -> Frame {
    let sql = format!(
        "DO $fault$ BEGIN RAISE EXCEPTION USING ERRCODE = '{sqlstate}', MESSAGE = '{message}'; \
         END $fault$\0"
    );
    Frame::new(b'Q', sql.as_bytes())
}
