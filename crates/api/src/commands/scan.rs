//! `trawl scan`: one site, from the command line, with nothing left behind but its rows.
//!
//! The same path as `POST …/scan`: the site is stored as a batch of one and a worker that takes no
//! other work crawls it, so a scan that is interrupted is handed back and not lost.

mod answer;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use trawl_domain::job::JobState;
use trawl_persistence::batches::batch_submit;
use trawl_persistence::class::ErrorClass;
use trawl_persistence::error::ScopeError;
use trawl_persistence::jobs::{JobView, job_status};
use trawl_persistence::pool::Pool;
use trawl_worker::worker::{Worker, WorkerOptions};
use uuid::Uuid;

use crate::config::ScanArgs;
use crate::database::Database;
use crate::request::Submission;
use crate::shutdown;
use trawl_worker::core::chain::Chain;

/// Between two looks at the job (chosen: what a person sees as movement).
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

pub(super) async fn scan(args: ScanArgs) -> anyhow::Result<ExitCode> {
    let stop = shutdown::on_signals()?;
    let wants_pages = args.options.wants_pages();
    let submission = Submission::of_scan(args.domain, args.max_pages, args.options.to_options()?);
    let options = args
        .crawl
        .worker_options(args.shutdown, Some(submission.batch));
    let mut database = Database::new(args.database);
    let scanned = async {
        let opened = stop
            .run_until_cancelled(open(&mut database, &submission))
            .await;
        match opened.transpose()? {
            Some(pool) => {
                let job = submission.first_job;
                // The future of a crawl is large.
                let crawl = Box::pin(crawl(pool, options, job, wants_pages, stop));
                database.keep_while(crawl).await
            }
            None => Ok(None),
        }
    }
    .await;
    database.close().await;
    match scanned? {
        Some(JobState::Complete) => Ok(ExitCode::SUCCESS),
        Some(JobState::Failed | JobState::Cancelled | JobState::Pending | JobState::Running) => {
            Ok(ExitCode::FAILURE)
        }
        None => anyhow::bail!("interrupted before the scan had ended"),
    }
}

async fn open(database: &mut Database, submission: &Submission) -> anyhow::Result<Pool> {
    let pool = database.open().await?;
    database.migrate(&pool).await?;
    batch_submit(&pool, &submission.to_store(u32::MAX))
        .await
        .context("store the scan")?;
    Ok(pool)
}

/// Works until the job has ended and writes its result; `None` when `stop` came first.
async fn crawl(
    pool: Pool,
    options: WorkerOptions,
    job: Uuid,
    wants_pages: bool,
    stop: CancellationToken,
) -> anyhow::Result<Option<JobState>> {
    let worker = Worker::new(pool.clone(), options)?;
    let watch = async {
        let ended = watch(&pool, job).await?;
        answer::write(&pool, &ended, wants_pages).await?;
        Ok(ended.state)
    };
    let (worked, watched) = tokio::join!(Box::pin(worker.run(stop.clone())), async {
        let watched = stop.run_until_cancelled(watch).await;
        // The job has ended, or cannot be watched: either way the worker has nothing to do here.
        stop.cancel();
        watched.transpose()
    });
    worked?;
    watched
}

/// Tells of the job's progress until it has ended.
async fn watch(pool: &Pool, job: Uuid) -> anyhow::Result<JobView> {
    let mut last = None;
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        let view = patiently("the status of the scan", async || {
            job_status(pool, job).await
        })
        .await?
        .context("the scan is no longer in the database")?;
        let seen = Some((view.state, view.pages_scraped, view.attempt));
        if seen != last {
            tell(&view);
            last = seen;
        }
        if view.state.is_terminal() {
            return Ok(view);
        }
    }
}

/// Reads from the database, and waits for one that is away for a while, as the worker does.
async fn patiently<T>(
    what: &'static str,
    read: impl AsyncFn() -> Result<T, ScopeError>,
) -> anyhow::Result<T> {
    loop {
        match read().await {
            Err(error) if passes(error.class()) => {
                tracing::warn!("cannot read {what} yet: {}", Chain(&error));
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
            read => return read.with_context(|| format!("read {what}")),
        }
    }
}

/// Whether trouble of this class passes by itself.
fn passes(class: ErrorClass) -> bool {
    match class {
        ErrorClass::Retryable | ErrorClass::OutcomeUnknown => true,
        ErrorClass::RetryLater | ErrorClass::Conflict | ErrorClass::Permanent | ErrorClass::Bug => {
            false
        }
    }
}

fn tell(job: &JobView) {
    let JobView {
        domain,
        pages_scraped,
        max_pages,
        attempt,
        ..
    } = job;
    let state = job.state.as_str();
    let attempt = match attempt {
        0 | 1 => String::new(),
        again => format!(", attempt {again}"),
    };
    let waits = match (job.waits_until, &job.failure) {
        (Some(until), Some((_, why))) => {
            let left = until - OffsetDateTime::now_utc();
            format!(", waits {} s: {why}", left.whole_seconds().max(0))
        }
        _ => String::new(),
    };
    // Progress is a courtesy: whoever closed stderr does without.
    let _ = writeln!(
        io::stderr(),
        "{domain}: {state}, {pages_scraped} of at most {max_pages} pages{attempt}{waits}"
    );
}
