//! The one error of every state machine here.

use std::fmt::Debug;
use thiserror::Error;

/// An event that the state found does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{event:?} is not possible in state {state:?}")]
pub struct TransitionError<S: Debug, E: Debug> {
    /// The state found.
    pub state: S,
    /// The event refused.
    pub event: E,
}
