//! What the binary can do, one file a command.

mod audit;
mod doctor;
mod migrate;
mod scan;
mod serve;
mod worker;

use std::process::ExitCode;

use anyhow::Context as _;

use crate::config::{Cli, Command};

/// Runs a command to its end, on a runtime of its own.
///
/// # Errors
/// Why the command could not do what it is for, with all causes.
pub fn run(command: Command) -> anyhow::Result<ExitCode> {
    for name in Cli::unknown_variables(std::env::vars_os().map(|(name, _value)| name)) {
        tracing::warn!("{name} is set, and this version of trawl has no such setting");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    runtime.block_on(async {
        // Each command's future is large, and only one is ever made.
        match command {
            Command::Serve(args) => Box::pin(serve::serve(args)).await,
            Command::Worker(args) => Box::pin(worker::worker(args)).await,
            Command::Migrate(args) => Box::pin(migrate::migrate(args)).await,
            Command::Doctor(args) => Box::pin(doctor::doctor(args)).await,
            Command::Audit(args) => Box::pin(audit::audit(args)).await,
            Command::Scan(args) => Box::pin(scan::scan(args)).await,
        }
    })
}
