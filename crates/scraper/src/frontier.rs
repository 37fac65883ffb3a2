//! The URLs of one crawl: which wait, which were visited, which are never asked for.
//!
//! Breadth first, each URL once. Memory is bounded by the page budget, whatever a site links to,
//! and the state is a function of the recorded pages alone, so that a resumed crawl continues
//! exactly as it would have.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

use trawl_domain::url_rules::PageUrl;

use crate::step::RecordedPage;

/// URLs admitted for every page of the budget. Chosen: a site of which nine links in ten are
/// broken, closed or no pages still fills its budget, and no site makes us ask for ever.
const ADMITTED_PER_PAGE: usize = 10;

/// URLs admitted on top of that, so that a small budget does not end at a few broken links.
const ADMITTED_AT_LEAST: usize = 100;

/// Most bytes of URLs waiting. Chosen: 100,000 URLs of usual length; only sites with budgets of
/// thousands of pages and very long URLs come near.
const WAITING_MAX_BYTES: usize = 8 * 1024 * 1024;

/// Most bytes of URLs that one page may add, which bounds what has to be stored with it.
const DISCOVERED_MAX_BYTES: usize = 64 * 1024;

/// A URL waiting for its fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) url: PageUrl,
    pub(crate) depth: u32,
}

/// The URLs of one crawl.
#[derive(Debug)]
pub(crate) struct Frontier {
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// Hashes of the visit keys that were ever admitted. 64 bits of a keyed hash: among a million
    /// URLs, two collide once in forty million crawls, and cost one page.
    known: HashSet<u64>,
    /// Hashes of the visit keys that were asked for or redirected to.
    visited: HashSet<u64>,
    hasher: RandomState,
    admitted: usize,
    admitted_max: usize,
}

impl Frontier {
    pub(crate) fn new(max_pages: u32) -> Self {
        let max_pages = usize::try_from(max_pages).unwrap_or(usize::MAX);
        Self {
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            known: HashSet::new(),
            visited: HashSet::new(),
            hasher: RandomState::new(),
            admitted: 0,
            admitted_max: max_pages
                .saturating_mul(ADMITTED_PER_PAGE)
                .saturating_add(ADMITTED_AT_LEAST),
        }
    }

    /// The frontier after `recorded`, in the order in which those pages were yielded.
    pub(crate) fn rebuild(max_pages: u32, recorded: &[RecordedPage]) -> Self {
        let mut frontier = Self::new(max_pages);
        for page in recorded {
            for url in [Some(&page.url), page.final_url.as_ref()]
                .into_iter()
                .flatten()
            {
                if let Ok(url) = PageUrl::parse(url) {
                    frontier.mark_visited(&url);
                }
            }
        }
        for page in recorded {
            for url in page
                .discovered
                .iter()
                .filter_map(|url| PageUrl::parse(url).ok())
            {
                frontier.admit(url, page.depth.saturating_add(1));
            }
        }
        frontier
    }

    /// Marks a URL as asked for or redirected to. Says whether that is news.
    pub(crate) fn mark_visited(&mut self, url: &PageUrl) -> bool {
        let key = self.key(url);
        self.known.insert(key);
        self.visited.insert(key)
    }

    pub(crate) fn is_visited(&self, url: &PageUrl) -> bool {
        self.visited.contains(&self.key(url))
    }

    /// Lets in the links of a page that are new, and gives those back.
    pub(crate) fn discover(&mut self, links: Vec<PageUrl>, depth: u32) -> Vec<String> {
        let mut discovered = Vec::new();
        let mut discovered_bytes = 0;
        for url in links {
            let length = url.as_str().len();
            if discovered_bytes + length > DISCOVERED_MAX_BYTES || !self.has_room(length) {
                break;
            }
            if self.known.contains(&self.key(&url)) {
                continue;
            }
            discovered_bytes += length;
            discovered.push(url.as_str().to_owned());
            self.admit(url, depth);
        }
        discovered
    }

    /// The next URL, without taking it: it stays until [`Self::finish`], so that an abandoned
    /// step loses nothing.
    pub(crate) fn next(&mut self) -> Option<Waiting> {
        while let Some(next) = self.waiting.front() {
            // A redirect may have led there since it was admitted.
            if self.is_visited(&next.url) {
                self.finish();
            } else {
                return Some(next.clone());
            }
        }
        None
    }

    /// Takes the URL that [`Self::next`] gave.
    pub(crate) fn finish(&mut self) {
        if let Some(done) = self.waiting.pop_front() {
            self.waiting_bytes = self.waiting_bytes.saturating_sub(done.url.as_str().len());
        }
    }

    /// Whether URLs were turned away for want of room, so that its end is not the site's end.
    pub(crate) fn is_cut(&self) -> bool {
        !self.has_room(0)
    }

    fn has_room(&self, length: usize) -> bool {
        self.admitted < self.admitted_max && self.waiting_bytes + length <= WAITING_MAX_BYTES
    }

    /// Counts every URL that was ever admitted, visited ones included, so that the count does
    /// not depend on whether the crawl was interrupted.
    fn admit(&mut self, url: PageUrl, depth: u32) {
        let key = self.key(&url);
        self.admitted += 1;
        self.known.insert(key);
        if !self.visited.contains(&key) {
            self.waiting_bytes += url.as_str().len();
            self.waiting.push_back(Waiting { url, depth });
        }
    }

    fn key(&self, url: &PageUrl) -> u64 {
        self.hasher.hash_one(url.visit_key())
    }
}

#[cfg(test)]
mod tests {
    use trawl_domain::page::PageState;

    use super::*;

    fn page(text: &str) -> PageUrl {
        PageUrl::parse(text).expect(text)
    }

    fn links(range: std::ops::Range<usize>) -> Vec<PageUrl> {
        range.map(|n| page(&format!("http://a.test/{n}"))).collect()
    }

    fn drain(frontier: &mut Frontier) -> Vec<(String, u32)> {
        let mut order = Vec::new();
        while let Some(next) = frontier.next() {
            frontier.mark_visited(&next.url);
            frontier.finish();
            order.push((next.url.to_string(), next.depth));
        }
        order
    }

    #[test]
    fn urls_leave_in_the_order_found_and_each_once() {
        let mut frontier = Frontier::new(10);
        frontier.mark_visited(&page("http://a.test/"));
        let found = vec![
            page("http://a.test/b"),
            page("https://www.a.test/"),
            page("http://a.test/c"),
        ];
        assert_eq!(
            frontier.discover(found, 1),
            ["http://a.test/b", "http://a.test/c"]
        );
        assert_eq!(
            frontier.discover(vec![page("https://a.test/b")], 2),
            Vec::<String>::new()
        );
        let expected = [
            ("http://a.test/b".to_owned(), 1),
            ("http://a.test/c".to_owned(), 1),
        ];
        assert_eq!(drain(&mut frontier), expected);
    }

    #[test]
    fn a_url_that_a_redirect_led_to_is_not_asked_for_again() {
        let mut frontier = Frontier::new(10);
        frontier.discover(links(0..3), 1);
        frontier.mark_visited(&page("http://a.test/1"));
        assert_eq!(drain(&mut frontier).len(), 2);
    }

    #[test]
    fn what_one_page_adds_and_what_a_crawl_admits_is_bounded() {
        let mut frontier = Frontier::new(100_000);
        let long = |n: usize| page(&format!("http://a.test/{n}/{}", "x".repeat(2000)));
        let discovered = frontier.discover((0..100).map(long).collect(), 1);
        assert!(discovered.iter().map(String::len).sum::<usize>() <= DISCOVERED_MAX_BYTES);
        assert!(discovered.len() > 30);

        let mut frontier = Frontier::new(1);
        assert_eq!(frontier.discover(links(0..1000), 1).len(), 110);
        assert!(frontier.is_cut());
        assert!(frontier.discover(links(2000..2001), 1).is_empty());
    }

    #[test]
    fn a_rebuilt_frontier_continues_where_the_first_one_was() {
        let mut first = Frontier::new(10);
        let mut recorded = Vec::new();
        let start = page("http://a.test/");
        first.mark_visited(&start);
        let discovered = first.discover(links(0..5), 1);
        recorded.push(record(&start, None, 0, discovered));
        for n in 0..2 {
            let next = first.next().expect("waiting");
            first.mark_visited(&next.url);
            let target = page("http://a.test/4");
            first.mark_visited(&target);
            let discovered = first.discover(links(3 + n * 3..8 + n * 3), next.depth + 1);
            first.finish();
            recorded.push(record(&next.url, Some(&target), next.depth, discovered));
        }
        let mut second = Frontier::rebuild(10, &recorded);
        assert_eq!(second.admitted, first.admitted);
        assert_eq!(
            second.waiting_bytes,
            first
                .waiting
                .iter()
                .filter(|w| !first.is_visited(&w.url))
                .map(|w| w.url.as_str().len())
                .sum::<usize>()
        );
        assert_eq!(drain(&mut second), drain(&mut first));
    }

    fn record(
        url: &PageUrl,
        to: Option<&PageUrl>,
        depth: u32,
        discovered: Vec<String>,
    ) -> RecordedPage {
        RecordedPage {
            url: url.to_string(),
            final_url: to.map(PageUrl::to_string),
            state: PageState::Fetched,
            depth,
            discovered,
            facts: None,
        }
    }
}
