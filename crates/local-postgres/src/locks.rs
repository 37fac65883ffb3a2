//! Who uses a data directory: two lock files, held by the kernel on behalf of live processes.
//!
//! The *gate* is held alone while a server is looked for, started or stopped.
//! The *membership* is held shared for as long as a process uses the server; whoever can turn its
//! own into the only one is the last user, and stops the server.
//! Both vanish with the process that held them, so a crash leaves nothing to clean up.
//!
//! Each is given back by unlocking, not by closing its file: a program that another thread is just
//! starting has a copy of the descriptor until its `exec`, and the lock would last as long as that
//! copy (`flock(2)`).

use crate::error::LocalPostgresError;
use crate::wait::Deadline;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two looks at a taken gate where there is no runtime to sleep in.
const BLOCKING_POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The right to look for, start or stop the server; given back on drop.
#[derive(Debug)]
pub(crate) struct Gate(File);

impl Gate {
    /// Waits for the right.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::TimedOut`] when another process keeps it past the deadline.
    pub(crate) async fn enter(path: &Path, deadline: Deadline) -> Result<Self, LocalPostgresError> {
        loop {
            if let Some(gate) = Self::try_enter(path)? {
                return Ok(gate);
            }
            if !deadline.next_look().await {
                return Err(LocalPostgresError::TimedOut {
                    what: format!("another Trawl's release of {}", path.display()),
                    limit: deadline.limit(),
                    source: None,
                });
            }
        }
    }

    /// Waits for the right, blocking the thread; `None` when it stays taken for all of `limit`.
    ///
    /// # Errors
    ///
    /// As [`Gate::try_enter`].
    pub(crate) fn enter_blocking(
        path: &Path,
        limit: Duration,
    ) -> Result<Option<Self>, LocalPostgresError> {
        let started = Instant::now();
        loop {
            let gate = Self::try_enter(path)?;
            if gate.is_some() || started.elapsed() >= limit {
                return Ok(gate);
            }
            std::thread::sleep(BLOCKING_POLL_INTERVAL);
        }
    }

    /// Takes the right if it is free now.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Files`] when the file system has no locks.
    fn try_enter(path: &Path) -> Result<Option<Self>, LocalPostgresError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => {
                Err(LocalPostgresError::files("lock", path)(source))
            }
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        give_back(&self.0);
    }
}

/// The state of using the server.
#[derive(Debug)]
pub(crate) struct Membership {
    file: File,
    path: PathBuf,
}

impl Membership {
    /// Becomes a user. The caller holds the gate, so nobody is deciding to stop the server.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Files`].
    pub(crate) fn join(path: &Path, _gate: &Gate) -> Result<Self, LocalPostgresError> {
        let file = open(path)?;
        // Only a holder of the gate ever locks it alone, so this does not wait.
        file.lock_shared()
            .map_err(LocalPostgresError::files("lock", path))?;
        Ok(Self {
            file,
            path: path.to_path_buf(),
        })
    }

    /// Whether nobody else is a user.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Files`].
    pub(crate) fn is_alone(&self, _gate: &Gate) -> Result<bool, LocalPostgresError> {
        let alone = match self.file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(source)) => {
                return Err(LocalPostgresError::files("lock", &self.path)(source));
            }
        };
        // A refused conversion may have cost the shared lock (flock(2)); nobody else can take it
        // alone meanwhile, since that needs the gate.
        self.file
            .lock_shared()
            .map_err(LocalPostgresError::files("lock", &self.path))?;
        Ok(alone)
    }

    /// Stops being a user; answers whether this was the last one.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Files`].
    pub(crate) fn leave(self, _gate: &Gate) -> Result<bool, LocalPostgresError> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(source)) => {
                Err(LocalPostgresError::files("lock", &self.path)(source))
            }
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        give_back(&self.file);
    }
}

/// What cannot be unlocked is so when its file is closed, which follows.
fn give_back(file: &File) {
    if let Err(error) = file.unlock() {
        tracing::debug!(%error, "a lock file is closed without being unlocked");
    }
}

fn open(path: &Path) -> Result<File, LocalPostgresError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(LocalPostgresError::files("open the lock file", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_member_out_knows_it() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let (gate, users) = (
            directory.path().join("gate"),
            directory.path().join("users"),
        );
        let entered = Gate::enter(&gate, Deadline::after(Duration::ZERO))
            .await
            .expect("free");
        let first = Membership::join(&users, &entered).expect("join");
        let second = Membership::join(&users, &entered).expect("join");
        assert!(
            !first.leave(&entered).expect("leave"),
            "the second one is still in"
        );
        assert!(second.leave(&entered).expect("leave"), "nobody is left");
    }

    #[tokio::test]
    async fn the_gate_admits_one_at_a_time() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let gate = directory.path().join("gate");
        let limit = Duration::from_millis(50);
        let first = Gate::enter(&gate, Deadline::after(limit))
            .await
            .expect("free");
        let error = Gate::enter(&gate, Deadline::after(limit))
            .await
            .expect_err("taken");
        assert!(
            matches!(error, LocalPostgresError::TimedOut { .. }),
            "{error}"
        );
        drop(first);
        Gate::enter(&gate, Deadline::after(limit))
            .await
            .expect("free again");
    }

    #[test]
    fn a_copy_of_a_descriptor_keeps_no_lock() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let (gate, users) = (
            directory.path().join("gate"),
            directory.path().join("users"),
        );
        let first = Gate::try_enter(&gate).expect("locks").expect("free");
        let one = Membership::join(&users, &first).expect("join");
        let two = Membership::join(&users, &first).expect("join");
        // As the child of a fork has them, until it is another program.
        let copies = [first.0.try_clone(), one.file.try_clone()];
        drop(first);
        let again = Gate::try_enter(&gate).expect("locks").expect("free again");
        drop(one);
        assert!(two.leave(&again).expect("leave"), "nobody else is left");
        drop(copies);
    }
}
