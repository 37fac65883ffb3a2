//! `cargo xtask demo`: a whole batch, seen from the outside, without internet.
//!
//! A local farm of sites, PostgreSQL, `PgBouncer` before it and the real binary; then what Trawl
//! says is held against what the farm served, and any difference fails the demo. What it starts,
//! it stops.

mod client;
mod verdict;

use crate::provision::TestServers;
use crate::run::{cargo, interrupt, run};
use anyhow::{Context, Result, bail};
use client::{Batch, Client};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use trawl_test_support::{Site, SiteFarm, TrawlCommand};
use verdict::{Expected, Verdict};

/// Sites in the batch.
const SITES: usize = 20;

/// Fewer than the largest sites have, so that the limit is seen to hold.
const MAX_PAGES: usize = 8;

/// Sites crawled at once.
const MAX_CONCURRENT: usize = 5;

/// A page of the farm takes this long, so that the status can be seen to move.
const PAGE_LATENCY: Duration = Duration::from_millis(40);

/// Between two looks at the status.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// For Trawl to apply its migrations and to listen.
const START_LIMIT: Duration = Duration::from_secs(60);

/// For the batch, which takes some ten seconds.
const BATCH_LIMIT: Duration = Duration::from_secs(180);

/// For Trawl to drain and end.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Runs the demo; fails if anything disagrees.
pub(crate) async fn run_demo() -> Result<ExitCode> {
    let mut servers = None;
    let outcome = tokio::select! {
        outcome = show(&mut servers) => outcome,
        interrupted = interrupt() => interrupted.and_then(|()| bail!("interrupted")),
    };
    if let Some(servers) = servers {
        servers.stop().await?;
    }
    let verdict = outcome?;
    for disagreement in &verdict.disagreements {
        println!("DISAGREES: {disagreement}");
    }
    if verdict.disagreements.is_empty() {
        println!("\nTrawl and the farm agree on every site and every page.");
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::FAILURE)
    }
}

async fn show(servers: &mut Option<TestServers>) -> Result<Verdict> {
    let mut build = cargo();
    build.args(["build", "--package", "trawl-api"]);
    run(build).await?;
    let urls = servers.insert(TestServers::start().await?);
    println!("PostgreSQL and, before it, PgBouncer in transaction mode with a pool of 2 are up");

    let farm = SiteFarm::start().await?;
    let expected = add_sites(&farm);
    println!("a farm of {SITES} sites serves on {}", farm.address());

    let (process, url) = TrawlCommand::new(["serve"])?
        .env("DATABASE_URL", &urls.pooled_url)
        .env("DATABASE_DIRECT_URL", &urls.direct_url)
        .env("TRAWL_BIND", "127.0.0.1:0")
        .env("TRAWL_RESOLVE", "*.test=127.0.0.1")
        .env("TRAWL_ALLOW_NETWORKS", "127.0.0.0/8")
        .start(START_LIMIT)
        .await
        .context("cannot start trawl")?;
    println!("trawl takes requests on {url}\n");

    let client = Client::new(&url)?;
    client.ready(START_LIMIT).await?;
    let domains: Vec<&str> = expected.iter().map(|site| site.domain.as_str()).collect();
    let batch = client.submit(&domains, MAX_PAGES, MAX_CONCURRENT).await?;
    println!(
        "batch {batch}: {SITES} domains, max_pages {MAX_PAGES}, max_concurrent {MAX_CONCURRENT}"
    );
    let ended = tokio::time::timeout(BATCH_LIMIT, watch(&client, &batch))
        .await
        .with_context(|| format!("the batch did not end within {} s", BATCH_LIMIT.as_secs()))??;

    let verdict = verdict::compare(&client, &ended, &farm, &expected, MAX_CONCURRENT).await?;
    println!("\n{}", verdict.table);
    process.terminate()?;
    let finished = process
        .wait(STOP_LIMIT)
        .await
        .context("trawl does not end at SIGTERM")?;
    if !finished.status.success() {
        bail!(
            "trawl ended with {} at SIGTERM: {}",
            finished.status,
            finished.stderr
        );
    }
    Ok(verdict)
}

/// Sites of three to twelve pages, every third of them with WordPress.
fn add_sites(farm: &SiteFarm) -> Vec<Expected> {
    let site = |number: usize| {
        let pages = 3 + number % 10;
        let site = Site::new(pages).with_latency(PAGE_LATENCY);
        let site = if number.is_multiple_of(3) {
            site.with_wordpress()
        } else {
            site
        };
        let host = format!("site-{number:02}.test");
        farm.add_site(&host, site);
        Expected {
            domain: farm.domain(&host),
            facts: farm.facts(&host),
            pages: pages.min(MAX_PAGES),
            host,
        }
    };
    (1..=SITES).map(site).collect()
}

/// Prints the status whenever it has changed, until the batch has ended.
async fn watch(client: &Client, batch: &str) -> Result<Batch> {
    let started = Instant::now();
    let mut shown = String::new();
    loop {
        let status = client.batch(batch).await?;
        let line = status.summary();
        if line != shown {
            println!("{:6.2} s  {line}", started.elapsed().as_secs_f64());
            shown = line;
        }
        if status.has_ended() {
            return Ok(status);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
