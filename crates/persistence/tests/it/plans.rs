//! How PostgreSQL finds the rows of the hot calls among many: by the indexes made for them.
//!
//! The public calls run for real; what they touched is read from the server's own counters, which
//! see into functions where EXPLAIN does not.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio_postgres::types::Type;
use trawl_persistence::batches::batch_status;
use trawl_persistence::hosts::{HostTake, host_take};
use trawl_persistence::jobs::{job_claim, job_finish, job_hand_back, job_rescue, job_status};
use trawl_persistence::pages::{page_record, pages_of_job, pages_view};
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_persistence::retention::{batch_sweep, held_forget};
use trawl_persistence::workers::{worker_forget, worker_gone, worker_heartbeat};
use trawl_test_support::wait_until;
use uuid::Uuid;

use crate::database::{Db, Route};
use crate::fixtures::{complete, page, worker};

/// 1,000,000 finished jobs in 1,000 batches, 100,000 pending ones in 50, 1,000 running ones in as many
/// batches as workers, and the pages of some.
const HISTORY: &str = "
insert into trawl.batches (id, kind, state, total, completed, max_pages, max_concurrent, turn,
                           request_hash, started_at, ended_at)
select gen_random_uuid(), 'batch', 'complete', 1000, 1000, 50, 5, 0, '\\x00',
       clock_timestamp(), clock_timestamp()
from generate_series(1, 1000);
insert into trawl.domain_jobs (id, batch_id, ordinal, domain, host_key, start_url, state, attempt,
                               token, ended_at, started_at)
select gen_random_uuid(), b.id, n, 'site-' || n || '.test', 'site-' || n || '.test',
       'site-' || n || '.test', 'complete', 1, 2, clock_timestamp(), clock_timestamp()
from trawl.batches b, generate_series(0, 999) n;
insert into trawl.pages (job_id, url_key, seq, token, url, state, depth, body_bytes, duration_ms,
                         discovered)
select id, decode(md5(id::text), 'hex'), 0, 1, 'https://' || domain || '/', 'skipped', 0, 1, 1, '[]'
from trawl.domain_jobs where ordinal < 20;
update trawl.domain_jobs set pages_recorded = 1 where ordinal < 20;
insert into trawl.batches (id, kind, total, max_pages, max_concurrent, turn, request_hash)
select gen_random_uuid(), 'batch', 2000, 50, 5, 0, '\\x00' from generate_series(1, 50);
insert into trawl.domain_jobs (id, batch_id, ordinal, domain, host_key, start_url)
select gen_random_uuid(), b.id, n, 'site-' || n || '.test', 'site-' || n || '.test',
       'site-' || n || '.test'
from trawl.batches b, generate_series(0, 1999) n where b.state = 'pending';
insert into trawl.workers (id, lease_ttl, host, pid, version)
select gen_random_uuid(), '1 hour', 'busy', n, '1' from generate_series(1, 20) n;
insert into trawl.batches (id, kind, state, total, max_pages, max_concurrent, turn, request_hash)
select id, 'batch', 'running', 50, 50, 50, 1000000, '\\x00' from trawl.workers;
insert into trawl.domain_jobs (id, batch_id, ordinal, domain, host_key, start_url, state,
                               worker_id, attempt, token, claimed_at, started_at)
select gen_random_uuid(), w.id, n, w.pid || '-' || n || '.test', w.pid || '-' || n || '.test',
       w.pid || '-' || n || '.test', 'running', w.id, 1, 1, clock_timestamp(), clock_timestamp()
from trawl.workers w, generate_series(0, 49) n;
insert into trawl.workers (id, state, lease_ttl, host, pid, version, heartbeat_at)
select gen_random_uuid(), 'gone', '30 s', 'old', 1, '0', clock_timestamp() - interval '1 hour'
from generate_series(1, 500)";

/// What the server counted of `domain_jobs` and `pages`.
#[derive(Debug)]
struct Counted {
    /// Scans of each index.
    scans: BTreeMap<String, i64>,
    /// Entries read from all indexes.
    entries: i64,
    /// Scans of a whole table.
    whole: i64,
}

async fn counted(db: &Db) -> Result<Counted> {
    const HOT: &str = "relname in ('domain_jobs', 'pages') and schemaname = 'trawl'";
    let indexes =
        format!("select indexrelname::text, idx_scan from pg_stat_user_indexes where {HOT}");
    let entries = format!("select sum(idx_tup_read)::bigint from pg_stat_user_indexes where {HOT}");
    let whole = format!("select sum(seq_scan)::bigint from pg_stat_user_tables where {HOT}");
    let rows = db.rows(&indexes, &[]).await?;
    Ok(Counted {
        scans: rows
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<_>>()?,
        entries: db.value(&entries, &[]).await?,
        whole: db.value(&whole, &[]).await?,
    })
}

/// Waits until all backends but one have reported their counters, which they do when they end.
async fn all_others_have_ended(db: &Db) -> Result<()> {
    wait_until("the backends to end", Duration::from_secs(20), async || {
        db.value::<i64>(
            "select count(*) from pg_stat_activity
             where datname = current_database() and backend_type = 'client backend'
               and pid <> pg_backend_pid()",
            &[],
        )
        .await
        .is_ok_and(|others| others == 0)
    })
    .await
}

/// Asserts that `call` uses these indexes, reads no table whole, and of all indexes together at most
/// `entries_max` entries: its cost follows from what it is asked for, not from what is stored.
///
/// Not that it uses no other: the planner, too, looks at the ends of an index.
/// The call has a pool of its own, so that its backends end with it.
async fn assert_uses<T>(
    db: &Db,
    what: &str,
    expected: &[&str],
    entries_max: i64,
    call: impl AsyncFnOnce(Pool) -> Result<T>,
) -> Result<T> {
    let before = counted(db).await?;
    let pool = db.pool_with(PoolOptions::with_size(1))?;
    let answer = call(pool.clone()).await.with_context(|| what.to_owned())?;
    pool.close();
    all_others_have_ended(db).await?;
    let after = counted(db).await?;
    ensure!(after.whole == before.whole, "{what} reads a whole table");
    for index in expected {
        let is_used = after.scans[*index] > before.scans[*index];
        ensure!(is_used, "{what} does not use {index}: {before:?} {after:?}");
    }
    let entries = after.entries - before.entries;
    ensure!(
        entries <= entries_max,
        "{what} reads {entries} entries of indexes, more than {entries_max}"
    );
    Ok(answer)
}

/// 100,000 scans that wait, none of them cancelled or overdue.
const SCANS: &str = "
insert into trawl.batches (id, kind, total, max_pages, max_concurrent, turn, request_hash, deadline_at)
select gen_random_uuid(), 'scan', 1, 50, 5, 0, '\\x00', clock_timestamp() + interval '1 day'
from generate_series(1, 100000);
insert into trawl.domain_jobs (id, batch_id, ordinal, domain, host_key, start_url)
select gen_random_uuid(), b.id, 0, b.id || '.test', b.id || '.test', b.id || '.test'
from trawl.batches b;
analyze";

#[tokio::test]
async fn a_claim_and_a_sweep_do_not_look_at_all_batches() -> Result<()> {
    let db = Db::migrated(Route::Direct).await?;
    let historian = db.another_admin().await?;
    for statement in SCANS.split(';') {
        historian.batch_execute(statement).await?;
    }
    drop(historian);
    let me = worker(&db.pool).await?;
    db.pool.close();
    all_others_have_ended(&db).await?;
    // Beside its own rows a claim reads those that run, once for each batch it takes from.
    for (wanted, entries_max) in [(1, 60), (30, 3_000)] {
        let claimed = assert_uses(
            &db,
            "a claim among many batches",
            &["domain_jobs_pending_idx"],
            entries_max,
            async |pool| Ok(job_claim(&pool, me, wanted, None).await?),
        )
        .await?;
        assert_eq!(claimed.len(), usize::try_from(wanted)?);
    }
    let swept = assert_uses(&db, "a sweep of nothing", &[], 10, async |pool| {
        Ok(batch_sweep(&pool).await?)
    })
    .await?;
    assert_eq!(swept, 0);
    Ok(())
}

#[tokio::test]
async fn the_hot_calls_find_their_rows_by_index() -> Result<()> {
    const OLD: Duration = Duration::from_secs(3600);
    let db = Db::migrated(Route::Direct).await?;
    let historian = db.another_admin().await?;
    for statement in HISTORY.split(';') {
        historian.batch_execute(statement).await?;
    }
    historian.batch_execute("analyze").await?;
    drop(historian);
    let me = worker(&db.pool).await?;
    db.pool.close();
    all_others_have_ended(&db).await?;

    let claimed = assert_uses(
        &db,
        "a claim",
        &[
            "domain_jobs_pending_idx",
            "domain_jobs_pkey",
            "domain_jobs_running_batch_idx",
            "domain_jobs_running_host_idx",
        ],
        400,
        async |pool| Ok(job_claim(&pool, me, 30, None).await?),
    )
    .await?;
    assert_eq!(claimed.len(), 30);
    let leases: Vec<_> = claimed.iter().map(|job| job.lease).collect();

    assert_uses(
        &db,
        "a heartbeat",
        &["domain_jobs_pkey", "domain_jobs_running_worker_idx"],
        300,
        async |pool| Ok(worker_heartbeat(&pool, me, &leases, OLD).await?),
    )
    .await?;
    // A host that nobody has, one that a job was submitted with, and one that a job holds.
    assert_uses(
        &db,
        "takes of a host",
        &["domain_jobs_pkey", "domain_jobs_running_host_idx"],
        20,
        async |pool| {
            let take = async |job: usize, host| host_take(&pool, leases[job], host).await;
            assert_eq!(take(0, "far.test").await?, HostTake::Taken);
            for host in [&claimed[2].domain, "far.test"] {
                let take = take(1, host).await?;
                assert!(matches!(take, HostTake::Held { .. }), "{take:?}");
            }
            Ok(())
        },
    )
    .await?;
    assert_uses(
        &db,
        "forgetting held hosts",
        &["domain_jobs_pkey"],
        10,
        async |pool| Ok(held_forget(&pool).await?),
    )
    .await?;
    assert_uses(
        &db,
        "a record",
        &["domain_jobs_pkey", "pages_pkey"],
        300,
        async |pool| {
            let pages: Vec<_> = leases.iter().map(|lease| page(*lease, 0)).collect();
            Ok(page_record(&pool, &pages).await?)
        },
    )
    .await?;
    assert_uses(
        &db,
        "the pages of a job",
        &["pages_job_id_seq_idx"],
        10,
        async |pool| Ok(pages_of_job(&pool, leases[0].job, None, 10_000).await?),
    )
    .await?;
    assert_uses(
        &db,
        "a slice of the pages of a job",
        &["domain_jobs_pkey", "pages_job_id_seq_idx"],
        10,
        async |pool| Ok(pages_view(&pool, leases[0].job, None, 100).await?),
    )
    .await?;
    assert_uses(&db, "a finish", &["domain_jobs_pkey"], 150, async |pool| {
        let ended: Vec<_> = leases[..10].iter().map(|lease| complete(*lease)).collect();
        Ok(job_finish(&pool, &ended).await?)
    })
    .await?;
    assert_uses(
        &db,
        "a hand-back",
        &["domain_jobs_pkey"],
        200,
        async |pool| Ok(job_hand_back(&pool, &leases[10..20]).await?),
    )
    .await?;
    assert_uses(
        &db,
        "the status of a job",
        &["domain_jobs_pkey"],
        20,
        async |pool| Ok(job_status(&pool, leases[0].job).await?),
    )
    .await?;
    assert_uses(
        &db,
        "the status of a batch",
        &["domain_jobs_batch_domain_unique"],
        2_100,
        async |pool| {
            let lines = batch_status(&pool, claimed[0].batch, || 0, |lines, _| *lines += 1).await?;
            assert_eq!(lines.map(|(_, lines)| lines), Some(2_000));
            Ok(())
        },
    )
    .await?;
    // Looks at whatever runs, which is bounded by the workers' concurrency.
    assert_uses(
        &db,
        "a rescue",
        &["domain_jobs_pkey", "domain_jobs_running_worker_idx"],
        5_000,
        async |pool| {
            worker_gone(&pool, me).await?;
            let rescued = job_rescue(&pool, 100, 3).await?;
            assert_eq!(rescued.len(), 10);
            Ok(())
        },
    )
    .await?;
    assert_uses(
        &db,
        "forgetting workers",
        &["domain_jobs_running_worker_idx"],
        3_000,
        async |pool| {
            db.admin
                .execute_typed(
                    "update trawl.workers set heartbeat_at = clock_timestamp() - interval '2 days'
                     where id <> $1",
                    &[(&Uuid::nil(), Type::UUID)],
                )
                .await?;
            Ok(worker_forget(&pool).await?)
        },
    )
    .await?;
    let left: i64 = db.value("select count(*) from trawl.workers", &[]).await?;
    assert_eq!(left, 20);
    Ok(())
}
