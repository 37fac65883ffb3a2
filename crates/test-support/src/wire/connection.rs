//! One client's connection through the proxy: two pumps that forward, hold back and break.
//!
//! Everything that is learned from received bytes is told to the [`Conversation`] before anything
//! is sent because of it, so an answer can never overtake the record of its request. The pumps
//! run in one task: what one does between two awaits is atomic for the other.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::broadcast;
use tokio::time::sleep;

use super::codec::{Frame, FrameDecoder};
use super::conversation::{ClientStep, Conversation, Fate, ServerStep};
use super::faults::Effect;
use super::message::Opening;
use super::report::{Rule, Violation};
use super::{Order, Shared};

/// How much is read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Why a session is over.
enum End {
    /// One side has closed, or both are to be closed.
    Closed,
    /// The client gets a last message before both are closed.
    Told(Bytes),
    /// Nothing is closed and nothing passes any more.
    Silent,
}

/// Serves one connection to its end.
///
/// # Errors
///
/// When a socket fails or the peer does not speak the protocol: an ordinary end of a connection,
/// worth at most a line of log.
pub(super) async fn serve(client: TcpStream, shared: Arc<Shared>, connection: usize) -> Result<()> {
    let mut orders = shared.orders.subscribe();
    let (mut client, watch) = watched(client)?;
    let mut decoder = FrameDecoder::of_client();
    let Some((startup, parameters)) = open(&mut client, &mut decoder, &shared, connection).await?
    else {
        return Ok(());
    };
    let conversation = Mutex::new(Conversation::start(
        Arc::clone(&shared.recorder),
        connection,
        &parameters,
    ));
    let session = async {
        if let Some(end) = at_connect(&shared, &conversation).await {
            return Ok((end, None));
        }
        let mut server = shared.connect().await?;
        server.write_all(&startup.bytes).await?;
        let end = pump(
            &mut client,
            &mut server,
            decoder,
            &watch,
            &shared,
            &conversation,
        )
        .await?;
        Ok::<_, anyhow::Error>((end, Some(server)))
    };
    let ended = {
        let mut session = std::pin::pin!(session);
        loop {
            tokio::select! {
                // An order comes before whatever is sent after it was given.
                biased;
                order = orders.recv() => match order {
                    Ok(Order::CutAll) | Err(_) => return Ok(()),
                    Ok(Order::CutIdle) if lock(&conversation).is_idle() => return Ok(()),
                    Ok(Order::CutIdle) => {}
                    // The session is neither polled nor dropped: its sockets stay as they are.
                    Ok(Order::SilenceAll) => break silence(&mut orders).await,
                },
                ended = &mut session => break ended,
            }
        }
    };
    // Held to the end: a silent connection stays open on both sides.
    let (end, _server) = ended?;
    match end {
        End::Closed => {}
        End::Told(message) => client.write_all(&message).await?,
        End::Silent => {
            silence(&mut orders).await?;
        }
    }
    Ok(())
}

/// Waits until silent connections are cut as well.
async fn silence(orders: &mut broadcast::Receiver<Order>) -> Result<(End, Option<TcpStream>)> {
    while let Ok(Order::CutIdle | Order::SilenceAll) = orders.recv().await {}
    Ok((End::Closed, None))
}

/// Reads up to the startup message; `None` if the connection was for something else.
async fn open(
    client: &mut TcpStream,
    decoder: &mut FrameDecoder,
    shared: &Shared,
    connection: usize,
) -> Result<Option<(Frame, Vec<(String, String)>)>> {
    let mut chunk = BytesMut::new();
    loop {
        while let Some(frame) = decoder.next_frame()? {
            match Opening::parse(&frame) {
                // Never encrypted: the proxy could not read it.
                Ok(Opening::Encryption) => client.write_all(b"N").await?,
                Ok(Opening::Cancel) => {
                    shared.recorder.violation(Violation {
                        connection,
                        rule: Rule::CancelRequest,
                        detail: "CancelRequest".to_owned(),
                    });
                    let mut server = shared.connect().await?;
                    server.write_all(&frame.bytes).await?;
                    return Ok(None);
                }
                Ok(Opening::Startup(parameters)) => {
                    decoder.start();
                    return Ok(Some((frame, parameters)));
                }
                Err(_malformed) => bail!("the first message is not one of the protocol"),
            }
        }
        if client.read_buf(&mut chunk).await? == 0 {
            return Ok(None);
        }
        decoder.feed(&chunk.split());
    }
}

/// Commits the fault whose moment a new session is; `None` if the session goes on.
async fn at_connect(shared: &Shared, conversation: &Mutex<Conversation>) -> Option<End> {
    let effect = shared.faults.at_connect()?;
    lock(conversation).fault(effect.to_string());
    match effect {
        Effect::CutBefore | Effect::CutDuring | Effect::CutAfter => Some(End::Closed),
        Effect::SilenceBefore | Effect::SilenceAfter => Some(End::Silent),
        Effect::Fatal { .. } | Effect::Error { .. } => Some(
            effect
                .fatal()
                .map_or(End::Closed, |error| End::Told(error.frame().bytes)),
        ),
        Effect::Delay(time) => {
            sleep(time).await;
            None
        }
    }
}

async fn pump(
    client: &mut TcpStream,
    server: &mut TcpStream,
    decoder: FrameDecoder,
    watch: &std::net::TcpStream,
    shared: &Shared,
    conversation: &Mutex<Conversation>,
) -> Result<End> {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::select! {
        end = pump_requests(from_client, to_server, decoder, shared, conversation) => end,
        end = pump_answers(from_server, to_client, watch, shared, conversation) => end,
    }
}

/// Forwards whole requests from the client to the server.
async fn pump_requests(
    client: ReadHalf<'_>,
    mut server: WriteHalf<'_>,
    mut decoder: FrameDecoder,
    shared: &Shared,
    conversation: &Mutex<Conversation>,
) -> Result<End> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut collected = BytesMut::new();
    loop {
        loop {
            let (step, frame) = {
                let mut conversation = lock(conversation);
                if let Some(tag) = decoder.next_tag() {
                    conversation.message_begins(tag);
                }
                let Some(frame) = decoder.next_frame()? else {
                    break;
                };
                let step = conversation
                    .client_frame(&frame)
                    .ok()
                    .context("a broken message")?;
                (step, frame)
            };
            collected.extend_from_slice(&frame.bytes);
            let request = match step {
                ClientStep::Collect => continue,
                ClientStep::Forward => {
                    server.write_all(&collected.split()).await?;
                    continue;
                }
                ClientStep::Complete(request) => request,
            };
            let effect = shared.faults.at_request(&request);
            if let Some(effect) = &effect {
                lock(conversation).fault(effect.to_string());
            }
            match effect {
                None => {}
                Some(Effect::CutBefore) => return Ok(End::Closed),
                Some(Effect::SilenceBefore) => return Ok(End::Silent),
                Some(Effect::CutDuring) => {
                    server.write_all(&collected.split()).await?;
                    return Ok(End::Closed);
                }
                Some(Effect::CutAfter) => lock(conversation).set_fate(Fate::CutAtEnd),
                Some(Effect::SilenceAfter) => lock(conversation).set_fate(Fate::SilentAtEnd),
                Some(effect @ Effect::Fatal { .. }) => {
                    return Ok(match effect.fatal() {
                        Some(error) => End::Told(error.frame().bytes),
                        None => End::Closed,
                    });
                }
                Some(Effect::Error { sqlstate, message }) => {
                    collected.clear();
                    collected.extend_from_slice(&failing_query(sqlstate, &message).bytes);
                }
                Some(Effect::Delay(time)) => sleep(time).await,
            }
            server.write_all(&collected.split()).await?;
        }
        client.readable().await?;
        match client.try_read(&mut chunk) {
            Ok(0) => return Ok(End::Closed),
            Ok(bytes) => decoder.feed(&chunk[..bytes]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Forwards answers from the server to the client, and holds `ReadyForQuery` back.
async fn pump_answers(
    mut server: ReadHalf<'_>,
    mut client: WriteHalf<'_>,
    watch: &std::net::TcpStream,
    shared: &Shared,
    conversation: &Mutex<Conversation>,
) -> Result<End> {
    let mut decoder = FrameDecoder::of_server();
    let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
    let mut passed = BytesMut::new();
    loop {
        while let Some(frame) = decoder.next_frame()? {
            let step = lock(conversation)
                .server_frame(&frame)
                .ok()
                .context("a broken message of the server")?;
            match step {
                ServerStep::Forward => passed.extend_from_slice(&frame.bytes),
                ServerStep::Swallow => {}
                ServerStep::Cut => return Ok(End::Closed),
                ServerStep::Silence => return Ok(End::Silent),
                ServerStep::Hold { has_error } => {
                    client.write_all(&passed.split()).await?;
                    let hold = shared.holds().after(has_error);
                    if !hold.is_zero() {
                        sleep(hold).await;
                    }
                    let mut conversation = lock(conversation);
                    if let Some(tag) = first_unread_byte(watch) {
                        conversation.message_begins(tag);
                    }
                    conversation.release();
                    passed.extend_from_slice(&frame.bytes);
                }
            }
        }
        client.write_all(&passed.split()).await?;
        if server.read_buf(&mut chunk).await? == 0 {
            return Ok(End::Closed);
        }
        decoder.feed(&chunk.split());
    }
}

/// Splits off a second handle to the socket, for [`first_unread_byte`].
fn watched(stream: TcpStream) -> Result<(TcpStream, std::net::TcpStream)> {
    let stream = stream.into_std()?;
    let watch = stream.try_clone()?;
    Ok((TcpStream::from_std(stream)?, watch))
}

/// What the kernel has for us already, whether or not tokio knows: so that a byte that was there
/// before `ReadyForQuery` was released never passes for one that came after.
fn first_unread_byte(watch: &std::net::TcpStream) -> Option<u8> {
    let mut byte = [0];
    // Never blocks: the socket is tokio's and therefore non-blocking.
    match watch.peek(&mut byte) {
        Ok(1..) => Some(byte[0]),
        Ok(0) | Err(_) => None,
    }
}

/// A statement that fails as told.
fn failing_query(sqlstate: &str, message: &str) -> Frame {
    let message = message.replace('\'', "''");
    let sql = format!(
        "DO $fault$ BEGIN RAISE EXCEPTION USING ERRCODE = '{sqlstate}', MESSAGE = '{message}'; \
         END $fault$\0"
    );
    Frame::new(b'Q', sql.as_bytes())
}

fn lock(conversation: &Mutex<Conversation>) -> MutexGuard<'_, Conversation> {
    conversation.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long `ReadyForQuery` is held back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Holds {
    pub(super) after_success: Duration,
    pub(super) after_error: Duration,
}

impl Holds {
    fn after(self, has_error: bool) -> Duration {
        if has_error {
            self.after_error
        } else {
            self.after_success
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::wait::wait_until;

    #[tokio::test]
    async fn unread_bytes_are_seen_and_left_where_they_are() -> Result<()> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let mut peer = std::net::TcpStream::connect(listener.local_addr()?)?;
        let (mut stream, watch) = watched(listener.accept().await?.0)?;
        assert_eq!(first_unread_byte(&watch), None);
        peer.write_all(b"QX")?;
        wait_until("the bytes to arrive", Duration::from_secs(10), async || {
            first_unread_byte(&watch) == Some(b'Q')
        })
        .await?;
        assert_eq!(stream.read_u8().await?, b'Q');
        assert_eq!(first_unread_byte(&watch), Some(b'X'));
        drop(peer);
        assert_eq!(stream.read_u8().await?, b'X');
        wait_until("the end", Duration::from_secs(10), async || {
            matches!(watch.peek(&mut [0]), Ok(0))
        })
        .await?;
        assert_eq!(first_unread_byte(&watch), None);
        Ok(())
    }
}
