//! Signals that ask this process to end.

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code after a second signal: the end was not in good order.
const EXIT_AT_ONCE: i32 = 1;

/// Answers a token that is canceled by the first SIGTERM or SIGINT. The second one ends the process
/// at once, leaving everything as a crash would.
///
/// # Errors
/// When the handlers cannot be installed.
pub(crate) fn on_signals() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let stop = CancellationToken::new();
    let first = stop.clone();
    // Lives as long as the process: there is no time at which a signal means nothing.
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            }
        };
        let signal = next().await;
        tracing::info!(signal, "stopping; a second signal ends the process at once");
        first.cancel();
        let signal = next().await;
        tracing::warn!(signal, "ending at once");
        std::process::exit(EXIT_AT_ONCE);
    });
    Ok(stop)
}
