//! What users ask of batches and jobs that exist: cancel, pause, resume, retry.
//!
//! Every call is idempotent and answers the state it found, so that a client whose answer was lost
//! may simply ask again. `None` means that there is no such batch or job.

use time::OffsetDateTime;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use trawl_domain::batch::BatchState;
use trawl_domain::job::JobState;
use uuid::Uuid;

use crate::error::ScopeError;
use crate::pool::Pool;
use crate::row::{get, get_count, get_word};
use crate::scope::{ScopeSettings, SessionScope, Statement};

/// Pending jobs that one statement ends at most: some tens of milliseconds of a batch's lock.
pub(crate) const SLICE_JOBS: i32 = 5_000;

const BATCH_CANCEL: Statement =
    Statement::repeatable("batch_cancel", include_str!("../sql/batch_cancel.sql"));
const JOB_CANCEL: Statement =
    Statement::repeatable("job_cancel", include_str!("../sql/job_cancel.sql"));
const BATCH_PAUSE: Statement =
    Statement::repeatable("batch_pause", include_str!("../sql/batch_pause.sql"));
const BATCH_RETRY: Statement =
    Statement::repeatable("batch_retry", include_str!("../sql/batch_retry.sql"));
const PAGES_CARRY: Statement =
    Statement::repeatable("pages_carry", include_str!("../sql/pages_carry.sql"));

/// Pages that one statement carries over, those of one more job apart: at the limit of a request
/// each, some 100 MB of write-ahead log (chosen).
const SLICE_PAGES: i32 = 500;
/// Slices that a retry waits for; the maintenance of any worker carries the rest. Chosen: a client
/// waits for seconds at most, and few retries have more than 10,000 pages.
const RETRY_SLICES_MAX: u32 = 20;

/// What a request to change something found, and what it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed<S> {
    /// The state before.
    pub found: S,
    /// The state after; equal where there was nothing to change.
    pub now: S,
}

/// Cancels a batch. Jobs that wait are cancelled before the answer; running ones are stopped by
/// their workers at the next heartbeat, and the last of them ends the batch.
///
/// # Errors
/// [`ScopeError`] of the statement that failed. What is still left to cancel then is done by the
/// maintenance of any worker.
pub async fn batch_cancel(
    pool: &Pool,
    id: Uuid,
) -> Result<Option<Changed<BatchState>>, ScopeError> {
    let mut found = None;
    loop {
        let params = [(&id as _, Type::UUID), (&SLICE_JOBS as _, Type::INT4)];
        let rows = SessionScope::once(pool, &BATCH_CANCEL, &params).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let before = get_word(&BATCH_CANCEL, row, 0, BatchState::from_word)?;
        let now = get_word(&BATCH_CANCEL, row, 1, BatchState::from_word)?;
        let slice: i32 = get(&BATCH_CANCEL, row, 2)?;
        let found = *found.get_or_insert(before);
        if slice < SLICE_JOBS {
            return Ok(Some(Changed { found, now }));
        }
    }
}

/// Cancels one job: at once where it waits, at the next heartbeat where it runs.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn job_cancel(pool: &Pool, id: Uuid) -> Result<Option<Changed<JobState>>, ScopeError> {
    let rows = SessionScope::once(pool, &JOB_CANCEL, &[(&id, Type::UUID)]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(Changed {
        found: get_word(&JOB_CANCEL, row, 0, JobState::from_word)?,
        now: get_word(&JOB_CANCEL, row, 1, JobState::from_word)?,
    }))
}

/// Whether a batch is paused, and its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paused {
    /// The state of the batch; only a pending or running one can be paused.
    pub state: BatchState,
    /// Whether it is paused now.
    pub paused: bool,
}

/// Pauses a batch, or resumes it. Nothing of a paused batch is claimed; what runs is handed back at
/// the next heartbeat and goes on later from the pages it recorded.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn batch_pause(
    pool: &Pool,
    id: Uuid,
    paused: bool,
) -> Result<Option<Paused>, ScopeError> {
    let params = [(&id as _, Type::UUID), (&paused as _, Type::BOOL)];
    let rows = SessionScope::once(pool, &BATCH_PAUSE, &params).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(Paused {
        state: get_word(&BATCH_PAUSE, row, 0, BatchState::from_word)?,
        paused: get(&BATCH_PAUSE, row, 1)?,
    }))
}

/// What became of a request to retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// A new batch has the failed domains.
    Accepted {
        /// How many.
        total: u32,
        /// When.
        created_at: OffsetDateTime,
    },
    /// The batch has not ended, or nothing of it failed.
    Refused {
        /// Its state.
        state: BatchState,
    },
    /// The new id belongs to another batch, or to one that is being deleted.
    Conflict,
    /// Too many domains wait already; nothing is stored.
    QueueFull,
}

/// Makes batch `new` of the failed domains of batch `id`, which must have ended, with the pages
/// already fetched. The same `new` again is the same retry. At most `queue_limit` domains may wait or
/// run, of all batches and this one together.
///
/// A domain is not claimed before its pages are there: those of the first ones are carried over
/// before the answer, the rest by [`pages_carry`].
///
/// # Errors
/// [`ScopeError`] of the statement that failed; the batch may be there all the same.
pub async fn batch_retry(
    pool: &Pool,
    id: Uuid,
    new: Uuid,
    queue_limit: u32,
) -> Result<Option<Retried>, ScopeError> {
    let queue_limit = i64::from(queue_limit);
    // In a transaction, which can be given a longer limit than a statement of its own.
    let rows = SessionScope::run(pool, ScopeSettings::BULK, async move |scope| {
        scope
            .query(
                &BATCH_RETRY,
                &[
                    (&id, Type::UUID),
                    (&new, Type::UUID),
                    (&queue_limit, Type::INT8),
                ],
            )
            .await
    })
    .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let retried = read_retried(row)?;
    if matches!(retried, Retried::Accepted { .. }) {
        for _slice in 0..RETRY_SLICES_MAX {
            if pages_carry(pool, Some(new)).await? == 0 {
                break;
            }
        }
    }
    Ok(Some(retried))
}

fn read_retried(row: &Row) -> Result<Retried, ScopeError> {
    match get(&BATCH_RETRY, row, 0)? {
        "accepted" => Ok(Retried::Accepted {
            total: get_count(&BATCH_RETRY, row, 2)?,
            created_at: get(&BATCH_RETRY, row, 3)?,
        }),
        "refused" => Ok(Retried::Refused {
            state: get_word(&BATCH_RETRY, row, 1, BatchState::from_word)?,
        }),
        "conflict" => Ok(Retried::Conflict),
        "full" => Ok(Retried::QueueFull),
        word => Err(ScopeError::UnknownWord {
            statement: BATCH_RETRY.name,
            word: word.to_owned(),
        }),
    }
}

/// Carries a slice of pages over to jobs that try failed ones again, of one batch or of any. Answers
/// how many jobs have got theirs.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn pages_carry(pool: &Pool, batch: Option<Uuid>) -> Result<u32, ScopeError> {
    let params = [(&batch as _, Type::UUID), (&SLICE_PAGES as _, Type::INT4)];
    let rows = SessionScope::once(pool, &PAGES_CARRY, &params).await?;
    rows.first()
        .map_or(Ok(0), |row| get_count(&PAGES_CARRY, row, 0))
}
