//! Many workers at once, some of them zombies, on one queue: the promises hold in every sample and
//! at the end, and every job ends.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::task::JoinSet;
use trawl_persistence::audit::audit;
use trawl_persistence::control::{batch_cancel, batch_pause, job_cancel};
use trawl_persistence::hosts::{HostTake, host_take};
use trawl_persistence::jobs::{ClaimedJob, job_claim, job_finish, job_hand_back, job_rescue};
use trawl_persistence::pages::page_record;
use trawl_persistence::pool::Pool;
use trawl_persistence::retention::held_forget;
use trawl_persistence::workers::{JobLease, worker_gone, worker_heartbeat};
use uuid::Uuid;

use crate::database::{Db, discarded};
use crate::fixtures::{Submission, assert_promises_kept, complete, failed, page, retry, worker};

const WORKERS: u64 = 10;
const BATCHES: usize = 6;
const JOBS: usize = 30;
/// Chosen so that rescues seldom use them up and yet sometimes do.
const ATTEMPTS: u32 = 4;
const PATIENCE: Duration = Duration::from_secs(120);

/// What the crowd did, to prove that the test met what it is about.
#[derive(Default)]
struct Tally {
    finished: AtomicU64,
    handed_back: AtomicU64,
    rescued: AtomicU64,
    fenced: AtomicU64,
    taken: AtomicU64,
    held: AtomicU64,
    done: AtomicBool,
}

impl Tally {
    fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }
}

/// One worker after another: each dies with jobs in its hands, and its ghost goes on writing.
async fn work(pool: Pool, seed: u64, tally: Arc<Tally>) -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut me = worker(&pool).await?;
    let mut ghosts: Vec<JobLease> = Vec::new();
    while !tally.is_done() {
        let claimed = job_claim(&pool, me, random.random_range(1..=4), None).await?;
        haunt(&pool, &mut ghosts, &tally).await?;
        if claimed.is_empty() {
            let orphans = worker_heartbeat(&pool, me, &[], Duration::ZERO)
                .await?
                .orphans;
            ensure!(orphans.is_empty(), "held by nobody: {orphans:?}");
            tokio::task::yield_now().await;
            continue;
        }
        let pages: Vec<_> = claimed
            .iter()
            .flat_map(|job| (0..3).map(|number| page(job.lease, job.pages_recorded + number)))
            .collect();
        page_record(&pool, &pages).await?;
        roam(&pool, &mut random, &claimed, &tally).await?;
        if random.random_ratio(1, 8) {
            worker_gone(&pool, me).await?;
            ghosts.extend(claimed.iter().map(|job| job.lease));
            me = worker(&pool).await?;
            continue;
        }
        end(&pool, &mut random, &claimed, &tally).await?;
    }
    Ok(())
}

/// Takes further hosts for claimed jobs: some that all batches share, and some that nobody submitted.
async fn roam(
    pool: &Pool,
    random: &mut StdRng,
    claimed: &[ClaimedJob],
    tally: &Tally,
) -> Result<()> {
    for job in claimed {
        let number = random.random_range(0..5);
        for host in [
            format!("shared-{number}.test"),
            format!("far-{number}.test"),
        ] {
            match host_take(pool, job.lease, &host).await? {
                HostTake::Taken => Tally::add(&tally.taken, 1),
                HostTake::Held { .. } => Tally::add(&tally.held, 1),
                other @ (HostTake::Snoozed { .. } | HostTake::Stale) => {
                    bail!("{host} for {:?}: {other:?}", job.lease)
                }
            }
        }
    }
    Ok(())
}

/// Ends claimed jobs in ways drawn by lot, some of them twice, as after a lost answer.
async fn end(
    pool: &Pool,
    random: &mut StdRng,
    claimed: &[ClaimedJob],
    tally: &Tally,
) -> Result<()> {
    let (mut ended, mut back) = (Vec::new(), Vec::new());
    for job in claimed {
        match random.random_range(0..10) {
            0 => back.push(job.lease),
            1 | 2 if job.attempt < ATTEMPTS => ended.push(retry(job.lease)),
            3 => ended.push(failed(job.lease)),
            _ => ended.push(complete(job.lease)),
        }
    }
    let moved = job_finish(pool, &ended).await?;
    ensure!(moved.len() == ended.len(), "{moved:?} of {ended:?}");
    let again = job_finish(pool, &ended).await?;
    ensure!(again.is_empty(), "finished twice: {again:?}");
    Tally::add(&tally.finished, moved.len());
    Tally::add(&tally.handed_back, job_hand_back(pool, &back).await?.len());
    Ok(())
}

/// What a worker does that does not know it was declared gone.
async fn haunt(pool: &Pool, ghosts: &mut Vec<JobLease>, tally: &Tally) -> Result<()> {
    // Until its jobs are rescued, a ghost's leases are good: only then is it fenced.
    let rescued = job_rescue(pool, 100, ATTEMPTS).await?;
    Tally::add(&tally.rescued, rescued.len());
    let pages: Vec<_> = ghosts.iter().map(|lease| page(*lease, 900)).collect();
    let recorded = page_record(pool, &pages).await?;
    let ended: Vec<_> = ghosts.drain(..).map(complete).collect();
    let moved = job_finish(pool, &ended).await?;
    ensure!(
        recorded.is_empty() && moved.is_empty(),
        "a ghost wrote: {recorded:?} {moved:?}"
    );
    Tally::add(&tally.fenced, ended.len());
    Ok(())
}

/// What users do meanwhile: pause one batch for a while, cancel another and some jobs of a third.
async fn meddle(db: &Db, batches: &[Submission], sample: usize) -> Result<()> {
    match sample {
        2 | 6 => drop(batch_pause(&db.pool, batches[1].id, sample == 2).await?),
        4 => drop(batch_cancel(&db.pool, batches[2].id).await?),
        3 | 5 | 7 => drop(job_cancel(&db.pool, batches[3].jobs[sample].id).await?),
        _ => {}
    }
    Ok(())
}

/// Looks at the queue from outside, over and over, until every batch has ended.
async fn observe(db: &Db, batches: &[Submission], tally: &Tally) -> Result<()> {
    let mut tokens: HashMap<Uuid, i64> = HashMap::new();
    for sample in 0.. {
        meddle(db, batches, sample).await?;
        held_forget(&db.pool).await?;
        let broken: Vec<_> = audit(&db.pool)
            .await?
            .into_iter()
            // A worker's jobs stay running for a moment after it went, until they are rescued.
            .filter(|line| {
                line.broken != 0 && line.promise != "no running job without a live lease"
            })
            .collect();
        ensure!(broken.is_empty(), "broken in a sample: {broken:?}");
        let rows = db
            .rows(
                "select id, token, host_key, state from trawl.domain_jobs",
                &[],
            )
            .await?;
        let mut crawled = HashMap::new();
        for row in &rows {
            let (id, token): (Uuid, i64) = (row.try_get(0)?, row.try_get(1)?);
            let last = tokens.insert(id, token).unwrap_or_default();
            ensure!(
                token >= last,
                "the token of {id} fell from {last} to {token}"
            );
            if row.try_get::<_, &str>(3)? == "running" {
                let other = crawled.insert(row.try_get::<_, &str>(2)?, id);
                ensure!(other.is_none(), "{id} and {other:?} crawl one host");
            }
        }
        let open: i64 = db
            .value(
                "select count(*) from trawl.batches
                 where state in ('pending', 'running', 'cancelling')",
                &[],
            )
            .await?;
        if open == 0 {
            break;
        }
    }
    tally.done.store(true, Ordering::Relaxed);
    Ok(())
}

both_routes!(a_crowd_with_zombies_keeps_every_promise, async |db| {
    let mut batches = Vec::new();
    for number in 0..BATCHES {
        // Every third site is one of ten that all batches share, by either of its names.
        let sites = (0..JOBS).map(|job| match (job % 3, number % 2) {
            (0, 0) => format!("shared-{}.test", job / 3),
            (0, _) => format!("www.shared-{}.test", job / 3),
            (_, _) => format!("b{number}-{job}.test"),
        });
        let at_once = i64::try_from(number)? + 1;
        let batch = Submission::of(sites).at_once(at_once);
        batches.push(batch.accepted(&db.pool).await?);
    }
    let tally = Arc::new(Tally::default());
    let mut crowd = JoinSet::new();
    for seed in 0..WORKERS {
        crowd.spawn(work(db.pool.clone(), seed, Arc::clone(&tally)));
    }
    let all_ended = async {
        while let Some(ended) = crowd.join_next().await {
            ended??;
        }
        anyhow::Ok(())
    };
    let everybody = futures_util::future::try_join(observe(db, &batches, &tally), all_ended);
    tokio::time::timeout(PATIENCE, everybody)
        .await
        .context("not all batches ended")??;

    // Jobs that the dead held after the last batch had ended cannot exist.
    assert_promises_kept(&db.pool).await?;
    for (what, counter) in [
        ("finished", &tally.finished),
        ("handed back", &tally.handed_back),
        ("rescued", &tally.rescued),
        ("fenced", &tally.fenced),
        ("taken", &tally.taken),
        ("held", &tally.held),
    ] {
        assert!(counter.load(Ordering::Relaxed) > 0, "nothing was {what}");
    }
    assert_eq!(
        discarded(&db.pool),
        0,
        "nothing here is an error of the database"
    );
    Ok(())
});
