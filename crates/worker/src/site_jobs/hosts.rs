//! The hosts that the crawl of one job takes beside its own: rows that count while the job is held.

use std::fmt;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use trawl_persistence::hosts::{HostTake, host_release, host_take};
use trawl_persistence::pool::Pool;
use trawl_persistence::workers::JobLease;
use trawl_scraper::hosts::{Hosts, Take};

use crate::core::chain::Chain;
use crate::core::held::Held;
use crate::core::task::Stop;

const NOT_NOW: Take = Take::Busy { wait: None };

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
            Ok(HostTake::Busy { wait }) => Take::Busy { wait },
            Ok(HostTake::Stale) => {
                tracing::warn!(job.id = %self.lease.job, "a lease was lost: no host was taken for it");
                self.held
                    .stop_where(Stop::Lost, |lease| *lease == self.lease);
                NOT_NOW
            }
            Err(error) => {
                tracing::warn!(
                    job.id = %self.lease.job,
                    host.key = host_key,
                    error = %Chain(&error),
                    "cannot take a host; handing the job back"
                );
                NOT_NOW
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
