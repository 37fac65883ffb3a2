//! Everything of a crawl that follows from its pages: what waits, what was decided, what was found.
//!
//! No I/O and no clock. A page that was recorded changes it exactly as it did when it was fetched,
//! so a crawl that replays its pages in their order stands where the interrupted one stood.

mod links;

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use trawl_domain::crawl_options::{CrawlOptions, SitemapUse};
use trawl_domain::page::PageState;
use trawl_domain::url_rules::{PageUrl, SiteScope};

use super::duplicate::Duplicate;
use super::redirect::HopVerdict;
use super::sitemaps::Found;
use super::visit::{Outcome, Visit};
use crate::facts::PageFacts;
use crate::frontier::{Frontier, Offer, Origin, Waiting};
use crate::not_fetched::{Decided, NotFetched, Reason, Refused};
use crate::priority::Topic;
use crate::profile::ProfileBuilder;
use crate::step::{
    BodyHash, CrawlDelay, CrawlSummary, CrawledPage, DISCOVERED_MAX_BYTES, Discovered, PageCounts,
    RecordedPage, SitemapCounts, SitemapShare, StopReason, listed_bytes,
};

/// Depth of what only sitemaps name: as if the start page linked to it.
const SITEMAP_DEPTH: u32 = 1;

/// How far a crawl has come.
#[derive(Debug)]
pub(super) struct Progress {
    max_pages: u32,
    options: CrawlOptions,
    /// Known once the start page is.
    scope: Option<SiteScope>,
    start_page: Option<PageUrl>,
    /// The keys of all URLs by which the start page is known.
    start_names: Vec<u64>,
    frontier: Frontier,
    decided: Decided,
    /// The pages whose content was had, by the keys of all their URLs.
    contents: HashSet<u64>,
    bodies: HashSet<BodyHash>,
    pages: PageCounts,
    body_bytes: u64,
    fetching: Duration,
    not_fetched: NotFetched,
    sitemaps: Option<SitemapCounts>,
    wants_sitemaps: bool,
    profile: ProfileBuilder,
}

impl Progress {
    pub(super) fn new(max_pages: u32, options: CrawlOptions) -> Self {
        Self {
            max_pages,
            scope: None,
            start_page: None,
            start_names: Vec::new(),
            frontier: Frontier::new(max_pages, options.ignore_query),
            decided: Decided::default(),
            contents: HashSet::new(),
            bodies: HashSet::new(),
            pages: PageCounts::default(),
            body_bytes: 0,
            fetching: Duration::ZERO,
            not_fetched: NotFetched::default(),
            sitemaps: None,
            wants_sitemaps: false,
            profile: ProfileBuilder::default(),
            options,
        }
    }

    /// What belongs to the site, as soon as its start page is known.
    pub(super) fn scope(&self) -> Option<&SiteScope> {
        self.scope.as_ref()
    }

    /// Where the start page is, after redirects.
    pub(super) fn start_page(&self) -> Option<&PageUrl> {
        self.start_page.as_ref()
    }

    /// Whether sitemaps are to be read before the next page.
    pub(super) fn wants_sitemaps(&self) -> bool {
        self.wants_sitemaps
    }

    /// Time that earlier attempts spent on requests, as far as their pages tell.
    pub(super) fn fetching(&self) -> Duration {
        self.fetching
    }

    /// The next URL to ask for; see [`Frontier::next`].
    pub(super) fn next(&mut self) -> Option<Waiting> {
        self.frontier.next()
    }

    /// Whether the next URL comes before all that says nothing of who is behind the site.
    pub(super) fn next_comes_first(&mut self) -> bool {
        self.frontier.next_comes_first()
    }

    /// Lets one URL of sitemaps in where nothing waits: what they name is recorded with a page, and
    /// there would be none.
    pub(super) fn begin_with(&mut self, urls: &mut VecDeque<PageUrl>) {
        while self.frontier.next().is_none()
            && let Some(url) = urls.pop_front()
        {
            self.frontier
                .offer(url, SITEMAP_DEPTH, Origin::Sitemap, None);
        }
    }

    /// Which budget is used up.
    pub(super) fn spent(&self) -> Option<StopReason> {
        if self.pages.fetched >= self.max_pages {
            Some(StopReason::MaxPages)
        } else if self
            .options
            .max_bytes
            .is_some_and(|max| self.body_bytes >= max)
        {
            Some(StopReason::MaxBytes)
        } else {
            None
        }
    }

    /// Why nothing waits any more.
    pub(super) fn exhausted(&self) -> StopReason {
        if self.sitemap_room() == 0 {
            StopReason::MaxPages
        } else {
            StopReason::FrontierExhausted
        }
    }

    /// Whether a redirect from the page at `url` is followed to `target`.
    pub(super) fn judge(&self, url: &PageUrl, target: &PageUrl) -> HopVerdict {
        if !self
            .scope
            .as_ref()
            .is_some_and(|scope| scope.contains(target))
        {
            HopVerdict::OffSite
        } else if self.is_excluded(target) {
            HopVerdict::Excluded
        } else if self.frontier.is_visited(target)
            && self.frontier.key(target) != self.frontier.key(url)
        {
            HopVerdict::Visited
        } else {
            HopVerdict::Follow
        }
    }

    /// Takes a visit to the start page into account.
    pub(super) fn take_start(&mut self, url: PageUrl, visit: Visit) -> CrawledPage {
        self.begin(visit.final_url.as_ref().unwrap_or(&url));
        let links_count = self.options.max_depth != Some(0) && self.max_pages > 1;
        self.wants_sitemaps = links_count && self.options.sitemap != SitemapUse::Skip;
        self.record(url, 0, visit)
    }

    /// Takes a visit to what [`Self::next`] gave into account.
    pub(super) fn take(&mut self, next: Waiting, visit: Visit) -> CrawledPage {
        self.frontier.finish();
        self.record(next.url, next.depth, visit)
    }

    fn begin(&mut self, start_page: &PageUrl) {
        let scope = SiteScope::of(start_page);
        self.scope = Some(scope.with_subdomains(self.options.include_subdomains));
        self.start_page = Some(start_page.clone());
    }

    fn record(&mut self, url: PageUrl, depth: u32, visit: Visit) -> CrawledPage {
        self.visit(&url, visit.final_url.as_ref());
        let at = visit.final_url.clone().unwrap_or_else(|| url.clone());
        let mut page = CrawledPage {
            url: url.to_string(),
            final_url: visit.final_url.as_ref().map(PageUrl::to_string),
            state: PageState::Failed,
            depth,
            http_status: visit.http_status,
            body_bytes: visit.body_bytes,
            duration: visit.duration,
            first_byte: visit.first_byte,
            etag: visit.etag,
            last_modified: visit.last_modified,
            failure: None,
            body_hash: None,
            discovered: Discovered::default(),
            not_fetched: NotFetched::default(),
            facts: None,
            content: None,
        };
        match visit.outcome {
            Outcome::Fetched(extracted) => {
                let duplicate = self.duplicate_of(&at, &extracted.facts, visit.body_hash);
                // The links of an equal body are those of the page that had it first.
                if !matches!(duplicate, Some(Duplicate::Body)) {
                    let mut not_fetched = NotFetched::default();
                    for refused in extracted.refused {
                        self.decided.count(refused, &mut not_fetched);
                    }
                    page.discovered = self.follow(extracted.links, depth, &mut not_fetched);
                    page.not_fetched = not_fetched;
                }
                match duplicate {
                    None => {
                        page.state = PageState::Fetched;
                        page.body_hash = visit.body_hash;
                        self.have(
                            &url,
                            visit.final_url.as_ref(),
                            &extracted.facts,
                            visit.body_hash,
                        );
                        page.facts = Some(extracted.facts);
                        page.content = extracted.content;
                    }
                    Some(duplicate) => {
                        page.state = PageState::Skipped;
                        page.failure = Some(duplicate.failure(&at));
                    }
                }
            }
            Outcome::Skipped(failure) => {
                page.state = PageState::Skipped;
                page.failure = Some(failure);
            }
            Outcome::Failed { failure, .. } => page.failure = Some(failure),
        }
        if page.state == PageState::Skipped
            && let Some(failure) = &page.failure
        {
            page.not_fetched.count(Reason::of_skipped(failure.code));
        }
        self.count(page.state, page.body_bytes, &page.not_fetched);
        page
    }

    /// How many URLs of sitemaps can still be of use.
    pub(super) fn sitemap_room(&self) -> usize {
        self.frontier.room(Origin::Sitemap)
    }

    /// The topic for which a URL of a sitemap comes first, and gets in without room.
    pub(super) fn first_for(&self, url: &PageUrl) -> Option<Topic> {
        self.frontier.first_for(url, None)
    }

    /// Whether a URL of a sitemap would be new.
    pub(super) fn is_new(&self, url: &PageUrl) -> bool {
        !self.frontier.is_known(url)
    }

    /// What names a URL within this crawl.
    pub(super) fn key(&self, url: &PageUrl) -> u64 {
        self.frontier.key(url)
    }

    /// Records with a page as much of what sitemaps named as it can take; where some of them are
    /// still unread, more is to come.
    pub(super) fn share(&mut self, page: &mut CrawledPage, found: Found<'_>, is_unread: bool) {
        let Found {
            urls,
            files,
            mut not_fetched,
        } = found;
        let mut share = SitemapShare {
            files: files.saturating_sub(self.sitemaps.map_or(0, |counts| counts.files)),
            more: is_unread,
            ..SitemapShare::default()
        };
        let mut bytes = page.discovered.link_bytes();
        while let Some(url) = urls.pop_front() {
            let text = url.as_str().to_owned();
            let length = listed_bytes(&text);
            if bytes + length > DISCOVERED_MAX_BYTES {
                urls.push_front(url);
                share.more = true;
                break;
            }
            let offer = self
                .frontier
                .offer(url, SITEMAP_DEPTH, Origin::Sitemap, None);
            match offer {
                Offer::Admitted | Offer::First(_) => {
                    bytes += length;
                    share.urls.push(text);
                }
                Offer::Known => {}
                Offer::Refused(reason) => {
                    self.decided
                        .count(Refused::new(reason, &text.as_str()), &mut not_fetched);
                }
            }
        }
        self.not_fetched.add_all(&not_fetched);
        page.not_fetched.add_all(&not_fetched);
        self.take_share(&share);
        page.discovered.sitemap = Some(share);
    }

    fn take_share(&mut self, share: &SitemapShare) {
        self.wants_sitemaps = share.more;
        let counts = self.sitemaps.get_or_insert_default();
        counts.files = counts.files.saturating_add(share.files);
        let urls = u32::try_from(share.urls.len()).unwrap_or(u32::MAX);
        counts.urls = counts.urls.saturating_add(urls);
    }

    /// Takes a page into account that an earlier attempt recorded; in their order, before the
    /// first step.
    pub(super) fn replay(&mut self, page: &RecordedPage) {
        let Ok(url) = PageUrl::parse(&page.url) else {
            return;
        };
        let final_url = page
            .final_url
            .as_ref()
            .and_then(|url| PageUrl::parse(url).ok());
        if self.scope.is_none() {
            self.begin(final_url.as_ref().unwrap_or(&url));
        } else if self.frontier.next().is_some_and(|next| next.url == url) {
            self.frontier.finish();
        }
        self.visit(&url, final_url.as_ref());
        let Discovered {
            links,
            topics,
            sitemap,
            waits: _,
        } = &page.discovered;
        let depth = page.depth.saturating_add(1);
        for (place, url) in links.iter().enumerate() {
            self.restore(url, depth, Origin::Link, topics.get(&place).copied());
        }
        if let (PageState::Fetched, Some(facts)) = (page.state, &page.facts) {
            self.have(&url, final_url.as_ref(), facts, page.body_hash);
        }
        if let Some(share) = sitemap {
            for url in &share.urls {
                self.restore(url, SITEMAP_DEPTH, Origin::Sitemap, None);
            }
            self.take_share(share);
        }
        self.count(page.state, page.body_bytes, &page.not_fetched);
        self.fetching = self.fetching.saturating_add(page.duration);
    }

    fn restore(&mut self, url: &str, depth: u32, origin: Origin, named: Option<Topic>) {
        if let Ok(url) = PageUrl::parse(url) {
            self.frontier.restore(url, depth, origin, named);
        }
    }

    fn visit(&mut self, url: &PageUrl, final_url: Option<&PageUrl>) {
        self.frontier.mark_visited(url);
        if let Some(target) = final_url {
            self.frontier.mark_visited(target);
        }
    }

    /// Remembers a page whose content is kept.
    fn have(
        &mut self,
        url: &PageUrl,
        final_url: Option<&PageUrl>,
        facts: &PageFacts,
        body_hash: Option<BodyHash>,
    ) {
        self.profile.add(final_url.unwrap_or(url).as_str(), facts);
        self.bodies.extend(body_hash);
        let canonical = self.canonical(final_url.unwrap_or(url), facts);
        if let Some(canonical) = &canonical {
            self.frontier.mark_visited(canonical);
        }
        let names = [Some(url), final_url, canonical.as_ref()];
        let names = names.into_iter().flatten();
        let names: Vec<_> = names.map(|url| self.frontier.key(url)).collect();
        self.contents.extend(&names);
        if self.start_names.is_empty() {
            self.start_names = names;
        }
    }

    fn duplicate_of(
        &self,
        at: &PageUrl,
        facts: &PageFacts,
        body_hash: Option<BodyHash>,
    ) -> Option<Duplicate> {
        if body_hash.is_some_and(|hash| self.bodies.contains(&hash)) {
            return Some(Duplicate::Body);
        }
        let canonical = self.canonical(at, facts)?;
        self.contents
            .contains(&self.frontier.key(&canonical))
            .then_some(Duplicate::Canonical(canonical))
    }

    /// The URL of the site that a page calls its own, unless that is where it was found.
    ///
    /// That a page other than the start page is the start page is the mistake of a template; where
    /// it is true, the bodies say so.
    fn canonical(&self, at: &PageUrl, facts: &PageFacts) -> Option<PageUrl> {
        let canonical = PageUrl::parse(facts.canonical_url.as_deref()?).ok()?;
        let is_same = |url: &PageUrl| self.frontier.key(url) == self.frontier.key(&canonical);
        let is_in_scope = self
            .scope
            .as_ref()
            .is_some_and(|scope| scope.contains(&canonical));
        let is_start_page = self.start_names.contains(&self.frontier.key(&canonical));
        let has_same_path = canonical.as_url().path() == at.as_url().path();
        let is_meant = is_in_scope && !is_same(at) && (!is_start_page || has_same_path);
        is_meant.then_some(canonical)
    }

    fn count(&mut self, state: PageState, body_bytes: u64, not_fetched: &NotFetched) {
        let count = match state {
            PageState::Fetched => &mut self.pages.fetched,
            PageState::Skipped => &mut self.pages.skipped,
            PageState::Failed | PageState::Queued => &mut self.pages.failed,
        };
        *count = count.saturating_add(1);
        self.body_bytes = self.body_bytes.saturating_add(body_bytes);
        self.not_fetched.add_all(not_fetched);
    }

    /// What all pages so far say of the site.
    pub(super) fn profile(&self) -> crate::profile::Profile {
        self.profile.build()
    }

    /// How the crawl went, if it ends now.
    pub(super) fn summary(
        &self,
        stop_reason: StopReason,
        crawl_delay: Option<CrawlDelay>,
    ) -> CrawlSummary {
        let mut not_fetched = self.not_fetched.clone();
        let (collapsed, waiting) = self.frontier.collapsed_and_waiting();
        not_fetched.add(Reason::Duplicate, collapsed);
        not_fetched.add(Reason::Budget, waiting);
        CrawlSummary {
            stop_reason,
            pages: self.pages,
            body_bytes: self.body_bytes,
            not_fetched,
            sitemaps: self.sitemaps,
            crawl_delay,
        }
    }
}

#[cfg(test)]
mod tests;
