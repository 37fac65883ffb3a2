//! Other programs, run to their end or to an interrupt.
//!
//! Each gets a process group of its own, so that an interrupt ends the programs that it started
//! as well, before the servers that they use are stopped.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// Between asking a program to end and ending it.
const END_LIMIT: Duration = Duration::from_secs(10);

/// The cargo that runs this task.
///
/// Without the variables that describe this task's own package: build scripts that read them
/// would run anew, and rebuild much, each time a task and a developer take turns at cargo.
pub(crate) fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    for (name, _value) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a program with our own output streams; its failure is an error.
pub(crate) async fn run(mut command: Command) -> Result<()> {
    let shown = describe(&command);
    println!("$ {shown}");
    command
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    let child = command
        .spawn()
        .with_context(|| format!("cannot run {shown}"))?;
    let mut group = Group { child };
    let status = group
        .child
        .wait()
        .await
        .with_context(|| format!("cannot wait for {shown}"))?;
    if status.success() {
        Ok(())
    } else {
        bail!("{shown}: {status}")
    }
}

/// Runs a program and returns what it printed on standard output; its failure is an error.
pub(crate) async fn output_of(mut command: Command) -> Result<String> {
    let shown = describe(&command);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command
        .output()
        .await
        .with_context(|| format!("cannot run {shown}"))?;
    if !output.status.success() {
        bail!(
            "{shown}: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Waits for Ctrl-C, SIGTERM or the end of the terminal.
pub(crate) async fn interrupt() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut hang_up = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for Ctrl-C")?,
        _signal = terminate.recv() => {}
        _signal = hang_up.recv() => {}
    }
    Ok(())
}

/// A program with all it started; ended when dropped before its end.
struct Group {
    child: Child,
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its number is forgotten once it has been waited for.
        let Some(pid) = self.child.id().and_then(|id| i32::try_from(id).ok()) else {
            return;
        };
        let group = Pid::from_raw(pid);
        let _already_gone = killpg(group, Signal::SIGTERM);
        let deadline = std::time::Instant::now() + END_LIMIT;
        while matches!(self.child.try_wait(), Ok(None)) && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _already_gone = killpg(group, Signal::SIGKILL);
    }
}

fn describe(command: &Command) -> String {
    let command = command.as_std();
    let program = std::path::Path::new(command.get_program());
    let mut shown = program
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args() {
        shown.push(' ');
        shown.push_str(&argument.to_string_lossy());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_interrupted_program_takes_its_children_with_it() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let file = directory.path().join("pid");
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("sleep 600 & echo $! > {}; wait", file.display()));
        let grandchild = async {
            loop {
                match std::fs::read_to_string(&file)
                    .unwrap_or_default()
                    .trim()
                    .parse::<i32>()
                {
                    Ok(pid) => return pid,
                    Err(_not_yet) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        let pid = tokio::select! {
            _end = run(command) => panic!("ended by itself"),
            pid = grandchild => pid,
        };
        let deadline = std::time::Instant::now() + END_LIMIT;
        while is_running(pid) {
            assert!(
                std::time::Instant::now() < deadline,
                "the grandchild {pid} lives on"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A process that ended and was not waited for yet runs no more.
    fn is_running(pid: i32) -> bool {
        let output = std::process::Command::new("ps")
            .args(["-o", "stat=", "-p", &pid.to_string()])
            .output()
            .expect("ps runs");
        let state = String::from_utf8_lossy(&output.stdout);
        !state.trim().is_empty() && !state.trim().starts_with('Z')
    }

    #[tokio::test]
    async fn failure_names_the_program_and_its_arguments() {
        let mut command = Command::new("sh");
        command.args(["-c", "exit 3"]);
        let error = run(command).await.expect_err("exit 3");
        assert_eq!(error.to_string(), "sh -c exit 3: exit status: 3");
    }
}
