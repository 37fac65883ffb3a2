//! Trawl: persistence.
