//! Waiting for a condition with a deadline.
//!
//! Tests never sleep for a time that ought to be enough: they say what has to become true and how
//! long that may take at worst. The deadline only bounds a failing test, so it can be generous.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Time between two looks. Chosen, not measured: short against what is waited for (a commit, a
/// heartbeat), long enough to leave the processor to the code under test.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Waits until `probe` answers `Ok` and returns what it answered.
///
/// An `Err` means "not yet" and says what was seen instead.
///
/// # Errors
///
/// When `patience` runs out: names `what` was awaited, with the last answer of the probe as cause.
pub async fn wait_for<T>(
    what: &str,
    patience: Duration,
    mut probe: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let deadline = Instant::now() + patience;
    let mut last = anyhow!("the first look did not return");
    loop {
        match timeout_at(deadline, probe()).await {
            Ok(Ok(seen)) => return Ok(seen),
            Ok(Err(not_yet)) => last = not_yet,
            Err(_elapsed) => break,
        }
        let next = Instant::now() + POLL_INTERVAL;
        if next >= deadline {
            break;
        }
        sleep_until(next).await;
    }
    Err(last).with_context(|| format!("waited {patience:?} in vain for {what}"))
}

/// Waits until `probe` answers `true`.
///
/// # Errors
///
/// When `patience` runs out: names `what` was awaited.
pub async fn wait_until(
    what: &str,
    patience: Duration,
    mut probe: impl AsyncFnMut() -> bool,
) -> Result<()> {
    wait_for(what, patience, async || {
        if !probe().await {
            bail!("the condition is still false");
        }
        Ok(())
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn returns_as_soon_as_the_probe_is_content() {
        let looks = Cell::new(0);
        let seen = wait_for("the third look", Duration::from_secs(60), async || {
            looks.set(looks.get() + 1);
            anyhow::ensure!(looks.get() == 3, "look {}", looks.get());
            Ok(looks.get())
        })
        .await
        .unwrap();
        assert_eq!(seen, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn failure_names_the_condition_and_the_last_look() {
        let error = wait_for::<()>("a miracle", Duration::from_millis(20), async || {
            bail!("nothing unusual seen")
        })
        .await
        .unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("a miracle") && text.contains("nothing unusual seen"),
            "{text}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_hangs_does_not_outlast_the_deadline() {
        let waited = wait_until("an answer", Duration::from_millis(20), async || {
            std::future::pending().await
        });
        assert!(waited.await.is_err());
    }
}
