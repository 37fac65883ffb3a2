//! The units of work this process holds, and the way to stop each of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::task::Stop;

/// Tells one unit of work to stop. The first reason counts.
#[derive(Debug, Clone)]
pub(crate) struct StopSignal(Arc<watch::Sender<Option<Stop>>>);

impl StopSignal {
    fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    fn stop(&self, reason: Stop) {
        self.0.send_if_modified(|current| {
            let first = current.is_none();
            current.get_or_insert(reason);
            first
        });
    }

    /// Waits until the unit is told to stop.
    pub(crate) async fn stopped(&self) -> Stop {
        let mut signal = self.0.subscribe();
        loop {
            if let Some(reason) = *signal.borrow_and_update() {
                return reason;
            }
            if signal.changed().await.is_err() {
                // The sender is in `self`, so it cannot be gone.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// The units this process holds, from their start to the moment their ending is written.
#[derive(Debug)]
pub struct Held<K> {
    signals: Arc<Mutex<HashMap<K, StopSignal>>>,
}

impl<K> Clone for Held<K> {
    fn clone(&self) -> Self {
        Self {
            signals: Arc::clone(&self.signals),
        }
    }
}

impl<K> Default for Held<K> {
    fn default() -> Self {
        Self {
            signals: Arc::default(),
        }
    }
}

impl<K: Copy + Eq + Hash> Held<K> {
    /// The keys of all units held.
    pub fn keys(&self) -> Vec<K> {
        self.lock().keys().copied().collect()
    }

    /// Stops the units that `chosen` picks.
    pub fn stop_where(&self, reason: Stop, mut chosen: impl FnMut(&K) -> bool) {
        for (_, signal) in self.lock().iter().filter(|(key, _)| chosen(key)) {
            signal.stop(reason);
        }
    }

    /// Stops every unit.
    pub fn stop_all(&self, reason: Stop) {
        self.stop_where(reason, |_| true);
    }

    pub(crate) fn insert(&self, key: K) -> StopSignal {
        let signal = StopSignal::new();
        self.lock().insert(key, signal.clone());
        signal
    }

    pub(crate) fn remove(&self, key: &K) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, StopSignal>> {
        // The map is whole after every operation, so a panic elsewhere leaves nothing half done.
        self.signals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
