//! The hosts that the crawl of one job takes beside its own: rows that count while the job is held.

use std::fmt;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use trawl_persistence::hosts::{HostTake, host_release, host_take};
use trawl_persistence::pool::Pool;
use trawl_persistence::workers::JobLease;
use trawl_scraper::hosts::{Hosts, Take};

use crate::core::chain::Chain;
use crate::core::held::Held;
use crate::core::task::Stop;

/// Least wait for a host that another job has.
const WAIT_MIN: Duration = Duration::from_secs(4);

/// Longest one, to which as much may be added by lot.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What part of the time that the other job has been at work is waited: a host that is asked for long
/// is looked after less often. Chosen: who waits begins a quarter later than it could, at most.
const WAIT_FRACTION: u32 = 4;

/// How long to leave a host alone of which another job has been at work `since`. Up to as much again by
/// lot: of two jobs that want each other's hosts, one comes first.
fn wait(since: Duration, draw: f64) -> Duration {
    let least = (since / WAIT_FRACTION).clamp(WAIT_MIN, WAIT_MAX);
    least + least.mul_f64(draw)
}

fn busy(since: Duration) -> Take {
    Take::Busy {
        wait: wait(since, rand::random()),
    }
}

/// The hosts of one job.
pub(crate) struct JobHosts {
    pub(crate) pool: Pool,
    pub(crate) lease: JobLease,
    pub(crate) held: Held<JobLease>,
}

impl fmt::Debug for JobHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JobHosts").field(&self.lease).finish()
    }
}

impl JobHosts {
    async fn take(&self, host_key: &str) -> Take {
        match host_take(&self.pool, self.lease, host_key).await {
            Ok(HostTake::Taken) => Take::Taken,
            Ok(HostTake::Held { since }) => busy(since),
            Ok(HostTake::Snoozed { left }) => Take::Busy {
                // Not all of those that wait for it at once.
                wait: left + WAIT_MIN.mul_f64(rand::random()),
            },
            Ok(HostTake::Stale) => {
                tracing::warn!(job.id = %self.lease.job, "a lease was lost: no host was taken for it");
                self.held
                    .stop_where(Stop::Lost, |lease| *lease == self.lease);
                busy(Duration::ZERO)
            }
            Err(error) => {
                tracing::warn!(
                    job.id = %self.lease.job,
                    host.key = host_key,
                    error = %Chain(&error),
                    "cannot take a host; handing the job back"
                );
                busy(Duration::ZERO)
            }
        }
    }

    async fn release(&self, host_key: &str) {
        if let Err(error) = host_release(&self.pool, self.lease, host_key).await {
            tracing::debug!(
                job.id = %self.lease.job,
                host.key = host_key,
                error = %Chain(&error),
                "cannot let a host go; the end of the job will"
            );
        }
    }
}

impl Hosts for JobHosts {
    fn take<'a>(&'a self, host_key: &'a str) -> BoxFuture<'a, Take> {
        self.take(host_key).boxed()
    }

    fn release<'a>(&'a self, host_key: &'a str) -> BoxFuture<'a, ()> {
        self.release(host_key).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_with_the_work_of_the_other_job_and_is_drawn_by_lot() {
        for (since_s, draw, expected_s) in [
            (0, 0.0, 4.0),
            (0, 0.5, 6.0),
            (40, 0.0, 10.0),
            (40, 0.5, 15.0),
            (36_000, 0.0, 60.0),
            (36_000, 0.5, 90.0),
        ] {
            let found = wait(Duration::from_secs(since_s), draw).as_secs_f64();
            assert!(
                (found - expected_s).abs() < 1e-6,
                "{since_s} {draw}: {found}"
            );
        }
    }
}
