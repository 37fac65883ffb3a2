//! Runs one kind of work: takes units, works on them, hands their endings on, drains.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use trawl_domain::backoff::Backoff;
use trawl_domain::failure::{Failure, FailureCode};
use trawl_persistence::class::ErrorClass;

use super::chain::Chain;
use super::finisher::{self, Finishing};
use super::held::{Held, StopSignal};
use super::poll::PollPace;
use super::task::{Ended, Outcome, Stop, Task};
use super::wake::{Pulse, Wake};

/// Units taken by one poll at most: one claim stays a short statement.
const TAKE_MAX: usize = 64;
/// Waits after a poll that failed.
const POLL_RETRY: Backoff = Backoff {
    base: Duration::from_millis(200),
    cap: Duration::from_secs(5),
};
/// Wait after a refused password: Supavisor blocks an address after ten of them in 150 s.
const REFUSED_RETRY: Duration = Duration::from_secs(60);
/// The least wait after a failed poll, so that a lucky draw is no tight loop.
const POLL_RETRY_MIN: Duration = Duration::from_millis(50);

/// Between two signs of life while every slot is busy: a worker with nothing free is no stuck one.
const PULSE_INTERVAL: Duration = Duration::from_secs(5);

/// Runs one kind of work with a bounded number of slots.
pub struct Runner<T: Task> {
    task: Arc<T>,
    held: Held<T::Key>,
    slots: Arc<Semaphore>,
    capacity: u32,
    wake: Wake,
    pulse: Pulse,
}

/// The runner's own machinery failed: the process must end, loudly.
#[derive(Debug, Error)]
#[error("the {part} of {task} ended unexpectedly")]
pub struct RunnerDied {
    /// The kind of work.
    pub task: &'static str,
    /// The part that ended.
    pub part: &'static str,
}

/// How long a drain may take.
#[derive(Debug, Clone, Copy)]
pub struct DrainLimits {
    /// For work that ends by itself.
    pub grace: Duration,
    /// For everything: grace, the last writes, handing back.
    pub total: Duration,
}

impl<T: Task> Runner<T> {
    /// A runner with `capacity` slots. `held` is shared with whoever renews leases.
    pub fn new(task: Arc<T>, held: Held<T::Key>, capacity: u32) -> Self {
        Self {
            task,
            held,
            slots: Arc::new(Semaphore::new(capacity as usize)),
            capacity,
            wake: Wake::default(),
            pulse: Pulse::default(),
        }
    }

    /// The signal that cuts the wait for the next poll short.
    pub fn wake(&self) -> Wake {
        self.wake.clone()
    }

    /// When work was last looked for.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Runs until `stop`, then drains: takes nothing more, lets work end within the grace, stops
    /// the rest as [`Stop::HandBack`], and returns when every ending is written or the total limit
    /// is reached.
    ///
    /// # Errors
    /// [`RunnerDied`] when its machinery failed.
    pub async fn run(self, stop: CancellationToken, limits: DrainLimits) -> Result<(), RunnerDied> {
        let (endings, received) = mpsc::channel(self.capacity.max(1) as usize);
        let mut finisher = tokio::spawn(finisher::run(
            Arc::clone(&self.task),
            self.held.clone(),
            self.wake.clone(),
            received,
        ));
        let died = |part| RunnerDied {
            task: T::NAME,
            part,
        };
        let mut works = JoinSet::new();
        tokio::select! {
            () = self.take_until(&stop, &endings, &mut works) => {}
            _ended = &mut finisher => return Err(died("finisher")),
        }

        let began = Instant::now();
        let all_written = self.slots.acquire_many(self.capacity);
        tokio::pin!(all_written);
        if timeout_at(began + limits.grace, &mut all_written)
            .await
            .is_err()
        {
            self.held.stop_all(Stop::HandBack);
            if timeout_at(began + limits.total, &mut all_written)
                .await
                .is_err()
            {
                tracing::warn!(
                    task = T::NAME,
                    left = self.held.keys().len(),
                    "the drain reached its limit; leases will return the rest"
                );
            }
        }
        works.shutdown().await;
        drop(endings);
        if timeout_at(began + limits.total, &mut finisher)
            .await
            .is_err()
        {
            finisher.abort();
        }
        Ok(())
    }

    async fn take_until(
        &self,
        stop: &CancellationToken,
        endings: &mpsc::Sender<Finishing<T>>,
        works: &mut JoinSet<()>,
    ) {
        let mut pace = PollPace::new();
        let mut failures = 0;
        loop {
            self.pulse.beat();
            let Some(slots) = self.free_slots(stop).await else {
                return;
            };
            self.pulse.beat();
            while works.try_join_next().is_some() {}
            // Not raced against `stop`: a claim that is under way is waited for, or its jobs would
            // be known to nobody until the lease ends.
            let want = u32::try_from(slots.len()).unwrap_or(u32::MAX);
            let wait = match self.task.start(want).await {
                Ok(items) => {
                    failures = 0;
                    let taken = u32::try_from(items.len()).unwrap_or(u32::MAX);
                    for (item, slot) in items.into_iter().zip(slots) {
                        self.spawn(item, slot, endings.clone(), works);
                    }
                    pace.after(want, taken, rand::random())
                }
                Err(error) => {
                    failures += 1;
                    tracing::warn!(task = T::NAME, failures, error = %Chain(&error), "cannot take work");
                    match error.class() {
                        ErrorClass::RetryLater | ErrorClass::Permanent => REFUSED_RETRY,
                        ErrorClass::Retryable
                        | ErrorClass::OutcomeUnknown
                        | ErrorClass::Conflict
                        | ErrorClass::Bug => POLL_RETRY
                            .delay(failures, rand::random())
                            .max(POLL_RETRY_MIN),
                    }
                }
            };
            let failed = failures > 0;
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(wait) => {}
                // After a failure a wake-up changes nothing: the database is in trouble.
                () = self.wake.notified(), if !failed => {}
            }
        }
    }

    /// Waits for a free slot and takes it with all others that are free; `None` on `stop`.
    async fn free_slots(&self, stop: &CancellationToken) -> Option<Vec<OwnedSemaphorePermit>> {
        let first = loop {
            tokio::select! {
                () = stop.cancelled() => return None,
                slot = Arc::clone(&self.slots).acquire_owned() => break slot.ok()?,
                () = sleep(PULSE_INTERVAL) => self.pulse.beat(),
            }
        };
        let mut slots = vec![first];
        while slots.len() < TAKE_MAX
            && let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned()
        {
            slots.push(slot);
        }
        Some(slots)
    }

    fn spawn(
        &self,
        item: T::Item,
        slot: OwnedSemaphorePermit,
        endings: mpsc::Sender<Finishing<T>>,
        works: &mut JoinSet<()>,
    ) {
        let task = Arc::clone(&self.task);
        let signal = self.held.insert(T::key(&item));
        works.spawn(async move {
            let item = Arc::new(item);
            let outcome = work(&*task, &item, &signal).await;
            // The finisher outlives every work, so this fails only when the runner itself died.
            let _ = endings
                .send(Finishing {
                    ended: Ended { item, outcome },
                    slot,
                })
                .await;
        });
    }
}

/// Works on one unit; whatever happens becomes an outcome.
async fn work<T: Task>(task: &T, item: &T::Item, signal: &StopSignal) -> Outcome<T::Output> {
    let guarded = AssertUnwindSafe(task.work(item)).catch_unwind();
    tokio::select! {
        biased;
        reason = signal.stopped() => Outcome::Stopped(reason),
        result = guarded => match result {
            Ok(Ok(output)) => Outcome::Done(output),
            Ok(Err(failure)) => Outcome::Failed(failure),
            Err(panic) => {
                tracing::error!(
                    task = T::NAME,
                    key = ?T::key(item),
                    panic = panic_message(&*panic),
                    "the work panicked"
                );
                Outcome::Failed(Failure::new(
                    FailureCode::WorkPanicked,
                    "The work met a defect of the service and was stopped.",
                ))
            }
        },
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
