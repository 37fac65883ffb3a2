//! Crawls one site at a time: robots.txt, politeness, frontier, fetches and extraction.
//!
//! A [`Crawler`](crawler::Crawler) is shared by all crawls of a process; each crawl is pulled
//! step by step, so whoever drives it decides when the next fetch happens, and dropping it
//! cancels it. No storage and no scheduling between sites: those belong to the worker.

pub mod crawl;
pub mod crawler;
pub mod extract;
pub mod facts;
mod fetch;
mod frontier;
pub mod hosts;
pub mod not_fetched;
mod pace;
pub mod priority;
pub mod profile;
mod registrable;
mod robots;
mod sitemap;
pub mod step;
pub mod technology;
mod traps;
mod words;
