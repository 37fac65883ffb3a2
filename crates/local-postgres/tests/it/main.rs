//! The private servers, on the real programs: whole lives, crashes, and wrong directories.
//!
//! Everything here runs as root where root runs it, and once more as an ordinary user
//! (`accounts::an_ordinary_user_needs_no_root`).

#![expect(
    clippy::expect_used,
    reason = "a helper of tests fails the test that it helps"
)]

mod accounts;
mod cancellation;
mod crashes;
mod life;
mod pooler;
mod support;
mod wrong_directories;
