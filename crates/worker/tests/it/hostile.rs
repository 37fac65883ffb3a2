//! Batches through a pooler that is harder than any real one, for fixed seeds and one of the day.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use trawl_domain::batch::BatchState;
use trawl_domain::lease::LeaseTerms;
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_test_support::database::Route;
use trawl_test_support::hostile::{HostilePooler, Hostility};
use trawl_test_support::wait::wait_for;
use trawl_worker::worker::WorkerOptions;
use uuid::Uuid;

use crate::house::{House, options};

const SITES: usize = 30;
const PAGES: u32 = 4;
/// Of the whole batch: each black hole costs a request its whole limit of 15 s.
const PATIENCE: Duration = Duration::from_secs(240);

fn worker_options() -> WorkerOptions {
    WorkerOptions {
        lease: LeaseTerms::new(Duration::from_secs(5)).unwrap(),
        // The faults here are the pooler's; a job that meets many of them has not failed.
        max_attempts: 50,
        ..options()
    }
}

/// What is so long after the fact that it cannot be a matter of clocks.
struct Clocks {
    instant: Instant,
    unix_seconds: f64,
}

impl Clocks {
    fn now() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self {
            instant: Instant::now(),
            unix_seconds: since_epoch.as_secs_f64(),
        }
    }

    /// A moment as the database, on this machine, would call it.
    fn unix_seconds(&self, moment: Instant) -> f64 {
        self.unix_seconds + moment.duration_since(self.instant).as_secs_f64()
    }
}

/// No page has two rows, and none was asked for again after it was recorded.
async fn assert_no_page_twice(house: &House, clocks: &Clocks) {
    let admin = house.database.admin().await.unwrap();
    let rows = admin
        .query(
            "select p.url, extract(epoch from p.recorded_at)::float8, count(*) over (partition by p.url) \
             from trawl.pages p",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(rows.len(), SITES * PAGES as usize);
    for row in rows {
        let (url, recorded_at, times): (String, f64, i64) = (row.get(0), row.get(1), row.get(2));
        assert_eq!(times, 1, "{url} is recorded more than once");
        let (host, path) = url
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'))
            .unwrap();
        let host = host.split(':').next().unwrap();
        for hit in house.farm.hits(host) {
            if hit.path.trim_start_matches('/') == path {
                let asked_at = clocks.unix_seconds(hit.started);
                assert!(
                    asked_at < recorded_at,
                    "{url} was recorded at {recorded_at} and asked for again at {asked_at}"
                );
            }
        }
    }
}

async fn a_batch_survives(hostility: Hostility) {
    let clocks = Clocks::now();
    let mut house = House::build(Route::Direct).await;
    let pooler = HostilePooler::start(&house.database.direct_url(), hostility)
        .await
        .unwrap();
    // Everything goes through the pooler but the look at the end.
    house.worker_url = pooler.url();
    let through = Pool::new(&pooler.url(), PoolOptions::with_size(4)).unwrap();
    let hosts = house.farm.add_numbered_sites(SITES, PAGES as usize);
    let workers = [
        house.start_worker(worker_options()),
        house.start_worker(worker_options()),
    ];
    let id = Uuid::now_v7();
    wait_for("the batch to be accepted", PATIENCE, async || {
        house
            .submit_as(&through, id, &hosts, i64::from(PAGES), 8)
            .await
            .map_err(Into::into)
    })
    .await
    .unwrap();
    let view = wait_for("the batch to end", PATIENCE, async || {
        let view = house.view(id).await;
        anyhow::ensure!(
            view.state.is_terminal(),
            "{}\n{:?}",
            pooler.report(),
            house.lines(id).await
        );
        Ok(view)
    })
    .await
    .unwrap();
    let report = pooler.report();
    eprintln!("{:?} after {report}", clocks.instant.elapsed());
    assert_eq!(view.state, BatchState::Complete, "{report}");
    house.assert_all_complete(id, SITES, PAGES).await;
    assert_no_page_twice(&house, &clocks).await;
    // What is sent too early is what gives one client another client's rows.
    assert_eq!(report.astray, [""; 0], "{report}");
    // A drain may take its limit here, and leaves nothing behind that a lease would not return.
    for worker in workers {
        worker.drain().await;
    }
    assert_eq!(pooler.report().astray, [""; 0]);
    house.assert_audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_does_not_notice_poison() {
    a_batch_survives(Hostility::poison_only().with_seed(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_survives_every_hostility_by_seed_1() {
    a_batch_survives(Hostility::full(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_survives_every_hostility_by_seed_2() {
    a_batch_survives(Hostility::full(2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_survives_every_hostility_by_the_seed_of_the_day() {
    let seed = std::env::var("TRAWL_TEST_SEED").map_or_else(
        |_unset| Uuid::now_v7().as_u128() as u64,
        |seed| seed.parse().unwrap(),
    );
    eprintln!("to replay: TRAWL_TEST_SEED={seed}");
    a_batch_survives(Hostility::full(seed)).await;
}
