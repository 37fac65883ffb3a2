//! Background work on PostgreSQL: claim, work, record, finish.
//!
//! [`core`] runs any kind of work and knows none: it keeps slots, catches panics, groups endings and
//! drains. [`site_jobs`] is the one kind there is: crawling the sites of batches. [`worker`] joins
//! the two to a process with a lease. PostgreSQL is the only coordinator, so a hundred processes
//! run the same loop. How another kind of work is added: `docs/background-tasks.md`.

#![deny(clippy::disallowed_methods)]

pub mod core;
pub mod site_jobs;
pub mod worker;

/// The examples of the guide are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/background-tasks.md")]
struct BackgroundTasksGuide;
