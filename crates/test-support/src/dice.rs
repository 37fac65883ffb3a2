//! The chance of the hostile pooler and of other nemeses: a small generator of its own, so that a
//! seed means the same for ever, whatever becomes of a library's algorithms.

use std::ops::RangeInclusive;
use std::time::Duration;

/// `SplitMix64` by Guy Steele, Doug Lea and Christine Flood: enough for choosing mischief.
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Dice {
    /// The dice of one of many who share a seed: the same seed and number throw the same.
    pub fn of(seed: u64, number: u64) -> Self {
        let mut dice = Self {
            state: seed ^ number.wrapping_mul(GOLDEN),
        };
        // Neighbors are apart after one throw.
        dice.throw();
        dice
    }

    fn throw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Whether something of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        // 53 bits are what a double holds exactly.
        let draw = self.throw() >> 11;
        (draw as f64) < probability * ((1_u64 << 53) as f64)
    }

    /// A number below `bound`, or 0 where there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.throw() % bound).unwrap_or(0)
    }

    /// One of the items.
    pub fn choose<'i, T>(&mut self, items: &'i [T]) -> Option<&'i T> {
        let index = self.below(items.len());
        items.get(index)
    }

    /// A time of so many milliseconds.
    pub fn millis(&mut self, range: RangeInclusive<usize>) -> Duration {
        let width = range.end().saturating_sub(*range.start()) + 1;
        let millis = range.start() + self.below(width);
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_throws_the_same_and_another_something_else() {
        let throws = |seed, connection| {
            let mut dice = Dice::of(seed, connection);
            std::array::from_fn::<_, 8, _>(|_| dice.below(1000))
        };
        assert_eq!(throws(7, 1), throws(7, 1));
        assert_ne!(throws(7, 1), throws(7, 2));
        assert_ne!(throws(7, 1), throws(8, 1));
    }

    #[test]
    fn probabilities_are_kept() {
        let mut dice = Dice::of(1, 1);
        let count = (0..10_000).filter(|_| dice.happens(0.1)).count();
        assert!((900..1100).contains(&count), "{count}");
        assert!(!(0..10_000).any(|_| dice.happens(0.0)));
        assert!((0..10_000).all(|_| dice.happens(1.0)));
    }
}
