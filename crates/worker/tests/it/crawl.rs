//! Batches from their submission to their end.

use std::collections::BTreeMap;
use std::time::Duration;

use trawl_domain::batch::BatchState;
use trawl_test_support::database::Route;
use trawl_test_support::farm::Site;
use trawl_test_support::wait::wait_until;

use crate::house::{House, PATIENCE, options};

async fn a_batch_completes(route: Route) {
    let house = House::build(route).await;
    let hosts = house.farm.add_numbered_sites(20, 4);
    let worker = house.start_worker(options());
    let batch = house.submit(&hosts, 3, 8).await;
    let view = house.ended(batch).await;
    house.assert_all_complete(batch, 20, 3).await;
    assert!(view.started_at.unwrap() <= view.ended_at.unwrap());
    assert!(view.processing_seconds.unwrap() >= 0.0);
    let fetched: BTreeMap<String, usize> = house.farm.page_hits_by_host();
    assert_eq!(fetched.len(), 20);
    assert!(fetched.values().all(|pages| *pages == 3), "{fetched:?}");
    assert_eq!(house.farm.duplicate_pages(), []);
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_completes_directly() {
    a_batch_completes(Route::Direct).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_completes_through_the_pooler() {
    a_batch_completes(Route::Pooled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn max_concurrent_sites_are_crawled_at_once_and_no_more_by_two_workers() {
    let house = House::build(Route::Pooled).await;
    let hosts = house.farm.add_numbered_sites(12, 2);
    let gate = house.farm.hold_answers();
    let workers = [house.start_worker(options()), house.start_worker(options())];
    let batch = house.submit(&hosts, 2, 3).await;
    wait_until("three sites to wait", PATIENCE, async || {
        house.farm.held_hosts().len() == 3
    })
    .await
    .unwrap();
    // The claims go on meanwhile; whatever they would take shows up before the batch ends.
    gate.release();
    house.ended(batch).await;
    assert_eq!(house.farm.peaks().hosts_under_way, 3);
    house.assert_all_complete(batch, 12, 2).await;
    assert_eq!(house.farm.duplicate_pages(), []);
    for worker in workers {
        worker.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_host_in_many_batches_is_crawled_once_at_a_time() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site(
        "busy.test",
        Site::new(2).with_latency(Duration::from_millis(20)),
    );
    let workers = [house.start_worker(options()), house.start_worker(options())];
    let mut batches = Vec::new();
    for _ in 0..5 {
        batches.push(house.submit(&["busy.test".to_owned()], 2, 5).await);
    }
    for batch in batches {
        house.ended(batch).await;
        house.assert_all_complete(batch, 1, 2).await;
    }
    assert_eq!(house.farm.peaks().requests_to_one_host, 1);
    assert_eq!(house.farm.page_hits("busy.test"), 10);
    for worker in workers {
        worker.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_cannot_be_had_fails_with_its_reason_and_the_batch_is_partial() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site("good.test", Site::new(1));
    house
        .farm
        .add_site("gone.test", Site::new(1).with_status("/", 404));
    let worker = house.start_worker(options());
    let batch = house
        .submit(&["good.test".to_owned(), "gone.test".to_owned()], 5, 5)
        .await;
    let view = house.ended(batch).await;
    assert_eq!(view.state, BatchState::Partial);
    assert_eq!((view.counts.completed, view.counts.failed), (1, 1));
    let admin = house.database.admin().await.unwrap();
    let row = admin
        .query_one(
            "select error_code, error from trawl.domain_jobs where state = 'failed'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, String>(0), "http_client_error");
    assert!(
        row.get::<_, String>(1).contains("404"),
        "{}",
        row.get::<_, String>(1)
    );
    house.assert_audit().await;
    worker.drain().await;
}
