//! The queue as its operator sees it: how much waits, how long already, and who works on it.

use std::time::Duration;

use crate::error::ScopeError;
use crate::pool::Pool;
use crate::row::get;
use crate::scope::{SessionScope, Statement};

/// A moment's view of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueView {
    /// Pending jobs that a worker may take now.
    pub due: u64,
    /// Pending jobs whose next attempt is due later.
    pub later: u64,
    /// Pending jobs of paused batches.
    pub paused: u64,
    /// Jobs that a worker holds.
    pub running: u64,
    /// Batches that have not ended.
    pub live_batches: u64,
    /// Workers whose lease has not run out.
    pub live_workers: u64,
    /// How long the oldest due job has been due; zero when none is.
    pub oldest_due: Duration,
}

const VIEW: Statement = Statement::repeatable("queue_view", include_str!("../sql/queue_view.sql"));

/// Looks at the queue.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn queue_view(pool: &Pool) -> Result<QueueView, ScopeError> {
    let rows = SessionScope::once(pool, &VIEW, &[]).await?;
    let Some(row) = rows.first() else {
        return Ok(QueueView::default());
    };
    let count = |index| {
        let count: i64 = get(&VIEW, row, index)?;
        Ok(u64::try_from(count).unwrap_or(0))
    };
    let oldest: f64 = get(&VIEW, row, 6)?;
    Ok(QueueView {
        due: count(0)?,
        later: count(1)?,
        paused: count(2)?,
        running: count(3)?,
        live_batches: count(4)?,
        live_workers: count(5)?,
        oldest_due: Duration::try_from_secs_f64(oldest).unwrap_or_default(),
    })
}
