//! Waiting for a condition with a deadline; nothing in this crate waits in another way.

use std::time::{Duration, Instant};

/// Between two looks at a condition. Chosen, not measured: short beside the 100 ms or so that a
/// server needs to start, long beside the cost of a look.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A point in time that ends a wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    started: Instant,
    limit: Duration,
}

impl Deadline {
    /// A deadline `limit` from now.
    pub(crate) fn after(limit: Duration) -> Self {
        Self {
            started: Instant::now(),
            limit,
        }
    }

    /// The whole time allowed.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Sleeps until the next look is due; `false` once the deadline has passed.
    pub(crate) async fn next_look(&self) -> bool {
        if self.started.elapsed() >= self.limit {
            return false;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
        true
    }
}
