//! The crawl of one site, pulled page by page.
//!
//! One request at a time. The number of requests is bounded: the frontier admits at most
//! `10 × max_pages + 100` URLs in all, each takes at most one request and five redirects, each of
//! the site's few hosts one robots.txt, and sitemaps at most 32. Nothing happens between two calls
//! of [`Crawl::next`]: who drives the crawl decides when to go on.

mod duplicate;
mod page;
mod progress;
mod redirect;
mod robots_gate;
mod sitemaps;
mod start;
mod visit;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use trawl_domain::failure::Failure;
use trawl_domain::site::SiteAddress;
use trawl_domain::url_rules::PageUrl;

use crate::crawler::Shared;
use crate::step::{CrawlEnd, CrawlOrder, CrawledPage, RecordedPage, Snooze, Step, StopReason};
use progress::Progress;
use sitemaps::Sitemaps;
use visit::{Outcome, Reach, Visit, Visitor};

/// After so many pages in a row for which the server was not reached or did not answer, the rest
/// of the site is left alone. Chosen: beyond a hiccup, and at 20 s each already three minutes.
const SILENT_PAGES_MAX: u32 = 10;

/// Most waits in a row that a site may ask for without giving a page between them. Chosen: with an
/// hour each, ten hours for a site that does nothing else.
const SNOOZES_MAX: u32 = 10;

/// The crawl of one site.
#[derive(Debug)]
pub struct Crawl {
    site: SiteAddress,
    max_duration: Option<Duration>,
    /// When no further page is fetched; known with the first step.
    deadline: Option<Instant>,
    silent_pages: u32,
    /// Waits that the site asked for since its last page.
    snoozes: u32,
    progress: Progress,
    sitemaps: Sitemaps,
    visitor: Visitor,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// The start page has yet to be fetched.
    Start,
    /// Sitemaps are to be read; what they name is recorded with this page, or with the next one.
    Sitemaps(Option<Box<CrawledPage>>),
    /// The site is known.
    Pages,
    /// No further page is fetched.
    Ended(StopReason, Option<Failure>),
}

impl Crawl {
    pub(crate) fn new(shared: Arc<Shared>, order: CrawlOrder) -> Self {
        let CrawlOrder {
            site,
            max_pages,
            options,
            snoozes,
        } = order;
        Self {
            site,
            max_duration: options.max_duration(),
            deadline: None,
            silent_pages: 0,
            snoozes,
            visitor: Visitor::new(shared, &options),
            progress: Progress::new(max_pages, options),
            sitemaps: Sitemaps::default(),
            phase: if max_pages == 0 {
                Phase::Ended(StopReason::MaxPages, None)
            } else {
                Phase::Start
            },
        }
    }

    /// Takes into account a page that an earlier, interrupted attempt recorded, so that the crawl
    /// goes on after it.
    ///
    /// All of them, in the order they were yielded, and before the first step.
    pub fn replay(&mut self, page: &RecordedPage) {
        self.progress.replay(page);
        if self.progress.scope().is_some() {
            self.phase = if self.progress.wants_sitemaps() {
                Phase::Sitemaps(None)
            } else {
                Phase::Pages
            };
        }
    }

    /// Fetches the next page, or says that the crawl has ended and how.
    ///
    /// # Cancel safety
    ///
    /// A step that is dropped loses the page in flight and no other; the next call asks for that
    /// page again.
    pub async fn next(&mut self) -> Step {
        if self.deadline.is_none() {
            let left = |max: Duration| max.saturating_sub(self.progress.fetching());
            self.deadline = self
                .max_duration
                .and_then(|max| Instant::now().checked_add(left(max)));
        }
        loop {
            match &self.phase {
                Phase::Ended(stop_reason, failure) => {
                    return Step::End(Box::new(CrawlEnd {
                        failure: failure.clone(),
                        profile: self.progress.profile(),
                        summary: self
                            .progress
                            .summary(*stop_reason, self.visitor.crawl_delay()),
                    }));
                }
                Phase::Start => {
                    if let Err(snooze) = self.start().await
                        && let Some(step) = self.snooze(*snooze)
                    {
                        return step;
                    }
                }
                Phase::Sitemaps(_) => {
                    if self.progress.wants_sitemaps() && self.progress.spent().is_none() {
                        let read = self.sitemaps.read(&mut self.visitor, &mut self.progress);
                        // What was found until the deadline is recorded all the same.
                        let _ = within(self.deadline, read).await;
                    }
                    let phase = std::mem::replace(&mut self.phase, Phase::Pages);
                    if let Phase::Sitemaps(Some(page)) = phase {
                        return self.yielded(page);
                    }
                }
                Phase::Pages => match self.page().await {
                    Ok(Some(page)) => return self.yielded(Box::new(page)),
                    Ok(None) => {}
                    Err(snooze) => {
                        if let Some(step) = self.snooze(*snooze) {
                            return step;
                        }
                    }
                },
            }
        }
    }

    fn end(&mut self, stop_reason: StopReason) {
        self.phase = Phase::Ended(stop_reason, None);
    }

    /// The next page of the frontier; where there is none, the crawl has ended.
    async fn page(&mut self) -> Result<Option<CrawledPage>, Box<Snooze>> {
        if let Some(stop_reason) = self.progress.spent() {
            self.end(stop_reason);
            return Ok(None);
        }
        if self.silent_pages >= SILENT_PAGES_MAX {
            self.end(StopReason::Error);
            return Ok(None);
        }
        let Some(next) = self.progress.next() else {
            self.end(self.progress.exhausted());
            return Ok(None);
        };
        let progress = &self.progress;
        let judge = |target: &PageUrl| progress.judge(&next.url, target);
        let visit = self.visitor.visit(&next.url, progress.scope(), &judge);
        let Some(visit) = within(self.deadline, visit).await else {
            self.end(StopReason::MaxDuration);
            return Ok(None);
        };
        let visit = visit?;
        self.silent_pages = if is_silent(&visit) {
            self.silent_pages.saturating_add(1)
        } else {
            0
        };
        Ok(Some(self.progress.take(next, visit)))
    }

    /// A page, and with it as much of what sitemaps named as it can take.
    fn yielded(&mut self, mut page: Box<CrawledPage>) -> Step {
        self.snoozes = 0;
        if self.progress.wants_sitemaps() {
            self.progress.share(&mut page, self.sitemaps.found());
        }
        Step::Page(page)
    }

    /// Passes a wish to be left alone on; a site that wishes for nothing else is given up.
    fn snooze(&mut self, snooze: Snooze) -> Option<Step> {
        if self.snoozes < SNOOZES_MAX {
            self.snoozes = self.snoozes.saturating_add(1);
            return Some(Step::Snooze(Box::new(snooze)));
        }
        // What the site gave before stays good; without a page the site has failed.
        let failure = matches!(self.phase, Phase::Start).then_some(snooze.failure);
        self.phase = Phase::Ended(StopReason::Error, failure);
        None
    }
}

/// Whether the server was not reached, or did not answer.
fn is_silent(visit: &Visit) -> bool {
    matches!(&visit.outcome, Outcome::Failed { reach, .. } if *reach < Reach::Answer)
}

/// `None` at the deadline.
async fn within<T>(deadline: Option<Instant>, future: impl Future<Output = T>) -> Option<T> {
    match deadline {
        None => Some(future.await),
        Some(deadline) if deadline <= Instant::now() => None,
        Some(deadline) => tokio::time::timeout_at(deadline, future).await.ok(),
    }
}
