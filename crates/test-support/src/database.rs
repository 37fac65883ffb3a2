//! A PostgreSQL database per test, reached directly or through a transaction-mode pooler.
//!
//! The servers come from the environment ([`DIRECT_URL_VARIABLE`], [`POOLED_URL_VARIABLE`]), which
//! `cargo xtask test` sets; without them creation panics, since a skipped test would look green.
//! Databases have unique names, so tests run in parallel and in any number of processes, and the
//! pooler needs a wildcard database entry. A [`Template`] gives them their schema.

mod servers;
mod template;

use std::fmt;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use tokio_postgres::{Client, NoTls};
use url::Url;
use uuid::Uuid;

pub use servers::{DIRECT_URL_VARIABLE, POOLED_URL_VARIABLE, Servers};
pub use template::Template;

/// How long one attempt to reach the server may take. Chosen, not measured: loopback answers in
/// milliseconds, a loaded machine in a second or two.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The way a test's connections take to its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// Straight to PostgreSQL.
    Direct,
    /// Through the transaction-mode pooler.
    Pooled,
}

impl Route {
    /// Both ways, for tests that loop over them.
    pub const ALL: [Self; 2] = [Self::Direct, Self::Pooled];
}

/// A database that exists for one test.
///
/// [`TestDatabase::close`] drops it and reports a failure; merely letting it go drops it too, on a
/// thread of its own, and prints a failure instead. Connections that are still open are cut.
pub struct TestDatabase {
    servers: Servers,
    /// Kept from creation to the end: with password authentication a connect costs an unoptimized
    /// test more than the database does.
    maintenance: Client,
    route: Route,
    name: String,
    is_dropped: bool,
}

impl TestDatabase {
    /// Creates an empty database.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or refuses.
    ///
    /// # Panics
    ///
    /// When the environment names no servers.
    pub async fn create(route: Route) -> Result<Self> {
        // template0 and not the default template1: nobody can be connected to it, which would
        // make CREATE DATABASE fail.
        let servers = Servers::from_environment();
        let maintenance = connect(servers.direct()).await?;
        Self::copy_of("template0", route, servers, maintenance).await
    }

    /// Creates a database with the schema of `template`, building the template first if this is
    /// the first test on this server that needs it.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or refuses, or the template cannot be built.
    ///
    /// # Panics
    ///
    /// When the environment names no servers.
    pub async fn create_from(
        template: &Template,
        route: Route,
        build: impl AsyncFnOnce(&str) -> Result<()>,
    ) -> Result<Self> {
        let servers = Servers::from_environment();
        let maintenance = connect(servers.direct()).await?;
        template.ensure(&servers, &maintenance, build).await?;
        Self::copy_of(template.database_name(), route, servers, maintenance).await
    }

    async fn copy_of(
        template: &str,
        route: Route,
        servers: Servers,
        maintenance: Client,
    ) -> Result<Self> {
        // Made before the statement is sent: if this future is dropped meanwhile, or the answer
        // is lost, the guard still drops what may have come into being.
        let database = Self {
            servers,
            maintenance,
            route,
            name: format!("trawl_test_{}", Uuid::now_v7().simple()),
            is_dropped: false,
        };
        database
            .maintenance
            .batch_execute(&format!(
                "CREATE DATABASE \"{}\" TEMPLATE \"{template}\"",
                database.name
            ))
            .await
            .with_context(|| format!("create a test database from {template}"))?;
        Ok(database)
    }

    /// The name of the database on its server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The way [`Self::url`] takes.
    pub fn route(&self) -> Route {
        self.route
    }

    /// Connection URL by the route of this test.
    pub fn url(&self) -> String {
        match self.route {
            Route::Direct => self.direct_url(),
            Route::Pooled => self.pooled_url(),
        }
    }

    /// Connection URL straight to PostgreSQL.
    pub fn direct_url(&self) -> String {
        with_database(self.servers.direct(), &self.name).into()
    }

    /// Connection URL through the transaction-mode pooler.
    pub fn pooled_url(&self) -> String {
        with_database(self.servers.pooled(), &self.name).into()
    }

    /// A direct connection for looking at rows from outside the code under test.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or refuses.
    pub async fn admin(&self) -> Result<Client> {
        connect(&with_database(self.servers.direct(), &self.name)).await
    }

    /// Drops the database and cuts whoever is still connected to it.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or refuses.
    pub async fn close(mut self) -> Result<()> {
        if self.maintenance.is_closed() {
            // The test has restarted the server.
            self.maintenance = connect(self.servers.direct()).await?;
        }
        drop_database(&self.maintenance, &self.name).await?;
        self.is_dropped = true;
        Ok(())
    }
}

impl fmt::Debug for TestDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestDatabase")
            .field("name", &self.name)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.is_dropped {
            return;
        }
        let (server, name) = (self.servers.direct().clone(), self.name.clone());
        // A thread with a runtime of its own: the test's runtime may be shutting down, or be the
        // very thread that is blocked here. Joined, because a test process ends without waiting
        // for detached threads.
        let dropping = thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .context("start a runtime")?
                .block_on(async { drop_database(&connect(&server).await?, &name).await })
        });
        let outcome = dropping
            .join()
            .unwrap_or_else(|_panic| Err(anyhow!("the dropping thread panicked")));
        if let Err(error) = outcome {
            eprintln!("test database {} is left behind: {error:#}", self.name);
        }
    }
}

/// Connects and drives the connection on a task that ends with the client.
async fn connect(url: &Url) -> Result<Client> {
    let attempt = tokio_postgres::connect(url.as_str(), NoTls);
    let (client, connection) = tokio::time::timeout(CONNECT_TIMEOUT, attempt)
        .await
        .with_context(|| format!("no answer within {CONNECT_TIMEOUT:?}"))
        .and_then(|connected| Ok(connected?))
        .with_context(|| format!("connect to {}", without_password(url)))?;
    // A failing connection fails the client's next call, so its own result says nothing new.
    drop(tokio::spawn(connection));
    Ok(client)
}

async fn drop_database(maintenance: &Client, name: &str) -> Result<()> {
    maintenance
        .batch_execute(&format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"))
        .await
        .with_context(|| format!("drop database {name}"))
}

fn with_database(server: &Url, name: &str) -> Url {
    let mut url = server.clone();
    url.set_path(name);
    url
}

/// The URL as it may be printed.
fn without_password(url: &Url) -> Url {
    let mut url = url.clone();
    // Refused only for URLs without a host, which have no password either.
    let _ = url.set_password(None);
    url
}
