//! The backends of the hostile pooler: who gets which, and in what condition.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::backend::{BackDoor, Backend, Upstream};
use crate::dice::Dice;

/// What other clients of a pooler may leave on a backend. Each is the setting of an honest program.
pub(super) const POISONS: [&str; 15] = [
    "SET default_transaction_read_only = on",
    "SET search_path = ''",
    "SET TimeZone = 'Pacific/Kiritimati'",
    "SET statement_timeout = '20ms'",
    "SET lock_timeout = '1ms'",
    "SET default_transaction_isolation = 'serializable'",
    "SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601'",
    "SET extra_float_digits = -15; SET bytea_output = 'escape'",
    "SET standard_conforming_strings = off",
    "SET client_min_messages = 'debug1'",
    "SET enable_seqscan = off; SET enable_indexscan = off; SET work_mem = '64kB'",
    "SET client_encoding = 'LATIN1'",
    "SET synchronous_commit = off",
    "SET ROLE pg_signal_backend",
    "RESET ALL; RESET ROLE",
];

/// All backends.
#[derive(Debug)]
pub(super) struct Backends {
    pub(super) upstream: Upstream,
    size: usize,
    permits: Arc<Semaphore>,
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    idle: Vec<Backend>,
    /// The ways to those that serve somebody.
    busy: Vec<BackDoor>,
    opened: usize,
}

/// A backend that serves one client. Dropping it closes the connection.
#[derive(Debug)]
pub(super) struct Lent {
    backend: Option<Backend>,
    number: usize,
    owner: Arc<Backends>,
    _permit: OwnedSemaphorePermit,
}

impl Backends {
    pub(super) fn new(upstream: Upstream, size: usize) -> Self {
        Self {
            upstream,
            size,
            permits: Arc::new(Semaphore::new(size)),
            shelf: Mutex::default(),
        }
    }

    /// A backend other than `last`, if there can be one; `None` when all stay busy for `patience`.
    pub(super) async fn lend(
        self: &Arc<Self>,
        last: Option<usize>,
        dice: &mut Dice,
        patience: Duration,
    ) -> Result<Option<Lent>> {
        let waiting = Arc::clone(&self.permits).acquire_owned();
        let Ok(permit) = timeout(patience, waiting).await else {
            return Ok(None);
        };
        let permit = permit.context("the pooler is closing")?;
        let (found, number) = self.take(last, dice);
        // Made at once: it removes itself from the busy ones whatever happens now.
        let mut lent = Lent {
            backend: found,
            number,
            owner: Arc::clone(self),
            _permit: permit,
        };
        if lent.backend.is_none() {
            let backend = Backend::open(&self.upstream, number)
                .await
                .context("open a backend")?;
            self.shelf().busy.push(backend.door.clone());
            lent.backend = Some(backend);
        }
        Ok(Some(lent))
    }

    fn take(&self, last: Option<usize>, dice: &mut Dice) -> (Option<Backend>, usize) {
        let mut shelf = self.shelf();
        let others: Vec<usize> = (0..shelf.idle.len())
            .filter(|index| Some(shelf.idle[*index].door.number) != last)
            .collect();
        let may_open = shelf.idle.len() + shelf.busy.len() < self.size;
        let index = match dice.choose(&others) {
            Some(index) => Some(*index),
            None if may_open => None,
            None => shelf.idle.len().checked_sub(1),
        };
        match index {
            Some(index) => {
                let backend = shelf.idle.swap_remove(index);
                let door = backend.door.clone();
                let number = door.number;
                shelf.busy.push(door);
                (Some(backend), number)
            }
            None => {
                shelf.opened += 1;
                (None, shelf.opened)
            }
        }
    }

    /// A way to a backend that serves somebody, or to any where none does; never to `except`.
    pub(super) fn stranger(&self, except: Option<usize>, dice: &mut Dice) -> Option<BackDoor> {
        let shelf = self.shelf();
        let others = |doors: &mut dyn Iterator<Item = &BackDoor>| -> Vec<BackDoor> {
            doors
                .filter(|door| Some(door.number) != except)
                .cloned()
                .collect()
        };
        let mut doors = others(&mut shelf.busy.iter());
        if doors.is_empty() {
            doors = others(&mut shelf.idle.iter().map(|backend| &backend.door));
        }
        dice.choose(&doors).cloned()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent {
    pub(super) fn number(&self) -> usize {
        self.number
    }

    pub(super) fn backend(&mut self) -> Result<&mut Backend> {
        self.backend.as_mut().context("the backend was given back")
    }

    /// Gives the backend back for others to use.
    pub(super) fn give_back(mut self) {
        if let Some(backend) = self.backend.take() {
            self.owner.shelf().idle.push(backend);
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let number = self.number;
        self.owner.shelf().busy.retain(|door| door.number != number);
    }
}
