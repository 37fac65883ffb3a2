//! The retrying forms: [`SessionScope::once`] and [`SessionScope::run`].

use std::time::Duration;

use tokio_postgres::Row;
use trawl_domain::backoff::Backoff;

use super::{Param, ScopeSettings, SessionScope, Statement, run_statement};
use crate::class::ErrorClass;
use crate::error::{Phase, ScopeError};
use crate::pool::Pool;

/// Tries of one operation, the first included (chosen: with the waits below, a restart of a pooler
/// is ridden out in the background loops and a client of the API still has its 503 in seconds).
const TRIES: u32 = 4;
const BACKOFF: Backoff = Backoff {
    base: Duration::from_millis(50),
    cap: Duration::from_secs(1),
};

/// Counts the tries of one operation and decides whether there is another.
pub(crate) struct Retries {
    repeatable: bool,
    tried: u32,
}

impl Retries {
    /// `repeatable`: whether a try whose outcome is unknown may be followed by another.
    pub(crate) fn new(repeatable: bool) -> Self {
        Self {
            repeatable,
            tried: 0,
        }
    }

    /// Waits, with capped and jittered backoff, until it is time for another try.
    ///
    /// # Errors
    /// The error of the last try, where there is none.
    pub(crate) async fn after(
        &mut self,
        what: &'static str,
        error: ScopeError,
    ) -> Result<(), ScopeError> {
        self.tried += 1;
        if self.tried >= TRIES || !self.may_repeat(&error) {
            return Err(error);
        }
        tracing::debug!(what, tried = self.tried, %error, "trying again");
        tokio::time::sleep(BACKOFF.delay(self.tried, rand::random())).await;
        Ok(())
    }

    fn may_repeat(&self, error: &ScopeError) -> bool {
        match error.class() {
            // Whoever waited for the whole acquire limit has waited long enough.
            ErrorClass::Retryable => !matches!(error, ScopeError::PoolBusy { .. }),
            ErrorClass::OutcomeUnknown => self.repeatable,
            ErrorClass::RetryLater
            | ErrorClass::Conflict
            | ErrorClass::Permanent
            | ErrorClass::Bug => false,
        }
    }
}

impl SessionScope {
    /// Runs one autocommitted statement in one round trip and answers its rows.
    ///
    /// Tried again, with capped and jittered backoff, when nothing took effect; when the outcome is
    /// unknown only if the statement is [`Statement::repeatable`]. Where another client's leaked
    /// session default (read only, another isolation, a tiny time limit, a role, an encoding) refused
    /// it, it runs in an explicit transaction, which spells its settings out.
    ///
    /// # Errors
    /// [`ScopeError`] of the last try.
    pub async fn once(
        pool: &Pool,
        statement: &Statement,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, ScopeError> {
        Self::once_fold(pool, statement, params, Vec::new, |rows, row| {
            rows.push(row)
        })
        .await
    }

    /// Like [`SessionScope::once`], but folds each row as it arrives, so that a large result need
    /// not be held as rows. Every try starts from `init`.
    ///
    /// # Errors
    /// As [`SessionScope::once`].
    pub async fn once_fold<A>(
        pool: &Pool,
        statement: &Statement,
        params: &[Param<'_>],
        init: impl Fn() -> A,
        mut fold: impl FnMut(&mut A, Row),
    ) -> Result<A, ScopeError> {
        let mut retries = Retries::new(statement.repeatable);
        let mut leaked = false;
        loop {
            let mut folded = init();
            let each = |row| fold(&mut folded, row);
            let outcome = if leaked {
                in_transaction(pool, statement, params, each).await
            } else {
                autocommitted(pool, statement, params, each).await
            };
            match outcome {
                Ok(()) => return Ok(folded),
                Err(error) if !leaked && error.is_leaked_default() => {
                    tracing::debug!(statement = statement.name, %error, "met a leaked default");
                    pool.met_leaked_default();
                    leaked = true;
                }
                Err(error) => retries.after(statement.name, error).await?,
            }
        }
    }

    /// Runs `work` in a transaction and commits it; the whole is tried again when nothing took
    /// effect, and never when the outcome is unknown.
    ///
    /// Where the future is to be sent to another thread, `work` has to own what it captures (`async
    /// move`): the compiler does not yet see that one which borrows is sendable
    /// (rust-lang/rust#110338).
    ///
    /// # Errors
    /// [`ScopeError`] of the last try; class [`ErrorClass::OutcomeUnknown`] when the answer to
    /// COMMIT was lost.
    pub async fn run<T>(
        pool: &Pool,
        settings: ScopeSettings,
        mut work: impl AsyncFnMut(&mut Self) -> Result<T, ScopeError>,
    ) -> Result<T, ScopeError> {
        let mut retries = Retries::new(false);
        loop {
            let outcome = match Self::begin(pool, settings).await {
                Ok(mut scope) => {
                    let outcome = work(&mut scope).await;
                    scope.finish(outcome).await
                }
                Err(error) => Err(error),
            };
            match outcome {
                Ok(value) => return Ok(value),
                Err(error) => retries.after("a transaction", error).await?,
            }
        }
    }

    /// Commits after a success, rolls back after a failure.
    pub(crate) async fn finish<T>(self, outcome: Result<T, ScopeError>) -> Result<T, ScopeError> {
        match outcome {
            Ok(value) => self.commit().await.confirmed().map(|()| value),
            Err(error) => {
                self.abandon().await;
                Err(error)
            }
        }
    }

    /// Rolls back on the way out of a failure. Where even that fails, the connection is discarded
    /// and the server rolls back by itself, so there is nothing to report but the first error.
    async fn abandon(self) {
        if let Err(lost) = self.rollback().await {
            tracing::debug!(%lost, "the rollback was not confirmed");
        }
    }
}

async fn autocommitted(
    pool: &Pool,
    statement: &Statement,
    params: &[Param<'_>],
    each: impl FnMut(Row),
) -> Result<(), ScopeError> {
    let mut connection = pool.checkout().await?;
    let limit = ScopeSettings::SHORT.answer_limit();
    run_statement(
        &mut connection,
        statement,
        params,
        Phase::Autocommit,
        limit,
        each,
    )
    .await
}

async fn in_transaction(
    pool: &Pool,
    statement: &Statement,
    params: &[Param<'_>],
    each: impl FnMut(Row),
) -> Result<(), ScopeError> {
    let mut scope = SessionScope::begin(pool, ScopeSettings::SHORT).await?;
    let outcome = scope.query_each(statement, params, each).await;
    scope.finish(outcome).await
}
