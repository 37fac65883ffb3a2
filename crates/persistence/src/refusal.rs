//! Keeps a pool from asking for connections while the database refuses this service.
//!
//! Supavisor blocks an address for two minutes after ten refused passwords, also for processes with
//! the right one, and every statement without a connection would be one. So a refused connection
//! closes the gate for a while; then one more try is due.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::ScopeError;

/// Between two tries of refused credentials: ten of them take ten minutes (chosen).
pub(crate) const PERMANENT_WAIT: Duration = Duration::from_secs(60);

/// How long Supavisor blocks an address (measured: two minutes).
pub(crate) const BLOCKED_WAIT: Duration = Duration::from_secs(120);

/// Open until a refusal, and again some time after it.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    closed_until: Mutex<Option<Instant>>,
}

impl Gate {
    /// Closes the gate if the error says that the database refuses this service.
    pub(crate) fn observe(&self, error: &ScopeError, now: Instant) {
        if let Some(wait) = error.refused_for() {
            *self
                .closed_until
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = now.checked_add(wait);
        }
    }

    /// The time for which the gate is closed yet; `None` when it is open.
    pub(crate) fn closed_for(&self, now: Instant) -> Option<Duration> {
        let closed_until = *self
            .closed_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        closed_until?
            .checked_duration_since(now)
            .filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_that_passes_by_itself_leaves_the_gate_open() {
        let gate = Gate::default();
        let now = Instant::now();
        gate.observe(
            &ScopeError::PoolBusy {
                limit: Duration::from_secs(5),
            },
            now,
        );
        assert_eq!(gate.closed_for(now), None);
    }
}
