//! Collects a client's messages to whole requests.

use anyhow::{Result, bail};
use bytes::{Bytes, BytesMut};

use crate::wire::RequestKind;
use crate::wire::codec::FrameDecoder;
use crate::wire::message::{Frontend, Opening};
use crate::wire::sql;

/// All that a client sends up to the point where it has to wait for `ReadyForQuery`.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) kind: RequestKind,
    /// How its first statement is called.
    pub(super) label: String,
    /// Whether it relies on a prepared statement with a name.
    pub(super) is_named: bool,
    pub(super) bytes: Bytes,
}

/// What a client wants.
#[derive(Debug)]
pub(super) enum Wish {
    Request(Request),
    /// To leave.
    Terminate,
}

/// The incoming half of a session.
#[derive(Debug)]
pub(super) struct Assembler {
    decoder: FrameDecoder,
    collected: BytesMut,
    first: Option<(RequestKind, String)>,
    is_named: bool,
}

impl Assembler {
    pub(super) fn new() -> Self {
        Self {
            decoder: FrameDecoder::of_client(),
            collected: BytesMut::new(),
            first: None,
            is_named: false,
        }
    }

    pub(super) fn feed(&mut self, received: &[u8]) {
        self.decoder.feed(received);
    }

    /// The message that opens the connection, once it is there.
    pub(super) fn opening(&mut self) -> Result<Option<Opening>> {
        let Some(frame) = self.decoder.next_frame()? else {
            return Ok(None);
        };
        let Ok(opening) = Opening::parse(&frame) else {
            bail!("the first message is not one of the protocol");
        };
        if matches!(opening, Opening::Startup(_)) {
            self.decoder.start();
        }
        Ok(Some(opening))
    }

    /// Whether something of the next request is here already, other than a farewell.
    pub(super) fn has_begun(&self) -> bool {
        !self.collected.is_empty() || self.decoder.next_tag().is_some_and(|tag| tag != b'X')
    }

    /// The next whole request, once it is there.
    pub(super) fn next(&mut self) -> Result<Option<Wish>> {
        while let Some(frame) = self.decoder.next_frame()? {
            let Ok(message) = Frontend::parse(&frame) else {
                bail!("a broken message of the client");
            };
            match message {
                Frontend::Terminate => return Ok(Some(Wish::Terminate)),
                Frontend::Query { sql } | Frontend::Parse { sql, .. } => {
                    self.first.get_or_insert((sql::kind(sql), sql::label(sql)));
                }
                _ => {}
            }
            self.is_named |= match message {
                Frontend::Query { sql } => names_a_statement(sql),
                Frontend::Parse { name, .. } => !name.is_empty(),
                Frontend::Bind { statement, .. } => !statement.is_empty(),
                _ => false,
            };
            self.collected.extend_from_slice(&frame.bytes);
            if matches!(message, Frontend::Query { .. } | Frontend::Sync) {
                let (kind, label) = self
                    .first
                    .take()
                    .unwrap_or((RequestKind::Statement, String::new()));
                return Ok(Some(Wish::Request(Request {
                    kind,
                    label,
                    is_named: std::mem::take(&mut self.is_named),
                    bytes: self.collected.split().freeze(),
                })));
            }
        }
        Ok(None)
    }
}

fn names_a_statement(sql: &str) -> bool {
    sql.split_whitespace().next().is_some_and(|word| {
        ["prepare", "execute", "deallocate"]
            .iter()
            .any(|command| word.eq_ignore_ascii_case(command))
    })
}
