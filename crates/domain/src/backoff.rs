//! Capped exponential backoff with full jitter.
//!
//! The random draw is a parameter, so the rule is a pure function. Full jitter (uniform in
//! `[0, min(cap, base·2ⁿ)]`) spreads many waiters best; see Brooker, "Exponential Backoff And
//! Jitter", AWS Architecture Blog, 2015.

use std::time::Duration;

/// A backoff rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Upper bound of the first wait.
    pub base: Duration,
    /// Upper bound of every wait.
    pub cap: Duration,
}

impl Backoff {
    /// The wait before the retry that follows `failures` failures (1 for the first retry).
    ///
    /// `draw` is a uniform random number in `[0, 1)`; values outside are clamped.
    pub fn delay(self, failures: u32, draw: f64) -> Duration {
        let draw = if draw.is_finite() {
            draw.clamp(0.0, 1.0)
        } else {
            1.0
        };
        self.ceiling(failures).mul_f64(draw)
    }

    /// The longest wait that [`Self::delay`] may answer for `failures`.
    pub fn ceiling(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.base
            .checked_mul(1_u32 << doublings)
            .map_or(self.cap, |wait| wait.min(self.cap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_delay_is_never_above_the_ceiling_nor_the_cap(
            base_ms in 0_u64..100_000, cap_ms in 0_u64..1_000_000, failures: u32, draw: f64,
        ) {
            let backoff = Backoff {
                base: Duration::from_millis(base_ms),
                cap: Duration::from_millis(cap_ms),
            };
            let delay = backoff.delay(failures, draw);
            prop_assert!(delay <= backoff.ceiling(failures));
            prop_assert!(delay <= backoff.cap);
        }

        #[test]
        fn the_ceiling_never_shrinks(failures in 1_u32..100) {
            let backoff = Backoff { base: Duration::from_millis(7), cap: Duration::from_secs(60) };
            prop_assert!(backoff.ceiling(failures) <= backoff.ceiling(failures + 1));
        }
    }

    #[test]
    fn the_first_retries_double() {
        let backoff = Backoff {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(5),
        };
        let ceilings: Vec<_> = (1..=4).map(|n| backoff.ceiling(n).as_secs()).collect();
        assert_eq!(ceilings, [1, 2, 4, 5]);
    }
}
