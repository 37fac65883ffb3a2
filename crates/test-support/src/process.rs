//! The real `trawl` binary as a child process: started, watched, suspended, killed.
//!
//! Children see only the environment they are given, never the settings of whoever runs the
//! tests, and end with their handle at the latest. Signals go to the one process, by its id.

mod output;

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::wait::wait_for;
use output::Output;

/// Names the binary to test; without it the one that cargo built beside the tests is used.
pub const BINARY_VARIABLE: &str = "TRAWL_TEST_BINARY";

/// What the binary says on stderr, followed by its URL, when it takes requests.
const LISTENING: &str = "listening on http://";

/// Prefixes of the variables that configure trawl.
const CONFIGURATION: [&str; 2] = ["TRAWL_", "DATABASE_"];

/// A command line and environment to start trawl with.
#[derive(Clone, Debug)]
pub struct TrawlCommand {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
}

impl TrawlCommand {
    /// The `trawl` binary with these arguments.
    ///
    /// # Errors
    ///
    /// When there is no binary.
    pub fn new<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Result<Self> {
        Ok(Self::of_program(binary()?, arguments))
    }

    /// Another program, for tests of programs that run beside trawl.
    pub fn of_program<A: AsRef<OsStr>>(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            program: program.into(),
            arguments: arguments
                .into_iter()
                .map(|argument| argument.as_ref().to_owned())
                .collect(),
            variables: Vec::new(),
        }
    }

    /// Sets a variable of the child's environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.variables
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Starts the process and returns at once.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn spawn(&self) -> Result<TrawlProcess> {
        let mut command = Command::new(&self.program);
        for (name, _value) in env::vars_os() {
            let text = name.to_string_lossy();
            if CONFIGURATION.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        let mut child = command
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", self.program.display()))?;
        let pid = child
            .id()
            .context("a child that was just started has an id")?;
        Ok(TrawlProcess {
            stdout: Output::collect(child.stdout.take()),
            stderr: Output::collect(child.stderr.take()),
            pid: Pid::from_raw(i32::try_from(pid).context("a process id fits its type")?),
            child,
        })
    }

    /// Starts the process and waits until it takes requests.
    ///
    /// # Errors
    ///
    /// When it cannot be started, ends, or says nothing of a URL within `patience`; with what it
    /// said instead.
    pub async fn start(&self, patience: Duration) -> Result<(TrawlProcess, String)> {
        let mut process = self.spawn()?;
        let url = process.listening_url(patience).await?;
        Ok((process, url))
    }

    /// Runs the process to its end; for subcommands that answer and exit.
    ///
    /// # Errors
    ///
    /// When it cannot be started or has not ended within `patience`. An exit status that tells of
    /// failure is not an error here.
    pub async fn run(&self, patience: Duration) -> Result<Finished> {
        self.spawn()?.wait(patience).await
    }
}

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct TrawlProcess {
    child: Child,
    pid: Pid,
    stdout: Output,
    stderr: Output,
}

/// A child that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// All it wrote to stdout.
    pub stdout: String,
    /// All it wrote to stderr.
    pub stderr: String,
}

impl TrawlProcess {
    /// The process id.
    pub fn id(&self) -> i32 {
        self.pid.as_raw()
    }

    /// What it has written to stdout so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it has written to stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits for the line that tells where it listens, and returns the URL without a path.
    ///
    /// # Errors
    ///
    /// When it ends or `patience` runs out first; with all it wrote to stderr.
    pub async fn listening_url(&mut self, patience: Duration) -> Result<String> {
        self.wait_for_stderr("a line that tells where it listens", patience, url_in)
            .await
    }

    /// Waits until `find` finds something in what it has written to stderr.
    ///
    /// # Errors
    ///
    /// When it ends or `patience` runs out first; with all it wrote to stderr.
    pub async fn wait_for_stderr<T>(
        &mut self,
        what: &str,
        patience: Duration,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        let stderr = self.stderr.clone();
        let search = wait_for(what, patience, async || {
            find(&stderr.text()).with_context(|| format!("stderr so far:\n{}", stderr.text()))
        });
        let status = tokio::select! {
            biased;
            found = search => return found,
            status = self.child.wait() => status.context("wait for the process")?,
        };
        // It may have said it with its last breath.
        stderr.end().await;
        find(&stderr.text())
            .with_context(|| format!("it ended ({status}) before {what}:\n{}", stderr.text()))
    }

    /// Kills it as the kernel does when memory runs out: no handler runs.
    ///
    /// # Errors
    ///
    /// When it has ended already.
    pub fn kill(&self) -> Result<()> {
        self.signal(Signal::SIGKILL)
    }

    /// Asks it to end in good order.
    ///
    /// # Errors
    ///
    /// When it has ended already.
    pub fn terminate(&self) -> Result<()> {
        self.signal(Signal::SIGTERM)
    }

    /// Stops it in its tracks until [`Self::resume`]: the way to make a zombie, a process that
    /// wakes up after its leases ran out.
    ///
    /// # Errors
    ///
    /// When it has ended already.
    pub fn suspend(&self) -> Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on after [`Self::suspend`].
    ///
    /// # Errors
    ///
    /// When it has ended already.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::SIGCONT)
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// When it has not ended within `patience`; it is killed then, and the error has its stderr.
    pub async fn wait(mut self, patience: Duration) -> Result<Finished> {
        let status = match timeout(patience, self.child.wait()).await {
            Ok(status) => status.context("wait for the process")?,
            Err(_elapsed) => bail!("it still runs after {patience:?}:\n{}", self.stderr.text()),
        };
        self.stdout.end().await;
        self.stderr.end().await;
        Ok(Finished {
            status,
            stdout: self.stdout.text(),
            stderr: self.stderr.text(),
        })
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        // Once the child was waited for, its id may belong to another process.
        if self.child.id().is_none() {
            bail!("send {signal}: the process has ended");
        }
        signal::kill(self.pid, signal).with_context(|| format!("send {signal}"))
    }
}

/// The `trawl` binary.
fn binary() -> Result<PathBuf> {
    if let Some(path) = env::var_os(BINARY_VARIABLE) {
        return Ok(path.into());
    }
    let running = env::current_exe().context("find the running executable")?;
    let directory = running.parent().unwrap_or(Path::new("."));
    // Tests run from `target/<profile>/deps`, xtask from `target/<profile>`.
    let profile = match directory.parent() {
        Some(parent) if directory.ends_with("deps") => parent,
        _ => directory,
    };
    let binary = profile.join(format!("trawl{}", env::consts::EXE_SUFFIX));
    if !binary.is_file() {
        bail!(
            "there is no {}: build it with `cargo build -p trawl-api`, run the tests with \
             `cargo xtask test`, or set {BINARY_VARIABLE}",
            binary.display()
        );
    }
    Ok(binary)
}

/// The URL in a line such as `… listening on http://127.0.0.1:8000`, colored, quoted or plain.
fn url_in(stderr: &str) -> Option<String> {
    let (_before, rest) = stderr.split_once(LISTENING)?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || ".:[]-_".contains(c);
    // Without a character after it, the line may not be complete.
    let authority = &rest[..rest.find(|c| !is_part(c))?];
    Some(format!("http://{authority}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_found_in_text_color_and_json() {
        for (line, expected) in [
            (
                "INFO listening on http://127.0.0.1:8000\n",
                Some("http://127.0.0.1:8000"),
            ),
            ("listening on http://[::1]:80/ now", Some("http://[::1]:80")),
            (
                "\"message\":\"listening on http://0.0.0.0:1\"}",
                Some("http://0.0.0.0:1"),
            ),
            (
                "listening on http://127.0.0.1:1\u{1b}[0m",
                Some("http://127.0.0.1:1"),
            ),
            ("listening on http://127.0.0.1:80", None),
            ("starting", None),
        ] {
            assert_eq!(url_in(line).as_deref(), expected, "{line}");
        }
    }
}
