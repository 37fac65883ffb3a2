//! The load: a batch at regular times, and somebody who looks at it.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use trawl_test_support::wait_for;

/// Sites of the farm; a batch takes the next ones in turn.
pub(super) const SITES: usize = 400;

/// Pages of each.
pub(super) const PAGES: usize = 8;

/// Sites of one batch.
const BATCH_SITES: usize = 20;

/// Between two batches: far less than the machine can do, since the question is not how fast it is.
const BATCH_INTERVAL: Duration = Duration::from_secs(2);

/// Between two fetches from one site.
pub(super) const POLITENESS_DELAY: &str = "20ms";

const MAX_CONCURRENT: usize = 10;
const PREFIX: &str = "/api/v3/batch_page_scraper";

/// For one answer of the API.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Submits batches.
pub(super) struct Load {
    http: reqwest::Client,
    url: String,
    domains: Vec<String>,
    submitted: AtomicU64,
    refused: AtomicU64,
}

/// The load in one sentence.
pub(super) fn describe() -> String {
    format!(
        "load: every {} s a batch of {BATCH_SITES} sites of {PAGES} pages, and a look at its \
         status; {SITES} sites, politeness delay {POLITENESS_DELAY}, retention {}",
        BATCH_INTERVAL.as_secs(),
        super::RETENTION
    )
}

impl Load {
    pub(super) fn new(api: &str, port: u16, hosts: Vec<String>) -> Result<Self> {
        // Only plain HTTP is spoken here, but a client is not built without a TLS provider.
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_LIMIT)
            .build()
            .context("cannot build an HTTP client")?;
        Ok(Self {
            http,
            url: api.to_owned(),
            domains: hosts
                .into_iter()
                .map(|host| format!("{host}:{port}"))
                .collect(),
            submitted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    /// Waits until Trawl has its database.
    pub(super) async fn ready(&self, limit: Duration) -> Result<()> {
        wait_for("trawl to be ready", limit, async || {
            let answer = self.http.get(format!("{}/health", self.url)).send().await?;
            ensure!(answer.status().is_success(), "{}", answer.status());
            Ok(())
        })
        .await
    }

    /// Batches accepted so far.
    pub(super) fn submitted(&self) -> u64 {
        self.submitted.load(Ordering::Relaxed)
    }

    /// What became of it, in one sentence.
    pub(super) fn summary(&self) -> String {
        let refused = self.refused.load(Ordering::Relaxed);
        format!("{} batches accepted, {refused} not", self.submitted())
    }

    /// Submits batches for ever. One that is not accepted is counted and not repeated.
    pub(super) async fn run(&self) {
        let mut ticks = tokio::time::interval(BATCH_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next = self.domains.iter().cycle();
        loop {
            ticks.tick().await;
            let domains: Vec<_> = next.by_ref().take(BATCH_SITES).collect();
            let counter = match self.submit(&domains).await {
                Ok(()) => &self.submitted,
                Err(error) => {
                    eprintln!("not accepted: {error:#}");
                    &self.refused
                }
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn submit(&self, domains: &[&String]) -> Result<()> {
        let body = json!({
            "domains": domains, "max_pages": PAGES, "max_concurrent": MAX_CONCURRENT,
        });
        let request = self.http.post(format!("{}{PREFIX}/batch", self.url));
        let answer = request
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status == 202, "{status}: {text}");
        let accepted: Value = serde_json::from_str(&text).context("the answer is no JSON")?;
        let batch = accepted["batch_id"].as_str().context("no batch_id")?;
        let look = format!("{}{PREFIX}/batch/{batch}/status", self.url);
        self.http.get(look).send().await?.error_for_status()?;
        Ok(())
    }
}
