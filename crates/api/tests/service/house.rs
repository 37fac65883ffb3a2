//! A database, a farm and the real binary, joined.

use std::time::Duration;

use serde_json::{Value, json};
use trawl_persistence::audit::audit;
use trawl_persistence::migrate;
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_test_support::database::{Route, Template, TestDatabase};
use trawl_test_support::farm::SiteFarm;
use trawl_test_support::process::TrawlCommand;
use trawl_test_support::wait::wait_for;

pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
const PREFIX: &str = "/api/v3/batch_page_scraper";

pub(crate) struct House {
    pub(crate) database: TestDatabase,
    pub(crate) farm: SiteFarm,
    http: reqwest::Client,
}

impl House {
    pub(crate) async fn build() -> Self {
        let template = Template::new(&migrate::fingerprint());
        let database = TestDatabase::create_from(&template, Route::Pooled, async |url| {
            let pool = Pool::new(url, PoolOptions::with_size(1))?;
            migrate::up(&pool).await?;
            pool.close();
            Ok(())
        })
        .await
        .unwrap();
        // Only plain HTTP to loopback is spoken; the provider is needed all the same.
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            database,
            farm: SiteFarm::start().await.unwrap(),
            http,
        }
    }

    /// The binary with everything it needs to crawl this farm through `database_url`.
    pub(crate) fn trawl(&self, command: &[&str], database_url: &str) -> TrawlCommand {
        TrawlCommand::new(command)
            .unwrap()
            .env("DATABASE_URL", database_url)
            .env("DATABASE_DIRECT_URL", self.database.direct_url())
            .env("TRAWL_BIND", "127.0.0.1:0")
            .env("TRAWL_RESOLVE", "*.test=127.0.0.1")
            .env("TRAWL_ALLOW_NETWORKS", "127.0.0.0/8")
            .env("TRAWL_POLITENESS_DELAY", "0ms")
            .env("TRAWL_LEASE_TTL", "5s")
    }

    pub(crate) async fn submit(
        &self,
        url: &str,
        hosts: &[String],
        pages: usize,
        concurrent: usize,
    ) -> String {
        let domains: Vec<String> = hosts
            .iter()
            .map(|host| format!("http://{}", self.farm.domain(host)))
            .collect();
        let body = json!({ "domains": domains, "max_pages": pages, "max_concurrent": concurrent });
        // The first request may meet a service that is still connecting to its database.
        let accepted = wait_for("the batch to be accepted", PATIENCE, async || {
            let answer = self
                .http
                .post(format!("{url}{PREFIX}/batch"))
                .header("content-type", "application/json")
                .body(body.to_string())
                .send()
                .await?;
            let status = answer.status();
            let text = answer.text().await?;
            anyhow::ensure!(status == 202, "{status} {text}");
            Ok(serde_json::from_str::<Value>(&text)?)
        })
        .await
        .unwrap();
        accepted["batch_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn status(&self, url: &str, batch: &str) -> anyhow::Result<Value> {
        self.get(url, &format!("/batch/{batch}/status")).await
    }

    pub(crate) async fn get(&self, url: &str, path: &str) -> anyhow::Result<Value> {
        let answer = self.http.get(format!("{url}{PREFIX}{path}")).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        anyhow::ensure!(status == 200, "{status} {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// The status code and the JSON of the answer to a POST.
    pub(crate) async fn post(&self, url: &str, path: &str, body: &str) -> (u16, Value) {
        let request = self
            .http
            .post(format!("{url}{PREFIX}{path}"))
            .header("content-type", "application/json")
            .body(body.to_owned());
        answer_to(request).await
    }

    /// The status code and the JSON of the answer to a DELETE.
    pub(crate) async fn delete(&self, url: &str, path: &str) -> (u16, Value) {
        answer_to(self.http.delete(format!("{url}{PREFIX}{path}"))).await
    }

    /// Waits for the end of the batch and answers its last status.
    pub(crate) async fn ended(&self, url: &str, batch: &str) -> Value {
        wait_for("the batch to end", PATIENCE, async || {
            let status = self.status(url, batch).await?;
            anyhow::ensure!(!status["end_time"].is_null(), "{status:#}");
            Ok(status)
        })
        .await
        .unwrap()
    }

    /// Every site is complete with this many pages, and every promise is kept.
    pub(crate) async fn assert_complete(&self, status: &Value, sites: usize, pages: usize) {
        assert_eq!(status["status"], "complete", "{status:#}");
        assert_eq!(status["total_domains"], sites);
        assert_eq!(status["completed_domains"], sites);
        assert_eq!(status["failed_domains"], 0);
        assert_eq!(status["progress"], 100.0);
        let domains = status["domain_statuses"].as_object().unwrap();
        assert_eq!(domains.len(), sites);
        for (domain, line) in domains {
            assert_eq!(
                (&line["status"], &line["pages_scraped"]),
                (&json!("complete"), &json!(pages)),
                "{domain}"
            );
        }
        let pool = Pool::new(&self.database.direct_url(), PoolOptions::with_size(1)).unwrap();
        for line in audit(&pool).await.unwrap() {
            assert_eq!(line.broken, 0, "{}", line.promise);
        }
    }

    /// Pages recorded so far, of all jobs.
    pub(crate) async fn pages_recorded(&self) -> i64 {
        let admin = self.database.admin().await.unwrap();
        admin
            .query_one("select count(*) from trawl.pages", &[])
            .await
            .unwrap()
            .get(0)
    }
}

async fn answer_to(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let code = answer.status().as_u16();
    (
        code,
        serde_json::from_str(&answer.text().await.unwrap()).unwrap(),
    )
}
