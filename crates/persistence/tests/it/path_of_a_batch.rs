//! The way of one batch through every public call, in order.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use trawl_domain::batch::BatchState;
use trawl_domain::failure::{Failure, FailureCode};
use trawl_domain::job::JobState;
use trawl_domain::limits::{MaxConcurrent, MaxPages};
use trawl_domain::page::PageState;
use trawl_domain::site::SiteAddress;
use trawl_persistence::audit::audit;
use trawl_persistence::batches::{
    BatchKind, NewBatch, NewJob, Submitted, batch_status, batch_submit,
};
use trawl_persistence::hosts::{HostTake, host_release, host_take};
use trawl_persistence::jobs::{
    EndedJob, Ending, job_claim, job_finish, job_hand_back, job_rescue, job_status,
};
use trawl_persistence::pages::{PageRecord, page_record, pages_of_job};
use trawl_persistence::pool::Pool;
use trawl_persistence::retention::held_forget;
use trawl_persistence::workers::{
    WorkerIdentity, worker_drain, worker_forget, worker_gone, worker_heartbeat, worker_register,
};
use uuid::Uuid;

both_routes!(a_batch_goes_from_submission_to_its_end, async |db| {
    every_call_in_order(&db.pool).await
});

pub(crate) async fn every_call_in_order(pool: &Pool) -> Result<()> {
    let worker = WorkerIdentity {
        id: Uuid::now_v7(),
        host: "here".to_owned(),
        pid: 1,
        lease_ttl: Duration::from_secs(30),
    };
    worker_register(pool, &worker).await?;

    let jobs: Vec<NewJob> = ["a.test", "b.test:8080", "http://c.test/x?y=1"]
        .into_iter()
        .map(|text| {
            Ok(NewJob {
                id: Uuid::now_v7(),
                site: SiteAddress::parse(text)?,
            })
        })
        .collect::<Result<_>>()?;
    let batch = NewBatch {
        id: Uuid::now_v7(),
        kind: BatchKind::Batch,
        max_pages: MaxPages::DEFAULT,
        max_concurrent: MaxConcurrent::DEFAULT,
        request_hash: [7; 32],
        deadline: None,
        queue_limit: u32::MAX,
        options: r#"{"max_depth": 3}"#,
        metadata: r#"{"b": 1,  "a": [2]}"#,
        jobs: &jobs,
    };
    let submitted = batch_submit(pool, &batch).await?;
    ensure!(
        matches!(submitted, Submitted::Accepted { .. }),
        "{submitted:?}"
    );

    let (view, lines) = batch_status(pool, batch.id, Vec::new, |lines, line| {
        lines.push((line.domain.to_owned(), line.state));
    })
    .await?
    .context("the batch is there")?;
    assert_eq!(view.state, BatchState::Pending);
    assert_eq!(view.counts.total, 3);
    assert_eq!(view.metadata, batch.metadata);
    assert_eq!(view.processing_seconds, None);
    assert_eq!(lines[2], ("c.test".to_owned(), JobState::Pending));

    let claimed = job_claim(pool, worker.id, 10, None).await?;
    assert_eq!(claimed.len(), 3);
    let beat = worker_heartbeat(pool, worker.id, &[], Duration::ZERO).await?;
    assert!(beat.alive);
    assert_eq!(beat.orphans.len(), 3);

    let [first, second] = [claimed[0].lease, claimed[1].lease];
    assert_eq!(host_take(pool, first, "far.test").await?, HostTake::Taken);
    assert!(matches!(
        host_take(pool, second, "far.test").await?,
        HostTake::Held { .. }
    ));
    host_release(pool, first, "far.test").await?;
    assert_eq!(host_take(pool, second, "far.test").await?, HostTake::Taken);

    let page = PageRecord {
        lease: claimed[0].lease,
        seq: 0,
        url: "https://a.test/".to_owned(),
        final_url: None,
        state: PageState::Fetched,
        depth: 0,
        http_status: Some(200),
        body_bytes: 12,
        duration: Duration::from_millis(3),
        failure: None,
        discovered: r#"{"links": ["https://a.test/2"]}"#.to_owned(),
        facts: Some(r#"{"title": "A"}"#.to_owned()),
        first_byte: Some(Duration::from_millis(2)),
        etag: None,
        last_modified: None,
        body_hash: None,
        not_fetched: None,
        content: None,
    };
    let held = page_record(pool, &[page]).await?;
    assert_eq!(held, [claimed[0].lease.job]);
    assert_eq!(pages_of_job(pool, held[0], None, 10_000).await?.len(), 1);

    let handed = job_hand_back(pool, &[claimed[2].lease]).await?;
    assert_eq!(handed.len(), 1);
    let ended = [
        EndedJob {
            lease: claimed[0].lease,
            ending: Ending::Complete {
                stop_reason: "page_limit",
                result: r#"{"title": "A"}"#.to_owned(),
            },
        },
        EndedJob {
            lease: claimed[1].lease,
            ending: Ending::Failed(Failure::new(FailureCode::DnsNotFound, "No such host.")),
        },
    ];
    assert_eq!(job_finish(pool, &ended).await?.len(), 2);
    assert_eq!(job_finish(pool, &ended).await?.len(), 0);

    let again = job_claim(pool, worker.id, 10, Some(batch.id)).await?;
    assert_eq!(again.len(), 1);
    let ending = EndedJob {
        lease: again[0].lease,
        ending: Ending::Complete {
            stop_reason: "frontier_empty",
            result: "{}".to_owned(),
        },
    };
    assert_eq!(job_finish(pool, &[ending]).await?.len(), 1);

    assert_eq!(host_take(pool, second, "far.test").await?, HostTake::Stale);
    held_forget(pool).await?;

    let view = job_status(pool, jobs[1].id).await?.context("a job")?;
    assert_eq!(view.state, JobState::Failed);
    assert_eq!(view.failure.context("a reason")?.0, "dns_not_found");
    let (view, ()) = batch_status(pool, batch.id, || (), |(), _| ())
        .await?
        .context("the batch is there")?;
    assert_eq!(view.state, BatchState::Partial);
    assert!(view.processing_seconds.is_some());

    worker_drain(pool, worker.id).await?;
    worker_gone(pool, worker.id).await?;
    assert!(job_rescue(pool, 100, 3).await?.is_empty());
    worker_forget(pool).await?;
    for line in audit(pool).await? {
        assert_eq!(line.broken, 0, "{}", line.promise);
    }
    Ok(())
}
