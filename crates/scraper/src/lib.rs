//! Trawl: scraper.
