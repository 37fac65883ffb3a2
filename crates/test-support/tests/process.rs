//! Children are started, heard, suspended and ended as told. A shell stands in for trawl.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use trawl_test_support::process::TrawlCommand;
use trawl_test_support::wait_until;

const PATIENCE: Duration = Duration::from_secs(10);

fn shell(script: &str) -> TrawlCommand {
    TrawlCommand::of_program("/bin/sh", ["-c", script])
}

/// The state letter of a process, `T` for stopped; `None` if it is gone or dead.
fn state(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(PathBuf::from(format!("/proc/{pid}/stat"))).ok()?;
    let (_name, rest) = stat.rsplit_once(") ")?;
    rest.chars().next().filter(|state| !"ZX".contains(*state))
}

#[tokio::test]
async fn a_process_is_started_heard_and_terminated() -> Result<()> {
    let script = "trap 'echo drained; exit 3' TERM
                  echo \"url is listening on http://127.0.0.1:$TRAWL_PORT\" >&2
                  while :; do sleep 0.01; done";
    let (process, url) = shell(script)
        .env("TRAWL_PORT", "4711")
        .start(PATIENCE)
        .await?;
    assert_eq!(url, "http://127.0.0.1:4711");
    process.terminate()?;
    let finished = process.wait(PATIENCE).await?;
    assert_eq!(finished.status.code(), Some(3));
    assert_eq!(finished.stdout, "drained\n");
    assert!(finished.stderr.contains("listening"));
    Ok(())
}

#[tokio::test]
async fn a_process_that_ends_instead_of_listening_is_quoted() -> Result<()> {
    let error = shell("echo 'DATABASE_URL: no such thing' >&2; exit 2")
        .start(PATIENCE)
        .await
        .unwrap_err();
    let text = format!("{error:#}");
    assert!(
        text.contains("no such thing") && text.contains("exit status: 2"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn a_process_that_does_not_end_is_killed_and_quoted() -> Result<()> {
    let process = shell("echo working >&2; exec sleep 100").spawn()?;
    let pid = process.id();
    wait_until("a word", PATIENCE, async || {
        process.stderr().contains("working")
    })
    .await?;
    let error = process.wait(Duration::from_millis(20)).await.unwrap_err();
    assert!(error.to_string().contains("working"), "{error}");
    wait_until("its end", PATIENCE, async || state(pid).is_none()).await
}

#[tokio::test]
async fn a_process_is_suspended_resumed_and_killed() -> Result<()> {
    let process = shell("exec sleep 100").spawn()?;
    let pid = process.id();
    process.suspend()?;
    wait_until("it to stop", PATIENCE, async || state(pid) == Some('T')).await?;
    process.resume()?;
    wait_until("it to go on", PATIENCE, async || state(pid) == Some('S')).await?;
    process.kill()?;
    assert_eq!(process.wait(PATIENCE).await?.status.signal(), Some(9));
    Ok(())
}

#[tokio::test]
async fn a_process_ends_with_its_handle_even_if_suspended() -> Result<()> {
    let process = shell("exec sleep 100").spawn()?;
    let pid = process.id();
    process.suspend()?;
    drop(process);
    wait_until("its end", PATIENCE, async || state(pid).is_none()).await
}

#[tokio::test]
async fn the_settings_of_the_test_run_are_kept_from_the_child() -> Result<()> {
    // Set by whoever runs these tests, so there is something to be kept from the child.
    assert!(std::env::var_os("TRAWL_TEST_DATABASE_URL").is_some());
    let finished = TrawlCommand::of_program("/usr/bin/env", [""; 0])
        .env("DATABASE_URL", "postgres://here")
        .run(PATIENCE)
        .await?;
    let settings: Vec<_> = finished
        .stdout
        .lines()
        .filter(|line| line.starts_with("TRAWL_") || line.starts_with("DATABASE_"))
        .collect();
    assert_eq!(settings, ["DATABASE_URL=postgres://here"]);
    assert!(finished.stdout.contains("PATH="));
    Ok(())
}
