//! `cargo xtask servers`: the test servers by hand, for running single tests while developing.

use crate::provision::{DIRECT_URL, POOLED_URL, TestServers};
use crate::run::interrupt;
use anyhow::Result;
use std::process::ExitCode;

/// Starts the servers, prints what to export, and stops them at the end of stdin or at Ctrl-C.
pub(crate) async fn run() -> Result<ExitCode> {
    let servers = tokio::select! {
        started = TestServers::provide() => started?,
        interrupted = interrupt() => {
            interrupted?;
            return Ok(ExitCode::FAILURE);
        }
    };
    println!("export {DIRECT_URL}='{}'", servers.direct_url);
    println!("export {POOLED_URL}='{}'", servers.pooled_url);
    eprintln!("the servers run until stdin ends or Ctrl-C");
    tokio::select! {
        () = end_of_input() => {}
        interrupted = interrupt() => interrupted?,
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
