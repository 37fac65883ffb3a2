//! What comes first is found where a sitemap alone names it.

use trawl_domain::crawl_options::CrawlOptions;
use trawl_scraper::step::CrawledPage;
use trawl_test_support::farm::{Reply, Site};

use super::{asked, crawl, farm_with, list, page, urlset, xml};
use crate::harness::{order, resume};

#[tokio::test]
async fn what_a_sitemap_alone_names_gets_in_without_room_where_it_comes_first() {
    let posts = |base: &str| -> Vec<String> { (0..200).map(|n| format!("{base}/p{n}")).collect() };
    let site = |pages: &[&str]| {
        let pages = pages.iter().copied().chain(["/p0", "/p1", "/p2"]);
        pages.fold(Site::new(1), |site, path| site.with_reply(path, page(path)))
    };
    let contacts: Vec<String> = (0..6).map(|n| format!("/{n}/kontakt")).collect();
    let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
    // At the end of the sitemap that fills the share.
    let (farm, base) = farm_with(|base| {
        let mut urls = posts(base);
        let mut named = contacts.clone();
        named.push("/impressum");
        urls.extend(named.iter().map(|path| format!("{base}{path}")));
        site(&named).with_reply("/sitemap.xml", xml(urlset(&urls)))
    })
    .await;
    let whole = crawl(&farm, 7, CrawlOptions::default()).await;
    let expected = [&["/"], &contacts[..4], &["/impressum", "/p0"]].concat();
    let expected: Vec<String> = expected
        .iter()
        .map(|path| format!("{base}{path}"))
        .collect();
    let urls = |pages: &[CrawledPage]| -> Vec<String> {
        pages.iter().map(|page| page.url.clone()).collect()
    };
    assert_eq!(urls(&whole.pages), expected);
    // An interruption after any page changes nothing.
    for cut in 1..7 {
        let order = order(&farm.domain("shop.test"), 7);
        let rest = resume(order, &whole.pages[..cut]).await;
        assert_eq!(urls(&rest.pages), expected[cut..], "after {cut}");
    }

    // In one of pages, behind the one that fills the share; the others are not asked for.
    let (farm, base) = farm_with(|base| {
        let files = [
            "posts.xml",
            "products.xml",
            "page-sitemap.xml",
            "map?of=pages",
            "tags.xml",
        ];
        let files: Vec<String> = files.iter().map(|file| format!("{base}/{file}")).collect();
        site(&["/impressum", "/kontakt"])
            .with_reply("/sitemap.xml", xml(list("sitemapindex", "sitemap", &files)))
            .with_reply("/posts.xml", xml(urlset(&posts(base))))
            .with_reply(
                "/page-sitemap.xml",
                xml(urlset(&[format!("{base}/impressum")])),
            )
            .with_reply("/map?of=pages", xml(urlset(&[format!("{base}/kontakt")])))
    })
    .await;
    let crawled = crawl(&farm, 4, CrawlOptions::default()).await;
    let expected = ["/", "/kontakt", "/impressum", "/p0"].map(|path| format!("{base}{path}"));
    assert_eq!(urls(&crawled.pages), expected);
    let asked = asked(&farm);
    assert!(asked.contains(&"/page-sitemap.xml".to_owned()), "{asked:?}");
    assert!(!asked.contains(&"/products.xml".to_owned()), "{asked:?}");
    assert!(!asked.contains(&"/tags.xml".to_owned()), "{asked:?}");
}

#[tokio::test]
async fn what_comes_first_is_not_looked_for_in_a_sitemap_without_an_end() {
    // The imprint stands behind more than is looked at, on a connection that would go on.
    let (farm, base) = farm_with(|base| {
        let mut text: String = (0..12_000).map(|n| format!("{base}/p{n}\n")).collect();
        text.push_str(&format!("{base}/impressum\n"));
        let site = Site::new(1).with_reply("/p0", page("p0"));
        site.with_reply("/sitemap.xml", Reply::of_type("text/plain", text))
            .with_reply("/impressum", page("imprint"))
    })
    .await;
    let crawled = crawl(&farm, 2, CrawlOptions::default()).await;
    let urls: Vec<&str> = crawled.pages.iter().map(|page| page.url.as_str()).collect();
    assert_eq!(urls, [format!("{base}/"), format!("{base}/p0")]);
}
