//! When to look for work again: adaptive polling.
//!
//! At once while there is more than was taken, soon while there is some, ever more seldom while
//! there is none. A wake-up in the same process cuts the wait short; the poll remains the truth.

use std::time::Duration;

/// Wait after a poll that found less than it could have taken.
const SOME: Duration = Duration::from_millis(50);
/// Longest wait between two polls of an idle process (chosen: what a user waits at most for work
/// accepted by another process, against one statement a second from each idle process).
const IDLE_MAX: Duration = Duration::from_secs(1);
const GROWTH: f64 = 1.6;

/// The wait until the next poll.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PollPace {
    wait: Duration,
}

impl PollPace {
    pub(crate) fn new() -> Self {
        Self { wait: SOME }
    }

    /// The wait after a poll that wanted `want` units and took `taken`; `draw` is uniform in [0, 1).
    pub(crate) fn after(&mut self, want: u32, taken: u32, draw: f64) -> Duration {
        if taken >= want {
            self.wait = SOME;
            return Duration::ZERO;
        }
        if taken > 0 {
            self.wait = SOME;
            return SOME;
        }
        let wait = self.wait;
        self.wait = self.wait.mul_f64(GROWTH).min(IDLE_MAX);
        // Half fixed, half random: many idle processes spread out, and none polls in a tight loop.
        wait.mul_f64(0.5 + draw.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_poll_is_followed_at_once_and_an_empty_one_ever_later() {
        let mut pace = PollPace::new();
        assert_eq!(pace.after(8, 8, 0.5), Duration::ZERO);
        assert_eq!(pace.after(8, 3, 0.5), SOME);
        let waits: Vec<_> = (0..12).map(|_| pace.after(8, 0, 1.0)).collect();
        assert!(waits.is_sorted(), "{waits:?}");
        assert_eq!(waits.first(), Some(&SOME));
        assert_eq!(waits.last(), Some(&IDLE_MAX));
        assert!(pace.after(8, 0, 0.0) >= IDLE_MAX / 2);
        assert_eq!(pace.after(8, 1, 0.0), SOME);
    }
}
