//! Page states: what became of one URL of a job.
//!
//! A page is queued in the frontier, then ends once. Only ended pages are stored; the frontier is
//! rebuilt from them.

#![warn(clippy::wildcard_enum_match_arm)]

use crate::transition::TransitionError;

/// The state of one URL of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageState {
    /// Discovered, not yet fetched. Never stored.
    Queued,
    /// Fetched and extracted: the only state that uses the page budget.
    Fetched,
    /// Could not be fetched or extracted; the page carries its reason.
    Failed,
    /// Deliberately not fetched or not kept: robots.txt, not HTML, a duplicate.
    Skipped,
}

/// What happens to a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageEvent {
    /// The content was had.
    FetchSucceeded,
    /// The content could not be had.
    FetchFailed,
    /// A rule kept it from being fetched or kept.
    RuleSkipped,
}

impl PageState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Fetched, Self::Failed, Self::Skipped];
    /// The states a stored page may have.
    pub const STORED: [Self; 3] = [Self::Fetched, Self::Failed, Self::Skipped];

    /// The word used in rows, answers and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Fetched => "fetched",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// The state a stored word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The state after `event`.
    ///
    /// # Errors
    /// [`TransitionError`] when the page has already ended.
    pub fn after(self, event: PageEvent) -> Result<Self, TransitionError<Self, PageEvent>> {
        match (self, event) {
            (Self::Queued, PageEvent::FetchSucceeded) => Ok(Self::Fetched),
            (Self::Queued, PageEvent::FetchFailed) => Ok(Self::Failed),
            (Self::Queued, PageEvent::RuleSkipped) => Ok(Self::Skipped),
            (
                Self::Fetched | Self::Failed | Self::Skipped,
                PageEvent::FetchSucceeded | PageEvent::FetchFailed | PageEvent::RuleSkipped,
            ) => Err(TransitionError { state: self, event }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_exactly_once() {
        let events = [
            PageEvent::FetchSucceeded,
            PageEvent::FetchFailed,
            PageEvent::RuleSkipped,
        ];
        for event in events {
            let ended = PageState::Queued.after(event).unwrap();
            assert!(PageState::STORED.contains(&ended));
            for state in PageState::STORED {
                assert_eq!(state.after(event), Err(TransitionError { state, event }));
            }
        }
    }

    #[test]
    fn every_word_reads_back() {
        for state in PageState::ALL {
            assert_eq!(PageState::from_word(state.as_str()), Some(state));
        }
    }
}
