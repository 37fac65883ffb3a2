//! How fetches are made: identity, limits, and where they may go.
//!
//! Each value that has a usual choice has a constant; there is no `Default`, so that whoever
//! starts a crawler has decided on every one of them.

use std::time::Duration;

use crate::network::{AddressPolicy, StaticNames};

/// The identity that servers see unless the operator states another.
///
/// Its contact is a placeholder of a reserved name (RFC 2606), so that no stranger is written to in
/// our place: who runs the crawler states an address of their own.
pub const DEFAULT_USER_AGENT: &str = concat!(
    "Trawl/",
    env!("CARGO_PKG_VERSION"),
    " (+https://trawl.example/bot)"
);

/// Least time between two fetches from one host. Chosen: four pages a second load no server.
pub const DEFAULT_POLITENESS_DELAY: Duration = Duration::from_millis(250);

/// Limit of one connection attempt, TLS handshake included. Chosen, not measured: three round
/// trips to the far side of the world and one lost packet fit, and a port that hangs costs
/// little before the other scheme is tried.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Limit of one request to the head of its answer, connecting included. Chosen: pages are made
/// within it even by shops without a cache, and one that is not holds its slot half as long as a
/// page that arrives slowly.
pub const DEFAULT_FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(10);

/// Limit of one request from its sending to the last byte of the answer; each redirect is a
/// request of its own. Chosen: slow sites answer within it, and hanging ones do not hold a worker.
pub const DEFAULT_FETCH_TIMEOUT: Duration = Duration::from_secs(20);

/// Most bytes of a body after decompression. Chosen: HTML pages above it are not written by hand.
pub const DEFAULT_MAX_BODY_BYTES: usize = 5 * 1024 * 1024;

/// What a crawler has to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchSettings {
    /// The `User-Agent` header; its product name is what robots.txt rules are matched against.
    pub user_agent: String,
    /// Least time from the end of one fetch to the start of the next from the same host.
    pub politeness_delay: Duration,
    /// Limit of one connection attempt: TCP and TLS handshakes together.
    pub connect_timeout: Duration,
    /// Limit of one request from its sending to the head of the answer, connecting included.
    pub first_byte_timeout: Duration,
    /// Limit of one request from its sending to the last byte of the answer.
    pub fetch_timeout: Duration,
    /// Most bytes of a body, counted after decompression.
    pub max_body_bytes: usize,
    /// Where connections may go.
    pub addresses: AddressPolicy,
    /// Names that are not asked of the resolver.
    pub static_names: StaticNames,
}
