//! Crawls of real servers on the loopback interface, good and bad ones.

mod addresses;
mod bodies;
mod content;
mod harness;
mod limits;
mod pages;
mod redirects;
mod resume;
mod robots;
mod snooze;
mod start;
mod technologies;
