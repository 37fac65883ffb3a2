//! Where log lines go: to stderr, as text for people or as one JSON object a line.

use std::io::{self, IsTerminal};

use tracing_subscriber::fmt;

use crate::config::{LogArgs, LogFormat};

/// Starts the log. stdout stays free for what a command answers.
///
/// # Errors
/// When a log was started before.
pub fn init(args: &LogArgs) -> anyhow::Result<()> {
    let log = fmt()
        .with_env_filter(args.log.build())
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match args.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    }
    .map_err(|error| anyhow::anyhow!(error).context("start the log"))
}
