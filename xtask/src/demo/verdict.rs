//! What Trawl says beside what the farm served, and where the two disagree.

use super::client::{Batch, Client};
use anyhow::{Context, Result};
use serde_json::Value;
use trawl_test_support::SiteFarm;
use trawl_test_support::farm::SiteFacts;

/// A site as the farm has it.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) host: String,
    /// As submitted: the host with the farm's port.
    pub(super) domain: String,
    /// Pages that a right crawl fetches.
    pub(super) pages: usize,
    pub(super) facts: Option<SiteFacts>,
}

/// The comparison.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) table: String,
    pub(super) disagreements: Vec<String>,
}

/// Compares everything that both sides know of.
pub(super) async fn compare(
    client: &Client,
    batch: &Batch,
    farm: &SiteFarm,
    expected: &[Expected],
    max_concurrent: usize,
) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    verdict.row(
        "site",
        "status",
        "pages",
        "farm",
        "title",
        "e-mail",
        "WordPress",
    );
    for site in expected {
        let job = batch.domain(&site.domain, "job_id").as_str();
        let job = job.with_context(|| format!("the status does not name {}", site.domain))?;
        let result = client.result(job).await?;
        verdict.add_site(batch, site, farm.page_hits(&site.host), &result);
    }
    verdict.agree("the batch's status", batch.word("status"), "complete");
    verdict.agree(
        "completed_domains",
        batch.number("completed_domains"),
        expected.len() as u64,
    );
    verdict.agree("failed_domains", batch.number("failed_domains"), 0);
    let repeated: Vec<String> = farm
        .duplicate_pages()
        .into_iter()
        .map(|(host, path, times)| format!("{host}{path} {times} times"))
        .collect();
    verdict.agree(
        "pages served more than once",
        repeated.join(", ").as_str(),
        "",
    );
    let at_once = farm.peaks().hosts_under_way;
    if at_once > max_concurrent {
        verdict.disagreements.push(format!(
            "{at_once} sites at once, of at most {max_concurrent}"
        ));
    }
    verdict
        .table
        .push_str(&format!("at most {at_once} sites were crawled at once\n"));
    Ok(verdict)
}

impl Verdict {
    fn add_site(&mut self, batch: &Batch, site: &Expected, served: usize, result: &Value) {
        let status = batch
            .domain(&site.domain, "status")
            .as_str()
            .unwrap_or_default();
        let pages = batch
            .domain(&site.domain, "pages_scraped")
            .as_u64()
            .unwrap_or_default();
        let title = result["title"].as_str().unwrap_or_default();
        let email = result["contact_info"]["email"][0]
            .as_str()
            .unwrap_or_default();
        let wordpress = result["wordpress_version"].as_str().unwrap_or_default();
        let (pages_text, served_text) = (pages.to_string(), served.to_string());
        self.row(
            &site.host,
            status,
            &pages_text,
            &served_text,
            title,
            email,
            wordpress,
        );

        let host = &site.host;
        self.agree(&format!("{host}: status"), status, "complete");
        self.agree(
            &format!("{host}: pages against pages served"),
            pages,
            served as u64,
        );
        self.agree(
            &format!("{host}: pages against pages to fetch"),
            pages,
            site.pages as u64,
        );
        let Some(facts) = &site.facts else { return };
        self.agree(&format!("{host}: title"), title, facts.name.as_str());
        self.agree(&format!("{host}: e-mail"), email, facts.email.as_str());
        let version = facts
            .wordpress
            .as_ref()
            .map_or("", |wordpress| wordpress.version);
        self.agree(&format!("{host}: WordPress"), wordpress, version);
    }

    fn agree<T: PartialEq + std::fmt::Display>(&mut self, what: &str, said: T, truth: T) {
        if said != truth {
            self.disagreements
                .push(format!("{what}: Trawl says {said:.60}, it is {truth:.60}"));
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one a column")]
    fn row(
        &mut self,
        site: &str,
        status: &str,
        pages: &str,
        served: &str,
        title: &str,
        email: &str,
        wordpress: &str,
    ) {
        let line = format!(
            "{site:<13} {status:<9} {pages:>5} {served:>5}  {title:<22} {email:<22} {wordpress}"
        );
        self.table.push_str(line.trim_end());
        self.table.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn verdict_on(pages: u64, served: usize, title: &str) -> Vec<String> {
        let batch = Batch::of(json!({
            "domain_statuses": {"a.test:1": {"status": "complete", "pages_scraped": pages}},
        }));
        let site = Expected {
            host: "a.test".into(),
            domain: "a.test:1".into(),
            pages: 4,
            facts: None,
        };
        let mut verdict = Verdict::default();
        verdict.add_site(&batch, &site, served, &json!({ "title": title }));
        verdict.disagreements
    }

    #[test]
    fn a_page_more_or_less_is_a_disagreement() {
        assert_eq!(verdict_on(4, 4, "A"), Vec::<String>::new());
        assert_eq!(
            verdict_on(4, 5, "A"),
            ["a.test: pages against pages served: Trawl says 4, it is 5"]
        );
        assert_eq!(
            verdict_on(3, 3, "A"),
            ["a.test: pages against pages to fetch: Trawl says 3, it is 4"]
        );
    }
}
