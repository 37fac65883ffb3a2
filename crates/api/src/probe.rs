//! The round trip behind the health answer.
//!
//! One at a time: whoever asks while one is under way gets its result, so that health checks never
//! take more than one connection, however many are asked for while the database hangs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::runtime::Handle;
use trawl_persistence::migrate::{self, MigrateError};
use trawl_persistence::pool::Pool;

use trawl_worker::core::chain::Chain;

/// Longest wait of a health answer for the database (chosen: below the limits of usual checkers).
const LIMIT: Duration = Duration::from_secs(2);

/// What a look at the database found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// It answers and has the schema.
    Good,
    /// It answers and has the schema of a newer version: requests still work while both run side
    /// by side during a deployment, but no new ones should be sent here.
    Newer,
    /// It answers, and its schema is not the one that this version needs.
    SchemaRefused,
    /// It refuses this service.
    Refused,
    /// It gave no answer in time.
    Silent,
}

/// `None` when the look itself ended early.
type Answer = Option<Arc<Result<(), MigrateError>>>;
type Looking = Shared<BoxFuture<'static, Answer>>;

/// At most one look at the database at a time.
#[derive(Default)]
pub(crate) struct Probe {
    under_way: Mutex<Option<Looking>>,
    last: Mutex<Option<Found>>,
}

impl Probe {
    /// Looks at the database, or joins the look that is under way.
    pub(crate) async fn look(&self, runtime: &Handle, pool: &Pool) -> Found {
        if pool.refused_for().is_some() {
            return Found::Refused;
        }
        let looking = self.join_or_start(runtime, pool);
        // Given up by this caller alone: the look goes on, so no connection is dropped half-read.
        let answer = tokio::time::timeout(LIMIT, looking).await.ok().flatten();
        let found = judge(answer.as_deref());
        self.log_change(found, answer.as_deref());
        found
    }

    fn join_or_start(&self, runtime: &Handle, pool: &Pool) -> Looking {
        let mut under_way = lock(&self.under_way);
        match under_way
            .as_ref()
            .filter(|looking| looking.peek().is_none())
        {
            Some(looking) => looking.clone(),
            None => {
                let pool = pool.clone();
                let task = runtime.spawn(async move { migrate::verify(&pool).await });
                let looking = task.map(|ended| ended.ok().map(Arc::new)).boxed().shared();
                *under_way = Some(looking.clone());
                looking
            }
        }
    }

    /// Health is asked for often; only a change is worth a line.
    fn log_change(&self, found: Found, answer: Option<&Result<(), MigrateError>>) {
        if lock(&self.last).replace(found) == Some(found) {
            return;
        }
        match (found, answer) {
            (Found::Good, _) => tracing::debug!("the database answers"),
            (_, Some(Err(error))) => tracing::warn!(?found, "not healthy: {}", Chain(error)),
            (_, _) => tracing::warn!(?found, "not healthy: no answer within {LIMIT:?}"),
        }
    }
}

fn judge(answer: Option<&Result<(), MigrateError>>) -> Found {
    match answer {
        None => Found::Silent,
        Some(Ok(())) => Found::Good,
        Some(Err(MigrateError::Newer { .. })) => Found::Newer,
        Some(Err(MigrateError::Edited { .. } | MigrateError::Missing { .. })) => {
            Found::SchemaRefused
        }
        Some(Err(MigrateError::Scope { source, .. })) if source.refused_for().is_some() => {
            Found::Refused
        }
        Some(Err(MigrateError::Scope { .. })) => Found::Silent,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What the locks guard is whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
