//! What the hostile pooler does to its clients, and how often.

use std::collections::BTreeMap;

/// One kind of hostility. Its rate is a probability: for each transaction, request or connection, as
/// the kind says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    /// Before a transaction, another client's session settings are left on the backend.
    PoisonSettings,
    /// Before a transaction, the backend forgets all prepared statements.
    ForgetStatements,
    /// A request that names a prepared statement is refused: as unknown, as taken, or with FATAL XX000
    /// `(EPSSIMPLEQUERY)`.
    RefuseNamed,
    /// What a client sends before `ReadyForQuery` of its last transaction goes to a backend that
    /// serves somebody else, as with Supavisor between an error and `ReadyForQuery`.
    MisrouteEarlyBytes,
    /// A request takes a time that is quadratic in its size, as with Supavisor.
    SlowLargeRequests,
    /// A request arrives late.
    Delay,
    /// An answer arrives in crumbs.
    Trickle,
    /// Both connections are closed; the server never sees the request.
    CutBefore,
    /// The server gets the request and both connections are closed at once.
    CutDuring,
    /// The server has completed the request; its answer is swallowed and both are closed.
    CutAfter,
    /// [`Self::CutBefore`] at an explicit COMMIT.
    CutBeforeCommit,
    /// [`Self::CutDuring`] at an explicit COMMIT.
    CutDuringCommit,
    /// [`Self::CutAfter`] at an explicit COMMIT.
    CutAfterCommit,
    /// No answer ever comes and nothing is closed; the server never sees the request.
    BlackHoleBefore,
    /// As [`Self::BlackHoleBefore`], but the server has completed the request.
    BlackHoleAfter,
    /// A new connection is accepted and never answered.
    BlackHoleAtConnect,
    /// The pooler does not notice that a client has gone in the middle of its transaction: the
    /// backend keeps it open, with its locks, for a while.
    HalfOpen,
    /// A client without a transaction is disconnected, a moment after its last request.
    CutIdle,
    /// A transaction gets a backend that died while it was idle.
    DeadBackend,
    /// FATAL XX000 `(ECHECKOUTTIMEOUT)` in place of a backend.
    CheckoutTimeout,
    /// FATAL XX000 `(EMAXCONN)` at connect.
    TooManyClients,
    /// FATAL 57P01 in place of a request.
    AdminShutdown,
    /// FATAL 57P01 in place of an answer: the server has completed the request.
    AdminShutdownAfter,
    /// A request fails with 57014 although nobody wanted that.
    WrongCancel,
    /// A real `CancelRequest` for whatever one of the backends runs.
    StrayCancel,
}

/// How hostile a pooler is.
#[derive(Clone, Debug)]
pub struct Hostility {
    pub(super) seed: u64,
    rates: BTreeMap<Deed, f64>,
}

/// Hostilities that a correct client need not even notice: they concern what it must not rely on.
const POISON: [(Deed, f64); 4] = [
    (Deed::PoisonSettings, 0.5),
    (Deed::ForgetStatements, 0.2),
    (Deed::RefuseNamed, 1.0),
    (Deed::MisrouteEarlyBytes, 1.0),
];

/// Hostilities that cost a correct client nothing but time.
const SLOWNESS: [(Deed, f64); 3] = [
    (Deed::SlowLargeRequests, 1.0),
    (Deed::Delay, 0.03),
    (Deed::Trickle, 0.03),
];

/// Everything else, so often that a batch of some hundred requests meets each kind and still ends
/// (chosen; the kinds that cost a client its whole patience are rare).
const FAULTS: [(Deed, f64); 18] = [
    (Deed::CutBefore, 0.01),
    (Deed::CutDuring, 0.02),
    (Deed::CutAfter, 0.02),
    (Deed::CutBeforeCommit, 0.1),
    (Deed::CutDuringCommit, 0.1),
    (Deed::CutAfterCommit, 0.1),
    (Deed::BlackHoleBefore, 0.001),
    (Deed::BlackHoleAfter, 0.002),
    (Deed::BlackHoleAtConnect, 0.01),
    (Deed::HalfOpen, 0.5),
    (Deed::CutIdle, 0.03),
    (Deed::DeadBackend, 0.02),
    (Deed::CheckoutTimeout, 0.02),
    (Deed::TooManyClients, 0.05),
    (Deed::AdminShutdown, 0.01),
    (Deed::AdminShutdownAfter, 0.01),
    (Deed::WrongCancel, 0.02),
    (Deed::StrayCancel, 0.03),
];

impl Hostility {
    /// A pooler that only gives each transaction another backend.
    pub fn none() -> Self {
        Self {
            seed: 0,
            rates: BTreeMap::new(),
        }
    }

    /// Poisons what a client must not rely on, and breaks nothing else.
    pub fn poison_only() -> Self {
        Self::none().with_each(&POISON)
    }

    /// Everything after which each call still has its one right answer, so that a test may demand it.
    pub fn bearable(seed: u64) -> Self {
        Self::poison_only().with_seed(seed).with_each(&SLOWNESS)
    }

    /// Everything at once.
    pub fn full(seed: u64) -> Self {
        Self::bearable(seed).with_each(&FAULTS)
    }

    fn with_each(self, deeds: &[(Deed, f64)]) -> Self {
        deeds
            .iter()
            .fold(self, |hostility, (deed, rate)| hostility.with(*deed, *rate))
    }

    /// Sets the probability of one kind, from 0 to 1.
    #[must_use]
    pub fn with(mut self, deed: Deed, rate: f64) -> Self {
        self.rates.insert(deed, rate);
        self
    }

    /// Chooses the throws of the dice. They are drawn for each connection by its number, so the same
    /// seed does the same to the same request of the same connection; which of a client's
    /// connections sends what is up to the client.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    pub(super) fn rate(&self, deed: Deed) -> f64 {
        self.rates.get(&deed).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_deed_of_a_preset_has_a_rate_and_each_preset_is_part_of_the_next() {
        let full = Hostility::full(1);
        let bearable = Hostility::bearable(1);
        assert_eq!(bearable.rates.len(), POISON.len() + SLOWNESS.len());
        assert_eq!(full.rates.len(), bearable.rates.len() + FAULTS.len());
        assert!(full.rates.values().all(|rate| (0.0..=1.0).contains(rate)));
        assert!(full.rates.values().all(|rate| *rate > 0.0));
        assert_eq!(Hostility::none().rate(Deed::CutAfter), 0.0);
    }
}
