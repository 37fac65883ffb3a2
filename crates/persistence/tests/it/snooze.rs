//! Hosts that asked to be left alone: no job of theirs is claimed, of whatever batch and by whatever
//! worker, until they may be asked again.

use std::time::Duration;

use anyhow::Result;
use tokio_postgres::types::Type;
use trawl_domain::job::JobState;
use trawl_domain::page::PageState;
use trawl_persistence::jobs::{job_attempts, job_claim, job_finish, job_hand_back, job_status};
use trawl_persistence::pages::{PageRecord, page_record};
use trawl_persistence::retention::host_forget;
use uuid::Uuid;

use crate::database::Db;
use crate::fixtures::{Submission, assert_promises_kept, complete, failed, page, snoozed, worker};

const HOUR: Duration = Duration::from_secs(3600);

/// The domains that a claim by a worker of its own takes.
async fn claimed_domains(db: &Db) -> Result<Vec<String>> {
    let me = worker(&db.pool).await?;
    let claimed = job_claim(&db.pool, me, 10, None).await?;
    Ok(claimed.into_iter().map(|job| job.domain).collect())
}

/// Lets the time of a host's snooze pass, and that of its jobs.
async fn pass(db: &Db, host: &str, ago: &str) -> Result<()> {
    db.admin
        .execute_typed(
            "update trawl.hosts set not_before = clock_timestamp() - $2::text::interval
             where host_key = $1",
            &[(&host, Type::TEXT), (&ago, Type::TEXT)],
        )
        .await?;
    db.admin
        .execute_typed(
            "update trawl.domain_jobs set run_at = clock_timestamp()
             where host_key = $1 and state = 'pending'",
            &[(&host, Type::TEXT)],
        )
        .await?;
    Ok(())
}

both_routes!(
    a_snooze_holds_for_every_job_of_the_host_and_no_other,
    async |db| {
        let first = Submission::of(["busy.test"]).accepted(&db.pool).await?;
        let me = worker(&db.pool).await?;
        let claimed = job_claim(&db.pool, me, 1, Some(first.id)).await?;
        assert_eq!(claimed[0].snoozes, 0);
        let moved =
            job_finish(&db.pool, &[snoozed(claimed[0].lease, "busy.test", HOUR, 1)]).await?;
        assert_eq!(moved[0].state, JobState::Pending);

        let _twins = Submission::of(["www.busy.test", "busy.test:8080", "other.test"])
            .accepted(&db.pool)
            .await?;
        assert_eq!(claimed_domains(db).await?, ["other.test"]);
        pass(db, "busy.test", "1 second").await?;
        let job = job_claim(&db.pool, me, 1, Some(first.id)).await?;
        assert_eq!(job.len(), 1);
        assert_eq!(job[0].snoozes, 1, "the claim tells the waits so far");
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(a_snooze_uses_no_attempt_and_says_why, async |db| {
    let batch = Submission::of(["busy.test"]).accepted(&db.pool).await?;
    let me = worker(&db.pool).await?;
    for n in 1..=3 {
        let claimed = job_claim(&db.pool, me, 1, None).await?;
        assert_eq!((claimed[0].attempt, claimed[0].snoozes), (1, n - 1));
        let ending = snoozed(claimed[0].lease, "busy.test", HOUR, n);
        assert_eq!(
            job_finish(&db.pool, std::slice::from_ref(&ending))
                .await?
                .len(),
            1
        );
        // The answer may be lost: the same ending again moves nothing.
        assert_eq!(job_finish(&db.pool, &[ending]).await?, []);
        pass(db, "busy.test", "1 second").await?;
    }
    let job = batch.jobs[0].id;
    let view = job_status(&db.pool, job).await?.expect("job");
    assert_eq!((view.state, view.attempt), (JobState::Pending, 0));
    let (code, _) = view.failure.expect("a reason");
    assert_eq!(code, "too_many_requests");
    assert!(job_attempts(&db.pool, job).await?.is_empty());
    // An ending of another kind leaves the count as it is, and snoozes nobody.
    let claimed = job_claim(&db.pool, me, 1, None).await?;
    job_finish(&db.pool, &[failed(claimed[0].lease)]).await?;
    Submission::of(["busy.test"]).accepted(&db.pool).await?;
    assert_eq!(claimed_domains(db).await?, ["busy.test"]);
    assert_promises_kept(&db.pool).await
});

both_routes!(
    a_page_that_was_fetched_ends_the_waits_in_a_row,
    async |db| {
        Submission::of(["busy.test"]).accepted(&db.pool).await?;
        let me = worker(&db.pool).await?;
        let claim = async || anyhow::Ok(job_claim(&db.pool, me, 1, None).await?.remove(0));
        job_finish(
            &db.pool,
            &[snoozed(claim().await?.lease, "busy.test", HOUR, 4)],
        )
        .await?;
        for (state, left) in [(PageState::Failed, 4), (PageState::Fetched, 0)] {
            pass(db, "busy.test", "1 second").await?;
            let job = claim().await?;
            let recorded = PageRecord {
                state,
                ..page(job.lease, job.pages_recorded)
            };
            page_record(&db.pool, &[recorded]).await?;
            job_hand_back(&db.pool, &[job.lease]).await?;
            let job = claim().await?;
            assert_eq!(job.snoozes, left, "{state:?}");
            job_hand_back(&db.pool, &[job.lease]).await?;
        }
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(
    a_shorter_wait_does_not_end_a_longer_one_and_what_passed_is_forgotten,
    async |db| {
        let me = worker(&db.pool).await?;
        for wait in [HOUR, Duration::from_secs(1)] {
            let batch = Submission::of(["busy.test"]).accepted(&db.pool).await?;
            db.admin
                .execute_typed(
                    "update trawl.domain_jobs set state = 'running', worker_id = $1, token = 1,
                            claimed_at = clock_timestamp() where batch_id = $2",
                    &[(&me, Type::UUID), (&batch.id, Type::UUID)],
                )
                .await?;
            let lease = trawl_persistence::workers::JobLease {
                job: batch.jobs[0].id,
                token: trawl_domain::lease::FencingToken(1),
            };
            assert_eq!(
                job_finish(&db.pool, &[snoozed(lease, "busy.test", wait, 1)])
                    .await?
                    .len(),
                1
            );
        }
        let left: bool = db
            .value(
                "select not_before > clock_timestamp() + interval '50 minutes' from trawl.hosts",
                &[],
            )
            .await?;
        assert!(left);
        let hosts = "select count(*) from trawl.hosts";
        host_forget(&db.pool).await?;
        assert_eq!(db.value::<i64>(hosts, &[]).await?, 1);
        pass(db, "busy.test", "2 minutes").await?;
        host_forget(&db.pool).await?;
        assert_eq!(db.value::<i64>(hosts, &[]).await?, 0);
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(a_stale_worker_snoozes_nobody, async |db| {
    let batch = Submission::of(["busy.test"]).accepted(&db.pool).await?;
    let me = worker(&db.pool).await?;
    let claimed = job_claim(&db.pool, me, 1, None).await?;
    job_finish(&db.pool, &[complete(claimed[0].lease)]).await?;
    assert_eq!(
        job_finish(&db.pool, &[snoozed(claimed[0].lease, "busy.test", HOUR, 1)]).await?,
        []
    );
    assert_eq!(
        db.value::<i64>("select count(*) from trawl.hosts", &[])
            .await?,
        0
    );
    let state = job_status(&db.pool, batch.jobs[0].id)
        .await?
        .expect("job")
        .state;
    assert_eq!(state, JobState::Complete);
    assert_promises_kept(&db.pool).await
});

both_routes!(
    a_process_of_the_version_before_ends_jobs_all_the_same,
    async |db| {
        let batch = Submission::of(["old.test"]).accepted(&db.pool).await?;
        let me = worker(&db.pool).await?;
        let claimed = job_claim(&db.pool, me, 1, None).await?;
        let moved: Uuid = db
            .value(
                "select job_id from trawl.job_leave_v2(array[$1], array[$2], '{pending}', '{false}', '{0}',
                        '{null}', '{null}', '{null}', '{null}', '{null}')",
                &[
                    (&claimed[0].lease.job, Type::UUID),
                    (&claimed[0].lease.token.0, Type::INT8),
                ],
            )
            .await?;
        assert_eq!(moved, batch.jobs[0].id);
        assert_eq!(claimed_domains(db).await?, ["old.test"]);
        assert_promises_kept(&db.pool).await
    }
);
