//! A private PostgreSQL, and for tests a private `PgBouncer`, run from installed binaries.
//!
//! The crate guarantees that a data directory is served by at most one server, however many Trawl
//! processes use it and however they end: the last one out stops the server, and one that crashed
//! leaves a server that the next start finds and reuses.
//! It never listens beyond 127.0.0.1, never runs a server as root, and never puts a password on a
//! command line.
//!
//! Read on in [`LocalPostgres`] for the life cycle and in `layout` for what lies where.

mod account;
mod apt;
mod binaries;
mod client;
mod cluster;
mod error;
mod launch;
mod layout;
mod locks;
mod output;
mod pgbouncer;
mod port;
mod postmaster;
mod server;
mod stay;
mod wait;

pub use client::ServerAddress;
pub use error::LocalPostgresError;
pub use pgbouncer::{PgBouncer, PgBouncerOptions};
pub use server::{Durability, LocalPostgres, PostgresOptions, Stopped};
