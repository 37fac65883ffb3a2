//! Batches: submission and status.

use std::time::Duration;

use time::OffsetDateTime;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use trawl_domain::batch::{BatchCounts, BatchState};
use trawl_domain::job::JobState;
use trawl_domain::limits::{MaxConcurrent, MaxPages};
use trawl_domain::site::SiteAddress;
use uuid::Uuid;

use crate::error::ScopeError;
use crate::pool::Pool;
use crate::row::{get, get_count, get_word};
use crate::scope::{REQUEST_BYTES_MAX, Retries, ScopeSettings, SessionScope, Statement};

/// How a batch came in. A scan is a batch of one domain and differs in nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchKind {
    /// A list of domains.
    Batch,
    /// A single site.
    Scan,
}

impl BatchKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Batch, Self::Scan];

    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Scan => "scan",
        }
    }
}

/// One domain of a submission.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The job's id.
    pub id: Uuid,
    /// What to crawl.
    pub site: SiteAddress,
}

/// A submission: checked, normalized, without duplicates.
#[derive(Debug)]
pub struct NewBatch<'a> {
    /// The batch's id: the client's own, or a new one. It is the idempotency key.
    pub id: Uuid,
    /// How it came in.
    pub kind: BatchKind,
    /// Pages to fetch of each site at most.
    pub max_pages: MaxPages,
    /// Sites to crawl at once at most.
    pub max_concurrent: MaxConcurrent,
    /// Time from acceptance after which what has not ended fails.
    pub deadline: Option<Duration>,
    /// JSON text: what is asked of each crawl.
    pub options: &'a str,
    /// Domains that may wait or run at most, of all batches and this one together.
    pub queue_limit: u32,
    /// SHA-256 of the normalized request: tells a repeated submission from a different one.
    pub request_hash: [u8; 32],
    /// JSON text of an object.
    pub metadata: &'a str,
    /// The domains, at least one.
    pub jobs: &'a [NewJob],
}

/// What became of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// All its rows are stored.
    Accepted {
        /// When.
        created_at: OffsetDateTime,
    },
    /// The same submission had been stored before.
    Replayed {
        /// When.
        created_at: OffsetDateTime,
        /// The id of the job, where it is a scan.
        scan_job: Option<Uuid>,
    },
    /// The id belongs to a different submission, or to one that is being deleted.
    Conflict,
    /// Too many domains wait already; nothing is stored.
    QueueFull,
}

const INSERT: Statement =
    Statement::once_only("batch_insert", include_str!("../sql/batch_insert.sql"));
const JOBS_INSERT: Statement = Statement::once_only(
    "batch_jobs_insert",
    include_str!("../sql/batch_jobs_insert.sql"),
);
const FIND: Statement = Statement::repeatable("batch_find", include_str!("../sql/batch_find.sql"));
const STATUS: Statement =
    Statement::repeatable("batch_status", include_str!("../sql/batch_status.sql"));

/// Stores a batch and all its jobs, or nothing, in one transaction.
///
/// When the answer to COMMIT is lost the whole is sent again: the id tells whether it had come
/// through, and the second insertion waits for the first if that is still under way.
///
/// # Errors
/// [`ScopeError`] of the last try; then nothing is known to be stored.
pub async fn batch_submit(pool: &Pool, batch: &NewBatch<'_>) -> Result<Submitted, ScopeError> {
    let mut retries = Retries::new(true);
    loop {
        match submit_once(pool, batch).await {
            Ok(submitted) => return Ok(submitted),
            Err(error) => retries.after("batch_submit", error).await?,
        }
    }
}

async fn submit_once(pool: &Pool, batch: &NewBatch<'_>) -> Result<Submitted, ScopeError> {
    let mut scope = SessionScope::begin(pool, ScopeSettings::SHORT).await?;
    let outcome = insert(&mut scope, batch).await;
    scope.finish(outcome).await
}

async fn insert(scope: &mut SessionScope, batch: &NewBatch<'_>) -> Result<Submitted, ScopeError> {
    let total = i32::try_from(batch.jobs.len()).unwrap_or(i32::MAX);
    let params = [
        (&batch.id as _, Type::UUID),
        (&batch.kind.as_str() as _, Type::TEXT),
        (&total as _, Type::INT4),
        (&batch.max_pages.get().cast_signed() as _, Type::INT4),
        (&batch.max_concurrent.get().cast_signed() as _, Type::INT4),
        (&batch.request_hash.as_slice() as _, Type::BYTEA),
        (&batch.metadata as _, Type::TEXT),
        (
            &batch.deadline.map(|deadline| deadline.as_secs_f64()) as _,
            Type::FLOAT8,
        ),
        (&i64::from(batch.queue_limit) as _, Type::INT8),
        (&batch.options as _, Type::TEXT),
    ];
    let rows = scope.query(&INSERT, &params).await?;
    let Some(row) = rows.first() else {
        return find(scope, batch).await;
    };
    let created_at = get(&INSERT, row, 0)?;
    let mut first: i32 = 0;
    for slice in slices(batch.jobs) {
        insert_jobs(scope, batch.id, first, slice).await?;
        first = first.saturating_add(i32::try_from(slice.len()).unwrap_or(i32::MAX));
    }
    Ok(Submitted::Accepted { created_at })
}

async fn find(scope: &mut SessionScope, batch: &NewBatch<'_>) -> Result<Submitted, ScopeError> {
    let rows = scope.query(&FIND, &[(&batch.id, Type::UUID)]).await?;
    let Some(row) = rows.first() else {
        // The id is free, so it was the queue that had no room.
        return Ok(Submitted::QueueFull);
    };
    let found: &[u8] = get(&FIND, row, 1)?;
    let is_expired: bool = get(&FIND, row, 3)?;
    if is_expired || found != batch.request_hash {
        return Ok(Submitted::Conflict);
    }
    Ok(Submitted::Replayed {
        created_at: get(&FIND, row, 0)?,
        scan_job: get(&FIND, row, 2)?,
    })
}

async fn insert_jobs(
    scope: &mut SessionScope,
    batch: Uuid,
    first: i32,
    jobs: &[NewJob],
) -> Result<(), ScopeError> {
    let start_urls: Vec<String> = jobs.iter().map(|job| job.site.start_url()).collect();
    let differing = |value, job: &NewJob| (value != job.site.key()).then_some(value);
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id).collect();
    let domains: Vec<&str> = jobs.iter().map(|job| job.site.key()).collect();
    let hosts: Vec<Option<&str>> = jobs
        .iter()
        .map(|job| differing(job.site.host_key(), job))
        .collect();
    let starts: Vec<Option<&str>> = start_urls
        .iter()
        .zip(jobs)
        .map(|(url, job)| differing(url.as_str(), job))
        .collect();
    let params = [
        (&batch as _, Type::UUID),
        (&first as _, Type::INT4),
        (&ids as _, Type::UUID_ARRAY),
        (&domains as _, Type::TEXT_ARRAY),
        (&hosts as _, Type::TEXT_ARRAY),
        (&starts as _, Type::TEXT_ARRAY),
    ];
    scope.query(&JOBS_INSERT, &params).await.map(drop)
}

/// Cuts jobs into slices whose rows fit one request.
fn slices(jobs: &[NewJob]) -> impl Iterator<Item = &[NewJob]> {
    // The id and four array headers of 4 bytes, and at worst all three texts in full.
    let bytes = |job: &NewJob| {
        32 + job.site.key().len() + job.site.host_key().len() + job.site.start_url().len()
    };
    crate::slices::by_bytes(jobs, REQUEST_BYTES_MAX - 2_000, bytes)
}

/// A batch as its row has it.
#[derive(Debug, Clone)]
pub struct BatchView {
    /// Its state.
    pub state: BatchState,
    /// Its counters.
    pub counts: BatchCounts,
    /// Pages to fetch of each site at most.
    pub max_pages: u32,
    /// Sites to crawl at once at most.
    pub max_concurrent: u32,
    /// When it was accepted.
    pub created_at: OffsetDateTime,
    /// When anything of it changed last, its jobs included.
    pub updated_at: OffsetDateTime,
    /// First claim of a job.
    pub started_at: Option<OffsetDateTime>,
    /// End of the last job.
    pub ended_at: Option<OffsetDateTime>,
    /// Seconds from start to end, or to now by the database's clock; `None` before the start.
    pub processing_seconds: Option<f64>,
    /// Whether somebody paused it.
    pub paused: bool,
    /// What has not ended by then fails.
    pub deadline_at: Option<OffsetDateTime>,
    /// The batch whose failed domains this one tries again.
    pub retry_of: Option<Uuid>,
    /// The submitter's JSON text.
    pub metadata: String,
    /// JSON text: what is asked of each crawl.
    pub options: String,
}

/// One job in the status of its batch.
#[derive(Debug, Clone, Copy)]
pub struct JobLine<'r> {
    /// The job.
    pub id: Uuid,
    /// Host, or host and port.
    pub domain: &'r str,
    /// Its state.
    pub state: JobState,
    /// Pages fetched so far.
    pub pages_scraped: u32,
    /// Stable code and sentence of its last failure.
    pub failure: Option<(&'r str, &'r str)>,
}

/// The state of a batch and all its jobs, in one snapshot; each job is folded as it arrives, so that
/// a large batch need not be held.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn batch_status<A>(
    pool: &Pool,
    id: Uuid,
    init: impl Fn() -> A,
    mut fold: impl FnMut(&mut A, JobLine<'_>),
) -> Result<Option<(BatchView, A)>, ScopeError> {
    struct Progress<A> {
        view: Option<BatchView>,
        folded: A,
        error: Option<ScopeError>,
    }
    let progress = SessionScope::once_fold(
        pool,
        &STATUS,
        &[(&id, Type::UUID)],
        || Progress {
            view: None,
            folded: init(),
            error: None,
        },
        |progress, row| {
            let mut read = |progress: &mut Progress<A>| {
                let changed_at: OffsetDateTime = get(&STATUS, &row, 18)?;
                match &mut progress.view {
                    Some(view) => view.updated_at = view.updated_at.max(changed_at),
                    None => progress.view = Some(read_view(&row, changed_at)?),
                }
                fold(&mut progress.folded, read_line(&row)?);
                Ok(())
            };
            if let Err(error) = read(progress) {
                progress.error.get_or_insert(error);
            }
        },
    )
    .await?;
    match progress.error {
        Some(error) => Err(error),
        None => Ok(progress.view.map(|view| (view, progress.folded))),
    }
}

fn read_view(row: &Row, job_changed_at: OffsetDateTime) -> Result<BatchView, ScopeError> {
    let updated_at: OffsetDateTime = get(&STATUS, row, 9)?;
    let metadata: Option<String> = get(&STATUS, row, 13)?;
    let options: Option<String> = get(&STATUS, row, 24)?;
    Ok(BatchView {
        state: get_word(&STATUS, row, 1, BatchState::from_word)?,
        counts: BatchCounts {
            total: get_count(&STATUS, row, 2)?,
            completed: get_count(&STATUS, row, 3)?,
            failed: get_count(&STATUS, row, 4)?,
            cancelled: get_count(&STATUS, row, 5)?,
        },
        max_pages: get_count(&STATUS, row, 6)?,
        max_concurrent: get_count(&STATUS, row, 7)?,
        created_at: get(&STATUS, row, 8)?,
        updated_at: updated_at.max(job_changed_at),
        started_at: get(&STATUS, row, 10)?,
        ended_at: get(&STATUS, row, 11)?,
        processing_seconds: get(&STATUS, row, 12)?,
        paused: get(&STATUS, row, 21)?,
        deadline_at: get(&STATUS, row, 22)?,
        retry_of: get(&STATUS, row, 23)?,
        metadata: metadata.unwrap_or_else(|| "{}".to_owned()),
        options: options.unwrap_or_else(|| "{}".to_owned()),
    })
}

fn read_line(row: &Row) -> Result<JobLine<'_>, ScopeError> {
    let code: Option<&str> = get(&STATUS, row, 19)?;
    let sentence: Option<&str> = get(&STATUS, row, 20)?;
    Ok(JobLine {
        id: get(&STATUS, row, 14)?,
        domain: get(&STATUS, row, 15)?,
        state: get_word(&STATUS, row, 16, JobState::from_word)?,
        pages_scraped: get_count(&STATUS, row, 17)?,
        failure: code.zip(sentence),
    })
}
