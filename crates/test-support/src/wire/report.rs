//! What a proxy has seen, in the form that tests assert on and people read.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, bail};

use super::message::{ServerError, TransactionStatus};

/// The most that one request may have. Supavisor's cost is quadratic beyond: measured with one
/// client, 200 KB take 3 ms, 1 MB 259 ms, 5 MB 6.7 s.
pub const REQUEST_LIMIT_BYTES: usize = 200_000;

/// How many violations an error lists; more only hide the first.
const LISTED_VIOLATIONS: usize = 20;

/// Something that a transaction-mode pooler cannot serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// A statement or portal has a name: the next transaction's backend does not know it.
    NamedObject,
    /// A statement needs or changes the session: that belongs to other clients too.
    SessionState,
    /// A byte of a request was sent before the `ReadyForQuery` of the one before: Supavisor may
    /// give it to another client's backend.
    EarlyBytes,
    /// A request has more than [`REQUEST_LIMIT_BYTES`].
    OversizedRequest,
    /// A `CancelRequest`: it may hit another client's statement.
    CancelRequest,
    /// The startup parameter `options`: refused by PgBouncer, ignored by Supavisor.
    StartupOptions,
    /// A simple query that is neither COMMIT nor ROLLBACK nor a BEGIN with isolation level and
    /// access mode.
    SimpleQuery,
    /// A message after Terminate.
    AfterTerminate,
    /// A message that breaks the protocol.
    Malformed,
}

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which of the proxy's connections, counted from 1.
    pub connection: usize,
    /// Which rule.
    pub rule: Rule,
    /// What was sent.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            connection,
            rule,
            detail,
        } = self;
        write!(f, "connection {connection}: {rule:?}: {detail}")
    }
}

/// What went through a proxy since it started or was last reset.
#[derive(Clone, Debug, Default)]
pub struct WireReport {
    /// Broken rules, in order.
    pub violations: Vec<Violation>,
    /// Sessions that were begun.
    pub connections: usize,
    /// ROLLBACKs that were sent before the `ReadyForQuery` of a statement that had failed inside
    /// the transaction: the one request that may be.
    pub early_rollbacks: usize,
    /// Sessions that ended, from whichever side, inside a transaction or with a request open.
    pub abandoned: usize,
    /// Requests, which is round trips.
    pub requests: usize,
    /// The bytes of all requests.
    pub request_bytes: usize,
    /// The bytes of the largest request.
    pub largest_request_bytes: usize,
    /// The label of the largest request.
    pub largest_request: String,
    /// Explicit transactions that were begun.
    pub transactions: usize,
    /// Requests outside explicit transactions, each a transaction of its own.
    pub autocommitted: usize,
    /// How often each statement was sent, by its leading comment or else its text.
    pub statements: BTreeMap<String, usize>,
    /// How often each SQLSTATE was answered by the server.
    pub errors: BTreeMap<String, usize>,
}

impl WireReport {
    /// Fails if a rule was broken.
    ///
    /// # Errors
    ///
    /// Lists the first violations.
    pub fn check(&self) -> Result<()> {
        if self.violations.is_empty() {
            return Ok(());
        }
        let mut text = format!("{} violations:", self.violations.len());
        for violation in self.violations.iter().take(LISTED_VIOLATIONS) {
            text.push_str(&format!("\n  {violation}"));
        }
        bail!(text)
    }

    /// How often a rule was broken.
    pub fn count(&self, rule: Rule) -> usize {
        self.violations
            .iter()
            .filter(|violation| violation.rule == rule)
            .count()
    }
}

/// One event on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Which of the proxy's connections, counted from 1.
    pub connection: usize,
    /// What happened.
    pub event: Event,
}

/// What can happen on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The client has begun a session.
    Started,
    /// The client has sent a message.
    Sent {
        /// The type of the message.
        tag: char,
        /// The name of a statement or portal and the label of the SQL, as far as there are any.
        detail: String,
        /// The length of the message.
        bytes: usize,
    },
    /// The server has reported an error.
    Error(ServerError),
    /// The proxy has let `ReadyForQuery` pass to the client.
    Ready(TransactionStatus),
    /// The proxy has committed a fault.
    Fault(String),
    /// The connection has ended.
    Ended,
}
