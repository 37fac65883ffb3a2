//! Domain jobs: claim, finish, hand back, rescue, status.

use std::time::Duration;

use time::OffsetDateTime;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use trawl_domain::failure::Failure;
use trawl_domain::job::JobState;
use trawl_domain::lease::FencingToken;
use uuid::Uuid;

use crate::error::ScopeError;
use crate::pool::Pool;
use crate::row::{get, get_count, get_word};
use crate::scope::{REQUEST_BYTES_MAX, SessionScope, Statement};
use crate::text::{clean, clean_json, cleaned_bytes};
use crate::workers::{JobLease, lease_columns};

/// A job as a claim hands it over.
#[derive(Debug, Clone)]
pub struct ClaimedJob {
    /// The job and its token.
    pub lease: JobLease,
    /// Its batch.
    pub batch: Uuid,
    /// Host, or host and port.
    pub domain: String,
    /// The domain with the submitter's scheme and path.
    pub start_url: String,
    /// This attempt, from 1.
    pub attempt: u32,
    /// Pages to fetch at most.
    pub max_pages: u32,
    /// Pages that earlier claims recorded.
    pub pages_recorded: u32,
    /// JSON text: what the client asked of the crawl.
    pub options: String,
    /// Waits in a row that its site asked for so far.
    pub snoozes: u32,
    /// What was left of the time of its batch when it was claimed; zero where that had passed.
    pub batch_time_left: Option<Duration>,
}

/// How a claimed job ended.
#[derive(Debug, Clone)]
pub enum Ending {
    /// With a result.
    Complete {
        /// Why the crawl stopped.
        stop_reason: &'static str,
        /// The site's profile, as JSON text.
        result: String,
    },
    /// Without a result, for good.
    Failed(Failure),
    /// Without a result; another attempt is due after `delay`.
    Retry {
        /// Why.
        failure: Failure,
        /// Wait before the next attempt.
        delay: Duration,
    },
    /// Not yet: a host asked to be left alone, which holds for all jobs that want it. The attempt does
    /// not count.
    Snoozed {
        /// What the host answered.
        failure: Failure,
        /// The host that asked, as [`trawl_domain::site::SiteAddress::host_key`] writes it.
        host_key: String,
        /// Until it may be asked again.
        wait: Duration,
        /// Such waits in a row, this one included.
        snoozes: u32,
    },
    /// Because somebody asked for it.
    Cancelled,
    /// Not at all: handed back unfinished, and due again after `delay`. The attempt does not count.
    HandedBack {
        /// Wait before it may be claimed again.
        delay: Duration,
    },
}

/// A job's ending with the proof that its worker holds it.
#[derive(Debug, Clone)]
pub struct EndedJob {
    /// The job and its token.
    pub lease: JobLease,
    /// How it ended.
    pub ending: Ending,
}

/// A job that a statement moved, and where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MovedJob {
    /// The job.
    pub job: Uuid,
    /// Its new state.
    pub state: JobState,
}

const CLAIM: Statement = Statement::once_only("job_claim", include_str!("../sql/job_claim.sql"));
const FINISH: Statement =
    Statement::repeatable("job_finish", include_str!("../sql/job_finish.sql"));
const RESCUE: Statement =
    Statement::repeatable("job_rescue", include_str!("../sql/job_rescue.sql"));
const STATUS: Statement =
    Statement::repeatable("job_status", include_str!("../sql/job_status.sql"));

const ATTEMPTS: Statement =
    Statement::repeatable("job_attempts", include_str!("../sql/job_attempts.sql"));

/// Takes up to `want` jobs for `worker`: fair across batches, never above a batch's
/// `max_concurrent`, never a second job of a host that is being crawled or held, none of a host that is
/// snoozed. With `only_batch`, of that batch alone.
///
/// # Errors
/// [`ScopeError`]; when the outcome is unknown, jobs may have been claimed, and a later
/// [`crate::workers::worker_heartbeat`] names them as orphans.
pub async fn job_claim(
    pool: &Pool,
    worker: Uuid,
    want: u32,
    only_batch: Option<Uuid>,
) -> Result<Vec<ClaimedJob>, ScopeError> {
    let params = [
        (&worker as _, Type::UUID),
        (&i32::try_from(want).unwrap_or(i32::MAX) as _, Type::INT4),
        (&only_batch as _, Type::UUID),
    ];
    let rows = SessionScope::once(pool, &CLAIM, &params).await?;
    rows.iter().map(read_claimed).collect()
}

fn read_claimed(row: &Row) -> Result<ClaimedJob, ScopeError> {
    Ok(ClaimedJob {
        lease: JobLease {
            job: get(&CLAIM, row, 0)?,
            token: FencingToken(get(&CLAIM, row, 4)?),
        },
        batch: get(&CLAIM, row, 1)?,
        domain: get(&CLAIM, row, 2)?,
        start_url: get(&CLAIM, row, 3)?,
        attempt: get_count(&CLAIM, row, 5)?,
        max_pages: get_count(&CLAIM, row, 6)?,
        pages_recorded: get_count(&CLAIM, row, 7)?,
        options: get(&CLAIM, row, 8)?,
        snoozes: get_count(&CLAIM, row, 9)?,
        batch_time_left: get::<Option<i64>>(&CLAIM, row, 10)?
            .map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0))),
    })
}

/// Ends or re-queues jobs and counts them in the same statement, fenced by their tokens.
///
/// Answers the jobs that moved. One missing had moved before, perhaps by this very call whose
/// answer was lost, or belongs to another worker now: in both cases nothing is left to do for it.
///
/// # Errors
/// [`ScopeError`] of the first request that failed; the call may be repeated whole.
pub async fn job_finish(pool: &Pool, ended: &[EndedJob]) -> Result<Vec<MovedJob>, ScopeError> {
    let mut moved = Vec::with_capacity(ended.len());
    for slice in crate::slices::by_bytes(ended, REQUEST_BYTES_MAX - 2_000, EndedJob::bytes) {
        moved.extend(finish_slice(pool, slice).await?);
    }
    Ok(moved)
}

fn failure_bytes(failure: &Failure) -> usize {
    cleaned_bytes(&failure.sentence) + failure.code.as_str().len()
}

impl EndedJob {
    fn bytes(&self) -> usize {
        let text = match &self.ending {
            Ending::Complete {
                result,
                stop_reason,
            } => result.len() + stop_reason.len(),
            Ending::Failed(failure) | Ending::Retry { failure, .. } => failure_bytes(failure),
            Ending::Snoozed {
                failure, host_key, ..
            } => failure_bytes(failure) + host_key.len(),
            Ending::Cancelled | Ending::HandedBack { .. } => 0,
        };
        80 + text
    }

    fn target(&self) -> JobState {
        match self.ending {
            Ending::Complete { .. } => JobState::Complete,
            Ending::Failed(_) => JobState::Failed,
            Ending::Retry { .. } | Ending::Snoozed { .. } | Ending::HandedBack { .. } => {
                JobState::Pending
            }
            Ending::Cancelled => JobState::Cancelled,
        }
    }

    fn failure(&self) -> Option<&Failure> {
        match &self.ending {
            Ending::Failed(failure)
            | Ending::Retry { failure, .. }
            | Ending::Snoozed { failure, .. } => Some(failure),
            Ending::Complete { .. } | Ending::Cancelled | Ending::HandedBack { .. } => None,
        }
    }
}

async fn finish_slice(pool: &Pool, ended: &[EndedJob]) -> Result<Vec<MovedJob>, ScopeError> {
    let leases: Vec<JobLease> = ended.iter().map(|job| job.lease).collect();
    let (jobs, tokens) = lease_columns(&leases);
    let targets: Vec<&str> = ended.iter().map(|job| job.target().as_str()).collect();
    let charged: Vec<bool> = ended
        .iter()
        .map(|job| {
            !matches!(
                job.ending,
                Ending::Snoozed { .. } | Ending::HandedBack { .. }
            )
        })
        .collect();
    let delays: Vec<i64> = ended
        .iter()
        .map(|job| match job.ending {
            Ending::Retry { delay, .. }
            | Ending::Snoozed { wait: delay, .. }
            | Ending::HandedBack { delay } => i64::try_from(delay.as_millis()).unwrap_or(i64::MAX),
            Ending::Complete { .. } | Ending::Failed(_) | Ending::Cancelled => 0,
        })
        .collect();
    let snoozes: Vec<Option<i32>> = ended
        .iter()
        .map(|job| match job.ending {
            Ending::Snoozed { snoozes, .. } => Some(i32::try_from(snoozes).unwrap_or(i32::MAX)),
            Ending::Complete { .. }
            | Ending::Failed(_)
            | Ending::Retry { .. }
            | Ending::Cancelled
            | Ending::HandedBack { .. } => None,
        })
        .collect();
    let snoozed_hosts: Vec<Option<&str>> = ended
        .iter()
        .map(|job| match &job.ending {
            Ending::Snoozed { host_key, .. } => Some(host_key.as_str()),
            Ending::Complete { .. }
            | Ending::Failed(_)
            | Ending::Retry { .. }
            | Ending::Cancelled
            | Ending::HandedBack { .. } => None,
        })
        .collect();
    let codes: Vec<Option<&str>> = ended
        .iter()
        .map(|job| job.failure().map(|failure| failure.code.as_str()))
        .collect();
    let sentences: Vec<Option<_>> = ended
        .iter()
        .map(|job| job.failure().map(|failure| clean(&failure.sentence)))
        .collect();
    let completed = |job: &EndedJob| match &job.ending {
        Ending::Complete {
            stop_reason,
            result,
        } => Some((*stop_reason, result.clone())),
        Ending::Failed(_)
        | Ending::Retry { .. }
        | Ending::Snoozed { .. }
        | Ending::Cancelled
        | Ending::HandedBack { .. } => None,
    };
    let (reasons, results): (Vec<Option<&str>>, Vec<Option<String>>) = ended
        .iter()
        .map(|job| {
            completed(job)
                .map(|(reason, result)| (reason, clean_json(&result).into_owned()))
                .unzip()
        })
        .unzip();
    let params = [
        (&jobs as _, Type::UUID_ARRAY),
        (&tokens as _, Type::INT8_ARRAY),
        (&targets as _, Type::TEXT_ARRAY),
        (&charged as _, Type::BOOL_ARRAY),
        (&delays as _, Type::INT8_ARRAY),
        (&codes as _, Type::TEXT_ARRAY),
        (&sentences as _, Type::TEXT_ARRAY),
        (&reasons as _, Type::TEXT_ARRAY),
        (&results as _, Type::TEXT_ARRAY),
        (&snoozes as _, Type::INT4_ARRAY),
        (&snoozed_hosts as _, Type::TEXT_ARRAY),
    ];
    let rows = SessionScope::once(pool, &FINISH, &params).await?;
    read_moved(&FINISH, &rows)
}

/// Hands jobs back unfinished, without charging the attempt, fenced by their tokens.
///
/// # Errors
/// As [`job_finish`].
pub async fn job_hand_back(pool: &Pool, leases: &[JobLease]) -> Result<Vec<MovedJob>, ScopeError> {
    let ended: Vec<EndedJob> = leases
        .iter()
        .map(|lease| EndedJob {
            lease: *lease,
            ending: Ending::HandedBack {
                delay: Duration::ZERO,
            },
        })
        .collect();
    job_finish(pool, &ended).await
}

/// Takes up to `limit` jobs from workers whose lease ran out: back to pending while attempts are
/// left, else failed.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn job_rescue(
    pool: &Pool,
    limit: u32,
    max_attempts: u32,
) -> Result<Vec<MovedJob>, ScopeError> {
    let params = [
        (&i32::try_from(limit).unwrap_or(i32::MAX) as _, Type::INT4),
        (
            &i32::try_from(max_attempts).unwrap_or(i32::MAX) as _,
            Type::INT4,
        ),
    ];
    let rows = SessionScope::once(pool, &RESCUE, &params).await?;
    read_moved(&RESCUE, &rows)
}

fn read_moved(statement: &Statement, rows: &[Row]) -> Result<Vec<MovedJob>, ScopeError> {
    rows.iter()
        .map(|row| {
            Ok(MovedJob {
                job: get(statement, row, 0)?,
                state: get_word(statement, row, 1, JobState::from_word)?,
            })
        })
        .collect()
}

/// A job as its row has it.
#[derive(Debug, Clone)]
pub struct JobView {
    /// The job.
    pub id: Uuid,
    /// Its batch.
    pub batch: Uuid,
    /// Host, or host and port.
    pub domain: String,
    /// Its state.
    pub state: JobState,
    /// Attempts begun.
    pub attempt: u32,
    /// Pages to fetch at most.
    pub max_pages: u32,
    /// Pages fetched so far.
    pub pages_scraped: u32,
    /// When its batch was accepted.
    pub created_at: OffsetDateTime,
    /// When it changed last.
    pub updated_at: OffsetDateTime,
    /// First claim.
    pub started_at: Option<OffsetDateTime>,
    /// Its end.
    pub ended_at: Option<OffsetDateTime>,
    /// Stable code and sentence of its last failure.
    pub failure: Option<(String, String)>,
    /// Why the crawl stopped.
    pub stop_reason: Option<String>,
    /// The site's profile, as JSON text.
    pub result: Option<String>,
    /// The submitter's JSON text.
    pub metadata: String,
    /// The failed job that this one tries again.
    pub retry_of: Option<Uuid>,
    /// Whether somebody asked to cancel it.
    pub cancel_requested: bool,
    /// The earliest moment at which it is begun again, where that is still to come.
    pub waits_until: Option<OffsetDateTime>,
}

/// One attempt at a job that has ended.
#[derive(Debug, Clone)]
pub struct AttemptView {
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The state it left the job in: pending where another attempt follows.
    pub outcome: JobState,
    /// When it was claimed.
    pub started_at: OffsetDateTime,
    /// When it ended.
    pub ended_at: OffsetDateTime,
    /// Stable code and sentence of its failure.
    pub failure: Option<(String, String)>,
}

/// The attempts at a job that have ended, in their order.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn job_attempts(pool: &Pool, id: Uuid) -> Result<Vec<AttemptView>, ScopeError> {
    let rows = SessionScope::once(pool, &ATTEMPTS, &[(&id, Type::UUID)]).await?;
    rows.iter()
        .map(|row| {
            let code: Option<String> = get(&ATTEMPTS, row, 4)?;
            let sentence: Option<String> = get(&ATTEMPTS, row, 5)?;
            Ok(AttemptView {
                attempt: get_count(&ATTEMPTS, row, 0)?,
                outcome: get_word(&ATTEMPTS, row, 1, JobState::from_word)?,
                started_at: get(&ATTEMPTS, row, 2)?,
                ended_at: get(&ATTEMPTS, row, 3)?,
                failure: code.zip(sentence),
            })
        })
        .collect()
}

/// The state of one job.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn job_status(pool: &Pool, id: Uuid) -> Result<Option<JobView>, ScopeError> {
    let rows = SessionScope::once(pool, &STATUS, &[(&id, Type::UUID)]).await?;
    rows.first().map(read_view).transpose()
}

fn read_view(row: &Row) -> Result<JobView, ScopeError> {
    let code: Option<String> = get(&STATUS, row, 12)?;
    let sentence: Option<String> = get(&STATUS, row, 13)?;
    Ok(JobView {
        id: get(&STATUS, row, 0)?,
        batch: get(&STATUS, row, 1)?,
        domain: get(&STATUS, row, 3)?,
        state: get_word(&STATUS, row, 4, JobState::from_word)?,
        attempt: get_count(&STATUS, row, 5)?,
        max_pages: get_count(&STATUS, row, 6)?,
        pages_scraped: get_count(&STATUS, row, 7)?,
        created_at: get(&STATUS, row, 8)?,
        updated_at: get(&STATUS, row, 9)?,
        started_at: get(&STATUS, row, 10)?,
        ended_at: get(&STATUS, row, 11)?,
        failure: code.zip(sentence),
        stop_reason: get(&STATUS, row, 14)?,
        result: get(&STATUS, row, 15)?,
        metadata: get(&STATUS, row, 16)?,
        retry_of: get(&STATUS, row, 17)?,
        cancel_requested: get(&STATUS, row, 18)?,
        waits_until: get(&STATUS, row, 19)?,
    })
}
