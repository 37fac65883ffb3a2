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

/// Whether an error may be followed by another try, and after which wait.
fn next_wait(error: &ScopeError, repeatable: bool, tried: u32) -> Option<Duration> {
    let may_repeat = match error.class() {
        ErrorClass::Retryable => !matches!(error, ScopeError::PoolBusy { .. }),
        ErrorClass::OutcomeUnknown => repeatable,
        ErrorClass::RetryLater | ErrorClass::Conflict | ErrorClass::Permanent | ErrorClass::Bug => {
            false
        }
    };
    (may_repeat && tried < TRIES).then(|| BACKOFF.delay(tried, rand::random()))
}

impl SessionScope {
    /// Runs one autocommitted statement in one round trip and answers its rows.
    ///
    /// Tried again, with capped and jittered backoff, when nothing took effect; when the outcome is
    /// unknown only if the statement is [`Statement::repeatable`]. Where another client's leaked
    /// session default (read only, a tiny statement timeout) refused it, it runs in an explicit
    /// transaction, which spells its settings out.
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
        let mut tried = 0;
        let mut leaked = false;
        loop {
            let mut folded = init();
            let each = |row| fold(&mut folded, row);
            let outcome = if leaked {
                in_transaction(pool, statement, params, each).await
            } else {
                autocommitted(pool, statement, params, each).await
            };
            tried += 1;
            let error = match outcome {
                Ok(()) => return Ok(folded),
                Err(error) => error,
            };
            leaked |= error.is_leaked_default();
            let Some(wait) = next_wait(&error, statement.repeatable, tried) else {
                return Err(error);
            };
            tracing::debug!(statement = statement.name, tried, %error, "trying again");
            tokio::time::sleep(wait).await;
        }
    }

    /// Runs `work` in a transaction and commits it; the whole is tried again when nothing took
    /// effect, and never when the outcome is unknown.
    ///
    /// # Errors
    /// [`ScopeError`] of the last try; class [`ErrorClass::OutcomeUnknown`] when the answer to
    /// COMMIT was lost.
    pub async fn run<T>(
        pool: &Pool,
        settings: ScopeSettings,
        mut work: impl AsyncFnMut(&mut Self) -> Result<T, ScopeError>,
    ) -> Result<T, ScopeError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let error = match Self::run_once(pool, settings, &mut work).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let Some(wait) = next_wait(&error, false, tried) else {
                return Err(error);
            };
            tracing::debug!(tried, %error, "trying the transaction again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn run_once<T>(
        pool: &Pool,
        settings: ScopeSettings,
        work: &mut impl AsyncFnMut(&mut Self) -> Result<T, ScopeError>,
    ) -> Result<T, ScopeError> {
        let mut scope = Self::begin(pool, settings).await?;
        match work(&mut scope).await {
            Ok(value) => scope.commit().await.confirmed().map(|()| value),
            Err(error) => {
                scope.abandon().await;
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
    match scope.query_each(statement, params, each).await {
        Ok(()) => scope.commit().await.confirmed(),
        Err(error) => {
            scope.abandon().await;
            Err(error)
        }
    }
}
