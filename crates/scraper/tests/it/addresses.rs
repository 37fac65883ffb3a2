//! Where connections may go: every spelling, every redirect, every name.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::io::ErrorKind;
use std::net::TcpListener;

use trawl_domain::network::AddressPolicy;
use trawl_test_support::farm::{Reply, Site, SiteFarm};

use crate::harness::{Crawled, order, run, settings};

#[tokio::test]
async fn nothing_private_is_fetched_however_it_is_spelled() {
    let farm = SiteFarm::start().await.expect("farm");
    let port = farm.port();
    let mut settings = settings();
    settings.addresses = AddressPolicy::public_only();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "10.0.0.1",
        "169.254.169.254",
        "named.test",
    ] {
        let crawled = run(settings.clone(), order(&format!("{host}:{port}"), 1)).await;
        assert_eq!(
            crawled.ending(),
            ("error", Some("address_blocked")),
            "{host}"
        );
        assert!(
            crawled.sentence().ends_with("which is not public"),
            "{}",
            crawled.sentence()
        );
    }
    assert_eq!(farm.tls_hellos(), 0);
}

#[tokio::test]
async fn a_redirect_does_not_lead_past_the_policy() {
    let farm = SiteFarm::start().await.expect("farm");
    let target = format!("http://inner.{}/", farm.domain("shop.test"));
    farm.add_site("shop.test", Site::new(1).with_redirect("/", &target));
    farm.add_site("inner.shop.test", Site::new(1));
    let mut settings = settings();
    settings.static_names = "shop.test=127.0.0.1,inner.shop.test=10.0.0.1"
        .parse()
        .expect("names");
    let crawled = run(settings, order(&farm.domain("shop.test"), 1)).await;
    assert_eq!(crawled.ending(), ("error", Some("address_blocked")));
    assert!(farm.hits("inner.shop.test").is_empty());
}

#[tokio::test]
async fn a_name_of_both_kinds_is_connected_to_at_its_permitted_address_only() {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", Site::new(1));
    let mut settings = settings();
    settings.static_names = "shop.test=10.0.0.1|127.0.0.1|::1".parse().expect("names");
    let crawled = run(settings, order(&farm.domain("shop.test"), 1)).await;
    assert_eq!(crawled.fetched(), 1);
}

#[tokio::test]
async fn an_allowed_address_may_be_named_by_itself() {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("127.0.0.1", Site::new(2));
    let crawled = run(settings(), order(&format!("127.0.0.1:{}", farm.port()), 10)).await;
    assert_eq!(crawled.fetched(), 2);
}

#[tokio::test]
async fn robots_txt_does_not_lead_past_the_policy() {
    let farm = SiteFarm::start().await.expect("farm");
    for target in [
        format!("http://inner.{}/robots.txt", farm.domain("shop.test")),
        "http://10.0.0.1/robots.txt".to_owned(),
        format!("http://[::ffff:a00:1]:{}/robots.txt", farm.port()),
        "http://0x0a000001/robots.txt".to_owned(),
    ] {
        let site = Site::new(1).with_redirect("/robots.txt", &target);
        farm.add_site("shop.test", site);
        farm.add_site("inner.shop.test", Site::new(1));
        let mut settings = settings();
        settings.static_names = "shop.test=127.0.0.1,inner.shop.test=10.0.0.1"
            .parse()
            .expect("names");
        let crawled = run(settings, order(&farm.domain("shop.test"), 1)).await;
        assert_eq!(crawled.ending(), ("robots", Some("robots_unavailable")));
        assert!(
            crawled.sentence().ends_with("which is not public"),
            "{}",
            crawled.sentence()
        );
    }
    assert!(farm.hits("inner.shop.test").is_empty());
}

/// A crawl of a site to which a host `inner.` belongs, at an address that the policy closes. Nobody
/// connects to it.
async fn crawl_beside_a_closed_host(site: impl FnOnce(&str) -> Site) -> Crawled {
    let farm = SiteFarm::start().await.expect("farm");
    let inner = format!("http://inner.{}", farm.domain("shop.test"));
    farm.add_site("shop.test", site(&inner));
    let closed = TcpListener::bind(("127.0.0.2", farm.port())).expect("127.0.0.2");
    closed.set_nonblocking(true).expect("socket");
    let mut settings = settings();
    settings.addresses = "127.0.0.1/32".parse().expect("networks");
    settings.static_names = "shop.test=127.0.0.1,inner.shop.test=127.0.0.2"
        .parse()
        .expect("names");
    let mut order = order(&farm.domain("shop.test"), 1);
    order.max_pages = 5;
    order.options.include_subdomains = true;
    let crawled = run(settings, order).await;
    let connection = closed.accept().map_err(|error| error.kind());
    assert_eq!(connection.err(), Some(ErrorKind::WouldBlock));
    crawled
}

#[tokio::test]
async fn no_sitemap_is_read_from_where_the_policy_closes() {
    type Make = fn(Site, &str) -> Site;
    let ways: [(&str, Make); 3] = [
        ("named by robots.txt", |site, inner| {
            site.with_robots(&format!("Sitemap: {inner}/sitemap.xml\n"))
        }),
        ("redirected to", |site, inner| {
            site.with_redirect("/sitemap.xml", &format!("{inner}/sitemap.xml"))
        }),
        ("named by an index", |site, inner| {
            let index = format!(
                "<sitemapindex><sitemap><loc>{inner}/sitemap.xml</loc></sitemap></sitemapindex>"
            );
            site.with_reply("/sitemap.xml", Reply::of_type("application/xml", index))
        }),
    ];
    for (way, make) in ways {
        let crawled = crawl_beside_a_closed_host(|inner| make(Site::new(2), inner)).await;
        assert_eq!(crawled.fetched(), 2, "{way}");
        let files = crawled.end.summary.sitemaps.map(|counts| counts.files);
        assert_eq!(files, Some(u32::from(way == "named by an index")), "{way}");
    }
}

#[tokio::test]
async fn what_a_sitemap_names_is_vetted_like_any_other_page() {
    let crawled = crawl_beside_a_closed_host(|inner| {
        let list = format!("<urlset><url><loc>{inner}/page-1</loc></url></urlset>");
        Site::new(2).with_reply("/sitemap.xml", Reply::of_type("application/xml", list))
    })
    .await;
    assert_eq!(crawled.fetched(), 2);
    let blocked = crawled
        .pages
        .iter()
        .find(|page| page.url.contains("inner.shop.test"))
        .and_then(|page| page.failure.as_ref());
    assert_eq!(
        blocked.map(|failure| failure.code.as_str()),
        Some("address_blocked")
    );
}
