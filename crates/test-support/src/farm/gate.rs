//! Gates: answers held back until a test has seen what it wanted to see.
//!
//! A crawler that waits for answers stands still, so what it does at once can be counted without
//! racing it. A gate never loses a request: those that wait go on when it is released.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::lock;

/// A request that a gate may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRequest {
    /// The host without the port, in lower case.
    pub host: String,
    /// The path with the query.
    pub path: String,
}

/// Holds answers back until it is released or dropped.
///
/// Of several gates each holds what it picks; a request waits for all that pick it.
#[derive(Debug)]
pub struct Gate {
    /// Dropping the sender is what the requests wait for.
    _closed: watch::Sender<()>,
}

impl Gate {
    /// Lets all held requests go on and holds no others.
    pub fn release(self) {
        drop(self);
    }
}

#[derive(Debug, Default)]
pub(super) struct Gates {
    bars: Mutex<Vec<Bar>>,
    /// How many requests of each host wait.
    held: Mutex<BTreeMap<String, usize>>,
}

/// The farm's end of a [`Gate`].
#[derive(Clone)]
struct Bar {
    is_held: Arc<dyn Fn(&HeldRequest) -> bool + Send + Sync>,
    released: watch::Receiver<()>,
}

impl fmt::Debug for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bar").finish_non_exhaustive()
    }
}

impl Gates {
    pub(super) fn close(
        &self,
        is_held: impl Fn(&HeldRequest) -> bool + Send + Sync + 'static,
    ) -> Gate {
        let (closed, released) = watch::channel(());
        lock(&self.bars).push(Bar {
            is_held: Arc::new(is_held),
            released,
        });
        Gate { _closed: closed }
    }

    pub(super) fn held_hosts(&self) -> BTreeSet<String> {
        lock(&self.held).keys().cloned().collect()
    }

    /// Returns when no gate holds the request any more.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the request no longer counts as held.
    pub(super) async fn pass(&self, request: &HeldRequest) {
        let bars = {
            let mut bars = lock(&self.bars);
            bars.retain(|bar| bar.released.has_changed().is_ok());
            bars.clone()
        };
        for mut bar in bars {
            if (bar.is_held)(request) {
                let _waiting = Waiting::new(self, request);
                // Nothing is ever sent: the only news is that the gate is gone.
                let _gone = bar.released.changed().await;
            }
        }
    }
}

/// Counts a request as held while it lives.
struct Waiting<'a> {
    gates: &'a Gates,
    host: &'a str,
}

impl<'a> Waiting<'a> {
    fn new(gates: &'a Gates, request: &'a HeldRequest) -> Self {
        *lock(&gates.held).entry(request.host.clone()).or_default() += 1;
        Self {
            gates,
            host: &request.host,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut held = lock(&self.gates.held);
        if let Some(count) = held.get_mut(self.host) {
            *count -= 1;
            if *count == 0 {
                held.remove(self.host);
            }
        }
    }
}
