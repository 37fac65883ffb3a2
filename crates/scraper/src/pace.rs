//! The wait between two fetches of one site, from the end of one to the start of the next.

use std::time::Duration;

use tokio::time::Instant;

/// Longest `Crawl-delay` that is honored, as in other crawlers; a site that asks for more is
/// crawled at this pace rather than never finished.
pub(crate) const CRAWL_DELAY_MAX: Duration = Duration::from_secs(30);

/// The pace of one crawl.
#[derive(Debug)]
pub(crate) struct Pace {
    delay: Duration,
    last_end: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(delay: Duration) -> Self {
        Self {
            delay,
            last_end: None,
        }
    }

    /// Slows down to what a robots.txt asks for, never below the configured delay.
    pub(crate) fn respect(&mut self, crawl_delay: Option<Duration>) {
        if let Some(asked) = crawl_delay {
            self.delay = self.delay.max(asked.min(CRAWL_DELAY_MAX));
        }
    }

    /// Waits until the next fetch may start, and gives back its mark.
    ///
    /// # Cancel safety
    ///
    /// A fetch that is abandoned ends when its mark is dropped.
    pub(crate) async fn start(&mut self) -> Fetching<'_> {
        if let Some(last_end) = self.last_end {
            tokio::time::sleep_until(last_end + self.delay).await;
        }
        Fetching {
            pace: self,
            started_at: Instant::now(),
        }
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
        self.pace.last_end = Some(Instant::now());
    }
}
