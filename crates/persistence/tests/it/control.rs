//! What users ask of batches and jobs, and what time does to them: each request is answered with
//! the state it found, may be repeated, and never undoes what has ended.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use tokio_postgres::types::Type;
use trawl_domain::batch::{BatchCounts, BatchEvent, BatchState};
use trawl_domain::failure::FailureCode;
use trawl_domain::job::{JobEvent, JobState};
use trawl_persistence::batches::{BatchView, batch_status};
use trawl_persistence::control::{Changed, Paused, batch_cancel, batch_pause, job_cancel};
use trawl_persistence::jobs::{
    ClaimedJob, EndedJob, job_attempts, job_claim, job_finish, job_hand_back, job_rescue,
    job_status,
};
use trawl_persistence::pages::page_record;
use trawl_persistence::retention::{batch_expire, batch_sweep};
use trawl_persistence::workers::{JobLease, worker_gone, worker_heartbeat};
use uuid::Uuid;

use crate::database::{CLIENTS, Db};
use crate::fixtures::{
    Submission, assert_promises_kept, cancelled, complete, failed, page, retry, worker,
};

pub(crate) const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

pub(crate) async fn view(db: &Db, batch: Uuid) -> Result<BatchView> {
    let status = batch_status(&db.pool, batch, || (), |(), _| ()).await?;
    Ok(status.context("the batch is there")?.0)
}

async fn state_of(db: &Db, job: Uuid) -> Result<JobState> {
    let view = job_status(&db.pool, job).await?;
    Ok(view.context("the job is there")?.state)
}

/// A batch of `total` sites of which `count` are claimed.
pub(crate) async fn partly_claimed(
    db: &Db,
    prefix: &str,
    total: usize,
    count: u32,
) -> Result<(Submission, Uuid, Vec<ClaimedJob>)> {
    let mut batch = Submission::sized(prefix, total).at_once(1_000);
    batch.options = r#"{"max_depth": 1}"#.to_owned();
    let batch = batch.accepted(&db.pool).await?;
    let me = worker(&db.pool).await?;
    let claimed = job_claim(&db.pool, me, count, Some(batch.id)).await?;
    ensure!(claimed.len() == usize::try_from(count)?);
    Ok((batch, me, claimed))
}

fn leases(claimed: &[ClaimedJob]) -> Vec<JobLease> {
    claimed.iter().map(|job| job.lease).collect()
}

/// A batch that ended in this state, or has come as far as this one.
pub(crate) async fn batch_in(db: &Db, state: BatchState) -> Result<Uuid> {
    let prefix = Uuid::now_v7().simple().to_string();
    let endings: [fn(JobLease) -> EndedJob; 2] = match state {
        BatchState::Pending => return Ok(partly_claimed(db, &prefix, 2, 0).await?.0.id),
        BatchState::Running => return Ok(partly_claimed(db, &prefix, 2, 1).await?.0.id),
        BatchState::Cancelling => {
            let (batch, ..) = partly_claimed(db, &prefix, 2, 1).await?;
            batch_cancel(&db.pool, batch.id).await?;
            return Ok(batch.id);
        }
        BatchState::Complete => [complete, complete],
        BatchState::Partial => [complete, failed],
        BatchState::Failed => [failed, failed],
        BatchState::Cancelled => [cancelled, cancelled],
    };
    let (batch, _, claimed) = partly_claimed(db, &prefix, 2, 2).await?;
    let ended = [endings[0](claimed[0].lease), endings[1](claimed[1].lease)];
    job_finish(&db.pool, &ended).await?;
    Ok(batch.id)
}

both_routes!(each_batch_is_cancelled_as_the_domain_says, async |db| {
    for state in BatchState::ALL {
        let batch = batch_in(db, state).await?;
        assert_eq!(view(db, batch).await?.state, state);
        // Without a running job the cancellation is complete with the answer.
        let requested = state.after(BatchEvent::CancelRequested);
        let now = match (state, requested) {
            (_, Err(_)) => state,
            (BatchState::Pending, Ok(_)) => BatchState::Cancelled,
            (_, Ok(now)) => now,
        };
        let changed = batch_cancel(&db.pool, batch).await?;
        assert_eq!(changed, Some(Changed { found: state, now }));
        let again = batch_cancel(&db.pool, batch).await?;
        assert_eq!(again, Some(Changed { found: now, now }));
    }
    assert_eq!(batch_cancel(&db.pool, Uuid::now_v7()).await?, None);
    assert_promises_kept(&db.pool).await
});

both_routes!(
    a_cancelled_batch_ends_with_its_last_running_job,
    async |db| {
        let (batch, me, claimed) = partly_claimed(db, "stopping", 20, 2).await?;
        batch_cancel(&db.pool, batch.id).await?;
        let counts = view(db, batch.id).await?.counts;
        assert_eq!((counts.cancelled, counts.ended()), (18, 18));
        assert!(job_claim(&db.pool, me, 5, None).await?.is_empty());
        let beat = worker_heartbeat(&db.pool, me, &leases(&claimed), YEAR).await?;
        assert_eq!((beat.cancelling.len(), beat.lost.len()), (2, 0));
        // One stops as it was asked to, the other was done before it heard of it.
        let ended = [cancelled(claimed[0].lease), complete(claimed[1].lease)];
        job_finish(&db.pool, &ended).await?;
        let after = view(db, batch.id).await?;
        assert_eq!(after.state, BatchState::Cancelled);
        let expected = BatchCounts {
            total: 20,
            completed: 1,
            failed: 0,
            cancelled: 19,
        };
        assert_eq!(after.counts, expected);
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(a_large_batch_is_cancelled_whole, async |db| {
    let batch = Submission::sized("many", 12_000).accepted(&db.pool).await?;
    let changed = batch_cancel(&db.pool, batch.id).await?;
    let expected = Changed {
        found: BatchState::Pending,
        now: BatchState::Cancelled,
    };
    assert_eq!(changed, Some(expected));
    assert_eq!(view(db, batch.id).await?.counts.cancelled, 12_000);
    assert_promises_kept(&db.pool).await
});

both_routes!(what_a_cancellation_left_is_swept, async |db| {
    let batch = Submission::sized("half", 7_000).accepted(&db.pool).await?;
    // A process that died after its first slice.
    db.rows(
        "select * from trawl.batch_cancel_v1($1, 10)",
        &[(&batch.id, Type::UUID)],
    )
    .await?;
    assert_eq!(view(db, batch.id).await?.counts.cancelled, 10);
    let sweeps = (0..CLIENTS).map(|_| batch_sweep(&db.pool));
    let mut swept: u32 = try_join_all(sweeps).await?.into_iter().sum();
    loop {
        let slice = batch_sweep(&db.pool).await?;
        swept += slice;
        if slice == 0 {
            break;
        }
    }
    assert_eq!(swept, 6_990);
    assert_eq!(view(db, batch.id).await?.state, BatchState::Cancelled);
    assert_promises_kept(&db.pool).await
});

both_routes!(each_job_is_cancelled_as_the_domain_says, async |db| {
    for state in JobState::ALL {
        let prefix = Uuid::now_v7().simple().to_string();
        let claims = u32::from(state != JobState::Pending);
        let (batch, me, claimed) = partly_claimed(db, &prefix, 2, claims).await?;
        let job = batch.jobs[0].id;
        let ending = match state {
            JobState::Pending | JobState::Running => None,
            JobState::Complete => Some(complete(claimed[0].lease)),
            JobState::Failed => Some(failed(claimed[0].lease)),
            JobState::Cancelled => Some(cancelled(claimed[0].lease)),
        };
        job_finish(&db.pool, &ending.into_iter().collect::<Vec<_>>()).await?;
        let now = match (state, state.after(JobEvent::Cancelled)) {
            (_, Err(_)) => state,
            // Its worker holds it, and is told.
            (JobState::Running, Ok(_)) => JobState::Running,
            (_, Ok(now)) => now,
        };
        let changed = job_cancel(&db.pool, job).await?;
        assert_eq!(changed, Some(Changed { found: state, now }));
        if state == JobState::Running {
            let beat = worker_heartbeat(&db.pool, me, &leases(&claimed), YEAR).await?;
            assert_eq!(beat.cancelling, [job]);
            // Whatever its worker makes of it, it is not tried again.
            job_finish(&db.pool, &[retry(claimed[0].lease)]).await?;
            assert_eq!(state_of(db, job).await?, JobState::Cancelled);
        }
        let found = state_of(db, job).await?;
        let again = job_cancel(&db.pool, job).await?;
        assert_eq!(again, Some(Changed { found, now: found }));
    }
    assert_eq!(job_cancel(&db.pool, Uuid::now_v7()).await?, None);
    assert_promises_kept(&db.pool).await
});

both_routes!(
    a_job_whose_worker_dies_after_a_cancellation_is_cancelled,
    async |db| {
        let (batch, me, _) = partly_claimed(db, "dying", 2, 1).await?;
        job_cancel(&db.pool, batch.jobs[0].id).await?;
        worker_gone(&db.pool, me).await?;
        let rescued = job_rescue(&db.pool, 10, 1).await?;
        assert_eq!(rescued[0].state, JobState::Cancelled);
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(nothing_of_a_paused_batch_is_claimed, async |db| {
    let (batch, me, claimed) = partly_claimed(db, "paused", 3, 1).await?;
    let paused = Paused {
        state: BatchState::Running,
        paused: true,
    };
    for _ in 0..2 {
        assert_eq!(batch_pause(&db.pool, batch.id, true).await?, Some(paused));
    }
    assert!(view(db, batch.id).await?.paused);
    assert!(job_claim(&db.pool, me, 5, None).await?.is_empty());
    let beat = worker_heartbeat(&db.pool, me, &leases(&claimed), YEAR).await?;
    assert_eq!(beat.paused, [claimed[0].lease.job]);
    job_hand_back(&db.pool, &leases(&claimed)).await?;
    assert!(job_claim(&db.pool, me, 5, None).await?.is_empty());
    let resumed = Paused {
        paused: false,
        ..paused
    };
    assert_eq!(batch_pause(&db.pool, batch.id, false).await?, Some(resumed));
    assert_eq!(job_claim(&db.pool, me, 5, None).await?.len(), 3);
    Ok(())
});

both_routes!(only_a_batch_that_can_go_on_is_paused, async |db| {
    for state in BatchState::ALL {
        let batch = batch_in(db, state).await?;
        let goes_on = state.after(BatchEvent::JobClaimed).is_ok();
        let expected = Paused {
            state,
            paused: goes_on,
        };
        let answer = batch_pause(&db.pool, batch, true).await?;
        assert_eq!(answer, Some(expected));
    }
    assert_eq!(batch_pause(&db.pool, Uuid::now_v7(), true).await?, None);
    Ok(())
});

both_routes!(a_paused_batch_can_be_cancelled, async |db| {
    let batch = Submission::sized("both", 3).accepted(&db.pool).await?;
    batch_pause(&db.pool, batch.id, true).await?;
    batch_cancel(&db.pool, batch.id).await?;
    assert_eq!(view(db, batch.id).await?.state, BatchState::Cancelled);
    assert_promises_kept(&db.pool).await
});

both_routes!(
    what_waits_at_the_deadline_fails_and_what_runs_is_named,
    async |db| {
        let (batch, me, claimed) = partly_claimed(db, "late", 4, 2).await?;
        // One that runs, one that waits for its second attempt, two that wait for their first.
        job_finish(&db.pool, &[retry(claimed[1].lease)]).await?;
        assert_eq!(batch_sweep(&db.pool).await?, 0);
        db.admin
        .execute_typed(
            "update trawl.batches set deadline_at = clock_timestamp() - interval '1 s' where id = $1",
            &[(&batch.id, Type::UUID)],
        )
        .await?;
        let beat = worker_heartbeat(&db.pool, me, &leases(&claimed[..1]), YEAR).await?;
        assert_eq!(beat.overdue, [claimed[0].lease.job]);
        assert_eq!(batch_sweep(&db.pool).await?, 3);
        assert_eq!(batch_sweep(&db.pool).await?, 0);
        let view = job_status(&db.pool, batch.jobs[3].id)
            .await?
            .context("the job is there")?;
        assert_eq!(view.state, JobState::Failed);
        assert_eq!(
            view.failure.context("a reason")?.0,
            FailureCode::DeadlineExceeded.as_str()
        );
        job_finish(&db.pool, &[failed(claimed[0].lease)]).await?;
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(the_attempts_at_a_job_are_kept, async |db| {
    let me = worker(&db.pool).await?;
    let job = Submission::sized("history", 1)
        .accepted(&db.pool)
        .await?
        .jobs[0]
        .id;
    let claim = async || anyhow::Ok(job_claim(&db.pool, me, 1, None).await?[0].lease);
    let first = claim().await?;
    for _ in 0..2 {
        job_finish(&db.pool, &[retry(first)]).await?;
    }
    let handed_back = claim().await?;
    job_hand_back(&db.pool, &[handed_back]).await?;
    job_finish(&db.pool, &[complete(claim().await?)]).await?;
    let attempts: Vec<_> = job_attempts(&db.pool, job)
        .await?
        .into_iter()
        .map(|one| (one.attempt, one.outcome, one.failure.map(|(code, _)| code)))
        .collect();
    let reason = FailureCode::DnsNotFound.as_str().to_owned();
    assert_eq!(
        attempts,
        [
            (1, JobState::Pending, Some(reason)),
            (2, JobState::Complete, None)
        ]
    );
    Ok(())
});

/// Expires until nothing is left to, from many sides at once.
async fn expire_all(db: &Db, age: Duration) -> Result<()> {
    loop {
        let slices = (0..4).map(|_| batch_expire(&db.pool, age));
        let deleted: u32 = try_join_all(slices).await?.into_iter().sum();
        assert_promises_kept(&db.pool).await?;
        if deleted == 0 {
            return Ok(());
        }
    }
}

both_routes!(only_what_ended_long_ago_expires, async |db| {
    let (old, _, claimed) = partly_claimed(db, "old", 3, 3).await?;
    let pages: Vec<_> = claimed.iter().map(|job| page(job.lease, 0)).collect();
    page_record(&db.pool, &pages).await?;
    let ended: Vec<_> = claimed.iter().map(|job| complete(job.lease)).collect();
    job_finish(&db.pool, &ended).await?;
    let young = batch_in(db, BatchState::Complete).await?;
    let open = batch_in(db, BatchState::Running).await?;
    expire_all(db, YEAR).await?;
    assert_eq!(view(db, old.id).await?.state, BatchState::Complete);
    db.admin
        .execute_typed(
            "update trawl.batches set ended_at = ended_at - interval '2 years' where id = $1",
            &[(&old.id, Type::UUID)],
        )
        .await?;
    // What has begun to go is gone for everybody.
    batch_expire(&db.pool, YEAR).await?;
    assert!(
        batch_status(&db.pool, old.id, || (), |(), _| ())
            .await?
            .is_none()
    );
    assert!(job_status(&db.pool, old.jobs[0].id).await?.is_none());
    expire_all(db, YEAR).await?;
    let left: i64 = db
        .value(
            "select (select count(*) from trawl.batches where id = $1)
                  + (select count(*) from trawl.domain_jobs where batch_id = $1)
                  + (select count(*) from trawl.pages p
                     where not exists (select from trawl.domain_jobs j where j.id = p.job_id))",
            &[(&old.id, Type::UUID)],
        )
        .await?;
    assert_eq!(left, 0);
    assert_eq!(view(db, young).await?.state, BatchState::Complete);
    assert_eq!(view(db, open).await?.state, BatchState::Running);
    Ok(())
});
