//! The project's tasks: `cargo xtask <task>`.
//!
//! One thin match over subcommands, one module each. No product logic lives here.

#![expect(clippy::print_stdout, reason = "what a task prints is its result")]

mod accuracy;
mod chaos;
mod containers;
mod demo;
mod migrate;
mod mutations;
mod poisoned;
mod provision;
mod report;
mod run;
mod servers;
mod soak;
mod test;
mod tidy;

use clap::{Parser, Subcommand};
use std::io::IsTerminal;
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
    /// Prints precision and recall of the extraction on labeled pages, by field and language.
    Accuracy(accuracy::Options),
    /// Breaks everything around Trawl for a while, and checks that no promise was broken.
    Chaos(chaos::Options),
    /// Crawls a batch of 20 sites of a local farm through `PgBouncer`, and checks the result.
    Demo,
    /// Applies or examines the migrations of the database that the environment names.
    #[command(subcommand)]
    Migrate(migrate::Action),
    /// Breaks one promise after the other in a copy, and demands that tests notice.
    Mutations(mutations::Options),
    /// Starts the PostgreSQL and the `PgBouncer` that tests need, until stdin ends or Ctrl-C.
    Servers(servers::Options),
    /// Works steadily for a while, and shows whether memory, connections or tables grow.
    Soak(soak::Options),
    /// Runs everything that has to pass, with the servers that it needs.
    Test(test::Options),
    /// Checks the rules of the house that no compiler checks.
    Tidy,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter("warn,trawl_local_postgres=info")
        .with_target(false)
        .without_time()
        .init();
    let done = match Cli::parse().task {
        Task::Accuracy(options) => accuracy::run(options).await.map(|()| ExitCode::SUCCESS),
        Task::Chaos(options) => chaos::run(options).await,
        Task::Demo => demo::run_demo().await,
        Task::Migrate(action) => migrate::run(action).await,
        Task::Mutations(options) => mutations::run_mutations(options).await,
        Task::Servers(options) => servers::run(options).await,
        Task::Soak(options) => soak::run_soak(options).await,
        Task::Test(options) => test::run_all(options).await,
        Task::Tidy => tidy::check().await.map(|()| ExitCode::SUCCESS),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
