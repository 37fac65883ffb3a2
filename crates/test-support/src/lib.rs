//! What the integration tests of every crate stand on: databases of their own, a farm of web
//! sites, a proxy that reads the PostgreSQL protocol, and the `trawl` binary as a child process.
//!
//! Nothing here is a mock: the database is PostgreSQL, the sites speak HTTP over a socket and the
//! proxy forwards real bytes. Nothing here skips: what a test needs and cannot have is a failure.
//! No production crate may depend on this one, and it depends on none of them.

pub mod database;
pub mod dice;
pub mod farm;
pub mod hostile;
pub mod process;
pub mod wait;
pub mod wire;

pub use database::{Route, TestDatabase};
pub use farm::{Site, SiteFarm};
pub use hostile::{HostilePooler, Hostility};
pub use process::{TrawlCommand, TrawlProcess};
pub use wait::{wait_for, wait_until};
pub use wire::WireProxy;
