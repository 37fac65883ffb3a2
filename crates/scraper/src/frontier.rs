//! The URLs of one crawl: which wait, in which order, which were visited, which never get in.
//!
//! What says who is behind a site comes first, then breadth first what its pages link to, then what
//! only sitemaps name, then the many queries of one path. Each URL once. Memory is bounded by the
//! page budget, whatever a site links to, and the state is a function of what was visited and
//! admitted, in that order, so that a resumed crawl continues exactly as it would have.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use trawl_domain::url_rules::PageUrl;

use crate::not_fetched::Reason;
use crate::priority::{Topic, topic_of};
use crate::traps::Counters;

/// URLs admitted for every page of the budget. Chosen: a site of which nine links in ten are
/// broken, closed or no pages still fills its budget, and no site makes us ask for ever.
const ADMITTED_PER_PAGE: usize = 10;

/// URLs admitted on top of that, so that a small budget does not end at a few broken links.
const ADMITTED_AT_LEAST: usize = 100;

/// Of three URLs admitted, how many sitemaps may name. Chosen: what later pages link to goes before
/// them and needs room, and a crawl of sitemaps alone still has six for each page.
const SITEMAPS_OF_THREE: usize = 2;

/// Most bytes of URLs waiting. Chosen: 100,000 URLs of usual length; only sites with budgets of
/// thousands of pages and very long URLs come near.
pub(crate) const WAITING_MAX_BYTES: usize = 8 * 1024 * 1024;

/// Pages of one topic that come first; the next ones wait like any other. Chosen: a few languages
/// fit, and a directory of contacts does not use up the budget. They are admitted without room too:
/// links to them stand at the end of pages, behind all others.
pub(crate) const FIRST_PER_TOPIC: u32 = 4;

/// A URL waiting for its fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) url: PageUrl,
    pub(crate) depth: u32,
}

/// What named a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Link,
    Sitemap,
}

/// What became of a URL that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    /// It waits for its turn.
    Admitted,
    /// It waits before all that says nothing of who is behind the site.
    First(Topic),
    /// It waits already, or was visited.
    Known,
    Refused(Reason),
}

/// What is kept of a URL that waits. Not its parsed form, of which there would be tens of thousands.
#[derive(Debug)]
struct Kept {
    key: u64,
    url: Box<str>,
}

/// Where a URL waits: the least goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rank: Rank,
    depth: u32,
    arrival: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Topic(Topic),
    Linked,
    /// No page links to it, as far as is known.
    InSitemap,
    /// One of many queries of one path.
    Query,
}

/// The URLs of one crawl.
#[derive(Debug)]
pub(crate) struct Frontier {
    waiting: BTreeMap<Place, Kept>,
    waiting_bytes: usize,
    arrivals: u64,
    /// Where each waits, by the hash of its visit key; what a link says may move it forward. 64 bits
    /// of a keyed hash: among a million URLs, two collide once in forty million crawls, and cost one
    /// page.
    places: HashMap<u64, Place>,
    /// Hashes of the visit keys that were asked for or redirected to.
    visited: HashSet<u64>,
    hasher: RandomState,
    ignores_query: bool,
    admitted: usize,
    admitted_max: usize,
    admitted_of_sitemaps: usize,
    topics: [u32; Topic::COUNT],
    counters: Counters,
    collapsed: u32,
}

impl Frontier {
    pub(crate) fn new(max_pages: u32, ignores_query: bool) -> Self {
        let pages = usize::try_from(max_pages).unwrap_or(usize::MAX);
        Self {
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            arrivals: 0,
            places: HashMap::new(),
            visited: HashSet::new(),
            hasher: RandomState::new(),
            ignores_query,
            admitted: 0,
            admitted_max: pages
                .saturating_mul(ADMITTED_PER_PAGE)
                .saturating_add(ADMITTED_AT_LEAST),
            admitted_of_sitemaps: 0,
            topics: [0; Topic::COUNT],
            counters: Counters::new(max_pages),
            collapsed: 0,
        }
    }

    /// Marks a URL as asked for, redirected to, or called canonical by a page that was fetched.
    pub(crate) fn mark_visited(&mut self, url: &PageUrl) {
        self.visited.insert(self.key(url));
    }

    pub(crate) fn is_visited(&self, url: &PageUrl) -> bool {
        self.visited.contains(&self.key(url))
    }

    pub(crate) fn is_known(&self, url: &PageUrl) -> bool {
        let key = self.key(url);
        self.visited.contains(&key) || self.places.contains_key(&key)
    }

    /// How many URLs more of an origin may be admitted, beside those that come first.
    pub(crate) fn room(&self, origin: Origin) -> usize {
        let room = self.admitted_max.saturating_sub(self.admitted);
        match origin {
            Origin::Link => room,
            Origin::Sitemap => {
                let of_sitemaps = (self.admitted_max / 3).saturating_mul(SITEMAPS_OF_THREE);
                room.min(of_sitemaps.saturating_sub(self.admitted_of_sitemaps))
            }
        }
    }

    /// The topic for which a URL that a link calls `named` comes before all that says nothing of
    /// who is behind the site.
    pub(crate) fn first_for(&self, url: &PageUrl, named: Option<Topic>) -> Option<Topic> {
        let topic = topic_of(url).or(named)?;
        let count = self.topics.get(topic.index())?;
        (*count < FIRST_PER_TOPIC).then_some(topic)
    }

    /// Lets a URL in if it is new, no trap, and there is room. A link may call it `named`.
    pub(crate) fn offer(
        &mut self,
        url: PageUrl,
        depth: u32,
        origin: Origin,
        named: Option<Topic>,
    ) -> Offer {
        if self.is_known(&url) {
            return self.meet_again(url, depth, origin, named);
        }
        if let Some(reason) = self.counters.judge(&url) {
            return Offer::Refused(reason);
        }
        let length = url.as_str().len();
        let is_full =
            self.room(origin) == 0 || self.waiting_bytes.saturating_add(length) > WAITING_MAX_BYTES;
        if is_full && self.first_for(&url, named).is_none() {
            return Offer::Refused(Reason::Budget);
        }
        self.admit(url, depth, origin, named)
    }

    /// Lets a URL in that was let in before, by the crawl that this one resumes.
    pub(crate) fn restore(
        &mut self,
        url: PageUrl,
        depth: u32,
        origin: Origin,
        named: Option<Topic>,
    ) {
        if self.is_known(&url) {
            self.meet_again(url, depth, origin, named);
        } else {
            self.admit(url, depth, origin, named);
        }
    }

    /// A link to what only a sitemap had named is as good as the first news of it, and so is one
    /// that is the first to call a page what comes first.
    fn meet_again(
        &mut self,
        url: PageUrl,
        depth: u32,
        origin: Origin,
        named: Option<Topic>,
    ) -> Offer {
        let key = self.key(&url);
        if origin == Origin::Sitemap || self.visited.contains(&key) {
            return Offer::Known;
        }
        let Some(place) = self.places.get(&key).copied() else {
            return Offer::Known;
        };
        let rank = match (place.rank, self.first_for(&url, named)) {
            (Rank::Linked | Rank::InSitemap | Rank::Query, Some(topic)) => Rank::Topic(topic),
            (Rank::InSitemap, None) => Rank::Linked,
            (Rank::Topic(_), _) | (Rank::Linked | Rank::Query, None) => return Offer::Known,
        };
        let depth = match place.rank {
            Rank::InSitemap => depth,
            Rank::Topic(_) | Rank::Linked | Rank::Query => depth.min(place.depth),
        };
        // The same page may be named by another URL, which is not of the same length.
        self.remove(place);
        self.insert(url, depth, rank)
    }

    fn admit(&mut self, url: PageUrl, depth: u32, origin: Origin, named: Option<Topic>) -> Offer {
        self.admitted += 1;
        self.admitted_of_sitemaps += usize::from(origin == Origin::Sitemap);
        let is_late = self.counters.count(&url);
        let rank = match self.first_for(&url, named) {
            Some(topic) => Rank::Topic(topic),
            None if is_late => Rank::Query,
            None if origin == Origin::Sitemap => Rank::InSitemap,
            None => Rank::Linked,
        };
        self.insert(url, depth, rank)
    }

    fn insert(&mut self, url: PageUrl, depth: u32, rank: Rank) -> Offer {
        let offer = match rank {
            Rank::Topic(topic) => {
                if let Some(count) = self.topics.get_mut(topic.index()) {
                    *count += 1;
                }
                Offer::First(topic)
            }
            Rank::Linked | Rank::InSitemap | Rank::Query => Offer::Admitted,
        };
        let place = Place {
            rank,
            depth,
            arrival: self.arrivals,
        };
        self.arrivals += 1;
        self.waiting_bytes += url.as_str().len();
        let key = self.key(&url);
        self.places.insert(key, place);
        let url = url.as_str().into();
        self.waiting.insert(place, Kept { key, url });
        offer
    }

    fn remove(&mut self, place: Place) {
        if let Some(Kept { key, url }) = self.waiting.remove(&place) {
            self.waiting_bytes = self.waiting_bytes.saturating_sub(url.len());
            self.places.remove(&key);
        }
    }

    /// The next URL, without taking it: it stays until [`Self::finish`], so that an abandoned
    /// step loses nothing.
    pub(crate) fn next(&mut self) -> Option<Waiting> {
        loop {
            let (place, next) = self.waiting.first_key_value()?;
            // Another page may have led there, or stood for it, since it was admitted.
            if !self.visited.contains(&next.key)
                && let Ok(url) = PageUrl::parse(&next.url)
            {
                let depth = place.depth;
                return Some(Waiting { url, depth });
            }
            self.collapsed = self.collapsed.saturating_add(1);
            self.finish();
        }
    }

    /// Whether what [`Self::next`] gives comes before all that says nothing of who is behind the site.
    pub(crate) fn next_comes_first(&mut self) -> bool {
        let is_there = self.next().is_some();
        let place = self.waiting.first_key_value().map(|(place, _)| place.rank);
        is_there && matches!(place, Some(Rank::Topic(_)))
    }

    /// Takes the URL that [`Self::next`] gave, which has been visited or is about to be marked so.
    pub(crate) fn finish(&mut self) {
        if let Some(place) = self.waiting.first_key_value().map(|(place, _)| *place) {
            self.remove(place);
        }
    }

    /// How many URLs turned out, before their turn, to be pages that were visited already, and how
    /// many still wait.
    pub(crate) fn collapsed_and_waiting(&self) -> (u32, u32) {
        let (visited, waiting): (Vec<_>, Vec<_>) = self
            .waiting
            .values()
            .partition(|waiting| self.visited.contains(&waiting.key));
        let count = |urls: usize| u32::try_from(urls).unwrap_or(u32::MAX);
        (
            self.collapsed.saturating_add(count(visited.len())),
            count(waiting.len()),
        )
    }

    /// What names a URL within this crawl.
    pub(crate) fn key(&self, url: &PageUrl) -> u64 {
        let key = url.visit_key();
        let key = match key.split_once('?') {
            Some((path, _)) if self.ignores_query => path,
            _ => key.as_str(),
        };
        self.hasher.hash_one(key)
    }
}

#[cfg(test)]
mod tests;
