//! Trawl: test-support.
