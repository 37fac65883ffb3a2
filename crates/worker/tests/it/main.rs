//! The worker against real databases and a real site farm, and its core against a task in memory.

mod core;
mod crawl;
mod house;
mod lease;
