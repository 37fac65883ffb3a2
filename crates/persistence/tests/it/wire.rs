//! What persistence says on the wire: only what a transaction-mode pooler can serve, one request at
//! a time, none too large, and no more of them than each operation needs.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::future::join_all;
use tokio_postgres::types::Type;
use trawl_domain::limits::DOMAINS_MAX;
use trawl_persistence::audit::audit;
use trawl_persistence::batches::batch_status;
use trawl_persistence::control::{batch_cancel, batch_pause, batch_retry, job_cancel, pages_carry};
use trawl_persistence::health::ping;
use trawl_persistence::hosts::{host_release, host_take};
use trawl_persistence::jobs::{
    job_attempts, job_claim, job_finish, job_hand_back, job_rescue, job_status,
};
use trawl_persistence::pages::{PageRecord, page_record, pages_of_job, pages_view};
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_persistence::queue::queue_view;
use trawl_persistence::retention::{batch_expire, batch_sweep, held_forget, host_forget};
use trawl_persistence::scope::{ScopeSettings, SessionScope, Statement};
use trawl_persistence::workers::{worker_drain, worker_forget, worker_gone, worker_heartbeat};
use trawl_test_support::wire::{Rule, WireProxy};
use uuid::Uuid;

use crate::database::{CLIENTS, Db};
use crate::fixtures::{Submission, failed, page, snoozed, worker};
use crate::path_of_a_batch::every_call_in_order;
use crate::snapshot;

/// A proxy before the servers of this test, and a pool that leads through it.
async fn watched(db: &Db) -> Result<(WireProxy, Pool)> {
    let proxy = WireProxy::start(&db.url()).await?;
    let pool = Pool::new(&proxy.url(), PoolOptions::with_size(CLIENTS))?;
    Ok((proxy, pool))
}

both_routes!(every_call_keeps_the_rules, async |db| {
    let (proxy, pool) = watched(db).await?;
    proxy.hold_ready_for_query(Duration::from_millis(2), Duration::from_millis(20));
    every_call_in_order(&pool).await?;
    let report = proxy.report();
    report.check()?;
    ensure!(
        report.requests > 20 && report.errors.is_empty(),
        "{report:?}"
    );
    Ok(())
});

both_routes!(errors_and_drops_keep_the_rules, async |db| {
    const FAIL: Statement = Statement::once_only("fail", "select 1 / $1");
    const FINE: Statement = Statement::repeatable("fine", "select $1 + 1");
    let (proxy, pool) = watched(db).await?;
    proxy.hold_ready_for_query(Duration::from_millis(1), Duration::from_millis(20));
    let troubled = (0..40_u32).map(|number| {
        let pool = &pool;
        async move {
            let by = i32::try_from(number % 2)?;
            let failed = SessionScope::once(pool, &FAIL, &[(&by, Type::INT4)]).await;
            ensure!(failed.is_err() == (by == 0));
            let work = SessionScope::run(pool, ScopeSettings::SHORT, async |scope| {
                scope.query(&FINE, &[(&by, Type::INT4)]).await?;
                scope.query(&FAIL, &[(&by, Type::INT4)]).await.map(drop)
            });
            // Some give up in the middle.
            let limit = Duration::from_millis(u64::from(number % 10));
            if let Ok(ended) = tokio::time::timeout(limit, work).await {
                ensure!(ended.is_err() == (by == 0), "{ended:?}");
            }
            let rows = SessionScope::once(pool, &FINE, &[(&by, Type::INT4)]).await?;
            ensure!(rows[0].try_get::<_, i32>(0)? == by + 1);
            anyhow::Ok(())
        }
    });
    for ended in join_all(troubled).await {
        ended?;
    }
    let report = proxy.report();
    report.check()?;
    ensure!(!report.errors.is_empty(), "{report:?}");
    Ok(())
});

both_routes!(a_request_above_the_limit_is_not_sent, async |db| {
    const LENGTH: Statement = Statement::repeatable("length", "select length($1)");
    let (proxy, pool) = watched(db).await?;
    ping(&pool).await?;
    proxy.reset();
    let large = "x".repeat(200_000);
    let refused = SessionScope::once(&pool, &LENGTH, &[(&large, Type::TEXT)]).await;
    assert!(refused.is_err());
    assert_eq!(proxy.report().requests, 0);
    Ok(())
});

both_routes!(the_largest_batch_fits_its_requests, async |db| {
    let (proxy, pool) = watched(db).await?;
    let batch = Submission::sized("a-site-of-usual-length", DOMAINS_MAX)
        .accepted(&pool)
        .await?;
    let report = proxy.report();
    report.check()?;
    println!(
        "{DOMAINS_MAX} domains: {} requests, {} bytes, the largest {}",
        report.requests, report.request_bytes, report.largest_request_bytes
    );
    // Slices are filled: a handful of requests for every 10,000 domains.
    assert!(
        report.requests < DOMAINS_MAX / 1_000,
        "{} requests",
        report.requests
    );
    proxy.reset();
    let status = batch_status(&pool, batch.id, || 0, |count, _| *count += 1).await?;
    assert_eq!(status.map(|(_, count)| count), Some(DOMAINS_MAX));
    assert_eq!(proxy.report().requests, 1);
    Ok(())
});

both_routes!(many_and_large_pages_fit_their_requests, async |db| {
    let (proxy, pool) = watched(db).await?;
    let me = worker(&pool).await?;
    Submission::sized("paged", 1).accepted(&pool).await?;
    let lease = job_claim(&pool, me, 1, None).await?[0].lease;
    let pages: Vec<_> = (0..3_000_u32)
        .map(|seq| PageRecord {
            facts: seq
                .is_multiple_of(100)
                .then(|| format!("{{\"text\": \"{}\"}}", "f".repeat(60_000))),
            ..page(lease, seq)
        })
        .collect();
    page_record(&pool, &pages).await?;
    proxy.report().check()?;
    Ok(())
});

/// Runs `call` and answers how many round trips it took.
async fn round_trips<T>(
    proxy: &WireProxy,
    call: impl Future<Output = Result<T, trawl_persistence::error::ScopeError>>,
) -> Result<(T, usize)> {
    proxy.reset();
    let answer = call.await?;
    let report = proxy.report();
    report.check()?;
    Ok((answer, report.requests))
}

both_routes!(
    each_call_takes_the_round_trips_it_is_known_for,
    async |db| {
        const OLD: Duration = Duration::from_secs(3600);
        let (proxy, pool) = watched(db).await?;
        let mut taken: Vec<(&str, usize)> = Vec::new();
        ping(&pool).await?;
        let (me, trips) = {
            proxy.reset();
            (worker(&pool).await?, proxy.report().requests)
        };
        taken.push(("register", trips));

        proxy.reset();
        let batch = Submission::sized("counted", 1_000)
            .at_once(100)
            .accepted(&pool)
            .await?;
        // BEGIN, the settings, the batch, its jobs, COMMIT.
        taken.push(("submit 1,000 domains", proxy.report().requests));
        let (claimed, trips) = round_trips(&proxy, job_claim(&pool, me, 50, None)).await?;
        taken.push(("claim 50 jobs", trips));
        let leases: Vec<_> = claimed.iter().map(|job| job.lease).collect();
        let beat = worker_heartbeat(&pool, me, &leases, OLD);
        taken.push(("heartbeat for 50 jobs", round_trips(&proxy, beat).await?.1));
        let take = host_take(&pool, leases[0], "far.test");
        taken.push(("take a host", round_trips(&proxy, take).await?.1));
        let release = host_release(&pool, leases[0], "far.test");
        taken.push(("let a host go", round_trips(&proxy, release).await?.1));
        let pages: Vec<_> = leases
            .iter()
            .flat_map(|lease| [page(*lease, 0), page(*lease, 1)])
            .collect();
        taken.push((
            "record 100 pages",
            round_trips(&proxy, page_record(&pool, &pages)).await?.1,
        ));
        let read = pages_of_job(&pool, leases[0].job, None, 10_000);
        taken.push((
            "read the pages of a job",
            round_trips(&proxy, read).await?.1,
        ));
        let view = pages_view(&pool, leases[0].job, None, 100);
        taken.push((
            "list the pages of a job",
            round_trips(&proxy, view).await?.1,
        ));
        let ended: Vec<_> = leases[..25].iter().map(|lease| failed(*lease)).collect();
        taken.push((
            "finish 25 jobs",
            round_trips(&proxy, job_finish(&pool, &ended)).await?.1,
        ));
        let waits: Vec<_> = leases[25..35]
            .iter()
            .map(|lease| snoozed(*lease, "busy.test", OLD, 1))
            .collect();
        taken.push((
            "snooze 10 jobs",
            round_trips(&proxy, job_finish(&pool, &waits)).await?.1,
        ));
        let back = job_hand_back(&pool, &leases[35..]);
        taken.push(("hand 15 jobs back", round_trips(&proxy, back).await?.1));
        let rescue = job_rescue(&pool, 100, 3);
        taken.push(("rescue", round_trips(&proxy, rescue).await?.1));
        let status = batch_status(&pool, batch.id, || (), |(), _| ());
        taken.push(("status of a batch", round_trips(&proxy, status).await?.1));
        let status = job_status(&pool, batch.jobs[0].id);
        let (view, trips) = round_trips(&proxy, status).await?;
        view.context("the job is there")?;
        taken.push(("status of a job", trips));
        let attempts = job_attempts(&pool, leases[0].job);
        taken.push(("attempts at a job", round_trips(&proxy, attempts).await?.1));
        taken.push((
            "view of the queue",
            round_trips(&proxy, queue_view(&pool)).await?.1,
        ));
        taken.push(("audit", round_trips(&proxy, audit(&pool)).await?.1));
        taken.push(("ping", round_trips(&proxy, ping(&pool)).await?.1));
        taken.push((
            "drain",
            round_trips(&proxy, worker_drain(&pool, me)).await?.1,
        ));
        taken.push((
            "leave",
            round_trips(&proxy, worker_gone(&pool, me)).await?.1,
        ));
        taken.push(("forget", round_trips(&proxy, worker_forget(&pool)).await?.1));
        taken.push((
            "forget hosts",
            round_trips(&proxy, host_forget(&pool)).await?.1,
        ));
        taken.push((
            "forget held hosts",
            round_trips(&proxy, held_forget(&pool)).await?.1,
        ));

        let one = batch.jobs[900].id;
        taken.push((
            "cancel a job",
            round_trips(&proxy, job_cancel(&pool, one)).await?.1,
        ));
        let pause = batch_pause(&pool, batch.id, true);
        taken.push(("pause a batch", round_trips(&proxy, pause).await?.1));
        let cancel = batch_cancel(&pool, batch.id);
        taken.push((
            "cancel a batch of 1,000",
            round_trips(&proxy, cancel).await?.1,
        ));
        // BEGIN, the settings, the batch with its jobs, COMMIT; their pages, and that there are no more.
        let retry = batch_retry(&pool, batch.id, Uuid::now_v7(), u32::MAX);
        taken.push((
            "retry 25 jobs with 50 pages",
            round_trips(&proxy, retry).await?.1,
        ));
        let carry = pages_carry(&pool, None);
        taken.push((
            "carry pages to retries",
            round_trips(&proxy, carry).await?.1,
        ));
        taken.push(("sweep", round_trips(&proxy, batch_sweep(&pool)).await?.1));
        taken.push((
            "expire",
            round_trips(&proxy, batch_expire(&pool, OLD)).await?.1,
        ));

        let lines: String = taken
            .iter()
            .map(|(call, trips)| format!("{trips} {call}\n"))
            .collect();
        snapshot::compare("round_trips.snap", &lines)
    }
);

/// The rules are worth something: what persistence avoids is found.
#[tokio::test]
async fn a_careless_client_breaks_the_rules() -> Result<()> {
    let db = Db::migrated(crate::database::Route::Direct).await?;
    let proxy = WireProxy::start(&db.url()).await?;
    proxy.hold_ready_for_query(Duration::from_millis(1), Duration::from_millis(50));
    let (client, connection) = tokio_postgres::connect(&proxy.url(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    client.query("select $1::uuid", &[&Uuid::nil()]).await?;
    client
        .batch_execute("set statement_timeout = '1min'")
        .await?;
    let failed = client
        .query_typed("select 1 / $1", &[(&0, Type::INT4)])
        .await;
    assert!(failed.is_err());
    client.query_typed("select 1", &[]).await?;
    let report = proxy.report();
    for rule in [Rule::NamedObject, Rule::SessionState, Rule::EarlyBytes] {
        assert!(report.count(rule) > 0, "{rule:?} was not found: {report:?}");
    }
    Ok(())
}
