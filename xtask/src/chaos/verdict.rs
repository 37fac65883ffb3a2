//! What a storm left behind, held against the promises: the rows, the clients' view and the farm's.

use super::process::Slot;
use super::workload::{PAGE_LATENCY, Workload};
use super::world::{World, connect};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use trawl_persistence::audit::audit;
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_test_support::SiteFarm;
use trawl_test_support::dice::Dice;
use trawl_test_support::farm::Hit;

/// How long a zombie may go on after it woke up before it notices: the fetch it was at, and the
/// heartbeat that tells it.
const ZOMBIE_GRACE: Duration = Duration::from_secs(2);

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) domains: usize,
    pub(super) by_state: BTreeMap<String, i64>,
    /// Of the failed ones, by their codes.
    pub(super) by_failure: BTreeMap<String, i64>,
    pub(super) pages: i64,
    pub(super) fetches: usize,
    pub(super) pages_fetched_twice: usize,
    /// Of these, by a zombie that had not noticed yet.
    pub(super) by_zombies: usize,
    pub(super) violations: Vec<String>,
}

/// The moment at which both of this machine's clocks were read.
pub(super) struct Clocks {
    instant: Instant,
    since_epoch: Duration,
}

impl Clocks {
    pub(super) fn now() -> Result<Self> {
        Ok(Self {
            instant: Instant::now(),
            since_epoch: SystemTime::now().duration_since(UNIX_EPOCH)?,
        })
    }

    /// What the database, on this machine, calls this moment.
    fn unix_seconds(&self, moment: Instant) -> f64 {
        (self.since_epoch + moment.duration_since(self.instant)).as_secs_f64()
    }
}

/// Examines everything. All processes still run.
pub(super) async fn examine(world: &World, workload: &Workload, clocks: &Clocks) -> Result<Ledger> {
    let mut ledger = Ledger::default();
    let pool = Pool::new(&world.direct_url, PoolOptions::with_size(1))?;
    for line in audit(&pool).await.context("audit")? {
        if line.broken > 0 {
            ledger
                .violations
                .push(format!("{}: {} rows", line.promise, line.broken));
        }
    }
    if let Err(error) = world.proxy.report().check() {
        ledger.violations.push(format!("on the wire: {error:#}"));
    }
    ledger.look_as_clients(workload).await?;
    ledger.count_rows(world).await?;
    ledger.look_as_farm(world, clocks).await?;
    Ok(ledger)
}

impl Ledger {
    /// Every accepted batch is there, whole and ended.
    async fn look_as_clients(&mut self, workload: &Workload) -> Result<()> {
        let mut dice = Dice::of(0, 0);
        for batch in workload.accepted() {
            self.domains += batch.total;
            let status = workload.status(batch.id, &mut dice).await;
            let status = status.with_context(|| format!("the status of batch {}", batch.id))?;
            let domains = status["domain_statuses"].as_object();
            let count = domains.map_or(0, serde_json::Map::len);
            if count != batch.total {
                self.violations.push(format!(
                    "batch {} was accepted with {} domains and has {count}",
                    batch.id, batch.total
                ));
            }
            for (domain, line) in domains.into_iter().flatten() {
                let is_kept = match line["status"].as_str().unwrap_or_default() {
                    "complete" | "cancelled" => true,
                    "failed" => !line["error"].is_null(),
                    _ => false,
                };
                if !is_kept {
                    self.violations
                        .push(format!("batch {}: {domain} is {line}", batch.id));
                }
            }
        }
        Ok(())
    }

    async fn count_rows(&mut self, world: &World) -> Result<()> {
        let client = connect(&world.direct_url).await?;
        let states = "SELECT state, count(*) FROM trawl.domain_jobs GROUP BY state";
        for row in client.query(states, &[]).await? {
            self.by_state.insert(row.get(0), row.get(1));
        }
        let failures = "SELECT error_code, count(*) FROM trawl.domain_jobs \
                        WHERE state = 'failed' GROUP BY error_code";
        for row in client.query(failures, &[]).await? {
            self.by_failure.insert(row.get(0), row.get(1));
        }
        let total: i64 = self.by_state.values().sum();
        if usize::try_from(total).ok() != Some(self.domains) {
            self.violations.push(format!(
                "{} domains were accepted and {total} are stored",
                self.domains
            ));
        }
        let pages = "SELECT count(*) FROM trawl.pages";
        self.pages = client.query_one(pages, &[]).await?.get(0);
        Ok(())
    }

    async fn look_as_farm(&mut self, world: &World, clocks: &Clocks) -> Result<()> {
        let farm = &*world.farm;
        let zombies = Zombies::of(&world.workers);
        self.fetches = farm.page_hits_by_host().values().sum();
        for (host, path, _times) in farm.duplicate_pages() {
            if !host.starts_with("busy-") {
                self.pages_fetched_twice += 1;
                tracing::debug!(host, path, "fetched more than once");
            }
        }
        // Of hosts that belong to one batch alone: a page that has its row is not asked for again.
        // A retry takes the rows of the batch before, with their times.
        let client = connect(&world.direct_url).await?;
        let recorded = "SELECT url, min(extract(epoch FROM recorded_at))::float8 FROM trawl.pages \
                        WHERE url NOT LIKE 'http://busy-%' GROUP BY url";
        for row in client.query(recorded, &[]).await? {
            let (url, recorded_at): (String, f64) = (row.get(0), row.get(1));
            for hit in hits_of(farm, &url) {
                if clocks.unix_seconds(hit.started) <= recorded_at {
                    continue;
                }
                if zombies.excuse(&hit) {
                    self.by_zombies += 1;
                } else {
                    self.violations.push(format!(
                        "{url} was fetched by {:?} {:.3} s after it was recorded",
                        hit.user_agent,
                        clocks.unix_seconds(hit.started) - recorded_at
                    ));
                }
            }
        }
        for host in farm.page_hits_by_host().keys() {
            self.look_at_host(host, farm.hits(host), &zombies);
        }
        Ok(())
    }

    /// No two crawlers at one host at once.
    fn look_at_host(&mut self, host: &str, mut hits: Vec<Hit>, zombies: &Zombies<'_>) {
        hits.sort_by_key(|hit| hit.started);
        for pair in hits.windows(2) {
            let [first, second] = pair else { continue };
            // A request that was broken off is the farm's until it tries to answer.
            let busy_until = first.ended.unwrap_or(first.started);
            let is_overlap = first.user_agent != second.user_agent
                && second.started + PAGE_LATENCY * 2 < busy_until;
            if is_overlap && !zombies.excuse(first) && !zombies.excuse(second) {
                self.violations.push(format!(
                    "{host} was crawled by {:?} and {:?} at once",
                    first.user_agent, second.user_agent
                ));
            }
        }
    }
}

fn hits_of(farm: &SiteFarm, url: &str) -> Vec<Hit> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.split(':').next().unwrap_or_default();
    let mut hits = farm.hits(host);
    hits.retain(|hit| hit.path.trim_start_matches('/') == path);
    hits
}

/// Processes that were stopped for longer than their lease, and when they woke up.
struct Zombies<'w>(Vec<&'w (String, Instant)>);

impl<'w> Zombies<'w> {
    fn of(workers: &'w [Slot]) -> Self {
        Self(workers.iter().flat_map(|slot| &slot.woken).collect())
    }

    /// Whether a fetch is one of a zombie that could not know yet.
    fn excuse(&self, hit: &Hit) -> bool {
        self.0.iter().any(|(agent, woken)| {
            hit.user_agent.as_deref() == Some(agent)
                // The request it was at when it was stopped counts as well.
                && hit.started < *woken + ZOMBIE_GRACE
                && hit.ended.is_none_or(|ended| ended + ZOMBIE_GRACE > *woken)
        })
    }
}
