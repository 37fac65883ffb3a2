//! A crawl that is resumed ends as one that was never interrupted, and refetches nothing.

use std::time::Duration;

use trawl_scraper::not_fetched::NotFetched;
use trawl_scraper::step::{CrawlSummary, CrawledPage};
use trawl_test_support::farm::{Site, SiteFarm};

use crate::harness::{Crawled, order, resume, run, settings};

/// The pages without what differs between two runs: their timing, and what is counted once more
/// after an interruption.
fn essence(pages: &[CrawledPage]) -> Vec<CrawledPage> {
    let bare = |page: &CrawledPage| CrawledPage {
        duration: Duration::ZERO,
        first_byte: None,
        not_fetched: NotFetched::default(),
        ..page.clone()
    };
    pages.iter().map(bare).collect()
}

#[tokio::test]
async fn it_continues_after_every_page_as_if_nothing_had_happened() {
    let farm = SiteFarm::start().await.expect("farm");
    let site = Site::new(14)
        .with_status("/page-2", 500)
        .with_redirect("/page-3", "/page-8")
        .with_redirect("/page-4", "/")
        .with_robots("User-agent: *\nDisallow: /page-5");
    farm.add_site("shop.test", site);
    let address = farm.domain("shop.test");
    let whole = run(settings(), order(&address, 6)).await;
    assert_eq!(whole.fetched(), 6);
    for cut in 1..=whole.pages.len() {
        farm.forget_hits();
        let (before, after) = whole.pages.split_at(cut);
        let rest = resume(order(&address, 6), before).await;
        assert_eq!(essence(&rest.pages), essence(after), "after {cut} pages");
        assert_eq!(rest.end.profile, whole.end.profile, "after {cut} pages");
        let counted = |crawled: &Crawled| CrawlSummary {
            not_fetched: NotFetched::default(),
            ..crawled.end.summary.clone()
        };
        assert_eq!(counted(&rest), counted(&whole), "after {cut} pages");
        for page in before {
            let path = page
                .url
                .split_once("test")
                .map(|(_, rest)| rest)
                .unwrap_or_default();
            let path = &path[path.find('/').unwrap_or_default()..];
            assert!(
                farm.hits("shop.test").iter().all(|hit| hit.path != path),
                "{path} again"
            );
        }
    }
}

#[tokio::test]
async fn a_budget_that_was_used_up_ends_it_without_a_request() {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", Site::new(14));
    let address = farm.domain("shop.test");
    let whole = run(settings(), order(&address, 3)).await;
    farm.forget_hits();
    let rest = resume(order(&address, 3), &whole.pages).await;
    assert_eq!(rest.ending(), ("max_pages", None));
    assert!(rest.pages.is_empty());
    assert!(farm.hits("shop.test").is_empty());
}
