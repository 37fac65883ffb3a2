//! A migrated database for every test, and the macro that runs a test by both routes.

use anyhow::Result;
use tokio_postgres::types::{FromSqlOwned, ToSql, Type};
use tokio_postgres::{Client, Row};
use trawl_persistence::migrate;
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_test_support::TestDatabase;
use trawl_test_support::database::Template;

pub(crate) use trawl_test_support::Route;

/// Client connections of a test's pool: well above the two backends of the pooler.
pub(crate) const CLIENTS: usize = 12;

/// Makes two tests of one body: one straight to PostgreSQL, one through the pooler.
///
/// On one thread, so that the connections move only while the test waits: what a dropped future had
/// seen is then the same in every run.
macro_rules! both_routes {
    ($name:ident, $body:expr) => {
        both_routes!(migrated: $name, $body);
    };
    // `migrated` or `empty`: the database that the body gets.
    ($kind:ident: $name:ident, $body:expr) => {
        mod $name {
            use super::*;

            #[tokio::test]
            async fn direct() -> ::anyhow::Result<()> {
                let db = $crate::database::Db::$kind($crate::database::Route::Direct).await?;
                $crate::database::run(db, $body).await
            }

            #[tokio::test]
            async fn pooled() -> ::anyhow::Result<()> {
                let db = $crate::database::Db::$kind($crate::database::Route::Pooled).await?;
                $crate::database::run(db, $body).await
            }
        }
    };
}

/// A migrated database, a pool to it by the route of the test, and a direct view from outside.
pub(crate) struct Db {
    pub(crate) pool: Pool,
    /// A direct connection, for what only somebody outside can see or do.
    pub(crate) admin: Client,
    database: TestDatabase,
}

/// Runs `body` and drops its database, which goes away also where the body fails.
pub(crate) async fn run(db: Db, body: impl AsyncFnOnce(&Db) -> Result<()>) -> Result<()> {
    body(&db).await?;
    db.pool.close();
    db.database.close().await
}

/// How many connections of a pool were thrown away, those apart that another client's leaked default
/// cost: behind the poisoned pooler that may happen to any lone statement.
pub(crate) fn discarded(pool: &Pool) -> u64 {
    let status = pool.status();
    status.discarded - status.leaked
}

impl Db {
    /// With every migration.
    pub(crate) async fn migrated(route: Route) -> Result<Self> {
        let template = Template::new(&migrate::fingerprint());
        let database = TestDatabase::create_from(&template, route, async |url| {
            let pool = Pool::new(url, PoolOptions::with_size(1))?;
            migrate::up(&pool).await?;
            pool.close();
            Ok(())
        })
        .await?;
        Self::around(database).await
    }

    /// With nothing.
    pub(crate) async fn empty(route: Route) -> Result<Self> {
        Self::around(TestDatabase::create(route).await?).await
    }

    async fn around(database: TestDatabase) -> Result<Self> {
        Ok(Self {
            pool: Pool::new(&database.url(), PoolOptions::with_size(CLIENTS))?,
            admin: database.admin().await?,
            database,
        })
    }

    /// A further direct connection, for a transaction beside [`Self::admin`].
    pub(crate) async fn another_admin(&self) -> Result<Client> {
        self.database.admin().await
    }

    /// A further pool by the route of the test.
    pub(crate) fn pool_with(&self, options: PoolOptions) -> Result<Pool> {
        Ok(Pool::new(&self.database.url(), options)?)
    }

    /// The way that the pool takes.
    pub(crate) fn route(&self) -> Route {
        self.database.route()
    }

    /// Pools that lead to the same database by either route.
    pub(crate) fn pools_by_both_routes(&self, size: usize) -> Result<[Pool; 2]> {
        let options = PoolOptions::with_size(size);
        Ok([
            Pool::new(&self.database.direct_url(), options.clone())?,
            Pool::new(&self.database.pooled_url(), options)?,
        ])
    }

    /// The URL by the route of the test.
    pub(crate) fn url(&self) -> String {
        self.database.url()
    }

    /// Rows of any SQL, straight from the server.
    pub(crate) async fn rows(
        &self,
        sql: &str,
        params: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>> {
        Ok(self.admin.query_typed(sql, params).await?)
    }

    /// The first column of every row, straight from the server.
    pub(crate) async fn column<T: FromSqlOwned>(
        &self,
        sql: &str,
        params: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<T>> {
        let rows = self.rows(sql, params).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// The only value of the only row, straight from the server.
    pub(crate) async fn value<T: FromSqlOwned>(
        &self,
        sql: &str,
        params: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<T> {
        let mut values = self.column(sql, params).await?;
        anyhow::ensure!(values.len() == 1, "{} rows of {sql}", values.len());
        Ok(values.remove(0))
    }
}
