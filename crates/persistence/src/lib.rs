//! The only way from Trawl to PostgreSQL, made for a transaction-mode pooler.
//!
//! [`scope::SessionScope`] is the one way to run SQL; it offers only what such a pooler can serve.
//! Every other module holds the statements of one subject, one function a statement.
//! Nothing here crawls, schedules or speaks HTTP. See `docs/transaction-pooling.md`.

#![deny(clippy::disallowed_methods)]

pub mod audit;
pub mod batches;
pub mod class;
pub mod control;
pub mod error;
pub mod health;
pub mod hosts;
pub mod jobs;
pub mod migrate;
pub mod pages;
pub mod pool;
pub mod probe;
pub mod queue;
pub mod retention;
pub mod scope;
pub mod tls;
pub mod workers;

mod endpoint;
mod refusal;
mod row;
mod slices;
mod text;
