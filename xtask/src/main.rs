//! The project's tasks: `cargo xtask <task>`.
//!
//! One thin match over subcommands, one module each. No product logic lives here.

#![expect(clippy::print_stdout, reason = "what a task prints is its result")]

mod provision;
mod servers;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The project's tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Starts the PostgreSQL and the `PgBouncer` that tests need, until stdin ends or Ctrl-C.
    Servers,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    let done = match Cli::parse().task {
        Task::Servers => servers::run().await,
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
