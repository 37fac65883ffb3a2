//! `cargo xtask soak`: steady work for a long while, and whether anything grows.
//!
//! A farm of sites, PostgreSQL, `PgBouncer` before it and the real binary, built with
//! optimizations; a batch every two seconds, deleted again a minute after its end, so that after a
//! warm-up every figure ought to stay where it is. What it starts, it stops.

mod load;
mod machine;
mod plot;
mod samples;
mod trend;

use crate::provision::TestServers;
use crate::run::{cargo, interrupt, run};
use anyhow::{Context, Result, bail};
use load::Load;
use machine::Machine;
use samples::{Sample, Sampler};
use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use trawl_persistence::audit;
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_test_support::{SiteFarm, TrawlCommand};
use trend::Trend;

/// Between two samples.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(10);

/// The least that a setting allows, so that what is old is deleted during the run.
const RETENTION: &str = "1m";

/// Time after which every figure ought to be steady: the retention, several autovacuums (one a
/// minute), and some growth of buffers and pools. Chosen, not measured.
const WARM_UP_MAX: Duration = Duration::from_secs(5 * 60);

/// For Trawl to apply its migrations and to listen.
const START_LIMIT: Duration = Duration::from_secs(60);

/// For Trawl to drain and end.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// How long, and where the picture goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Minutes of load.
    #[arg(long, default_value_t = 20)]
    minutes: u64,
    /// File for the picture.
    #[arg(long, default_value = "target/soak.svg")]
    svg: PathBuf,
}

/// Runs the load, prints samples and verdict, and draws the picture; fails if anything grows.
pub(crate) async fn run_soak(options: Options) -> Result<ExitCode> {
    let mut servers = None;
    let outcome = tokio::select! {
        outcome = soak(&options, &mut servers) => outcome,
        interrupted = interrupt() => interrupted.and_then(|()| bail!("interrupted")),
    };
    if let Some(servers) = servers {
        servers.stop().await?;
    }
    let is_good = outcome?;
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn soak(options: &Options, servers: &mut Option<TestServers>) -> Result<bool> {
    let binary = release_binary().await?;
    let urls = servers.insert(TestServers::start().await?);
    let farm = SiteFarm::start().await?;
    let hosts = farm.add_numbered_sites(load::SITES, load::PAGES);
    let before = Machine::look();
    println!("{before}");
    println!("{}", load::describe());

    let (process, api) = TrawlCommand::of_program(binary, ["serve"])
        .env("DATABASE_URL", &urls.pooled_url)
        .env("DATABASE_DIRECT_URL", &urls.direct_url)
        .env("TRAWL_BIND", "127.0.0.1:0")
        .env("TRAWL_RESOLVE", "*.test=127.0.0.1")
        .env("TRAWL_ALLOW_NETWORKS", "127.0.0.0/8")
        .env("TRAWL_POLITENESS_DELAY", load::POLITENESS_DELAY)
        .env("TRAWL_RETENTION", RETENTION)
        .env("TRAWL_LOG", "warn,trawl_api=info")
        .start(START_LIMIT)
        .await
        .context("cannot start trawl")?;
    let load = Load::new(&api, farm.port(), hosts)?;
    load.ready(START_LIMIT).await?;

    let length = Duration::from_secs(options.minutes * 60);
    let mut sampler = Sampler::open(urls, process.id()).await?;
    let mut samples = Vec::new();
    println!("\n{}", Sample::header());
    let sampling = watch(length, &mut sampler, &farm, &load, &mut samples);
    tokio::select! {
        watched = sampling => watched?,
        () = load.run() => {}
    }
    println!("\nafter the run: {}", Machine::look());

    process.terminate()?;
    let finished = process.wait(STOP_LIMIT).await?;
    if !finished.status.success() {
        bail!("trawl ended with {}: {}", finished.status, finished.stderr);
    }
    let warnings = finished.stderr.lines().filter(|line| line.contains("WARN"));
    println!(
        "{}; {} warnings in Trawl's log",
        load.summary(),
        warnings.count()
    );
    let promises_kept = audited(&urls.direct_url).await?;

    let warm_up = WARM_UP_MAX.min(length / 4);
    let trends = Trend::of_all(&samples, warm_up);
    println!();
    for trend in &trends {
        println!("{trend}");
    }
    print!("\n{}", samples::relations(&samples, warm_up));
    let picture = plot::svg(&samples, &trends, warm_up);
    std::fs::write(&options.svg, picture)
        .with_context(|| format!("cannot write {}", options.svg.display()))?;
    println!("\nthe picture is in {}", options.svg.display());
    Ok(promises_kept && trends.iter().all(Trend::is_flat))
}

/// Takes samples until the time is over.
async fn watch(
    length: Duration,
    sampler: &mut Sampler,
    farm: &SiteFarm,
    load: &Load,
    samples: &mut Vec<Sample>,
) -> Result<()> {
    let started = Instant::now();
    let mut ticks = tokio::time::interval(SAMPLE_INTERVAL);
    loop {
        ticks.tick().await;
        let pages = farm.page_hits_by_host().values().sum();
        // Its ledger is this task's memory, and would grow with the run.
        farm.forget_hits();
        let sample = sampler
            .take(started.elapsed(), pages, load.submitted())
            .await?;
        println!("{sample}");
        samples.push(sample);
        if started.elapsed() >= length {
            return Ok(());
        }
    }
}

/// Whether every promise was kept; printed as well.
async fn audited(url: &str) -> Result<bool> {
    let pool = Pool::new(url, PoolOptions::with_size(1))?;
    let lines = audit::audit(&pool).await?;
    pool.close();
    let broken: Vec<_> = lines.iter().filter(|line| line.broken != 0).collect();
    match broken.as_slice() {
        [] => println!("the audit finds all {} promises kept", lines.len()),
        broken => println!("BROKEN: {broken:?}"),
    }
    Ok(broken.is_empty())
}

/// The binary that the environment names, or one built for this.
async fn release_binary() -> Result<PathBuf> {
    if let Some(path) = env::var_os(trawl_test_support::process::BINARY_VARIABLE) {
        return Ok(path.into());
    }
    let mut build = cargo();
    build.args(["build", "--release", "--package", "trawl-api"]);
    run(build).await?;
    let own = env::current_exe().context("cannot find this program")?;
    // This program is `target/<profile>/xtask`.
    let target = own
        .ancestors()
        .nth(2)
        .context("this program has no target directory")?;
    Ok(target.join("release").join("trawl"))
}
