//! What a kind of background work has to provide.

use std::fmt::Debug;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;

use trawl_domain::failure::Failure;
use trawl_persistence::error::ScopeError;

/// A kind of background work.
///
/// `start` and `finish` each run one short scope; `work` runs for as long as it takes and must hold
/// none while it waits for anything but the database.
pub trait Task: Send + Sync + 'static {
    /// One unit of work as `start` took it.
    type Item: Send + Sync + 'static;
    /// What identifies a taken unit: its id and its fencing token.
    type Key: Copy + Eq + Hash + Debug + Send + Sync + 'static;
    /// What the work gives.
    type Output: Send + Sync + 'static;

    /// The name in logs.
    const NAME: &'static str;

    /// The key of a taken unit.
    fn key(item: &Self::Item) -> Self::Key;

    /// Takes up to `want` units, durably: from its commit on, they end or are taken back.
    fn start(&self, want: u32) -> impl Future<Output = Result<Vec<Self::Item>, ScopeError>> + Send;

    /// Does the work of one unit. May be dropped at any await point.
    fn work(&self, item: &Self::Item)
    -> impl Future<Output = Result<Self::Output, Failure>> + Send;

    /// Writes what became of units, fenced by their keys; called again after an error, so a second
    /// run must change nothing.
    fn finish(&self, ended: &[Ended<Self>]) -> impl Future<Output = Result<(), ScopeError>> + Send;
}

/// A unit of work and what became of it.
pub struct Ended<T: Task + ?Sized> {
    /// The unit.
    pub item: Arc<T::Item>,
    /// What became of it.
    pub outcome: Outcome<T::Output>,
}

/// What became of a unit of work.
#[derive(Debug)]
pub enum Outcome<O> {
    /// The work gave its output.
    Done(O),
    /// The work failed or panicked.
    Failed(Failure),
    /// The work was stopped from outside.
    Stopped(Stop),
}

/// Why work was stopped from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Its lease is gone, somebody else may have it: nothing may be written for it.
    Lost,
    /// Somebody asked to cancel it.
    Cancelled,
    /// Not now, or not here: this process is stopping, or somebody paused it. Hand it back.
    HandBack,
    /// It has reached a deadline that is not its own: it fails.
    Overdue,
}
