//! Domain job states: one domain of one batch, the unit of claiming.
//!
//! `pending → running → complete | failed | cancelled`, and back to `pending` by retry, snooze,
//! rescue and hand-back. Who moves it: the claim starts it, the fenced finish ends or re-queues it, the rescue
//! takes it from a lost worker, a cancel ends it.

#![warn(clippy::wildcard_enum_match_arm)]

use crate::transition::TransitionError;

/// The state of a domain job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// Waits for a claim, perhaps until a later time.
    Pending,
    /// Claimed under a live lease.
    Running,
    /// Ended with its result.
    Complete,
    /// Ended without a result; carries its reason.
    Failed,
    /// Ended because somebody asked for it.
    Cancelled,
}

/// What happens to a domain job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobEvent {
    /// A worker took it.
    Claimed,
    /// The crawl gave a result.
    Succeeded,
    /// The crawl failed and another attempt is due.
    RetryScheduled,
    /// The crawl failed for good.
    GaveUp,
    /// Its worker stopped renewing the lease; attempts are left.
    Rescued,
    /// Its worker handed it back unfinished (drain); charges no attempt.
    HandedBack,
    /// Its site asked to be left alone for a while; charges no attempt.
    Snoozed,
    /// Somebody asked to end it.
    Cancelled,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Running,
        Self::Complete,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word used in rows, answers and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state a stored word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether the job has ended.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Pending | Self::Running => false,
            Self::Complete | Self::Failed | Self::Cancelled => true,
        }
    }

    /// The state after `event`.
    ///
    /// # Errors
    /// [`TransitionError`] when the state found does not allow the event.
    pub fn after(self, event: JobEvent) -> Result<Self, TransitionError<Self, JobEvent>> {
        match (self, event) {
            (Self::Pending, JobEvent::Claimed) => Ok(Self::Running),
            (Self::Running, JobEvent::Succeeded) => Ok(Self::Complete),
            (Self::Running, JobEvent::GaveUp) => Ok(Self::Failed),
            (
                Self::Running,
                JobEvent::RetryScheduled
                | JobEvent::Rescued
                | JobEvent::HandedBack
                | JobEvent::Snoozed,
            ) => Ok(Self::Pending),
            (Self::Pending | Self::Running, JobEvent::Cancelled) => Ok(Self::Cancelled),
            (
                Self::Pending,
                JobEvent::Succeeded
                | JobEvent::GaveUp
                | JobEvent::RetryScheduled
                | JobEvent::Rescued
                | JobEvent::HandedBack
                | JobEvent::Snoozed,
            )
            | (Self::Running, JobEvent::Claimed)
            | (
                Self::Complete | Self::Failed | Self::Cancelled,
                JobEvent::Claimed
                | JobEvent::Succeeded
                | JobEvent::GaveUp
                | JobEvent::RetryScheduled
                | JobEvent::Rescued
                | JobEvent::HandedBack
                | JobEvent::Snoozed
                | JobEvent::Cancelled,
            ) => Err(TransitionError { state: self, event }),
        }
    }
}

impl JobEvent {
    /// Every event.
    pub const ALL: [Self; 8] = [
        Self::Claimed,
        Self::Succeeded,
        Self::RetryScheduled,
        Self::GaveUp,
        Self::Rescued,
        Self::HandedBack,
        Self::Snoozed,
        Self::Cancelled,
    ];

    /// The states in which this event is legal.
    pub fn sources(self) -> impl Iterator<Item = JobState> {
        JobState::ALL
            .into_iter()
            .filter(move |state| state.after(self).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legal_transitions_are_these_and_no_others() {
        use JobEvent as E;
        use JobState as S;
        let legal = [
            (S::Pending, E::Claimed, S::Running),
            (S::Pending, E::Cancelled, S::Cancelled),
            (S::Running, E::Succeeded, S::Complete),
            (S::Running, E::GaveUp, S::Failed),
            (S::Running, E::RetryScheduled, S::Pending),
            (S::Running, E::Rescued, S::Pending),
            (S::Running, E::HandedBack, S::Pending),
            (S::Running, E::Snoozed, S::Pending),
            (S::Running, E::Cancelled, S::Cancelled),
        ];
        for state in S::ALL {
            for event in E::ALL {
                let expected = legal
                    .iter()
                    .find(|(s, e, _)| (*s, *e) == (state, event))
                    .map(|(_, _, target)| *target)
                    .ok_or(TransitionError { state, event });
                assert_eq!(state.after(event), expected, "{state:?} × {event:?}");
            }
        }
    }

    #[test]
    fn no_event_leads_out_of_a_terminal_state() {
        for event in JobEvent::ALL {
            assert!(event.sources().all(|state| !state.is_terminal()));
        }
    }

    #[test]
    fn every_word_reads_back() {
        for state in JobState::ALL {
            assert_eq!(JobState::from_word(state.as_str()), Some(state));
        }
        assert_eq!(JobState::from_word("Pending"), None);
    }
}
