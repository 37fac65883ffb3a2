//! Politeness, cancellation and the limits of one fetch.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::time::{Duration, Instant};

use trawl_domain::page::PageState;
use trawl_scraper::crawler::Crawler;
use trawl_scraper::step::Step;
use trawl_test_support::farm::{Reply, Site, SiteFarm};

use crate::harness::{Crawled, crawl, order, run, settings};

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
    // With robots.txt and the sitemap that is not there.
    assert_eq!(hits.len(), 6);
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
            other @ (Step::Snooze(_) | Step::Busy(_)) => panic!("{other:?}"),
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

/// Crawls a site whose start page is `reply`, with these limits of the first byte and of the fetch.
async fn limited(reply: Reply, first_byte_ms: u64, fetch_ms: u64) -> (Crawled, Duration) {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", Site::new(1).with_reply("/", reply));
    let mut settings = settings();
    settings.first_byte_timeout = Duration::from_millis(first_byte_ms);
    settings.fetch_timeout = Duration::from_millis(fetch_ms);
    let address = format!("http://{}", farm.domain("shop.test"));
    let began = Instant::now();
    let crawled = run(settings, order(&address, 1)).await;
    (crawled, began.elapsed())
}

#[tokio::test]
async fn the_first_byte_and_the_whole_answer_have_limits_of_their_own() {
    let trickle = || {
        let page = "<!DOCTYPE html>".to_owned() + &"x".repeat(4000);
        Reply::trickled(page, 1, Duration::from_millis(20))
    };
    for (reply, first_byte_ms, fetch_ms, sentence) in [
        (
            Reply::silence(),
            200,
            60_000,
            "was not answered within 0.2 s",
        ),
        (
            Reply::silence(),
            60_000,
            300,
            "was not answered within 0.3 s",
        ),
        (
            Reply::stalled("<p>x"),
            60_000,
            250,
            "was not answered to the end within 0.25 s",
        ),
        (
            trickle(),
            60_000,
            350,
            "was not answered to the end within 0.35 s",
        ),
    ] {
        let (crawled, took) = limited(reply, first_byte_ms, fetch_ms).await;
        assert_eq!(crawled.ending(), ("error", Some("fetch_timeout")));
        let found = crawled.sentence();
        assert!(found.ends_with(sentence), "{found} / {sentence}");
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
    let (crawled, _) = limited(Reply::huge(usize::MAX / 2), 60_000, 60_000).await;
    assert_eq!(crawled.ending(), ("error", Some("body_too_large")));
}

#[tokio::test]
async fn what_a_conditional_request_needs_is_kept_as_sent() {
    let longer = format!("\"{}\"", "x".repeat(300));
    let page = |text: &str| Reply::html(format!("<!DOCTYPE html><a href=/long>x</a>{text}"));
    let site = Site::new(1)
        .with_reply(
            "/",
            page("a")
                .with_header("ETag", "W/\"abc-1\"")
                .with_header("Last-Modified", "Tue, 24 Nov 2026 08:00:00 GMT"),
        )
        .with_reply("/long", page("b").with_header("ETag", &longer));
    let (_farm, crawled) = crawl(site, 10).await;
    let [start, long] = crawled.pages.as_slice() else {
        panic!("{:?}", crawled.pages);
    };
    assert_eq!(start.etag.as_deref(), Some("W/\"abc-1\""));
    assert_eq!(
        start.last_modified.as_deref(),
        Some("Tue, 24 Nov 2026 08:00:00 GMT")
    );
    assert!(start.first_byte.expect("an answer") <= start.duration);
    assert_eq!((&long.etag, &long.last_modified), (&None, &None));
}
