//! Leases: the time-bounded right of one worker to one job.
//!
//! The lease is the worker's heartbeat: it lives while the worker's row is younger than its
//! time-to-live. The fencing token makes a late writer harmless: it grows with every claim and every
//! write for a job carries it.

use std::time::Duration;

/// A number that grows with every claim of a job; a write with an older one changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FencingToken(pub i64);

/// How long a lease lives without a heartbeat, and how often it is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    ttl: Duration,
}

impl LeaseTerms {
    /// The least time-to-live: below it one slow round trip would cost a lease (chosen).
    pub const TTL_MIN: Duration = Duration::from_secs(1);
    /// The largest time-to-live: a crashed worker's jobs wait at most this long (chosen).
    pub const TTL_MAX: Duration = Duration::from_secs(3600);

    /// Terms with this time-to-live, or `None` outside [`Self::TTL_MIN`]..=[`Self::TTL_MAX`].
    pub fn new(ttl: Duration) -> Option<Self> {
        (Self::TTL_MIN..=Self::TTL_MAX)
            .contains(&ttl)
            .then_some(Self { ttl })
    }

    /// Time after the last heartbeat at which another process may take the jobs.
    pub fn ttl(self) -> Duration {
        self.ttl
    }

    /// Time between two heartbeats: a quarter of the time-to-live.
    pub fn heartbeat_interval(self) -> Duration {
        self.ttl / 4
    }

    /// Longest wait for the answer to one heartbeat: short enough that a second connection, and with
    /// a time-to-live of 6 s or more a third, is tried before the leases must be assumed lost. A
    /// request behind a pooler may hang for good while the next one is answered (Supavisor: measured).
    pub fn heartbeat_limit(self) -> Duration {
        (self.ttl / 6).max(Self::TTL_MIN)
    }

    /// Time after the *beginning* of the last successful heartbeat at which a worker must assume that
    /// its leases are gone: a quarter earlier than the database would, for the margin of the network.
    pub fn assume_lost_after(self) -> Duration {
        self.ttl - self.ttl / 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_gives_up_before_anybody_may_take_its_jobs() {
        let terms = LeaseTerms::new(Duration::from_secs(30)).unwrap();
        assert!(terms.assume_lost_after() < terms.ttl());
        assert!(terms.assume_lost_after() > terms.heartbeat_interval() * 2);
        assert!(
            terms.assume_lost_after() >= terms.heartbeat_interval() + terms.heartbeat_limit() * 3
        );
    }

    #[test]
    fn only_sensible_times_are_terms() {
        assert!(LeaseTerms::new(Duration::from_millis(999)).is_none());
        assert!(LeaseTerms::new(LeaseTerms::TTL_MIN).is_some());
        assert!(LeaseTerms::new(LeaseTerms::TTL_MAX).is_some());
        assert!(LeaseTerms::new(LeaseTerms::TTL_MAX + Duration::from_secs(1)).is_none());
    }
}
