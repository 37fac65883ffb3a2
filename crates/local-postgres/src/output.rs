//! Short-lived programs: run to the end within a deadline, output captured.

use crate::error::LocalPostgresError;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// For one short program. `initdb` took 1 s here; a slow disk may take thirty times that.
const PROGRAM_LIMIT: Duration = Duration::from_secs(120);

/// How much of an output goes into an error.
const TAIL_LINES: usize = 15;

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Whether it reported success.
    pub(crate) success: bool,
    /// Standard output, then standard error.
    pub(crate) text: String,
}

/// Runs a program to its end, without standard input and in the C locale.
///
/// # Errors
///
/// [`LocalPostgresError::Spawn`] or [`LocalPostgresError::TimedOut`]; a program that reports
/// failure is no error here.
pub(crate) async fn run(command: Command) -> Result<Finished, LocalPostgresError> {
    run_within(command, PROGRAM_LIMIT).await
}

/// [`run`] with a limit of its own.
///
/// # Errors
///
/// As [`run`].
pub(crate) async fn run_within(
    mut command: Command,
    limit: Duration,
) -> Result<Finished, LocalPostgresError> {
    let program = PathBuf::from(command.as_std().get_program());
    command
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    match tokio::time::timeout(limit, command.output()).await {
        Err(_elapsed) => Err(LocalPostgresError::TimedOut {
            what: format!("the end of {}", program.display()),
            limit,
            source: None,
        }),
        Ok(Err(source)) => Err(LocalPostgresError::Spawn { program, source }),
        Ok(Ok(output)) => {
            let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.push_str(&String::from_utf8_lossy(&output.stderr));
            Ok(Finished {
                success: output.status.success(),
                text,
            })
        }
    }
}

/// [`run`], where failure of the program is an error too.
///
/// # Errors
///
/// As [`run`], and [`LocalPostgresError::ProgramFailed`].
pub(crate) async fn run_checked(command: Command) -> Result<String, LocalPostgresError> {
    let program = PathBuf::from(command.as_std().get_program());
    let finished = run(command).await?;
    if finished.success {
        Ok(finished.text)
    } else {
        Err(LocalPostgresError::ProgramFailed {
            program,
            output: tail(&finished.text),
        })
    }
}

/// The last lines of a text, on one line.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join(" | ")
}

/// The last lines of a log file; a log that cannot be read has none.
pub(crate) fn tail_of_file(path: &Path) -> String {
    tail(&fs::read_to_string(path).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_keeps_the_last_lines_only() {
        let text = (0..40).map(|n| format!("line {n}\n\n")).collect::<String>();
        let tail = tail(&text);
        assert!(tail.starts_with("line 25 | line 26"), "{tail}");
        assert!(tail.ends_with("line 39"), "{tail}");
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_ended_at_the_limit() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let error = run_within(command, Duration::from_millis(50))
            .await
            .expect_err("hangs");
        assert!(
            matches!(error, LocalPostgresError::TimedOut { .. }),
            "{error}"
        );
    }

    #[tokio::test]
    async fn failure_carries_what_the_program_said() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo said so >&2; exit 3"]);
        let error = run_checked(command).await.expect_err("exit 3");
        assert_eq!(error.to_string(), "sh failed: said so");
    }
}
