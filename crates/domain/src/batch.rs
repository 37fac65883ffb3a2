//! Batch states and the counters they follow from.
//!
//! A batch has no life of its own: its state is a function of its jobs' states and of whether
//! somebody asked to cancel it. [`BatchCounts::ending`] is that function; the database computes the
//! same in the statement that ends a job, and a test holds the two equal.

#![warn(clippy::wildcard_enum_match_arm)]

use crate::transition::TransitionError;

/// The state of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchState {
    /// No job was ever claimed.
    Pending,
    /// A job was claimed and not all have ended.
    Running,
    /// Somebody asked to cancel it and some jobs have not ended.
    Cancelling,
    /// All jobs are complete.
    Complete,
    /// All jobs have ended, some complete and some not.
    Partial,
    /// All jobs have ended, none complete and at least one failed.
    Failed,
    /// All jobs have ended and the batch was cancelled before that.
    Cancelled,
}

/// What happens to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchEvent {
    /// A job of it was claimed.
    JobClaimed,
    /// Somebody asked to cancel it.
    CancelRequested,
    /// Its last job ended; the counts tell how.
    LastJobEnded(BatchCounts),
}

/// How many jobs of a batch have ended, by ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BatchCounts {
    /// All jobs of the batch; at least 1.
    pub total: u32,
    /// Jobs ended as complete.
    pub completed: u32,
    /// Jobs ended as failed.
    pub failed: u32,
    /// Jobs ended as cancelled.
    pub cancelled: u32,
}

impl BatchCounts {
    /// Jobs that have ended, whatever way.
    pub fn ended(self) -> u32 {
        self.completed
            .saturating_add(self.failed)
            .saturating_add(self.cancelled)
    }

    /// Ended jobs in percent, 0 to 100.
    pub fn progress_percent(self) -> f64 {
        if self.total == 0 {
            return 100.0;
        }
        (f64::from(self.ended()) * 100.0 / f64::from(self.total)).min(100.0)
    }

    /// How a batch with these counts ends, or `None` while jobs are left.
    pub fn ending(self, cancel_requested: bool) -> Option<BatchState> {
        if self.ended() < self.total {
            return None;
        }
        Some(if cancel_requested && self.cancelled > 0 {
            BatchState::Cancelled
        } else if self.completed == self.total {
            BatchState::Complete
        } else if self.completed > 0 {
            BatchState::Partial
        } else if self.failed > 0 {
            BatchState::Failed
        } else {
            BatchState::Cancelled
        })
    }
}

impl BatchState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Running,
        Self::Cancelling,
        Self::Complete,
        Self::Partial,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word used in rows, answers and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state a stored word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether the batch has ended.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Pending | Self::Running | Self::Cancelling => false,
            Self::Complete | Self::Partial | Self::Failed | Self::Cancelled => true,
        }
    }

    /// The state after `event`.
    ///
    /// # Errors
    /// [`TransitionError`] when the batch has ended, or when `LastJobEnded` comes with counts that
    /// leave jobs open.
    pub fn after(self, event: BatchEvent) -> Result<Self, TransitionError<Self, BatchEvent>> {
        let refused = Err(TransitionError { state: self, event });
        match (self, event) {
            (Self::Pending | Self::Running, BatchEvent::JobClaimed) => Ok(Self::Running),
            (Self::Pending | Self::Running | Self::Cancelling, BatchEvent::CancelRequested) => {
                Ok(Self::Cancelling)
            }
            (Self::Pending | Self::Running, BatchEvent::LastJobEnded(counts)) => {
                counts.ending(false).map_or(refused, Ok)
            }
            (Self::Cancelling, BatchEvent::LastJobEnded(counts)) => {
                counts.ending(true).map_or(refused, Ok)
            }
            (Self::Cancelling, BatchEvent::JobClaimed)
            | (
                Self::Complete | Self::Partial | Self::Failed | Self::Cancelled,
                BatchEvent::JobClaimed | BatchEvent::CancelRequested | BatchEvent::LastJobEnded(_),
            ) => refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counts(completed: u32, failed: u32, cancelled: u32) -> BatchCounts {
        BatchCounts {
            total: completed + failed + cancelled,
            completed,
            failed,
            cancelled,
        }
    }

    #[test]
    fn the_ending_follows_from_the_counts() {
        for (counts, cancel_requested, expected) in [
            (counts(3, 0, 0), false, BatchState::Complete),
            (counts(2, 1, 0), false, BatchState::Partial),
            (counts(0, 3, 0), false, BatchState::Failed),
            (counts(2, 0, 1), true, BatchState::Cancelled),
            (counts(2, 0, 1), false, BatchState::Partial),
            (counts(0, 0, 3), true, BatchState::Cancelled),
            (counts(0, 0, 3), false, BatchState::Cancelled),
            (counts(0, 2, 1), false, BatchState::Failed),
            // The cancel came too late: everything had already ended by itself.
            (counts(3, 0, 0), true, BatchState::Complete),
        ] {
            assert_eq!(
                counts.ending(cancel_requested),
                Some(expected),
                "{counts:?}"
            );
        }
    }

    #[test]
    fn every_state_meets_every_event() {
        use BatchState as S;
        let done = BatchEvent::LastJobEnded(counts(1, 0, 0));
        let open = BatchEvent::LastJobEnded(BatchCounts {
            total: 2,
            ..counts(1, 0, 0)
        });
        for state in S::ALL {
            let claimed = state.after(BatchEvent::JobClaimed).ok();
            let cancel = state.after(BatchEvent::CancelRequested).ok();
            let ended = state.after(done).ok();
            assert!(
                state.after(open).is_err(),
                "{state:?} must not end with open jobs"
            );
            let expected = match state {
                S::Pending | S::Running => {
                    (Some(S::Running), Some(S::Cancelling), Some(S::Complete))
                }
                S::Cancelling => (None, Some(S::Cancelling), Some(S::Complete)),
                S::Complete | S::Partial | S::Failed | S::Cancelled => (None, None, None),
            };
            assert_eq!((claimed, cancel, ended), expected, "{state:?}");
        }
    }

    #[test]
    fn every_word_reads_back() {
        for state in BatchState::ALL {
            assert_eq!(BatchState::from_word(state.as_str()), Some(state));
        }
    }

    proptest! {
        #[test]
        fn progress_is_a_percentage_and_full_only_at_the_end(
            total in 1_u32..100_000, completed in 0_u32..100_000, failed in 0_u32..100_000,
        ) {
            let completed = completed.min(total);
            let failed = failed.min(total - completed);
            let counts = BatchCounts { total, completed, failed, cancelled: 0 };
            let progress = counts.progress_percent();
            prop_assert!((0.0..=100.0).contains(&progress));
            prop_assert_eq!(counts.ending(false).is_some(), counts.ended() == total);
            prop_assert_eq!(progress >= 100.0, counts.ended() == total);
        }
    }
}
