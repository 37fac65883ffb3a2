//! When a crawl may make its next request: its host has to be the crawl's, and its delay over.
//!
//! Every request of a crawl waits for its turn here, so none goes to a host that is another crawl's.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use trawl_domain::url_rules::GivenUrl;

use crate::hosts::{Hosts, Take};
use crate::pace::{Fetching, Pace};
use crate::step::{Busy, Snooze, Step};

/// Most hosts that a crawl holds beside its own; for another one it lets go the one that it took
/// first. Chosen: a site has 24 at most, and one redirect may lead over five.
const HELD_MAX: usize = 32;

/// Longest wait that is waited out within a step; a longer one is left to whoever drives the crawl.
/// Chosen: a slot that is held for so long costs less than giving the site back and taking it again.
const WAIT_HERE_MAX: Duration = Duration::from_secs(5);

/// Why a crawl does not go on now. Nothing is decided of what it was about to ask for.
#[derive(Debug)]
pub(super) enum Pause {
    /// A host wants to be left alone.
    Snooze(Snooze),
    /// A host is not to be had.
    Busy(Busy),
}

impl Pause {
    /// The wait that a host asks for, where that is waited out within a step.
    pub(super) fn short(&self) -> Option<Duration> {
        match self {
            Self::Snooze(snooze) => Some(snooze.wait).filter(|wait| *wait <= WAIT_HERE_MAX),
            Self::Busy(_) => None,
        }
    }
}

impl From<Pause> for Step {
    fn from(pause: Pause) -> Self {
        match pause {
            Pause::Snooze(snooze) => Self::Snooze(Box::new(snooze)),
            Pause::Busy(busy) => Self::Busy(Box::new(busy)),
        }
    }
}

/// The turns of one crawl.
#[derive(Debug)]
pub(super) struct Turns {
    pub(super) pace: Pace,
    hosts: Arc<dyn Hosts>,
    /// The host that the crawl was ordered for.
    own: String,
    /// Those that were taken, in that order.
    held: VecDeque<String>,
}

impl Turns {
    pub(super) fn new(pace: Pace, own: &str, hosts: Arc<dyn Hosts>) -> Self {
        Self {
            pace,
            hosts,
            own: own.to_owned(),
            held: VecDeque::new(),
        }
    }

    /// Waits for the turn of a request, and gives back its mark.
    ///
    /// # Errors
    ///
    /// [`Pause::Busy`].
    pub(super) async fn start(&mut self, url: &GivenUrl) -> Result<Fetching<'_>, Box<Pause>> {
        let host_key = url.host_key();
        if host_key != self.own && !self.held.iter().any(|held| held == host_key) {
            self.take(host_key).await?;
        }
        Ok(self.pace.start().await)
    }

    async fn take(&mut self, host_key: &str) -> Result<(), Box<Pause>> {
        if self.held.len() >= HELD_MAX
            && let Some(first) = self.held.pop_front()
        {
            self.hosts.release(&first).await;
        }
        match self.hosts.take(host_key).await {
            Take::Taken => {
                self.held.push_back(host_key.to_owned());
                self.pace.begin_host();
                Ok(())
            }
            Take::Busy { wait } => Err(Box::new(Pause::Busy(Busy {
                host_key: host_key.to_owned(),
                wait,
            }))),
        }
    }

    /// Which hosts are held beside the crawl's own, for [`Self::let_go_since`].
    pub(super) fn held(&self) -> Vec<String> {
        self.held.iter().cloned().collect()
    }

    /// Lets the hosts go that were taken since, but for the one of `page`: what was wanted of them is
    /// read, and others may share them.
    pub(super) async fn let_go_since(&mut self, before: &[String], page: &GivenUrl) {
        let (kept, gone) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|host| before.contains(host) || host == page.host_key());
        self.held = kept;
        let gone: VecDeque<String> = gone;
        for host in &gone {
            self.hosts.release(host).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;
    use trawl_domain::url_rules::PageUrl;

    use super::*;

    /// What was taken and not released.
    #[derive(Debug, Default)]
    struct Taken(Mutex<Vec<String>>);

    impl Taken {
        fn now(&self) -> Vec<String> {
            self.0.lock().expect("hosts").clone()
        }
    }

    impl Hosts for Taken {
        fn take<'a>(&'a self, host_key: &'a str) -> BoxFuture<'a, Take> {
            async move {
                self.0.lock().expect("hosts").push(host_key.to_owned());
                Take::Taken
            }
            .boxed()
        }

        fn release<'a>(&'a self, host_key: &'a str) -> BoxFuture<'a, ()> {
            async move {
                self.0
                    .lock()
                    .expect("hosts")
                    .retain(|held| held != host_key)
            }
            .boxed()
        }
    }

    #[tokio::test]
    async fn a_crawl_holds_a_bounded_number_of_hosts_and_asks_none_that_it_let_go() {
        let taken = Arc::new(Taken::default());
        let hosts = Arc::<Taken>::clone(&taken);
        let mut turns = Turns::new(Pace::new(Duration::ZERO), "own.test", hosts);
        let url =
            |number: usize| PageUrl::parse(&format!("https://host-{number}.test/")).expect("a URL");
        for number in (0..100).chain([0]) {
            drop(turns.start(&url(number)).await.expect("all are free"));
            let held = taken.now();
            assert!(held.len() <= HELD_MAX, "{held:?}");
            assert_eq!(
                held.last().map(String::as_str),
                Some(url(number).host_key())
            );
            assert_eq!(held, turns.held());
        }
        let own = PageUrl::parse("https://www.own.test/").expect("a URL");
        drop(turns.start(&own).await.expect("its own"));
        assert!(!taken.now().iter().any(|host| host.contains("own")));
    }
}
