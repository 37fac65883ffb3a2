//! Bytes and time that a client gives a crawl, over interruptions too.

use std::time::{Duration, Instant};

use trawl_scraper::step::CrawledPage;
use trawl_test_support::farm::{Reply, Site, SiteFarm};

use crate::harness::{crawl_with, order, resume, run, settings};

#[tokio::test]
async fn no_page_is_fetched_after_the_bytes_are_used_up() {
    let site = || Site::new(20).with_page_bytes(10_000);
    let (farm, crawled) = crawl_with(site(), 20, |options| options.max_bytes = Some(35_000)).await;
    assert_eq!(crawled.ending(), ("max_bytes", None));
    assert_eq!(crawled.fetched(), 4);
    let bytes: u64 = crawled.pages.iter().map(|page| page.body_bytes).sum();
    assert_eq!(crawled.end.summary.body_bytes, bytes);

    let mut order = order(&farm.domain("shop.test"), 20);
    order.options.max_bytes = Some(35_000);
    let rest = resume(order.clone(), &crawled.pages[..3]).await;
    assert_eq!((rest.ending(), rest.fetched()), (("max_bytes", None), 1));
    farm.forget_hits();
    assert_eq!(resume(order, &crawled.pages).await.fetched(), 0);
    assert!(farm.hits("shop.test").is_empty());
}

#[tokio::test]
async fn a_crawl_ends_when_its_time_is_over_whatever_it_waits_for() {
    let farm = SiteFarm::start().await.expect("farm");
    // The second page never comes.
    farm.add_site(
        "shop.test",
        Site::new(10).with_reply("/page-2", Reply::silence()),
    );
    let mut order = order(&farm.domain("shop.test"), 20);
    order.options.max_duration_s = Some(1);
    let began = Instant::now();
    let crawled = run(settings(), order).await;
    assert_eq!(crawled.ending(), ("max_duration", None));
    assert_eq!(crawled.fetched(), 2);
    assert!((Duration::from_secs(1)..Duration::from_secs(4)).contains(&began.elapsed()));
}

#[tokio::test]
async fn the_time_of_a_start_page_counts_and_so_does_the_time_of_the_operator() {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", Site::new(3).with_reply("/", Reply::silence()));
    let mut order = order(&farm.domain("shop.test"), 20);
    order.options.max_duration_s = Some(1);
    let began = Instant::now();
    let crawled = run(settings(), order.clone()).await;
    assert_eq!(
        crawled.ending(),
        ("max_duration", Some("deadline_exceeded"))
    );
    assert!((Duration::from_secs(1)..Duration::from_secs(4)).contains(&began.elapsed()));

    farm.add_site(
        "shop.test",
        Site::new(3).with_reply("/page-1", Reply::silence()),
    );
    order.options.max_duration_s = Some(60);
    order.deadline = Some(tokio::time::Instant::now() + Duration::from_secs(1));
    let began = Instant::now();
    let crawled = run(settings(), order).await;
    assert_eq!(
        (crawled.ending(), crawled.fetched()),
        (("max_duration", None), 1)
    );
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn time_that_earlier_attempts_spent_on_requests_counts() {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", Site::new(10));
    let mut order = order(&farm.domain("shop.test"), 20);
    order.options.max_duration_s = Some(60);
    let whole = run(settings(), order.clone()).await;
    assert_eq!(whole.ending(), ("frontier_exhausted", None));
    let slow: Vec<CrawledPage> = whole.pages[..3]
        .iter()
        .map(|page| CrawledPage {
            duration: Duration::from_secs(20),
            ..page.clone()
        })
        .collect();
    farm.forget_hits();
    let rest = resume(order.clone(), &slow).await;
    assert_eq!(rest.ending(), ("max_duration", None));
    assert!(farm.hits("shop.test").is_empty());
    assert_eq!(resume(order, &slow[..2]).await.fetched(), 8);
}
