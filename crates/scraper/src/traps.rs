//! URLs that a site can make without end: paths that grow, queries that combine, calendars.
//!
//! What can be seen on one URL is judged by [`sign_of_a_trap`]; what takes several is counted by
//! [`Counters`], whose state follows from the admitted URLs alone.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use trawl_domain::url_rules::PageUrl;

use crate::not_fetched::Reason;

/// Longest URL that is asked for, in bytes. Chosen: half of what is parsed at all; long names of
/// articles in percent-encoded scripts stay below it.
const URL_MAX_BYTES: usize = 1024;

/// Most segments of a path. Chosen: trees of shops and manuals have up to ten levels; Heritrix
/// stops at 20.
const SEGMENTS_MAX: usize = 14;

/// How often one segment may be part of a path. Heritrix's default is twice in a row; dates such as
/// `/2020/01/01` repeat one twice.
const REPEATS_MAX: usize = 2;

/// Queries of one path that wait like any other URL; the next ones wait behind all those.
const QUERIES_FIRST: u32 = 12;

/// Most queries of one path, or half the page budget where that is more: sites that serve every
/// page from one path by its number have to be crawled as well.
const QUERIES_MAX: u32 = 100;

/// Most pages of one calendar. Chosen: a year back and a year ahead.
const CALENDAR_PAGES_MAX: u32 = 24;

/// What calendars are called, or their parameters, in part.
const CALENDAR_WORDS: &[&str] = &[
    "agenda", "cal", "date", "datum", "day", "event", "fecha", "kalend", "mois", "monat", "month",
    "tag", "termin", "time", "week", "year",
];

/// Most hosts of one site, where subdomains belong to it. Chosen: beyond it, names are made up as
/// they are asked for; the rules of as many robots.txt files fit the memory.
const HOSTS_MAX: usize = 24;

/// What is suspicious about the URL alone.
pub(crate) fn sign_of_a_trap(url: &PageUrl) -> Option<Reason> {
    if url.as_str().len() > URL_MAX_BYTES {
        return Some(Reason::TrapLength);
    }
    let segments: Vec<&str> = segments(url).collect();
    if segments.len() > SEGMENTS_MAX {
        return Some(Reason::TrapDepth);
    }
    let repeats = |segment: &&&str| segments.iter().filter(|other| *other == *segment).count();
    if segments
        .iter()
        .any(|segment| repeats(&segment) > REPEATS_MAX)
    {
        return Some(Reason::TrapRepeat);
    }
    None
}

fn segments(url: &PageUrl) -> impl Iterator<Item = &str> {
    url.as_url()
        .path()
        .split('/')
        .filter(|segment| !segment.is_empty())
}

/// Counts what only many URLs show.
#[derive(Debug)]
pub(crate) struct Counters {
    queries_max: u32,
    /// Queries of each path, by its hash.
    queries: HashMap<u64, u32>,
    /// Pages of each calendar, by the hash of its shape.
    calendars: HashMap<u64, u32>,
    hosts: HashSet<u64>,
}

impl Counters {
    pub(crate) fn new(max_pages: u32) -> Self {
        Self {
            queries_max: QUERIES_MAX.max(max_pages / 2),
            queries: HashMap::new(),
            calendars: HashMap::new(),
            hosts: HashSet::new(),
        }
    }

    /// Whether one URL more of its kind is too many.
    pub(crate) fn judge(&self, url: &PageUrl) -> Option<Reason> {
        if self.hosts.len() >= HOSTS_MAX && !self.hosts.contains(&host(url)) {
            return Some(Reason::TrapHosts);
        }
        let reached = |counts: &HashMap<u64, u32>, key: Option<u64>, max: u32| {
            key.and_then(|key| counts.get(&key))
                .is_some_and(|count| *count >= max)
        };
        if reached(&self.calendars, calendar(url), CALENDAR_PAGES_MAX) {
            return Some(Reason::TrapCalendar);
        }
        if reached(&self.queries, path_with_query(url), self.queries_max) {
            return Some(Reason::TrapQueries);
        }
        None
    }

    /// Counts an admitted URL. Says whether it is one of so many that it has to wait for others.
    pub(crate) fn count(&mut self, url: &PageUrl) -> bool {
        self.hosts.insert(host(url));
        if let Some(key) = calendar(url) {
            *self.calendars.entry(key).or_default() += 1;
        }
        path_with_query(url).is_some_and(|key| {
            let count = self.queries.entry(key).or_default();
            *count += 1;
            *count > QUERIES_FIRST
        })
    }
}

fn host(url: &PageUrl) -> u64 {
    hash(&url.as_url().host_str())
}

fn path_with_query(url: &PageUrl) -> Option<u64> {
    url.as_url().query()?;
    Some(hash(&(url.as_url().host_str(), url.as_url().path())))
}

/// The shape of a URL that names a day, a month or a moment and nothing else by numbers: its text
/// without the digits, by which all pages of one calendar are alike.
fn calendar(url: &PageUrl) -> Option<u64> {
    let path = url.as_url().path();
    let query = url.as_url().query().unwrap_or_default();
    let mut shape = String::with_capacity(path.len() + query.len() + 1);
    let (mut has_year, mut has_part, mut has_moment) = (false, false, false);
    let (mut digits, mut value) = (0_usize, 0_u64);
    // One character more, so that a number at the end is ended too.
    for c in path.chars().chain(['?']).chain(query.chars()).chain(['/']) {
        if let Some(digit) = c.to_digit(10) {
            digits += 1;
            value = value.saturating_mul(10).saturating_add(u64::from(digit));
            continue;
        }
        match (digits, value) {
            (0, _) => {}
            (4, 1900..=2999) => has_year = true,
            (1 | 2, _) => has_part = true,
            // A year and a month; a day; seconds or milliseconds since 1970.
            (6, 190_001..=299_912)
            | (8, 19_000_101..=29_991_231)
            | (10, 1_000_000_000..)
            | (13, 1_000_000_000_000..) => has_moment = true,
            // The number of an article.
            _ => return None,
        }
        if digits > 0 {
            shape.push('#');
        }
        (digits, value) = (0, 0);
        shape.push(c.to_ascii_lowercase());
    }
    // One number alone may name anything.
    let is_date = has_year && has_part
        || has_moment && CALENDAR_WORDS.iter().any(|word| shape.contains(word));
    is_date.then(|| hash(&(url.as_url().host_str(), shape)))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(path: &str) -> PageUrl {
        PageUrl::parse(&format!("http://a.test{path}")).expect(path)
    }

    /// How many of the URLs are let in before the first is turned down, and why it is.
    fn admitted(max_pages: u32, urls: impl Iterator<Item = PageUrl>) -> (u32, Option<Reason>) {
        let mut counters = Counters::new(max_pages);
        let mut count = 0;
        for url in urls {
            if let Some(reason) = counters.judge(&url) {
                return (count, Some(reason));
            }
            counters.count(&url);
            count += 1;
        }
        (count, None)
    }

    #[test]
    fn a_growing_path_is_known_by_itself() {
        for (path, sign) in [
            ("/a/b/c/d/e/f/g/h/i/j".to_owned(), None),
            ("/2020/01/01/a/a".to_owned(), None),
            ("/a/a/a".to_owned(), Some(Reason::TrapRepeat)),
            ("/en/x/en/x/en".to_owned(), Some(Reason::TrapRepeat)),
            (
                (0..15).map(|n| format!("/{n}")).collect(),
                Some(Reason::TrapDepth),
            ),
            (format!("/{}", "x".repeat(1100)), Some(Reason::TrapLength)),
        ] {
            assert_eq!(sign_of_a_trap(&page(&path)), sign, "{path}");
        }
    }

    #[test]
    fn queries_of_one_path_end_and_pages_by_number_do_not_end_early() {
        let urls = || (0..5000).map(|n| page(&format!("/list?f={n}&g=x")));
        assert_eq!(admitted(50, urls()), (100, Some(Reason::TrapQueries)));
        assert_eq!(admitted(8000, urls()), (4000, Some(Reason::TrapQueries)));
        let paths = (0..5000).map(|n| page(&format!("/list/x{n}")));
        assert_eq!(admitted(50, paths), (5000, None));
    }

    #[test]
    fn the_later_queries_of_a_path_wait() {
        let mut counters = Counters::new(50);
        let waits: Vec<bool> = (0..20)
            .map(|n| counters.count(&page(&format!("/l?p={n}"))))
            .collect();
        assert_eq!(waits.iter().filter(|waits| **waits).count(), 8);
        assert!(!waits[11] && waits[12]);
        assert!(!counters.count(&page("/l")));
    }

    #[test]
    fn calendars_end_in_every_spelling_and_articles_do_not() {
        let months = |spell: fn(u32, u32) -> String| {
            (0..600).map(move |n| page(&spell(2000 + n / 12, n % 12 + 1)))
        };
        let calendars: [fn(u32, u32) -> String; 6] = [
            |year, month| format!("/calendar/{year}/{month}"),
            |year, month| format!("/events/{year}-{month:02}/"),
            |year, month| format!("/cal?month={year}{month:02}"),
            |year, month| format!("/cal?m={month}&y={year}"),
            |year, month| format!("/cal?day={year}{month:02}01"),
            |year, month| format!("/cal?t={}", 1_000_000_000 + year * 40_000 + month * 99),
        ];
        for spell in calendars {
            let found = admitted(10_000, months(spell));
            assert_eq!(
                found,
                (24, Some(Reason::TrapCalendar)),
                "{}",
                spell(2020, 1)
            );
        }
        let articles: [fn(u32, u32) -> String; 3] = [
            |year, month| format!("/{year}/{month}/post-{}", "x".repeat((year % 50) as usize)),
            |year, month| format!("/{year}/{month}/{}", 10_000 + year * 12 + month),
            |year, month| format!("/p/{}", 10_000 + year * 12 + month),
        ];
        for spell in articles.into_iter().skip(1) {
            assert_eq!(
                admitted(10_000, months(spell)),
                (600, None),
                "{}",
                spell(2020, 1)
            );
        }
        let (count, _) = admitted(10_000, months(articles[0]));
        assert!(count >= 600, "{count}");
    }

    #[test]
    fn hosts_that_are_made_up_end() {
        let urls = (0..500).map(|n| PageUrl::parse(&format!("http://h{n}.a.test/")).expect("url"));
        assert_eq!(admitted(100, urls), (24, Some(Reason::TrapHosts)));
    }
}
