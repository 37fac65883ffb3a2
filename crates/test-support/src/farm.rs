//! Any number of web sites behind one port of 127.0.0.1, told apart by the `Host` header.
//!
//! A [`SiteFarm`] speaks HTTP/1.1 over real sockets, serves generated or prescribed answers, and
//! keeps a ledger of every request, so that a test can compare what the crawler claims with what
//! was really fetched. It must not know the crawler: it answers as servers do, the bad ones too.

mod connection;
mod facts;
mod gate;
mod ledger;
mod page;
mod reply;
mod site;
mod stalled;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

pub use connection::TlsHello;
pub use facts::{SiteFacts, WordPress};
pub use gate::{Gate, HeldRequest};
pub use ledger::{Hit, Peaks};
pub use reply::Reply;
pub use site::Site;
pub use stalled::StalledListener;

use gate::Gates;
use ledger::Ledger;

/// A running farm. Dropping it closes the port and every connection.
#[derive(Debug)]
pub struct SiteFarm {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: AbortHandle,
}

/// What the connections share with the farm.
#[derive(Debug, Default)]
struct Shared {
    sites: Mutex<HashMap<String, Arc<Site>>>,
    tls_hello: Mutex<TlsHello>,
    ledger: Ledger,
    gates: Gates,
}

impl SiteFarm {
    /// Starts an empty farm on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("bind the site farm")?;
        let address = listener.local_addr().context("find the farm's port")?;
        let shared = Arc::new(Shared::default());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self {
            shared,
            address,
            accepting,
        })
    }

    /// Where the farm listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port that all sites share.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// A site's name with the farm's port, as a client would submit it.
    pub fn domain(&self, host: &str) -> String {
        format!("{host}:{}", self.port())
    }

    /// Serves `site` under `host`, in place of what was served there before.
    pub fn add_site(&self, host: &str, site: Site) {
        self.sites()
            .insert(host.to_ascii_lowercase(), Arc::new(site));
    }

    /// Serves `count` ordinary sites of `pages` pages each, every third a WordPress site, and
    /// returns their hosts: `site-001.test`, `site-002.test` …
    pub fn add_numbered_sites(&self, count: usize, pages: usize) -> Vec<String> {
        (1..=count)
            .map(|number| {
                let host = format!("site-{number:03}.test");
                let site = Site::new(pages);
                self.add_site(
                    &host,
                    if number % 3 == 0 {
                        site.with_wordpress()
                    } else {
                        site
                    },
                );
                host
            })
            .collect()
    }

    /// What a crawler ought to find on a generated site; `None` if there is no such site.
    pub fn facts(&self, host: &str) -> Option<SiteFacts> {
        let site = self.shared.site(host)?;
        Some(SiteFacts::of(host, &site))
    }

    /// Chooses how a TLS client is treated from now on; [`TlsHello::BadRequest`] until then.
    pub fn on_tls_hello(&self, treatment: TlsHello) {
        *lock(&self.shared.tls_hello) = treatment;
    }

    /// How many clients tried to speak TLS.
    pub fn tls_hellos(&self) -> usize {
        self.shared.ledger.tls_hellos()
    }

    /// Holds back every answer from now on until the gate is released.
    ///
    /// The requests that wait are counted as being served, so a test can see how many sites a
    /// crawler works on at once: wait until [`Self::held_hosts`] stops growing at the limit.
    pub fn hold_answers(&self) -> Gate {
        self.hold_answers_when(|_request| true)
    }

    /// Holds back the answers to the requests that `is_held` picks until the gate is released.
    pub fn hold_answers_when(
        &self,
        is_held: impl Fn(&HeldRequest) -> bool + Send + Sync + 'static,
    ) -> Gate {
        self.shared.gates.close(is_held)
    }

    /// The hosts that have a request waiting at a gate now.
    pub fn held_hosts(&self) -> BTreeSet<String> {
        self.shared.gates.held_hosts()
    }

    /// Every request for `host` so far, in order of arrival. Unknown hosts are recorded as well.
    pub fn hits(&self, host: &str) -> Vec<Hit> {
        self.shared.ledger.hits(host)
    }

    /// How many requests for pages of `host` there were: not robots.txt, icons and other files.
    pub fn page_hits(&self, host: &str) -> usize {
        self.hits(host).iter().filter(|hit| hit.is_page()).count()
    }

    /// [`Self::page_hits`] of all hosts that were asked for anything.
    pub fn page_hits_by_host(&self) -> BTreeMap<String, usize> {
        self.shared.ledger.page_hits_by_host()
    }

    /// Pages that were asked for more than once, as host, path and count.
    pub fn duplicate_pages(&self) -> Vec<(String, String, usize)> {
        self.shared.ledger.duplicate_pages()
    }

    /// The most that went on at once.
    pub fn peaks(&self) -> Peaks {
        self.shared.ledger.peaks()
    }

    /// Empties the ledger: hits, peaks and the count of TLS clients. Requests that are being
    /// served now are forgotten too.
    pub fn forget_hits(&self) {
        self.shared.ledger.clear();
    }

    fn sites(&self) -> MutexGuard<'_, HashMap<String, Arc<Site>>> {
        lock(&self.shared.sites)
    }
}

impl Drop for SiteFarm {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn site(&self, host: &str) -> Option<Arc<Site>> {
        lock(&self.sites).get(host).cloned()
    }
}

/// Owns the connections, so that they end with the farm.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        // An error concerns one connection (reset before it was accepted) or passes.
        if let Ok((stream, _peer)) = listener.accept().await {
            connections.spawn(connection::serve(stream, Arc::clone(&shared)));
        }
        while connections.try_join_next().is_some() {}
    }
}

/// The farm's locks guard plain data that is whole between any two statements, so a test thread
/// that panicked with one does not spoil it for the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
