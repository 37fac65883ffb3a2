//! A proxy between a client and PostgreSQL or its pooler that reads what they say.
//!
//! [`WireProxy`] judges every message by what a transaction-mode pooler can serve, holds
//! `ReadyForQuery` back so that a client that does not wait for it is caught, and breaks
//! connections at chosen points of chosen requests. It never changes what passes, except by a
//! fault that was asked for, and speaks no TLS. Start at `conversation` for the rules and at
//! `connection` for the order in which things happen; `codec` and `message` know the protocol
//! only and can carry other proxies.

pub(crate) mod codec;
mod connection;
mod conversation;
mod faults;
pub(crate) mod message;
mod recorder;
mod report;
mod request;
pub(crate) mod sql;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::{AbortHandle, JoinSet};
use url::Url;

pub use faults::{ArmedFault, Effect, Fault, Moment};
pub use message::{ServerError, TransactionStatus};
pub use report::{Event, LogEntry, REQUEST_LIMIT_BYTES, Rule, Violation, WireReport};
pub use request::RequestKind;

use connection::Holds;
use faults::FaultPlan;
use recorder::Recorder;

/// The port of PostgreSQL where a URL names none.
const DEFAULT_PORT: u16 = 5432;

/// A running proxy on a free port of 127.0.0.1. Dropping it closes all its connections.
#[derive(Debug)]
pub struct WireProxy {
    shared: Arc<Shared>,
    url: Url,
    accepting: AbortHandle,
}

/// What the connections share with the proxy.
#[derive(Debug)]
struct Shared {
    upstream: (String, u16),
    recorder: Arc<Recorder>,
    faults: FaultPlan,
    holds: Mutex<Holds>,
    orders: broadcast::Sender<Order>,
}

/// What all connections are told to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    CutAll,
    CutIdle,
    SilenceAll,
}

impl WireProxy {
    /// Starts a proxy before the server that `upstream` names; it holds nothing back yet.
    ///
    /// # Errors
    ///
    /// When `upstream` is not a URL with a host, or no port can be had.
    pub async fn start(upstream: &str) -> Result<Self> {
        let mut url = Url::parse(upstream).context("parse the upstream URL")?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.context("the upstream URL has no host")?.to_owned();
        let port = url.port().unwrap_or(DEFAULT_PORT);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("bind the wire proxy")?;
        let address = listener.local_addr().context("find the proxy's port")?;
        point_to(&mut url, address)?;
        let shared = Arc::new(Shared {
            upstream: (host, port),
            recorder: Arc::default(),
            faults: FaultPlan::default(),
            holds: Mutex::default(),
            orders: broadcast::channel(16).0,
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self {
            shared,
            url,
            accepting,
        })
    }

    /// The upstream URL with the proxy's address in it.
    pub fn url(&self) -> String {
        self.url.to_string()
    }

    /// Another URL of the same server, as for another database, with the proxy's address in it.
    ///
    /// # Errors
    ///
    /// When `other` is not a URL with a host.
    pub fn url_for(&self, other: &str) -> Result<String> {
        let mut url = Url::parse(other).context("parse the other URL")?;
        point_to(&mut url, self.address())?;
        Ok(url.into())
    }

    /// Where the proxy listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.url.port().unwrap_or(DEFAULT_PORT)).into()
    }

    /// Holds every `ReadyForQuery` back from now on, the one after an error for another time.
    ///
    /// What comes before it passes at once. A client that takes an error for the end of its
    /// request therefore sends the next one while this one is open, every time.
    pub fn hold_ready_for_query(&self, after_success: Duration, after_error: Duration) {
        *self
            .shared
            .holds
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Holds {
            after_success,
            after_error,
        };
    }

    /// Commits a fault when its moment comes. Of several whose moment is the same, the one that
    /// was armed first is committed.
    pub fn arm(&self, fault: Fault) -> ArmedFault {
        self.shared.faults.arm(fault)
    }

    /// Closes all connections now, silent ones too.
    pub fn cut_all(&self) {
        self.order(Order::CutAll);
    }

    /// Closes all connections that have neither a transaction nor a request open, as poolers and
    /// firewalls do.
    pub fn cut_idle(&self) {
        self.order(Order::CutIdle);
    }

    /// Lets not a byte pass on any of today's connections, and closes none of them, whatever the
    /// client and the server do: what a network that has lost a route looks like.
    pub fn silence_all(&self) {
        self.order(Order::SilenceAll);
    }

    /// What went through so far.
    pub fn report(&self) -> WireReport {
        self.shared.recorder.report()
    }

    /// The latest events, for looking at a failure.
    pub fn log(&self) -> Vec<LogEntry> {
        self.shared.recorder.entries()
    }

    /// Empties report and log: for counting what one operation costs.
    pub fn reset(&self) {
        self.shared.recorder.reset();
    }

    fn order(&self, order: Order) {
        // Without connections there is nobody to take an order.
        let _ = self.shared.orders.send(order);
    }
}

impl Drop for WireProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    async fn connect(&self) -> Result<TcpStream> {
        let (host, port) = &self.upstream;
        let stream = TcpStream::connect((host.as_str(), *port))
            .await
            .with_context(|| format!("connect to {host}:{port}"))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn holds(&self) -> Holds {
        *self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Owns the connections, so that they end with the proxy.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    for number in 1.. {
        // An error concerns one connection or passes.
        if let Ok((stream, _peer)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            connections.spawn(connection::serve(stream, Arc::clone(&shared), number));
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Replaces host and port, wherever the URL has them.
fn point_to(url: &mut Url, address: SocketAddr) -> Result<()> {
    url.set_host(Some(&address.ip().to_string()))
        .context("set the host of the URL")?;
    url.set_port(Some(address.port()))
        .ok()
        .context("a URL without a host has no port to set")?;
    Ok(())
}
