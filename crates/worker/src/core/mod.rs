//! The core of any background work.
//!
//! A kind of work implements [`task::Task`]: three steps, each with a short scope of its own. The
//! [`runner::Runner`] calls them and guarantees that nothing ends in silence: an error, a panic, a
//! lost lease and a drain all become an [`task::Outcome`] that reaches `finish`. Nothing here knows
//! what the work is.

pub mod chain;
pub mod held;
pub mod poll;
pub mod runner;
pub mod task;
pub mod wake;

mod finisher;
