//! Which jobs a claim takes: never too many of a batch, never two of a host, and of every batch in
//! its turn.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;
use tokio_postgres::types::Type;
use trawl_domain::batch::BatchState;
use trawl_persistence::batches::batch_status;
use trawl_persistence::control::{batch_cancel, batch_pause};
use trawl_persistence::jobs::{ClaimedJob, job_claim, job_finish};
use trawl_persistence::workers::{JobLease, worker_drain, worker_gone};
use trawl_test_support::wait_until;
use uuid::Uuid;

use crate::database::{CLIENTS, Db, discarded};
use crate::fixtures::{Submission, assert_promises_kept, complete, worker};

/// Claims from as many tasks at once as the pool has connections.
async fn claim_from_all_sides(db: &Db, worker: Uuid, want: u32) -> Result<Vec<ClaimedJob>> {
    let claims = (0..CLIENTS).map(|_| job_claim(&db.pool, worker, want, None));
    Ok(try_join_all(claims).await?.into_iter().flatten().collect())
}

async fn running(db: &Db) -> Result<i64> {
    db.value(
        "select count(*) from trawl.domain_jobs where state = 'running'",
        &[],
    )
    .await
}

fn leases(claimed: &[ClaimedJob]) -> HashSet<JobLease> {
    claimed.iter().map(|job| job.lease).collect()
}

both_routes!(
    claims_from_all_sides_stay_within_max_concurrent,
    async |db| {
        let worker = worker(&db.pool).await?;
        let batch = Submission::sized("bounded", 20)
            .at_once(3)
            .accepted(&db.pool)
            .await?;
        let mut done = 0;
        while done < batch.jobs.len() {
            let claimed = claim_from_all_sides(db, worker, 5).await?;
            assert_eq!(leases(&claimed).len(), claimed.len(), "each job once");
            let due = (batch.jobs.len() - done).min(3);
            assert_eq!(claimed.len(), due);
            assert_eq!(running(db).await?, i64::try_from(due)?);
            let ended: Vec<_> = claimed.iter().map(|job| complete(job.lease)).collect();
            done += job_finish(&db.pool, &ended).await?.len();
        }
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(
    a_claim_counts_what_runs_once_nobody_else_can_claim,
    async |db| {
        let me = worker(&db.pool).await?;
        let first = Submission::of(["held.test"]).accepted(&db.pool).await?;
        let counted = Submission::sized("counted", 6)
            .at_once(2)
            .accepted(&db.pool)
            .await?;
        let twin = Submission::of(["www.held.test"]).accepted(&db.pool).await?;
        // Half a claim of the host's other name holds the claim below up while it takes the first
        // batch, after it has looked at all batches and before it locks the one that counts.
        let holder = db.another_admin().await?;
        holder.batch_execute("begin").await?;
        holder
            .execute_typed(
                "update trawl.domain_jobs set state = 'running', worker_id = $1 where batch_id = $2",
                &[(&me, Type::UUID), (&twin.id, Type::UUID)],
            )
            .await?;
        let meanwhile = async {
            wait_until(
                "the claim to be held up",
                Duration::from_secs(20),
                async || {
                    db.value::<bool>(
                        "select exists (select from pg_stat_activity
                     where datname = current_database() and wait_event_type = 'Lock')",
                        &[],
                    )
                    .await
                    .is_ok_and(|waits| waits)
                },
            )
            .await?;
            let claimed = job_claim(&db.pool, me, 5, Some(counted.id)).await?;
            assert_eq!(claimed.len(), 2);
            holder.batch_execute("rollback").await?;
            anyhow::Ok(())
        };
        let (claimed, meanwhile) = tokio::join!(job_claim(&db.pool, me, 3, None), meanwhile);
        meanwhile?;
        let batches: Vec<_> = claimed?.iter().map(|job| job.batch).collect();
        assert!(batches.contains(&first.id), "{batches:?}");
        assert!(!batches.contains(&counted.id), "above max_concurrent");
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(no_host_is_crawled_twice_at_once, async |db| {
    let worker = worker(&db.pool).await?;
    for site in [
        "same.test",
        "www.same.test",
        "same.test:8080",
        "http://same.test/path",
    ] {
        for _ in 0..3 {
            Submission::of([site]).accepted(&db.pool).await?;
        }
    }
    Submission::of(["same.test", "www.same.test", "same.test:81"])
        .accepted(&db.pool)
        .await?;
    for _ in 0..15 {
        let claimed = claim_from_all_sides(db, worker, 10).await?;
        assert_eq!(claimed.len(), 1, "{claimed:?}");
        assert_eq!(running(db).await?, 1);
        job_finish(&db.pool, &[complete(claimed[0].lease)]).await?;
    }
    assert_eq!(claim_from_all_sides(db, worker, 10).await?.len(), 0);
    // The guarantee is an index; the claim has to avoid running into it.
    assert_eq!(discarded(&db.pool), 0);
    assert_promises_kept(&db.pool).await
});

both_routes!(the_index_refuses_a_second_crawl_of_a_host, async |db| {
    let worker = worker(&db.pool).await?;
    Submission::of(["one.test", "www.one.test"])
        .accepted(&db.pool)
        .await?;
    let refused = db
        .rows(
            "update trawl.domain_jobs set state = 'running', worker_id = $1",
            &[(&worker, Type::UUID)],
        )
        .await
        .unwrap_err();
    assert!(
        format!("{refused:#}").contains("domain_jobs_running_host_idx"),
        "{refused:#}"
    );
    Ok(())
});

both_routes!(a_large_batch_does_not_starve_a_small_one, async |db| {
    let worker = worker(&db.pool).await?;
    Submission::sized("large", 10_000)
        .at_once(1_000)
        .accepted(&db.pool)
        .await?;
    assert_eq!(job_claim(&db.pool, worker, 50, None).await?.len(), 50);
    // It starts beside the large one, neither behind its 10,000 nor before them all.
    let small = Submission::sized("small", 4).accepted(&db.pool).await?;
    let mut of_small = Vec::new();
    for _ in 0..8 {
        let claimed = job_claim(&db.pool, worker, 1, None).await?;
        of_small.push(claimed[0].batch == small.id);
    }
    let turns = of_small.iter().filter(|is_small| **is_small).count();
    assert_eq!(turns, 4, "{of_small:?}");
    for pair in of_small.chunks(2) {
        assert_ne!(pair[0], pair[1], "turns alternate: {of_small:?}");
    }
    Ok(())
});

/// What a turn is: claims until `count` of them have been served, and answers how many of each batch.
async fn served(db: &Db, worker: Uuid, batches: [Uuid; 2], count: usize) -> Result<[usize; 2]> {
    let mut of_each = [0; 2];
    for _ in 0..count {
        let claimed = job_claim(&db.pool, worker, 1, None).await?;
        let job = claimed.first().context("something is due")?;
        let place = batches.iter().position(|batch| *batch == job.batch);
        of_each[place.context("one of the two")?] += 1;
        job_finish(&db.pool, &[complete(job.lease)]).await?;
    }
    Ok(of_each)
}

both_routes!(
    what_claims_pass_over_gives_nobody_a_turn_before_others,
    async |db| {
        let worker = worker(&db.pool).await?;
        // Left behind at turn 0 or 1: a paused one, one that waits, and one at its max_concurrent.
        let paused = Submission::sized("paused", 50).accepted(&db.pool).await?;
        batch_pause(&db.pool, paused.id, true).await?;
        let waits = Submission::sized("waits", 50).accepted(&db.pool).await?;
        db.admin
            .execute_typed(
                "update trawl.domain_jobs set run_at = run_at + interval '1 hour'
                 where batch_id = $1",
                &[(&waits.id, Type::UUID)],
            )
            .await?;
        let full = Submission::sized("full", 50)
            .at_once(1)
            .accepted(&db.pool)
            .await?;
        job_claim(&db.pool, worker, 1, Some(full.id)).await?;
        let old = Submission::sized("old", 100).accepted(&db.pool).await?;
        served(db, worker, [old.id, old.id], 40).await?;
        let new = Submission::sized("new", 50).accepted(&db.pool).await?;
        assert_eq!(served(db, worker, [old.id, new.id], 20).await?, [10, 10]);
        // Nor has the paused one saved its turns up.
        batch_cancel(&db.pool, new.id).await?;
        batch_pause(&db.pool, paused.id, false).await?;
        assert_eq!(served(db, worker, [old.id, paused.id], 20).await?, [10, 10]);
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(
    a_claim_leaves_the_batches_that_it_does_not_need_to_others,
    async |db| {
        let worker = worker(&db.pool).await?;
        let first = Submission::sized("first", 2).accepted(&db.pool).await?;
        let second = Submission::sized("second", 2).accepted(&db.pool).await?;
        let busy = db.another_admin().await?;
        busy.batch_execute("begin").await?;
        let taken = busy
            .query_typed(
                "select batch_id from trawl.job_claim_v5($1, 1, null)",
                &[(&worker, Type::UUID)],
            )
            .await?;
        assert_eq!(taken[0].try_get::<_, Uuid>(0)?, first.id);
        let claimed = job_claim(&db.pool, worker, 1, None).await?;
        let batches: Vec<_> = claimed.iter().map(|job| job.batch).collect();
        assert_eq!(batches, [second.id]);
        busy.batch_execute("rollback").await?;
        Ok(())
    }
);

both_routes!(
    a_claim_takes_due_jobs_in_the_order_of_the_submission,
    async |db| {
        let worker = worker(&db.pool).await?;
        let batch = Submission::sized("ordered", 6)
            .at_once(6)
            .accepted(&db.pool)
            .await?;
        db.admin
            .execute_typed(
                "update trawl.domain_jobs set run_at = clock_timestamp() + interval '1 hour'
             where id = $1",
                &[(&batch.jobs[1].id, Type::UUID)],
            )
            .await?;
        let mut order = Vec::new();
        for _ in 0..5 {
            let claimed = job_claim(&db.pool, worker, 1, None).await?;
            order.push(claimed[0].lease.job);
        }
        let due = [0, 2, 3, 4, 5].map(|index: usize| batch.jobs[index].id);
        assert_eq!(order, due);
        assert_eq!(job_claim(&db.pool, worker, 1, None).await?.len(), 0);
        Ok(())
    }
);

both_routes!(a_claim_tells_all_that_the_crawl_needs, async |db| {
    let worker = worker(&db.pool).await?;
    let batch = Submission::of(["http://www.told.test:8080/start?a=b"])
        .accepted(&db.pool)
        .await?;
    let claimed = job_claim(&db.pool, worker, 7, None).await?;
    let job = claimed.first().context("a job")?;
    assert_eq!((job.lease.job, job.batch), (batch.jobs[0].id, batch.id));
    assert_eq!(job.domain, "www.told.test:8080");
    assert_eq!(job.start_url, "http://www.told.test:8080/start?a=b");
    assert_eq!((job.attempt, job.max_pages, job.pages_recorded), (1, 50, 0));
    let (view, ()) = batch_status(&db.pool, batch.id, || (), |(), _| ())
        .await?
        .context("the batch is there")?;
    assert_eq!(view.state, BatchState::Running);
    assert!(view.started_at.is_some() && view.updated_at >= view.created_at);
    Ok(())
});

both_routes!(a_claim_of_one_batch_takes_no_other, async |db| {
    let worker = worker(&db.pool).await?;
    Submission::sized("other", 3).accepted(&db.pool).await?;
    let wanted = Submission::sized("wanted", 3).accepted(&db.pool).await?;
    let claimed = job_claim(&db.pool, worker, 10, Some(wanted.id)).await?;
    assert_eq!(claimed.len(), 3);
    assert!(claimed.iter().all(|job| job.batch == wanted.id));
    assert_eq!(
        job_claim(&db.pool, worker, 10, Some(Uuid::now_v7()))
            .await?
            .len(),
        0
    );
    assert_eq!(job_claim(&db.pool, worker, 0, None).await?.len(), 0);
    Ok(())
});

both_routes!(only_a_live_worker_claims, async |db| {
    Submission::sized("waiting", 3).accepted(&db.pool).await?;
    let nobody = Uuid::now_v7();
    let draining = worker(&db.pool).await?;
    worker_drain(&db.pool, draining).await?;
    let gone = worker(&db.pool).await?;
    worker_gone(&db.pool, gone).await?;
    for worker in [nobody, draining, gone] {
        assert_eq!(job_claim(&db.pool, worker, 3, None).await?.len(), 0);
    }
    let live = worker(&db.pool).await?;
    assert_eq!(job_claim(&db.pool, live, 3, None).await?.len(), 3);
    Ok(())
});

both_routes!(
    a_claim_spans_batches_when_it_wants_more_than_one_allows,
    async |db| {
        let worker = worker(&db.pool).await?;
        for name in ["x", "y", "z"] {
            Submission::sized(name, 10)
                .at_once(2)
                .accepted(&db.pool)
                .await?;
        }
        let claimed = job_claim(&db.pool, worker, 5, None).await?;
        assert_eq!(claimed.len(), 5);
        let rest = job_claim(&db.pool, worker, 5, None).await?;
        assert_eq!(rest.len(), 1);
        tokio::time::timeout(Duration::from_secs(20), assert_promises_kept(&db.pool)).await?
    }
);
