//! Trawl: local-postgres.
