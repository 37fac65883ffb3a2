//! Submission: all of a batch or nothing, once, however often it is sent and whatever breaks.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use tokio_postgres::types::Type;
use trawl_domain::limits::{DOMAINS_MAX, METADATA_BYTES_MAX};
use trawl_persistence::batches::{BatchKind, NewBatch, Submitted, batch_status, batch_submit};
use trawl_persistence::class::ErrorClass;
use trawl_persistence::error::ScopeError;
use trawl_persistence::jobs::job_status;
use trawl_test_support::wait_until;
use uuid::Uuid;

use crate::database::{Db, discarded};
use crate::fixtures::{Submission, assert_promises_kept};

async fn rows_of(db: &Db, batch: Uuid) -> Result<(i64, i64)> {
    let rows = db
        .rows(
            "select (select count(*) from trawl.batches where id = $1),
                    (select count(*) from trawl.domain_jobs where batch_id = $1)",
            &[(&batch, Type::UUID)],
        )
        .await?;
    Ok((rows[0].try_get(0)?, rows[0].try_get(1)?))
}

/// Ends the backends that are inserting jobs, and tells how many.
async fn cut_insertions(db: &Db) -> Result<i64> {
    db.value(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()
           and xact_start is not null and query like '%insert into trawl.domain_jobs%'",
        &[],
    )
    .await
}

both_routes!(the_largest_batch_is_stored_whole, async |db| {
    let batch = Submission::sized("a-site-of-usual-length", DOMAINS_MAX)
        .accepted(&db.pool)
        .await?;
    let (view, sums) = batch_status(
        &db.pool,
        batch.id,
        || (0_usize, true),
        |(count, in_order), line| {
            *in_order &= batch.jobs[*count].id == line.id;
            *in_order &= batch.jobs[*count].site.key() == line.domain;
            *count += 1;
        },
    )
    .await?
    .context("the batch is there")?;
    assert_eq!(sums, (DOMAINS_MAX, true));
    assert_eq!(usize::try_from(view.counts.total)?, DOMAINS_MAX);
    assert_eq!(discarded(&db.pool), 0);
    Ok(())
});

both_routes!(
    a_submission_that_is_cut_once_is_stored_all_the_same,
    async |db| {
        let batch = Submission::sized("cut-once", 20_000);
        let (submitted, cut) = tokio::join!(
            batch.send(&db.pool),
            wait_until("an insertion to cut", Duration::from_secs(30), async || {
                cut_insertions(db).await.is_ok_and(|cut| cut > 0)
            })
        );
        cut?;
        ensure!(matches!(submitted?, Submitted::Accepted { .. }));
        assert_eq!(rows_of(db, batch.id).await?, (1, 20_000));
        assert!(db.pool.status().discarded > 0);
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(
    a_submission_that_is_cut_every_time_leaves_nothing,
    async |db| {
        let batch = Submission::sized("cut-always", 20_000);
        let cutting = async {
            loop {
                cut_insertions(db).await?;
                tokio::task::yield_now().await;
            }
            #[expect(unreachable_code, reason = "gives the block its type")]
            anyhow::Ok(())
        };
        let error = tokio::select! {
            submitted = batch.send(&db.pool) => submitted.unwrap_err(),
            failed = cutting => return failed,
        };
        let error = error.downcast::<ScopeError>()?;
        assert_eq!(error.class(), ErrorClass::Retryable, "{error:?}");
        assert_eq!(rows_of(db, batch.id).await?, (0, 0));
        Ok(())
    }
);

both_routes!(
    the_same_submission_again_is_answered_as_before,
    async |db| {
        let mut batch = Submission::sized("again", 3);
        batch.kind = BatchKind::Scan;
        batch.jobs.truncate(1);
        let Submitted::Accepted { created_at } = batch.send(&db.pool).await? else {
            anyhow::bail!("not accepted");
        };
        // A client that sends it again does not know the ids that the first answer gave.
        let scan_job = Some(batch.jobs[0].id);
        batch.jobs[0].id = Uuid::now_v7();
        for _ in 0..2 {
            let again = batch.send(&db.pool).await?;
            assert_eq!(
                again,
                Submitted::Replayed {
                    created_at,
                    scan_job
                }
            );
        }
        assert_eq!(rows_of(db, batch.id).await?, (1, 1));
        Ok(())
    }
);

both_routes!(
    a_different_submission_under_a_known_id_is_a_conflict,
    async |db| {
        let batch = Submission::sized("first", 3).accepted(&db.pool).await?;
        let mut other = Submission::sized("second", 5);
        other.id = batch.id;
        other.request_hash = [2; 32];
        assert_eq!(other.send(&db.pool).await?, Submitted::Conflict);
        assert_eq!(rows_of(db, batch.id).await?, (1, 3));
        assert_eq!(
            discarded(&db.pool),
            0,
            "a conflict is no error of the database"
        );
        Ok(())
    }
);

both_routes!(
    of_many_submissions_of_one_id_at_once_one_is_accepted,
    async |db| {
        let id = Uuid::now_v7();
        let submissions: Vec<_> = (0..12)
            .map(|number: usize| {
                let mut submission = Submission::sized("race", 500);
                submission.id = id;
                // One of three is a different request.
                submission.request_hash = [u8::from(number.is_multiple_of(3)); 32];
                submission
            })
            .collect();
        let answers = try_join_all(submissions.iter().map(|one| one.send(&db.pool))).await?;
        let accepted: Vec<_> = answers
            .iter()
            .zip(&submissions)
            .filter_map(|(answer, submission)| match answer {
                Submitted::Accepted { created_at } => Some((*created_at, submission.request_hash)),
                Submitted::Replayed { .. } | Submitted::Conflict | Submitted::QueueFull => None,
            })
            .collect();
        assert_eq!(accepted.len(), 1, "{answers:?}");
        let (first, hash) = accepted[0];
        for (answer, submission) in answers.iter().zip(&submissions) {
            match answer {
                Submitted::Accepted { .. } => {}
                Submitted::Replayed {
                    created_at,
                    scan_job,
                } => {
                    assert_eq!((*created_at, *scan_job), (first, None));
                    assert_eq!(submission.request_hash, hash);
                }
                Submitted::Conflict => assert_ne!(submission.request_hash, hash),
                Submitted::QueueFull => panic!("there is room: {answers:?}"),
            }
        }
        assert_eq!(rows_of(db, id).await?, (1, 500));
        Ok(())
    }
);

both_routes!(what_was_submitted_is_what_is_crawled, async |db| {
    let batch = Submission::of([
        "Example.TEST",
        "other.test:8080",
        "http://www.third.test/path?q=1",
        "https://xn--bcher-kva.test",
    ])
    .accepted(&db.pool)
    .await?;
    let stored = db
        .rows(
            "select domain, host_key, start_url from trawl.domain_jobs
             where batch_id = $1 order by ordinal",
            &[(&batch.id, Type::UUID)],
        )
        .await?;
    for (row, job) in stored.iter().zip(&batch.jobs) {
        let columns: [&str; 3] = [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?];
        let site = &job.site;
        assert_eq!(columns, [site.key(), site.host_key(), &site.start_url()]);
    }
    assert_eq!(stored.len(), 4);
    Ok(())
});

both_routes!(metadata_comes_back_as_it_was_written, async |db| {
    let filler = "ä".repeat(METADATA_BYTES_MAX / 2 - 100);
    let metadata = format!(r#"{{"z": 1,  "a": [1.50, null], "z": "{filler}", "quote": "\"\\"}}"#);
    let mut batch = Submission::sized("metadata", 1);
    batch.metadata.clone_from(&metadata);
    let batch = batch.accepted(&db.pool).await?;
    let (view, ()) = batch_status(&db.pool, batch.id, || (), |(), _| ())
        .await?
        .context("the batch is there")?;
    assert_eq!(view.metadata, metadata);
    let view = job_status(&db.pool, batch.jobs[0].id)
        .await?
        .context("the job is there")?;
    assert_eq!(view.metadata, metadata);
    Ok(())
});

both_routes!(what_nobody_submitted_has_no_status, async |db| {
    let nobody = Uuid::now_v7();
    let status = batch_status(&db.pool, nobody, || (), |(), _| ()).await?;
    assert!(status.is_none());
    assert!(job_status(&db.pool, nobody).await?.is_none());
    Ok(())
});

both_routes!(
    a_full_queue_takes_nothing_more_and_replays_what_it_took,
    async |db| {
        let limited = async |submission: &Submission, queue_limit: u32| {
            let batch = NewBatch {
                queue_limit,
                ..submission.batch()
            };
            batch_submit(&db.pool, &batch).await
        };
        let first = Submission::sized("first", 6);
        let second = Submission::sized("second", 5);
        assert!(matches!(
            limited(&first, 10).await?,
            Submitted::Accepted { .. }
        ));
        assert_eq!(limited(&second, 10).await?, Submitted::QueueFull);
        assert_eq!(rows_of(db, second.id).await?, (0, 0));
        // What is stored is told again, however full it is.
        assert!(matches!(
            limited(&first, 1).await?,
            Submitted::Replayed { .. }
        ));
        assert!(matches!(
            limited(&second, 11).await?,
            Submitted::Accepted { .. }
        ));
        Ok(())
    }
);
