//! Live, ready, or neither: what the service says and does while its database is away.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trawl_test_support::database::{Route, TestDatabase};
use trawl_test_support::wait::wait_for;
use uuid::Uuid;

use crate::house::{Api, PATIENCE, PREFIX, migrated, trawl};
use crate::relay::Relay;

const BATCH: &str = r#"{"domains": ["a.test"]}"#;

#[tokio::test]
async fn a_database_that_comes_late_is_waited_for_and_migrated() {
    let database = TestDatabase::create(Route::Pooled).await.unwrap();
    let mut relay = Relay::closed(&database.url()).await;
    let api = Api::start(&trawl(&["serve"], relay.url())).await;

    let health = api.health_status(503).await;
    assert_eq!(health["status"], "ERROR");
    for path in ["/batch", "/scan"] {
        let body = if path == "/batch" {
            BATCH
        } else {
            r#"{"base_url": "a.test"}"#
        };
        let answer = api.post(path, body).await;
        answer.assert_problem(503, "not_ready");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    }
    let unknown = Uuid::now_v7();
    let answer = api.get(&format!("{PREFIX}/status/{unknown}")).await;
    answer.assert_problem(503, "not_ready");
    // What is wrong with a request is said all the same.
    api.post("/batch", "{")
        .await
        .assert_problem(400, "invalid_json");

    relay.open().await;
    let health = api.health_status(200).await;
    let ok = |message: &str| json!({"status": "OK", "message": message});
    assert_eq!(
        health["checks"],
        json!({
            "database": ok("The database answers."),
            "migrations": ok("All migrations are applied."),
            "worker": ok("The worker looks for work."),
        })
    );
    assert_eq!(api.post("/batch", BATCH).await.status, 202);
}

#[tokio::test]
async fn a_database_that_goes_and_comes_back_is_used_again() {
    let database = migrated().await;
    let mut relay = Relay::closed(&database.url()).await;
    relay.open().await;
    let api = Api::start(&trawl(&["serve", "--no-worker"], relay.url())).await;
    api.ready().await;
    let id = api
        .accepted(&serde_json::from_str::<Value>(BATCH).unwrap())
        .await;

    relay.close().await;
    let health = api.health_status(503).await;
    assert_eq!(health["checks"]["database"]["status"], "ERROR");
    let answer = api.get(&format!("{PREFIX}/batch/{id}/status")).await;
    answer.assert_problem(503, "database_unavailable");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    let answer = api.post("/batch", BATCH).await;
    answer.assert_problem(503, "database_unavailable");

    relay.open().await;
    api.ready().await;
    assert_eq!(api.batch(&id).await["total_domains"], 1);
}

#[tokio::test]
async fn a_database_that_hangs_does_not_make_health_hang() {
    let database = migrated().await;
    let mut relay = Relay::closed(&database.url()).await;
    relay.open().await;
    let api = Api::start(&trawl(&["serve", "--no-worker"], relay.url())).await;
    api.ready().await;

    relay.hang().await;
    for _ in 0..2 {
        let began = Instant::now();
        let answer = api.get("/health").await;
        assert_eq!(answer.status, 503);
        // The limit is two seconds; the rest is for a busy machine.
        assert!(
            began.elapsed() < Duration::from_secs(6),
            "{:?}",
            began.elapsed()
        );
    }
    relay.close().await;
    relay.open().await;
    api.ready().await;
}

#[tokio::test]
async fn refused_credentials_are_tried_seldom_and_said_once() {
    let database = migrated().await;
    let (user, rest) = database
        .direct_url()
        .rsplit_once('@')
        .map(|(user, rest)| (user.to_owned(), rest.to_owned()))
        .unwrap();
    let (name, _password) = user.rsplit_once(':').unwrap();
    let mut api = Api::start(&trawl(&["serve"], &format!("{name}:wrong@{rest}"))).await;
    let refused = "The database refuses the connection; the log of the service says more.";
    wait_for("the refusal", PATIENCE, async || {
        let health = api.get("/health").await;
        anyhow::ensure!(
            health.status == 503 && health.json()["message"] == refused,
            "{health:?}"
        );
        Ok(())
    })
    .await
    .unwrap();
    let answer = api.post("/batch", BATCH).await;
    let problem = answer.assert_problem(503, "not_ready");
    assert!(!answer.text.contains("password"), "{problem:#}");
    api.process
        .wait_for_stderr("the reason", PATIENCE, |text| {
            (text.matches("cannot be used yet").count() == 1).then_some(())
        })
        .await
        .unwrap();
    assert!(!api.process.stderr().contains("wrong@"));
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_not_touched() {
    let database = migrated().await;
    let admin = database.admin().await.unwrap();
    admin
        .batch_execute(
            "insert into trawl.schema_migrations (version, name, checksum) values (9999, 'x', 'x')",
        )
        .await
        .unwrap();
    let api = Api::start(&trawl(&["serve", "--no-worker"], &database.url())).await;
    let message =
        "The database's schema is not that of this version; the log of the service says more.";
    wait_for("the refusal", PATIENCE, async || {
        let health = api.get("/health").await.json();
        anyhow::ensure!(
            health["checks"]["migrations"]["message"] == message,
            "{health:#}"
        );
        anyhow::ensure!(health["checks"]["database"]["status"] == "OK", "{health:#}");
        Ok(())
    })
    .await
    .unwrap();
    api.post("/batch", BATCH)
        .await
        .assert_problem(503, "not_ready");
}
