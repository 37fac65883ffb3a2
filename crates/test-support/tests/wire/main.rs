//! The wire proxy finds every fault of a client that commits it, none of a client that does not,
//! and breaks connections exactly where it was told to.

mod faults;
mod rules;

use std::time::Duration;

use anyhow::Result;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, NoTls};
use trawl_test_support::wire::{Rule, WireProxy};
use trawl_test_support::{Route, TestDatabase};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Long enough for a client's next request to be there before it ends.
const HOLD: Duration = Duration::from_millis(3);
const HOLD_AFTER_ERROR: Duration = Duration::from_millis(200);

pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// A database, and a proxy on the way to it.
pub(crate) struct Fixture {
    // Goes first, and with it the connections to the database.
    pub(crate) proxy: WireProxy,
    pub(crate) database: TestDatabase,
}

impl Fixture {
    pub(crate) async fn new(route: Route) -> Result<Self> {
        let database = TestDatabase::create(route).await?;
        let admin = database.admin().await?;
        admin
            .batch_execute("CREATE TABLE rows (number int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            .await?;
        let proxy = WireProxy::start(&database.url()).await?;
        proxy.hold_ready_for_query(HOLD, HOLD_AFTER_ERROR);
        Ok(Self { database, proxy })
    }

    pub(crate) async fn connect(&self) -> Result<Client, Error> {
        let (client, connection) = tokio_postgres::connect(&self.proxy.url(), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// How many rows there are, as seen past the proxy.
    pub(crate) async fn rows(&self) -> Result<usize> {
        Ok(self
            .database
            .admin()
            .await?
            .query_typed("SELECT FROM rows", &[])
            .await?
            .len())
    }

    pub(crate) async fn close(self) -> Result<()> {
        drop(self.proxy);
        self.database.close().await
    }

    /// Fails unless exactly these rules were broken, each at least once.
    pub(crate) fn assert_broken(&self, expected: &[Rule]) {
        let mut broken: Vec<_> = self
            .proxy
            .report()
            .violations
            .iter()
            .map(|violation| violation.rule)
            .collect();
        broken.sort_unstable();
        broken.dedup();
        assert_eq!(broken, expected, "{:#?}", self.proxy.log());
    }
}

pub(crate) async fn insert(client: &Client, number: i32) -> Result<u64, Error> {
    let parameters: &[(&(dyn tokio_postgres::types::ToSql + Sync), Type)] =
        &[(&number, Type::INT4)];
    client
        .execute_typed("/* insert */ INSERT INTO rows VALUES ($1)", parameters)
        .await
}

/// A statement that fails, outside transactions as well as inside.
pub(crate) async fn fail(client: &Client) -> Option<SqlState> {
    let failed = client.query_typed("/* fail */ SELECT 1/0", &[]).await;
    failed.err().and_then(|error| error.code().cloned())
}
