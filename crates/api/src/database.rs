//! The database of a process: the one it was given, or a private one that lives with it.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context as _;
use trawl_domain::backoff::Backoff;
use trawl_local_postgres::{Durability, LocalPostgres, PostgresOptions, Stopped};
use trawl_persistence::error::ScopeError;
use trawl_persistence::health::ping;
use trawl_persistence::migrate::{self, MigrateError};
use trawl_persistence::pool::Pool;

use crate::config::DatabaseArgs;
use crate::service::Stage;
use trawl_worker::core::chain::Chain;

/// Connections that the private server accepts at least: some processes with the usual pool, and
/// room for people (chosen).
const PRIVATE_CONNECTIONS_MIN: usize = 100;

/// Between two looks at the private server (chosen: a start takes as long).
const PRIVATE_CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Waits between tries to reach a database that does not answer (chosen).
const RETRY: Backoff = Backoff {
    base: Duration::from_millis(200),
    cap: Duration::from_secs(5),
};
const RETRY_MIN: Duration = Duration::from_millis(100);

/// Wait before another look at a schema that is not ours: somebody has to act (chosen).
const SCHEMA_WAIT: Duration = Duration::from_secs(30);

/// The database of a process, from its start to its end.
pub(crate) struct Database {
    args: DatabaseArgs,
    private: Option<LocalPostgres>,
    pool: Option<Pool>,
}

impl Database {
    /// A database that is not open yet.
    pub(crate) fn new(args: DatabaseArgs) -> Self {
        Self {
            args,
            private: None,
            pool: None,
        }
    }

    /// Starts the private server where no other is named, and makes the pool. With a named
    /// database, nothing is connected yet.
    ///
    /// # Errors
    /// When the private server cannot be had: nothing changes that by waiting.
    ///
    /// # Cancel safety
    /// A private server that was being started is told to stop.
    pub(crate) async fn open(&mut self) -> anyhow::Result<Pool> {
        let url = match self.args.url() {
            Some(url) => url.to_owned(),
            None => self.start_private().await?,
        };
        let pool = Pool::new(&url, self.args.pool_options()).context("make the connection pool")?;
        self.pool = Some(pool.clone());
        Ok(pool)
    }

    /// The URL of the database; none before [`Self::open`] where it is a private one.
    pub(crate) fn url(&self) -> Option<&str> {
        let private = || self.private.as_ref().map(LocalPostgres::url);
        self.args.url().or_else(private)
    }

    /// What was said about the database.
    pub(crate) fn args(&self) -> &DatabaseArgs {
        &self.args
    }

    async fn start_private(&mut self) -> anyhow::Result<String> {
        let options = self.private_options();
        tracing::info!(
            data_dir = %options.data_dir.display(),
            "DATABASE_URL is not set: using a private PostgreSQL"
        );
        let private = LocalPostgres::start(options)
            .await
            .context("start the private PostgreSQL")?;
        let url = private.url().to_owned();
        self.private = Some(private);
        Ok(url)
    }

    fn private_options(&self) -> PostgresOptions {
        let connections = PRIVATE_CONNECTIONS_MIN.max(self.args.db_pool_size.saturating_mul(2));
        PostgresOptions {
            data_dir: self.args.data_dir.clone(),
            durability: Durability::Durable,
            max_connections: u32::try_from(connections).unwrap_or(u32::MAX),
        }
    }

    /// Does the work, and meanwhile starts the private server again whenever it has ended: nobody
    /// else would.
    ///
    /// # Errors
    /// Those of the work; or the private server cannot be started again, or came back at another
    /// address.
    pub(crate) async fn keep_while<T>(
        &mut self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            worked = work => worked,
            lost = Box::pin(self.keep_private()) => match lost? {},
        }
    }

    async fn keep_private(&mut self) -> anyhow::Result<Infallible> {
        let Some(pool) = self.pool.clone().filter(|_| self.private.is_some()) else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(PRIVATE_CHECK_INTERVAL).await;
            // Only a refused connection says that the server has gone; anything else is its answer,
            // or a busy moment.
            let Err(gone @ ScopeError::Connect(_)) = ping(&pool).await else {
                continue;
            };
            tracing::warn!("the private PostgreSQL does not answer: {}", Chain(&gone));
            let before = self
                .private
                .as_ref()
                .map(|private| private.url().to_owned());
            // A server that answers again by now is found and used as it is.
            let after = self.start_private().await?;
            anyhow::ensure!(
                before.as_ref() == Some(&after),
                "the private PostgreSQL came back at another address"
            );
            tracing::info!("the private PostgreSQL runs");
        }
    }

    /// Brings the schema to this version, once, and checks that the pool sees it.
    ///
    /// # Errors
    /// [`MigrateError`].
    pub(crate) async fn migrate(&self, pool: &Pool) -> anyhow::Result<Vec<&'static str>> {
        Ok(self.try_migrate(pool).await?)
    }

    async fn try_migrate(&self, pool: &Pool) -> Result<Vec<&'static str>, MigrateError> {
        // The URL was checked with the rest of the configuration, so this falls back for nothing
        // but a URL that is not there.
        let direct = self
            .args
            .direct_url()
            .and_then(|url| Pool::new(url, self.args.with_size(1)).ok());
        let applied = match &direct {
            Some(direct) => {
                let applied = migrate::up(direct).await;
                direct.close();
                applied?
            }
            None => migrate::up(pool).await?,
        };
        // The two URLs may lead to different databases.
        migrate::verify(pool).await?;
        Ok(applied)
    }

    /// Opens the database and brings its schema to this version, however long that takes.
    ///
    /// # Errors
    /// As [`Self::open`].
    ///
    /// # Cancel safety
    /// As [`Self::open`]; a migration that was running is rolled back.
    pub(crate) async fn bring_up(&mut self, reached: impl Fn(Stage)) -> anyhow::Result<Pool> {
        reached(Stage::StartingDatabase);
        let pool = self.open().await?;
        reached(Stage::Connecting);
        let mut failures = 0;
        let mut last_said = String::new();
        loop {
            let error = match self.try_migrate(&pool).await {
                Ok(_applied) => return Ok(pool),
                Err(error) => error,
            };
            failures += 1;
            let (stage, wait) = judge(&error, failures);
            reached(stage);
            let said = Chain(&error).to_string();
            // Said once and not at every try; the health answer tells that it lasts.
            if said == last_said {
                tracing::debug!(failures, "still: {said}");
            } else {
                tracing::warn!(retry_in = ?wait, "the database cannot be used yet: {said}");
                last_said = said;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Closes the pool, then stops the private server if nobody else uses it. The last thing a
    /// process does, also when its start failed halfway.
    pub(crate) async fn close(self) {
        if let Some(pool) = self.pool {
            pool.close();
        }
        let Some(private) = self.private else { return };
        match private.stop().await {
            Ok(Stopped::Down) => tracing::info!("the private PostgreSQL has stopped"),
            Ok(Stopped::LeftToOthers) => {
                tracing::info!("the private PostgreSQL is left to other processes");
            }
            Err(error) => tracing::error!("cannot stop the private PostgreSQL: {}", Chain(&error)),
        }
    }
}

/// What a failed try means, and when the next one is due.
fn judge(error: &MigrateError, failures: u32) -> (Stage, Duration) {
    match error {
        MigrateError::Scope { source, .. } => match source.refused_for() {
            Some(wait) => (Stage::Refused, wait),
            None => (
                Stage::Connecting,
                RETRY.delay(failures, rand::random()).max(RETRY_MIN),
            ),
        },
        MigrateError::Edited { .. } | MigrateError::Newer { .. } | MigrateError::Missing { .. } => {
            (Stage::SchemaRefused, SCHEMA_WAIT)
        }
    }
}
