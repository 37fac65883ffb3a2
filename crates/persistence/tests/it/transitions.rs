//! The SQL moves jobs and batches exactly as the tables of the domain say, and only for whoever
//! holds the token.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio_postgres::types::Type;
use trawl_domain::batch::{BatchCounts, BatchState};
use trawl_domain::failure::FailureCode;
use trawl_domain::job::{JobEvent, JobState};
use trawl_domain::lease::FencingToken;
use trawl_persistence::batches::batch_status;
use trawl_persistence::jobs::{
    EndedJob, MovedJob, job_claim, job_finish, job_hand_back, job_rescue, job_status,
};
use trawl_persistence::workers::{JobLease, worker_gone};
use uuid::Uuid;

use crate::database::Db;
use crate::fixtures::{
    Submission, assert_promises_kept, cancelled, complete, failed, retry, snoozed, worker,
};

/// The ways in which a job can be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Claim,
    Complete,
    Fail,
    Retry,
    Cancel,
    HandBack,
    Snooze,
    /// With attempts left.
    Rescue,
    /// Without.
    LastRescue,
}

impl Move {
    const ALL: [Self; 9] = [
        Self::Claim,
        Self::Complete,
        Self::Fail,
        Self::Retry,
        Self::Cancel,
        Self::HandBack,
        Self::Snooze,
        Self::Rescue,
        Self::LastRescue,
    ];

    fn event(self) -> JobEvent {
        match self {
            Self::Claim => JobEvent::Claimed,
            Self::Complete => JobEvent::Succeeded,
            Self::Fail | Self::LastRescue => JobEvent::GaveUp,
            Self::Retry => JobEvent::RetryScheduled,
            Self::Cancel => JobEvent::Cancelled,
            Self::HandBack => JobEvent::HandedBack,
            Self::Snooze => JobEvent::Snoozed,
            Self::Rescue => JobEvent::Rescued,
        }
    }

    /// Whether it is made by the holder of a lease, with a token.
    fn is_fenced(self) -> bool {
        match self {
            Self::Complete
            | Self::Fail
            | Self::Retry
            | Self::Cancel
            | Self::HandBack
            | Self::Snooze => true,
            Self::Claim | Self::Rescue | Self::LastRescue => false,
        }
    }

    /// What the domain says of this move, for a caller whose token is current.
    fn expected(self, state: JobState) -> Option<JobState> {
        let target = state.after(self.event()).ok();
        // Without a lease there is nobody to make a fenced move: a pending job is cancelled by the
        // cancellation of its batch, not by a worker.
        target.filter(|_| !self.is_fenced() || state == JobState::Running)
    }

    async fn make(self, db: &Db, job: Job, token: FencingToken) -> Result<Vec<MovedJob>> {
        let lease = JobLease { job: job.id, token };
        let finish = async |ended: EndedJob| job_finish(&db.pool, &[ended]).await;
        Ok(match self {
            Self::Claim => {
                let other = worker(&db.pool).await?;
                let claimed = job_claim(&db.pool, other, 1, Some(job.batch)).await?;
                let moved = |claimed: &trawl_persistence::jobs::ClaimedJob| MovedJob {
                    job: claimed.lease.job,
                    state: JobState::Running,
                };
                claimed.iter().map(moved).collect()
            }
            Self::Complete => finish(complete(lease)).await?,
            Self::Fail => finish(failed(lease)).await?,
            Self::Retry => finish(retry(lease)).await?,
            Self::Cancel => finish(cancelled(lease)).await?,
            Self::HandBack => job_hand_back(&db.pool, &[lease]).await?,
            Self::Snooze => finish(snoozed(lease, "site.test", Duration::from_secs(60), 1)).await?,
            Self::Rescue | Self::LastRescue => {
                worker_gone(&db.pool, job.worker).await?;
                let attempts = if self == Self::Rescue { 10 } else { 1 };
                job_rescue(&db.pool, 10, attempts).await?
            }
        })
    }
}

/// One job that was brought into a state, and the worker that brought it there.
#[derive(Debug, Clone, Copy)]
struct Job {
    id: Uuid,
    batch: Uuid,
    worker: Uuid,
}

async fn job_in(db: &Db, state: JobState) -> Result<Job> {
    let name = Uuid::now_v7().simple().to_string();
    let sites = [format!("a{name}.test"), format!("b{name}.test")];
    let batch = Submission::of(sites).accepted(&db.pool).await?;
    let worker = worker(&db.pool).await?;
    let job = Job {
        id: batch.jobs[0].id,
        batch: batch.id,
        worker,
    };
    // The second job keeps the batch open, so that the batch allows every move. It is never due, so
    // that a claim takes the first or nothing.
    db.admin
        .execute_typed(
            "update trawl.domain_jobs set run_at = 'infinity' where id = $1",
            &[(&batch.jobs[1].id, Type::UUID)],
        )
        .await?;
    if state == JobState::Pending {
        return Ok(job);
    }
    let claimed = job_claim(&db.pool, worker, 1, Some(batch.id)).await?;
    let lease = claimed[0].lease;
    assert_eq!(lease.job, job.id);
    let ended = match state {
        JobState::Pending | JobState::Running => return Ok(job),
        JobState::Complete => complete(lease),
        JobState::Failed => failed(lease),
        JobState::Cancelled => cancelled(lease),
    };
    job_finish(&db.pool, &[ended]).await?;
    Ok(job)
}

async fn row_and_token(db: &Db, job: Uuid) -> Result<(String, FencingToken)> {
    let rows = db
        .rows(
            "select j::text, j.token from trawl.domain_jobs j where id = $1",
            &[(&job, Type::UUID)],
        )
        .await?;
    let row = rows.first().context("the job is there")?;
    Ok((row.try_get(0)?, FencingToken(row.try_get(1)?)))
}

async fn state_of(db: &Db, job: Uuid) -> Result<JobState> {
    let view = job_status(&db.pool, job)
        .await?
        .context("the job is there")?;
    Ok(view.state)
}

both_routes!(
    each_state_allows_the_moves_of_the_domain_and_no_others,
    async |db| {
        for state in JobState::ALL {
            for way in Move::ALL {
                let job = job_in(db, state).await?;
                let (before, token) = row_and_token(db, job.id).await?;
                let moved = way.make(db, job, token).await?;
                let (after, next_token) = row_and_token(db, job.id).await?;
                match way.expected(state) {
                    Some(target) => {
                        let expected = MovedJob {
                            job: job.id,
                            state: target,
                        };
                        assert_eq!(moved, [expected], "{way:?} of {state:?}");
                        assert_eq!(state_of(db, job.id).await?, target, "{way:?} of {state:?}");
                        assert!(next_token > token, "{way:?} of {state:?} keeps the token");
                    }
                    None => {
                        assert_eq!(moved, [], "{way:?} of {state:?}");
                        assert_eq!(after, before, "{way:?} of {state:?}");
                    }
                }
            }
        }
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(a_move_with_another_token_changes_nothing, async |db| {
    for way in Move::ALL.into_iter().filter(|way| way.is_fenced()) {
        let job = job_in(db, JobState::Running).await?;
        let (before, token) = row_and_token(db, job.id).await?;
        for wrong in [token.0 - 1, token.0 + 1, 0] {
            let moved = way.make(db, job, FencingToken(wrong)).await?;
            assert_eq!(moved, [], "{way:?} with {wrong} for {token:?}");
        }
        let (after, _) = row_and_token(db, job.id).await?;
        assert_eq!(after, before, "{way:?}");
        let moved = way.make(db, job, token).await?;
        assert_eq!(moved.len(), 1, "{way:?} with the right token");
    }
    assert_promises_kept(&db.pool).await
});

async fn cancel_batch(db: &Db, batch: Uuid) -> Result<()> {
    db.admin
        .execute_typed(
            "update trawl.batches set state = 'cancelling' where id = $1",
            &[(&batch, Type::UUID)],
        )
        .await?;
    Ok(())
}

both_routes!(
    a_job_of_a_cancelling_batch_is_never_queued_again,
    async |db| {
        for way in [Move::Retry, Move::HandBack, Move::Rescue, Move::LastRescue] {
            let job = job_in(db, JobState::Running).await?;
            let (_, token) = row_and_token(db, job.id).await?;
            cancel_batch(db, job.batch).await?;
            let moved = way.make(db, job, token).await?;
            assert_eq!(moved[0].state, JobState::Cancelled, "{way:?}");
            let claimed = Move::Claim.make(db, job, token).await?;
            assert_eq!(claimed, [], "a cancelling batch is not claimed from");
        }
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(
    a_handed_back_attempt_is_not_charged_and_a_retried_one_is,
    async |db| {
        let job = job_in(db, JobState::Running).await?;
        let attempt = async || {
            let view = job_status(&db.pool, job.id)
                .await?
                .context("the job is there")?;
            anyhow::Ok(view.attempt)
        };
        assert_eq!(attempt().await?, 1);
        let (_, token) = row_and_token(db, job.id).await?;
        Move::HandBack.make(db, job, token).await?;
        assert_eq!(attempt().await?, 0);
        Move::Claim.make(db, job, token).await?;
        let (_, token) = row_and_token(db, job.id).await?;
        Move::Retry.make(db, job, token).await?;
        assert_eq!(attempt().await?, 1);
        Ok(())
    }
);

both_routes!(
    a_retried_job_waits_for_its_time_and_keeps_its_reason,
    async |db| {
        let job = job_in(db, JobState::Running).await?;
        let (_, token) = row_and_token(db, job.id).await?;
        let mut ended = retry(JobLease { job: job.id, token });
        if let trawl_persistence::jobs::Ending::Retry { delay, .. } = &mut ended.ending {
            *delay = Duration::from_secs(3600);
        }
        job_finish(&db.pool, &[ended]).await?;
        let view = job_status(&db.pool, job.id)
            .await?
            .context("the job is there")?;
        assert_eq!(view.state, JobState::Pending);
        let (code, _) = view.failure.context("the reason of the last attempt")?;
        assert_eq!(code, FailureCode::DnsNotFound.as_str());
        let due_in: f64 = db
            .value(
                "select extract(epoch from run_at - clock_timestamp())::double precision
             from trawl.domain_jobs where id = $1",
                &[(&job.id, Type::UUID)],
            )
            .await?;
        assert!(due_in > 3_000.0, "{due_in}");
        assert_eq!(Move::Claim.make(db, job, token).await?, []);
        Ok(())
    }
);

/// All ways in which a batch of up to three jobs can end, without and with a cancellation.
fn all_endings() -> Vec<(BatchCounts, bool)> {
    let mut endings = Vec::new();
    for total in 1..=3 {
        for completed in 0..=total {
            for failed in 0..=total - completed {
                let counts = BatchCounts {
                    total,
                    completed,
                    failed,
                    cancelled: total - completed - failed,
                };
                endings.extend([(counts, false), (counts, true)]);
            }
        }
    }
    endings
}

both_routes!(a_batch_ends_as_its_counts_say, async |db| {
    let worker = worker(&db.pool).await?;
    let mut batches = Vec::new();
    let mut all_ended = Vec::new();
    for (number, (counts, cancelling)) in all_endings().into_iter().enumerate() {
        let total = usize::try_from(counts.total)?;
        let batch = Submission::sized(&format!("b{number}"), total)
            .accepted(&db.pool)
            .await?;
        let claimed = job_claim(&db.pool, worker, counts.total, Some(batch.id)).await?;
        assert_eq!(claimed.len(), total);
        if cancelling {
            cancel_batch(db, batch.id).await?;
        }
        let endings = [
            (counts.completed, complete as fn(JobLease) -> EndedJob),
            (counts.failed, failed),
            (counts.cancelled, cancelled),
        ];
        let mut leases = claimed.iter().map(|job| job.lease);
        for (count, ending) in endings {
            for lease in leases.by_ref().take(usize::try_from(count)?) {
                all_ended.push(ending(lease));
            }
        }
        batches.push((batch.id, counts, cancelling));
    }
    // Half of them one job a call and many calls at once: exactly one of a batch's jobs is its
    // last. The other half in one call, in which one statement ends many batches.
    let (singly, together) = all_ended.split_at(all_ended.len() / 2);
    let one_by_one = singly.chunks(1).map(|job| job_finish(&db.pool, job));
    futures_util::future::try_join_all(one_by_one).await?;
    job_finish(&db.pool, together).await?;

    for (id, counts, cancelling) in batches {
        let (view, ()) = batch_status(&db.pool, id, || (), |(), _| ())
            .await?
            .context("the batch is there")?;
        assert_eq!(view.counts, counts);
        assert_eq!(
            Some(view.state),
            counts.ending(cancelling),
            "{counts:?}, cancelling: {cancelling}"
        );
        assert!(view.ended_at.is_some() && view.processing_seconds.is_some());
    }
    assert_promises_kept(&db.pool).await
});

both_routes!(an_unfinished_batch_says_how_far_it_is, async |db| {
    let worker = worker(&db.pool).await?;
    let batch = Submission::sized("open", 3).accepted(&db.pool).await?;
    let claimed = job_claim(&db.pool, worker, 3, None).await?;
    job_finish(
        &db.pool,
        &[complete(claimed[0].lease), failed(claimed[1].lease)],
    )
    .await?;
    let (view, lines) = batch_status(&db.pool, batch.id, Vec::new, |lines, line| {
        lines.push((line.state, line.failure.map(|(code, _)| code.to_owned())));
    })
    .await?
    .context("the batch is there")?;
    assert_eq!(view.state, BatchState::Running);
    assert_eq!((view.counts.completed, view.counts.failed), (1, 1));
    assert_eq!(view.ended_at, None);
    assert!(view.processing_seconds.is_some());
    let codes: Vec<_> = lines
        .iter()
        .filter_map(|(_, code)| code.as_deref())
        .collect();
    assert_eq!(codes, [FailureCode::DnsNotFound.as_str()]);
    Ok(())
});
