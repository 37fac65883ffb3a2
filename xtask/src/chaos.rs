//! `cargo xtask chaos`: a storm over real processes, and what is left of the promises after it.
//!
//! Workers, APIs, PostgreSQL, `PgBouncer` and a farm of sites run; clients submit batches; a nemesis
//! kills, stops, restarts, cuts and fills for a while, by a plan that a seed determines. Then it goes
//! away, and everything has to end by itself. The audit must hold in every sample and at the end.

mod plan;
mod process;
mod samples;
mod verdict;
mod workload;
mod world;

use crate::run::interrupt;
use anyhow::{Context, Result, bail};
use plan::{Step, plan};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use trawl_test_support::dice::Dice;
use trawl_test_support::wait_for;
use uuid::Uuid;
use verdict::{Clocks, Ledger};
use workload::Workload;
use world::{APIS, WORKERS, World};

/// For everything to end once the nemesis is gone. Each request that met a silent connection takes
/// its whole limit of 15 s, some of them one after the other; the rest is a generous margin.
const RECOVERY_LIMIT: Duration = Duration::from_secs(180);

/// Clients that submit batches, each one after the other.
const CLIENTS: u64 = 3;

/// The storm of `cargo xtask test`.
pub(crate) const SHORT: Options = Options {
    seed: Some(81),
    minutes: 0.2,
};

/// How long, and which one.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Options {
    /// The plan of the nemesis; without it another one each time.
    #[arg(long)]
    seed: Option<u64>,
    /// How long the nemesis goes on.
    #[arg(long, default_value_t = 1.0, value_parser = minutes)]
    minutes: f64,
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(minutes) if (0.01..=10_000.0).contains(&minutes) => Ok(minutes),
        _ => Err("0.01 to 10000 minutes".to_owned()),
    }
}

/// Runs a storm and fails if a promise was broken.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    weather(options).await.map(|()| ExitCode::SUCCESS)
}

/// As [`run`]; a broken promise is an error.
pub(crate) async fn weather(options: Options) -> Result<()> {
    let seed = match options.seed {
        Some(seed) => seed,
        // Its last 32 bits are random.
        None => u64::from(Uuid::now_v7().as_u128() as u32),
    };
    println!(
        "the same plan again: cargo xtask chaos --seed {seed} --minutes {}",
        options.minutes
    );
    let length = Duration::from_secs_f64(options.minutes * 60.0);
    let mut world = World::build().await?;
    let outcome = tokio::select! {
        outcome = storm(&mut world, seed, length) => outcome,
        interrupted = interrupt() => interrupted.and_then(|()| bail!("interrupted")),
    };
    let verdict = match outcome {
        Ok(violations) if violations.is_empty() => Ok(()),
        Ok(violations) => {
            for violation in &violations {
                println!("BROKEN: {violation}");
            }
            Err(anyhow::anyhow!("{} promises broken", violations.len()))
        }
        Err(error) => Err(error),
    };
    let verdict = verdict.or_else(|error| {
        let directory = log_directory(seed);
        world.save_logs(&directory)?;
        Err(error.context(format!("the logs are in {}", directory.display())))
    });
    world.stop().await?;
    if verdict.is_ok() {
        println!("every promise was kept");
    }
    verdict
}

/// Beside the binaries, where nobody looks for sources.
fn log_directory(seed: u64) -> PathBuf {
    Path::new("target")
        .join("chaos")
        .join(format!("seed-{seed}"))
}

/// The storm, the calm after it, and the broken promises.
async fn storm(world: &mut World, seed: u64, length: Duration) -> Result<Vec<String>> {
    let clocks = Clocks::now()?;
    let workload = Workload::new(world.api_urls.clone(), world.farm.clone())?;
    await_schema(&workload, world).await?;
    let (calm, end) = (CancellationToken::new(), CancellationToken::new());
    let _stop_on_drop = (calm.clone().drop_guard(), end.clone().drop_guard());
    let mut clients = JoinSet::new();
    for number in 1..=CLIENTS {
        let (workload, calm) = (workload.clone(), calm.clone());
        clients.spawn(async move { workload.run(seed, number, calm).await });
    }
    let watching = {
        let (url, end) = (world.direct_url.clone(), end.clone());
        tokio::spawn(async move { samples::watch(&url, end).await })
    };

    let mut deeds = BTreeMap::<String, usize>::new();
    let mut violations = Vec::new();
    let began = Instant::now();
    for step in plan(seed, length, WORKERS, APIS) {
        tokio::time::sleep_until((began + step.at).into()).await;
        println!("{step}");
        *deeds.entry(word(&step)).or_default() += 1;
        if let Err(error) = world.do_deed(step.deed).await {
            violations.push(format!("at {step}: {error:#}"));
        }
    }
    calm.cancel();
    world.calm().await?;
    println!(
        "{:7.2} s  the nemesis is gone",
        began.elapsed().as_secs_f64()
    );

    let gone = Instant::now();
    while let Some(client) = tokio::time::timeout(RECOVERY_LIMIT, clients.join_next())
        .await
        .context("a client still waits for an answer")?
    {
        client??;
    }
    let left = RECOVERY_LIMIT.saturating_sub(gone.elapsed());
    wait_for("every batch to end", left, async || {
        all_ended(&workload).await
    })
    .await?;
    let recovery = gone.elapsed();
    end.cancel();
    let samples = watching.await??;
    let ledger = verdict::examine(world, &workload, &clocks).await?;

    for slot in world.workers.iter_mut().chain(&mut world.apis) {
        match slot.drain().await {
            Ok(took) => world.drains.push(took),
            Err(error) => violations.push(format!("{error:#}")),
        }
    }
    violations.extend(samples.violations.iter().cloned());
    violations.extend(ledger.violations.iter().cloned());
    print_figures(&deeds, &workload, &ledger);
    println!(
        "samples                   {} taken, {} missed while the database was down",
        samples.taken, samples.missed
    );
    let slowest = world.drains.iter().max().copied().unwrap_or_default();
    println!(
        "drains                    {}, the slowest {:.2} s",
        world.drains.len(),
        slowest.as_secs_f64()
    );
    println!("recovery                  {:.2} s", recovery.as_secs_f64());
    Ok(violations)
}

/// Waits until the migrations are applied, since samples read the tables.
async fn await_schema(workload: &Workload, world: &World) -> Result<()> {
    wait_for("the schema", RECOVERY_LIMIT, async || {
        let client = world::connect(&world.direct_url).await?;
        client
            .query("SELECT FROM trawl.batches, trawl.pages LIMIT 1", &[])
            .await?;
        let unknown = workload.status(Uuid::nil(), &mut Dice::of(0, 0)).await;
        match unknown {
            Err(error) if error.to_string().starts_with("404") => Ok(()),
            other => bail!("{other:?}"),
        }
    })
    .await
}

async fn all_ended(workload: &Workload) -> Result<()> {
    let mut dice = Dice::of(0, 0);
    for batch in workload.accepted() {
        let status = workload.status(batch.id, &mut dice).await?;
        if status["end_time"].is_null() {
            if status["paused"] == true {
                workload.resume_again(batch.id, &mut dice).await?;
            }
            bail!("batch {} is {}", batch.id, status);
        }
    }
    Ok(())
}

fn word(step: &Step) -> String {
    let word = format!("{:?}", step.deed);
    word.split(['(', ' ']).next().unwrap_or_default().to_owned()
}

fn print_figures(deeds: &BTreeMap<String, usize>, workload: &Workload, ledger: &Ledger) {
    let clients = workload.figures();
    println!("\n{:<26}count", "what");
    for (deed, count) in deeds {
        println!("{deed:<26}{count}");
    }
    println!("{:<26}{}", "batches accepted", workload.accepted().len());
    println!("{:<26}{}", "tries of clients", clients.tries);
    println!(
        "{:<26}{} cancelled, {} paused ({} resumed again), {} retried; {} domains cancelled",
        "changes of mind",
        clients.cancelled,
        clients.paused,
        clients.resumed_again,
        clients.retried,
        clients.jobs_cancelled
    );
    println!("{:<26}{}", "batches with a deadline", clients.deadlines);
    println!(
        "{:<26}{} without time for a while, {} that say nothing, {} that lead to others",
        "sites", clients.sites_without_time, clients.hanging_sites, clients.redirected_sites
    );
    println!("{:<26}{} {:?}", "domains", ledger.domains, ledger.by_state);
    println!("{:<26}{:?}", "failures", ledger.by_failure);
    println!("{:<26}{}", "pages", ledger.pages);
    println!("{:<26}{}", "page fetches", ledger.fetches);
    println!(
        "{:<26}{}, of them {} after being recorded, by zombies",
        "pages fetched twice", ledger.pages_fetched_twice, ledger.by_zombies
    );
}
