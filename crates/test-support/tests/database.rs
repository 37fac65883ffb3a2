//! The databases that all other database tests stand on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use futures_util::future::try_join_all;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls};
use trawl_test_support::database::{Servers, Template};
use trawl_test_support::{Route, TestDatabase, wait_until};
use uuid::Uuid;

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn exists(name: &str) -> Result<bool> {
    let maintenance = connect(Servers::from_environment().direct().as_str()).await?;
    let found = maintenance
        .query_typed(
            "SELECT FROM pg_database WHERE datname = $1",
            &[(&name, Type::TEXT)],
        )
        .await?;
    Ok(!found.is_empty())
}

#[tokio::test]
async fn a_database_is_reached_by_both_routes_and_dropped_under_open_connections() -> Result<()> {
    for route in Route::ALL {
        let database = TestDatabase::create(route).await?;
        let admin = database.admin().await?;
        admin.batch_execute("CREATE TABLE seen ()").await?;
        let client = connect(&database.url()).await?;
        client
            .batch_execute("INSERT INTO seen DEFAULT VALUES")
            .await?;
        let rows = admin.query_typed("SELECT FROM seen", &[]).await?;
        assert_eq!(rows.len(), 1);
        let name = database.name().to_owned();
        database.close().await?;
        assert!(!exists(&name).await?);
    }
    Ok(())
}

#[tokio::test]
async fn a_database_that_is_let_go_is_dropped_too() -> Result<()> {
    let database = TestDatabase::create(Route::Pooled).await?;
    let client = connect(&database.url()).await?;
    client.batch_execute("BEGIN").await?;
    let name = database.name().to_owned();
    drop(database);
    assert!(!exists(&name).await?);
    wait_until(
        "the open transaction to be cut",
        Duration::from_secs(10),
        async || client.batch_execute("COMMIT").await.is_err(),
    )
    .await
}

#[tokio::test]
async fn a_template_is_built_once_however_many_ask_at_once() -> Result<()> {
    let template = Template::new(&format!("self_{}", Uuid::now_v7().simple()));
    let builds = AtomicUsize::new(0);
    let databases = try_join_all((0..12).map(|number| {
        let (template, builds) = (&template, &builds);
        async move {
            let route = Route::ALL[number % 2];
            TestDatabase::create_from(template, route, async |url| {
                builds.fetch_add(1, Ordering::Relaxed);
                // Kept open on purpose: the template has to be usable all the same.
                let client = connect(url).await?;
                client
                    .batch_execute("CREATE TABLE built (number int)")
                    .await?;
                std::mem::forget(client);
                Ok(())
            })
            .await
        }
    }))
    .await?;
    assert_eq!(builds.load(Ordering::Relaxed), 1);
    for database in databases {
        let client = connect(&database.url()).await?;
        client.query_typed("SELECT number FROM built", &[]).await?;
        database.close().await?;
    }
    let maintenance = connect(Servers::from_environment().direct().as_str()).await?;
    maintenance
        .batch_execute(&format!("DROP DATABASE \"{}\"", template.database_name()))
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_template_that_could_not_be_built_is_built_anew() -> Result<()> {
    let template = Template::new(&format!("fail_{}", Uuid::now_v7().simple()));
    let failed = TestDatabase::create_from(&template, Route::Direct, async |_url| {
        anyhow::bail!("migration 3 is broken")
    })
    .await
    .unwrap_err();
    assert!(
        format!("{failed:#}").contains("migration 3 is broken"),
        "{failed:#}"
    );
    let database = TestDatabase::create_from(&template, Route::Direct, async |url| {
        Ok(connect(url)
            .await?
            .batch_execute("CREATE TABLE built ()")
            .await?)
    })
    .await?;
    database
        .admin()
        .await?
        .query_typed("SELECT FROM built", &[])
        .await?;
    database.close().await?;
    let maintenance = connect(Servers::from_environment().direct().as_str()).await?;
    maintenance
        .batch_execute(&format!("DROP DATABASE \"{}\"", template.database_name()))
        .await?;
    Ok(())
}
