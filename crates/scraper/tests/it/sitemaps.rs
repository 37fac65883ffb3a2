//! Sitemaps: where they are asked for, what of them counts, and that they are bounded.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod first;
mod recording;

use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use trawl_domain::crawl_options::{CrawlOptions, SitemapUse};
use trawl_scraper::crawl::Crawl;
use trawl_scraper::crawler::Crawler;
use trawl_scraper::not_fetched::Reason;
use trawl_scraper::step::{SitemapCounts, Step};
use trawl_test_support::farm::{Reply, Site, SiteFarm};

use crate::harness::{Crawled, order, record, resume, run, settings};

/// A farm with one site, whose sitemaps are made with the address that it has.
async fn farm_with(site: impl FnOnce(&str) -> Site) -> (SiteFarm, String) {
    let farm = SiteFarm::start().await.expect("farm");
    let base = format!("http://{}", farm.domain("shop.test"));
    farm.add_site("shop.test", site(&base));
    (farm, base)
}

async fn crawl(farm: &SiteFarm, max_pages: u32, options: CrawlOptions) -> Crawled {
    let mut order = order(&farm.domain("shop.test"), max_pages);
    order.options = options;
    run(settings(), order).await
}

fn only() -> CrawlOptions {
    CrawlOptions {
        sitemap: SitemapUse::Only,
        ..CrawlOptions::default()
    }
}

fn list(root: &str, item: &str, urls: &[String]) -> String {
    let items: String = urls
        .iter()
        .map(|url| format!("<{item}><loc>{url}</loc></{item}>"))
        .collect();
    format!(
        "<?xml version=\"1.0\"?><{root} xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{items}</{root}>"
    )
}

fn urlset(urls: &[String]) -> String {
    list("urlset", "url", urls)
}

fn gzip(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_ref()).expect("gzip");
    gzip.finish().expect("gzip")
}

fn xml(text: String) -> Reply {
    Reply::of_type("application/xml", text)
}

fn asked(farm: &SiteFarm) -> Vec<String> {
    farm.hits("shop.test")
        .into_iter()
        .map(|hit| hit.path)
        .collect()
}

fn page(title: &str) -> Reply {
    Reply::html(format!("<!DOCTYPE html><title>{title}</title>"))
}

#[tokio::test]
async fn the_usual_place_is_asked_where_robots_txt_names_none() {
    let (farm, _) = farm_with(|base| {
        Site::new(3)
            .with_reply("/unlinked", page("unlinked"))
            .with_reply(
                "/sitemap.xml",
                xml(urlset(&[
                    format!("{base}/unlinked"),
                    format!("{base}/page-1"),
                ])),
            )
    })
    .await;
    let crawled = crawl(&farm, 10, CrawlOptions::default()).await;
    // What only the sitemap names comes after what pages link to.
    assert_eq!(
        asked(&farm),
        [
            "/robots.txt",
            "/",
            "/sitemap.xml",
            "/page-1",
            "/page-2",
            "/unlinked"
        ]
    );
    assert_eq!(crawled.fetched(), 4);
    assert_eq!(
        crawled.end.summary.sitemaps,
        Some(SitemapCounts { files: 1, urls: 1 })
    );
    assert_eq!(crawled.pages[3].depth, 1);
}

#[tokio::test]
async fn robots_txt_names_an_index_of_compressed_files_whatever_they_are_called() {
    let (farm, _) = farm_with(|base| {
        let index = list(
            "sitemapindex",
            "sitemap",
            &[
                format!("{base}/a.xml.gz"),
                format!("{base}/b"),
                "http://other.test/c.xml".to_owned(),
            ],
        );
        Site::new(1)
            .with_robots(&format!(
                "Sitemap: {base}/index.xml\nUser-agent: *\nDisallow: /b\n"
            ))
            .with_reply("/index.xml", xml(index))
            .with_reply(
                "/a.xml.gz",
                Reply::of_type(
                    "application/octet-stream",
                    gzip(urlset(&[format!("{base}/one")])),
                ),
            )
            .with_reply("/b", xml(urlset(&[format!("{base}/two")])))
            .with_reply("/one", page("one"))
    })
    .await;
    let crawled = crawl(&farm, 10, CrawlOptions::default()).await;
    assert_eq!(
        asked(&farm),
        ["/robots.txt", "/", "/index.xml", "/a.xml.gz", "/one"]
    );
    assert_eq!(crawled.fetched(), 2);
    assert!(farm.hits("other.test").is_empty());
    assert_eq!(
        crawled.end.summary.sitemaps,
        Some(SitemapCounts { files: 2, urls: 1 })
    );
}

#[tokio::test]
async fn robots_txt_may_name_a_text_and_a_sitemap_of_another_host() {
    let (farm, base) = farm_with(|base| {
        let elsewhere = base.replace("shop.test", "cdn.test");
        let text = format!("{base}/one\nhttp://other.test/out\n");
        Site::new(1)
            .with_robots(&format!(
                "Sitemap: {base}/urls.txt\nSitemap: {elsewhere}/index.xml\n"
            ))
            .with_reply("/urls.txt", Reply::of_type("text/plain", text))
            .with_reply("/one", page("one"))
            .with_reply("/two", page("two"))
    })
    .await;
    let elsewhere = base.replace("shop.test", "cdn.test");
    let index = list(
        "sitemapindex",
        "sitemap",
        &[
            format!("{elsewhere}/a.xml"),
            "http://other.test/b.xml".to_owned(),
        ],
    );
    let urls = [format!("{base}/two"), format!("{elsewhere}/page-1")];
    let cdn = Site::new(3)
        .with_robots("User-agent: *\nDisallow: /closed\n")
        .with_reply("/index.xml", xml(index))
        .with_reply("/a.xml", xml(urlset(&urls)));
    farm.add_site("cdn.test", cdn);
    let crawled = crawl(&farm, 10, only()).await;
    assert_eq!(
        asked(&farm),
        ["/robots.txt", "/", "/urls.txt", "/one", "/two"]
    );
    let of_cdn: Vec<String> = farm
        .hits("cdn.test")
        .into_iter()
        .map(|hit| hit.path)
        .collect();
    assert_eq!(of_cdn, ["/robots.txt", "/index.xml", "/a.xml"]);
    assert!(farm.hits("other.test").is_empty());
    assert_eq!(
        crawled.end.summary.sitemaps,
        Some(SitemapCounts { files: 3, urls: 2 })
    );
}

#[tokio::test]
async fn what_is_not_of_the_site_is_dropped_and_counted() {
    let (farm, _) = farm_with(|base| {
        let urls = [
            format!("{base}/in?utm_source=sitemap#x"),
            "http://other.test/out".to_owned(),
            format!("{base}/list.pdf"),
            "mailto:a@shop.test".to_owned(),
            format!("{base}/x/x/x/x"),
        ];
        Site::new(1)
            .with_reply("/sitemap.xml", xml(urlset(&urls)))
            .with_reply("/in", page("in"))
    })
    .await;
    let crawled = crawl(&farm, 10, only()).await;
    assert_eq!(asked(&farm), ["/robots.txt", "/", "/sitemap.xml", "/in"]);
    let summary = &crawled.end.summary.not_fetched;
    let counts =
        [Reason::OutOfScope, Reason::Type, Reason::TrapRepeat].map(|reason| summary.of(reason));
    // The generated start page names four other sites.
    assert_eq!(counts, [5, 1, 1]);
}

#[tokio::test]
async fn they_may_be_skipped_and_they_may_be_all_there_is() {
    let (farm, _) = farm_with(|base| {
        Site::new(6)
            .with_reply(
                "/sitemap.xml",
                xml(urlset(&[format!("{base}/page-3"), format!("{base}/extra")])),
            )
            .with_reply(
                "/extra",
                Reply::html("<!DOCTYPE html><a href=/page-4>x</a>"),
            )
    })
    .await;
    let crawled = crawl(&farm, 20, only()).await;
    assert_eq!(
        asked(&farm),
        ["/robots.txt", "/", "/sitemap.xml", "/page-3", "/extra"]
    );
    assert_eq!(crawled.ending(), ("frontier_exhausted", None));
    farm.forget_hits();
    let skipping = CrawlOptions {
        sitemap: SitemapUse::Skip,
        ..CrawlOptions::default()
    };
    let crawled = crawl(&farm, 20, skipping).await;
    assert_eq!(crawled.fetched(), 6);
    assert_eq!(crawled.end.summary.sitemaps, None);
    assert!(
        !asked(&farm)
            .iter()
            .any(|path| path.contains("sitemap") || path == "/extra")
    );
}

#[tokio::test]
async fn circles_nesting_and_redirects_of_sitemaps_end() {
    let (farm, _) = farm_with(|base| {
        let level = |n: u32| {
            let deeper = [
                format!("{base}/level-{}.xml", n + 1),
                format!("{base}/sitemap.xml"),
            ];
            xml(list("sitemapindex", "sitemap", &deeper))
        };
        (0..10)
            .fold(Site::new(1), |site, n| {
                site.with_reply(&format!("/level-{n}.xml"), level(n))
            })
            .with_redirect("/sitemap.xml", "/level-0.xml")
    })
    .await;
    let crawled = crawl(&farm, 10, CrawlOptions::default()).await;
    assert_eq!(crawled.fetched(), 1);
    let levels = asked(&farm)
        .iter()
        .filter(|path| path.starts_with("/level-"))
        .count();
    // The index, once more for the redirect that it names by itself, and two levels below it.
    assert!(levels <= 4, "{:?}", asked(&farm));
}

#[tokio::test]
async fn the_number_of_sitemaps_is_bounded() {
    let (farm, _) = farm_with(|base| {
        let files: Vec<String> = (0..500).map(|n| format!("{base}/s-{n}.xml")).collect();
        let site =
            Site::new(1).with_reply("/sitemap.xml", xml(list("sitemapindex", "sitemap", &files)));
        (0..500).fold(site, |site, n| {
            site.with_reply(&format!("/s-{n}.xml"), xml(urlset(&[])))
        })
    })
    .await;
    let crawled = crawl(&farm, 10, CrawlOptions::default()).await;
    assert_eq!(
        crawled.end.summary.sitemaps,
        Some(SitemapCounts { files: 32, urls: 0 })
    );
    assert_eq!(asked(&farm).len(), 2 + 32);
}

#[tokio::test]
async fn a_sitemap_that_holds_nothing_for_long_costs_no_more_than_its_time() {
    let empty = gzip(b"");
    let name = [
        b"\x1f\x8b\x08\x08\0\0\0\0\0\x03",
        vec![b'a'; 16 << 20].as_slice(),
    ]
    .concat();
    for nothing in [empty.repeat((16 << 20) / empty.len()), name] {
        let bomb = Reply::of_type("application/xml", gzip(&nothing));
        let bomb = bomb.with_header("Content-Encoding", "gzip");
        let (farm, _) = farm_with(|_| Site::new(2).with_reply("/sitemap.xml", bomb)).await;
        let began = Instant::now();
        let options = CrawlOptions {
            max_duration_s: Some(2),
            ..CrawlOptions::default()
        };
        let crawled = crawl(&farm, 10, options).await;
        assert!(
            began.elapsed() < Duration::from_secs(4),
            "{:?}",
            began.elapsed()
        );
        assert!(crawled.fetched() >= 1);
    }
}

#[tokio::test]
async fn a_wait_that_a_sitemap_asks_for_is_kept_and_what_it_names_is_not_lost() {
    let site = |base: &str| {
        let urls = [format!("{base}/unlinked")];
        let site = Site::new(2).with_reply("/unlinked", page("unlinked"));
        site.with_reply("/sitemap.xml", xml(urlset(&urls)))
    };
    let busy = |wait: &str| Reply::status(429).with_header("Retry-After", wait);
    let step = async |crawl: &mut Crawl| match crawl.next().await {
        Step::Page(page) => page.url.rsplit('/').next().expect("path").to_owned(),
        Step::Snooze(snooze) => format!("wait {}", snooze.wait.as_secs()),
        Step::Busy(busy) => format!("busy {}", busy.host_key),
        Step::End(end) => format!("{:?}", end.summary.sitemaps),
    };
    let (farm, base) = farm_with(|base| site(base).with_reply("/sitemap.xml", busy("60"))).await;
    let order = order(&base, 10);
    let mut crawl = Crawler::new(settings())
        .expect("crawler")
        .begin(order.clone());
    let start = match crawl.next().await {
        Step::Page(page) => *page,
        other => panic!("{other:?}"),
    };
    assert_eq!(step(&mut crawl).await, "wait 60");
    assert_eq!(
        (step(&mut crawl).await, crawl.snoozes()),
        ("wait 60".to_owned(), 2)
    );
    farm.add_site("shop.test", site(&base));
    let counted = format!("{:?}", Some(SitemapCounts { files: 1, urls: 1 }));
    for expected in ["page-1", "unlinked", &counted] {
        assert_eq!(step(&mut crawl).await, expected);
    }
    // So does a crawl that goes on later.
    let later = resume(order.clone(), std::slice::from_ref(&start)).await;
    assert_eq!(later.fetched(), 2);
    assert_eq!(format!("{:?}", later.end.summary.sitemaps), counted);

    // A short wait is waited out; a site that asks for nothing else keeps its pages.
    farm.add_site(
        "shop.test",
        site(&base).with_reply("/sitemap.xml", busy("1")),
    );
    let began = Instant::now();
    let crawled = run(settings(), order.clone()).await;
    assert!(began.elapsed() >= Duration::from_secs(3));
    assert_eq!((crawled.fetched(), crawled.snoozes.len()), (2, 3));
    assert_eq!(crawled.ending(), ("frontier_exhausted", None));
    // robots.txt may ask for it as well.
    let mut crawl = Crawler::new(settings()).expect("crawler").begin(order);
    crawl.replay(&record(&start));
    farm.add_site(
        "shop.test",
        site(&base).with_reply("/robots.txt", busy("60")),
    );
    assert_eq!(step(&mut crawl).await, "wait 60");
    farm.add_site("shop.test", site(&base));
    for expected in ["page-1", "unlinked", &counted] {
        assert_eq!(step(&mut crawl).await, expected);
    }
}

/// Nothing else waits then, and what they name is recorded with a page.
#[tokio::test]
async fn what_sitemaps_name_is_crawled_where_no_link_leads_on() {
    let site = |base: &str| {
        let urls: Vec<String> = (1..4).map(|n| format!("{base}/p{n}")).collect();
        let site = Site::new(1).with_reply("/", page("alone"));
        let site = site.with_reply("/sitemap.xml", xml(urlset(&urls)));
        (1..4).fold(site, |site, n| {
            site.with_reply(&format!("/p{n}"), page(&n.to_string()))
        })
    };
    let busy = Reply::status(429).with_header("Retry-After", "60");
    let (farm, base) = farm_with(|base| site(base).with_reply("/sitemap.xml", busy)).await;
    let order = order(&base, 10);
    let mut crawl = Crawler::new(settings())
        .expect("crawler")
        .begin(order.clone());
    let Step::Page(start) = crawl.next().await else {
        panic!("no page")
    };
    assert!(matches!(crawl.next().await, Step::Snooze(_)));
    farm.add_site("shop.test", site(&base));
    let whole = resume(order.clone(), &[*start.clone()]).await;
    assert_eq!(whole.fetched(), 3);
    for taken in 1..3 {
        let recorded = std::iter::once(&*start).chain(&whole.pages);
        let recorded: Vec<_> = recorded.take(taken + 1).cloned().collect();
        let rest = resume(order.clone(), &recorded).await;
        assert_eq!(rest.fetched(), 3 - taken, "after {taken}");
    }
}

#[tokio::test]
async fn a_server_that_breaks_off_is_not_asked_for_more_sitemaps() {
    let (farm, _) = farm_with(|base| {
        let robots: String = (0..5)
            .map(|n| format!("Sitemap: {base}/s{n}.xml\n"))
            .collect();
        (0..5).fold(Site::new(2).with_robots(&robots), |site, n| {
            site.with_reply(&format!("/s{n}.xml"), Reply::closed())
        })
    })
    .await;
    let crawled = crawl(&farm, 10, CrawlOptions::default()).await;
    assert_eq!(crawled.fetched(), 2);
    assert_eq!(
        asked(&farm)
            .iter()
            .filter(|path| path.starts_with("/s"))
            .count(),
        3,
        "the first of them, and again"
    );
}

/// One is gone for good, one stands on a server that nobody reaches, one fails for a moment.
#[tokio::test]
async fn a_sitemap_that_cannot_be_had_costs_no_other() {
    let (farm, _) = farm_with(|base| {
        let dead = "http://dead.test:1/s.xml";
        let robots =
            format!("Sitemap: {dead}\nSitemap: {base}/gone.xml\nSitemap: {base}/good.xml\n");
        Site::new(1)
            .with_robots(&robots)
            .with_status("/gone.xml", 503)
            .with_reply("/good.xml", xml(urlset(&[format!("{base}/hidden")])))
            .with_reply("/hidden", page("hidden"))
    })
    .await;
    let crawled = crawl(&farm, 10, CrawlOptions::default()).await;
    assert_eq!(crawled.fetched(), 2);
    let asked = asked(&farm);
    let count = |path: &str| asked.iter().filter(|asked| *asked == path).count();
    assert_eq!(
        (count("/gone.xml"), count("/good.xml")),
        (3, 1),
        "{asked:?}"
    );
}

/// What says who is behind the site is not kept waiting by what names the rest.
#[tokio::test]
async fn contact_pages_that_are_linked_come_before_the_sitemaps() {
    let (farm, _) = farm_with(|base| {
        Site::new(1)
            .with_reply(
                "/",
                Reply::html("<title>x</title><a href=/a>a</a><a href=/contact>c</a>"),
            )
            .with_reply(
                "/contact",
                Reply::html("<title>c</title><a href=/imprint>i</a>"),
            )
            .with_reply("/imprint", page("i"))
            .with_reply("/a", page("a"))
            .with_reply("/hidden", page("hidden"))
            .with_reply("/sitemap.xml", xml(urlset(&[format!("{base}/hidden")])))
    })
    .await;
    let crawled = crawl(&farm, 10, CrawlOptions::default()).await;
    assert_eq!(crawled.fetched(), 5);
    let expected = [
        "/robots.txt",
        "/",
        "/contact",
        "/imprint",
        "/sitemap.xml",
        "/a",
        "/hidden",
    ];
    assert_eq!(asked(&farm), expected);
    farm.forget_hits();
    let crawled = crawl(&farm, 3, CrawlOptions::default()).await;
    assert_eq!(crawled.fetched(), 3);
    assert!(!asked(&farm).contains(&"/sitemap.xml".to_owned()));
}
