//! Sites that ask to be left alone, across the batches and workers that want them.

use std::time::Duration;

use trawl_domain::batch::BatchState;
use trawl_persistence::control::batch_cancel;
use trawl_test_support::database::Route;
use trawl_test_support::farm::{Reply, Site};
use trawl_test_support::wait::wait_until;
use uuid::Uuid;

use crate::house::{House, PATIENCE, options};

/// Longer than what is waited out within a step, so that the claim ends.
const WAIT: &str = "6";

fn busy(status: u16, retry_after: &str) -> Reply {
    Reply::status(status).with_header("Retry-After", retry_after)
}

async fn submit(house: &House, host: &str) -> Uuid {
    house.submit(&[host.to_owned()], 3, 5).await
}

/// Waits until a job of the batch was given back because its site asked for it.
async fn snoozed(house: &House, batch: Uuid) {
    let admin = house.database.admin().await.unwrap();
    wait_until("a snooze", PATIENCE, async || {
        let sql = "select count(*) from trawl.domain_jobs
                   where batch_id = $1 and state = 'pending' and attempt = 0 and snoozes > 0";
        admin
            .query_one(sql, &[&batch])
            .await
            .unwrap()
            .get::<_, i64>(0)
            == 1
    })
    .await
    .unwrap();
}

/// How often `host` was asked for anything.
fn asked(house: &House, host: &str) -> usize {
    house.farm.hits(host).len()
}

async fn sql(house: &House, statement: &str) {
    let admin = house.database.admin().await.unwrap();
    admin.batch_execute(statement).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snooze_holds_for_other_batches_and_workers_and_then_the_site_is_crawled() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site(
        "busy.test",
        Site::new(3).with_reply("/page-1", busy(429, WAIT)),
    );
    let workers = [house.start_worker(options()), house.start_worker(options())];
    let first = submit(&house, "busy.test").await;
    snoozed(&house, first).await;
    let before = asked(&house, "busy.test");
    let pages: Vec<_> = house.farm.hits("busy.test");
    house.farm.add_site("busy.test", Site::new(3));
    let second = submit(&house, "busy.test").await;
    let third = submit(&house, "busy.test").await;

    let answered = pages.last().and_then(|hit| hit.ended).unwrap();
    wait_until("the site to be asked again", PATIENCE, async || {
        asked(&house, "busy.test") > before
    })
    .await
    .unwrap();
    let again = house.farm.hits("busy.test")[before].started;
    assert!(
        again - answered >= Duration::from_secs(6),
        "{:?}",
        again - answered
    );
    for batch in [first, second, third] {
        assert_eq!(house.ended(batch).await.state, BatchState::Complete);
        house.assert_all_complete(batch, 1, 3).await;
    }
    // The start page was fetched once for the first batch: nothing was lost by the snooze.
    let starts = house.farm.hits("busy.test");
    assert_eq!(starts.iter().filter(|hit| hit.path == "/").count(), 3);
    // No attempt was used.
    let admin = house.database.admin().await.unwrap();
    let attempts: i32 = admin
        .query_one("select max(attempt) from trawl.domain_jobs", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(attempts, 1);
    for worker in workers {
        worker.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_only_asks_for_waits_ends_with_too_many_requests() {
    let house = House::build(Route::Pooled).await;
    house
        .farm
        .add_site("busy.test", Site::new(1).with_reply("/", busy(429, "3600")));
    let worker = house.start_worker(options());
    let batch = submit(&house, "busy.test").await;
    snoozed(&house, batch).await;
    // An hour passes, and another, and the last of those that are waited for.
    let admin = house.database.admin().await.unwrap();
    wait_until("the batch to end", PATIENCE, async || {
        admin
            .batch_execute(
                "delete from trawl.hosts;
                 update trawl.domain_jobs set run_at = clock_timestamp() where state = 'pending'",
            )
            .await
            .unwrap();
        house.view(batch).await.state.is_terminal()
    })
    .await
    .unwrap();
    assert_eq!(house.view(batch).await.state, BatchState::Failed);
    let row = admin
        .query_one(
            "select error_code, attempt, snoozes from trawl.domain_jobs",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, String>(0), "too_many_requests");
    assert_eq!((row.get::<_, i32>(1), row.get::<_, i32>(2)), (3, 10));
    house.assert_audit().await;
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_was_waited_for_a_day_ends_with_what_it_gave() {
    let house = House::build(Route::Pooled).await;
    let site = || Site::new(3);
    house
        .farm
        .add_site("busy.test", site().with_reply("/page-1", busy(429, "3600")));
    let worker = house.start_worker(options());
    let batch = submit(&house, "busy.test").await;
    snoozed(&house, batch).await;
    house
        .farm
        .add_site("busy.test", site().with_reply("/page-2", busy(429, "3600")));
    // As if an hour had passed.
    let pass = "delete from trawl.hosts;
                update trawl.domain_jobs set run_at = clock_timestamp() where state = 'pending'";
    sql(&house, pass).await;
    let admin = house.database.admin().await.unwrap();
    wait_until("the page to be given", PATIENCE, async || {
        let recorded = "select discovered ->> 'waits' from trawl.pages where seq = 1";
        let row = admin.query_opt(recorded, &[]).await.unwrap();
        row.is_some_and(|row| row.get::<_, Option<&str>>(0) == Some("1"))
    })
    .await
    .unwrap();
    snoozed(&house, batch).await;
    assert_eq!(asked(&house, "busy.test"), 6);
    // As if it had been waited for 24 times, an hour each.
    sql(
        &house,
        "update trawl.pages set discovered = discovered || '{\"waits\": 24}' where seq = 1;
         update trawl.pages set recorded_at = recorded_at - interval '1 day' where seq = 0",
    )
    .await;
    sql(&house, pass).await;
    assert_eq!(house.ended(batch).await.state, BatchState::Complete);
    let ended = admin
        .query_one(
            "select stop_reason, pages_scraped, result -> 'crawl' -> 'pages' ->> 'failed'
             from trawl.domain_jobs",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(ended.get::<_, &str>(0), "error");
    assert_eq!((ended.get::<_, i32>(1), ended.get::<_, &str>(2)), (2, "1"));
    house.assert_audit().await;
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deadline_and_cancellation_reach_what_is_snoozed() {
    let house = House::build(Route::Pooled).await;
    for host in ["late.test", "stopped.test"] {
        house.farm.add_site(
            host,
            Site::new(1).with_reply("/robots.txt", busy(503, "3600")),
        );
    }
    let worker = house.start_worker(crate::house::frequent_heartbeats());
    let late = submit(&house, "late.test").await;
    let stopped = submit(&house, "stopped.test").await;
    snoozed(&house, late).await;
    snoozed(&house, stopped).await;
    sql(
        &house,
        &format!("update trawl.batches set deadline_at = clock_timestamp() where id = '{late}'"),
    )
    .await;
    batch_cancel(&house.pool, stopped).await.unwrap().unwrap();
    assert_eq!(house.ended(stopped).await.state, BatchState::Cancelled);
    assert_eq!(house.ended(late).await.state, BatchState::Failed);
    house.assert_audit().await;
    worker.drain().await;
}
