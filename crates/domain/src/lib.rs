//! The rules of Trawl, pure: no clock, no randomness, no I/O, nothing async.
//!
//! Whatever needs the time or a random draw takes it as a parameter, so every rule can be
//! checked exhaustively. Storage, HTTP and SQL live in other crates and never here.

pub mod backoff;
pub mod batch;
pub mod crawl_options;
pub mod failure;
pub mod fetch_settings;
pub mod job;
pub mod lease;
pub mod limits;
pub mod network;
pub mod option_values;
pub mod page;
pub mod path_globs;
pub mod site;
pub mod transition;
pub mod url_rules;
