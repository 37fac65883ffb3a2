//! Hosts that a running job holds beside its own: one job at a time has a host, however it came to it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::future::{try_join, try_join_all};
use tokio_postgres::types::Type;
use trawl_domain::lease::FencingToken;
use trawl_persistence::hosts::{HostTake, host_release, host_take};
use trawl_persistence::jobs::{EndedJob, Ending, job_claim, job_finish, job_hand_back};
use trawl_persistence::retention::held_forget;
use trawl_persistence::workers::JobLease;
use uuid::Uuid;

use crate::database::{Db, discarded};
use crate::fixtures::{Submission, assert_promises_kept, complete, retry, snoozed, worker};

const HOUR: Duration = Duration::from_secs(3600);

/// A running job of this site, of a batch and a worker of its own.
async fn running(db: &Db, site: &str) -> Result<JobLease> {
    let batch = Submission::of([site]).accepted(&db.pool).await?;
    claim_of(db, batch.id)
        .await?
        .with_context(|| format!("{site} is free"))
}

/// What a worker of its own gets of this batch.
async fn claim_of(db: &Db, batch: Uuid) -> Result<Option<JobLease>> {
    let me = worker(&db.pool).await?;
    let claimed = job_claim(&db.pool, me, 1, Some(batch)).await?;
    Ok(claimed.first().map(|job| job.lease))
}

async fn take(db: &Db, lease: JobLease, host: &str) -> Result<HostTake> {
    Ok(host_take(&db.pool, lease, host).await?)
}

fn assert_held(take: HostTake) {
    assert!(matches!(take, HostTake::Held { .. }), "{take:?}");
}

async fn held(db: &Db) -> Result<Vec<String>> {
    db.column(
        "select host_key from trawl.held_hosts order by host_key",
        &[],
    )
    .await
}

both_routes!(a_host_is_held_by_one_job_until_that_ends, async |db| {
    let first = running(db, "first.test").await?;
    let second = running(db, "second.test").await?;
    assert_eq!(take(db, first, "far.test").await?, HostTake::Taken);
    assert_eq!(take(db, first, "far.test").await?, HostTake::Taken);
    assert_held(take(db, second, "far.test").await?);
    // Nor is a host taken that a job was submitted with.
    assert_held(take(db, second, "first.test").await?);
    assert_eq!(held(db).await?, ["far.test"]);
    // Who has it, has been at it since the claim.
    db.admin
        .execute_typed(
            "update trawl.domain_jobs set claimed_at = claimed_at - interval '1 hour'
             where id = $1",
            &[(&first.job, Type::UUID)],
        )
        .await?;
    let take_again = take(db, second, "far.test").await?;
    let is_an_hour = |since: Duration| since >= HOUR && since < HOUR + Duration::from_secs(60);
    assert!(
        matches!(take_again, HostTake::Held { since } if is_an_hour(since)),
        "{take_again:?}"
    );
    job_finish(&db.pool, &[complete(first)]).await?;
    assert_eq!(take(db, second, "far.test").await?, HostTake::Taken);
    assert_eq!(take(db, second, "first.test").await?, HostTake::Taken);
    assert_promises_kept(&db.pool).await
});

both_routes!(
    a_claim_passes_over_jobs_of_a_held_host_and_takes_them_afterwards,
    async |db| {
        let holder = running(db, "holder.test").await?;
        take(db, holder, "far.test").await?;
        let batch = Submission::of(["www.far.test", "near.test"])
            .accepted(&db.pool)
            .await?;
        let of = |job: usize| batch.jobs[job].id;
        let near = claim_of(db, batch.id).await?.context("near.test is free")?;
        assert_eq!(near.job, of(1));
        assert_eq!(claim_of(db, batch.id).await?, None);
        // As a process of the version before claims.
        let me = worker(&db.pool).await?;
        let old = "select job_id from trawl.job_claim_v4($1, 5, null)";
        assert!(db.rows(old, &[(&me, Type::UUID)]).await?.is_empty());

        host_release(&db.pool, near, "far.test").await?;
        assert_eq!(claim_of(db, batch.id).await?, None, "another job let it go");
        host_release(&db.pool, holder, "far.test").await?;
        let far = claim_of(db, batch.id).await?.context("far.test is free")?;
        assert_eq!(far.job, of(0));
        assert_held(take(db, holder, "far.test").await?);
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(who_lost_its_job_takes_nothing, async |db| {
    let lost = running(db, "lost.test").await?;
    job_finish(&db.pool, &[retry(lost)]).await?;
    assert_eq!(take(db, lost, "far.test").await?, HostTake::Stale);
    let me = worker(&db.pool).await?;
    let again = job_claim(&db.pool, me, 1, None).await?[0].lease;
    assert_eq!(take(db, lost, "far.test").await?, HostTake::Stale);
    let never = JobLease {
        job: Uuid::now_v7(),
        token: FencingToken(1),
    };
    assert_eq!(take(db, never, "far.test").await?, HostTake::Stale);
    assert_eq!(held(db).await?, [""; 0]);
    // What an earlier claim of the job had is not the next one's.
    assert_eq!(take(db, again, "far.test").await?, HostTake::Taken);
    job_hand_back(&db.pool, &[again]).await?;
    let other = running(db, "other.test").await?;
    assert_eq!(take(db, other, "far.test").await?, HostTake::Taken);
    assert_promises_kept(&db.pool).await
});

both_routes!(
    a_host_that_asked_for_a_wait_is_not_taken_and_says_how_long,
    async |db| {
        let first = running(db, "first.test").await?;
        let second = running(db, "second.test").await?;
        assert_eq!(take(db, first, "far.test").await?, HostTake::Taken);
        job_finish(&db.pool, &[snoozed(first, "far.test", HOUR, 1)]).await?;
        let HostTake::Snoozed { left } = take(db, second, "far.test").await? else {
            anyhow::bail!("a snoozed host was taken");
        };
        assert!(left <= HOUR && left > HOUR - Duration::from_secs(60));
        // It was the far host that asked: another job of the first one's goes on, none of its own.
        running(db, "www.first.test").await?;
        let batch = Submission::of(["far.test"]).accepted(&db.pool).await?;
        assert_eq!(claim_of(db, batch.id).await?, None);
        // Once the job is due, its host is free.
        let due: bool = db
            .value(
                "select j.run_at = h.not_before
                 from trawl.domain_jobs j, trawl.hosts h where j.id = $1",
                &[(&first.job, Type::UUID)],
            )
            .await?;
        assert!(due);
        db.admin
            .batch_execute("update trawl.hosts set not_before = clock_timestamp()")
            .await?;
        assert_eq!(take(db, second, "far.test").await?, HostTake::Taken);
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(of_many_that_want_a_host_at_once_one_gets_it, async |db| {
    const TAKERS: usize = 8;
    const CLAIMS: usize = 4;
    let mut takers = Vec::new();
    for number in 0..TAKERS {
        takers.push(running(db, &format!("taker-{number}.test")).await?);
    }
    for round in 0..20 {
        let host = format!("wanted-{round}.test");
        let mut batches = Vec::new();
        for _ in 0..CLAIMS {
            batches.push(Submission::of([&host]).accepted(&db.pool).await?.id);
        }
        let takes = takers.iter().map(|lease| take(db, *lease, &host));
        let claims = batches.iter().map(|batch| claim_of(db, *batch));
        let (taken, claimed) = try_join(try_join_all(takes), try_join_all(claims)).await?;
        let claimed: Vec<_> = claimed.into_iter().flatten().collect();
        let winners = taken.iter().filter(|take| **take == HostTake::Taken);
        assert_eq!(winners.count() + claimed.len(), 1, "{taken:?} {claimed:?}");
        assert_promises_kept(&db.pool).await?;
        let ended: Vec<_> = claimed.into_iter().map(complete).collect();
        job_finish(&db.pool, &ended).await?;
    }
    assert_eq!(discarded(&db.pool), 0, "nothing waited for another");
    Ok(())
});

both_routes!(what_no_job_holds_any_more_is_forgotten, async |db| {
    let ended = running(db, "ended.test").await?;
    let runs = running(db, "runs.test").await?;
    for (lease, host) in [
        (ended, "old.test"),
        (ended, "reused.test"),
        (runs, "kept.test"),
    ] {
        assert_eq!(take(db, lease, host).await?, HostTake::Taken);
    }
    held_forget(&db.pool).await?;
    assert_eq!(held(db).await?, ["kept.test", "old.test", "reused.test"]);
    job_finish(&db.pool, &[complete(ended)]).await?;

    // Another job takes one of them while they are being forgotten.
    let taker = db.another_admin().await?;
    taker.batch_execute("begin").await?;
    taker
        .query_typed(
            "select outcome from trawl.host_take_v1($1, $2, 'reused.test')",
            &[(&runs.job, Type::UUID), (&runs.token.0, Type::INT8)],
        )
        .await?;
    held_forget(&db.pool).await?;
    taker.batch_execute("commit").await?;
    assert_eq!(held(db).await?, ["kept.test", "reused.test"]);
    held_forget(&db.pool).await?;
    assert_eq!(held(db).await?, ["kept.test", "reused.test"]);
    assert_promises_kept(&db.pool).await
});

both_routes!(
    what_is_handed_back_for_a_while_is_due_afterwards,
    async |db| {
        let waits = running(db, "waits.test").await?;
        let ending = Ending::HandedBack { delay: HOUR };
        let ended = EndedJob {
            lease: waits,
            ending,
        };
        job_finish(&db.pool, &[ended]).await?;
        let me = worker(&db.pool).await?;
        assert!(job_claim(&db.pool, me, 1, None).await?.is_empty());
        let (attempt, due): (i32, bool) = {
            let sql = "select attempt, run_at > clock_timestamp() + interval '59 minutes'
                       from trawl.domain_jobs";
            let row = db.rows(sql, &[]).await?.remove(0);
            (row.try_get(0)?, row.try_get(1)?)
        };
        assert_eq!((attempt, due), (0, true));
        // It snoozed nobody.
        running(db, "www.waits.test").await?;
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(the_audit_sees_a_host_of_two_jobs, async |db| {
    let first = running(db, "first.test").await?;
    running(db, "second.test").await?;
    db.admin
        .execute_typed(
            "insert into trawl.held_hosts values ('second.test', $1, $2)",
            &[(&first.job, Type::UUID), (&first.token.0, Type::INT8)],
        )
        .await?;
    let broken = assert_promises_kept(&db.pool).await.unwrap_err();
    assert!(
        broken.to_string().contains("asked by two jobs"),
        "{broken:#}"
    );
    Ok(())
});

both_routes!(
    a_claim_tells_what_is_left_of_the_time_of_the_batch,
    async |db| {
        let me = worker(&db.pool).await?;
        let batch = Submission::sized("timed", 3).accepted(&db.pool).await?;
        for (deadline, expected) in [
            ("null", None),
            ("clock_timestamp() + interval '1 hour'", Some(HOUR)),
            (
                "clock_timestamp() - interval '1 hour'",
                Some(Duration::ZERO),
            ),
        ] {
            let sql = format!("update trawl.batches set deadline_at = {deadline}");
            db.admin.batch_execute(&sql).await?;
            let claimed = job_claim(&db.pool, me, 1, Some(batch.id)).await?;
            let left = claimed.first().context("a job")?.batch_time_left;
            let within = |expected: Duration| {
                left.is_some_and(|left| {
                    left <= expected && left + Duration::from_secs(60) >= expected
                })
            };
            assert!(
                expected.map_or(left.is_none(), within),
                "{deadline}: {left:?}"
            );
        }
        Ok(())
    }
);
