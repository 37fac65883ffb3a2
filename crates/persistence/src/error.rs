//! Errors of scopes: what was attempted, how far it came, and what that means for the caller.

use std::time::Duration;

use thiserror::Error;

use crate::class::{self, ErrorClass};
use crate::refusal::{BLOCKED_WAIT, PERMANENT_WAIT};
use crate::tls::TlsRefusal;

/// How far a scope had come when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A statement of its own, committed by the server as it ended.
    Autocommit,
    /// Inside an explicit transaction, before COMMIT was sent.
    InTransaction,
    /// COMMIT was sent.
    Commit,
}

/// Why a scope could not do its work.
#[derive(Debug, Error)]
pub enum ScopeError {
    /// Every pooled connection was in use for the whole acquire limit.
    #[error("no database connection became free within {limit:?}")]
    PoolBusy {
        /// The acquire limit.
        limit: Duration,
    },
    /// A new connection could not be opened.
    #[error("cannot connect to the database")]
    Connect(#[source] tokio_postgres::Error),
    /// A new connection could not be encrypted, or its server not be trusted.
    #[error("cannot connect to the database: {refusal}")]
    Tls {
        /// What is wrong, and what to do.
        refusal: TlsRefusal,
        /// The driver's error.
        #[source]
        source: tokio_postgres::Error,
    },
    /// A new connection could not be opened in time.
    #[error("no connection to the database within {limit:?}")]
    ConnectDeadline {
        /// The connect limit.
        limit: Duration,
    },
    /// No connection was asked for, since the database refused this service a moment ago.
    #[error("the database refuses this service; it is asked again in {left:?}")]
    Refused {
        /// Until the next connection is asked for.
        left: Duration,
    },
    /// The statement failed or its connection broke.
    #[error("statement {statement} failed")]
    Statement {
        /// The name of the statement.
        statement: &'static str,
        /// How far the scope had come.
        phase: Phase,
        /// The driver's error.
        #[source]
        source: tokio_postgres::Error,
    },
    /// The statement had no answer in time. Its connection was discarded.
    #[error("statement {statement} had no answer within {limit:?}")]
    Deadline {
        /// The name of the statement.
        statement: &'static str,
        /// How far the scope had come.
        phase: Phase,
        /// The client-side limit.
        limit: Duration,
    },
    /// The scope had already failed, so only its rollback was left.
    #[error("the scope had failed before statement {statement}")]
    Poisoned {
        /// The name of the refused statement.
        statement: &'static str,
    },
    /// The statement would be larger than what a pooler can pass on in reasonable time.
    #[error("statement {statement} has {bytes} bytes of parameters, more than {limit}")]
    RequestTooLarge {
        /// The name of the statement.
        statement: &'static str,
        /// Bytes of its text and parameters.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A row did not have the shape the code expects.
    #[error("statement {statement} answered an unexpected row")]
    Row {
        /// The name of the statement.
        statement: &'static str,
        /// The driver's error.
        #[source]
        source: tokio_postgres::Error,
    },
    /// A stored word is no state the code knows: written by a newer version, or by hand.
    #[error("statement {statement} answered the unknown word {word:?}")]
    UnknownWord {
        /// The name of the statement.
        statement: &'static str,
        /// The word found.
        word: String,
    },
}

impl ScopeError {
    /// Of an attempt to open a connection.
    pub(crate) fn of_connect(source: tokio_postgres::Error) -> Self {
        match TlsRefusal::find_in(&source) {
            Some(refusal) => Self::Tls { refusal, source },
            None => Self::Connect(source),
        }
    }

    /// What the caller may do about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::PoolBusy { .. } | Self::ConnectDeadline { .. } => ErrorClass::Retryable,
            Self::Connect(source) => answer_class(source).unwrap_or(ErrorClass::Retryable),
            Self::Tls { .. } | Self::Refused { .. } => ErrorClass::Permanent,
            Self::Statement { phase, source, .. } => match (phase, answer_class(source)) {
                (Phase::Autocommit | Phase::InTransaction, Some(class)) if !is_fatal(source) => {
                    class
                }
                // Without COMMIT nothing of a transaction takes effect, whatever was lost.
                (Phase::InTransaction, Some(class)) => class,
                (Phase::InTransaction, None) => ErrorClass::Retryable,
                // The server refused the commit and said why: it rolled back.
                (Phase::Commit, Some(class)) if !is_fatal(source) => class,
                // FATAL before the statement began (checkout, limits) is the pooler's own answer.
                (Phase::Autocommit, Some(class)) if is_pooler_answer(source) => class,
                (Phase::Autocommit | Phase::Commit, _) => ErrorClass::OutcomeUnknown,
            },
            Self::Deadline { phase, .. } => match phase {
                Phase::InTransaction => ErrorClass::Retryable,
                Phase::Autocommit | Phase::Commit => ErrorClass::OutcomeUnknown,
            },
            Self::Poisoned { .. }
            | Self::RequestTooLarge { .. }
            | Self::Row { .. }
            | Self::UnknownWord { .. } => ErrorClass::Bug,
        }
    }

    /// How long to wait before the next connection, where the database refuses this service.
    pub fn refused_for(&self) -> Option<Duration> {
        match (self, self.class()) {
            (Self::Refused { left }, _) => Some(*left),
            (_, ErrorClass::RetryLater) => Some(BLOCKED_WAIT),
            (Self::Connect(_) | Self::Tls { .. }, ErrorClass::Permanent) => Some(PERMANENT_WAIT),
            (
                _,
                ErrorClass::Permanent
                | ErrorClass::Retryable
                | ErrorClass::Conflict
                | ErrorClass::OutcomeUnknown
                | ErrorClass::Bug,
            ) => None,
        }
    }

    /// Whether another client's leaked session default made an autocommitted statement fail; inside
    /// an explicit transaction, which spells its settings out, the same statement can succeed.
    ///
    /// By PostgreSQL's own defaults a lone statement is READ COMMITTED and waits without limit, and
    /// Trawl sends nothing but UTF-8, so none of these is an answer to the statement itself; but for
    /// a role without the privilege, which is refused in the transaction as well.
    pub(crate) fn is_leaked_default(&self) -> bool {
        use tokio_postgres::error::SqlState;
        match self {
            Self::Statement {
                phase: Phase::Autocommit,
                source,
                ..
            } => source.code().is_some_and(|code| {
                [
                    SqlState::READ_ONLY_SQL_TRANSACTION,
                    // Raised by functions that need READ COMMITTED, and by the guard of the tables.
                    SqlState::ACTIVE_SQL_TRANSACTION,
                    // A leaked role.
                    SqlState::INSUFFICIENT_PRIVILEGE,
                    // A leaked client_encoding, as which the texts could not be read.
                    SqlState::CHARACTER_NOT_IN_REPERTOIRE,
                    SqlState::UNTRANSLATABLE_CHARACTER,
                    SqlState::T_R_SERIALIZATION_FAILURE,
                    SqlState::QUERY_CANCELED,
                    SqlState::LOCK_NOT_AVAILABLE,
                ]
                .contains(code)
            }),
            Self::PoolBusy { .. }
            | Self::Connect(_)
            | Self::Tls { .. }
            | Self::ConnectDeadline { .. }
            | Self::Statement { .. }
            | Self::Deadline { .. }
            | Self::Poisoned { .. }
            | Self::RequestTooLarge { .. }
            | Self::Row { .. }
            | Self::Refused { .. }
            | Self::UnknownWord { .. } => false,
        }
    }
}

fn answer_class(error: &tokio_postgres::Error) -> Option<ErrorClass> {
    error
        .as_db_error()
        .map(|answer| class::of_answer(answer.code(), answer.message()))
}

fn is_pooler_answer(error: &tokio_postgres::Error) -> bool {
    error
        .as_db_error()
        .is_some_and(|answer| class::pooler_code(answer.message()).is_some())
}

/// Whether the server closed the connection with this answer. What it says of the transaction is
/// then not sure: 57P01 may come after the commit record was written.
fn is_fatal(error: &tokio_postgres::Error) -> bool {
    use tokio_postgres::error::Severity;
    error
        .as_db_error()
        .is_some_and(|answer| match answer.parsed_severity() {
            Some(Severity::Fatal | Severity::Panic) => true,
            Some(
                Severity::Error
                | Severity::Warning
                | Severity::Notice
                | Severity::Debug
                | Severity::Info
                | Severity::Log,
            ) => false,
            None => matches!(answer.severity(), "FATAL" | "PANIC"),
        })
}
