//! The servers that database tests run against: private to one run, or those the caller names.
//!
//! Guarantees that what it started is stopped when it is told to or dropped; never touches a
//! server that it was given.

use anyhow::{Context, Result};
use std::env;
use tempfile::TempDir;
use trawl_local_postgres::{
    Durability, LocalPostgres, PgBouncer, PgBouncerOptions, PostgresOptions,
};

/// The URL of a direct connection whose role may create databases.
pub(crate) const DIRECT_URL: &str = "TRAWL_TEST_DATABASE_URL";

/// The URL of a connection through a transaction-mode pooler that serves every database.
pub(crate) const POOLED_URL: &str = "TRAWL_TEST_POOLED_URL";

/// Far fewer than a suite has connections, so that every test shares and waits.
const POOL_SIZE: u32 = 2;

/// More than all tests of a suite open at once.
const CLIENT_CONNECTIONS: u32 = 500;

/// Direct connections of all tests at once, and the pooler's two for each of their databases.
const SERVER_CONNECTIONS: u32 = 400;

/// Servers to test against.
#[derive(Debug)]
pub(crate) struct TestServers {
    /// The value for [`DIRECT_URL`].
    pub(crate) direct_url: String,
    /// The value for [`POOLED_URL`].
    pub(crate) pooled_url: String,
    own: Option<OwnServers>,
}

#[derive(Debug)]
struct OwnServers {
    // Dropped in this order: clients before servers, servers before their files.
    pooler: PgBouncer,
    postgres: LocalPostgres,
    _directories: [TempDir; 2],
}

impl TestServers {
    /// Takes the servers that the environment names, or starts private ones.
    ///
    /// One of the two variables alone is refused: a suite whose halves run against different
    /// servers proves nothing.
    pub(crate) async fn provide() -> Result<Self> {
        match (env::var(DIRECT_URL), env::var(POOLED_URL)) {
            (Ok(direct_url), Ok(pooled_url)) => Ok(Self {
                direct_url,
                pooled_url,
                own: None,
            }),
            (Err(_), Err(_)) => Self::start().await,
            (Ok(_), Err(_)) => anyhow::bail!("{DIRECT_URL} is set and {POOLED_URL} is not"),
            (Err(_), Ok(_)) => anyhow::bail!("{POOLED_URL} is set and {DIRECT_URL} is not"),
        }
    }

    /// Starts private ones.
    pub(crate) async fn start() -> Result<Self> {
        let directories = [
            tempfile::tempdir().context("cannot create a temporary directory")?,
            tempfile::tempdir().context("cannot create a temporary directory")?,
        ];
        let postgres = LocalPostgres::start(PostgresOptions {
            data_dir: directories[0].path().to_path_buf(),
            durability: Durability::Disposable,
            max_connections: SERVER_CONNECTIONS,
        })
        .await
        .context("cannot provide PostgreSQL")?;
        let pooler = PgBouncer::start(PgBouncerOptions {
            dir: directories[1].path().to_path_buf(),
            server: postgres.address().clone(),
            default_pool_size: POOL_SIZE,
            max_client_conn: CLIENT_CONNECTIONS,
        })
        .await
        .context("cannot provide PgBouncer")?;
        Ok(Self {
            direct_url: postgres.url().to_owned(),
            pooled_url: pooler.url("trawl"),
            own: Some(OwnServers {
                pooler,
                postgres,
                _directories: directories,
            }),
        })
    }

    /// Stops what was started.
    pub(crate) async fn stop(self) -> Result<()> {
        if let Some(OwnServers {
            pooler,
            postgres,
            _directories,
        }) = self.own
        {
            let pooler = pooler.stop().await.context("cannot stop PgBouncer");
            postgres.stop().await.context("cannot stop PostgreSQL")?;
            pooler?;
        }
        Ok(())
    }
}
