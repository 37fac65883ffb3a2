//! Keeps a pool from asking for connections while the database refuses this service.
//!
//! Supavisor blocks an address for two minutes after ten refused passwords, also for processes with
//! the right one, and every statement without a connection would be one. So a refused connection
//! closes the gate for a while; then one more try is due.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::ScopeError;

/// Between two tries of refused credentials: ten of them take ten minutes (chosen).
pub(crate) const PERMANENT_WAIT: Duration = Duration::from_secs(60);

/// How long Supavisor blocks an address (measured: two minutes).
pub(crate) const BLOCKED_WAIT: Duration = Duration::from_secs(120);

/// For the one try after a wait to be answered; meanwhile nobody else tries (chosen: as long as a
/// connection is waited for by default, twice).
const TRIAL: Duration = Duration::from_secs(10);

/// Open until a refusal, and again once a try after it was not refused.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    closed_until: Mutex<Option<Instant>>,
}

impl Gate {
    /// Lets a caller ask for a new connection, and says whether it is the one that tries after a wait.
    ///
    /// # Errors
    /// The time that is left to wait.
    pub(crate) fn admit(&self, now: Instant) -> Result<IsTrial, Duration> {
        let mut closed_until = self.lock();
        match *closed_until {
            None => Ok(IsTrial(false)),
            Some(until) if until > now => Err(until - now),
            Some(_passed) => {
                *closed_until = now.checked_add(TRIAL);
                Ok(IsTrial(true))
            }
        }
    }

    /// Notes how it ended: a refusal closes the gate, anything else that a trial met opens it.
    pub(crate) fn settle(&self, trial: IsTrial, error: Option<&ScopeError>, now: Instant) {
        match error.and_then(ScopeError::refused_for) {
            Some(wait) => *self.lock() = now.checked_add(wait),
            None if trial.0 => *self.lock() = None,
            None => {}
        }
    }

    /// The time for which the gate is closed yet; `None` when a connection may be asked for.
    pub(crate) fn closed_for(&self, now: Instant) -> Option<Duration> {
        self.lock()
            .and_then(|until| until.checked_duration_since(now))
            .filter(|left| !left.is_zero())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        // A single value, whole at any moment.
        self.closed_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a connection is the first one after a wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct IsTrial(bool);

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: ScopeError = ScopeError::PoolBusy {
        limit: Duration::from_secs(5),
    };

    #[test]
    fn trouble_that_passes_by_itself_leaves_the_gate_open() {
        let gate = Gate::default();
        let now = Instant::now();
        let trial = gate.admit(now).unwrap();
        gate.settle(trial, Some(&BUSY), now);
        assert_eq!(gate.closed_for(now), None);
    }

    #[test]
    fn after_a_wait_one_caller_tries_and_the_others_wait_for_it() {
        let gate = Gate::default();
        let start = Instant::now();
        let refusal = ScopeError::Refused {
            left: PERMANENT_WAIT,
        };
        let first = gate.admit(start).unwrap();
        gate.settle(first, Some(&refusal), start);
        assert_eq!(gate.admit(start), Err(PERMANENT_WAIT));

        let later = start + PERMANENT_WAIT;
        let trial = gate.admit(later).unwrap();
        assert_eq!(trial, IsTrial(true));
        assert_eq!(gate.admit(later), Err(TRIAL));
        gate.settle(trial, Some(&refusal), later);
        assert_eq!(gate.admit(later), Err(PERMANENT_WAIT));

        let latest = later + PERMANENT_WAIT;
        let trial = gate.admit(latest).unwrap();
        gate.settle(trial, None, latest);
        assert_eq!(gate.admit(latest), Ok(IsTrial(false)));
    }
}
