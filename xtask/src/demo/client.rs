//! Trawl's API, as a client uses it.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::time::Duration;
use trawl_test_support::wait_for;

/// Where the API lives on every Trawl.
const PREFIX: &str = "/api/v3/batch_page_scraper";

/// For one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// A client of one Trawl.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
}

/// The status of a batch, as answered.
#[derive(Debug)]
pub(super) struct Batch(Value);

impl Client {
    pub(super) fn new(url: &str) -> Result<Self> {
        // Only plain HTTP is spoken here, but a client is not built without a TLS provider.
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_LIMIT)
            .build()
            .context("cannot build an HTTP client")?;
        Ok(Self {
            http,
            url: format!("{url}{PREFIX}"),
        })
    }

    /// Waits until Trawl has its database and its migrations; it listens before that.
    pub(super) async fn ready(&self, limit: Duration) -> Result<()> {
        wait_for("trawl to be ready", limit, async || {
            answer(self.http.get(format!("{}/health", self.url)), 200)
                .await
                .map(|_health| ())
        })
        .await
    }

    /// Submits a batch and answers its id.
    pub(super) async fn submit(
        &self,
        domains: &[&str],
        max_pages: usize,
        max_concurrent: usize,
    ) -> Result<String> {
        let body = json!({
            "domains": domains, "max_pages": max_pages, "max_concurrent": max_concurrent,
        });
        let request = self.http.post(format!("{}/batch", self.url));
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        let accepted = answer(request, 202)
            .await
            .context("cannot submit the batch")?;
        let batch = accepted["batch_id"]
            .as_str()
            .context("the answer has no batch_id")?;
        Ok(batch.to_owned())
    }

    pub(super) async fn batch(&self, batch: &str) -> Result<Batch> {
        let request = self.http.get(format!("{}/batch/{batch}/status", self.url));
        Ok(Batch(
            answer(request, 200)
                .await
                .context("cannot read the status of the batch")?,
        ))
    }

    /// The result of one domain.
    pub(super) async fn result(&self, job: &str) -> Result<Value> {
        let request = self.http.get(format!("{}/status/{job}", self.url));
        let mut status = answer(request, 200)
            .await
            .context("cannot read the status of a job")?;
        Ok(status["result"].take())
    }
}

async fn answer(request: reqwest::RequestBuilder, expected: u16) -> Result<Value> {
    let response = request.send().await?;
    let status = response.status();
    let text = response.text().await?;
    if status != expected {
        bail!("{status}: {text}");
    }
    serde_json::from_str(&text).with_context(|| format!("the answer is no JSON: {text}"))
}

impl Batch {
    #[cfg(test)]
    pub(super) fn of(status: Value) -> Self {
        Self(status)
    }

    pub(super) fn has_ended(&self) -> bool {
        !self.0["end_time"].is_null()
    }

    pub(super) fn word(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    pub(super) fn number(&self, field: &str) -> u64 {
        self.0[field].as_u64().unwrap_or_default()
    }

    /// One field of one domain.
    pub(super) fn domain(&self, domain: &str, field: &str) -> &Value {
        &self.0["domain_statuses"][domain][field]
    }

    /// What a spectator wants to know, in one line.
    pub(super) fn summary(&self) -> String {
        let domains = self.0["domain_statuses"].as_object().into_iter().flatten();
        let pages: u64 = domains
            .filter_map(|(_, status)| status["pages_scraped"].as_u64())
            .sum();
        format!(
            "{:<9} {:5.1} %  {:2} of {} complete, {} failed, {pages} pages",
            self.word("status"),
            self.0["progress"].as_f64().unwrap_or_default(),
            self.number("completed_domains"),
            self.number("total_domains"),
            self.number("failed_domains"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_the_pages_of_all_domains() {
        let batch = Batch::of(json!({
            "status": "running", "progress": 50.0, "end_time": null,
            "total_domains": 2, "completed_domains": 1, "failed_domains": 0,
            "domain_statuses": {"a.test": {"pages_scraped": 3}, "b.test": {"pages_scraped": 4}},
        }));
        assert!(!batch.has_ended());
        assert_eq!(
            batch.summary(),
            "running    50.0 %   1 of 2 complete, 0 failed, 7 pages"
        );
    }
}
