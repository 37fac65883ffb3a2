//! The clients of a storm: they submit batches until accepted, and change their minds.
//!
//! A client knows nothing of the nemesis. It does what the documentation tells it to: it chooses the
//! batch's id itself and sends the same request again until it has an answer.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use trawl_persistence::control::{Retried, batch_cancel, batch_pause, batch_retry};
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_test_support::dice::Dice;
use trawl_test_support::{Site, SiteFarm};
use uuid::Uuid;

/// Where the API lives on every Trawl.
const PREFIX: &str = "/api/v3/batch_page_scraper";

/// For one answer; then the client asks again.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Between two tries of a client.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// Between two batches, in milliseconds.
const BATCH_PAUSE_MILLIS: std::ops::RangeInclusive<usize> = 200..=1_200;

/// A page of the farm takes this long, so that there is something to interrupt.
pub(super) const PAGE_LATENCY: Duration = Duration::from_millis(30);

/// Hosts that belong to many batches, so that these get in each other's way.
const BUSY_HOSTS: usize = 3;

/// A batch that was accepted.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub(super) id: Uuid,
    pub(super) total: usize,
}

/// What the clients did.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) tries: usize,
    pub(super) cancelled: usize,
    pub(super) paused: usize,
    pub(super) retried: usize,
}

/// The clients and what they know.
#[derive(Clone)]
pub(super) struct Workload {
    http: reqwest::Client,
    urls: Arc<Mutex<Vec<String>>>,
    farm: Arc<SiteFarm>,
    pool: Pool,
    accepted: Arc<Mutex<Vec<Accepted>>>,
    figures: Arc<Mutex<Figures>>,
}

impl Workload {
    pub(super) fn new(
        urls: Arc<Mutex<Vec<String>>>,
        farm: Arc<SiteFarm>,
        database_url: &str,
    ) -> Result<Self> {
        // Only plain HTTP is spoken here, but a client is not built without a TLS provider.
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        for number in 0..BUSY_HOSTS {
            let site = Site::new(3).with_latency(PAGE_LATENCY);
            farm.add_site(&format!("busy-{number}.test"), site);
        }
        Ok(Self {
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(ANSWER_LIMIT)
                .build()
                .context("build an HTTP client")?,
            urls,
            farm,
            pool: Pool::new(database_url, PoolOptions::with_size(2))?,
            accepted: Arc::default(),
            figures: Arc::default(),
        })
    }

    pub(super) fn accepted(&self) -> Vec<Accepted> {
        lock(&self.accepted).clone()
    }

    pub(super) fn figures(&self) -> Figures {
        lock(&self.figures).clone()
    }

    /// One client: submits batches until `stop`, and returns when the last one is accepted.
    ///
    /// # Errors
    ///
    /// When a request is refused for good, which none of these deserves.
    pub(super) async fn run(&self, seed: u64, client: u64, stop: CancellationToken) -> Result<()> {
        // Dice of their own: how many batches there are depends on how fast they are accepted, and
        // must not change the plan of the nemesis.
        let mut dice = Dice::of(seed, client);
        for number in 0_usize.. {
            if stop.is_cancelled() {
                return Ok(());
            }
            let batch = self
                .submit(&format!("{client}-{number}"), &mut dice)
                .await?;
            self.change_mind(batch, &mut dice, &stop).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(dice.millis(BATCH_PAUSE_MILLIS)) => {}
            }
        }
        Ok(())
    }

    async fn submit(&self, name: &str, dice: &mut Dice) -> Result<Uuid> {
        let id = Uuid::now_v7();
        let mut domains: Vec<String> = (0..3 + dice.below(8))
            .map(|site| {
                let host = format!("batch-{name}-{site}.test");
                let pages = Site::new(2 + dice.below(6)).with_latency(PAGE_LATENCY);
                // Some cannot be had, whatever is tried.
                let is_gone = dice.happens(0.1);
                let site = if is_gone {
                    pages.with_status("/", 404)
                } else {
                    pages
                };
                self.farm.add_site(&host, site);
                self.farm.domain(&host)
            })
            .collect();
        if dice.happens(0.5) {
            let host = format!("busy-{}.test", dice.below(BUSY_HOSTS));
            domains.push(self.farm.domain(&host));
        }
        let body = json!({
            "batch_id": id, "domains": domains,
            "max_pages": 2 + dice.below(5), "max_concurrent": 1 + dice.below(4),
        })
        .to_string();
        loop {
            lock(&self.figures).tries += 1;
            match self.post(&body, dice).await {
                Ok(202) => break,
                Ok(429 | 500..) => {}
                Ok(status) => bail!("a good batch is refused with {status}: {body}"),
                Err(_no_answer) => {}
            }
            sleep(RETRY_PAUSE).await;
        }
        let total = domains.len();
        lock(&self.accepted).push(Accepted { id, total });
        Ok(id)
    }

    async fn post(&self, body: &str, dice: &mut Dice) -> Result<u16> {
        let request = self.http.post(format!("{}/batch", self.any_url(dice)?));
        let request = request
            .header("content-type", "application/json")
            .body(body.to_owned());
        Ok(request.send().await?.status().as_u16())
    }

    fn any_url(&self, dice: &mut Dice) -> Result<String> {
        let urls = lock(&self.urls);
        let url = dice.choose(&urls).context("no API listens now")?;
        Ok(format!("{url}{PREFIX}"))
    }

    /// Cancels, pauses for a while or retries some batches. These calls are idempotent, so each is
    /// repeated until it has an answer.
    async fn change_mind(&self, batch: Uuid, dice: &mut Dice, stop: &CancellationToken) {
        match dice.below(8) {
            0 => {
                sleep(dice.millis(0..=800)).await;
                while batch_cancel(&self.pool, batch).await.is_err() {
                    sleep(RETRY_PAUSE).await;
                }
                lock(&self.figures).cancelled += 1;
            }
            1 => {
                self.pause(batch, true).await;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = sleep(dice.millis(100..=2_000)) => {}
                }
                self.pause(batch, false).await;
                lock(&self.figures).paused += 1;
            }
            2 => {
                let known = self.accepted();
                if let Some(old) = dice.choose(&known) {
                    self.retry(old.id).await;
                }
            }
            _ => {}
        }
    }

    async fn pause(&self, batch: Uuid, paused: bool) {
        while batch_pause(&self.pool, batch, paused).await.is_err() {
            sleep(RETRY_PAUSE).await;
        }
    }

    async fn retry(&self, old: Uuid) {
        let new = Uuid::now_v7();
        let retried = loop {
            match batch_retry(&self.pool, old, new).await {
                Ok(retried) => break retried,
                Err(_lost) => sleep(RETRY_PAUSE).await,
            }
        };
        if let Some(Retried::Accepted { total, .. }) = retried {
            let total = usize::try_from(total).unwrap_or(usize::MAX);
            lock(&self.accepted).push(Accepted { id: new, total });
            lock(&self.figures).retried += 1;
        }
    }

    /// The status of a batch, from whichever API answers.
    pub(super) async fn status(&self, batch: Uuid, dice: &mut Dice) -> Result<Value> {
        let url = format!("{}/batch/{batch}/status", self.any_url(dice)?);
        let response = self.http.get(url).send().await?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            bail!("{status}: {text}");
        }
        Ok(serde_json::from_str(&text)?)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
