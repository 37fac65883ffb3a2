//! The HTTP API and the commands of the binary `trawl`.
//!
//! A thin layer: requests are checked here ([`routes`]), every question about batches and jobs is
//! answered by `trawl-persistence`, and all work is done by `trawl-worker`. Nothing here holds SQL,
//! fetches pages or decides a state. [`commands`] puts the parts together, [`config`] tells how.

#![deny(clippy::disallowed_methods)]

pub mod commands;
pub mod config;

mod database;
mod doctor;
mod error;
mod http;
mod probe;
mod problem;
mod request;
mod request_id;
mod routes;
mod service;
mod shutdown;
mod telemetry;
mod timestamp;

pub use telemetry::init as init_log;
