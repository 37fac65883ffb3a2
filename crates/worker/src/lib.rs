//! Trawl: worker.
