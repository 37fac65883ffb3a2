//! What a run did: one line a step, printed at the end, and the exit code that follows from it.

use anyhow::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How a step ended.
#[derive(Debug)]
enum Outcome {
    Passed,
    Failed(String),
    NotRun(String),
}

/// The steps of a run, in the order they were taken.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<(String, Outcome, Duration)>,
}

impl Report {
    /// Takes a step and notes how it ended.
    pub(crate) async fn step(&mut self, name: &str, work: impl Future<Output = Result<(), Error>>) {
        println!("\n== {name}");
        let started = Instant::now();
        let outcome = match work.await {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                eprintln!("error: {error:#}");
                Outcome::Failed(format!("{error:#}"))
            }
        };
        self.lines
            .push((name.to_owned(), outcome, started.elapsed()));
    }

    /// Notes a step that could not be taken, which counts as a failure.
    pub(crate) fn not_run(&mut self, name: &str, reason: &str) {
        self.lines.push((
            name.to_owned(),
            Outcome::NotRun(reason.to_owned()),
            Duration::ZERO,
        ));
    }

    /// Whether every step was taken and passed.
    pub(crate) fn is_success(&self) -> bool {
        self.lines
            .iter()
            .all(|(_, outcome, _)| matches!(outcome, Outcome::Passed))
    }

    /// Prints one line a step.
    pub(crate) fn finish(self) -> ExitCode {
        println!("\n{:<34} {:<8} {:>8}", "step", "result", "seconds");
        for (name, outcome, duration) in &self.lines {
            let (word, reason) = match outcome {
                Outcome::Passed => ("passed", ""),
                Outcome::Failed(reason) => ("FAILED", reason.as_str()),
                Outcome::NotRun(reason) => ("NOT RUN", reason.as_str()),
            };
            let reason = reason.lines().next().unwrap_or_default();
            let line = format!(
                "{name:<34} {word:<8} {:>8.1}  {reason}",
                duration.as_secs_f64()
            );
            println!("{}", line.trim_end());
        }
        if self.is_success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_step_that_failed_or_was_not_taken_fails_the_run() {
        let mut report = Report::default();
        report.step("good", async { Ok(()) }).await;
        assert!(report.is_success());
        report.not_run("missing", "no servers");
        assert!(!report.is_success());

        let mut report = Report::default();
        report
            .step("bad", async { Err(anyhow::anyhow!("no")) })
            .await;
        report.step("good", async { Ok(()) }).await;
        assert!(!report.is_success());
    }
}
