//! The worker's lease: one heartbeat for all jobs it holds, and what the answer tells.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use trawl_domain::backoff::Backoff;
use trawl_domain::lease::LeaseTerms;
use trawl_persistence::class::ErrorClass;
use trawl_persistence::error::ScopeError;
use trawl_persistence::jobs::job_hand_back;
use trawl_persistence::pool::Pool;
use trawl_persistence::workers::{
    Heartbeat, JobLease, WorkerIdentity, worker_gone, worker_heartbeat, worker_register,
};
use uuid::Uuid;

use crate::core::chain::Chain;
use crate::core::held::Held;
use crate::core::task::Stop;

const REGISTER_RETRY: Backoff = Backoff {
    base: Duration::from_millis(500),
    cap: Duration::from_secs(10),
};
/// Wait after a refused password: Supavisor blocks an address after ten of them in 150 s.
const REFUSED_RETRY: Duration = Duration::from_secs(60);

/// Who this worker is now. It changes when the worker was declared gone.
#[derive(Debug, Clone)]
pub(crate) struct Identity(Arc<Mutex<Uuid>>);

impl Identity {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Uuid::now_v7())))
    }

    pub(crate) fn current(&self) -> Uuid {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a new one and answers the one before.
    fn renew(&self) -> Uuid {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, Uuid::now_v7())
    }
}

/// Keeps the lease of one worker process.
pub(crate) struct LeaseKeeper {
    pub(crate) pool: Pool,
    pub(crate) identity: Identity,
    pub(crate) held: Held<JobLease>,
    pub(crate) terms: LeaseTerms,
}

impl LeaseKeeper {
    /// Announces the worker, however long it takes, or until `stop`. Answers when the lease began.
    ///
    /// A request that has no answer yet is dropped then: nobody can tell how long its answer takes,
    /// and a lease that nobody renews runs out.
    pub(crate) async fn register(&self, stop: &CancellationToken) -> Option<Instant> {
        stop.run_until_cancelled(self.registered()).await
    }

    async fn registered(&self) -> Instant {
        let mut failures = 0;
        loop {
            let began = Instant::now();
            let worker = WorkerIdentity {
                id: self.identity.current(),
                host: hostname(),
                pid: std::process::id(),
                lease_ttl: self.terms.ttl(),
            };
            let error = match worker_register(&self.pool, &worker).await {
                Ok(()) => {
                    tracing::info!(worker.id = %worker.id, "registered");
                    return began;
                }
                Err(error) => error,
            };
            failures += 1;
            tracing::warn!(failures, error = %Chain(&error), "cannot register the worker yet");
            tokio::time::sleep(register_wait(&error, failures)).await;
        }
    }

    /// Renews the lease until `stop`.
    pub(crate) async fn run(&self, mut last_beat: Instant, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep_until(last_beat + self.terms.heartbeat_interval()) => {}
            }
            match self.beat_in_time(last_beat).await {
                Some(began) => last_beat = began,
                None => {
                    self.held.stop_all(Stop::Lost);
                    let before = self.identity.renew();
                    match self.register(&stop).await {
                        Some(began) => last_beat = began,
                        None => return,
                    }
                    self.sign_off(before, last_beat).await;
                }
            }
        }
    }

    /// Lets others take at once what was held under an earlier identity; if this fails, they take it
    /// when its lease has run out.
    async fn sign_off(&self, before: Uuid, last_beat: Instant) {
        let next_beat = last_beat + self.terms.heartbeat_interval();
        match timeout_at(next_beat, worker_gone(&self.pool, before)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(error = %Chain(&error), "cannot sign off"),
            Err(_elapsed) => tracing::debug!("no time to sign off"),
        }
    }

    /// Renews the lease before it must be assumed lost; `None` when that was not possible.
    async fn beat_in_time(&self, last_beat: Instant) -> Option<Instant> {
        let mut failures = 0;
        let deadline = last_beat + self.terms.assume_lost_after();
        loop {
            let began = Instant::now();
            let held = self.held.keys();
            let beat =
                worker_heartbeat(&self.pool, self.identity.current(), &held, self.terms.ttl());
            let limit = deadline.min(began + self.terms.heartbeat_limit());
            match timeout_at(limit, beat).await {
                Ok(Ok(heartbeat)) if heartbeat.alive => {
                    self.obey(heartbeat, held).await;
                    return Some(began);
                }
                Ok(Ok(_gone)) => {
                    tracing::warn!("this worker was declared gone; starting anew");
                    return None;
                }
                Ok(Err(error)) => {
                    failures += 1;
                    tracing::warn!(failures, error = %Chain(&error), "cannot renew the lease yet");
                }
                Err(_elapsed) if limit < deadline => {
                    failures += 1;
                    tracing::warn!(failures, "a heartbeat has no answer; asking again");
                }
                Err(_elapsed) => {
                    tracing::warn!(jobs = held.len(), "the lease could not be renewed in time");
                    return None;
                }
            }
            let wait = REGISTER_RETRY.delay(failures, rand::random());
            sleep_until((Instant::now() + wait).min(deadline)).await;
        }
    }

    /// Does what the answer to a heartbeat with these leases says.
    async fn obey(&self, heartbeat: Heartbeat, sent: Vec<JobLease>) {
        // A job that left and was claimed again meanwhile is held by a newer lease, of which the
        // answer knows nothing.
        let sent: HashSet<JobLease> = sent.into_iter().collect();
        for (jobs, reason) in [
            // An ending that was just written shows up here too.
            (&heartbeat.lost, Stop::Lost),
            (&heartbeat.cancelling, Stop::Cancelled),
            (&heartbeat.overdue, Stop::Overdue),
            (&heartbeat.paused, Stop::HandBack),
        ] {
            if !jobs.is_empty() {
                tracing::debug!(count = jobs.len(), ?reason, "stopping jobs");
                self.held.stop_where(reason, |lease| {
                    sent.contains(lease) && jobs.contains(&lease.job)
                });
            }
        }
        if !heartbeat.orphans.is_empty() {
            tracing::warn!(
                count = heartbeat.orphans.len(),
                "handing back jobs whose claim was never answered"
            );
            if let Err(error) = job_hand_back(&self.pool, &heartbeat.orphans).await {
                tracing::warn!(error = %Chain(&error), "cannot hand them back yet");
            }
        }
    }
}

fn register_wait(error: &ScopeError, failures: u32) -> Duration {
    match error.class() {
        ErrorClass::RetryLater | ErrorClass::Permanent => REFUSED_RETRY,
        ErrorClass::Retryable
        | ErrorClass::OutcomeUnknown
        | ErrorClass::Conflict
        | ErrorClass::Bug => REGISTER_RETRY.delay(failures, rand::random()),
    }
}

/// The machine's name, for people who look at the table of workers.
fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map_or_else(|| "unknown".to_owned(), |name| name.trim().to_owned())
}
