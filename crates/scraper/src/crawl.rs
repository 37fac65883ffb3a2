//! The crawl of one site, pulled page by page.
//!
//! One request at a time. The number of requests is bounded: the frontier admits at most
//! `10 × max_pages + 100` URLs in all, each takes at most one request and five redirects, and each
//! of the site's few origins one robots.txt. Nothing happens between two calls of
//! [`Crawl::next`]: who drives the crawl decides when to go on.

mod page;
mod redirect;
mod robots_gate;
mod start;
mod visit;

use std::sync::Arc;

use trawl_domain::failure::Failure;
use trawl_domain::page::PageState;
use trawl_domain::site::SiteAddress;
use trawl_domain::url_rules::{PageUrl, SiteScope};

use crate::crawler::Shared;
use crate::frontier::{Frontier, Waiting};
use crate::profile::ProfileBuilder;
use crate::step::{CrawlEnd, CrawlOrder, CrawledPage, RecordedPage, Snooze, Step, StopReason};
use redirect::HopVerdict;
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
    max_pages: u32,
    max_depth: Option<u32>,
    fetched_pages: u32,
    silent_pages: u32,
    /// Waits that the site asked for since its last page.
    snoozes: u32,
    frontier: Frontier,
    visitor: Visitor,
    profile: ProfileBuilder,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// The start page has yet to be fetched.
    Start,
    /// The start page is known, and with it what belongs to the site.
    Pages(SiteScope),
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
            recorded,
        } = order;
        let mut profile = ProfileBuilder::default();
        for facts in recorded.iter().filter_map(|page| page.facts.as_ref()) {
            profile.add(facts);
        }
        let fetched = recorded
            .iter()
            .filter(|page| page.state == PageState::Fetched)
            .count();
        Self {
            site,
            max_pages,
            fetched_pages: u32::try_from(fetched).unwrap_or(u32::MAX),
            silent_pages: 0,
            snoozes,
            frontier: Frontier::rebuild(max_pages, &recorded),
            visitor: Visitor::new(shared, options.delay(), options.formats),
            max_depth: options.max_depth,
            profile,
            phase: recorded
                .first()
                .and_then(recorded_scope)
                .map_or(Phase::Start, Phase::Pages),
        }
    }

    /// Fetches the next page, or says that the crawl has ended and how.
    ///
    /// # Cancel safety
    ///
    /// A step that is dropped loses the page in flight and no other; the next call asks for that
    /// page again.
    pub async fn next(&mut self) -> Step {
        loop {
            match &self.phase {
                Phase::Ended(stop_reason, failure) => {
                    return Step::End(Box::new(CrawlEnd {
                        stop_reason: *stop_reason,
                        failure: failure.clone(),
                        crawl_delay: self.visitor.crawl_delay(),
                        profile: self.profile.build(),
                    }));
                }
                Phase::Start if self.max_pages == 0 => self.end(StopReason::MaxPages),
                Phase::Start => {
                    if let Some(step) = self.start().await {
                        return step;
                    }
                }
                Phase::Pages(scope) => {
                    let scope = scope.clone();
                    if let Some(step) = self.page(&scope).await {
                        return step;
                    }
                }
            }
        }
    }

    fn end(&mut self, stop_reason: StopReason) {
        self.phase = Phase::Ended(stop_reason, None);
    }

    /// The next page of the frontier; `None` ends the crawl.
    async fn page(&mut self, scope: &SiteScope) -> Option<Step> {
        if self.fetched_pages >= self.max_pages {
            self.end(StopReason::MaxPages);
            return None;
        }
        if self.silent_pages >= SILENT_PAGES_MAX {
            self.end(StopReason::Error);
            return None;
        }
        let Some(Waiting { url, depth }) = self.frontier.next() else {
            let is_cut = self.frontier.is_cut();
            self.end(if is_cut {
                StopReason::MaxRequests
            } else {
                StopReason::FrontierExhausted
            });
            return None;
        };
        let frontier = &self.frontier;
        let judge = |target: &PageUrl| {
            if !scope.contains(target) {
                HopVerdict::OffSite
            } else if frontier.is_visited(target) && target.visit_key() != url.visit_key() {
                HopVerdict::Visited
            } else {
                HopVerdict::Follow
            }
        };
        match self.visitor.visit(&url, Some(scope), &judge).await {
            Ok(visit) => {
                self.frontier.finish();
                Some(self.record(url, depth, visit))
            }
            Err(snooze) => self.snooze(*snooze),
        }
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

    /// Takes a visit into account.
    fn record(&mut self, url: PageUrl, depth: u32, visit: Visit) -> Step {
        self.snoozes = 0;
        self.frontier.mark_visited(&url);
        if let Some(target) = &visit.final_url {
            self.frontier.mark_visited(target);
        }
        let mut page = CrawledPage {
            url: url.to_string(),
            final_url: visit.final_url.map(|url| url.to_string()),
            state: PageState::Failed,
            depth,
            http_status: visit.http_status,
            body_bytes: visit.body_bytes,
            duration: visit.duration,
            first_byte: visit.first_byte,
            etag: visit.etag,
            last_modified: visit.last_modified,
            failure: None,
            discovered: Vec::new(),
            facts: None,
            content: None,
        };
        let mut is_silent = false;
        match visit.outcome {
            Outcome::Fetched(extracted) => {
                self.fetched_pages = self.fetched_pages.saturating_add(1);
                self.profile.add(&extracted.facts);
                page.state = PageState::Fetched;
                if self.max_depth.is_none_or(|max_depth| depth < max_depth) {
                    page.discovered = self
                        .frontier
                        .discover(extracted.links, depth.saturating_add(1));
                }
                page.facts = Some(extracted.facts);
                page.content = extracted.content;
            }
            Outcome::Skipped(failure) => {
                page.state = PageState::Skipped;
                page.failure = Some(failure);
            }
            Outcome::Failed { failure, reach } => {
                is_silent = reach < Reach::Answer;
                page.failure = Some(failure);
            }
        }
        self.silent_pages = if is_silent {
            self.silent_pages.saturating_add(1)
        } else {
            0
        };
        Step::Page(Box::new(page))
    }
}

/// The scope that an earlier attempt found, from the start page that it recorded first.
fn recorded_scope(start: &RecordedPage) -> Option<SiteScope> {
    let url = start.final_url.as_ref().unwrap_or(&start.url);
    PageUrl::parse(url).ok().map(|url| SiteScope::of(&url))
}
