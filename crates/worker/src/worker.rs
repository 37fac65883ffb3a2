//! A worker process: the runner of site jobs with its lease, its recorder and its maintenance.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use trawl_domain::fetch_settings::{DEFAULT_USER_AGENT, FetchSettings};
use trawl_domain::lease::LeaseTerms;
use trawl_persistence::pool::Pool;
use trawl_persistence::workers::{worker_drain, worker_gone};
use trawl_scraper::crawler::{Crawler, CrawlerError};
use uuid::Uuid;

use crate::core::chain::Chain;
use crate::core::held::Held;
use crate::core::runner::{DrainLimits, Runner, RunnerDied};
use crate::core::task::Stop;
use crate::core::wake::{Pulse, Wake};
use crate::site_jobs::SiteJobs;
use crate::site_jobs::lease::{Identity, LeaseKeeper};
use crate::site_jobs::maintenance::Maintenance;
use crate::site_jobs::recorder::Recorder;

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Sites crawled at once by this process; at least 1.
    pub concurrency: u32,
    /// Lease and heartbeat.
    pub lease: LeaseTerms,
    /// Attempts at a site, the first included.
    pub max_attempts: u32,
    /// Longest time one attempt at a site may hold a slot.
    pub job_deadline: Duration,
    /// Age at which batches that have ended are deleted; `None` keeps them for ever.
    pub retention: Option<Duration>,
    /// Longest drain, from the signal to the return of [`Worker::run`].
    pub shutdown_timeout: Duration,
    /// Limits and identity of fetches.
    pub fetch: FetchSettings,
    /// Work on this batch alone.
    pub only_batch: Option<Uuid>,
}

/// Why a worker could not start or had to end.
#[derive(Debug, Error)]
pub enum WorkerError {
    /// The crawler refuses its settings.
    #[error("the crawler cannot be built")]
    Crawler(#[from] CrawlerError),
    /// A part of the runner ended: a defect.
    #[error(transparent)]
    Runner(#[from] RunnerDied),
    /// A part around the runner ended: a defect.
    #[error("the worker's {part} ended unexpectedly")]
    PartDied {
        /// The part.
        part: &'static str,
    },
}

/// A worker, ready to run.
pub struct Worker {
    options: WorkerOptions,
    pool: Pool,
    runner: Runner<SiteJobs>,
    keeper: LeaseKeeper,
    recording: JoinHandle<()>,
}

impl Worker {
    /// Prepares a worker. Must be called within a runtime; does nothing in the database yet.
    ///
    /// # Errors
    /// [`WorkerError::Crawler`] when the settings of fetches do not fit.
    pub fn new(pool: Pool, options: WorkerOptions) -> Result<Self, WorkerError> {
        let held = Held::default();
        let identity = Identity::new();
        let (recorder, recording) = Recorder::new(pool.clone(), held.clone());
        let task = Arc::new(SiteJobs {
            pool: pool.clone(),
            crawler: Crawler::new(options.fetch.clone())?,
            recorder,
            held: held.clone(),
            identity: identity.clone(),
            max_attempts: options.max_attempts,
            deadline: options.job_deadline,
            only_batch: options.only_batch,
        });
        let runner = Runner::new(task, held.clone(), options.concurrency.max(1));
        let keeper = LeaseKeeper {
            pool: pool.clone(),
            identity,
            held,
            terms: options.lease,
        };
        Ok(Self {
            options,
            pool,
            runner,
            keeper,
            recording: tokio::spawn(recording),
        })
    }

    /// Cuts the wait for work short; to be called after accepting some in this process.
    pub fn wake(&self) -> Wake {
        self.runner.wake()
    }

    /// When this worker last looked for work.
    pub fn pulse(&self) -> Pulse {
        self.runner.pulse()
    }

    /// Works until `stop`, then drains and returns within the shutdown limit.
    ///
    /// # Errors
    /// [`WorkerError`] when a part of the worker ended unexpectedly: the process should end too, and
    /// loudly. Its leases run out and others take the jobs.
    pub async fn run(self, stop: CancellationToken) -> Result<(), WorkerError> {
        let Self {
            options,
            pool,
            runner,
            keeper,
            mut recording,
        } = self;
        if options.fetch.user_agent == DEFAULT_USER_AGENT {
            tracing::warn!(
                "the sites that are crawled see no way to reach you: set TRAWL_USER_AGENT"
            );
        }
        let Some(registered) = keeper.register(&stop).await else {
            return Ok(());
        };
        let identity = keeper.identity.clone();
        let held = keeper.held.clone();

        // The lease is renewed until the drain has ended, so it has a stop of its own.
        let stop_keeping = CancellationToken::new();
        let _stop_keeping_on_drop = stop_keeping.clone().drop_guard();
        let mut keeping = {
            let stop = stop_keeping.clone();
            tokio::spawn(async move { keeper.run(registered, stop).await })
        };
        let mut maintaining = tokio::spawn(
            Maintenance {
                pool: pool.clone(),
                terms: options.lease,
                max_attempts: options.max_attempts,
                retention: options.retention,
                wake: runner.wake(),
            }
            .run(stop.clone()),
        );
        let limits = DrainLimits {
            grace: options.shutdown_timeout.mul_f64(0.5),
            total: options.shutdown_timeout.mul_f64(0.8),
        };
        // A task of its own: a drain with nothing to wait for is over before the announcement has
        // its answer, and a request that is dropped costs a connection.
        let announcing = tokio::spawn(announce_drain(pool.clone(), identity.clone(), stop.clone()));
        let part_died = |part| Err(WorkerError::PartDied { part });
        let outcome = tokio::select! {
            ended = runner.run(stop.clone(), limits) => ended.map_err(WorkerError::from),
            () = drain_limit(&stop, options.shutdown_timeout) => {
                tracing::warn!("the drain did not end in time; leases will return the jobs");
                Ok(())
            }
            _ended = &mut keeping => part_died("lease keeper"),
            _ended = &mut recording => part_died("recorder"),
            () = ended_before(&mut maintaining, &stop) => part_died("maintenance"),
        };
        stop_keeping.cancel();
        if outcome.is_err() {
            held.stop_all(Stop::Lost);
        }
        // Whatever is still ours may be taken by others from now on.
        let leave_limit = Instant::now() + options.shutdown_timeout.mul_f64(0.2);
        let abort_late = [
            announcing.abort_handle(),
            keeping.abort_handle(),
            maintaining.abort_handle(),
        ];
        let leaving = async {
            if outcome.is_ok() {
                // All three end by themselves now, each when its last request has its answer; how
                // they end makes no difference any more.
                tokio::join!(ended(announcing), ended(keeping), ended(maintaining));
            }
            worker_gone(&pool, identity.current()).await
        };
        match timeout_at(leave_limit, leaving).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = %Chain(&error), "cannot sign off"),
            Err(_elapsed) => tracing::warn!("no time left to sign off"),
        }
        abort_late.iter().for_each(AbortHandle::abort);
        recording.abort();
        outcome
    }
}

/// Waits for the end of a task that was perhaps waited for before, which must not be done twice.
async fn ended(task: JoinHandle<()>) {
    if !task.is_finished() {
        let _ended = task.await;
    }
}

/// Announces the drain when `stop` comes.
async fn announce_drain(pool: Pool, identity: Identity, stop: CancellationToken) {
    stop.cancelled().await;
    if let Err(error) = worker_drain(&pool, identity.current()).await {
        tracing::warn!(error = %Chain(&error), "cannot announce the drain");
    }
}

/// Ends when `limit` has passed since `stop`.
async fn drain_limit(stop: &CancellationToken, limit: Duration) {
    stop.cancelled().await;
    sleep(limit).await;
}

/// Ends when a part that should run until `stop` ended before it.
async fn ended_before(part: &mut JoinHandle<()>, stop: &CancellationToken) {
    // Whether it panicked or returned makes no difference here; a panic was printed by the hook.
    let _ended = part.await;
    if stop.is_cancelled() {
        std::future::pending::<()>().await;
    }
}
