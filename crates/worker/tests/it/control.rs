//! Cancel, pause, retry, deadlines, retention: what users and time do to batches that run.

use std::time::Duration;

use trawl_domain::batch::BatchState;
use trawl_persistence::control::{
    Changed, Retried, batch_cancel, batch_pause, batch_retry, job_cancel,
};
use trawl_test_support::database::Route;
use trawl_test_support::farm::{Reply, Site};
use trawl_test_support::wait::wait_until;
use trawl_worker::worker::WorkerOptions;
use uuid::Uuid;

use crate::house::{House, PATIENCE, frequent_heartbeats, options};

/// Waits until this many sites wait for an answer of the farm.
async fn sites_waiting(house: &House, sites: usize) {
    wait_until("sites to wait", PATIENCE, async || {
        house.farm.held_hosts().len() == sites
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_batch_ends_soon_its_fetches_stop_and_the_never_attempted_are_no_failures() {
    let house = House::build(Route::Pooled).await;
    let hosts = house.farm.add_numbered_sites(30, 3);
    // Never released: only an abort can end these fetches in time.
    let _gate = house
        .farm
        .hold_answers_when(|request| request.path != "/robots.txt");
    let worker = house.start_worker(frequent_heartbeats());
    let batch = house.submit(&hosts, 3, 4).await;
    sites_waiting(&house, 4).await;

    let changed = batch_cancel(&house.pool, batch).await.unwrap().unwrap();
    assert_eq!(
        changed,
        Changed {
            found: BatchState::Running,
            now: BatchState::Cancelling
        }
    );
    let view = house.ended(batch).await;
    assert_eq!(view.state, BatchState::Cancelled);
    assert_eq!(
        (
            view.counts.cancelled,
            view.counts.failed,
            view.counts.completed
        ),
        (30, 0, 0)
    );
    let admin = house.database.admin().await.unwrap();
    let never: i64 = admin
        .query_one(
            "select count(*) from trawl.domain_jobs where attempt = 0 and error_code is null",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(never, 26);
    let again = batch_cancel(&house.pool, batch).await.unwrap().unwrap();
    assert_eq!(
        again,
        Changed {
            found: BatchState::Cancelled,
            now: BatchState::Cancelled
        }
    );
    assert_eq!(
        batch_cancel(&house.pool, Uuid::now_v7()).await.unwrap(),
        None
    );
    house.assert_audit().await;
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_one_job_leaves_the_others_alone() {
    let house = House::build(Route::Pooled).await;
    let hosts = house.farm.add_numbered_sites(3, 2);
    let gate = house
        .farm
        .hold_answers_when(|request| request.path != "/robots.txt");
    let worker = house.start_worker(frequent_heartbeats());
    let batch = house.submit(&hosts, 2, 2).await;
    sites_waiting(&house, 2).await;
    let admin = house.database.admin().await.unwrap();
    let job = async |state: &str| -> Uuid {
        let sql = "select id from trawl.domain_jobs where state = $1 order by ordinal limit 1";
        admin.query_one(sql, &[&state]).await.unwrap().get(0)
    };
    let (running, pending) = (job("running").await, job("pending").await);
    let waiting = job_cancel(&house.pool, pending).await.unwrap().unwrap();
    assert_eq!(
        (waiting.found.as_str(), waiting.now.as_str()),
        ("pending", "cancelled")
    );
    let stopping = job_cancel(&house.pool, running).await.unwrap().unwrap();
    assert_eq!(
        (stopping.found.as_str(), stopping.now.as_str()),
        ("running", "running")
    );
    wait_until("the running job to be cancelled", PATIENCE, async || {
        house.view(batch).await.counts.cancelled == 2
    })
    .await
    .unwrap();
    gate.release();
    let view = house.ended(batch).await;
    assert_eq!(view.state, BatchState::Partial);
    assert_eq!((view.counts.cancelled, view.counts.completed), (2, 1));
    house.assert_audit().await;
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_batch_stops_and_goes_on_where_it_was() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site("site.test", Site::new(6));
    let gate = house
        .farm
        .hold_answers_when(|request| request.path.contains('4'));
    let worker = house.start_worker(frequent_heartbeats());
    let batch = house.submit(&["site.test".to_owned()], 6, 1).await;
    sites_waiting(&house, 1).await;
    assert!(
        batch_pause(&house.pool, batch, true)
            .await
            .unwrap()
            .unwrap()
            .paused
    );
    wait_until("the job to be handed back", PATIENCE, async || {
        house
            .lines(batch)
            .await
            .iter()
            .all(|(_, state, _)| state == "pending")
    })
    .await
    .unwrap();
    gate.release();
    let before = house.view(batch).await;
    assert!(before.paused && before.state == BatchState::Running);
    assert!(
        batch_pause(&house.pool, batch, true)
            .await
            .unwrap()
            .unwrap()
            .paused
    );

    assert!(
        !batch_pause(&house.pool, batch, false)
            .await
            .unwrap()
            .unwrap()
            .paused
    );
    house.ended(batch).await;
    house.assert_all_complete(batch, 1, 6).await;
    let twice = house.farm.duplicate_pages();
    assert!(
        twice.iter().all(|(_, path, _)| path.contains('4')),
        "{twice:?}"
    );
    // What has ended cannot be paused any more; the answer says so.
    let late = batch_pause(&house.pool, batch, true)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((late.state, late.paused), (BatchState::Complete, false));
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_takes_only_what_failed_and_keeps_the_lineage() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site("good.test", Site::new(2));
    house
        .farm
        .add_site("bad.test", Site::new(2).with_status("/", 404));
    let worker = house.start_worker(options());
    let batch = house
        .submit(&["good.test".to_owned(), "bad.test".to_owned()], 2, 2)
        .await;
    assert_eq!(house.ended(batch).await.state, BatchState::Partial);

    house.farm.add_site("bad.test", Site::new(2));
    let new = Uuid::now_v7();
    let accepted = batch_retry(&house.pool, batch, new, u32::MAX)
        .await
        .unwrap()
        .unwrap();
    assert!(
        matches!(accepted, Retried::Accepted { total: 1, .. }),
        "{accepted:?}"
    );
    assert_eq!(
        batch_retry(&house.pool, batch, new, u32::MAX)
            .await
            .unwrap(),
        Some(accepted)
    );
    let view = house.ended(new).await;
    assert_eq!(
        (view.state, view.retry_of),
        (BatchState::Complete, Some(batch))
    );
    house.assert_all_complete(new, 1, 2).await;
    assert_eq!(house.farm.page_hits("good.test"), 2);
    // Nothing failed this time, so there is nothing to retry.
    let refused = batch_retry(&house.pool, new, Uuid::now_v7(), u32::MAX)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        refused,
        Retried::Refused {
            state: BatchState::Complete
        }
    );
    let admin = house.database.admin().await.unwrap();
    let lineage: i64 = admin
        .query_one(
            "select count(*) from trawl.domain_jobs n join trawl.domain_jobs o on o.id = n.retry_of \
             where n.batch_id = $1 and o.batch_id = $2 and o.state = 'failed' and n.domain = o.domain",
            &[&new, &batch],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(lineage, 1);
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_hangs_holds_its_slot_no_longer_than_its_deadline() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site(
        "hang.test",
        Site::new(1).with_reply_to_all(Reply::silence()),
    );
    house.farm.add_site("next.test", Site::new(1));
    let worker = house.start_worker(WorkerOptions {
        concurrency: 1,
        job_deadline: Duration::from_secs(1),
        ..options()
    });
    let batch = house
        .submit(&["hang.test".to_owned(), "next.test".to_owned()], 1, 1)
        .await;
    let view = house.ended(batch).await;
    assert_eq!((view.counts.completed, view.counts.failed), (1, 1));
    let admin = house.database.admin().await.unwrap();
    let rows = admin
        .query(
            "select error_code, attempt from trawl.domain_jobs where state = 'failed'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(rows[0].get::<_, String>(0), "deadline_exceeded");
    house.assert_audit().await;
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_is_not_done_by_its_deadline_ends_with_what_was_found() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site(
        "slow.test",
        Site::new(3).with_reply("/page-1", Reply::silence()),
    );
    let worker = house.start_worker(WorkerOptions {
        job_deadline: Duration::from_secs(2),
        ..options()
    });
    let batch = house.submit(&["slow.test".to_owned()], 3, 1).await;
    assert_eq!(house.ended(batch).await.state, BatchState::Complete);
    let admin = house.database.admin().await.unwrap();
    let row = admin
        .query_one(
            "select stop_reason, (result->'crawl'->'pages'->>'fetched')::integer,
                    result->'crawl'->>'stop_reason'
             from trawl.domain_jobs",
            &[],
        )
        .await
        .unwrap();
    let words: [String; 2] = [row.get(0), row.get(2)];
    assert_eq!(words, ["max_duration", "max_duration"]);
    assert_eq!(row.get::<_, i32>(1), 1);
    house.assert_audit().await;
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_past_its_deadline_ends_running_and_waiting_sites_alike() {
    let house = House::build(Route::Pooled).await;
    let hosts = house.farm.add_numbered_sites(8, 1);
    let _gate = house.farm.hold_answers();
    let worker = house.start_worker(frequent_heartbeats());
    let batch = house.submit(&hosts, 1, 2).await;
    sites_waiting(&house, 2).await;
    let admin = house.database.admin().await.unwrap();
    admin
        .execute("update trawl.batches set deadline_at = now()", &[])
        .await
        .unwrap();
    let view = house.ended(batch).await;
    assert_eq!((view.state, view.counts.failed), (BatchState::Failed, 8));
    let codes: Vec<String> = admin
        .query("select distinct error_code from trawl.domain_jobs", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(codes, ["deadline_exceeded"]);
    house.assert_audit().await;
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_runs_into_the_deadline_of_its_batch_keeps_its_profile() {
    let house = House::build(Route::Pooled).await;
    let slow = Site::new(3).with_reply("/page-1", Reply::silence());
    house.farm.add_site("slow.test", slow);
    let mute = Site::new(1).with_reply("/", Reply::silence());
    house.farm.add_site("mute.test", mute);
    let batch = house
        .submit_with(&["slow.test", "mute.test"], |batch| {
            batch.deadline = Some(Duration::from_secs(5));
        })
        .await;
    let worker = house.start_worker(frequent_heartbeats());
    let view = house.ended(batch).await;
    assert_eq!(view.state, BatchState::Partial);
    let admin = house.database.admin().await.unwrap();
    let rows = admin
        .query(
            "select j.state, coalesce(j.stop_reason, j.error_code), j.attempt,
                    j.result->>'title' is not null
                    and j.result->'crawl'->'pages'->>'fetched' = '1'
             from trawl.domain_jobs j join trawl.batches b on b.id = j.batch_id
             where j.ended_at < b.deadline_at order by j.ordinal",
            &[],
        )
        .await
        .unwrap();
    let ends: Vec<(String, String, i32, bool)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect();
    let end =
        |state: &str, why: &str, has_profile| (state.to_owned(), why.to_owned(), 1, has_profile);
    let expected = [
        end("complete", "max_duration", true),
        end("failed", "deadline_exceeded", false),
    ];
    assert_eq!(ends, expected);
    house.assert_audit().await;
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_retention_deletes_what_ended_long_ago_and_nothing_else() {
    let house = House::build(Route::Pooled).await;
    let hosts = house.farm.add_numbered_sites(5, 4);
    let first = house.start_worker(options());
    let old = house.submit(&hosts, 4, 5).await;
    house.ended(old).await;
    let young = house.submit(&hosts, 4, 5).await;
    house.ended(young).await;
    first.drain().await;
    let admin = house.database.admin().await.unwrap();
    admin
        .execute(
            "update trawl.batches set ended_at = now() - interval '2 hours' where id = $1",
            &[&old],
        )
        .await
        .unwrap();
    let worker = house.start_worker(WorkerOptions {
        retention: Some(Duration::from_secs(3600)),
        ..frequent_heartbeats()
    });
    wait_until("the old batch to be gone", PATIENCE, async || {
        let left: i64 = admin
            .query_one("select count(*) from trawl.batches where id = $1", &[&old])
            .await
            .unwrap()
            .get(0);
        left == 0
    })
    .await
    .unwrap();
    let left: i64 = admin
        .query_one("select count(*) from trawl.pages", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(left, 20);
    house.assert_all_complete(young, 5, 4).await;
    worker.drain().await;
}
