//! Crawls one site at a time: robots.txt, politeness, frontier, fetches and extraction.
//!
//! A [`Crawler`](crawler::Crawler) is shared by all crawls of a process; each crawl is pulled
//! step by step, so whoever drives it decides when the next fetch happens, and dropping it
//! cancels it. No storage and no scheduling between sites: those belong to the worker.

pub mod facts;
pub mod profile;
pub mod step;
