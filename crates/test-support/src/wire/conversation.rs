//! Follows one client's conversation with the server, and judges the client.
//!
//! Knows nothing of sockets and time: it is told what arrives and what is about to be delivered,
//! and answers what that means. A request is open until its `ReadyForQuery` is *released*, which is
//! the earliest moment at which a client may send another byte.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use super::codec::Frame;
use super::message::{Backend, Frontend, Malformed, TransactionStatus};
use super::recorder::Recorder;
use super::report::{Event, LogEntry, REQUEST_LIMIT_BYTES, Rule, Violation};
use super::request::{Request, RequestKind};
use super::sql;

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The client gets it.
    Delivered,
    /// The client gets nothing of it, and the connection is cut when it is complete.
    CutAtEnd,
    /// The client gets nothing of it and nothing ever after.
    SilentAtEnd,
}

/// What to do with a message of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ClientStep {
    /// It is part of a request that has not ended.
    Collect,
    /// It is to be forwarded with what was collected.
    Forward,
    /// It is the last of a request.
    Complete(Request),
}

/// What to do with a message of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerStep {
    /// It is part of an answer that the client gets.
    Forward,
    /// It is part of an answer that the client does not get.
    Swallow,
    /// It is the `ReadyForQuery` of an answer with or without an error: to be held back, then
    /// released, then forwarded.
    Hold { has_error: bool },
    /// It was the end of an answer that the client does not get.
    Cut,
    /// As [`Self::Cut`], but the connection stays open and silent.
    Silence,
}

/// One client's session.
#[derive(Debug)]
pub(super) struct Conversation {
    recorder: Arc<Recorder>,
    connection: usize,
    /// What was sent of the request that is being sent.
    draft: Draft,
    /// Requests without their `ReadyForQuery`, the session's beginning among them.
    unanswered: VecDeque<Unanswered>,
    status: TransactionStatus,
    earliness: Earliness,
    has_terminated: bool,
}

/// What is known of the message that is arriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Earliness {
    InTime,
    /// It is early, and allowed only if it turns out to be a ROLLBACK.
    Suspect,
    /// It is early, and that has been entered.
    Found,
}

#[derive(Debug, Default)]
struct Draft {
    first: Option<(RequestKind, String)>,
    total_bytes: usize,
}

#[derive(Debug)]
struct Unanswered {
    /// `None` for the beginning of the session.
    kind: Option<RequestKind>,
    has_error: bool,
    fate: Fate,
}

impl Unanswered {
    fn new(kind: Option<RequestKind>) -> Self {
        Self {
            kind,
            has_error: false,
            fate: Fate::Delivered,
        }
    }
}

impl Conversation {
    /// A session that begins with these startup parameters.
    pub(super) fn start(
        recorder: Arc<Recorder>,
        connection: usize,
        parameters: &[(String, String)],
    ) -> Self {
        let conversation = Self {
            recorder,
            connection,
            draft: Draft::default(),
            unanswered: VecDeque::from([Unanswered::new(None)]),
            status: TransactionStatus::Idle,
            earliness: Earliness::InTime,
            has_terminated: false,
        };
        conversation
            .recorder
            .count(|report| report.connections += 1);
        conversation.log(Event::Started);
        if let Some((_name, value)) = parameters.iter().find(|(name, _value)| name == "options") {
            conversation.violation(Rule::StartupOptions, format!("options={value}"));
        }
        conversation
    }

    /// A message with this tag has begun to arrive. May be told repeatedly of the same message.
    pub(super) fn message_begins(&mut self, tag: u8) {
        let Some(open) = self.unanswered.front() else {
            return;
        };
        let is_allowed = match tag {
            // Ends the session: there is no answer that could be given to the wrong client.
            b'X' => true,
            // Answers to the server's questions.
            b'p' => open.kind.is_none(),
            b'd' | b'c' | b'f' => open.kind.is_some(),
            _ => false,
        };
        if is_allowed || self.earliness != Earliness::InTime {
            return;
        }
        if tag == b'Q' && self.may_roll_back() {
            self.earliness = Earliness::Suspect;
        } else {
            self.is_early(&format!("a message of type {:?}", char::from(tag)));
        }
    }

    /// Whether a ROLLBACK may be sent before `ReadyForQuery`: after an error inside a transaction
    /// the backend stays the client's own until the transaction has ended, so nothing can go
    /// astray. (The driver gives no sign of `ReadyForQuery` after an error, so nobody could wait
    /// for it.) A failed COMMIT ends the transaction.
    fn may_roll_back(&self) -> bool {
        self.unanswered.len() == 1
            && self.status != TransactionStatus::Idle
            && self
                .unanswered
                .front()
                .is_some_and(|open| open.has_error && open.kind == Some(RequestKind::Statement))
    }

    fn is_early(&mut self, message: &str) {
        self.earliness = Earliness::Found;
        let cause = if open_has_error(&self.unanswered) {
            ", after an error"
        } else {
            ""
        };
        self.violation(
            Rule::EarlyBytes,
            format!("{message} was sent before ReadyForQuery{cause}"),
        );
    }

    /// A message of the client has arrived.
    pub(super) fn client_frame(&mut self, frame: &Frame) -> Result<ClientStep, Malformed> {
        let earliness = self.earliness;
        let message = Frontend::parse(frame).inspect_err(|_malformed| {
            self.violation(
                Rule::Malformed,
                format!("type {:?}", frame.tag.map(char::from)),
            );
        })?;
        self.log(Event::Sent {
            tag: frame.tag.map_or('?', char::from),
            detail: detail(message),
            bytes: frame.bytes.len(),
        });
        if self.has_terminated {
            self.violation(Rule::AfterTerminate, detail(message));
        }
        self.judge(message);
        if earliness == Earliness::Suspect {
            match message {
                Frontend::Query { sql }
                    if sql::is_transaction_control(sql)
                        && sql::kind(sql) == RequestKind::Rollback =>
                {
                    self.recorder.count(|report| report.early_rollbacks += 1);
                }
                _ => self.is_early(&detail(message)),
            }
        }
        // The message has arrived: what comes next is another.
        self.earliness = Earliness::InTime;
        match message {
            Frontend::Terminate => {
                self.has_terminated = true;
                return Ok(ClientStep::Forward);
            }
            Frontend::Copy | Frontend::Authentication => return Ok(ClientStep::Forward),
            Frontend::Query { .. }
            | Frontend::Parse { .. }
            | Frontend::Bind { .. }
            | Frontend::Describe { .. }
            | Frontend::Close { .. }
            | Frontend::Sync
            | Frontend::Flush
            | Frontend::Other => {}
        }
        self.draft.total_bytes += frame.bytes.len();
        if let Frontend::Query { sql } | Frontend::Parse { sql, .. } = message {
            let label = sql::label(sql);
            self.recorder.count(|report| {
                *report.statements.entry(label.clone()).or_default() += 1;
            });
            self.draft.first.get_or_insert((sql::kind(sql), label));
        }
        Ok(match message {
            Frontend::Query { .. } | Frontend::Sync => ClientStep::Complete(self.complete()),
            Frontend::Flush => ClientStep::Forward,
            _ => ClientStep::Collect,
        })
    }

    /// Decides what becomes of the answer to the request that was completed last.
    pub(super) fn set_fate(&mut self, fate: Fate) {
        if let Some(last) = self.unanswered.back_mut() {
            last.fate = fate;
        }
    }

    /// A message of the server has arrived.
    pub(super) fn server_frame(&mut self, frame: &Frame) -> Result<ServerStep, Malformed> {
        let message = Backend::parse(frame)?;
        if let Backend::Error(error) = &message {
            self.recorder.count(|report| {
                *report.errors.entry(error.sqlstate.clone()).or_default() += 1;
            });
            self.log(Event::Error(error.clone()));
        }
        let Some(open) = self.unanswered.front_mut() else {
            // Unsolicited: a notice, a changed parameter, the reason for a shutdown.
            return Ok(ServerStep::Forward);
        };
        Ok(match (message, open.fate) {
            (Backend::Ready(status), Fate::Delivered) => {
                self.status = self.count_transaction(status);
                ServerStep::Hold {
                    has_error: open_has_error(&self.unanswered),
                }
            }
            (Backend::Ready(_), Fate::CutAtEnd) => ServerStep::Cut,
            (Backend::Ready(_), Fate::SilentAtEnd) => ServerStep::Silence,
            (Backend::Error(_), Fate::Delivered) => {
                open.has_error = true;
                ServerStep::Forward
            }
            (Backend::Other, Fate::Delivered) => ServerStep::Forward,
            (Backend::Error(_) | Backend::Other, Fate::CutAtEnd | Fate::SilentAtEnd) => {
                ServerStep::Swallow
            }
        })
    }

    /// `ReadyForQuery` is about to be delivered: from now on the client may send the next request.
    pub(super) fn release(&mut self) {
        self.unanswered.pop_front();
        self.log(Event::Ready(self.status));
    }

    /// A fault is about to be committed on this connection.
    pub(super) fn fault(&self, description: String) {
        self.log(Event::Fault(description));
    }

    /// Whether nothing is under way: no transaction, no request.
    pub(super) fn is_idle(&self) -> bool {
        self.unanswered.is_empty()
            && self.draft.total_bytes == 0
            && self.status == TransactionStatus::Idle
    }

    /// Judges what a message asks for, wherever it comes.
    fn judge(&self, message: Frontend<'_>) {
        let name = match message {
            Frontend::Parse { name, .. }
            | Frontend::Describe { name }
            | Frontend::Close { name } => name,
            Frontend::Bind { portal, statement } => {
                if portal.is_empty() {
                    statement
                } else {
                    portal
                }
            }
            _ => "",
        };
        if !name.is_empty() {
            self.violation(Rule::NamedObject, detail(message));
        }
        if let Frontend::Query { sql } | Frontend::Parse { sql, .. } = message
            && let Some(state) = sql::session_state(sql)
        {
            self.violation(Rule::SessionState, format!("{state}: {}", sql::label(sql)));
        }
        if let Frontend::Query { sql } = message
            && !sql::is_transaction_control(sql)
        {
            self.violation(Rule::SimpleQuery, sql::label(sql));
        }
    }

    fn complete(&mut self) -> Request {
        let draft = mem::take(&mut self.draft);
        let (kind, label) = draft
            .first
            .unwrap_or((RequestKind::Statement, String::new()));
        if draft.total_bytes > REQUEST_LIMIT_BYTES {
            self.violation(
                Rule::OversizedRequest,
                format!("{} bytes: {label}", draft.total_bytes),
            );
        }
        self.recorder.count(|report| {
            report.requests += 1;
            report.request_bytes += draft.total_bytes;
            if draft.total_bytes > report.largest_request_bytes {
                report.largest_request_bytes = draft.total_bytes;
                report.largest_request.clone_from(&label);
            }
        });
        self.unanswered.push_back(Unanswered::new(Some(kind)));
        Request {
            kind,
            label,
            total_bytes: draft.total_bytes,
        }
    }

    /// Counts a transaction at the end of the request that began it, and returns the new status.
    fn count_transaction(&self, now: TransactionStatus) -> TransactionStatus {
        let is_request = self
            .unanswered
            .front()
            .is_some_and(|open| open.kind.is_some());
        if self.status == TransactionStatus::Idle && is_request {
            self.recorder.count(|report| match now {
                TransactionStatus::Idle => report.autocommitted += 1,
                TransactionStatus::Open | TransactionStatus::Failed => report.transactions += 1,
            });
        }
        now
    }

    fn violation(&self, rule: Rule, detail: String) {
        self.recorder.violation(Violation {
            connection: self.connection,
            rule,
            detail,
        });
    }

    fn log(&self, event: Event) {
        self.recorder.log(LogEntry {
            connection: self.connection,
            event,
        });
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.log(Event::Ended);
        if !self.is_idle() {
            self.recorder.count(|report| report.abandoned += 1);
        }
    }
}

fn open_has_error(unanswered: &VecDeque<Unanswered>) -> bool {
    unanswered.front().is_some_and(|open| open.has_error)
}

fn detail(message: Frontend<'_>) -> String {
    match message {
        Frontend::Query { sql } => sql::label(sql),
        Frontend::Parse { name: "", sql } => sql::label(sql),
        Frontend::Parse { name, sql } => format!("{name}: {}", sql::label(sql)),
        Frontend::Bind {
            portal: "",
            statement,
        } => statement.to_owned(),
        Frontend::Bind { portal, statement } => format!("portal {portal} {statement}"),
        Frontend::Describe { name } | Frontend::Close { name } => name.to_owned(),
        Frontend::Sync
        | Frontend::Flush
        | Frontend::Terminate
        | Frontend::Copy
        | Frontend::Authentication
        | Frontend::Other => String::new(),
    }
}
