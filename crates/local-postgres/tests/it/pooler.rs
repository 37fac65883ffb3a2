//! The pooler: every database, two server connections each, and restarts.

use crate::support::{ask, start};
use std::path::Path;
use trawl_local_postgres::{LocalPostgres, PgBouncer, PgBouncerOptions};

async fn pooler(postgres: &LocalPostgres, directory: &Path) -> PgBouncer {
    PgBouncer::start(PgBouncerOptions {
        dir: directory.to_path_buf(),
        server: postgres.address().clone(),
        default_pool_size: 2,
        max_client_conn: 100,
    })
    .await
    .expect("the pooler starts")
}

#[tokio::test]
async fn any_database_is_served_by_two_connections() {
    let directories = [(); 2].map(|()| tempfile::tempdir().expect("temporary directory"));
    let postgres = start(directories[0].path()).await;
    let pooler = pooler(&postgres, directories[1].path()).await;
    ask(postgres.url(), "CREATE DATABASE of_one_test")
        .await
        .expect("create");

    let url = pooler.url("of_one_test");
    let clients = (0..20).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { ask(&url, "SELECT pg_backend_pid()").await.expect("answers") })
    });
    let mut backends = std::collections::BTreeSet::new();
    for client in clients.collect::<Vec<_>>() {
        backends.insert(client.await.expect("no panic"));
    }
    assert!(backends.len() <= 2, "{backends:?}");

    pooler.stop().await.expect("stops");
    ask(&url, "SELECT 1").await.expect_err("nobody listens");
    postgres.stop().await.expect("stops");
}

#[tokio::test]
async fn a_restarted_pooler_keeps_its_port() {
    let directories = [(); 2].map(|()| tempfile::tempdir().expect("temporary directory"));
    let postgres = start(directories[0].path()).await;
    let mut pooler = pooler(&postgres, directories[1].path()).await;
    let url = pooler.url("trawl");
    assert_eq!(ask(&url, "SELECT 1").await.expect("answers"), "1");
    pooler.restart().await.expect("restarts");
    assert_eq!(pooler.url("trawl"), url);
    assert_eq!(ask(&url, "SELECT 1").await.expect("answers"), "1");
    assert!(
        ask(&pooler.console_url(), "SHOW VERSION")
            .await
            .expect("console")
            .contains("Bouncer")
    );
    pooler.stop().await.expect("stops");
    postgres.stop().await.expect("stops");
}
