//! Politeness, cancellation and the limits of one fetch.

use std::time::Duration;

use trawl_domain::page::PageState;
use trawl_scraper::crawler::Crawler;
use trawl_scraper::step::Step;
use trawl_test_support::farm::{Reply, Site, SiteFarm};

use crate::harness::{crawl, order, run, settings};

#[tokio::test]
async fn the_delay_runs_from_the_end_of_one_fetch_to_the_start_of_the_next() {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site(
        "shop.test",
        Site::new(4).with_latency(Duration::from_millis(30)),
    );
    let mut settings = settings();
    settings.politeness_delay = Duration::from_millis(100);
    let crawled = run(settings, order(&farm.domain("shop.test"), 10)).await;
    assert_eq!(crawled.fetched(), 4);
    let hits = farm.hits("shop.test");
    assert_eq!(hits.len(), 5);
    for pair in hits.windows(2) {
        let ended = pair[0].ended.expect("an end");
        // The server sees the end of an answer a moment before the client does.
        assert!(
            pair[1].started - ended >= Duration::from_millis(95),
            "{pair:?}"
        );
    }
}

#[tokio::test]
async fn a_client_may_ask_for_a_longer_delay_and_not_for_a_shorter_one() {
    for (of_operator, of_client) in [(10, 80), (80, 10)] {
        let farm = SiteFarm::start().await.expect("farm");
        farm.add_site("shop.test", Site::new(3));
        let mut settings = settings();
        settings.politeness_delay = Duration::from_millis(of_operator);
        let mut order = order(&farm.domain("shop.test"), 10);
        order.options.delay_ms = of_client;
        assert_eq!(run(settings, order).await.fetched(), 3);
        for pair in farm.hits("shop.test").windows(2) {
            let ended = pair[0].ended.expect("an end");
            assert!(
                pair[1].started - ended >= Duration::from_millis(75),
                "{pair:?}"
            );
        }
    }
}

#[tokio::test]
async fn no_page_beyond_the_depth_asked_for_is_fetched() {
    for (max_depth, expected) in [(0, 1), (1, 6), (2, 31)] {
        let farm = SiteFarm::start().await.expect("farm");
        farm.add_site("shop.test", Site::new(40));
        let mut order = order(&farm.domain("shop.test"), 100);
        order.options.max_depth = Some(max_depth);
        let crawled = run(settings(), order).await;
        assert_eq!(crawled.fetched(), expected, "{max_depth}");
        assert_eq!(farm.page_hits("shop.test"), expected, "{max_depth}");
        assert_eq!(crawled.ending(), ("frontier_exhausted", None));
    }
}

#[tokio::test]
async fn a_body_is_read_to_its_cap_and_no_further() {
    let start = "<!DOCTYPE html><a href=/huge>x</a><a href=/page-1>x</a>";
    let site = Site::new(2)
        .with_reply("/", Reply::html(start))
        .with_reply("/huge", Reply::huge(100_000_000));
    let (_farm, crawled) = crawl(site, 10).await;
    assert_eq!(
        crawled.outcome("/huge"),
        (PageState::Failed, Some("body_too_large"), None)
    );
    assert_eq!(crawled.outcome("/page-1").0, PageState::Fetched);
    let page = &crawled.pages[1];
    assert!(page.body_bytes < 1_000_000, "{}", page.body_bytes);
}

#[tokio::test]
async fn a_site_that_falls_silent_is_left_alone() {
    let links: String = (0..50)
        .map(|n| format!("<a href=/dead-{n}>x</a>"))
        .collect();
    let site = Site::new(1)
        .with_reply_to_all(Reply::closed())
        .with_reply("/robots.txt", Reply::status(404))
        .with_reply("/", Reply::html(format!("<!DOCTYPE html>{links}")));
    let (_farm, crawled) = crawl(site, 20).await;
    assert_eq!(crawled.ending(), ("error", None));
    assert_eq!(crawled.pages.len(), 1 + 10);
}

#[tokio::test]
async fn a_dropped_step_loses_the_page_in_flight_and_no_other() {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", Site::new(5));
    let crawler = Crawler::new(settings()).expect("crawler");
    let mut crawl = crawler.begin(order(&farm.domain("shop.test"), 10));
    let mut urls = Vec::new();
    let gate = farm.hold_answers();
    tokio::select! {
        _ = crawl.next() => panic!("no answer was let through"),
        () = held(&farm) => {}
    }
    gate.release();
    loop {
        match crawl.next().await {
            Step::Page(page) => urls.push(page.url),
            Step::End(end) => {
                assert_eq!(end.failure, None);
                break;
            }
        }
    }
    assert_eq!(urls.len(), 5);
}

async fn held(farm: &SiteFarm) {
    while farm.held_hosts().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_ended_crawl_says_so_again() {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", Site::new(1));
    let mut crawl = Crawler::new(settings())
        .expect("crawler")
        .begin(order(&farm.domain("shop.test"), 1));
    assert!(matches!(crawl.next().await, Step::Page(_)));
    for _ in 0..2 {
        assert!(matches!(crawl.next().await, Step::End(_)));
    }
}
