//! The crawl of one site, pulled page by page.
//!
//! One request at a time. The number of requests is bounded: the frontier admits at most
//! `10 × max_pages + 100` URLs in all, each takes at most five redirects and each of these a few
//! requests more where the site is busy, each origin of the site (a scheme and a host) takes one
//! robots.txt, and sitemaps at most 32 files. Nothing happens between two calls of [`Crawl::next`]:
//! who drives the crawl decides when to go on.

mod duplicate;
mod page;
mod progress;
mod redirect;
mod robots_gate;
mod sitemaps;
mod start;
mod turns;
mod visit;
mod waits;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use trawl_domain::failure::Failure;
use trawl_domain::page::PageState;
use trawl_domain::site::SiteAddress;
use trawl_domain::url_rules::PageUrl;

use crate::crawler::Shared;
use crate::step::{CrawlEnd, CrawlOrder, CrawledPage, RecordedPage, Step, StopReason};
use progress::Progress;
use sitemaps::Sitemaps;
use turns::Pause;
use visit::{Outcome, Reach, Visit, Visitor};
use waits::Waits;

/// After so many pages in a row for which the server was not reached or did not answer, the rest
/// of the site is left alone. Chosen: beyond a hiccup, and at 20 s each already three minutes.
const SILENT_PAGES_MAX: u32 = 10;

/// The crawl of one site.
#[derive(Debug)]
pub struct Crawl {
    site: SiteAddress,
    max_duration: Option<Duration>,
    /// When no further page is fetched; whole with the first step.
    deadline: Option<Instant>,
    has_begun: bool,
    silent_pages: u32,
    waits: Waits,
    /// Why the sitemaps are not read yet, to be passed on after the page that came before.
    postponed: Option<Box<Pause>>,
    progress: Progress,
    sitemaps: Sitemaps,
    visitor: Visitor,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// The start page has yet to be fetched.
    Start,
    /// Sitemaps are to be read, once no page waits that comes first. What they name is recorded with
    /// this page, or with the next one.
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
            deadline,
            hosts,
        } = order;
        let visitor = Visitor::new(shared, &options, site.host_key(), hosts);
        Self {
            site,
            max_duration: options.max_duration(),
            deadline,
            has_begun: false,
            silent_pages: 0,
            waits: Waits::after(snoozes),
            postponed: None,
            visitor,
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
        self.waits.replay(page.discovered.waits, page.since_last);
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
        if !self.has_begun {
            self.has_begun = true;
            let left = |max: Duration| max.saturating_sub(self.progress.fetching());
            let own = self
                .max_duration
                .and_then(|max| Instant::now().checked_add(left(max)));
            self.deadline = own.into_iter().chain(self.deadline).min();
        }
        if let Some(pause) = self.postponed.take() {
            return Step::from(*pause);
        }
        loop {
            match &mut self.phase {
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
                    if let Err(pause) = self.start().await {
                        match *pause {
                            Pause::Snooze(snooze) if !self.waits.use_for_start() => {
                                self.phase = Phase::Ended(StopReason::Error, Some(snooze.failure));
                            }
                            pause => return Step::from(pause),
                        }
                    }
                }
                Phase::Sitemaps(held) if self.progress.next_comes_first() => {
                    let held = held.take();
                    if let Some(page) = held {
                        return self.yielded(page, true);
                    }
                    match self.page().await {
                        Ok(Some(page)) => self.phase = Phase::Sitemaps(Some(Box::new(page))),
                        Ok(None) => {}
                        Err(pause) => return Step::from(*pause),
                    }
                }
                Phase::Sitemaps(_) => {
                    let pause = self.read_sitemaps().await;
                    let after = match pause {
                        Some(_) => Phase::Sitemaps(None),
                        None => Phase::Pages,
                    };
                    let phase = std::mem::replace(&mut self.phase, after);
                    match (phase, pause) {
                        (Phase::Sitemaps(Some(page)), pause) => {
                            let is_unread = pause.is_some();
                            self.postponed = pause;
                            return self.yielded(page, is_unread);
                        }
                        (_, Some(pause)) => return Step::from(*pause),
                        (_, None) => self.progress.begin_with(self.sitemaps.urls()),
                    }
                }
                Phase::Pages => match self.page().await {
                    Ok(Some(page)) => return self.yielded(Box::new(page), false),
                    Ok(None) => {}
                    Err(pause) => return Step::from(*pause),
                },
            }
        }
    }

    /// How often the site has asked for a wait in a row, for the order that goes on after a
    /// [`Step::Snooze`].
    pub fn snoozes(&self) -> u32 {
        self.waits.in_a_row()
    }

    fn end(&mut self, stop_reason: StopReason) {
        self.phase = Phase::Ended(stop_reason, None);
    }

    /// The next page of the frontier; where there is none, the crawl has ended.
    async fn page(&mut self) -> Result<Option<CrawledPage>, Box<Pause>> {
        if let Some(stop_reason) = self.progress.spent() {
            self.end(stop_reason);
            return Ok(None);
        }
        if self.silent_pages >= SILENT_PAGES_MAX || self.waits.are_over() {
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
        let visit = match visit {
            Ok(visit) => visit,
            Err(pause) => match *pause {
                Pause::Snooze(snooze) if !self.waits.use_for_page() => {
                    Visit::waited_for_in_vain(snooze)
                }
                pause => return Err(Box::new(pause)),
            },
        };
        self.silent_pages = if is_silent(&visit) {
            self.silent_pages.saturating_add(1)
        } else {
            0
        };
        let mut page = self.progress.take(next, visit);
        page.discovered.waits = self.waits.in_a_row();
        if page.state == PageState::Fetched {
            self.waits.fetched();
        } else {
            self.waits.given_up();
        }
        Ok(Some(page))
    }

    /// Reads sitemaps as far as time and the site allow; what keeps it from them is answered.
    async fn read_sitemaps(&mut self) -> Option<Box<Pause>> {
        if !self.progress.wants_sitemaps() || self.progress.spent().is_some() {
            return None;
        }
        let read = self.sitemaps.read(&mut self.visitor, &mut self.progress);
        // What was found until the deadline is recorded all the same.
        let pause = within(self.deadline, read).await?.err()?;
        if matches!(*pause, Pause::Busy(_)) || self.waits.use_for_page() {
            return Some(pause);
        }
        self.waits.given_up();
        self.sitemaps.give_up();
        None
    }

    /// A page, and with it as much of what sitemaps named as it can take; where some of them are still
    /// to be read, the record says so.
    fn yielded(&mut self, mut page: Box<CrawledPage>, is_unread: bool) -> Step {
        if self.progress.wants_sitemaps() {
            self.progress
                .share(&mut page, self.sitemaps.found(), is_unread);
            if !self.progress.wants_sitemaps() {
                // All of it is recorded, and room for tens of thousands of URLs is free again.
                self.sitemaps = Sitemaps::default();
            }
        }
        Step::Page(page)
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
