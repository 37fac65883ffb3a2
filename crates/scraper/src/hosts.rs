//! Whom a crawl may ask: the way to whoever keeps two crawls from asking one host at once.
//!
//! The host that a crawl was ordered for is its own from the beginning. Every other one, which
//! redirects, subdomains, sitemaps and robots.txt lead to, is taken before its first request.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::future::BoxFuture;

/// Gives hosts to one crawl, as [`SiteAddress::host_key`] writes them.
///
/// [`SiteAddress::host_key`]: trawl_domain::site::SiteAddress::host_key
pub trait Hosts: Debug + Send + Sync {
    /// Takes a host until it is released, or until the crawl is over. What the crawl has may be taken
    /// again.
    fn take<'a>(&'a self, host_key: &'a str) -> BoxFuture<'a, Take>;

    /// Lets a host go before the crawl is over.
    fn release<'a>(&'a self, host_key: &'a str) -> BoxFuture<'a, ()>;
}

/// What came of an attempt to take a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// The crawl may ask it.
    Taken,
    /// Not now.
    Busy {
        /// For how long the crawl had better leave it alone.
        wait: Duration,
    },
}

/// The hosts of a crawl beside which no other runs: all are free.
#[derive(Debug, Clone, Copy)]
pub struct AllFree;

impl Hosts for AllFree {
    fn take<'a>(&'a self, _host_key: &'a str) -> BoxFuture<'a, Take> {
        Box::pin(async { Take::Taken })
    }

    fn release<'a>(&'a self, _host_key: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }
}
