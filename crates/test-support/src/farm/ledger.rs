//! Who asked for what and when: the farm's own account, to hold against the crawler's.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::Instant;

use super::lock;

/// Paths that crawlers and browsers ask for beside pages.
const AUXILIARY_PATHS: [&str; 5] = [
    "/robots.txt",
    "/favicon.ico",
    "/logo.svg",
    "/style.css",
    "/sitemap.xml",
];

/// One request.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Path with query, as sent.
    pub path: String,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// The status, once the whole answer was sent; `None` while it is not, and for ever if the
    /// client left or the reply has no status.
    pub status: Option<u16>,
    /// When the head of the request was complete.
    pub started: Instant,
    /// Just before the last bytes of the answer were sent, or when the exchange broke off.
    pub ended: Option<Instant>,
}

impl Hit {
    /// Whether a page was asked for, not robots.txt, an icon or a style sheet.
    pub fn is_page(&self) -> bool {
        !AUXILIARY_PATHS.contains(&self.path.as_str())
    }
}

/// The most that went on at once since the ledger was last emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peaks {
    /// Distinct hosts with a request being served.
    pub hosts_in_flight: usize,
    /// Requests to the busiest host being served.
    pub requests_to_one_host: usize,
    /// Distinct hosts between their first and last request: what a crawler has under way if it
    /// crawls each site once. Never less than `hosts_in_flight`.
    pub hosts_under_way: usize,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    /// Raised when the ledger is emptied, so that older requests no longer write to it.
    epoch: usize,
    hosts: HashMap<String, Host>,
    hosts_in_flight: usize,
    peak_hosts_in_flight: usize,
    peak_requests_to_one_host: usize,
    tls_hellos: usize,
}

#[derive(Debug, Default)]
struct Host {
    hits: Vec<Hit>,
    in_flight: usize,
}

impl Ledger {
    pub(super) fn hits(&self, host: &str) -> Vec<Hit> {
        let entries = lock(&self.entries);
        entries
            .hosts
            .get(host)
            .map(|host| host.hits.clone())
            .unwrap_or_default()
    }

    pub(super) fn page_hits_by_host(&self) -> BTreeMap<String, usize> {
        lock(&self.entries)
            .hosts
            .iter()
            .map(|(name, host)| {
                (
                    name.clone(),
                    host.hits.iter().filter(|hit| hit.is_page()).count(),
                )
            })
            .collect()
    }

    pub(super) fn duplicate_pages(&self) -> Vec<(String, String, usize)> {
        let entries = lock(&self.entries);
        let mut counts = BTreeMap::<_, usize>::new();
        for (name, host) in &entries.hosts {
            for hit in host.hits.iter().filter(|hit| hit.is_page()) {
                *counts.entry((name, &hit.path)).or_default() += 1;
            }
        }
        counts
            .into_iter()
            .filter(|(_page, count)| *count > 1)
            .map(|((name, path), count)| (name.clone(), path.clone(), count))
            .collect()
    }

    pub(super) fn peaks(&self) -> Peaks {
        let entries = lock(&self.entries);
        Peaks {
            hosts_in_flight: entries.peak_hosts_in_flight,
            requests_to_one_host: entries.peak_requests_to_one_host,
            hosts_under_way: most_under_way(entries.hosts.values()),
        }
    }

    pub(super) fn tls_hellos(&self) -> usize {
        lock(&self.entries).tls_hellos
    }

    pub(super) fn count_tls_hello(&self) {
        lock(&self.entries).tls_hellos += 1;
    }

    pub(super) fn clear(&self) {
        let mut entries = lock(&self.entries);
        *entries = Entries {
            epoch: entries.epoch + 1,
            ..Entries::default()
        };
    }

    /// Enters a request; what is returned enters its end.
    pub(super) fn begin(&self, host: &str, path: &str, user_agent: Option<String>) -> OpenHit<'_> {
        let mut entries = lock(&self.entries);
        let of_host = entries.hosts.entry(host.to_owned()).or_default();
        let index = of_host.hits.len();
        of_host.hits.push(Hit {
            path: path.to_owned(),
            user_agent,
            status: None,
            started: Instant::now(),
            ended: None,
        });
        of_host.in_flight += 1;
        let to_this_host = of_host.in_flight;
        if to_this_host == 1 {
            entries.hosts_in_flight += 1;
        }
        entries.peak_hosts_in_flight = entries.peak_hosts_in_flight.max(entries.hosts_in_flight);
        entries.peak_requests_to_one_host = entries.peak_requests_to_one_host.max(to_this_host);
        OpenHit {
            ledger: self,
            epoch: entries.epoch,
            host: host.to_owned(),
            index,
        }
    }
}

/// A request being served. Ends when dropped, whatever the reason.
#[derive(Debug)]
pub(super) struct OpenHit<'a> {
    ledger: &'a Ledger,
    epoch: usize,
    host: String,
    index: usize,
}

impl OpenHit<'_> {
    /// Enters the end of an exchange whose answer is about to be complete.
    ///
    /// To be called before the last bytes are sent: afterwards the client may be quicker with its
    /// next request than the farm with its ledger, and two sites would seem to overlap.
    pub(super) fn end_with(self, status: u16) {
        let mut entries = lock(&self.ledger.entries);
        if let Some(hit) = self.hit(&mut entries) {
            hit.status = Some(status);
        }
    }

    fn hit<'e>(&self, entries: &'e mut Entries) -> Option<&'e mut Hit> {
        if entries.epoch != self.epoch {
            return None;
        }
        entries.hosts.get_mut(&self.host)?.hits.get_mut(self.index)
    }
}

impl Drop for OpenHit<'_> {
    fn drop(&mut self) {
        let mut entries = lock(&self.ledger.entries);
        let Some(hit) = self.hit(&mut entries) else {
            return;
        };
        hit.ended = Some(Instant::now());
        if let Some(host) = entries.hosts.get_mut(&self.host) {
            host.in_flight -= 1;
            if host.in_flight == 0 {
                entries.hosts_in_flight -= 1;
            }
        }
    }
}

/// The greatest number of hosts whose spans from first to last request share a moment.
fn most_under_way<'a>(hosts: impl Iterator<Item = &'a Host>) -> usize {
    let mut edges = Vec::new();
    for host in hosts {
        let first = host.hits.iter().map(|hit| hit.started).min();
        let is_open = host.hits.iter().any(|hit| hit.ended.is_none());
        let last = host.hits.iter().filter_map(|hit| hit.ended).max();
        edges.extend(first.map(|at| (at, 1_isize)));
        if !is_open {
            edges.extend(last.map(|at| (at, -1)));
        }
    }
    // At the same instant an end counts before a beginning: they do not overlap.
    edges.sort_unstable();
    let mut under_way = 0;
    let mut peak = 0;
    for (_at, change) in edges {
        under_way += change;
        peak = peak.max(under_way);
    }
    peak.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_count_hosts_once_and_requests_each() {
        let ledger = Ledger::default();
        let one = ledger.begin("a.test", "/", None);
        let two = ledger.begin("a.test", "/page-1", None);
        let other = ledger.begin("b.test", "/", None);
        one.end_with(200);
        two.end_with(200);
        drop(other);
        ledger.begin("c.test", "/", None).end_with(200);
        assert_eq!(
            ledger.peaks(),
            Peaks {
                hosts_in_flight: 2,
                requests_to_one_host: 2,
                hosts_under_way: 2
            }
        );
        assert_eq!(ledger.hits("b.test")[0].status, None);
        assert!(ledger.hits("b.test")[0].ended.is_some());
    }

    #[test]
    fn a_host_between_two_requests_is_under_way_but_not_in_flight() {
        let ledger = Ledger::default();
        ledger.begin("a.test", "/", None).end_with(200);
        ledger.begin("b.test", "/", None).end_with(200);
        ledger.begin("a.test", "/page-1", None).end_with(200);
        assert_eq!(
            ledger.peaks(),
            Peaks {
                hosts_in_flight: 1,
                requests_to_one_host: 1,
                hosts_under_way: 2
            }
        );
    }

    #[test]
    fn requests_from_before_the_ledger_was_emptied_leave_no_trace() {
        let ledger = Ledger::default();
        let old = ledger.begin("a.test", "/", None);
        ledger.clear();
        let new = ledger.begin("a.test", "/", None);
        old.end_with(200);
        assert!(ledger.hits("a.test")[0].ended.is_none());
        new.end_with(200);
        ledger.begin("a.test", "/", None).end_with(200);
        assert_eq!(
            ledger.duplicate_pages(),
            [("a.test".to_owned(), "/".to_owned(), 2)]
        );
        assert_eq!(ledger.peaks().requests_to_one_host, 1);
    }
}
