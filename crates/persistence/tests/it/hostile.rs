//! Clients of a pooler that is harder than any real one: each gets its own rows, whatever happens,
//! and every call that is repeated until it has an answer takes effect once.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use trawl_domain::batch::BatchState;
use trawl_persistence::batches::{Submitted, batch_status, batch_submit};
use trawl_persistence::class::ErrorClass;
use trawl_persistence::error::ScopeError;
use trawl_persistence::jobs::{job_claim, job_finish, job_hand_back, job_rescue};
use trawl_persistence::pages::page_record;
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_persistence::workers::worker_heartbeat;
use trawl_test_support::database::Route;
use trawl_test_support::hostile::{HostilePooler, Hostility};
use uuid::Uuid;

use crate::database::Db;
use crate::fixtures::{Submission, assert_promises_kept, complete, page, worker};

const CLIENTS: usize = 4;
const SITES: usize = 6;
const PAGES: u32 = 3;
/// Of everything: each black hole costs a request its whole limit of 15 s.
const PATIENCE: Duration = Duration::from_secs(240);

/// Repeats a call until it has an answer. A defect is no answer of the pooler's.
macro_rules! until_answered {
    ($call:expr) => {
        loop {
            match $call.await {
                Ok(answer) => break answer,
                Err(error) => bear(error).await?,
            }
        }
    };
}

async fn bear(error: ScopeError) -> Result<()> {
    match error.class() {
        ErrorClass::Retryable | ErrorClass::OutcomeUnknown => {
            sleep(Duration::from_millis(20)).await;
            Ok(())
        }
        ErrorClass::RetryLater | ErrorClass::Permanent | ErrorClass::Conflict | ErrorClass::Bug => {
            Err(error).context("no hostility of a pooler explains this")
        }
    }
}

/// Submits a batch, works it off alone and looks at nothing else.
async fn serve_a_batch(pool: Pool, name: String) -> Result<()> {
    let submission = Submission::sized(&name, SITES);
    let id = submission.id;
    let submitted = until_answered!(batch_submit(&pool, &submission.batch()));
    ensure!(!matches!(submitted, Submitted::Conflict), "{submitted:?}");
    // Another client's worker would have another id; this one is new with each try.
    let me = loop {
        if let Ok(me) = worker(&pool).await {
            break me;
        }
    };
    loop {
        // A claim whose answer was lost is found by the heartbeat, as any worker does it.
        let beat = until_answered!(worker_heartbeat(&pool, me, &[], Duration::ZERO));
        ensure!(beat.alive, "{beat:?}");
        until_answered!(job_hand_back(&pool, &beat.orphans));
        if let Ok(claimed) = job_claim(&pool, me, 2, Some(id)).await {
            for job in &claimed {
                ensure!(
                    job.batch == id && job.domain.starts_with(&name),
                    "a stranger's job: {job:?}"
                );
                let pages: Vec<_> = (0..PAGES).map(|seq| page(job.lease, seq)).collect();
                let held = until_answered!(page_record(&pool, &pages));
                ensure!(held == [job.lease.job], "a stranger's jobs: {held:?}");
            }
            let ended: Vec<_> = claimed.iter().map(|job| complete(job.lease)).collect();
            until_answered!(job_finish(&pool, &ended));
        }
        until_answered!(job_rescue(&pool, 10, 3));
        if own_batch_has_ended(&pool, id, &name).await? {
            return Ok(());
        }
    }
}

/// Whether the batch has ended; every line of it has to be its own.
async fn own_batch_has_ended(pool: &Pool, id: Uuid, name: &str) -> Result<bool> {
    let status = until_answered!(batch_status(pool, id, Vec::new, |domains, line| {
        domains.push(line.domain.to_owned());
    }));
    let (view, domains) = status.context("the batch is gone")?;
    let expected: Vec<_> = (0..SITES)
        .map(|site| format!("{name}-{site}.test"))
        .collect();
    ensure!(domains == expected, "{view:?} {domains:?}");
    Ok(view.state == BatchState::Complete)
}

async fn every_client_gets_its_own(hostility: Hostility) -> Result<()> {
    let db = Db::migrated(Route::Direct).await?;
    let pooler = HostilePooler::start(&db.url(), hostility).await?;
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let pool = Pool::new(&pooler.url(), PoolOptions::with_size(2))?;
        clients.spawn(serve_a_batch(pool, format!("client{number}")));
    }
    while let Some(client) = timeout(PATIENCE, clients.join_next())
        .await
        .with_context(|| format!("a client is stuck: {}", pooler.report()))?
    {
        client??;
    }
    let report = pooler.report();
    eprintln!("{report}");
    ensure!(report.astray.is_empty(), "sent too early: {report}");
    assert_promises_kept(&db.pool).await?;
    let pages: i64 = db.value("select count(*) from trawl.pages", &[]).await?;
    ensure!(
        pages == (CLIENTS * SITES) as i64 * i64::from(PAGES),
        "{pages} pages"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_poison() -> Result<()> {
    every_client_gets_its_own(Hostility::poison_only().with_seed(1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_survives_every_hostility_by_seed_1() -> Result<()> {
    every_client_gets_its_own(Hostility::full(1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_survives_every_hostility_by_the_seed_of_the_day() -> Result<()> {
    let seed = match std::env::var("TRAWL_TEST_SEED") {
        Ok(seed) => seed.parse()?,
        Err(_unset) => Uuid::now_v7().as_u128() as u64,
    };
    eprintln!("to replay: TRAWL_TEST_SEED={seed}");
    every_client_gets_its_own(Hostility::full(seed)).await
}
