//! A database, a farm of sites and workers in this process, joined.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use trawl_domain::batch::BatchState;
use trawl_domain::fetch_settings::FetchSettings;
use trawl_domain::lease::LeaseTerms;
use trawl_domain::limits::{MaxConcurrent, MaxPages};
use trawl_domain::site::SiteAddress;
use trawl_persistence::audit::audit;
use trawl_persistence::batches::{
    BatchKind, BatchView, NewBatch, NewJob, Submitted, batch_status, batch_submit,
};
use trawl_persistence::error::ScopeError;
use trawl_persistence::migrate;
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_test_support::database::{Route, Template, TestDatabase};
use trawl_test_support::farm::SiteFarm;
use trawl_test_support::wait::wait_for;
use trawl_worker::worker::{Worker, WorkerError, WorkerOptions};
use uuid::Uuid;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct House {
    pub(crate) database: TestDatabase,
    pub(crate) farm: SiteFarm,
    pub(crate) pool: Pool,
    /// The way of the workers to the database.
    pub(crate) worker_url: String,
}

/// The template that all worker tests copy; its name follows the migrations.
async fn migrated(route: Route) -> TestDatabase {
    let fingerprint: String = migrate::MIGRATIONS
        .iter()
        .map(migrate::Migration::checksum)
        .collect();
    TestDatabase::create_from(&Template::new(&fingerprint), route, async |url| {
        let pool = Pool::new(url, PoolOptions::with_size(1))?;
        migrate::up(&pool).await?;
        pool.close();
        Ok(())
    })
    .await
    .unwrap()
}

pub(crate) struct RunningWorker {
    pub(crate) stop: CancellationToken,
    running: tokio::task::JoinHandle<Result<(), WorkerError>>,
}

impl RunningWorker {
    /// Drains the worker.
    pub(crate) async fn drain(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
    }

    /// Ends the worker as a crash would: nothing is written, nothing is handed back.
    pub(crate) async fn crash(self) {
        self.running.abort();
        let _ = self.running.await;
    }
}

pub(crate) fn fetch_settings() -> FetchSettings {
    FetchSettings {
        user_agent: "TrawlTest/1.0".to_owned(),
        politeness_delay: Duration::ZERO,
        connect_timeout: Duration::from_secs(2),
        first_byte_timeout: Duration::from_secs(20),
        fetch_timeout: Duration::from_secs(20),
        max_body_bytes: 1024 * 1024,
        addresses: "127.0.0.0/8".parse().unwrap(),
        static_names: "*.test=127.0.0.1".parse().unwrap(),
    }
}

pub(crate) fn options() -> WorkerOptions {
    WorkerOptions {
        concurrency: 16,
        lease: LeaseTerms::new(Duration::from_secs(30)).unwrap(),
        max_attempts: 3,
        job_deadline: Duration::from_secs(60),
        retention: None,
        shutdown_timeout: Duration::from_secs(10),
        fetch: fetch_settings(),
        only_batch: None,
    }
}

/// As [`options`], with a lease so short that its end can be waited for.
pub(crate) fn short_lease() -> WorkerOptions {
    WorkerOptions {
        lease: LeaseTerms::new(Duration::from_secs(1)).unwrap(),
        ..options()
    }
}

/// As [`options`], with heartbeats so frequent that what they bring can be waited for, and a lease
/// that a loaded machine keeps: one of a second is lost there, and its pages are fetched again.
pub(crate) fn frequent_heartbeats() -> WorkerOptions {
    WorkerOptions {
        lease: LeaseTerms::new(Duration::from_secs(6)).unwrap(),
        ..options()
    }
}

impl House {
    pub(crate) async fn build(route: Route) -> Self {
        let database = migrated(route).await;
        let pool = Pool::new(&database.url(), PoolOptions::with_size(6)).unwrap();
        Self {
            worker_url: database.url(),
            database,
            farm: SiteFarm::start().await.unwrap(),
            pool,
        }
    }

    /// A worker with connections of its own, as a process would have.
    pub(crate) fn start_worker(&self, options: WorkerOptions) -> RunningWorker {
        let pool = Pool::new(&self.worker_url, PoolOptions::with_size(6)).unwrap();
        let stop = CancellationToken::new();
        let worker = Worker::new(pool, options).unwrap();
        RunningWorker {
            running: tokio::spawn(worker.run(stop.clone())),
            stop,
        }
    }

    /// Submits the farm's sites by their hosts.
    pub(crate) async fn submit(&self, hosts: &[String], pages: i64, concurrent: i64) -> Uuid {
        let id = Uuid::now_v7();
        let submitted = self
            .submit_as(&self.pool, id, hosts, pages, concurrent)
            .await
            .unwrap();
        assert!(matches!(submitted, Submitted::Accepted { .. }));
        id
    }

    /// As [`Self::submit`], under an id and by a way of the caller's.
    pub(crate) async fn submit_as(
        &self,
        pool: &Pool,
        id: Uuid,
        hosts: &[String],
        pages: i64,
        concurrent: i64,
    ) -> Result<Submitted, ScopeError> {
        self.submit_changed(pool, id, hosts, |batch| {
            batch.max_pages = MaxPages::new(pages).unwrap();
            batch.max_concurrent = MaxConcurrent::new(concurrent).unwrap();
        })
        .await
    }

    /// Submits the farm's sites by their hosts, with what `change` makes of the defaults.
    pub(crate) async fn submit_with(
        &self,
        hosts: &[&str],
        change: impl FnOnce(&mut NewBatch<'_>),
    ) -> Uuid {
        let id = Uuid::now_v7();
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let submitted = self.submit_changed(&self.pool, id, &hosts, change).await;
        assert!(matches!(submitted.unwrap(), Submitted::Accepted { .. }));
        id
    }

    async fn submit_changed(
        &self,
        pool: &Pool,
        id: Uuid,
        hosts: &[String],
        change: impl FnOnce(&mut NewBatch<'_>),
    ) -> Result<Submitted, ScopeError> {
        let jobs: Vec<NewJob> = hosts
            .iter()
            .map(|host| NewJob {
                id: Uuid::now_v7(),
                site: SiteAddress::parse(&format!("http://{}", self.farm.domain(host))).unwrap(),
            })
            .collect();
        let mut batch = NewBatch {
            id,
            kind: BatchKind::Batch,
            max_pages: MaxPages::DEFAULT,
            max_concurrent: MaxConcurrent::new(5).unwrap(),
            deadline: None,
            queue_limit: u32::MAX,
            options: "{}",
            request_hash: [7; 32],
            metadata: "{}",
            jobs: &jobs,
        };
        change(&mut batch);
        batch_submit(pool, &batch).await
    }

    pub(crate) async fn view(&self, batch: Uuid) -> BatchView {
        batch_status(&self.pool, batch, || (), |(), _| ())
            .await
            .unwrap()
            .unwrap()
            .0
    }

    /// Each domain's state word and pages.
    pub(crate) async fn lines(&self, batch: Uuid) -> Vec<(String, String, u32)> {
        batch_status(&self.pool, batch, Vec::new, |lines, line| {
            lines.push((
                line.domain.to_owned(),
                line.state.as_str().to_owned(),
                line.pages_scraped,
            ));
        })
        .await
        .unwrap()
        .unwrap()
        .1
    }

    pub(crate) async fn ended(&self, batch: Uuid) -> BatchView {
        wait_for("the batch to end", PATIENCE, async || {
            let view = self.view(batch).await;
            anyhow::ensure!(
                view.state.is_terminal(),
                "{view:?} {:?}",
                self.lines(batch).await
            );
            Ok(view)
        })
        .await
        .unwrap()
    }

    /// Every promise is kept, and the batch is complete with all its domains.
    pub(crate) async fn assert_all_complete(&self, batch: Uuid, sites: usize, pages: u32) {
        let view = self.view(batch).await;
        assert_eq!(
            view.state,
            BatchState::Complete,
            "{:?}",
            self.lines(batch).await
        );
        let lines = self.lines(batch).await;
        assert_eq!(lines.len(), sites);
        for (domain, state, scraped) in lines {
            assert_eq!((state.as_str(), scraped), ("complete", pages), "{domain}");
        }
        self.assert_audit().await;
    }

    pub(crate) async fn assert_audit(&self) {
        for line in audit(&self.pool).await.unwrap() {
            assert_eq!(line.broken, 0, "{}", line.promise);
        }
    }
}
