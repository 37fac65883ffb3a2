//! Signals between the parts of one process: there may be work; a claim was attempted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// Says that there may be work, so that the next poll comes at once.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// There may be work.
    pub fn notify(&self) {
        self.0.notify_one();
    }

    pub(crate) async fn notified(&self) {
        self.0.notified().await;
    }
}

/// Tells when the runner last tried to take work: what readiness looks at.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<Mutex<Option<Instant>>>);

impl Pulse {
    /// The moment of the last attempt to take work, successful or not; `None` before the first.
    /// While every slot is busy nothing is attempted, and the moment is that of the last look at the
    /// slots: what is old means that the loop itself hangs.
    pub fn last_claim_attempt(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}
