//! The worker against real databases and a real site farm, and its core against a task in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod control;
mod core;
mod crawl;
mod hostile;
mod hosts;
mod house;
mod lease;
mod snooze;
