//! What all requests share: how far the service has come, its database, its worker.
//!
//! Every question to the database runs as a task of the process's own runtime, not of the HTTP
//! thread that asks. So a client that hangs up drops no half-read connection, and the pool's
//! connections outlive the HTTP threads when the process drains.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tracing::Instrument as _;
use trawl_persistence::error::ScopeError;
use trawl_persistence::pool::Pool;
use trawl_worker::core::wake::{Pulse, Wake};

use crate::error::ApiError;
use crate::probe::Probe;
use crate::request::BodyRoom;

/// How far the service has come. Only forward, except that a refusal may be followed by success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The private PostgreSQL is being started.
    StartingDatabase,
    /// The database has not answered yet.
    Connecting,
    /// The database refuses this service: its credentials or a name are wrong.
    Refused,
    /// The database answers, and its schema is not the one that this version needs.
    SchemaRefused,
    /// The database is there and has the schema.
    Ready,
}

impl Stage {
    /// One sentence for people.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::StartingDatabase => "The private PostgreSQL is starting.",
            Self::Connecting => "The database does not answer yet, or its migrations are running.",
            Self::Refused => {
                "The database refuses the connection; the log of the service says more."
            }
            Self::SchemaRefused => {
                "The database's schema is not that of this version; the log of the service says more."
            }
            Self::Ready => "The database is ready.",
        }
    }
}

/// The worker of this process, as the API sees it.
#[derive(Debug)]
pub(crate) struct WorkerLink {
    /// Cuts its wait for work short.
    pub(crate) wake: Wake,
    /// Tells when it last looked for work.
    pub(crate) pulse: Pulse,
}

/// Connections that requests may hold at once, of a pool of this size: where a worker shares the
/// pool, no more than half, so that no crowd of readers makes its heartbeats wait.
fn seats(pool_size: usize, expects_worker: bool) -> usize {
    if expects_worker {
        (pool_size / 2).max(1)
    } else {
        pool_size
    }
}

/// Longest wait for a connection while all are in use (chosen: a crowd of short questions is served
/// within it, and whoever is not is better told to come back than kept waiting).
const SEAT_LIMIT: Duration = Duration::from_secs(2);

/// What all requests share.
pub(crate) struct Service {
    runtime: Handle,
    seats: Arc<Semaphore>,
    stage: watch::Sender<Stage>,
    pool: OnceLock<Pool>,
    worker: OnceLock<WorkerLink>,
    expects_worker: bool,
    retention: time::Duration,
    queue_limit: u32,
    probe: Probe,
    body_room: BodyRoom,
}

impl Service {
    /// A service that has nothing yet. Its questions run on `runtime`.
    pub(crate) fn new(
        runtime: Handle,
        pool_size: usize,
        expects_worker: bool,
        retention: Duration,
        queue_limit: u32,
    ) -> Self {
        Self {
            runtime,
            seats: Arc::new(Semaphore::new(seats(pool_size, expects_worker))),
            stage: watch::Sender::new(Stage::StartingDatabase),
            pool: OnceLock::new(),
            worker: OnceLock::new(),
            expects_worker,
            retention: retention.try_into().unwrap_or(time::Duration::MAX),
            queue_limit,
            probe: Probe::default(),
            body_room: BodyRoom::default(),
        }
    }

    /// Notes how far the service has come.
    pub(crate) fn set_stage(&self, stage: Stage) {
        self.stage.send_replace(stage);
    }

    /// The room that large bodies share.
    pub(crate) fn body_room(&self) -> &BodyRoom {
        &self.body_room
    }

    /// How far the service has come.
    pub(crate) fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// Opens the service: the database is there and has the schema.
    pub(crate) fn set_ready(&self, pool: Pool) {
        // Set once; a process has one database.
        let _ = self.pool.set(pool);
        self.set_stage(Stage::Ready);
    }

    /// Notes the worker of this process.
    pub(crate) fn set_worker(&self, worker: WorkerLink) {
        let _ = self.worker.set(worker);
    }

    /// How long batches that have ended are kept.
    pub(crate) fn retention(&self) -> time::Duration {
        self.retention
    }

    /// Domains that may wait or run at most.
    pub(crate) fn queue_limit(&self) -> u32 {
        self.queue_limit
    }

    /// Whether this process is to have a worker.
    pub(crate) fn expects_worker(&self) -> bool {
        self.expects_worker
    }

    /// The worker of this process, once it is there.
    pub(crate) fn worker(&self) -> Option<&WorkerLink> {
        self.worker.get()
    }

    /// Tells the worker of this process that there is work. Other processes find it by polling.
    pub(crate) fn wake_worker(&self) {
        if let Some(worker) = self.worker.get() {
            worker.wake.notify();
        }
    }

    /// The database, if it can be asked now.
    ///
    /// # Errors
    /// [`ApiError::NotReady`] with the reason.
    pub(crate) fn pool(&self) -> Result<Pool, ApiError> {
        let stage = self.stage();
        let Some(pool) = self.pool.get().filter(|_| stage == Stage::Ready) else {
            return Err(ApiError::NotReady {
                reason: stage.sentence(),
                retry_after: None,
            });
        };
        match pool.refused_for() {
            None => Ok(pool.clone()),
            retry_after => Err(ApiError::NotReady {
                reason: Stage::Refused.sentence(),
                retry_after,
            }),
        }
    }

    /// Asks the database something and waits no longer than `limit`; the question itself is then
    /// still answered, in the background and within the limits of the pool.
    ///
    /// # Errors
    /// [`ApiError`] of the database, [`ApiError::Busy`] or [`ApiError::Overdue`].
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        operation: &'static str,
        limit: Duration,
        question: impl Future<Output = Result<T, ScopeError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        let acquired = Arc::clone(&self.seats).acquire_owned();
        let Ok(Ok(seat)) = tokio::time::timeout(SEAT_LIMIT, acquired).await else {
            return Err(ApiError::Busy { operation });
        };
        let seated = async move {
            // Kept until the question is answered, also when nobody waits for it any more.
            let _seat = seat;
            question.await
        };
        let asked = self.runtime.spawn(seated.in_current_span());
        let answer = tokio::time::timeout(limit, asked)
            .await
            .map_err(|_elapsed| ApiError::Overdue { operation, limit })?
            .map_err(|source| ApiError::Task { operation, source })?;
        answer.map_err(|source| ApiError::Database { operation, source })
    }

    /// Runs work that keeps a processor busy beside the threads that serve requests.
    ///
    /// # Errors
    /// [`ApiError::Task`] when the work panicked, or that of the work itself.
    pub(crate) async fn compute<T: Send + 'static, E: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        ApiError: From<E>,
    {
        let done = self
            .runtime
            .spawn_blocking(work)
            .await
            .map_err(|source| ApiError::Task { operation, source })?;
        Ok(done?)
    }

    /// A round trip to the database that also looks at its schema; see [`Probe`].
    pub(crate) async fn probe(&self, pool: &Pool) -> crate::probe::Found {
        self.probe.look(&self.runtime, pool).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use tokio::sync::Barrier;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn readers_hold_no_more_than_half_of_a_pool_that_a_worker_shares() {
        let service = Service::new(Handle::current(), 4, true, PATIENCE, 1);
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let counters = Arc::new((running, most));
        // Two at a time meet here, so a third one would be counted before they part.
        let pair = Arc::new(Barrier::new(2));
        let answers = join_all((0..8).map(|_| {
            let (counters, pair) = (Arc::clone(&counters), Arc::clone(&pair));
            service.ask("count", PATIENCE, async move {
                let (running, most) = &*counters;
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                pair.wait().await;
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
        }));
        assert!(answers.await.iter().all(Result::is_ok));
        assert_eq!(counters.1.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_seat_is_told_so_soon() {
        let service = Service::new(Handle::current(), 1, false, PATIENCE, 1);
        let hanging = service.ask(
            "hang",
            PATIENCE * 10,
            std::future::pending::<Result<(), _>>(),
        );
        let turned_away = async {
            let began = tokio::time::Instant::now();
            let answer = service.ask("ask", PATIENCE * 10, async { Ok(()) }).await;
            (answer, began.elapsed())
        };
        tokio::select! {
            biased;
            _never = hanging => panic!("it hangs"),
            (answer, waited) = turned_away => {
                assert!(matches!(answer, Err(ApiError::Busy { .. })), "{answer:?}");
                assert!(waited < SEAT_LIMIT * 2, "{waited:?}");
            }
        }
    }

    #[test]
    fn a_pool_of_one_is_shared_as_it_is() {
        assert_eq!(
            [(1, true), (8, true), (8, false)].map(|(size, worker)| seats(size, worker)),
            [1, 4, 8]
        );
    }
}
