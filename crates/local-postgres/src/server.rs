//! The life of a private server, as its users see it.

use crate::apt;
use crate::binaries::{self, ServerPrograms};
use crate::client::{ServerAddress, ask};
use crate::cluster::{Cluster, ROLE};
use crate::error::LocalPostgresError;
use crate::launch::{Running, find_running, launch, shut_down, socket_directory};
use crate::layout::Layout;
use crate::stay::Stay;
use std::path::{Path, PathBuf};
use tokio::process::Child;

/// Whether data must survive the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// What is committed survives a crash of the machine.
    Durable,
    /// What is committed survives a crash of the server only: faster, for tests.
    Disposable,
}

/// What to run, and where.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The directory that holds everything of this server; created where it is missing.
    pub data_dir: PathBuf,
    /// Whether data must survive the machine.
    pub durability: Durability,
    /// How many connections the server accepts.
    pub max_connections: u32,
}

/// What became of the server when one user stopped using it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// This was the last user, and the server is down.
    Down,
    /// Another live process uses the server, and it keeps running.
    LeftToOthers,
}

/// The use of a private PostgreSQL server.
///
/// However many processes (or values in one process) use a data directory, there is one server:
/// the first one in starts it, and the last one out stops it.
/// Which that is, lock files decide, so a process that crashes has left by crashing, and its
/// server is found and reused by the next start.
///
/// Dropping the value asks the server to stop without waiting for its end, if nobody else uses it;
/// prefer [`LocalPostgres::stop`].
#[derive(Debug)]
pub struct LocalPostgres {
    address: ServerAddress,
    url: String,
    socket_dir: Option<PathBuf>,
    layout: Layout,
    cluster: PathBuf,
    durability: Durability,
    child: Option<Child>,
    stay: Stay,
}

impl LocalPostgres {
    /// Starts the server of a data directory, or joins the one that runs already.
    ///
    /// Creates the cluster, the role `trawl` and the database `trawl` where they are missing, and
    /// installs the server's package where that needs no question (root on Debian).
    /// A running server with other settings is restarted with these if nobody else uses it, and
    /// joined as it is otherwise.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError`], which says what was attempted and on what.
    ///
    /// # Cancel safety
    ///
    /// A server started by a call that is dropped is told to stop.
    pub async fn start(options: PostgresOptions) -> Result<Self, LocalPostgresError> {
        let layout = Layout::open(&options.data_dir)?;
        let mut stay = Stay::begin(&layout).await?;

        let existing = Cluster::open(&layout)?;
        let mut running = None;
        if let Some(cluster) = &existing {
            stay.at(&cluster.path);
            running = find_running(cluster).await?;
            if let Some(found) = &running
                && !has_settings(found, &options).await?
            {
                if stay.is_alone()? {
                    shut_down(&cluster.path, None).await?;
                    running = None;
                } else {
                    tracing::warn!("another process runs the private PostgreSQL with its settings");
                }
            }
        }
        let (cluster, running) = match (existing, running) {
            (Some(cluster), Some(running)) => (cluster, running),
            (existing, _) => launch_new(&layout, existing, &options).await?,
        };
        stay.at(&cluster.path);
        ensure_database(&running.address).await?;
        stay.settle();
        Ok(Self {
            url: running.address.url(ROLE),
            address: running.address,
            socket_dir: socket_directory(&cluster.path),
            layout,
            cluster: cluster.path,
            durability: options.durability,
            child: running.child,
            stay,
        })
    }

    /// The connection URL of the database `trawl`; its role is a superuser of this server.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the server listens and whom to log in as.
    pub fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// The directory of the server's Unix socket, where its path is short enough for one.
    ///
    /// Only the server's own account and root may connect there.
    pub fn socket_dir(&self) -> Option<&Path> {
        self.socket_dir.as_deref()
    }

    /// The server's log.
    pub fn log_file(&self) -> PathBuf {
        self.layout.log()
    }

    /// Stops using the server, and stops it if nobody else uses it.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::TimedOut`] when the server outlives a fast and an immediate shutdown.
    pub async fn stop(mut self) -> Result<Stopped, LocalPostgresError> {
        let Some(_gate) = self.stay.end().await? else {
            return Ok(Stopped::LeftToOthers);
        };
        shut_down(&self.cluster, self.child.take()).await?;
        match self.durability {
            Durability::Durable => {}
            Durability::Disposable => Cluster::remove_fallback(&self.layout, &self.cluster)?,
        }
        Ok(Stopped::Down)
    }
}

async fn ensure_database(address: &ServerAddress) -> Result<(), LocalPostgresError> {
    let existing = format!("SELECT 1 FROM pg_database WHERE datname = '{ROLE}'");
    let found = ask(address, "postgres", &existing)
        .await
        .map_err(|error| error.during("look for the database"))?;
    if found.is_empty() {
        ask(address, "postgres", &format!("CREATE DATABASE {ROLE}"))
            .await
            .map_err(|error| error.during("create the database"))?;
    }
    Ok(())
}

async fn launch_new(
    layout: &Layout,
    existing: Option<Cluster>,
    options: &PostgresOptions,
) -> Result<(Cluster, Running), LocalPostgresError> {
    let programs = find_or_install(existing.as_ref()).await?;
    let cluster = match existing {
        Some(cluster) => cluster,
        None => Cluster::create(layout, &programs, options.durability).await?,
    };
    let running = launch(&cluster, layout, &programs, options).await?;
    Ok((cluster, running))
}

async fn find_or_install(existing: Option<&Cluster>) -> Result<ServerPrograms, LocalPostgresError> {
    let existing = existing.map(|cluster| (cluster.major, cluster.path.as_path()));
    let mut found = binaries::find_servers().await;
    if found.is_empty() && apt::is_possible() {
        apt::install("postgresql").await?;
        found = binaries::find_servers().await;
    }
    binaries::pick(&found, existing)
}

/// Whether a running server is as safe and as large as asked for.
async fn has_settings(
    running: &Running,
    options: &PostgresOptions,
) -> Result<bool, LocalPostgresError> {
    let sql = "SELECT setting FROM pg_settings WHERE name IN ('fsync', 'max_connections') \
               ORDER BY name";
    let settings = ask(&running.address, "postgres", sql)
        .await
        .map_err(|error| error.during("read the settings of the running server"))?;
    let fsync = match options.durability {
        Durability::Durable => "on",
        Durability::Disposable => "off",
    };
    Ok(settings == [fsync.to_owned(), options.max_connections.to_string()])
}
