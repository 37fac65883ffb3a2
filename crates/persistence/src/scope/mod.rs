//! The one way to run SQL through a transaction-mode pooler.
//!
//! Two forms. [`SessionScope::once`] runs one autocommitted statement in one round trip: most of
//! the work. [`SessionScope::begin`] … [`SessionScope::commit`] is one explicit transaction on one
//! connection with its isolation, access mode, time limits, encoding and role spelled out, since a
//! session default may be another client's. [`SessionScope::run`] retries a whole transaction where that is safe.
//!
//! What a transaction-mode pooler cannot serve cannot be written here: the driver's client is
//! private, so there is no named statement, no session setting, no LISTEN, no session lock, no
//! temporary table, no COPY and no cancel request. One request is outstanding at a time (`&mut
//! self`), results are read to their end, and no request is larger than [`REQUEST_BYTES_MAX`].
//! A connection whose last request did not succeed is never used again.

mod retry;
mod settings;
mod statement;

use std::pin::pin;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::TryStreamExt;
use tokio_postgres::Row;
use tokio_postgres::types::{IsNull, Type};

use crate::error::{Phase, ScopeError};
use crate::pool::{Connection, Pool};

pub(crate) use retry::Retries;
pub use settings::{Access, ScopeSettings};
pub use statement::{Param, Statement};

/// The largest request in bytes, statement text and parameters together.
///
/// Supavisor's cost for one request is quadratic in its size: 200 KB 3 ms, 1 MB 259 ms, 5 MB 6.7 s
/// (measured). The protocol's own bytes stay within the difference to 200,000.
pub const REQUEST_BYTES_MAX: usize = 190_000;

const BEGIN: &str = "begin";
const COMMIT: &str = "commit";
const ROLLBACK: &str = "rollback";

/// The durability of what it writes is the guard's of each table (`migrations/0008_guard.sql`).
const SET_LOCAL: Statement = Statement::repeatable(
    "scope_settings",
    "select set_config('role', 'none', true), set_config('client_encoding', 'UTF8', true), \
     set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true), \
     set_config('idle_in_transaction_session_timeout', $3, true)",
);

/// How a transaction ended.
#[derive(Debug)]
#[must_use = "a transaction may have been rolled back, or its outcome may be unknown"]
pub enum Commit {
    /// The server confirmed the commit.
    Committed,
    /// Nothing took effect.
    RolledBack(ScopeError),
    /// The answer to COMMIT was lost: it took effect, or will, or never will.
    Unknown(ScopeError),
}

impl Commit {
    /// The confirmation, or the error; its class tells rolled back from unknown.
    ///
    /// # Errors
    /// The error of every outcome but [`Commit::Committed`].
    pub fn confirmed(self) -> Result<(), ScopeError> {
        match self {
            Self::Committed => Ok(()),
            Self::RolledBack(error) | Self::Unknown(error) => Err(error),
        }
    }
}

/// One explicit transaction on one pooled connection.
///
/// # Cancel safety
/// A scope or any of its futures may be dropped at any point: the connection is then discarded and
/// the server rolls back. A statement that was running runs on until its `statement_timeout`.
pub struct SessionScope {
    connection: Connection,
    settings: ScopeSettings,
    poisoned: bool,
}

impl SessionScope {
    /// Begins a transaction: two round trips, BEGIN and the settings that are local to it.
    ///
    /// # Errors
    /// [`ScopeError`] when no connection could be had or the server refused.
    pub async fn begin(pool: &Pool, settings: ScopeSettings) -> Result<Self, ScopeError> {
        let connection = pool.checkout().await?;
        let mut scope = Self {
            connection,
            settings,
            poisoned: false,
        };
        scope
            .control(BEGIN, settings.access.begin(), Phase::InTransaction)
            .await?;
        let [statement, lock, idle] = [
            settings.statement_timeout,
            settings.lock_timeout,
            settings.idle_timeout,
        ]
        .map(|limit| format!("{}ms", limit.as_millis()));
        scope
            .query(
                &SET_LOCAL,
                &[
                    (&statement, Type::TEXT),
                    (&lock, Type::TEXT),
                    (&idle, Type::TEXT),
                ],
            )
            .await?;
        Ok(scope)
    }

    /// Runs a statement and answers its rows.
    ///
    /// # Errors
    /// [`ScopeError`]; any error poisons the scope, and only [`SessionScope::rollback`] is left.
    pub async fn query(
        &mut self,
        statement: &Statement,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, ScopeError> {
        let mut rows = Vec::new();
        self.query_each(statement, params, |row| rows.push(row))
            .await?;
        Ok(rows)
    }

    /// Runs a statement and gives each row to `each` as it arrives, so that a large result need not
    /// be held.
    ///
    /// # Errors
    /// As [`SessionScope::query`].
    pub async fn query_each(
        &mut self,
        statement: &Statement,
        params: &[Param<'_>],
        each: impl FnMut(Row),
    ) -> Result<(), ScopeError> {
        if self.poisoned {
            return Err(ScopeError::Poisoned {
                statement: statement.name,
            });
        }
        // Set until the statement has succeeded, so that a dropped future leaves it set.
        self.poisoned = true;
        let limit = self.settings.answer_limit();
        run_statement(
            &mut self.connection,
            statement,
            params,
            Phase::InTransaction,
            limit,
            each,
        )
        .await?;
        self.connection.set_open_transaction();
        self.poisoned = false;
        Ok(())
    }

    /// Runs constant SQL of several statements; for migrations alone.
    pub(crate) async fn run_script(
        &mut self,
        name: &'static str,
        sql: &'static str,
    ) -> Result<(), ScopeError> {
        if self.poisoned {
            return Err(ScopeError::Poisoned { statement: name });
        }
        self.control(name, sql, Phase::InTransaction).await
    }

    /// Commits.
    pub async fn commit(mut self) -> Commit {
        if self.poisoned {
            let error = ScopeError::Poisoned { statement: COMMIT };
            return match self.rollback().await {
                Ok(()) => Commit::RolledBack(error),
                // The connection is gone; without COMMIT the server rolls back.
                Err(_lost) => Commit::RolledBack(error),
            };
        }
        match self.end(COMMIT, "COMMIT", Phase::Commit).await {
            Ok(()) => Commit::Committed,
            Err(error) => match error.class() {
                crate::class::ErrorClass::OutcomeUnknown => Commit::Unknown(error),
                crate::class::ErrorClass::Retryable
                | crate::class::ErrorClass::RetryLater
                | crate::class::ErrorClass::Conflict
                | crate::class::ErrorClass::Permanent
                | crate::class::ErrorClass::Bug => Commit::RolledBack(error),
            },
        }
    }

    /// Rolls back and waits for the server's word, which spares the pooler a broken connection.
    ///
    /// # Errors
    /// [`ScopeError`] when the connection broke; the server then rolls back by itself.
    pub async fn rollback(mut self) -> Result<(), ScopeError> {
        self.end(ROLLBACK, "ROLLBACK", Phase::InTransaction).await
    }

    /// Sends BEGIN or a script: no parameters, no rows, and a transaction open behind it.
    async fn control(
        &mut self,
        name: &'static str,
        sql: &'static str,
        phase: Phase,
    ) -> Result<(), ScopeError> {
        self.poisoned = true;
        self.end(name, sql, phase).await?;
        self.connection.set_open_transaction();
        self.poisoned = false;
        Ok(())
    }

    /// Sends constant SQL after which the connection is reusable if it succeeded.
    async fn end(
        &mut self,
        name: &'static str,
        sql: &'static str,
        phase: Phase,
    ) -> Result<(), ScopeError> {
        let limit = self.settings.answer_limit();
        let answer = self
            .connection
            .request(limit, async |client| client.batch_execute(sql).await)
            .await;
        settle(name, phase, limit, answer)
    }
}

/// Runs one statement on a connection and reads its rows to their end.
async fn run_statement(
    connection: &mut Connection,
    statement: &Statement,
    params: &[Param<'_>],
    phase: Phase,
    limit: Duration,
    mut each: impl FnMut(Row),
) -> Result<(), ScopeError> {
    check_size(statement, params)?;
    let answer = connection
        .request(limit, async |client| {
            let params = params.iter().map(|(value, kind)| (*value, kind.clone()));
            let mut rows = pin!(client.query_typed_raw(statement.sql, params).await?);
            while let Some(row) = rows.try_next().await? {
                each(row);
            }
            Ok(())
        })
        .await;
    settle(statement.name, phase, limit, answer)
}

fn settle<T>(
    statement: &'static str,
    phase: Phase,
    limit: Duration,
    answer: Option<Result<T, tokio_postgres::Error>>,
) -> Result<T, ScopeError> {
    answer
        .ok_or(ScopeError::Deadline {
            statement,
            phase,
            limit,
        })?
        .map_err(|source| ScopeError::Statement {
            statement,
            phase,
            source,
        })
}

/// Refuses a request that a pooler could not pass on in reasonable time, before a byte is sent.
fn check_size(statement: &Statement, params: &[Param<'_>]) -> Result<(), ScopeError> {
    let mut bytes = statement.sql.len();
    let mut buffer = BytesMut::new();
    for (value, kind) in params {
        buffer.clear();
        // A value that cannot be written is reported by the driver, with its reason.
        if let Ok(IsNull::No) = value.to_sql_checked(kind, &mut buffer) {
            bytes += buffer.len();
        }
    }
    if bytes > REQUEST_BYTES_MAX {
        return Err(ScopeError::RequestTooLarge {
            statement: statement.name,
            bytes,
            limit: REQUEST_BYTES_MAX,
        });
    }
    Ok(())
}
