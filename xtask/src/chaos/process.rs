//! The `trawl` processes of a storm, each in its slot, with all that they have ever said.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::time::{Duration, Instant};
use trawl_test_support::{TrawlCommand, TrawlProcess, wait_until};

/// For a process to listen.
const START_LIMIT: Duration = Duration::from_secs(30);

/// For a killed process to be gone.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// What `TRAWL_SHUTDOWN_TIMEOUT` is, and what the machine may add to it.
pub(super) const SHUTDOWN_SECONDS: u64 = 5;
const DRAIN_LIMIT: Duration = Duration::from_secs(SHUTDOWN_SECONDS + 5);

/// What a slot's processes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Worker,
    Api,
}

/// The settings that all processes share.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) pooled_url: String,
    pub(super) direct_url: String,
    pub(super) lease: Duration,
}

/// A place for one process after the other.
#[derive(Debug)]
pub(super) struct Slot {
    role: Role,
    number: usize,
    generation: usize,
    settings: Settings,
    process: Option<TrawlProcess>,
    /// Where its API listens.
    pub(super) url: Option<String>,
    logs: Vec<(String, String)>,
    /// When each zombie woke up, by the identity of its fetches.
    pub(super) woken: Vec<(String, Instant)>,
}

impl Slot {
    pub(super) fn new(role: Role, number: usize, settings: Settings) -> Self {
        Self {
            role,
            number,
            generation: 0,
            settings,
            process: None,
            url: None,
            logs: Vec::new(),
            woken: Vec::new(),
        }
    }

    /// The name of the process that is here, in the log and as a user agent.
    pub(super) fn name(&self) -> String {
        let role = match self.role {
            Role::Worker => "worker",
            Role::Api => "api",
        };
        format!("{role}-{}-{}", self.number, self.generation)
    }

    /// Starts the next process; an API until it listens.
    pub(super) async fn start(&mut self) -> Result<()> {
        if self.process.is_some() {
            return Ok(());
        }
        self.generation += 1;
        let arguments: &[&str] = match self.role {
            Role::Worker => &["worker"],
            Role::Api => &["serve", "--no-worker"],
        };
        let mut command = TrawlCommand::new(arguments)?
            .env("DATABASE_URL", &self.settings.pooled_url)
            .env("DATABASE_DIRECT_URL", &self.settings.direct_url)
            .env("TRAWL_LOG", "info");
        match self.role {
            Role::Worker => {
                command = command
                    .env("TRAWL_DB_POOL_SIZE", "4")
                    .env("TRAWL_WORKER_CONCURRENCY", "8")
                    .env("TRAWL_POLITENESS_DELAY", "20ms")
                    .env("TRAWL_USER_AGENT", format!("{}/1.0", self.name()))
                    .env("TRAWL_MAX_ATTEMPTS", "5")
                    .env("TRAWL_JOB_DEADLINE", "10s")
                    .env("TRAWL_RESOLVE", "*.test=127.0.0.1")
                    .env("TRAWL_ALLOW_NETWORKS", "127.0.0.0/8")
                    .env(
                        "TRAWL_LEASE_TTL",
                        format!("{}s", self.settings.lease.as_secs()),
                    );
            }
            Role::Api => command = command.env("TRAWL_BIND", "127.0.0.1:0"),
        }
        let command = command.env("TRAWL_SHUTDOWN_TIMEOUT", format!("{SHUTDOWN_SECONDS}s"));
        match self.role {
            Role::Worker => self.process = Some(command.spawn()?),
            Role::Api => {
                let (process, url) = command.start(START_LIMIT).await?;
                self.process = Some(process);
                self.url = Some(url);
            }
        }
        Ok(())
    }

    /// Ends the process as the kernel does when memory runs out.
    pub(super) async fn kill(&mut self) -> Result<()> {
        self.url = None;
        let process = self.process.take().context("there is no process to kill")?;
        let killed = process.kill();
        let said = process.stderr();
        let name = self.name();
        let finished = process.wait(KILL_LIMIT).await;
        self.logs
            .push((name, finished.map_or(said, |finished| finished.stderr)));
        killed.with_context(|| format!("{} had ended by itself", self.name()))
    }

    /// Asks the process to end, and answers how long that took.
    pub(super) async fn drain(&mut self) -> Result<Duration> {
        self.url = None;
        let process = self
            .process
            .take()
            .context("there is no process to drain")?;
        let name = self.name();
        // Before its first line it may not listen for signals yet, and holds nothing to hand back.
        wait_until("a process to say something", START_LIMIT, async || {
            !process.stderr().is_empty()
        })
        .await
        .with_context(|| format!("{name} says nothing"))?;
        let began = Instant::now();
        process
            .terminate()
            .with_context(|| format!("{name} had ended by itself"))?;
        let finished = process
            .wait(DRAIN_LIMIT)
            .await
            .with_context(|| format!("{name} did not drain within its limit"))?;
        let took = began.elapsed();
        self.logs.push((name.clone(), finished.stderr));
        if !finished.status.success() {
            bail!("{name} drained with {}", finished.status);
        }
        Ok(took)
    }

    pub(super) fn suspend(&self) -> Result<()> {
        self.running()?.suspend()
    }

    /// Wakes the process up, as a zombie.
    pub(super) fn resume(&mut self) -> Result<()> {
        self.running()?.resume()?;
        self.woken
            .push((format!("{}/1.0", self.name()), Instant::now()));
        Ok(())
    }

    fn running(&self) -> Result<&TrawlProcess> {
        let process = self.process.as_ref();
        process.with_context(|| format!("{} does not run", self.name()))
    }

    /// Writes the log of every process there was.
    pub(super) fn save_logs(&self, directory: &Path) -> Result<()> {
        let current = self
            .process
            .as_ref()
            .map(|process| (self.name(), process.stderr()));
        for (name, log) in self.logs.iter().chain(&current) {
            let path = directory.join(format!("{name}.log"));
            std::fs::write(&path, log).with_context(|| format!("write {}", path.display()))?;
        }
        Ok(())
    }
}
