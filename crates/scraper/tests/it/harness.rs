//! One crawl against a farm, with limits short enough for tests and names that need no DNS.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::sync::Arc;
use std::time::Duration;

use trawl_domain::crawl_options::CrawlOptions;
use trawl_domain::fetch_settings::FetchSettings;
use trawl_domain::page::PageState;
use trawl_domain::site::SiteAddress;
use trawl_scraper::crawl::Crawl;
use trawl_scraper::crawler::Crawler;
use trawl_scraper::hosts::AllFree;
use trawl_scraper::not_fetched::Reason;
use trawl_scraper::step::{CrawlEnd, CrawlOrder, CrawledPage, RecordedPage, Snooze, Step};
use trawl_test_support::farm::{Reply, Site, SiteFarm};

/// Everything that one crawl yielded.
pub(crate) struct Crawled {
    pub(crate) pages: Vec<CrawledPage>,
    /// The waits that the site asked for and that the test did not wait for.
    pub(crate) snoozes: Vec<Snooze>,
    pub(crate) end: CrawlEnd,
}

impl Crawled {
    pub(crate) fn urls(&self, state: PageState) -> Vec<&str> {
        self.pages
            .iter()
            .filter(|page| page.state == state)
            .map(|page| page.url.as_str())
            .collect()
    }

    pub(crate) fn fetched(&self) -> usize {
        self.urls(PageState::Fetched).len()
    }

    /// State, failure code and final URL of the page at a path.
    pub(crate) fn outcome(&self, path: &str) -> (PageState, Option<&'static str>, Option<&str>) {
        let page = self
            .pages
            .iter()
            .find(|page| page.url.ends_with(path))
            .expect(path);
        let code = page.failure.as_ref().map(|failure| failure.code.as_str());
        (page.state, code, page.final_url.as_deref())
    }

    /// How many URLs were not fetched for a reason.
    pub(crate) fn not_fetched(&self, reason: Reason) -> u32 {
        self.end.summary.not_fetched.of(reason)
    }

    /// The stop reason and, if the site failed, the code of its failure.
    pub(crate) fn ending(&self) -> (&'static str, Option<&'static str>) {
        let code = self
            .end
            .failure
            .as_ref()
            .map(|failure| failure.code.as_str());
        (self.end.summary.stop_reason.as_str(), code)
    }

    pub(crate) fn sentence(&self) -> &str {
        self.end
            .failure
            .as_ref()
            .map_or("", |failure| failure.sentence.as_str())
    }
}

pub(crate) fn settings() -> FetchSettings {
    FetchSettings {
        user_agent: "Trawl/0.0-test (+https://trawl.example)".to_owned(),
        politeness_delay: Duration::ZERO,
        connect_timeout: Duration::from_millis(300),
        first_byte_timeout: Duration::from_secs(5),
        fetch_timeout: Duration::from_secs(5),
        max_body_bytes: 256 * 1024,
        addresses: "127.0.0.0/8".parse().expect("networks"),
        static_names: "*.test=127.0.0.1,*.example=127.0.0.1"
            .parse()
            .expect("names"),
    }
}

pub(crate) fn order(address: &str, max_pages: u32) -> CrawlOrder {
    let site = SiteAddress::parse(address).expect(address);
    CrawlOrder {
        site,
        max_pages,
        options: CrawlOptions::default(),
        snoozes: 0,
        deadline: None,
        hosts: Arc::new(AllFree),
    }
}

pub(crate) async fn run(settings: FetchSettings, order: CrawlOrder) -> Crawled {
    run_with(&Crawler::new(settings).expect("crawler"), order).await
}

/// As [`run`], with what the crawler knows of earlier crawls.
pub(crate) async fn run_with(crawler: &Crawler, order: CrawlOrder) -> Crawled {
    finish(crawler.begin(order)).await
}

/// As [`run`], after the pages of an earlier attempt.
pub(crate) async fn resume(order: CrawlOrder, recorded: &[CrawledPage]) -> Crawled {
    let mut crawl = Crawler::new(settings()).expect("crawler").begin(order);
    for page in recorded {
        crawl.replay(&record(page));
    }
    finish(crawl).await
}

pub(crate) async fn finish(mut crawl: Crawl) -> Crawled {
    let mut pages = Vec::new();
    let mut snoozes = Vec::new();
    loop {
        match crawl.next().await {
            Step::Page(page) => pages.push(*page),
            Step::Snooze(snooze) => snoozes.push(*snooze),
            Step::Busy(busy) => panic!("{busy:?}"),
            Step::End(end) => {
                return Crawled {
                    pages,
                    snoozes,
                    end: *end,
                };
            }
        }
    }
}

/// Crawls one site of a farm of one.
pub(crate) async fn crawl(site: Site, max_pages: u32) -> (SiteFarm, Crawled) {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", site);
    let crawled = run(settings(), order(&farm.domain("shop.test"), max_pages)).await;
    (farm, crawled)
}

/// Crawls one site of a farm of one, with options.
pub(crate) async fn crawl_with(
    site: Site,
    max_pages: u32,
    options: impl FnOnce(&mut CrawlOptions),
) -> (SiteFarm, Crawled) {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", site);
    let mut order = order(&farm.domain("shop.test"), max_pages);
    options(&mut order.options);
    let crawled = run(settings(), order).await;
    (farm, crawled)
}

/// A page that links to these places.
pub(crate) fn linking(links: &[&str]) -> Reply {
    let links: String = links
        .iter()
        .map(|href| format!("<a href=\"{href}\">x</a>"))
        .collect();
    Reply::html(format!("<!DOCTYPE html><title>Links</title>{links}"))
}

/// The paths that were asked for, robots.txt included, in their order; that there is no sitemap was
/// found out beside them.
pub(crate) fn paths(farm: &SiteFarm, host: &str) -> Vec<String> {
    let paths = farm.hits(host).into_iter().map(|hit| hit.path);
    paths.filter(|path| path != "/sitemap.xml").collect()
}

/// A page as an earlier attempt would have recorded it, which is as JSON.
pub(crate) fn record(page: &CrawledPage) -> RecordedPage {
    let discovered = serde_json::to_string(&page.discovered).expect("JSON");
    RecordedPage {
        url: page.url.clone(),
        final_url: page.final_url.clone(),
        state: page.state,
        depth: page.depth,
        body_bytes: page.body_bytes,
        duration: page.duration,
        since_last: Duration::ZERO,
        body_hash: page.body_hash,
        discovered: serde_json::from_str(&discovered).expect("what was written"),
        not_fetched: page.not_fetched.clone(),
        facts: page.facts.clone(),
    }
}
