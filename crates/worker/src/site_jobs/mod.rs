//! The one kind of work there is: crawling the sites of batches.
//!
//! [`SiteJobs`] implements the three steps; [`recorder`] writes pages in groups, [`hosts`] takes the
//! hosts that a crawl comes to, [`lease`] renews the worker's lease and learns what became of its
//! jobs, [`maintenance`] rescues the jobs of lost workers.

mod hosts;
pub(crate) mod lease;
pub(crate) mod maintenance;
pub(crate) mod recorder;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use trawl_domain::backoff::Backoff;
use trawl_domain::failure::{Disposition, Failure, FailureCode};
use trawl_domain::site::SiteAddress;
use trawl_persistence::error::ScopeError;
use trawl_persistence::jobs::{ClaimedJob, EndedJob, Ending, job_claim, job_finish};
use trawl_persistence::pages::{PageRecord, RECORD_BYTES_MAX, StoredPage, pages_of_job};
use trawl_persistence::pool::Pool;
use trawl_persistence::workers::JobLease;
use trawl_scraper::crawl::Crawl;
use trawl_scraper::crawler::Crawler;
use trawl_scraper::facts::FACTS_MAX_BYTES;
use trawl_scraper::facts::content::CONTENT_MAX_BYTES;
use trawl_scraper::profile::Profile;
use trawl_scraper::step::{
    CrawlEnd, CrawlOrder, CrawlSummary, CrawledPage, DISCOVERED_MAX_BYTES, RecordedPage, Step,
};
use uuid::Uuid;

use crate::core::chain::Chain;
use crate::core::held::Held;
use crate::core::task::{Ended, Outcome, Stop, Task};
use hosts::JobHosts;
use lease::Identity;
use recorder::Recorder;

/// Waits between two attempts at a site (chosen: long enough for a restart of a server, short
/// against the time a batch takes).
const ATTEMPTS: Backoff = Backoff {
    base: Duration::from_secs(2),
    cap: Duration::from_secs(60),
};

/// Pages read at once to resume a crawl (chosen: 64 of the largest take 8 MiB).
const REPLAY_SLICE: u32 = 64;

/// Longest time between the end of a crawl and its deadline (chosen: the database may
/// restart in between).
const MARGIN_MAX: Duration = Duration::from_secs(30);

/// Most bytes of a page's record beside its facts, its content and what it discovered: two URLs, two
/// validators, the sentence of a failure, and counts.
const RECORD_REST_MAX_BYTES: usize = 8 * 1024;

// Whatever a page holds, it can be stored.
const _: () = assert!(
    DISCOVERED_MAX_BYTES + FACTS_MAX_BYTES + CONTENT_MAX_BYTES + RECORD_REST_MAX_BYTES
        <= RECORD_BYTES_MAX
);

/// Crawls the sites of batches.
pub struct SiteJobs {
    pub(crate) pool: Pool,
    pub(crate) crawler: Crawler,
    pub(crate) recorder: Recorder,
    pub(crate) held: Held<JobLease>,
    pub(crate) identity: Identity,
    pub(crate) max_attempts: u32,
    pub(crate) deadline: Duration,
    pub(crate) only_batch: Option<Uuid>,
}

/// How a crawl went.
pub enum Crawled {
    /// To its end, with a result.
    Ended {
        /// Why it stopped.
        stop_reason: &'static str,
        /// The result of the site, as JSON text.
        result: String,
    },
    /// As far as it comes without a host that is not to be had.
    Busy {
        /// Until the next attempt at it.
        wait: Duration,
    },
    /// As far as the site allows for now.
    Snoozed {
        /// What the host answered.
        failure: Failure,
        /// The host.
        host_key: String,
        /// Until it may be asked again.
        wait: Duration,
        /// Such waits in a row, this one included.
        snoozes: u32,
    },
}

/// The result of a job as clients read it: the profile of the site, and how its crawl went.
#[derive(serde::Serialize)]
struct SiteResult<'a> {
    #[serde(flatten)]
    profile: &'a Profile,
    crawl: &'a CrawlSummary,
}

impl<'a> SiteResult<'a> {
    fn of(end: &'a CrawlEnd) -> Self {
        Self {
            profile: &end.profile,
            crawl: &end.summary,
        }
    }
}

impl Task for SiteJobs {
    type Item = ClaimedJob;
    type Key = JobLease;
    type Output = Crawled;

    const NAME: &'static str = "site jobs";

    fn key(item: &ClaimedJob) -> JobLease {
        item.lease
    }

    async fn start(&self, want: u32) -> Result<Vec<ClaimedJob>, ScopeError> {
        job_claim(&self.pool, self.identity.current(), want, self.only_batch).await
    }

    async fn work(&self, job: &ClaimedJob) -> Result<Crawled, Failure> {
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
    async fn crawl(&self, job: &ClaimedJob) -> Result<Crawled, Failure> {
        let deadline = Instant::now().checked_add(crawl_time(self.deadline, job.batch_time_left));
        let hosts = JobHosts {
            pool: self.pool.clone(),
            lease: job.lease,
            held: self.held.clone(),
        };
        let mut crawl = self.crawler.begin(order(job, deadline, hosts)?);
        let mut seq = self.replay(job, &mut crawl).await?;
        let end = loop {
            match crawl.next().await {
                Step::Page(page) => {
                    self.recorder.record(page_record(job, seq, *page)?).await;
                    seq = seq.saturating_add(1);
                }
                Step::Snooze(snooze) => {
                    self.recorder.flushed().await;
                    return Ok(Crawled::Snoozed {
                        failure: snooze.failure,
                        host_key: snooze.host_key,
                        wait: snooze.wait,
                        snoozes: crawl.snoozes(),
                    });
                }
                Step::Busy(busy) => {
                    tracing::debug!(
                        job.id = %job.lease.job,
                        host.key = busy.host_key,
                        "handing a job back: a host is busy"
                    );
                    self.recorder.flushed().await;
                    return Ok(Crawled::Busy { wait: busy.wait });
                }
                Step::End(end) => break end,
            }
        };
        // The ending must not overtake the pages.
        self.recorder.flushed().await;
        if let Some(failure) = end.failure {
            return Err(failure);
        }
        Ok(Crawled::Ended {
            stop_reason: end.summary.stop_reason.as_str(),
            result: json(&SiteResult::of(&end), "the result of the site")?,
        })
    }

    /// Takes the crawl of a job to where earlier claims recorded that it was, and answers the place
    /// of its next page. A slice at a time, so that it takes no more memory than the crawl itself.
    async fn replay(&self, job: &ClaimedJob, crawl: &mut Crawl) -> Result<u32, Failure> {
        let mut last = None;
        let mut recorded_at = None;
        if job.pages_recorded == 0 {
            return Ok(0);
        }
        loop {
            let slice = pages_of_job(&self.pool, job.lease.job, last, REPLAY_SLICE)
                .await
                .map_err(|error| {
                    tracing::warn!(job.id = %job.lease.job, error = %Chain(&error), "cannot resume");
                    Failure::new(
                        FailureCode::Internal,
                        "The pages of an earlier attempt could not be read from the database.",
                    )
                })?;
            if slice.is_empty() {
                return Ok(last.map_or(0, |seq| seq.saturating_add(1)));
            }
            for page in slice {
                last = Some(page.seq);
                let before = recorded_at.replace(page.recorded_at);
                let since_last = page.recorded_at - before.unwrap_or(page.recorded_at);
                // Negative where the clock was set back.
                let since_last = since_last.try_into().unwrap_or_default();
                crawl.replay(&recorded_page(page, since_last)?);
            }
        }
    }

    /// What to write for an outcome; `None` for what is not written here.
    fn ending(&self, job: &ClaimedJob, outcome: &Outcome<Crawled>) -> Option<Ending> {
        match outcome {
            Outcome::Done(Crawled::Ended {
                stop_reason,
                result,
            }) => Some(Ending::Complete {
                stop_reason,
                result: result.clone(),
            }),
            Outcome::Done(Crawled::Snoozed {
                failure,
                host_key,
                wait,
                snoozes,
            }) => Some(Ending::Snoozed {
                failure: failure.clone(),
                host_key: host_key.clone(),
                wait: *wait,
                snoozes: *snoozes,
            }),
            Outcome::Done(Crawled::Busy { wait }) => Some(Ending::HandedBack { delay: *wait }),
            Outcome::Failed(failure) => Some(match failure.code.disposition() {
                Disposition::Retry if job.attempt < self.max_attempts => Ending::Retry {
                    failure: failure.clone(),
                    delay: ATTEMPTS.delay(job.attempt, rand::random()),
                },
                Disposition::Retry | Disposition::GiveUp => Ending::Failed(failure.clone()),
            }),
            Outcome::Stopped(Stop::Cancelled) => Some(Ending::Cancelled),
            Outcome::Stopped(Stop::HandBack) => Some(Ending::HandedBack {
                delay: Duration::ZERO,
            }),
            Outcome::Stopped(Stop::Overdue) => Some(Ending::Failed(Failure::new(
                FailureCode::DeadlineExceeded,
                "The batch reached its deadline before this site was done.",
            ))),
            Outcome::Stopped(Stop::Lost) => None,
        }
    }
}

/// How long a job may crawl: until its own deadline or that of its batch, but for the time that it
/// takes to write its last pages and its result.
fn crawl_time(deadline: Duration, batch_time_left: Option<Duration>) -> Duration {
    let left = batch_time_left.map_or(deadline, |left| left.min(deadline));
    left - (left / 10).min(MARGIN_MAX)
}

/// What a job asks for.
fn order(
    job: &ClaimedJob,
    deadline: Option<Instant>,
    hosts: JobHosts,
) -> Result<CrawlOrder, Failure> {
    let site = SiteAddress::parse(&job.start_url).map_err(|error| {
        Failure::new(
            FailureCode::Internal,
            format!(
                "The stored address {} could not be read: {error}.",
                job.start_url
            ),
        )
    })?;
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
        snoozes: job.snoozes,
        deadline,
        hosts: Arc::new(hosts),
    })
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
        body_hash: page.body_hash,
        not_fetched: (!page.not_fetched.is_empty())
            .then(|| json(&page.not_fetched, "what a page named in vain"))
            .transpose()?,
        content: page
            .content
            .map(|content| json(&content, "the content of a page"))
            .transpose()?,
    })
}

fn recorded_page(page: StoredPage, since_last: Duration) -> Result<RecordedPage, Failure> {
    let unreadable = |error: serde_json::Error| {
        tracing::warn!(%error, url = page.url, "a stored page cannot be read");
        Failure::new(
            FailureCode::Internal,
            "A page of an earlier attempt was stored in a form that cannot be read.",
        )
    };
    Ok(RecordedPage {
        discovered: serde_json::from_str(&page.discovered).map_err(unreadable)?,
        not_fetched: page
            .not_fetched
            .as_deref()
            .map(serde_json::from_str)
            .transpose()
            .map_err(unreadable)?
            .unwrap_or_default(),
        facts: page
            .facts
            .as_deref()
            .map(serde_json::from_str)
            .transpose()
            .map_err(unreadable)?,
        body_bytes: page.body_bytes,
        duration: page.duration,
        since_last,
        body_hash: page.body_hash,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crawl_ends_before_the_first_of_its_deadlines() {
        let s = Duration::from_secs;
        for (job, batch, expected) in [
            (s(100), None, s(90)),
            (s(3600), None, s(3570)),
            (s(3600), Some(s(7200)), s(3570)),
            (s(3600), Some(s(20)), s(18)),
            (s(3600), Some(Duration::ZERO), Duration::ZERO),
        ] {
            assert_eq!(crawl_time(job, batch), expected, "{job:?} {batch:?}");
        }
    }
}
