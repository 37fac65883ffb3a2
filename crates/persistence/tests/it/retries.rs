//! A batch of what failed in another: with the pages it had, at whatever size, once.

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use tokio_postgres::types::Type;
use trawl_domain::batch::BatchState;
use trawl_persistence::batches::Submitted;
use trawl_persistence::control::{Retried, batch_cancel, batch_retry, pages_carry};
use trawl_persistence::jobs::{job_claim, job_finish, job_status};
use trawl_persistence::pages::{PageRecord, page_record, pages_of_job, pages_view};
use trawl_persistence::retention::batch_expire;
use uuid::Uuid;

use crate::control::{YEAR, batch_in, partly_claimed, view};
use crate::database::{CLIENTS, Db};
use crate::fixtures::{Submission, assert_promises_kept, complete, failed, page, worker};

/// A retry of a queue with room for everything.
async fn tried_again(db: &Db, batch: Uuid, new: Uuid) -> Result<Option<Retried>> {
    Ok(batch_retry(&db.pool, batch, new, u32::MAX).await?)
}

both_routes!(a_retry_has_what_failed_and_the_pages_it_had, async |db| {
    let (batch, me, claimed) = partly_claimed(db, "failing", 3, 3).await?;
    let pages: Vec<_> = claimed
        .iter()
        .flat_map(|job| {
            let start = PageRecord {
                content: Some(r#"{"text": "kept"}"#.to_owned()),
                body_hash: Some([3; 16]),
                ..page(job.lease, 0)
            };
            [start, page(job.lease, 1)]
        })
        .collect();
    page_record(&db.pool, &pages).await?;
    let ended = [
        complete(claimed[0].lease),
        failed(claimed[1].lease),
        failed(claimed[2].lease),
    ];
    let new = Uuid::now_v7();
    let early = tried_again(db, batch.id, new).await?;
    assert_eq!(
        early,
        Some(Retried::Refused {
            state: BatchState::Running
        })
    );
    job_finish(&db.pool, &ended).await?;

    let retries = (0..CLIENTS).map(|_| tried_again(db, batch.id, new));
    let answers = try_join_all(retries).await?;
    for answer in &answers {
        assert!(
            matches!(answer, Some(Retried::Accepted { total: 2, .. })),
            "{answer:?}"
        );
        assert_eq!(answer, &answers[0], "the same retry");
    }
    let retried = view(db, new).await?;
    assert_eq!(
        (retried.counts.total, retried.retry_of),
        (2, Some(batch.id))
    );
    assert_eq!(
        view(db, batch.id).await?.state,
        BatchState::Partial,
        "it stays what it was"
    );
    let again = job_claim(&db.pool, me, 5, Some(new)).await?;
    assert_eq!(again.len(), 2);
    for job in &again {
        assert_eq!((job.pages_recorded, job.attempt), (2, 1));
        let stored = pages_of_job(&db.pool, job.lease.job, None, 10_000).await?;
        let hashes: Vec<_> = stored.iter().map(|page| page.body_hash).collect();
        assert_eq!(hashes, [Some([3; 16]), None]);
        let pages = pages_view(&db.pool, job.lease.job, None, 5).await?;
        assert_eq!(
            pages.context("the job")?[0].content.as_deref(),
            Some(r#"{"text": "kept"}"#)
        );
        assert_eq!(job.options, claimed[0].options);
        let view = job_status(&db.pool, job.lease.job)
            .await?
            .context("the job")?;
        assert!(
            claimed
                .iter()
                .any(|old| Some(old.lease.job) == view.retry_of)
        );
    }
    assert_promises_kept(&db.pool).await
});

/// A batch of 100 failed sites with 200 pages each, which ended two years ago.
async fn failed_with_many_pages(db: &Db) -> Result<Submission> {
    let batch = Submission::sized("large", 100).accepted(&db.pool).await?;
    for sql in [
        "insert into trawl.pages (job_id, url_key, seq, token, url, state, depth, body_bytes,
                                  duration_ms, discovered, content)
         select j.id, decode(md5(n::text), 'hex'), n, 0, 'https://' || j.domain || '/' || n,
                'fetched', 1, 1, 1, '{}', '{}'
         from trawl.domain_jobs j, generate_series(0, 199) n where j.batch_id = $1",
        "update trawl.domain_jobs set state = 'failed', error_code = 'internal', error = 'broken',
                pages_recorded = 200, pages_scraped = 50, ended_at = clock_timestamp()
         where batch_id = $1",
        "update trawl.pages set state = 'skipped'
         where seq >= 50 and job_id in (select id from trawl.domain_jobs where batch_id = $1)",
        "update trawl.batches set state = 'failed', failed = total,
                ended_at = clock_timestamp() - interval '2 years' where id = $1",
    ] {
        db.admin
            .execute_typed(sql, &[(&batch.id, Type::UUID)])
            .await?;
    }
    Ok(batch)
}

both_routes!(the_pages_of_a_retry_are_carried_in_slices, async |db| {
    const WAITING: &str = "select count(*) from trawl.domain_jobs where run_at = 'infinity'";
    let old = failed_with_many_pages(db).await?;
    let new = Uuid::now_v7();
    let answer = tried_again(db, old.id, new).await?;
    ensure!(matches!(answer, Some(Retried::Accepted { total: 100, .. })));
    // Three jobs pass 500 pages, and the call takes twenty slices.
    assert_eq!(db.value::<i64>(WAITING, &[]).await?, 40);
    assert_promises_kept(&db.pool).await?;
    let me = worker(&db.pool).await?;
    db.admin
        .execute_typed(
            "update trawl.batches set max_concurrent = 100 where id = $1",
            &[(&new, Type::UUID)],
        )
        .await?;
    let claimed = job_claim(&db.pool, me, 100, Some(new)).await?;
    assert_eq!(claimed.len(), 60, "nobody gets a job without its pages");
    assert!(claimed.iter().all(|job| job.pages_recorded == 200));
    // What is still carried is kept, however old it is.
    assert_eq!(batch_expire(&db.pool, YEAR).await?, 0);
    // Of many at once each carries other jobs, and each is carried once.
    let mut carried = 0;
    while carried < 40 {
        let calls = (0..CLIENTS).map(|_| pages_carry(&db.pool, None));
        let slices = try_join_all(calls).await?;
        ensure!(slices.iter().all(|jobs| *jobs <= 3), "{slices:?}");
        carried += slices.into_iter().sum::<u32>();
    }
    assert_eq!((carried, pages_carry(&db.pool, None).await?), (40, 0));
    assert_eq!(job_claim(&db.pool, me, 100, Some(new)).await?.len(), 40);
    let copies: i64 = db
        .value(
            "select count(*) from trawl.pages p join trawl.domain_jobs j on j.id = p.job_id
             where j.batch_id = $1 and p.content is not null",
            &[(&new, Type::UUID)],
        )
        .await?;
    assert_eq!(copies, 20_000);
    assert_promises_kept(&db.pool).await
});

both_routes!(what_expires_is_not_tried_again, async |db| {
    let old = failed_with_many_pages(db).await?;
    let new = Uuid::now_v7();
    tried_again(db, old.id, new).await?;
    batch_cancel(&db.pool, new).await?;
    // Some of its jobs are gone, and the batch is not.
    let jobs = "select count(*) from trawl.domain_jobs where batch_id = $1";
    while db.value::<i64>(jobs, &[(&old.id, Type::UUID)]).await? == 100 {
        db.rows("select trawl.batch_expire_v2('1 year', 60)", &[])
            .await?;
        ensure!(tried_again(db, old.id, Uuid::now_v7()).await?.is_none());
    }
    assert_eq!(db.value::<i64>(jobs, &[(&old.id, Type::UUID)]).await?, 40);
    assert_eq!(tried_again(db, old.id, Uuid::now_v7()).await?, None);
    // Nor is it what somebody submits now, or retries to, under its id.
    assert_eq!(old.send(&db.pool).await?, Submitted::Conflict);
    let failed = batch_in(db, BatchState::Failed).await?;
    let answer = tried_again(db, failed, old.id).await?;
    assert_eq!(answer, Some(Retried::Conflict));
    while batch_expire(&db.pool, YEAR).await? > 0 {}
    ensure!(matches!(
        old.send(&db.pool).await?,
        Submitted::Accepted { .. }
    ));
    assert_promises_kept(&db.pool).await
});

both_routes!(a_retry_has_as_long_as_the_batch_had, async |db| {
    let batch = batch_in(db, BatchState::Failed).await?;
    db.admin
        .execute_typed(
            "update trawl.batches
             set created_at = created_at - interval '2 hours',
                 deadline_at = created_at - interval '1 hour' where id = $1",
            &[(&batch, Type::UUID)],
        )
        .await?;
    let new = Uuid::now_v7();
    tried_again(db, batch, new).await?;
    let retried = view(db, new).await?;
    let deadline = retried.deadline_at.context("a deadline")? - retried.created_at;
    assert!(
        (3_590..=3_600).contains(&deadline.whole_seconds()),
        "{deadline}"
    );
    // Of one without a deadline neither has its retry one.
    let batch = batch_in(db, BatchState::Failed).await?;
    let new = Uuid::now_v7();
    tried_again(db, batch, new).await?;
    assert_eq!(view(db, new).await?.deadline_at, None);
    Ok(())
});

both_routes!(a_full_queue_takes_no_retry, async |db| {
    let batch = batch_in(db, BatchState::Failed).await?;
    Submission::sized("waiting", 5).accepted(&db.pool).await?;
    let new = Uuid::now_v7();
    let full = batch_retry(&db.pool, batch, new, 6).await?;
    assert_eq!(full, Some(Retried::QueueFull));
    let stored = "select count(*) from trawl.batches where id = $1";
    assert_eq!(db.value::<i64>(stored, &[(&new, Type::UUID)]).await?, 0);
    let accepted = batch_retry(&db.pool, batch, new, 7).await?;
    ensure!(matches!(accepted, Some(Retried::Accepted { total: 2, .. })));
    // What is stored is told again, however full it is.
    assert_eq!(batch_retry(&db.pool, batch, new, 1).await?, accepted);
    assert_promises_kept(&db.pool).await
});

both_routes!(a_retry_of_what_did_not_fail_is_refused, async |db| {
    for state in BatchState::ALL {
        let batch = batch_in(db, state).await?;
        let answer = tried_again(db, batch, Uuid::now_v7()).await?;
        let has_failed = matches!(state, BatchState::Partial | BatchState::Failed);
        match answer {
            Some(Retried::Accepted { total, .. }) => assert!(has_failed && total > 0),
            Some(Retried::Refused { state: found }) => assert!(!has_failed && found == state),
            other => panic!("the batch is there, the id is new, there is room: {other:?}"),
        }
    }
    let (failed, other) = (
        batch_in(db, BatchState::Failed).await?,
        batch_in(db, BatchState::Pending).await?,
    );
    let answer = tried_again(db, failed, other).await?;
    assert_eq!(answer, Some(Retried::Conflict));
    assert_eq!(tried_again(db, Uuid::now_v7(), Uuid::now_v7()).await?, None);
    assert_promises_kept(&db.pool).await
});
