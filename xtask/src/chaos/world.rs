//! Everything that takes part in a storm, and the hands of the nemesis on it.

use super::plan::{Cut, Deed, Shutdown};
use super::process::{Role, Settings, Slot};
use crate::run::{cargo, run};
use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};
use trawl_local_postgres::{
    Durability, LocalPostgres, PgBouncer, PgBouncerOptions, PostgresOptions,
};
use trawl_test_support::process::BINARY_VARIABLE;
use trawl_test_support::wire::{ArmedFault, Effect, Fault, Moment, RequestKind};
use trawl_test_support::{SiteFarm, WireProxy};

pub(super) const WORKERS: usize = 3;
pub(super) const APIS: usize = 2;

/// The shortest lease that leaves a stopped worker no doubt.
const LEASE: Duration = Duration::from_secs(2);

/// Server connections of the pooler: fewer than the clients', so that they queue.
const POOL_SIZE: u32 = 4;

/// For each connection of the observer.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// All of it. Dropped in this order: processes first, servers before their files.
#[derive(Debug)]
pub(super) struct World {
    pub(super) workers: Vec<Slot>,
    pub(super) apis: Vec<Slot>,
    /// Where the APIs listen now.
    pub(super) api_urls: Arc<Mutex<Vec<String>>>,
    pub(super) drains: Vec<Duration>,
    fillers: JoinSet<()>,
    armed: Vec<ArmedFault>,
    pub(super) proxy: WireProxy,
    pooler: PgBouncer,
    postgres: Option<LocalPostgres>,
    pub(super) direct_url: String,
    pub(super) farm: Arc<SiteFarm>,
    directories: [TempDir; 2],
}

impl World {
    pub(super) async fn build() -> Result<Self> {
        // Whoever names a binary means that one.
        if std::env::var_os(BINARY_VARIABLE).is_none() {
            let mut build = cargo();
            build.args(["build", "--package", "trawl-api"]);
            run(build).await?;
        }
        let directories = [tempfile::tempdir()?, tempfile::tempdir()?];
        let postgres = start_postgres(directories[0].path()).await?;
        let pooler = PgBouncer::start(PgBouncerOptions {
            dir: directories[1].path().to_path_buf(),
            server: postgres.address().clone(),
            default_pool_size: POOL_SIZE,
            max_client_conn: 200,
        })
        .await
        .context("cannot provide PgBouncer")?;
        let proxy = WireProxy::start(&pooler.url("trawl")).await?;
        let settings = Settings {
            pooled_url: proxy.url(),
            direct_url: postgres.url().to_owned(),
            lease: LEASE,
        };
        let slots = |role, count| {
            (0..count)
                .map(|number| Slot::new(role, number, settings.clone()))
                .collect()
        };
        let mut world = Self {
            workers: slots(Role::Worker, WORKERS),
            apis: slots(Role::Api, APIS),
            api_urls: Arc::default(),
            drains: Vec::new(),
            fillers: JoinSet::new(),
            armed: Vec::new(),
            direct_url: postgres.url().to_owned(),
            proxy,
            pooler,
            postgres: Some(postgres),
            farm: Arc::new(SiteFarm::start().await?),
            directories,
        };
        world.start_all().await?;
        Ok(world)
    }

    /// Takes back what the nemesis has prepared and not done yet.
    pub(super) async fn calm(&mut self) -> Result<()> {
        for fault in self.armed.drain(..) {
            fault.disarm();
        }
        self.start_all().await
    }

    /// Starts whatever does not run.
    async fn start_all(&mut self) -> Result<()> {
        for slot in self.workers.iter_mut().chain(&mut self.apis) {
            slot.start().await?;
        }
        self.publish_urls();
        Ok(())
    }

    fn publish_urls(&self) {
        let urls = self.apis.iter().filter_map(|slot| slot.url.clone());
        *self.api_urls.lock().unwrap_or_else(PoisonError::into_inner) = urls.collect();
    }

    /// Does one deed of the nemesis.
    pub(super) async fn do_deed(&mut self, deed: Deed) -> Result<()> {
        match deed {
            Deed::KillWorker(number) => self.workers[number].kill().await?,
            Deed::StartWorker(number) => self.workers[number].start().await?,
            Deed::SuspendWorker(number) => self.workers[number].suspend()?,
            Deed::ResumeWorker(number) => self.workers[number].resume()?,
            Deed::DrainWorker(number) => {
                let took = self.workers[number].drain().await?;
                self.drains.push(took);
            }
            Deed::KillApi(number) => {
                let killed = self.apis[number].kill().await;
                self.publish_urls();
                killed?;
            }
            Deed::StartApi(number) => {
                self.apis[number].start().await?;
                self.publish_urls();
            }
            Deed::RestartPostgres(how) => self.restart_postgres(how).await?,
            Deed::RestartPooler => self.pooler.restart().await?,
            Deed::TerminateBackends => {
                let client = connect(&self.direct_url).await?;
                client
                    .batch_execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                         WHERE datname = 'trawl' AND pid <> pg_backend_pid()",
                    )
                    .await?;
            }
            Deed::FillPool => self.fill_pool(),
            Deed::CutAllConnections => self.proxy.cut_all(),
            Deed::CutIdleConnections => self.proxy.cut_idle(),
            Deed::SilenceConnections => self.proxy.silence_all(),
            Deed::DelayRequests(count, late) => {
                let fault = Fault::new(Moment::AnyRequest, Effect::Delay(late)).times(count);
                self.armed.push(self.proxy.arm(fault));
            }
            Deed::CutCommit(cut) => {
                let moment = Moment::Request(RequestKind::Commit);
                let fault = Fault::new(moment, effect(cut));
                self.armed.push(self.proxy.arm(fault));
            }
            Deed::CutRequest(cut, after) => {
                let fault = Fault::new(Moment::AnyRequest, effect(cut)).after(after);
                self.armed.push(self.proxy.arm(fault));
            }
        }
        Ok(())
    }

    async fn restart_postgres(&mut self, how: Shutdown) -> Result<()> {
        let postgres = self.postgres.take().context("PostgreSQL is not there")?;
        if how == Shutdown::Immediate {
            // Its own pid file names the postmaster.
            let client = connect(&self.direct_url).await?;
            let row = client
                .query_one(
                    "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int4",
                    &[],
                )
                .await?;
            kill(Pid::from_raw(row.get(0)), Signal::SIGQUIT).context("end PostgreSQL")?;
        }
        postgres.stop().await.context("stop PostgreSQL")?;
        let postgres = start_postgres(self.directories[0].path()).await?;
        anyhow::ensure!(
            postgres.url() == self.direct_url,
            "PostgreSQL came back elsewhere"
        );
        self.postgres = Some(postgres);
        Ok(())
    }

    /// Takes all server connections of the pooler for a while.
    fn fill_pool(&mut self) {
        for _ in 0..POOL_SIZE {
            let url = self.pooler.url("trawl");
            self.fillers.spawn(async move {
                if let Ok(client) = connect(&url).await {
                    // However it ends: the next restart may come before.
                    let _ = client.batch_execute("SELECT pg_sleep(2)").await;
                }
            });
        }
    }

    pub(super) fn save_logs(&self, directory: &Path) -> Result<()> {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("create {}", directory.display()))?;
        for slot in self.workers.iter().chain(&self.apis) {
            slot.save_logs(directory)?;
        }
        if let Some(postgres) = &self.postgres {
            std::fs::copy(postgres.log_file(), directory.join("postgres.log"))?;
        }
        let pooler_log = self.directories[1].path().join("pgbouncer.log");
        std::fs::copy(pooler_log, directory.join("pgbouncer.log"))?;
        Ok(())
    }

    /// Ends what still runs.
    pub(super) async fn stop(mut self) -> Result<()> {
        self.fillers.shutdown().await;
        self.workers.clear();
        self.apis.clear();
        self.pooler.stop().await.context("stop PgBouncer")?;
        if let Some(postgres) = self.postgres {
            postgres.stop().await.context("stop PostgreSQL")?;
        }
        Ok(())
    }
}

fn effect(cut: Cut) -> Effect {
    match cut {
        Cut::Before => Effect::CutBefore,
        Cut::During => Effect::CutDuring,
        Cut::After => Effect::CutAfter,
        Cut::Silence => Effect::SilenceAfter,
    }
}

async fn start_postgres(directory: &Path) -> Result<LocalPostgres> {
    LocalPostgres::start(PostgresOptions {
        data_dir: directory.to_path_buf(),
        durability: Durability::Disposable,
        max_connections: 60,
    })
    .await
    .context("cannot provide PostgreSQL")
}

/// A connection past all that Trawl goes through.
pub(super) async fn connect(url: &str) -> Result<Client> {
    let connecting = tokio_postgres::connect(url, NoTls);
    let (client, connection) = tokio::time::timeout(CONNECT_LIMIT, connecting)
        .await
        .context("no connection in time")??;
    // Its end shows in the client's next call.
    drop(tokio::spawn(connection));
    Ok(client)
}
