//! One raw connection, for looking at what a scope rightly hides: the key that the server hands
//! out, whether the connection is encrypted, statements with a name of our choice.
//!
//! Every request is read to `ReadyForQuery`, also after an error, so nothing is ever sent to a
//! server connection that a pooler has given to somebody else. After a lost or late answer nothing
//! more is sent at all. Not for work: work goes through [`crate::scope`].

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::backend::{DataRowBody, ErrorFields, Message};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::error::ProbeError;
use super::facts::OwnLeg;

/// What a connection runs over.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

/// Rows of text values, as the server wrote them.
pub(super) type Rows = Vec<Vec<Option<String>>>;

/// A connection that has logged in.
pub(super) struct Wire {
    pub(super) stream: Box<dyn Transport>,
    pub(super) received: BytesMut,
    /// Where it leads: host and port, or a socket.
    pub(super) address: String,
    /// For one answer.
    pub(super) limit: Duration,
    pub(super) own_leg: OwnLeg,
    /// The process that the server names for cancel requests: PostgreSQL's own, or a pooler's
    /// invention.
    pub(super) key_process: i32,
    /// An answer is outstanding for good: nothing may be sent behind it.
    pub(super) is_spent: bool,
}

impl Wire {
    /// Runs SQL without parameters.
    pub(super) async fn query(
        &mut self,
        request: &'static str,
        sql: &str,
    ) -> Result<Rows, ProbeError> {
        self.ask(request, |out| frontend::query(sql, out)).await
    }

    /// Makes a statement that has a name.
    pub(super) async fn name_statement(&mut self, name: &str, sql: &str) -> Result<(), ProbeError> {
        let request = "the naming of a statement";
        self.ask(request, |out| {
            frontend::parse(name, sql, [], out)?;
            frontend::sync(out);
            Ok(())
        })
        .await
        .map(drop)
    }

    /// Runs a statement by its name.
    pub(super) async fn run_named(&mut self, name: &str) -> Result<Rows, ProbeError> {
        let request = "a statement called by its name";
        self.ask(request, |out| {
            let no_values: [&[u8]; 0] = [];
            frontend::bind("", name, [], no_values, |_, _| unreachable_value(), [], out)
                .map_err(|_error| io::Error::from(io::ErrorKind::InvalidInput))?;
            frontend::execute("", 0, out)?;
            frontend::sync(out);
            Ok(())
        })
        .await
    }

    /// Forgets a statement that has a name.
    pub(super) async fn forget_statement(&mut self, name: &str) -> Result<(), ProbeError> {
        self.ask("the end of a named statement", |out| {
            frontend::close(b'S', name, out)?;
            frontend::sync(out);
            Ok(())
        })
        .await
        .map(drop)
    }

    /// Waits differently long for answers from now on.
    pub(super) fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Sends nothing more: after a refusal outside a transaction a pooler may already have given
    /// the server connection to another client.
    pub(super) fn give_up(&mut self) {
        self.is_spent = true;
    }

    /// Says goodbye, so that a pooler need not wonder; where nothing may be sent, only hangs up.
    pub(super) async fn close(mut self) {
        if self.is_spent {
            return;
        }
        let mut out = BytesMut::new();
        frontend::terminate(&mut out);
        // The other side may have gone first, which is as good.
        let goodbye = async {
            self.stream.write_all(&out).await?;
            self.stream.shutdown().await
        };
        let _gone = tokio::time::timeout(self.limit, goodbye).await;
    }

    /// Sends one request and reads its answer to the end.
    async fn ask(
        &mut self,
        request: &'static str,
        write: impl FnOnce(&mut BytesMut) -> io::Result<()>,
    ) -> Result<Rows, ProbeError> {
        let lost = |source| ProbeError::Lost { request, source };
        if self.is_spent {
            return Err(lost(io::ErrorKind::NotConnected.into()));
        }
        let mut out = BytesMut::new();
        write(&mut out).map_err(lost)?;
        self.is_spent = true;
        let limit = self.limit;
        let conversation = async {
            self.send(&out).await.map_err(lost)?;
            self.answer(request).await
        };
        let answered = tokio::time::timeout(limit, conversation)
            .await
            .map_err(|_elapsed| ProbeError::Silent { request, limit })?;
        let answer = answered?;
        self.is_spent = false;
        answer
    }

    /// Reads up to `ReadyForQuery`. The outer error says that it never came.
    async fn answer(
        &mut self,
        request: &'static str,
    ) -> Result<Result<Rows, ProbeError>, ProbeError> {
        let mut rows = Rows::new();
        let mut refusal = None;
        loop {
            let message = match self.next().await {
                Ok(message) => message,
                // A FATAL answer closes the connection and says more than its end does.
                Err(source) => {
                    return Err(refusal.unwrap_or(ProbeError::Lost { request, source }));
                }
            };
            match message {
                Message::DataRow(row) => {
                    rows.push(values(&row).map_err(|error| ProbeError::Unexpected {
                        request,
                        what: error.to_string(),
                    })?)
                }
                Message::ErrorResponse(body) => refusal = Some(refused(body.fields())),
                Message::ReadyForQuery(_) => return Ok(refusal.map_or(Ok(rows), Err)),
                // Completions, descriptions, notices and parameters say nothing that is asked here.
                _ => {}
            }
        }
    }

    pub(super) async fn send(&mut self, out: &[u8]) -> io::Result<()> {
        self.stream.write_all(out).await?;
        self.stream.flush().await
    }

    pub(super) async fn next(&mut self) -> io::Result<Message> {
        loop {
            if let Some(message) = Message::parse(&mut self.received)? {
                return Ok(message);
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Binding no values calls for none.
fn unreachable_value() -> Result<postgres_protocol::IsNull, Box<dyn std::error::Error + Sync + Send>>
{
    Ok(postgres_protocol::IsNull::Yes)
}

fn values(row: &DataRowBody) -> io::Result<Vec<Option<String>>> {
    use fallible_iterator::FallibleIterator as _;
    row.ranges()
        .map(|range| {
            let bytes = range.and_then(|range| row.buffer().get(range));
            Ok(bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
        })
        .collect()
}

/// What an `ErrorResponse` says, by the field codes of PostgreSQL's page on them (55.8).
pub(super) fn refused(mut fields: ErrorFields<'_>) -> ProbeError {
    use fallible_iterator::FallibleIterator as _;
    let (mut code, mut message) = (String::new(), String::new());
    while let Ok(Some(field)) = fields.next() {
        let value = || String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => code = value(),
            b'M' => message = value(),
            _ => {}
        }
    }
    ProbeError::Refused { code, message }
}
