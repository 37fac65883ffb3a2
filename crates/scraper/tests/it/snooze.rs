//! Sites that ask to be left alone, and hiccups: what is waited out, what is passed on, what is given up.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::time::{Duration, Instant};

use trawl_domain::page::PageState;
use trawl_scraper::crawl::Crawl;
use trawl_scraper::crawler::Crawler;
use trawl_scraper::step::{CrawledPage, Step};
use trawl_test_support::farm::{Reply, Site, SiteFarm};

use crate::harness::{crawl, finish, order, record, run, settings};

fn busy(status: u16, retry_after: &str) -> Reply {
    Reply::status(status).with_header("Retry-After", retry_after)
}

/// A crawl of `shop.test`, begun by its plain address.
fn begin(farm: &SiteFarm, max_pages: u32) -> Crawl {
    let address = format!("http://{}", farm.domain("shop.test"));
    Crawler::new(settings())
        .expect("crawler")
        .begin(order(&address, max_pages))
}

/// The wait that the next step asks for, and the code of its failure.
async fn snooze(crawl: &mut Crawl) -> (u64, &'static str) {
    match crawl.next().await {
        Step::Snooze(snooze) => (snooze.wait.as_secs(), snooze.failure.code.as_str()),
        other => panic!("{other:?}"),
    }
}

async fn page(crawl: &mut Crawl) -> CrawledPage {
    match crawl.next().await {
        Step::Page(page) => *page,
        other => panic!("{other:?}"),
    }
}

/// How often a path of `shop.test` was asked for.
fn asked(farm: &SiteFarm, path: &str) -> usize {
    let hits = farm.hits("shop.test");
    hits.iter().filter(|hit| hit.path == path).count()
}

/// Serves `site` in place of another once `path` was answered for the first time.
async fn replace_after(farm: &SiteFarm, path: &str, site: Site) {
    loop {
        let hits = farm.hits("shop.test");
        if hits
            .iter()
            .any(|hit| hit.path == path && hit.ended.is_some())
        {
            farm.add_site("shop.test", site);
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_wait_is_passed_on_wherever_it_is_asked_for_and_no_page_is_lost() {
    let farm = SiteFarm::start().await.expect("farm");
    let site = || Site::new(3);
    farm.add_site(
        "shop.test",
        site().with_reply("/robots.txt", busy(429, "60")),
    );
    let mut crawl = begin(&farm, 10);
    assert_eq!(snooze(&mut crawl).await, (60, "too_many_requests"));
    farm.add_site("shop.test", site().with_reply("/", busy(503, "7")));
    assert_eq!(snooze(&mut crawl).await, (7, "http_server_error"));
    farm.add_site(
        "shop.test",
        site().with_reply("/page-1", Reply::status(429)),
    );
    assert!(page(&mut crawl).await.url.ends_with("/"));
    for _ in 0..2 {
        assert_eq!(snooze(&mut crawl).await, (30, "too_many_requests"));
    }
    farm.add_site("shop.test", site());
    for path in ["/page-1", "/page-2"] {
        let page = page(&mut crawl).await;
        assert_eq!(page.state, PageState::Fetched);
        assert!(page.url.ends_with(path), "{} / {path}", page.url);
    }
    assert!(matches!(crawl.next().await, Step::End(_)));
}

#[tokio::test]
async fn a_short_wait_is_waited_out_within_the_step() {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", Site::new(1).with_reply("/", busy(503, "1")));
    let mut crawl = begin(&farm, 10);
    let began = Instant::now();
    let (page, ()) = tokio::join!(page(&mut crawl), replace_after(&farm, "/", Site::new(1)));
    assert_eq!(page.state, PageState::Fetched);
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(asked(&farm, "/"), 2);
}

#[tokio::test]
async fn a_site_that_only_asks_for_waits_is_given_up() {
    let (farm, crawled) = crawl(Site::new(1).with_reply("/", busy(429, "60")), 5).await;
    assert_eq!(crawled.ending(), ("error", Some("too_many_requests")));
    assert_eq!(crawled.snoozes.len(), 10);
    assert_eq!(asked(&farm, "/"), 11);

    // Waits of earlier attempts count.
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", Site::new(1).with_reply("/", busy(429, "60")));
    let mut order = order(&farm.domain("shop.test"), 5);
    order.snoozes = 9;
    assert_eq!(run(settings(), order).await.snoozes.len(), 1);
}

#[tokio::test]
async fn a_page_that_only_asks_for_waits_fails_and_the_crawl_goes_on() {
    for status in [429, 503] {
        let site = Site::new(4).with_reply("/page-1", busy(status, "60"));
        let (farm, crawled) = crawl(site, 10).await;
        assert_eq!(crawled.ending(), ("frontier_exhausted", None));
        assert_eq!((crawled.fetched(), crawled.snoozes.len()), (3, 3));
        assert_eq!(asked(&farm, "/page-1"), 4);
        let page = &crawled.pages[1];
        let code = page.failure.as_ref().map(|failure| failure.code.as_str());
        let expected = match status {
            429 => "too_many_requests",
            _ => "http_server_error",
        };
        assert_eq!((page.state, code), (PageState::Failed, Some(expected)));
        assert_eq!(page.http_status, Some(status));
    }
}

#[tokio::test]
async fn a_site_whose_pages_only_ask_for_waits_is_given_up_after_three_of_them() {
    let busy_page = |site: Site, n| site.with_reply(&Site::path(n), busy(429, "60"));
    let (farm, crawled) = crawl((1..6).fold(Site::new(6), busy_page), 10).await;
    assert_eq!(crawled.ending(), ("error", None));
    assert_eq!((crawled.fetched(), crawled.snoozes.len()), (1, 9));
    assert_eq!(crawled.urls(PageState::Failed).len(), 3);
    assert_eq!(asked(&farm, "/page-4"), 0);

    // A page that fails otherwise is no sign that the site gives pages again; one that is fetched is.
    let others = |replies: [Option<Reply>; 6]| {
        replies
            .into_iter()
            .zip(1..)
            .fold(Site::new(8), |site, (reply, n)| match reply {
                Some(reply) => site.with_reply(&Site::path(n), reply),
                None => site,
            })
    };
    let (wait, gone) = (|| Some(busy(429, "60")), || Some(Reply::status(404)));
    let (_farm, crawled) = crawl(others([wait(), gone(), wait(), gone(), wait(), None]), 10).await;
    assert_eq!((crawled.ending(), crawled.fetched()), (("error", None), 1));
    let (_farm, crawled) = crawl(others([wait(), wait(), None, wait(), wait(), None]), 10).await;
    assert_eq!(crawled.ending(), ("frontier_exhausted", None));
    assert_eq!((crawled.fetched(), crawled.snoozes.len()), (2, 12));
}

#[tokio::test]
async fn a_site_is_waited_for_a_day_in_all_and_then_ends_with_what_it_gave() {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", Site::new(40));
    let address = farm.domain("shop.test");
    let whole = run(settings(), order(&address, 30)).await;
    farm.add_site(
        "shop.test",
        Site::new(40).with_reply_to_all(busy(429, "3600")),
    );
    for (hours, snoozes, page_failed) in [(23, 9, 3), (24, 0, 1)] {
        let mut crawl = Crawler::new(settings())
            .expect("crawler")
            .begin(order(&address, 40));
        for (n, page) in whole.pages.iter().enumerate() {
            let mut page = record(page);
            page.discovered.waits = u32::from((1..=hours).contains(&n));
            page.since_last = Duration::from_secs(3600);
            crawl.replay(&page);
        }
        let rest = finish(crawl).await;
        assert_eq!(rest.ending(), ("error", None), "{hours} hours");
        assert_eq!(rest.snoozes.len(), snoozes, "{hours} hours");
        let failed = rest.urls(PageState::Failed).len();
        assert_eq!(failed, page_failed, "{hours} hours");
        assert_eq!(rest.end.summary.pages.fetched, 30);
        assert_eq!(rest.end.profile, whole.end.profile);
    }
    // What is recorded is how often a page was waited for.
    farm.add_site(
        "shop.test",
        Site::new(3).with_reply("/page-1", busy(429, "60")),
    );
    let crawled = run(settings(), order(&address, 3)).await;
    let waits: Vec<u32> = crawled
        .pages
        .iter()
        .map(|page| page.discovered.waits)
        .collect();
    assert_eq!(waits, [0, 3, 3]);
}

#[tokio::test]
async fn a_page_that_fails_by_a_hiccup_is_asked_for_again() {
    for hiccup in [
        Reply::status(500),
        Reply::closed(),
        Reply::cut_short("<p>x"),
    ] {
        let farm = SiteFarm::start().await.expect("farm");
        farm.add_site("shop.test", Site::new(2).with_reply("/page-1", hiccup));
        let mut crawl = begin(&farm, 10);
        page(&mut crawl).await;
        let (page, ()) = tokio::join!(
            page(&mut crawl),
            replace_after(&farm, "/page-1", Site::new(2))
        );
        assert_eq!(page.state, PageState::Fetched, "{:?}", page.failure);
        assert_eq!(asked(&farm, "/page-1"), 2);
    }
}

#[tokio::test]
async fn pages_that_go_on_failing_are_asked_for_again_at_first_and_then_once_each() {
    let site = Site::new(5)
        .with_status("/page-1", 500)
        .with_status("/page-2", 502)
        .with_status("/page-3", 404);
    let (farm, crawled) = crawl(site, 10).await;
    assert_eq!(crawled.fetched(), 2);
    let asked: Vec<usize> = (1..5).map(|n| asked(&farm, &Site::path(n))).collect();
    assert_eq!(asked, [3, 1, 1, 1]);
    // The start page is left to the next attempt at the site.
    let (farm, _crawled) = crawl(Site::new(1).with_status("/", 500), 10).await;
    assert_eq!(self::asked(&farm, "/"), 1);
}
