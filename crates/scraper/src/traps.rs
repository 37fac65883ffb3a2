//! URLs that a site can make without end: paths that grow, queries that combine, calendars.
//!
//! What can be seen on one URL is judged by [`sign_of_a_trap`]; what takes several is counted by
//! [`Counters`], whose state follows from the admitted URLs alone.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::RangeInclusive;

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

/// What calendars are called, or their parameters, as whole words.
const CALENDAR_WORDS: &[&str] = &[
    "agenda",
    "akce",
    "cal",
    "calendar",
    "calendario",
    "calendrier",
    "date",
    "datum",
    "day",
    "evenement",
    "evenements",
    "event",
    "eventi",
    "eventos",
    "events",
    "fecha",
    "kalendar",
    "kalendarz",
    "kalender",
    "mois",
    "monat",
    "month",
    "schedule",
    "tag",
    "termin",
    "termine",
    "time",
    "timestamp",
    "veranstaltungen",
    "week",
    "wydarzenia",
    "year",
];

/// The years that calendars lead to. Chosen: before the web nobody kept one, and what begins today
/// and goes on is stopped long before the end.
const CALENDAR_YEARS: RangeInclusive<u64> = 1990..=2099;

/// The seconds since 1970 that are a moment in these years.
const CALENDAR_SECONDS: RangeInclusive<u64> = 631_152_000..=4_102_444_799;

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
    let repeats = |segment: &&str| segments.iter().filter(|other| *other == segment).count();
    segments
        .iter()
        .filter(|segment| !is_small_number(segment))
        .any(|segment| repeats(segment) > REPEATS_MAX)
        .then_some(Reason::TrapRepeat)
}

/// Whether a segment is the value of a choice, as in `/page/1/sort/1/dir/1`, which says nothing by
/// standing there again.
fn is_small_number(segment: &str) -> bool {
    segment.len() <= 2 && segment.bytes().all(|byte| byte.is_ascii_digit())
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
///
/// Archives are filed by date as well, and end: so a path alone has to call itself a calendar.
fn calendar(url: &PageUrl) -> Option<u64> {
    let path = url.as_url().path();
    let query = url.as_url().query().unwrap_or_default();
    let mut shape = String::with_capacity(path.len() + query.len() + 2);
    let mut dates = Dates::default();
    let mut is_in_query = false;
    let (mut digits, mut value) = (0_usize, 0_u64);
    // One character more, so that a number at the end is ended too.
    for c in path.chars().chain(['?']).chain(query.chars()).chain(['/']) {
        if let Some(digit) = c.to_digit(10) {
            digits += 1;
            value = value.saturating_mul(10).saturating_add(u64::from(digit));
            continue;
        }
        if digits > 0 {
            dates.add(digits, value, is_in_query)?;
            shape.push('#');
        }
        (digits, value) = (0, 0);
        is_in_query |= c == '?';
        shape.push(c.to_ascii_lowercase());
    }
    let mut words = shape.split(|c: char| !c.is_ascii_alphabetic());
    let is_calendar = dates.are_there()
        && (dates.are_chosen() || words.any(|word| CALENDAR_WORDS.contains(&word)));
    is_calendar.then(|| hash(&(url.as_url().host_str(), shape)))
}

/// The numbers of a URL, as long as they can all be parts of dates.
#[derive(Default)]
struct Dates {
    has_year: bool,
    has_month: bool,
    has_moment: bool,
    /// A year, or the part of one, stands in the query.
    has_query: bool,
}

impl Dates {
    /// `None` where a number is something else, such as that of an article.
    fn add(&mut self, digits: usize, value: u64, is_in_query: bool) -> Option<()> {
        let is_month = |month: u64| (1..=12).contains(&month);
        let is_day = |day: u64| (1..=31).contains(&day);
        let is_year = |year: u64| CALENDAR_YEARS.contains(&year);
        match digits {
            4 if is_year(value) => self.has_year = true,
            1 | 2 if is_day(value) => self.has_month |= is_month(value),
            6 if is_year(value / 100) && is_month(value % 100) => self.has_moment = true,
            8 if is_year(value / 10_000) && is_month(value / 100 % 100) && is_day(value % 100) => {
                self.has_moment = true;
            }
            10 if CALENDAR_SECONDS.contains(&value) => self.has_moment = true,
            13 if CALENDAR_SECONDS.contains(&(value / 1000)) => self.has_moment = true,
            _ => return None,
        }
        self.has_query |= is_in_query && digits <= 4;
        Some(())
    }

    fn are_there(&self) -> bool {
        self.has_moment || self.has_year && self.has_month
    }

    /// Whether a year and a month are chosen by the query, as nothing but calendars have it.
    fn are_chosen(&self) -> bool {
        self.has_year && self.has_month && self.has_query
    }
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
            ("/shop/page/1/sort/1/dir/1".to_owned(), None),
            ("/100/100/100".to_owned(), Some(Reason::TrapRepeat)),
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
        let calendars: [fn(u32, u32) -> String; 8] = [
            |year, month| format!("/calendar/{year}/{month}"),
            |year, month| format!("/events/{year}-{month:02}/"),
            |year, month| format!("/cal?month={year}{month:02}"),
            |year, month| format!("/cal?m={month}&y={year}"),
            |year, month| format!("/cal?day={year}{month:02}01"),
            |year, month| format!("/list?y={year}&m={month}"),
            |year, month| format!("/{year}?m={month}"),
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
        let articles: [fn(u32, u32) -> String; 12] = [
            |year, month| format!("/{year}/{month}/post-{}", "x".repeat((year % 50) as usize)),
            |year, month| format!("/{year}/{month}/{}", 10_000 + year * 12 + month),
            |year, month| format!("/p/{}", 10_000 + year * 12 + month),
            |year, month| format!("/magazin/heft-{month}-{year}"),
            |year, month| format!("/{year}/{month:02}"),
            |year, month| format!("/local/{}", 234_500 + (year * 12 + month) % 1000),
            |year, month| format!("/medical/item/{}", 20_512_300 + (year * 12 + month) % 1000),
            |year, month| format!("/vintage/{}", 212_000 + (year * 12 + month) % 1000),
            |year, month| format!("/holidays/hotel-{}", 1_000_000_000 + year * 12 + month),
            |year, month| format!("/date/{}", 20_101_300 + (year * 12 + month) % 600),
            |year, month| format!("/thread/{}?page={month}", 2100 + year % 50),
            |year, month| format!("/kategorie/{}/produkt/{month}", 1900 + year % 50),
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
