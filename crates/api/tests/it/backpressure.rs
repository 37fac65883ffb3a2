//! More than the service can take: it says so at once, with when to come back, and keeps nothing of
//! what it refused.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use trawl_test_support::wait::wait_for;
use uuid::Uuid;

use crate::house::{Answer, Api, PATIENCE, PREFIX, migrated, request_under_way, trawl};

/// The two seconds for a connection, and what a busy machine adds to them.
const AT_ONCE: Duration = Duration::from_secs(6);

fn assert_tells_when(answer: &Answer) {
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=300).contains(&wait), "{answer:?}");
}

#[tokio::test]
async fn a_full_queue_refuses_what_does_not_fit_and_takes_it_when_there_is_room() {
    let database = migrated().await;
    let command = trawl(&["serve", "--no-worker"], &database.url()).env("TRAWL_MAX_QUEUED", "3");
    let api = Api::start(&command).await;
    api.ready().await;
    let first = api
        .accepted(&json!({"domains": ["a.test", "b.test"]}))
        .await;
    let id = Uuid::now_v7();
    let second = json!({"batch_id": id, "domains": ["c.test", "d.test"]}).to_string();
    let refused = api.post("/batch", second.clone()).await;
    refused.assert_problem(429, "queue_full");
    assert_tells_when(&refused);
    api.get(&format!("{PREFIX}/batch/{id}/status"))
        .await
        .assert_problem(404, "batch_not_found");

    let canceled = api.post(&format!("/batch/{first}/cancel"), "").await;
    assert_eq!(canceled.status, 200, "{canceled:?}");
    let accepted = api.post("/batch", second).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    assert_eq!(accepted.json()["batch_id"], id.to_string());
}

#[tokio::test]
async fn a_full_pool_refuses_at_once_and_the_service_lives_on() {
    let database = migrated().await;
    let command = trawl(&["serve", "--no-worker"], &database.url()).env("TRAWL_DB_POOL_SIZE", "1");
    let api = Api::start(&command).await;
    api.ready().await;
    let id = api.accepted(&json!({"domains": ["a.test"]})).await;
    let admin = database.admin().await.unwrap();
    admin
        .batch_execute("begin; lock table trawl.batches in access exclusive mode")
        .await
        .unwrap();
    let path = format!("{PREFIX}/batch/{id}/status");
    let holding = api.get(&path);
    let refused = async {
        wait_for("the connection to wait", PATIENCE, async || {
            let waiting = "select count(*) from pg_stat_activity \
                           where datname = current_database() and wait_event_type = 'Lock'";
            let count: i64 = admin.query_typed(waiting, &[]).await?[0].try_get(0)?;
            anyhow::ensure!(count == 1, "{count} wait");
            Ok(())
        })
        .await
        .unwrap();
        let began = Instant::now();
        for answer in join_all((0..4).map(|_| api.get(&path))).await {
            answer.assert_problem(503, "busy");
            assert_tells_when(&answer);
        }
        assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
        let live = api.get("/health/live").await;
        assert_eq!(live.status, 200, "{live:?}");
        admin.batch_execute("rollback").await.unwrap();
    };
    let (held, ()) = tokio::join!(holding, refused);
    assert_eq!(held.status, 200, "{held:?}");
    assert_eq!(held.json()["status"], "pending");
}

#[tokio::test]
async fn more_large_bodies_than_fit_are_refused_and_small_ones_are_not() {
    let database = migrated().await;
    let api = Api::start(&trawl(&["serve", "--no-worker"], &database.url())).await;
    api.ready().await;
    let large = || {
        let metadata = "x".repeat(60_000);
        let padding = " ".repeat(100_000);
        format!(r#"{{"domains": ["a.test"], "metadata": {{"note": "{metadata}"}}}}{padding}"#)
    };
    let arriving = join_all((0..16).map(|_| request_under_way(&api, 1_000_000))).await;
    let refused = api.post("/batch", large()).await;
    refused.assert_problem(503, "busy");
    assert_tells_when(&refused);
    api.accepted(&json!({"domains": ["b.test"]})).await;
    drop(arriving);
    wait_for("room for a large body", PATIENCE, async || {
        let answer = api.post("/batch", large()).await;
        anyhow::ensure!(answer.status == 202, "{answer:?}");
        Ok(())
    })
    .await
    .unwrap();
}
