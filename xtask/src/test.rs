//! `cargo xtask test`: everything that has to pass, with the servers that it needs.
//!
//! A step that fails does not keep the others from running, and a step that cannot run fails the
//! whole: nothing is skipped silently.

use crate::chaos;
use crate::containers::Containers;
use crate::poisoned;
use crate::provision::{DIRECT_URL, POOLED_URL, TestServers};
use crate::report::Report;
use crate::run::{cargo, interrupt, run};
use crate::tidy;
use anyhow::Result;
use std::process::ExitCode;
use tokio::process::Command;

/// What to test.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run the database suites against containers: PostgreSQL, Supavisor and `PgBouncer`.
    #[arg(long)]
    containers: bool,
    /// Run the tests only, with these arguments for `cargo test` (names, `-p CRATE`, `-- FLAGS`).
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Takes every step and prints how each ended.
pub(crate) async fn run_all(options: Options) -> Result<ExitCode> {
    let mut report = Report::default();
    let interrupted = if options.containers {
        let containers = Containers::prepare().await?;
        let interrupted = tokio::select! {
            () = containers.test(&options.arguments, &mut report) => Ok(false),
            result = interrupt() => result.map(|()| true),
        };
        report
            .step("remove the containers", containers.remove())
            .await;
        interrupted
    } else {
        let mut servers = None;
        let interrupted = tokio::select! {
            () = take_steps(&options.arguments, &mut report, &mut servers) => Ok(false),
            result = interrupt() => result.map(|()| true),
        };
        if let Some(servers) = servers {
            report.step("stop the servers", servers.stop()).await;
        }
        interrupted
    };
    if interrupted? {
        report.not_run("the rest", "interrupted");
    }
    Ok(report.finish())
}

async fn take_steps(arguments: &[String], report: &mut Report, servers: &mut Option<TestServers>) {
    if arguments.is_empty() {
        report
            .step("format", run(cargo_with(&["fmt", "--all", "--check"])))
            .await;
        report.step("lints", run(lints())).await;
        report.step("tidy", tidy::check()).await;
        report.step("docs", run(docs())).await;
        // End-to-end tests of several crates run this binary.
        report
            .step(
                "build",
                run(cargo_with(&["build", "--package", "trawl-api"])),
            )
            .await;
    } else {
        println!("with arguments only the tests run, not the checks of format, lints and docs");
    }
    let provide = async {
        *servers = Some(TestServers::provide().await?);
        Ok(())
    };
    report.step("servers", provide).await;
    match servers {
        Some(servers) => report.step("tests", run(tests(servers, arguments))).await,
        None => report.not_run("tests", "no servers"),
    }
    if arguments.is_empty() {
        match servers {
            Some(servers) => report.step("poisoned", poisoned::test(servers)).await,
            None => report.not_run("poisoned", "no servers"),
        }
        // Last, so that nothing else is measured or tested while everything around it breaks.
        let storm = Box::pin(chaos::weather(chaos::SHORT));
        report.step("chaos", storm).await;
    }
}

fn cargo_with(arguments: &[&str]) -> Command {
    let mut command = cargo();
    command.args(arguments);
    command
}

fn lints() -> Command {
    cargo_with(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ])
}

fn docs() -> Command {
    let mut command = cargo_with(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ]);
    // Private items are documented here, so links to them lead somewhere.
    let flags = "--deny warnings --allow rustdoc::private_intra_doc_links";
    command.env("RUSTDOCFLAGS", flags);
    command
}

/// Unit, integration and documentation tests.
fn tests(servers: &TestServers, arguments: &[String]) -> Command {
    let mut command = cargo_with(&["test", "--no-fail-fast"]);
    let names_package = |argument: &String| {
        argument == "-p" || argument.starts_with("--package") || argument == "--workspace"
    };
    if !arguments.iter().any(names_package) {
        command.arg("--workspace");
    }
    command.args(arguments);
    command
        .env(DIRECT_URL, &servers.direct_url)
        .env(POOLED_URL, &servers.pooled_url);
    command
}
