//! Limits of a scope, made local to its transaction.

use std::time::Duration;

/// What the transaction sees of concurrent commits, and whether it may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// READ COMMITTED READ WRITE.
    ReadWrite,
    /// REPEATABLE READ READ ONLY: every statement sees the same snapshot.
    Snapshot,
}

impl Access {
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::ReadWrite => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            Self::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }
}

/// Limits of a scope. The server enforces them inside a transaction; the client waits
/// [`ScopeSettings::ANSWER_MARGIN`] longer than the server may take, then discards the connection.
#[derive(Debug, Clone, Copy)]
pub struct ScopeSettings {
    /// Isolation and access mode of an explicit transaction.
    pub access: Access,
    /// Longest run of one statement.
    pub statement_timeout: Duration,
    /// Longest wait for one lock.
    pub lock_timeout: Duration,
    /// Longest silence of the client inside a transaction.
    pub idle_timeout: Duration,
}

impl ScopeSettings {
    /// What the client allows beyond the server's limit for the network and the pooler's queue
    /// (chosen).
    pub const ANSWER_MARGIN: Duration = Duration::from_secs(5);

    /// Limits for the short statements of the service (chosen: the slowest of them, a claim past
    /// 100,000 live batches of which nothing is due, took 125 ms, `docs/adr/0006`).
    pub const SHORT: Self = Self {
        access: Access::ReadWrite,
        statement_timeout: Duration::from_secs(10),
        lock_timeout: Duration::from_secs(5),
        idle_timeout: Duration::from_secs(10),
    };

    /// Limits for the one statement that makes as many jobs as a batch may have (chosen: a retry of
    /// 100,000 took 2.6 s on two busy cores).
    pub const BULK: Self = Self {
        access: Access::ReadWrite,
        statement_timeout: Duration::from_secs(50),
        lock_timeout: Duration::from_secs(5),
        idle_timeout: Duration::from_secs(10),
    };

    /// Limits for migrations, which may have to wait for another runner (chosen).
    pub const MIGRATION: Self = Self {
        access: Access::ReadWrite,
        statement_timeout: Duration::from_secs(600),
        lock_timeout: Duration::from_secs(120),
        idle_timeout: Duration::from_secs(60),
    };

    pub(crate) fn answer_limit(&self) -> Duration {
        self.statement_timeout + Self::ANSWER_MARGIN
    }
}
