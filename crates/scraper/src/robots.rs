//! robots.txt by RFC 9309: which group is ours, which URLs it closes, how long it asks to wait.
//!
//! Parsed here rather than by a crate, because what a hostile file can do matters. Tried in November
//! 2026: `robotstxt` 0.3 panics at a long line of non-ASCII letters, and one rule of 3 KB full of
//! wildcards kept it busy for ten minutes; `texting_robots` 0.2 compiles a regular expression for
//! every rule. This parser is linear in the file, and a match takes one search per wildcard.

mod cache;
mod rules;

pub(crate) use cache::{Known, RobotsCache};
pub(crate) use rules::{RobotsRules, product_token};

/// Most bytes of robots.txt that are read (RFC 9309, 2.5, asks for at least 500 KiB).
pub(crate) const ROBOTS_MAX_BYTES: usize = 500 * 1024;

/// Most redirects followed to a robots.txt (RFC 9309, 2.3.1.2).
pub(crate) const ROBOTS_MAX_REDIRECTS: usize = 5;
