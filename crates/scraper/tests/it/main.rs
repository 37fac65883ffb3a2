//! Crawls of real servers on the loopback interface, good and bad ones.

mod addresses;
mod bodies;
mod budgets;
mod content;
mod frontier;
mod harness;
mod hosts;
mod limits;
mod pages;
mod redirects;
mod resume;
mod robots;
mod scope;
mod sitemaps;
mod snooze;
mod start;
mod technologies;
