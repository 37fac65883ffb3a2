//! What belongs to a crawl: hosts, paths, queries, and what is told of everything else.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use trawl_domain::crawl_options::CrawlOptions;
use trawl_domain::page::PageState;
use trawl_domain::path_globs::PathGlobs;
use trawl_scraper::not_fetched::Reason;
use trawl_test_support::farm::{Reply, Site, SiteFarm};

use crate::harness::{Crawled, crawl, crawl_with, linking, order, paths, run, settings};

fn globs(list: &[&str]) -> PathGlobs {
    let globs = list.iter().map(|&glob| glob.to_owned()).collect();
    PathGlobs::new(globs).expect("globs")
}

/// A site whose start page links to its twin, to hosts below it, and elsewhere.
async fn hosts(include_subdomains: bool) -> (SiteFarm, Crawled) {
    let farm = SiteFarm::start().await.expect("farm");
    let links: Vec<String> = ["www.shop.test", "blog.shop.test", "a.b.shop.test"]
        .iter()
        .chain(&["notshop.test", "other.test"])
        .map(|host| format!("http://{}/", farm.domain(host)))
        .map(|url| format!("{url}in"))
        .collect();
    let links: Vec<&str> = links.iter().map(String::as_str).collect();
    farm.add_site("shop.test", Site::new(1).with_reply("/", linking(&links)));
    for host in [
        "www.shop.test",
        "blog.shop.test",
        "a.b.shop.test",
        "other.test",
    ] {
        let page = format!("<!DOCTYPE html><title>{host}</title>");
        farm.add_site(host, Site::new(1).with_reply("/in", Reply::html(page)));
    }
    let mut order = order(&farm.domain("shop.test"), 10);
    order.options.include_subdomains = include_subdomains;
    let crawled = run(settings(), order).await;
    (farm, crawled)
}

#[tokio::test]
async fn the_host_and_its_www_twin_are_the_site() {
    let (farm, crawled) = hosts(false).await;
    assert_eq!(crawled.fetched(), 2);
    assert_eq!(paths(&farm, "www.shop.test"), ["/robots.txt", "/in"]);
    assert!(farm.hits("blog.shop.test").is_empty());
    assert_eq!(crawled.not_fetched(Reason::OutOfScope), 4);
}

#[tokio::test]
async fn subdomains_are_the_site_where_so_asked() {
    let (farm, crawled) = hosts(true).await;
    assert_eq!(crawled.fetched(), 4);
    for host in ["blog.shop.test", "a.b.shop.test"] {
        assert_eq!(paths(&farm, host), ["/robots.txt", "/in"], "{host}");
    }
    assert!(farm.hits("other.test").is_empty());
    assert_eq!(crawled.not_fetched(Reason::OutOfScope), 2);
}

#[tokio::test]
async fn only_the_paths_asked_for_are_fetched_and_the_start_page_always_is() {
    let links = [
        "/blog/a",
        "/blog/b/c",
        "/blog/private/x",
        "/shop",
        "/moved",
        "/blog/away",
    ];
    let site = || {
        let page = |path: &str| Reply::html(format!("<!DOCTYPE html><title>{path}</title>"));
        links
            .iter()
            .fold(Site::new(1), |site, path| site.with_reply(path, page(path)))
            .with_reply("/", linking(&links))
            .with_redirect("/blog/away", "/shop")
    };
    let (farm, crawled) = crawl_with(site(), 20, |options: &mut CrawlOptions| {
        options.include_paths = globs(&["/blog/**"]);
        options.exclude_paths = globs(&["/blog/private/**"]);
    })
    .await;
    assert_eq!(
        paths(&farm, "shop.test"),
        ["/robots.txt", "/", "/blog/a", "/blog/b/c", "/blog/away"]
    );
    assert_eq!(crawled.outcome("/blog/away").1, Some("excluded"));
    assert_eq!(crawled.not_fetched(Reason::Excluded), 4);

    let (_farm, crawled) = crawl_with(site(), 20, |_| {}).await;
    assert_eq!(crawled.fetched(), 6);
    assert_eq!(crawled.not_fetched(Reason::Excluded), 0);
}

#[tokio::test]
async fn urls_that_differ_in_their_query_are_one_page_where_so_asked() {
    let links = ["/list?a=1", "/list?a=2", "/list"];
    let site = || {
        let page = |n: u8| Reply::html(format!("<!DOCTYPE html><title>{n}</title>"));
        Site::new(1)
            .with_reply("/", linking(&links))
            .with_reply("/list?a=1", page(1))
            .with_reply("/list?a=2", page(2))
            .with_reply("/list", page(3))
    };
    let ignoring = |options: &mut CrawlOptions| options.ignore_query = true;
    let (farm, crawled) = crawl_with(site(), 20, ignoring).await;
    assert_eq!(crawled.fetched(), 2);
    assert_eq!(paths(&farm, "shop.test"), ["/robots.txt", "/", "/list"]);
    assert_eq!(crawl_with(site(), 20, |_| {}).await.1.fetched(), 4);
}

#[tokio::test]
async fn what_is_not_followed_is_counted_once_with_its_reason() {
    let body = "<!DOCTYPE html><a rel='nofollow ugc' href=/login>x</a><a href=/page-1>x</a>\
                <a href=/report.pdf>x</a><a href=/closed>x</a><a href=/data>x</a>\
                <a href=https://elsewhere.example/>x</a><a href=/deep/a>x</a>";
    let again = body.replace("/page-1", "/page-2");
    let site = Site::new(4)
        .with_robots("User-agent: *\nDisallow: /closed\n")
        .with_reply("/", Reply::html(body))
        .with_reply(
            "/deep/a",
            Reply::html(format!("{again}<a href=/deep/b>x</a>")),
        )
        .with_reply("/data", Reply::of_type("application/json", "{}"));
    let (farm, crawled) = crawl_with(site, 20, |options| options.max_depth = Some(1)).await;
    let counted: Vec<(&str, u32)> = Reason::ALL
        .iter()
        .map(|reason| (reason.as_str(), crawled.not_fetched(*reason)))
        .filter(|(_, urls)| *urls > 0)
        .collect();
    assert_eq!(
        counted,
        [
            // Beside the one above, three social profiles and a partner of the generated page.
            ("out_of_scope", 5),
            ("too_deep", 2),
            ("robots", 1),
            ("nofollow", 1),
            ("type", 2),
        ]
    );
    assert!(!paths(&farm, "shop.test").contains(&"/login".to_owned()));
    assert_eq!(crawled.pages[0].not_fetched.of(Reason::Nofollow), 1);
    let pages = crawled.end.summary.pages;
    assert_eq!((pages.fetched, pages.failed, pages.skipped), (3, 0, 2));
}

#[tokio::test]
async fn what_is_asked_of_a_robot_by_name_is_asked_of_that_one_alone() {
    for (header, fetched) in [
        ("trawl: nofollow", 1),
        ("googlebot: none, trawl: nofollow", 1),
        ("googlebot: nofollow", 2),
    ] {
        let start = linking(&["/page-1"]).with_header("X-Robots-Tag", header);
        let (_farm, crawled) = crawl(Site::new(2).with_reply("/", start), 5).await;
        assert_eq!(crawled.fetched(), fetched, "{header}");
    }
}

#[tokio::test]
async fn what_the_budget_left_out_is_counted() {
    let (_farm, crawled) = crawl(Site::new(40), 8).await;
    // The eight pages fetched link to pages 1 to 40, of which the site has up to 39.
    assert_eq!(crawled.not_fetched(Reason::Budget), 39 - 7);
    assert_eq!(crawled.urls(PageState::Fetched).len(), 8);
}
