//! The wait between two fetches of one site, from the end of one to the start of the next.
//!
//! The wait is the longest of what the operator or the client states, what robots.txt asks for, and a
//! multiple of the time that the last fetch took: a site that is slow, perhaps because of us, is asked
//! less often.

use std::time::Duration;

use tokio::time::Instant;

use crate::step::CrawlDelay;

/// Longest `Crawl-delay` that is honored, as in other crawlers; a site that asks for more is
/// crawled at this pace rather than never finished.
const CRAWL_DELAY_MAX: Duration = Duration::from_secs(30);

/// The wait as a multiple of the time that the last fetch took. Chosen: the site is at work for us a
/// third of the time at most (Heritrix waits five times as long, for crawls of weeks).
const FETCH_TIME_FACTOR: u32 = 2;

/// Longest wait for the sake of a slow site, as a multiple of the stated delay, so that who states
/// none, for servers of their own, waits for nothing. Chosen: 10 s at the usual 250 ms.
const SLOW_SITE_FACTOR: u32 = 40;

/// Longest wait for the sake of a slow site, whatever delay is stated.
const SLOW_SITE_MAX: Duration = Duration::from_secs(10);

/// The pace of one crawl.
#[derive(Debug)]
pub(crate) struct Pace {
    stated: Duration,
    crawl_delay: Option<CrawlDelay>,
    last_end: Instant,
    last_took: Duration,
}

impl Pace {
    /// The pace of a crawl that begins now.
    ///
    /// Now counts as the end of a fetch. An earlier crawl of the host, of whatever batch and by
    /// whatever process, has ended before this one was claimed, since no host is asked by two at
    /// once; so the delay holds between the two as well. It costs one delay a crawl, where anything
    /// stored would cost a write a crawl, and it needs no clocks that agree.
    pub(crate) fn new(stated: Duration) -> Self {
        Self {
            stated,
            crawl_delay: None,
            last_end: Instant::now(),
            last_took: Duration::ZERO,
        }
    }

    /// As of the crawl, so of a host that it has had since now.
    pub(crate) fn begin_host(&mut self) {
        self.last_end = Instant::now();
    }

    /// Slows down to what a robots.txt asks for, as far as it is honored.
    pub(crate) fn respect(&mut self, asked: Option<Duration>) {
        let known = self.crawl_delay.map(|delay| delay.asked);
        if let Some(asked) = asked.max(known) {
            self.crawl_delay = Some(CrawlDelay {
                asked,
                honored: asked.min(CRAWL_DELAY_MAX),
            });
        }
    }

    /// The longest delay that a robots.txt of the crawl asked for.
    pub(crate) fn crawl_delay(&self) -> Option<CrawlDelay> {
        self.crawl_delay
    }

    /// Waits until the next fetch may start, and gives back its mark.
    ///
    /// # Cancel safety
    ///
    /// A fetch that is abandoned ends when its mark is dropped.
    pub(crate) async fn start(&mut self) -> Fetching<'_> {
        tokio::time::sleep_until(self.last_end + self.delay()).await;
        Fetching {
            pace: self,
            started_at: Instant::now(),
        }
    }

    fn delay(&self) -> Duration {
        let honored = self.crawl_delay.map(|delay| delay.honored);
        let slow_site_max = (self.stated.saturating_mul(SLOW_SITE_FACTOR)).min(SLOW_SITE_MAX);
        let slow_site = self.last_took.saturating_mul(FETCH_TIME_FACTOR);
        self.stated
            .max(honored.unwrap_or_default())
            .max(slow_site.min(slow_site_max))
    }
}

/// A fetch under way; dropping it is its end.
#[derive(Debug)]
pub(crate) struct Fetching<'a> {
    pace: &'a mut Pace,
    started_at: Instant,
}

impl Fetching<'_> {
    pub(crate) fn elapsed(&self) -> Duration {
        self.started_at.elapsed()
    }
}

impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        self.pace.last_took = self.elapsed();
        self.pace.last_end = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay_ms(stated_ms: u64, took_ms: u64, asked_s: Option<u64>) -> u128 {
        let mut pace = Pace::new(Duration::from_millis(stated_ms));
        pace.last_took = Duration::from_millis(took_ms);
        pace.respect(asked_s.map(Duration::from_secs));
        pace.delay().as_millis()
    }

    #[test]
    fn the_longest_of_what_is_stated_asked_for_and_taken_is_waited() {
        assert_eq!(delay_ms(250, 10, None), 250);
        assert_eq!(delay_ms(250, 400, None), 800);
        assert_eq!(delay_ms(250, 60_000, None), 10_000);
        assert_eq!(delay_ms(100, 60_000, None), 4_000);
        assert_eq!(delay_ms(20_000, 60_000, None), 20_000);
        assert_eq!(delay_ms(0, 60_000, None), 0);
        assert_eq!(delay_ms(250, 400, Some(1)), 1_000);
        assert_eq!(delay_ms(0, 0, Some(3_600)), 30_000);
    }

    #[test]
    fn the_delay_that_was_asked_for_is_told_with_what_is_honored() {
        let mut pace = Pace::new(Duration::ZERO);
        pace.respect(None);
        assert_eq!(pace.crawl_delay(), None);
        pace.respect(Some(Duration::from_secs(120)));
        pace.respect(Some(Duration::from_secs(3)));
        let told = CrawlDelay {
            asked: Duration::from_secs(120),
            honored: Duration::from_secs(30),
        };
        assert_eq!(pace.crawl_delay(), Some(told));
    }
}
