//! Writes endings, many in one statement, until each is acknowledged.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use trawl_domain::backoff::Backoff;
use trawl_domain::failure::{Failure, FailureCode};
use trawl_persistence::class::ErrorClass;

use super::chain::Chain;
use super::held::Held;
use super::task::{Ended, Outcome, Task};
use super::wake::Wake;

/// Endings that travel together at most.
const GROUP_MAX: usize = 128;
/// How long an ending waits for company (chosen: nobody notices it, and a process that ends 1,000
/// sites a second writes 20 statements for them).
const LINGER: Duration = Duration::from_millis(50);
const RETRY: Backoff = Backoff {
    base: Duration::from_millis(200),
    cap: Duration::from_secs(5),
};

/// An ending on its way to the database. The slot stays taken until it is written.
pub(super) struct Finishing<T: Task> {
    pub(super) ended: Ended<T>,
    pub(super) slot: OwnedSemaphorePermit,
}

/// Writes endings until every sender is gone.
pub(super) async fn run<T: Task>(
    task: Arc<T>,
    held: Held<T::Key>,
    wake: Wake,
    mut endings: mpsc::Receiver<Finishing<T>>,
) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while endings.recv_many(&mut group, GROUP_MAX).await > 0 {
        let linger = tokio::time::sleep(LINGER);
        tokio::pin!(linger);
        while group.len() < GROUP_MAX {
            tokio::select! {
                () = &mut linger => break,
                received = endings.recv() => match received {
                    Some(ending) => group.push(ending),
                    None => break,
                },
            }
        }
        let (ended, slots): (Vec<_>, Vec<_>) = group
            .drain(..)
            .map(|finishing| (finishing.ended, finishing.slot))
            .unzip();
        write(&*task, &ended).await;
        for ended in &ended {
            held.remove(&T::key(&ended.item));
        }
        drop(slots);
        // A slot and perhaps room in a batch are free now.
        wake.notify();
    }
}

/// Writes a group, however often it takes. A group that the database refuses as wrong is split, so
/// that one bad ending cannot hold up the others.
async fn write<T: Task>(task: &T, ended: &[Ended<T>]) {
    match write_until_answered(task, ended).await {
        Ok(()) => {}
        Err(()) if ended.len() == 1 => replace_refused(task, ended).await,
        Err(()) => {
            for one in ended {
                let one = std::slice::from_ref(one);
                if write_until_answered(task, one).await.is_err() {
                    replace_refused(task, one).await;
                }
            }
        }
    }
}

/// Tries again while that can help; `Err` when the database refuses the group itself.
async fn write_until_answered<T: Task>(task: &T, ended: &[Ended<T>]) -> Result<(), ()> {
    let mut failures = 0;
    loop {
        let Err(error) = task.finish(ended).await else {
            return Ok(());
        };
        match error.class() {
            ErrorClass::Bug | ErrorClass::Conflict => {
                tracing::error!(
                    task = T::NAME,
                    count = ended.len(),
                    error = %Chain(&error),
                    "the database refuses an ending"
                );
                return Err(());
            }
            ErrorClass::Retryable
            | ErrorClass::RetryLater
            | ErrorClass::OutcomeUnknown
            | ErrorClass::Permanent => {
                failures += 1;
                tracing::warn!(
                    task = T::NAME,
                    count = ended.len(),
                    failures,
                    error = %Chain(&error),
                    "cannot write endings yet; trying again"
                );
                tokio::time::sleep(RETRY.delay(failures, rand::random())).await;
            }
        }
    }
}

/// Writes a plain failure in place of an ending that the database refuses.
async fn replace_refused<T: Task>(task: &T, ended: &[Ended<T>]) {
    for one in ended {
        let failure = Failure::new(
            FailureCode::Internal,
            "The result could not be stored; the log of the service says why.",
        );
        let replacement = Ended {
            item: Arc::clone(&one.item),
            outcome: Outcome::Failed(failure),
        };
        if write_until_answered(task, &[replacement]).await.is_err() {
            tracing::error!(
                task = T::NAME,
                key = ?T::key(&one.item),
                "not even the failure could be stored; the lease will return the work"
            );
        }
    }
}
