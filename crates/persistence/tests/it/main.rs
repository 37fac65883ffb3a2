//! Tests of persistence against a real PostgreSQL, each run directly and through a transaction-mode
//! pooler that has two backends for all its clients.
//!
//! The servers come from the environment, see [`trawl_test_support::database`]; `cargo xtask test`
//! provides them.

#[macro_use]
mod database;

mod cancellation;
mod claim;
mod control;
mod controls;
mod crowd;
mod faults;
mod fixtures;
mod hostile;
mod hosts;
mod leaked_defaults;
mod leases;
mod migrations;
mod path_of_a_batch;
mod plans;
mod probe;
mod record;
mod retries;
mod schema;
mod scope;
mod scope_limits;
mod sendable;
mod snapshot;
mod snooze;
mod submission;
mod tls;
mod transitions;
mod wire;
mod words;
