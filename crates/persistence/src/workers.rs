//! Worker processes: one row each, whose heartbeat is the lease of every job they hold.

use std::time::Duration;

use tokio_postgres::types::Type;
use trawl_domain::lease::FencingToken;
use uuid::Uuid;

use crate::error::ScopeError;
use crate::pool::Pool;
use crate::row::get;
use crate::scope::{SessionScope, Statement};

/// What a worker process may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkerState {
    /// Claims jobs and renews their leases.
    Live,
    /// Renews its leases and claims nothing more.
    Draining,
    /// Holds no lease, and never will again: it left, or was found dead.
    Gone,
}

impl WorkerState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Live, Self::Draining, Self::Gone];

    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Draining => "draining",
            Self::Gone => "gone",
        }
    }
}

/// A worker process as it announces itself.
#[derive(Debug, Clone)]
pub struct WorkerIdentity {
    /// New with every start, never reused.
    pub id: Uuid,
    /// The machine's name, for people.
    pub host: String,
    /// The process id, for people.
    pub pid: u32,
    /// Time after the last heartbeat at which its jobs may be taken.
    pub lease_ttl: Duration,
}

/// A claimed job and the token that proves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct JobLease {
    /// The job.
    pub job: Uuid,
    /// The token of the claim.
    pub token: FencingToken,
}

/// What a heartbeat found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// Whether the worker is still known: if not, every lease is gone and it must start anew.
    pub alive: bool,
    /// Held jobs that somebody else has taken or ended.
    pub lost: Vec<Uuid>,
    /// Held jobs that somebody asked to cancel, or whose batch.
    pub cancelling: Vec<Uuid>,
    /// Held jobs of batches that somebody paused.
    pub paused: Vec<Uuid>,
    /// Held jobs of batches past their deadline.
    pub overdue: Vec<Uuid>,
    /// Jobs claimed for this worker of which it does not know: the answer to the claim was lost.
    pub orphans: Vec<JobLease>,
}

const REGISTER: Statement = Statement::repeatable(
    "worker_register",
    include_str!("../sql/worker_register.sql"),
);
const HEARTBEAT: Statement = Statement::repeatable(
    "worker_heartbeat",
    include_str!("../sql/worker_heartbeat.sql"),
);
const LEAVE: Statement =
    Statement::repeatable("worker_leave", include_str!("../sql/worker_leave.sql"));
const FORGET: Statement =
    Statement::repeatable("worker_forget", include_str!("../sql/worker_forget.sql"));

/// Announces a worker process.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn worker_register(pool: &Pool, worker: &WorkerIdentity) -> Result<(), ScopeError> {
    let params = [
        (&worker.id as _, Type::UUID),
        (&millis(worker.lease_ttl) as _, Type::FLOAT8),
        (&worker.host as _, Type::TEXT),
        (&i32::try_from(worker.pid).unwrap_or(-1) as _, Type::INT4),
        (&env!("CARGO_PKG_VERSION") as _, Type::TEXT),
    ];
    SessionScope::once(pool, &REGISTER, &params).await.map(drop)
}

/// Renews the leases of a worker and tells what became of the jobs it holds.
///
/// `claim_age` is the age at which a claim that is not in `held` must have lost its answer.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn worker_heartbeat(
    pool: &Pool,
    worker: Uuid,
    held: &[JobLease],
    claim_age: Duration,
) -> Result<Heartbeat, ScopeError> {
    let (jobs, tokens) = lease_columns(held);
    let params = [
        (&worker as _, Type::UUID),
        (&jobs as _, Type::UUID_ARRAY),
        (&tokens as _, Type::INT8_ARRAY),
        (&millis(claim_age) as _, Type::FLOAT8),
    ];
    let rows = SessionScope::once(pool, &HEARTBEAT, &params).await?;
    let Some(row) = rows.first() else {
        return Ok(Heartbeat {
            alive: false,
            lost: jobs,
            cancelling: vec![],
            paused: vec![],
            overdue: vec![],
            orphans: vec![],
        });
    };
    let orphans: Vec<Uuid> = get(&HEARTBEAT, row, 5)?;
    let orphan_tokens: Vec<i64> = get(&HEARTBEAT, row, 6)?;
    Ok(Heartbeat {
        alive: get(&HEARTBEAT, row, 0)?,
        lost: get(&HEARTBEAT, row, 1)?,
        cancelling: get(&HEARTBEAT, row, 2)?,
        paused: get(&HEARTBEAT, row, 3)?,
        overdue: get(&HEARTBEAT, row, 4)?,
        orphans: orphans
            .into_iter()
            .zip(orphan_tokens)
            .map(|(job, token)| JobLease {
                job,
                token: FencingToken(token),
            })
            .collect(),
    })
}

/// Marks a worker as draining: it keeps its leases and claims nothing more.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn worker_drain(pool: &Pool, worker: Uuid) -> Result<(), ScopeError> {
    leave(pool, worker, WorkerState::Draining).await
}

/// Marks a worker as gone: whatever it still holds may be rescued at once.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn worker_gone(pool: &Pool, worker: Uuid) -> Result<(), ScopeError> {
    leave(pool, worker, WorkerState::Gone).await
}

async fn leave(pool: &Pool, worker: Uuid, state: WorkerState) -> Result<(), ScopeError> {
    let params = [
        (&worker as _, Type::UUID),
        (&state.as_str() as _, Type::TEXT),
    ];
    SessionScope::once(pool, &LEAVE, &params).await.map(drop)
}

/// Deletes rows of workers that went long ago.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn worker_forget(pool: &Pool) -> Result<(), ScopeError> {
    SessionScope::once(pool, &FORGET, &[]).await.map(drop)
}

/// Leases as the two arrays that statements take.
pub(crate) fn lease_columns(leases: &[JobLease]) -> (Vec<Uuid>, Vec<i64>) {
    leases
        .iter()
        .map(|lease| (lease.job, lease.token.0))
        .unzip()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
