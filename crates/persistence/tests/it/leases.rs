//! The right to a job: how it is renewed, lost, taken away, and that nothing can be written
//! without it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;
use tokio_postgres::types::Type;
use trawl_domain::failure::FailureCode;
use trawl_domain::job::JobState;
use trawl_persistence::jobs::{
    ClaimedJob, MovedJob, job_claim, job_finish, job_hand_back, job_rescue, job_status,
};
use trawl_persistence::pages::{page_record, pages_of_job};
use trawl_persistence::workers::{
    JobLease, WorkerIdentity, worker_drain, worker_forget, worker_gone, worker_heartbeat,
    worker_register,
};
use uuid::Uuid;

use crate::database::{CLIENTS, Db};
use crate::fixtures::{
    Submission, assert_promises_kept, cancelled, complete, failed, page, retry, worker,
};

/// Longer than any claim here has been made.
const OLD: Duration = Duration::from_secs(3600);

/// What a worker looks like that has not been heard of for a day.
async fn silence(db: &Db, worker: Uuid) -> Result<()> {
    db.admin
        .execute_typed(
            "update trawl.workers set heartbeat_at = clock_timestamp() - interval '2 days'
             where id = $1",
            &[(&worker, Type::UUID)],
        )
        .await?;
    Ok(())
}

async fn claimed_by(db: &Db, worker: Uuid, prefix: &str, count: u32) -> Result<Vec<ClaimedJob>> {
    Submission::sized(prefix, usize::try_from(count)?)
        .at_once(i64::from(count))
        .accepted(&db.pool)
        .await?;
    let claimed = job_claim(&db.pool, worker, count, None).await?;
    assert_eq!(claimed.len(), usize::try_from(count)?);
    Ok(claimed)
}

fn leases(claimed: &[ClaimedJob]) -> Vec<JobLease> {
    claimed.iter().map(|job| job.lease).collect()
}

/// Asserts that the holder of these leases can do nothing any more.
async fn assert_fenced(db: &Db, leases: &[JobLease]) -> Result<()> {
    let before = jobs_and_pages(db).await?;
    let pages: Vec<_> = leases.iter().map(|lease| page(*lease, 7)).collect();
    assert!(page_record(&db.pool, &pages).await?.is_empty());
    for ending in [complete, failed, retry, cancelled] {
        let ended: Vec<_> = leases.iter().map(|lease| ending(*lease)).collect();
        assert_eq!(job_finish(&db.pool, &ended).await?, []);
    }
    assert_eq!(job_hand_back(&db.pool, leases).await?, []);
    assert_eq!(jobs_and_pages(db).await?, before);
    Ok(())
}

async fn jobs_and_pages(db: &Db) -> Result<Vec<String>> {
    db.column(
        "select j::text from trawl.domain_jobs j union all select p::text from trawl.pages p
         union all select b::text from trawl.batches b order by 1",
        &[],
    )
    .await
}

both_routes!(
    a_heartbeat_names_lost_cancelled_and_orphaned_jobs,
    async |db| {
        let me = worker(&db.pool).await?;
        let kept = claimed_by(db, me, "kept", 1).await?;
        let lost = claimed_by(db, me, "lost", 1).await?;
        let stopped = claimed_by(db, me, "stopped", 1).await?;
        let orphan = claimed_by(db, me, "orphan", 1).await?;
        job_hand_back(&db.pool, &leases(&lost)).await?;
        db.admin
            .execute_typed(
                "update trawl.batches set state = 'cancelling' where id = $1",
                &[(&stopped[0].batch, Type::UUID)],
            )
            .await?;
        let held = [kept[0].lease, lost[0].lease, stopped[0].lease];
        let beat = worker_heartbeat(&db.pool, me, &held, Duration::ZERO).await?;
        assert!(beat.alive);
        assert_eq!(beat.lost, [lost[0].lease.job]);
        assert_eq!(beat.cancelling, [stopped[0].lease.job]);
        assert_eq!(beat.orphans, [orphan[0].lease]);
        // The answer to a young claim may still be on its way.
        let beat = worker_heartbeat(&db.pool, me, &held, OLD).await?;
        assert_eq!(beat.orphans, []);
        // What a claim had lost goes back with the token that the heartbeat names.
        assert_eq!(job_hand_back(&db.pool, &[orphan[0].lease]).await?.len(), 1);
        Ok(())
    }
);

both_routes!(a_heartbeat_renews_the_lease, async |db| {
    let me = worker(&db.pool).await?;
    let claimed = claimed_by(db, me, "renewed", 1).await?;
    silence(db, me).await?;
    let beat = worker_heartbeat(&db.pool, me, &leases(&claimed), OLD).await?;
    assert!(beat.alive && beat.lost.is_empty());
    assert_eq!(job_rescue(&db.pool, 10, 3).await?, []);
    worker_drain(&db.pool, me).await?;
    silence(db, me).await?;
    assert!(
        worker_heartbeat(&db.pool, me, &leases(&claimed), OLD)
            .await?
            .alive
    );
    assert_eq!(job_rescue(&db.pool, 10, 3).await?, []);
    job_finish(&db.pool, &[complete(claimed[0].lease)]).await?;
    assert_promises_kept(&db.pool).await
});

both_routes!(a_heartbeat_counts_no_job_of_another_worker, async |db| {
    let [owner, other] = [worker(&db.pool).await?, worker(&db.pool).await?];
    let held = leases(&claimed_by(db, owner, "owned", 1).await?);
    let beat = worker_heartbeat(&db.pool, other, &held, OLD).await?;
    assert_eq!((beat.alive, beat.lost), (true, vec![held[0].job]));
    let beat = worker_heartbeat(&db.pool, owner, &held, OLD).await?;
    assert_eq!((beat.alive, beat.lost), (true, vec![]));
    Ok(())
});

both_routes!(a_gone_worker_stays_gone, async |db| {
    let me = worker(&db.pool).await?;
    let claimed = claimed_by(db, me, "gone", 1).await?;
    worker_gone(&db.pool, me).await?;
    let identity = WorkerIdentity {
        id: me,
        host: "test".to_owned(),
        pid: 1,
        lease_ttl: OLD,
    };
    worker_register(&db.pool, &identity).await?;
    worker_drain(&db.pool, me).await?;
    let beat = worker_heartbeat(&db.pool, me, &leases(&claimed), OLD).await?;
    assert!(!beat.alive);
    assert_eq!(job_claim(&db.pool, me, 1, None).await?.len(), 0);
    let unknown = worker_heartbeat(&db.pool, Uuid::now_v7(), &[], OLD).await?;
    assert!(!unknown.alive);
    Ok(())
});

both_routes!(
    the_jobs_of_a_silent_worker_are_rescued_and_it_is_fenced,
    async |db| {
        let (zombie, healthy) = (worker(&db.pool).await?, worker(&db.pool).await?);
        let abandoned = leases(&claimed_by(db, zombie, "abandoned", 4).await?);
        let kept = claimed_by(db, healthy, "kept", 2).await?;
        assert_eq!(job_rescue(&db.pool, 100, 3).await?, []);
        silence(db, zombie).await?;
        let rescued = job_rescue(&db.pool, 100, 3).await?;
        assert_eq!(rescued.len(), 4);
        assert!(rescued.iter().all(|job| job.state == JobState::Pending));
        assert_fenced(db, &abandoned).await?;

        // Also when somebody else is at work on them, under newer tokens.
        let again = job_claim(&db.pool, healthy, 10, None).await?;
        assert_eq!(again.len(), 4);
        for job in &again {
            let old = abandoned
                .iter()
                .find(|lease| lease.job == job.lease.job)
                .context("a rescued job")?;
            assert!(job.lease.token > old.token);
            assert_eq!(job.attempt, 2, "the lost attempt is charged");
        }
        assert_fenced(db, &abandoned).await?;
        let beat = worker_heartbeat(&db.pool, zombie, &abandoned, OLD).await?;
        assert!(!beat.alive);
        assert_eq!(beat.lost.len(), 4);

        let ended: Vec<_> = again
            .iter()
            .chain(&kept)
            .map(|job| complete(job.lease))
            .collect();
        assert_eq!(job_finish(&db.pool, &ended).await?.len(), 6);
        assert_fenced(db, &abandoned).await?;
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(
    the_last_lost_attempt_fails_the_job_with_its_reason,
    async |db| {
        let job = Submission::sized("unlucky", 1)
            .accepted(&db.pool)
            .await?
            .jobs[0]
            .id;
        for attempt in 1..=3 {
            let zombie = worker(&db.pool).await?;
            let claimed = job_claim(&db.pool, zombie, 1, None).await?;
            assert_eq!(claimed[0].attempt, attempt);
            silence(db, zombie).await?;
            let state = if attempt < 3 {
                JobState::Pending
            } else {
                JobState::Failed
            };
            assert_eq!(
                job_rescue(&db.pool, 10, 3).await?,
                [MovedJob { job, state }]
            );
        }
        let view = job_status(&db.pool, job)
            .await?
            .context("the job is there")?;
        let (code, sentence) = view.failure.context("a reason")?;
        assert_eq!(code, FailureCode::WorkerLost.as_str());
        assert!(sentence.ends_with('.') && view.ended_at.is_some());
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(many_rescuers_at_once_rescue_each_job_once, async |db| {
    for number in 0..4 {
        let zombie = worker(&db.pool).await?;
        claimed_by(db, zombie, &format!("z{number}"), 10).await?;
        silence(db, zombie).await?;
    }
    let rescues = (0..CLIENTS).map(|_| job_rescue(&db.pool, 100, 1));
    let rescued: Vec<_> = try_join_all(rescues).await?.into_iter().flatten().collect();
    assert_eq!(rescued.len(), 40);
    assert!(rescued.iter().all(|job| job.state == JobState::Failed));
    assert_promises_kept(&db.pool).await
});

both_routes!(a_rescue_takes_no_more_than_its_limit, async |db| {
    let zombie = worker(&db.pool).await?;
    claimed_by(db, zombie, "many", 10).await?;
    worker_gone(&db.pool, zombie).await?;
    assert_eq!(job_rescue(&db.pool, 4, 3).await?.len(), 4);
    assert_eq!(job_rescue(&db.pool, 100, 3).await?.len(), 6);
    assert_promises_kept(&db.pool).await
});

both_routes!(tokens_only_grow, async |db| {
    let me = worker(&db.pool).await?;
    let job = Submission::sized("token", 1).accepted(&db.pool).await?.jobs[0].id;
    let mut last = None;
    for round in 0..6 {
        let claimed = job_claim(&db.pool, me, 1, None).await?;
        let lease = claimed[0].lease;
        assert!(Some(lease.token) > last, "round {round}");
        last = Some(lease.token);
        if round % 2 == 0 {
            job_hand_back(&db.pool, &[lease]).await?;
        } else {
            job_finish(&db.pool, &[retry(lease)]).await?;
        }
    }
    assert_eq!(pages_of_job(&db.pool, job, None, 10_000).await?.len(), 0);
    Ok(())
});

both_routes!(only_workers_that_left_long_ago_are_forgotten, async |db| {
    let [fresh, old_but_live, long_gone] = [
        worker(&db.pool).await?,
        worker(&db.pool).await?,
        worker(&db.pool).await?,
    ];
    worker_gone(&db.pool, fresh).await?;
    silence(db, old_but_live).await?;
    worker_gone(&db.pool, long_gone).await?;
    silence(db, long_gone).await?;
    let holding = worker(&db.pool).await?;
    claimed_by(db, holding, "held", 1).await?;
    worker_gone(&db.pool, holding).await?;
    silence(db, holding).await?;
    worker_forget(&db.pool).await?;
    let mut known: Vec<Uuid> = db.column("select id from trawl.workers", &[]).await?;
    let mut expected = [fresh, old_but_live, holding];
    known.sort_unstable();
    expected.sort_unstable();
    assert_eq!(known, expected);
    Ok(())
});
