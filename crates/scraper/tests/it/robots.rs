//! robots.txt on the wire: what opens a site, what closes it, what a crawl asks for first.

use std::time::Duration;

use trawl_domain::page::PageState;
use trawl_scraper::crawler::Crawler;
use trawl_scraper::step::CrawlDelay;
use trawl_test_support::farm::{Reply, Site, SiteFarm};

use crate::harness::{crawl, linking, order, paths, run, run_with, settings};

#[tokio::test]
async fn it_is_asked_for_once_and_first() {
    let (farm, _crawled) = crawl(Site::new(5), 10).await;
    let paths = paths(&farm, "shop.test");
    assert_eq!(paths.first().map(String::as_str), Some("/robots.txt"));
    assert_eq!(
        paths.iter().filter(|path| *path == "/robots.txt").count(),
        1
    );
}

#[tokio::test]
async fn disallowed_pages_are_skipped_without_a_request() {
    let site = Site::new(4).with_robots("User-agent: *\nDisallow: /page-2\n");
    let (farm, crawled) = crawl(site, 10).await;
    assert_eq!(crawled.fetched(), 3);
    assert_eq!(
        crawled.outcome("/page-2"),
        (PageState::Skipped, Some("robots_disallowed"), None)
    );
    assert!(!paths(&farm, "shop.test").contains(&"/page-2".to_owned()));
}

#[tokio::test]
async fn a_redirect_that_spells_a_disallowed_path_otherwise_is_not_followed() {
    let site = Site::new(1)
        .with_robots("User-agent: *\nDisallow: /private/\nDisallow: /caf%C3%A9/\n")
        .with_reply("/", linking(&["/one", "/two"]))
        .with_redirect("/one", "/%70rivate/secret")
        .with_redirect("/two", "/caf%c3%a9/menu");
    let (farm, crawled) = crawl(site, 10).await;
    for path in ["/one", "/two"] {
        let (state, code, _) = crawled.outcome(path);
        assert_eq!(
            (state, code),
            (PageState::Skipped, Some("robots_disallowed")),
            "{path}"
        );
    }
    assert_eq!(
        paths(&farm, "shop.test"),
        ["/robots.txt", "/", "/one", "/two"]
    );
}

#[tokio::test]
async fn a_group_that_asks_for_a_delay_alone_closes_nothing() {
    let robots = "User-agent: *\nCrawl-delay: 0.01\n\nUser-agent: AhrefsBot\nDisallow: /\n";
    let (_farm, crawled) = crawl(Site::new(3).with_robots(robots), 10).await;
    assert_eq!(crawled.fetched(), 3);
}

#[tokio::test]
async fn a_disallowed_start_page_fails_the_site() {
    let site = Site::new(4).with_robots("User-agent: trawl\nDisallow: /\n");
    let (farm, crawled) = crawl(site, 10).await;
    assert_eq!(crawled.ending(), ("robots", Some("robots_disallowed")));
    assert_eq!(paths(&farm, "shop.test"), ["/robots.txt"]);
}

#[tokio::test]
async fn what_is_not_there_allows_everything() {
    for reply in [
        Reply::status(404),
        Reply::status(401),
        Reply::redirect("mailto:x"),
    ] {
        let (_farm, crawled) = crawl(Site::new(2).with_reply("/robots.txt", reply), 10).await;
        assert_eq!(crawled.fetched(), 2);
    }
}

#[tokio::test]
async fn what_cannot_be_had_closes_the_site_for_now() {
    for reply in [
        Reply::status(500),
        Reply::status(503),
        Reply::closed(),
        Reply::cut_short("User-agent: *"),
    ] {
        let (_farm, crawled) = crawl(Site::new(2).with_reply("/robots.txt", reply), 10).await;
        assert_eq!(crawled.ending(), ("robots", Some("robots_unavailable")));
        assert!(
            crawled.sentence().contains("/robots.txt"),
            "{}",
            crawled.sentence()
        );
    }
}

#[tokio::test]
async fn five_redirects_are_followed_to_it_and_a_sixth_means_that_there_is_none() {
    let site = |hops: usize| {
        let site = Site::new(2).with_redirect("/robots.txt", "/r1");
        let site = (1..hops).fold(site, |site, n| {
            site.with_redirect(&format!("/r{n}"), &format!("/r{}", n + 1))
        });
        site.with_reply(
            &format!("/r{hops}"),
            Reply::of_type("text/plain", "User-agent: *\nDisallow: /"),
        )
    };
    let (_farm, crawled) = crawl(site(5), 10).await;
    assert_eq!(crawled.ending(), ("robots", Some("robots_disallowed")));
    let (_farm, crawled) = crawl(site(6), 10).await;
    assert_eq!(crawled.fetched(), 2);
}

#[tokio::test]
async fn rules_beyond_the_cap_are_not_read() {
    let filler = format!("# {}\n", "x".repeat(1000)).repeat(512);
    let robots = format!("User-agent: *\n{filler}Disallow: /\n");
    assert!(robots.len() > 500 * 1024);
    let (_farm, crawled) = crawl(Site::new(1).with_robots(&robots), 1).await;
    assert_eq!(crawled.fetched(), 1);
}

#[tokio::test]
async fn each_host_of_a_site_has_its_own() {
    let farm = SiteFarm::start().await.expect("farm");
    let www = format!("http://www.{}", farm.domain("shop.test"));
    let page = format!("<!DOCTYPE html><a href=\"{www}/a\">a</a><a href=\"{www}/b\">b</a>");
    farm.add_site("shop.test", Site::new(1).with_reply("/", Reply::html(page)));
    let other = Site::new(1)
        .with_robots("User-agent: *\nDisallow: /a")
        .with_reply("/b", Reply::html("<!DOCTYPE html>b"));
    farm.add_site("www.shop.test", other);
    let crawled = run(settings(), order(&farm.domain("shop.test"), 10)).await;
    assert_eq!(crawled.outcome("/a").1, Some("robots_disallowed"));
    assert_eq!(crawled.outcome("/b").0, PageState::Fetched);
    assert_eq!(paths(&farm, "www.shop.test"), ["/robots.txt", "/b"]);
}

#[tokio::test]
async fn a_crawl_delay_slows_the_crawl_down() {
    let site = Site::new(2).with_robots("User-agent: *\nCrawl-delay: 0.2\n");
    let (farm, _crawled) = crawl(site, 10).await;
    let hits = farm.hits("shop.test");
    for pair in hits.windows(2) {
        let ended = pair[0].ended.expect("an end");
        assert!(pair[1].started - ended >= Duration::from_millis(190));
    }
}

#[tokio::test]
async fn the_crawls_of_a_process_share_what_they_know() {
    let farm = SiteFarm::start().await.expect("farm");
    let crawler = Crawler::new(settings()).expect("crawler");
    let asked = async |site: Site| {
        farm.forget_hits();
        farm.add_site("shop.test", site);
        run_with(&crawler, order(&farm.domain("shop.test"), 1)).await;
        let paths = paths(&farm, "shop.test");
        paths.iter().filter(|path| *path == "/robots.txt").count()
    };
    // What could not be had is asked for again at once.
    assert_eq!(asked(Site::new(1).with_status("/robots.txt", 500)).await, 1);
    assert_eq!(asked(Site::new(1).with_robots("User-agent: *")).await, 1);
    assert_eq!(asked(Site::new(1)).await, 0);
}

#[tokio::test]
async fn the_delay_that_was_asked_for_is_told_with_what_was_honored() {
    let farm = SiteFarm::start().await.expect("farm");
    let robots = "User-agent: *\nCrawl-delay: 90\nDisallow: /";
    farm.add_site("shop.test", Site::new(1).with_robots(robots));
    let crawled = run(settings(), order(&farm.domain("shop.test"), 1)).await;
    let told = CrawlDelay {
        asked: Duration::from_secs(90),
        honored: Duration::from_secs(30),
    };
    assert_eq!(crawled.end.summary.crawl_delay, Some(told));
}
