//! Submissions, workers, pages and endings with valid defaults, for tests of any topic.

use std::time::Duration;

use anyhow::{Result, ensure};
use trawl_domain::failure::{Failure, FailureCode};
use trawl_domain::limits::{MaxConcurrent, MaxPages};
use trawl_domain::page::PageState;
use trawl_domain::site::SiteAddress;
use trawl_persistence::audit::audit;
use trawl_persistence::batches::{BatchKind, NewBatch, NewJob, Submitted, batch_submit};
use trawl_persistence::jobs::{EndedJob, Ending};
use trawl_persistence::pages::PageRecord;
use trawl_persistence::pool::Pool;
use trawl_persistence::workers::{JobLease, WorkerIdentity, worker_register};
use uuid::Uuid;

/// A submission that tests may change before they send it.
#[derive(Debug, Clone)]
pub(crate) struct Submission {
    pub(crate) id: Uuid,
    pub(crate) kind: BatchKind,
    pub(crate) max_concurrent: i64,
    pub(crate) request_hash: [u8; 32],
    pub(crate) metadata: String,
    pub(crate) options: String,
    pub(crate) jobs: Vec<NewJob>,
}

impl Submission {
    /// Of these sites, five at once.
    pub(crate) fn of<S: AsRef<str>>(sites: impl IntoIterator<Item = S>) -> Self {
        let new_job = |site: S| NewJob {
            id: Uuid::now_v7(),
            site: SiteAddress::parse(site.as_ref())
                .unwrap_or_else(|error| panic!("{} {error}", site.as_ref())),
        };
        let jobs = sites.into_iter().map(new_job).collect();
        Self {
            id: Uuid::now_v7(),
            kind: BatchKind::Batch,
            max_concurrent: 5,
            request_hash: [1; 32],
            metadata: "{}".to_owned(),
            options: "{}".to_owned(),
            jobs,
        }
    }

    /// Of `count` sites of their own, whose names begin with `prefix`.
    pub(crate) fn sized(prefix: &str, count: usize) -> Self {
        Self::of((0..count).map(|number| format!("{prefix}-{number}.test")))
    }

    pub(crate) fn at_once(mut self, max_concurrent: i64) -> Self {
        self.max_concurrent = max_concurrent;
        self
    }

    pub(crate) fn batch(&self) -> NewBatch<'_> {
        NewBatch {
            id: self.id,
            kind: self.kind,
            max_pages: MaxPages::DEFAULT,
            max_concurrent: MaxConcurrent::new(self.max_concurrent)
                .unwrap_or_else(|error| panic!("{error}")),
            deadline: None,
            options: &self.options,
            queue_limit: u32::MAX,
            request_hash: self.request_hash,
            metadata: &self.metadata,
            jobs: &self.jobs,
        }
    }

    pub(crate) async fn send(&self, pool: &Pool) -> Result<Submitted> {
        Ok(batch_submit(pool, &self.batch()).await?)
    }

    /// Sends it as something new.
    pub(crate) async fn accepted(self, pool: &Pool) -> Result<Self> {
        let submitted = self.send(pool).await?;
        ensure!(
            matches!(submitted, Submitted::Accepted { .. }),
            "{submitted:?}"
        );
        Ok(self)
    }
}

/// Registers a worker whose lease outlasts any test.
pub(crate) async fn worker(pool: &Pool) -> Result<Uuid> {
    let worker = WorkerIdentity {
        id: Uuid::now_v7(),
        host: "test".to_owned(),
        pid: std::process::id(),
        lease_ttl: Duration::from_secs(600),
    };
    worker_register(pool, &worker).await?;
    Ok(worker.id)
}

pub(crate) fn complete(lease: JobLease) -> EndedJob {
    EndedJob {
        lease,
        ending: Ending::Complete {
            stop_reason: "frontier_empty",
            result: r#"{"title": "A site"}"#.to_owned(),
        },
    }
}

pub(crate) fn failed(lease: JobLease) -> EndedJob {
    EndedJob {
        lease,
        ending: Ending::Failed(failure()),
    }
}

/// Another attempt is due at once.
pub(crate) fn retry(lease: JobLease) -> EndedJob {
    EndedJob {
        lease,
        ending: Ending::Retry {
            failure: failure(),
            delay: Duration::ZERO,
        },
    }
}

/// A host asked for a wait, this many times in a row.
pub(crate) fn snoozed(lease: JobLease, host_key: &str, wait: Duration, snoozes: u32) -> EndedJob {
    EndedJob {
        lease,
        ending: Ending::Snoozed {
            failure: Failure::new(FailureCode::TooManyRequests, "GET / was answered with 429"),
            host_key: host_key.to_owned(),
            wait,
            snoozes,
        },
    }
}

pub(crate) fn cancelled(lease: JobLease) -> EndedJob {
    EndedJob {
        lease,
        ending: Ending::Cancelled,
    }
}

pub(crate) fn failure() -> Failure {
    Failure::new(FailureCode::DnsNotFound, "There is no such host.")
}

/// A fetched page; `seq` makes its URL.
pub(crate) fn page(lease: JobLease, seq: u32) -> PageRecord {
    PageRecord {
        lease,
        seq,
        url: format!("https://site.test/{seq}"),
        final_url: None,
        state: PageState::Fetched,
        depth: 1,
        http_status: Some(200),
        body_bytes: 1_000,
        duration: Duration::from_millis(5),
        failure: None,
        discovered: "{}".to_owned(),
        facts: None,
        first_byte: None,
        etag: None,
        last_modified: None,
        body_hash: None,
        not_fetched: None,
        content: None,
    }
}

/// Asserts that the audit finds no promise broken.
pub(crate) async fn assert_promises_kept(pool: &Pool) -> Result<()> {
    let broken: Vec<_> = audit(pool)
        .await?
        .into_iter()
        .filter(|line| line.broken != 0)
        .collect();
    ensure!(broken.is_empty(), "broken promises: {broken:?}");
    Ok(())
}
