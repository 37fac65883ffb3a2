//! The clients of a storm: they submit batches until accepted, and change their minds.
//!
//! A client knows nothing of the nemesis. It does what the documentation tells it to: it chooses the
//! batch's id itself and sends the same request again until it has an answer.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use trawl_test_support::dice::Dice;
use trawl_test_support::farm::Reply;
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

/// What a site asks for that has no time, in seconds: more than the 5 s that a crawl waits with the
/// job in hand, so that the host is snoozed.
const WAIT_SECONDS: &str = "6";

/// A site has no time for so long, in milliseconds: the wait that it asks for is the only one.
const NO_TIME_MILLIS: std::ops::RangeInclusive<usize> = 500..=4_000;

/// Deadlines of batches, in seconds: some are too short for what is asked.
const DEADLINE_SECONDS_MAX: usize = 6;

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
    pub(super) jobs_cancelled: usize,
    pub(super) deadlines: usize,
    pub(super) sites_without_time: usize,
    pub(super) hanging_sites: usize,
    pub(super) redirected_sites: usize,
    pub(super) paused: usize,
    pub(super) resumed_again: usize,
    pub(super) retried: usize,
}

/// The clients and what they know.
#[derive(Clone)]
pub(super) struct Workload {
    http: reqwest::Client,
    urls: Arc<Mutex<Vec<String>>>,
    farm: Arc<SiteFarm>,
    accepted: Arc<Mutex<Vec<Accepted>>>,
    /// Batches whose failed domains another batch has.
    tried_again: Arc<Mutex<HashSet<Uuid>>>,
    /// Batches of which a pause was asked without an answer, so it may come after the resume.
    late_pauses: Arc<Mutex<HashSet<Uuid>>>,
    figures: Arc<Mutex<Figures>>,
}

impl Workload {
    pub(super) fn new(urls: Arc<Mutex<Vec<String>>>, farm: Arc<SiteFarm>) -> Result<Self> {
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
            accepted: Arc::default(),
            tried_again: Arc::default(),
            late_pauses: Arc::default(),
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
            self.change_mind(batch, &mut dice, &stop).await?;
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
                self.add_site(&host, dice);
                self.farm.domain(&host)
            })
            .collect();
        if dice.happens(0.5) {
            let host = format!("busy-{}.test", dice.below(BUSY_HOSTS));
            domains.push(self.farm.domain(&host));
        }
        if dice.happens(0.3) {
            // Leads to one of them, of which its job knows nothing before.
            let busy = format!("busy-{}.test", dice.below(BUSY_HOSTS));
            let host = format!("via-{name}.{busy}");
            let target = format!("http://{}/", self.farm.domain(&busy));
            let site = Site::new(1).with_redirect("/", &target);
            self.farm.add_site(&host, site);
            domains.push(self.farm.domain(&host));
            lock(&self.figures).redirected_sites += 1;
        }
        let mut body = json!({
            "batch_id": id, "domains": domains,
            "max_pages": 2 + dice.below(5), "max_concurrent": 1 + dice.below(4),
        });
        if dice.happens(0.15) {
            body["options"] = json!({"deadline_s": 1 + dice.below(DEADLINE_SECONDS_MAX)});
            lock(&self.figures).deadlines += 1;
        }
        let body = body.to_string();
        let (status, answer) = self.answer("/batch", &body, dice).await;
        if status != 202 {
            bail!("a good batch is refused with {status}: {body}: {answer}");
        }
        let total = domains.len();
        lock(&self.accepted).push(Accepted { id, total });
        Ok(id)
    }

    /// A site of one batch: most are ordinary, some cannot be had, have no time for a while, or say
    /// nothing at all.
    fn add_site(&self, host: &str, dice: &mut Dice) {
        let pages = Site::new(2 + dice.below(6)).with_latency(PAGE_LATENCY);
        let site = match dice.below(50) {
            0..5 => pages.with_status("/", 404),
            5..8 => {
                lock(&self.figures).sites_without_time += 1;
                let (farm, host, later) = (
                    self.farm.clone(),
                    host.to_owned(),
                    dice.millis(NO_TIME_MILLIS),
                );
                let ordinary = pages.clone();
                // Nobody waits for it: a storm that has ended needs its sites no more.
                drop(tokio::spawn(async move {
                    sleep(later).await;
                    farm.add_site(&host, ordinary);
                }));
                let wait = Reply::status(429).with_header("Retry-After", WAIT_SECONDS);
                pages.with_reply_to_all(wait)
            }
            8 => {
                lock(&self.figures).hanging_sites += 1;
                pages.with_reply("/", Reply::silence())
            }
            _ => pages,
        };
        self.farm.add_site(host, site);
    }

    /// Posts until there is an answer that is not the service's trouble: every call is idempotent.
    async fn answer(&self, path: &str, body: &str, dice: &mut Dice) -> (u16, Value) {
        loop {
            lock(&self.figures).tries += 1;
            match self.post(path, body, dice).await {
                Ok((429 | 500.., _)) | Err(_) => sleep(RETRY_PAUSE).await,
                Ok(answer) => return answer,
            }
        }
    }

    async fn post(&self, path: &str, body: &str, dice: &mut Dice) -> Result<(u16, Value)> {
        let request = self.http.post(format!("{}{path}", self.any_url(dice)?));
        let request = request
            .header("content-type", "application/json")
            .body(body.to_owned());
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok((status, serde_json::from_str(&response.text().await?)?))
    }

    fn any_url(&self, dice: &mut Dice) -> Result<String> {
        let urls = lock(&self.urls);
        let url = dice.choose(&urls).context("no API listens now")?;
        Ok(format!("{url}{PREFIX}"))
    }

    /// Cancels, pauses for a while or retries some batches, and cancels single domains.
    async fn change_mind(
        &self,
        batch: Uuid,
        dice: &mut Dice,
        stop: &CancellationToken,
    ) -> Result<()> {
        match dice.below(9) {
            0 => {
                sleep(dice.millis(0..=800)).await;
                self.ask(batch, "cancel", "", dice).await?;
                lock(&self.figures).cancelled += 1;
            }
            1 => {
                self.pause(batch, dice).await?;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = sleep(dice.millis(100..=2_000)) => {}
                }
                self.ask(batch, "resume", "", dice).await?;
                lock(&self.figures).paused += 1;
            }
            2 => {
                let known = self.accepted();
                if let Some(old) = dice.choose(&known) {
                    self.retry(old.id, dice).await?;
                }
            }
            3 => {
                sleep(dice.millis(0..=800)).await;
                self.cancel_a_job(batch, dice).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Pauses a batch, and notes when that may happen later than it is answered.
    async fn pause(&self, batch: Uuid, dice: &mut Dice) -> Result<()> {
        let path = format!("/batch/{batch}/pause");
        lock(&self.figures).tries += 1;
        match self.post(&path, "", dice).await {
            Ok((200 | 409, _)) => return Ok(()),
            Ok((429 | 500.., _)) | Err(_) => {
                lock(&self.late_pauses).insert(batch);
                sleep(RETRY_PAUSE).await;
            }
            Ok((status, problem)) => bail!("{path}: {status}: {problem}"),
        }
        self.ask(batch, "pause", "", dice).await.map(drop)
    }

    /// Resumes once more what a late pause has stopped, as anybody would who looks after a lost
    /// answer.
    pub(super) async fn resume_again(&self, batch: Uuid, dice: &mut Dice) -> Result<()> {
        if lock(&self.late_pauses).contains(&batch) {
            self.ask(batch, "resume", "", dice).await?;
            lock(&self.figures).resumed_again += 1;
        }
        Ok(())
    }

    /// Cancels one domain of a batch, whatever has become of it.
    async fn cancel_a_job(&self, batch: Uuid, dice: &mut Dice) -> Result<()> {
        // A client that cannot look leaves it at that.
        let Ok(status) = self.status(batch, dice).await else {
            return Ok(());
        };
        let lines = status["domain_statuses"].as_object();
        let ids: Vec<_> = lines
            .into_iter()
            .flat_map(serde_json::Map::values)
            .filter_map(|line| line["job_id"].as_str())
            .collect();
        let job = dice.choose(&ids).context("a batch without domains")?;
        let path = format!("/status/{job}/cancel");
        match self.answer(&path, "", dice).await {
            (200, _found) => lock(&self.figures).jobs_cancelled += 1,
            (status, problem) => bail!("{path}: {status}: {problem}"),
        }
        Ok(())
    }

    /// Tries the failed domains of a batch again, once: two retries of one batch both begin with its
    /// pages and know nothing of each other's, so they may fetch the same page.
    async fn retry(&self, old: Uuid, dice: &mut Dice) -> Result<()> {
        if !lock(&self.tried_again).insert(old) {
            return Ok(());
        }
        let id = Uuid::now_v7();
        let body = json!({ "batch_id": id }).to_string();
        let accepted = self.ask(old, "retry", &body, dice).await?;
        if let Some(count) = accepted["job_count"].as_u64() {
            let total = usize::try_from(count)?;
            lock(&self.accepted).push(Accepted { id, total });
            lock(&self.figures).retried += 1;
        } else {
            // Refused, as it has not ended or nothing of it failed.
            lock(&self.tried_again).remove(&old);
        }
        Ok(())
    }

    /// Asks something of a batch; it may have ended, but it has to be known.
    async fn ask(&self, batch: Uuid, what: &str, body: &str, dice: &mut Dice) -> Result<Value> {
        let path = format!("/batch/{batch}/{what}");
        match self.answer(&path, body, dice).await {
            (200 | 202 | 409, answer) => Ok(answer),
            (status, problem) => bail!("{path}: {status}: {problem}"),
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
