//! Crashes, zombies, drains: what happens to the jobs of a worker that stops.

use std::time::Duration;

use trawl_domain::lease::LeaseTerms;
use trawl_test_support::database::Route;
use trawl_test_support::farm::Site;
use trawl_test_support::wait::wait_until;
use trawl_test_support::wire::{Effect, Fault, Moment, WireProxy};
use trawl_worker::worker::WorkerOptions;
use uuid::Uuid;

use crate::house::{House, PATIENCE, options, short_lease};

/// Waits until at least `pages` pages of the batch are recorded.
async fn recorded(house: &House, batch: Uuid, pages: i64) {
    let admin = house.database.admin().await.unwrap();
    wait_until("pages to be recorded", PATIENCE, async || {
        let row = admin
            .query_one(
                "select coalesce(sum(pages_recorded), 0)::bigint from trawl.domain_jobs \
                 where batch_id = $1",
                &[&batch],
            )
            .await
            .unwrap();
        row.get::<_, i64>(0) >= pages
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashed_workers_jobs_are_rescued_and_recorded_pages_are_not_fetched_again() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site("site.test", Site::new(9));
    let hold_deep = house
        .farm
        .hold_answers_when(|request| request.path.contains('7'));
    let first = house.start_worker(short_lease());
    let batch = house.submit(&["site.test".to_owned()], 9, 1).await;
    recorded(&house, batch, 4).await;
    wait_until("a page to be waited for", PATIENCE, async || {
        !house.farm.held_hosts().is_empty()
    })
    .await
    .unwrap();
    recorded(&house, batch, 7).await;
    first.crash().await;
    hold_deep.release();

    let second = house.start_worker(short_lease());
    house.ended(batch).await;
    house.assert_all_complete(batch, 1, 9).await;
    let twice = house.farm.duplicate_pages();
    // Only the page that was being fetched at the crash may be asked for again.
    assert!(
        twice.len() <= 1 && twice.iter().all(|(_, path, _)| path.contains('7')),
        "{twice:?}"
    );
    second.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_hands_back_at_once_and_charges_no_attempt() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site("slow.test", Site::new(3));
    let gate = house
        .farm
        .hold_answers_when(|request| request.path != "/robots.txt");
    let first = house.start_worker(WorkerOptions {
        shutdown_timeout: Duration::from_secs(4),
        ..options()
    });
    let batch = house.submit(&["slow.test".to_owned()], 3, 1).await;
    wait_until("the site to be asked", PATIENCE, async || {
        !house.farm.held_hosts().is_empty()
    })
    .await
    .unwrap();
    first.drain().await;
    let admin = house.database.admin().await.unwrap();
    let row = admin
        .query_one("select state, attempt, token from trawl.domain_jobs", &[])
        .await
        .unwrap();
    assert_eq!(
        (row.get::<_, String>(0).as_str(), row.get::<_, i32>(1)),
        ("pending", 0)
    );
    assert!(
        row.get::<_, i64>(2) >= 2,
        "the token grew with the claim and with the hand-back"
    );
    gate.release();
    let second = house.start_worker(options());
    house.ended(batch).await;
    house.assert_all_complete(batch, 1, 3).await;
    second.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_declared_gone_writes_nothing_and_starts_anew() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site("site.test", Site::new(4));
    let gate = house
        .farm
        .hold_answers_when(|request| request.path != "/robots.txt");
    let worker = house.start_worker(short_lease());
    let batch = house.submit(&["site.test".to_owned()], 4, 1).await;
    wait_until("the site to be asked", PATIENCE, async || {
        !house.farm.held_hosts().is_empty()
    })
    .await
    .unwrap();
    // As if the process had slept for longer than its lease and somebody had noticed.
    let admin = house.database.admin().await.unwrap();
    admin
        .execute("update trawl.workers set state = 'gone'", &[])
        .await
        .unwrap();
    wait_until(
        "the job to be rescued and claimed anew",
        PATIENCE,
        async || {
            let row = admin
                .query_one("select token, state from trawl.domain_jobs", &[])
                .await
                .unwrap();
            row.get::<_, i64>(0) >= 3 && row.get::<_, String>(1) == "running"
        },
    )
    .await
    .unwrap();
    gate.release();
    house.ended(batch).await;
    house.assert_all_complete(batch, 1, 4).await;
    let workers: i64 = admin
        .query_one("select count(*) from trawl.workers", &[])
        .await
        .unwrap()
        .get(0);
    assert!(workers >= 2, "the worker came back under a new id");
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_attempt_of_a_job_whose_workers_die_fails_it_with_the_reason() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site("deadly.test", Site::new(1));
    let _gate = house.farm.hold_answers();
    let batch = house.submit(&["deadly.test".to_owned()], 1, 1).await;
    let two_attempts = || WorkerOptions {
        max_attempts: 2,
        ..short_lease()
    };
    let admin = house.database.admin().await.unwrap();
    for attempt in 1..=2 {
        let worker = house.start_worker(two_attempts());
        wait_until("the job to be claimed", PATIENCE, async || {
            let row = admin
                .query_one("select attempt, state from trawl.domain_jobs", &[])
                .await
                .unwrap();
            row.get::<_, i32>(0) == attempt && row.get::<_, String>(1) == "running"
        })
        .await
        .unwrap();
        worker.crash().await;
    }
    let rescuer = house.start_worker(two_attempts());
    let view = house.ended(batch).await;
    assert_eq!((view.counts.failed, view.counts.completed), (1, 0));
    let code: String = admin
        .query_one("select error_code from trawl.domain_jobs", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(code, "worker_lost");
    house.assert_audit().await;
    rescuer.drain().await;
}

/// How many registrations wait for a lock.
const REGISTRATIONS_WAITING: &str = "select count(*) from pg_stat_activity \
     where datname = current_database() and wait_event_type = 'Lock' and query like '%trawl.workers%'";

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_a_registration_without_an_answer() {
    let house = House::build(Route::Direct).await;
    let admin = house.database.admin().await.unwrap();
    admin
        .batch_execute("begin; lock table trawl.workers in access exclusive mode")
        .await
        .unwrap();
    let watcher = house.database.admin().await.unwrap();
    let waiting = async || -> i64 {
        let row = watcher.query_one(REGISTRATIONS_WAITING, &[]).await.unwrap();
        row.get(0)
    };
    let worker = house.start_worker(options());
    wait_until("the registration to wait", PATIENCE, async || {
        waiting().await == 1
    })
    .await
    .unwrap();
    worker.drain().await;
    assert_eq!(waiting().await, 1, "the worker left before its answer");
    admin.batch_execute("rollback").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_without_an_answer_costs_no_job() {
    let mut house = House::build(Route::Direct).await;
    let proxy = WireProxy::start(&house.worker_url).await.unwrap();
    house.worker_url = proxy.url();
    house.farm.add_site("slow.test", Site::new(2));
    let gate = house
        .farm
        .hold_answers_when(|request| request.path != "/robots.txt");
    let worker = house.start_worker(WorkerOptions {
        lease: LeaseTerms::new(Duration::from_secs(8)).unwrap(),
        ..options()
    });
    let batch = house.submit(&["slow.test".to_owned()], 2, 1).await;
    wait_until("the site to be asked", PATIENCE, async || {
        !house.farm.held_hosts().is_empty()
    })
    .await
    .unwrap();
    let heartbeat = || Moment::Labeled("Renews the leases".to_owned());
    let silenced = proxy.arm(Fault::new(heartbeat(), Effect::SilenceAfter));
    wait_until("a heartbeat to be swallowed", PATIENCE, async || {
        silenced.count() == 1
    })
    .await
    .unwrap();
    // A lease lasts for four heartbeats: after so many more this one has been renewed.
    let seen = proxy.arm(Fault::new(heartbeat(), Effect::Delay(Duration::ZERO)).always());
    wait_until("the lease to be renewed for good", PATIENCE, async || {
        seen.count() >= 5
    })
    .await
    .unwrap();
    gate.release();
    house.ended(batch).await;
    let admin = house.database.admin().await.unwrap();
    let row = admin
        .query_one(
            "select attempt, (select count(*) from trawl.workers) from trawl.domain_jobs",
            &[],
        )
        .await
        .unwrap();
    let (attempts, workers): (i32, i64) = (row.get(0), row.get(1));
    assert_eq!((attempts, workers), (1, 1), "the lease was never lost");
    worker.drain().await;
}
