//! The one kind of work there is: crawling the sites of batches.
//!
//! [`SiteJobs`] implements the three steps; [`recorder`] writes pages in groups, [`lease`] renews
//! the worker's lease and learns what became of its jobs, [`maintenance`] rescues the jobs of lost
//! workers.

pub(crate) mod lease;
pub(crate) mod maintenance;
pub(crate) mod recorder;

use std::time::Duration;

use trawl_domain::backoff::Backoff;
use trawl_domain::failure::{Disposition, Failure, FailureCode};
use trawl_domain::site::SiteAddress;
use trawl_persistence::error::ScopeError;
use trawl_persistence::jobs::{ClaimedJob, EndedJob, Ending, job_claim, job_finish};
use trawl_persistence::pages::{PageRecord, StoredPage, pages_of_job};
use trawl_persistence::pool::Pool;
use trawl_persistence::workers::JobLease;
use trawl_scraper::crawler::Crawler;
use trawl_scraper::step::{CrawlOrder, CrawledPage, RecordedPage, Step};
use uuid::Uuid;

use crate::core::chain::Chain;
use crate::core::task::{Ended, Outcome, Stop, Task};
use lease::Identity;
use recorder::Recorder;

/// Waits between two attempts at a site (chosen: long enough for a restart of a server, short
/// against the time a batch takes).
const ATTEMPTS: Backoff = Backoff {
    base: Duration::from_secs(2),
    cap: Duration::from_secs(60),
};

/// Crawls the sites of batches.
pub struct SiteJobs {
    pub(crate) pool: Pool,
    pub(crate) crawler: Crawler,
    pub(crate) recorder: Recorder,
    pub(crate) identity: Identity,
    pub(crate) max_attempts: u32,
    pub(crate) deadline: Duration,
    pub(crate) only_batch: Option<Uuid>,
}

/// What a crawl gave.
pub struct CrawlResult {
    stop_reason: &'static str,
    profile: String,
}

impl Task for SiteJobs {
    type Item = ClaimedJob;
    type Key = JobLease;
    type Output = CrawlResult;

    const NAME: &'static str = "site jobs";

    fn key(item: &ClaimedJob) -> JobLease {
        item.lease
    }

    async fn start(&self, want: u32) -> Result<Vec<ClaimedJob>, ScopeError> {
        job_claim(&self.pool, self.identity.current(), want, self.only_batch).await
    }

    async fn work(&self, job: &ClaimedJob) -> Result<CrawlResult, Failure> {
        tokio::time::timeout(self.deadline, self.crawl(job))
            .await
            .unwrap_or_else(|_elapsed| {
                Err(Failure::new(
                    FailureCode::DeadlineExceeded,
                    format!(
                        "The site {} was not done within {} seconds.",
                        job.domain,
                        self.deadline.as_secs_f64()
                    ),
                ))
            })
    }

    async fn finish(&self, ended: &[Ended<Self>]) -> Result<(), ScopeError> {
        // Where the crawl did not end by itself, its last pages may still be on their way.
        if ended
            .iter()
            .any(|ended| !matches!(ended.outcome, Outcome::Done(_)))
        {
            self.recorder.flushed().await;
        }
        let endings: Vec<EndedJob> = ended
            .iter()
            .filter_map(|ended| {
                let ending = self.ending(&ended.item, &ended.outcome)?;
                Some(EndedJob {
                    lease: ended.item.lease,
                    ending,
                })
            })
            .collect();
        if !endings.is_empty() {
            job_finish(&self.pool, &endings).await?;
        }
        Ok(())
    }
}

impl SiteJobs {
    /// Crawls a site; its pages go to the recorder on the way.
    async fn crawl(&self, job: &ClaimedJob) -> Result<CrawlResult, Failure> {
        let order = self.order(job).await?;
        let mut seq = u32::try_from(order.recorded.len()).unwrap_or(u32::MAX);
        let mut crawl = self.crawler.begin(order);
        let end = loop {
            match crawl.next().await {
                Step::Page(page) => {
                    self.recorder.record(page_record(job, seq, *page)?).await;
                    seq = seq.saturating_add(1);
                }
                Step::Snooze(snooze) => return Err(snooze.failure),
                Step::End(end) => break end,
            }
        };
        // The ending must not overtake the pages.
        self.recorder.flushed().await;
        if let Some(failure) = end.failure {
            return Err(failure);
        }
        Ok(CrawlResult {
            stop_reason: end.stop_reason.as_str(),
            profile: json(&end.profile, "the profile of the site")?,
        })
    }

    /// The crawl of a job, continued from what earlier claims recorded.
    async fn order(&self, job: &ClaimedJob) -> Result<CrawlOrder, Failure> {
        let site = SiteAddress::parse(&job.start_url).map_err(|error| {
            Failure::new(
                FailureCode::Internal,
                format!(
                    "The stored address {} could not be read: {error}.",
                    job.start_url
                ),
            )
        })?;
        let stored = if job.pages_recorded == 0 {
            Vec::new()
        } else {
            pages_of_job(&self.pool, job.lease.job).await.map_err(|error| {
                tracing::warn!(job.id = %job.lease.job, error = %Chain(&error), "cannot resume");
                Failure::new(
                    FailureCode::Internal,
                    "The pages of an earlier attempt could not be read from the database.",
                )
            })?
        };
        let recorded = stored
            .into_iter()
            .map(recorded_page)
            .collect::<Result<Vec<_>, Failure>>()?;
        let options = serde_json::from_str(&job.options).map_err(|error| {
            // Only a newer version can have stored what this one does not know.
            Failure::new(
                FailureCode::Internal,
                format!("The stored options of the batch could not be read: {error}."),
            )
        })?;
        Ok(CrawlOrder {
            site,
            max_pages: job.max_pages,
            options,
            snoozes: 0,
            recorded,
        })
    }

    /// What to write for an outcome; `None` for what is not written here.
    fn ending(&self, job: &ClaimedJob, outcome: &Outcome<CrawlResult>) -> Option<Ending> {
        match outcome {
            Outcome::Done(result) => Some(Ending::Complete {
                stop_reason: result.stop_reason,
                result: result.profile.clone(),
            }),
            Outcome::Failed(failure) => Some(match failure.code.disposition() {
                Disposition::Retry if job.attempt < self.max_attempts => Ending::Retry {
                    failure: failure.clone(),
                    delay: ATTEMPTS.delay(job.attempt, rand::random()),
                },
                Disposition::Retry | Disposition::GiveUp => Ending::Failed(failure.clone()),
            }),
            Outcome::Stopped(Stop::Cancelled) => Some(Ending::Cancelled),
            Outcome::Stopped(Stop::HandBack) => Some(Ending::HandedBack),
            Outcome::Stopped(Stop::Overdue) => Some(Ending::Failed(Failure::new(
                FailureCode::DeadlineExceeded,
                "The batch reached its deadline before this site was done.",
            ))),
            Outcome::Stopped(Stop::Lost) => None,
        }
    }
}

fn page_record(job: &ClaimedJob, seq: u32, page: CrawledPage) -> Result<PageRecord, Failure> {
    Ok(PageRecord {
        lease: job.lease,
        seq,
        discovered: json(&page.discovered, "the links of a page")?,
        facts: page
            .facts
            .map(|facts| json(&facts, "the facts of a page"))
            .transpose()?,
        url: page.url,
        final_url: page.final_url,
        state: page.state,
        depth: page.depth,
        http_status: page.http_status,
        body_bytes: page.body_bytes,
        duration: page.duration,
        failure: page.failure,
        first_byte: page.first_byte,
        etag: page.etag,
        last_modified: page.last_modified,
        body_hash: None,
        not_fetched: None,
        content: None,
    })
}

fn recorded_page(page: StoredPage) -> Result<RecordedPage, Failure> {
    let unreadable = |error: serde_json::Error| {
        tracing::warn!(%error, url = page.url, "a stored page cannot be read");
        Failure::new(
            FailureCode::Internal,
            "A page of an earlier attempt was stored in a form that cannot be read.",
        )
    };
    Ok(RecordedPage {
        discovered: serde_json::from_str(&page.discovered).map_err(unreadable)?,
        facts: page
            .facts
            .as_deref()
            .map(serde_json::from_str)
            .transpose()
            .map_err(unreadable)?,
        url: page.url.clone(),
        final_url: page.final_url.clone(),
        state: page.state,
        depth: page.depth,
    })
}

fn json(value: &impl serde::Serialize, what: &str) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| {
        Failure::new(
            FailureCode::Internal,
            format!("Cannot write {what} as JSON: {error}."),
        )
    })
}
