//! Trawl: api.
