//! robots.txt by RFC 9309: which group is ours, which URLs it closes, how long it asks to wait.
//!
//! Parsed here rather than by a crate, because what a hostile file can do matters. Of the two
//! parsers looked at in November 2026, `robotstxt` 0.3 matches in time that grows with the third
//! power of the input and counts characters where it slices bytes, and `texting_robots` 0.2
//! gives up a whole file for one rule that it cannot compile. This one is linear in the file, and
//! a match takes one search per wildcard.

mod rules;

pub(crate) use rules::{RobotsRules, product_token};

/// Most bytes of robots.txt that are read (RFC 9309, 2.5, asks for at least 500 KiB).
pub(crate) const ROBOTS_MAX_BYTES: usize = 500 * 1024;

/// Most redirects followed to a robots.txt (RFC 9309, 2.3.1.2).
pub(crate) const ROBOTS_MAX_REDIRECTS: usize = 5;
