//! From a host to the addresses that may be connected to.
//!
//! The one place where names become addresses: what it returns has passed the address policy,
//! and the HTTP client connects to exactly that, so a name cannot change its meaning in between.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dns_lookup::LookupErrorKind;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use tokio::time::Instant;
use trawl_domain::network::{AddressPolicy, StaticNames};
use url::Host;

/// Limit of one look-up. Chosen: resolvers ask each name server for 5 s and twice.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer is reused. Chosen: the pages of a site share one look-up, and a site that
/// moves is followed within a minute.
const CACHE_TTL: Duration = Duration::from_secs(60);

/// Most names remembered. Chosen: many times the sites that one process crawls at once.
const CACHE_MAX_NAMES: usize = 4096;

/// Most addresses tried for one host. Chosen: real sites have fewer, and a connection attempt
/// divides its limit among them.
const ADDRESSES_MAX: usize = 8;

/// Why a host has no address to connect to.
#[derive(Debug, Clone, Error)]
pub(crate) enum ResolveError {
    /// The name does not exist, or has no address.
    #[error("{host} does not exist")]
    NotFound { host: String },
    /// The look-up failed.
    #[error("{host} could not be looked up")]
    Lookup { host: String },
    /// The look-up took longer than [`LOOKUP_TIMEOUT`].
    #[error("looking up {host} took longer than {} s", LOOKUP_TIMEOUT.as_secs())]
    Timeout { host: String },
    /// All addresses are refused by the policy.
    #[error("{host} has the address {address}, which is not public")]
    Blocked { host: String, address: IpAddr },
}

/// Looks names up and vets their addresses; shared by all fetches of a process.
#[derive(Debug)]
pub(crate) struct Names {
    policy: AddressPolicy,
    static_names: StaticNames,
    cache: Mutex<HashMap<String, Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    addresses: Arc<[IpAddr]>,
    expires_at: Instant,
}

impl Names {
    pub(crate) fn new(policy: AddressPolicy, static_names: StaticNames) -> Self {
        Self {
            policy,
            static_names,
            cache: Mutex::default(),
        }
    }

    /// The permitted addresses of a host, at least one.
    ///
    /// A literal address is vetted like any other: the HTTP client resolves none of those itself.
    pub(crate) async fn resolve(&self, host: Host<&str>) -> Result<Arc<[IpAddr]>, ResolveError> {
        match host {
            Host::Domain(name) => self.resolve_name(name).await,
            Host::Ipv4(address) => self.vet(&address.to_string(), vec![address.into()]),
            Host::Ipv6(address) => self.vet(&address.to_string(), vec![address.into()]),
        }
    }

    async fn resolve_name(&self, name: &str) -> Result<Arc<[IpAddr]>, ResolveError> {
        if let Some(addresses) = self.static_names.lookup(name) {
            return self.vet(name, addresses);
        }
        let now = Instant::now();
        if let Some(known) = self.cached(name, now) {
            return Ok(known);
        }
        let addresses = self.vet(name, look_up(name).await?)?;
        self.remember(name, Arc::clone(&addresses), now);
        Ok(addresses)
    }

    fn vet(&self, host: &str, addresses: Vec<IpAddr>) -> Result<Arc<[IpAddr]>, ResolveError> {
        let permitted: Arc<[IpAddr]> = addresses
            .iter()
            .copied()
            .filter(|address| self.policy.permits(*address))
            .take(ADDRESSES_MAX)
            .collect();
        match addresses.first() {
            _ if !permitted.is_empty() => Ok(permitted),
            Some(address) => Err(ResolveError::Blocked {
                host: host.to_owned(),
                address: *address,
            }),
            None => Err(ResolveError::NotFound {
                host: host.to_owned(),
            }),
        }
    }

    fn cached(&self, name: &str, now: Instant) -> Option<Arc<[IpAddr]>> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let known = cache.get(name).filter(|known| known.expires_at > now)?;
        Some(Arc::clone(&known.addresses))
    }

    fn remember(&self, name: &str, addresses: Arc<[IpAddr]>, now: Instant) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHE_MAX_NAMES {
            cache.retain(|_, known| known.expires_at > now);
        }
        if cache.len() >= CACHE_MAX_NAMES {
            cache.clear();
        }
        cache.insert(
            name.to_owned(),
            Known {
                addresses,
                expires_at: now + CACHE_TTL,
            },
        );
    }
}

/// Asks the system's resolver, which alone knows the hosts file, search domains and so on.
async fn look_up(name: &str) -> Result<Vec<IpAddr>, ResolveError> {
    let host = || name.to_owned();
    let query = name.to_owned();
    let task = tokio::task::spawn_blocking(move || dns_lookup::lookup_host(&query));
    match tokio::time::timeout(LOOKUP_TIMEOUT, task).await {
        Err(_elapsed) => Err(ResolveError::Timeout { host: host() }),
        Ok(Err(_cancelled)) => Err(ResolveError::Lookup { host: host() }),
        Ok(Ok(Ok(addresses))) => Ok(addresses.collect()),
        Ok(Ok(Err(error))) => match error.kind() {
            LookupErrorKind::NoName | LookupErrorKind::NoData => {
                Err(ResolveError::NotFound { host: host() })
            }
            _ => Err(ResolveError::Lookup { host: host() }),
        },
    }
}

/// The resolver of the HTTP client.
#[derive(Debug)]
pub(crate) struct VettedResolver(pub(crate) Arc<Names>);

impl Resolve for VettedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let names = Arc::clone(&self.0);
        Box::pin(async move {
            let addresses = names.resolve_name(name.as_str()).await?;
            // Port 0 stands for the port of the URL.
            let sockets: Vec<_> = addresses
                .iter()
                .map(|address| SocketAddr::new(*address, 0))
                .collect();
            Ok(Box::new(sockets.into_iter()) as Addrs)
        })
    }
}
