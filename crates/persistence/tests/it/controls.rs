//! What the ordinary ways do behind a transaction-mode pooler. These tests fail when the servers
//! of a run could not show a defect: a green suite would then prove nothing.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::future::{join_all, try_join_all};
use tokio_postgres::{Client, NoTls};
use trawl_test_support::{Route, TestDatabase, wait_for};

/// Server connections that the pooler has for a database.
const BACKENDS: usize = 2;
const STRANGERS: usize = 10 * BACKENDS;
const ROUNDS: usize = 5;

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Clients that share all backends there can be. A pooler opens one when it has to, so as many of
/// them as there are backends are in a transaction at once: before that, one may have served all.
async fn strangers(database: &TestDatabase) -> Result<Vec<Client>> {
    let url = database.url();
    let clients = try_join_all((0..STRANGERS).map(|_| connect(&url))).await?;
    for client in &clients[..BACKENDS] {
        client.batch_execute("begin").await?;
    }
    for client in &clients[..BACKENDS] {
        client.batch_execute("rollback").await?;
    }
    Ok(clients)
}

/// Lets the clients ask until one of them misses the statement that it has prepared, which another
/// backend has, or meets that of another.
async fn until_a_statement_is_missed(
    clients: &[Client],
    ask: impl AsyncFn(&Client) -> Result<(), tokio_postgres::Error>,
) -> Result<()> {
    let patience = Duration::from_secs(20);
    wait_for("a statement to be missed", patience, async || {
        let met = states_met(clients, &ask).await;
        // No such statement, statement exists already, or what follows from either.
        ensure!(met.contains("26000") || met.contains("42P05"), "{met:?}");
        Ok(())
    })
    .await
}

/// The SQLSTATEs that the clients met, all of them asking several times at once.
async fn states_met(
    clients: &[Client],
    ask: impl AsyncFn(&Client) -> Result<(), tokio_postgres::Error>,
) -> HashSet<String> {
    let met = join_all(clients.iter().map(|client| async {
        let mut met = HashSet::new();
        for _ in 0..ROUNDS {
            if let Err(error) = ask(client).await {
                met.insert(error.code().map_or("closed", |code| code.code()).to_owned());
            }
        }
        met
    }))
    .await;
    met.into_iter().flatten().collect()
}

async fn ask_with_a_named_statement(client: &Client) -> Result<(), tokio_postgres::Error> {
    client.query("select $1::int4 + 1", &[&1]).await.map(drop)
}

#[tokio::test]
async fn named_statements_fail_behind_the_pooler_and_nowhere_else() -> Result<()> {
    let pooled = TestDatabase::create(Route::Pooled).await?;
    until_a_statement_is_missed(&strangers(&pooled).await?, ask_with_a_named_statement).await?;
    let direct = TestDatabase::create(Route::Direct).await?;
    let met = states_met(&strangers(&direct).await?, ask_with_a_named_statement).await;
    assert!(met.is_empty(), "{met:?}");
    pooled.close().await?;
    direct.close().await
}

#[tokio::test]
async fn a_session_setting_reaches_a_stranger() -> Result<()> {
    let database = TestDatabase::create(Route::Pooled).await?;
    let rude = connect(&database.url()).await?;
    rude.batch_execute("set statement_timeout = '54321ms'")
        .await?;
    drop(rude);
    let strangers = strangers(&database).await?;
    let seen = join_all(strangers.iter().map(async |stranger| {
        let rows = stranger
            .query_typed("select current_setting('statement_timeout')", &[])
            .await?;
        rows[0].try_get::<_, String>(0)
    }))
    .await;
    let leaked = seen
        .iter()
        .filter(|limit| matches!(limit, Ok(limit) if limit == "54321ms"))
        .count();
    assert!(leaked > 0, "{seen:?}");
    database.close().await
}

#[tokio::test]
async fn an_enum_column_breaks_the_typed_call_and_its_text_does_not() -> Result<()> {
    let database = TestDatabase::create(Route::Pooled).await?;
    database
        .admin()
        .await?
        .batch_execute("create type mood as enum ('happy')")
        .await?;
    let as_enum = async |client: &Client| -> Result<(), tokio_postgres::Error> {
        client
            .query_typed("select 'happy'::mood", &[])
            .await
            .map(drop)
    };
    let as_text = async |client: &Client| -> Result<(), tokio_postgres::Error> {
        client
            .query_typed("select 'happy'::mood::text", &[])
            .await
            .map(drop)
    };
    until_a_statement_is_missed(&strangers(&database).await?, as_enum).await?;
    let met = states_met(&strangers(&database).await?, as_text).await;
    assert!(met.is_empty(), "{met:?}");
    database.close().await
}
