//! Databases that are built once for a server and copied for every test.
//!
//! Running all migrations for each of hundreds of tests would cost more than the tests; copying a
//! migrated database costs some tens of milliseconds. A template must never be seen half built:
//! it is built under another name, by one process at a time, and renamed when complete.

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::{Servers, with_database};

/// A database to copy, known by what its content is made of.
#[derive(Clone, Debug)]
pub struct Template {
    database_name: String,
}

impl Template {
    /// A template whose content is determined by `fingerprint`, for instance the checksums of all
    /// migrations. A changed fingerprint is another template; the old one stays until its server
    /// goes.
    pub fn new(fingerprint: &str) -> Self {
        // Half a digest is far from colliding, and the name stays below PostgreSQL's 63 bytes.
        let digest = Sha256::digest(fingerprint);
        let hex: String = digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            database_name: format!("trawl_template_{hex}"),
        }
    }

    /// The name of the database to copy.
    pub fn database_name(&self) -> &str {
        &self.database_name
    }

    /// Builds the template unless the server has it.
    ///
    /// `build` gets the direct URL of an empty database. Its connections need not be closed when
    /// it returns.
    ///
    /// # Concurrency
    ///
    /// Holds a session advisory lock of the maintenance database while it builds, so that tests
    /// of other threads and processes wait for one builder. This is one of the few places that
    /// may: the connection is direct and its own.
    pub(super) async fn ensure(
        &self,
        servers: &Servers,
        maintenance: &Client,
        build: impl AsyncFnOnce(&str) -> Result<()>,
    ) -> Result<()> {
        if self.exists(maintenance).await? {
            return Ok(());
        }
        // Where this function is left with an error, the connection goes and the lock with it.
        self.lock_with(
            "SELECT pg_advisory_lock(hashtextextended($1, 0))",
            maintenance,
        )
        .await?;
        if !self.exists(maintenance).await? {
            self.build(maintenance, servers, build)
                .await
                .with_context(|| format!("build the template {}", self.database_name))?;
        }
        self.lock_with(
            "SELECT pg_advisory_unlock(hashtextextended($1, 0))",
            maintenance,
        )
        .await
    }

    async fn lock_with(&self, sql: &str, maintenance: &Client) -> Result<()> {
        maintenance
            .query_typed(sql, &[(&self.database_name, Type::TEXT)])
            .await
            .context("wait for the template")?;
        Ok(())
    }

    async fn exists(&self, maintenance: &Client) -> Result<bool> {
        let found = maintenance
            .query_typed(
                "SELECT FROM pg_database WHERE datname = $1",
                &[(&self.database_name, Type::TEXT)],
            )
            .await
            .context("look for the template")?;
        Ok(!found.is_empty())
    }

    async fn build(
        &self,
        maintenance: &Client,
        servers: &Servers,
        build: impl AsyncFnOnce(&str) -> Result<()>,
    ) -> Result<()> {
        let name = &self.database_name;
        let draft = format!("{name}_draft");
        // A draft that is there was left by a builder that died.
        for statement in [
            format!("DROP DATABASE IF EXISTS \"{draft}\" WITH (FORCE)"),
            format!("CREATE DATABASE \"{draft}\" TEMPLATE template0"),
        ] {
            maintenance.batch_execute(&statement).await?;
        }
        build(with_database(servers.direct(), &draft).as_str()).await?;
        // Only a database without connections can be renamed and copied. Refusing new ones first
        // closes the gap in which a lingering pool of the builder would reconnect.
        maintenance
            .batch_execute(&format!(
                "ALTER DATABASE \"{draft}\" WITH ALLOW_CONNECTIONS false"
            ))
            .await?;
        maintenance
            .query_typed(
                // The time-out is how long to wait for each backend's end, in milliseconds.
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1",
                &[(&draft, Type::TEXT)],
            )
            .await?;
        maintenance
            .batch_execute(&format!("ALTER DATABASE \"{draft}\" RENAME TO \"{name}\""))
            .await?;
        Ok(())
    }
}
