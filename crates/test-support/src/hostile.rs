//! A transaction-mode pooler that is as hostile as one may be.
//!
//! [`HostilePooler`] stands between a client and PostgreSQL and multiplexes requests over a few
//! backends of its own, as Supavisor and `PgBouncer` do, but gives every transaction another backend
//! and does to it whatever a [`Hostility`] allows: everything that was seen of real poolers
//! (`docs/transaction-pooling.md`) and everything that the protocol does not forbid. A client that
//! survives it relies on nothing that a pooler need not give. It never alters a row: what a client
//! reads of its own request is the server's own answer. `wire` is the honest proxy, for judging a
//! client's requests one by one.

mod backend;
mod backends;
mod hostility;
mod report;
mod request;
mod session;

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use url::Url;

pub use hostility::{Deed, Hostility};
pub use report::HostileReport;

use backend::Upstream;
use backends::Backends;

/// Backends of a database at most. Few, so that transactions wait for each other and meet each other's traces.
pub const BACKENDS: usize = 4;

/// A running pooler on a free port of 127.0.0.1. Dropping it closes all its connections.
#[derive(Debug)]
pub struct HostilePooler {
    shared: Arc<Shared>,
    url: Url,
    accepting: AbortHandle,
}

/// What the sessions share.
#[derive(Debug)]
struct Shared {
    upstream: Upstream,
    /// The backends of each database that has clients.
    databases: Mutex<HashMap<String, Weak<Backends>>>,
    hostility: Mutex<Arc<Hostility>>,
    report: Mutex<HostileReport>,
}

impl HostilePooler {
    /// Starts a pooler before all databases of the PostgreSQL server that `upstream` names, with a
    /// user and a password that authenticate it there. Its own clients need not prove anything.
    ///
    /// # Errors
    ///
    /// When `upstream` is not a URL with a host, or no port can be had.
    pub async fn start(upstream: &str, hostility: Hostility) -> Result<Self> {
        let mut url = Url::parse(upstream).context("parse the upstream URL")?;
        let upstream = Upstream::parse(&url)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("bind the hostile pooler")?;
        let address = listener.local_addr().context("find the pooler's port")?;
        url.set_host(Some(&address.ip().to_string()))
            .context("set the host of the URL")?;
        url.set_port(Some(address.port()))
            .ok()
            .context("a URL without a host has no port to set")?;
        let shared = Arc::new(Shared {
            upstream,
            databases: Mutex::default(),
            hostility: Mutex::new(Arc::new(hostility)),
            report: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self {
            shared,
            url,
            accepting,
        })
    }

    /// The upstream URL with the pooler's address in it.
    pub fn url(&self) -> String {
        self.url.to_string()
    }

    /// Is as hostile as told from now on, in sessions that are open as well.
    pub fn set_hostility(&self, hostility: Hostility) {
        *lock(&self.shared.hostility) = Arc::new(hostility);
    }

    /// What it did so far.
    pub fn report(&self) -> HostileReport {
        lock(&self.shared.report).clone()
    }
}

impl Drop for HostilePooler {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    /// The backends of a database. They are closed when its last client has gone, so that it can be
    /// dropped.
    fn backends(&self, database: &str) -> Arc<Backends> {
        let mut databases = lock(&self.databases);
        databases.retain(|_name, backends| backends.strong_count() > 0);
        if let Some(backends) = databases.get(database).and_then(Weak::upgrade) {
            return backends;
        }
        let backends = Arc::new(Backends::new(
            self.upstream.with_database(database),
            BACKENDS,
        ));
        databases.insert(database.to_owned(), Arc::downgrade(&backends));
        backends
    }

    fn hostility(&self) -> Arc<Hostility> {
        Arc::clone(&lock(&self.hostility))
    }

    fn report(&self) -> MutexGuard<'_, HostileReport> {
        lock(&self.report)
    }

    fn committed(&self, deed: Deed) {
        *self.report().deeds.entry(deed).or_default() += 1;
    }
}

/// Owns the sessions, so that they end with the pooler.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    for number in 1.. {
        // An error concerns one connection or passes.
        if let Ok((stream, _peer)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            shared.report().sessions += 1;
            sessions.spawn(session::serve(stream, Arc::clone(&shared), number));
        }
        while sessions.try_join_next().is_some() {}
    }
}

/// The pooler's locks guard plain data that is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
