//! `cargo xtask servers`: the test servers by hand, for running single tests while developing.

use crate::provision::{DIRECT_URL, POOLED_URL, TestServers};
use crate::run::interrupt;
use anyhow::Result;
use std::process::ExitCode;
use trawl_test_support::{HostilePooler, Hostility};

/// Which pooler stands before PostgreSQL.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A hostile pooler in place of `PgBouncer`: each transaction gets another backend, in a state
    /// that other clients have left.
    #[arg(long)]
    poison: bool,
    /// What the hostile pooler's dice throw.
    #[arg(long, default_value_t = 1, requires = "poison")]
    seed: u64,
}

/// Starts the servers, prints what to export, and stops them at the end of stdin or at Ctrl-C.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    let servers = tokio::select! {
        started = TestServers::provide() => started?,
        interrupted = interrupt() => {
            interrupted?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let poisoner = if options.poison {
        let hostility = Hostility::bearable(options.seed);
        Some(HostilePooler::start(&servers.direct_url, hostility).await?)
    } else {
        None
    };
    let pooled_url = match &poisoner {
        Some(poisoner) => poisoner.url(),
        None => servers.pooled_url.clone(),
    };
    println!("export {DIRECT_URL}='{}'", servers.direct_url);
    println!("export {POOLED_URL}='{pooled_url}'");
    eprintln!("the servers run until stdin ends or Ctrl-C");
    tokio::select! {
        () = end_of_input() => {}
        interrupted = interrupt() => interrupted?,
    }
    if let Some(poisoner) = poisoner {
        eprintln!("{}", poisoner.report());
    }
    servers.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// A thread of its own, since a read of stdin cannot be called off: it ends with the process.
async fn end_of_input() {
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ignored = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _nobody_waits = ended.send(());
    });
    let _ended = end.await;
}
