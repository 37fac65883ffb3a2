//! What the hostile pooler has done.

use std::collections::BTreeMap;
use std::fmt;

use super::Deed;

/// Totals since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostileReport {
    /// Sessions that clients began.
    pub sessions: usize,
    /// Requests that clients sent.
    pub requests: usize,
    /// Times that a backend was lent to a client.
    pub transactions: usize,
    /// How often each kind of hostility was committed.
    pub deeds: BTreeMap<Deed, usize>,
    /// Requests that went to a stranger's backend because they were sent too early: none of a
    /// correct client.
    pub astray: Vec<String>,
}

impl HostileReport {
    /// How often this kind was committed.
    pub fn count(&self, deed: Deed) -> usize {
        self.deeds.get(&deed).copied().unwrap_or(0)
    }
}

impl fmt::Display for HostileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} sessions, {} transactions, {} requests, {} astray;",
            self.sessions,
            self.transactions,
            self.requests,
            self.astray.len()
        )?;
        for (deed, count) in &self.deeds {
            write!(f, " {deed:?} {count}")?;
        }
        Ok(())
    }
}
