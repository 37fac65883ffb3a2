//! What sitemaps name is recorded with pages, and not lost between them.

use trawl_domain::page::PageState;
use trawl_scraper::step::{CrawledPage, Discovered};
use trawl_test_support::farm::Site;

use super::{asked, crawl, farm_with, only, page, urlset, xml};
use crate::harness::{order, resume};

/// More than one page can take: what is left is recorded with the pages that follow.
#[tokio::test]
async fn a_long_sitemap_is_recorded_over_several_pages_and_resumed_between_them() {
    let path = |n: usize| format!("/p{n}-{}", "x".repeat(900));
    let (farm, _) = farm_with(|base| {
        let urls: Vec<String> = (0..200).map(|n| format!("{base}{}", path(n))).collect();
        let site = Site::new(1).with_reply("/sitemap.xml", xml(urlset(&urls)));
        (0..200).fold(site, |site, n| {
            site.with_reply(&path(n), page(&n.to_string()))
        })
    })
    .await;
    let whole = crawl(&farm, 20, only()).await;
    assert_eq!(whole.fetched(), 20);
    let shares: Vec<usize> = whole
        .pages
        .iter()
        .filter_map(|page| page.discovered.sitemap.as_ref())
        .map(|share| share.urls.len())
        .collect();
    assert_eq!(shares.iter().sum::<usize>(), 200);
    assert!(
        shares.len() == 4 && shares.iter().all(|urls| *urls < 75),
        "{shares:?}"
    );
    for cut in [1, 2, 3, 10] {
        farm.forget_hits();
        let mut order = order(&farm.domain("shop.test"), 20);
        order.options = only();
        let rest = resume(order, &whole.pages[..cut]).await;
        let found = |pages: &[CrawledPage]| -> Vec<(String, PageState, Discovered)> {
            let found =
                |page: &CrawledPage| (page.url.clone(), page.state, page.discovered.clone());
            pages.iter().map(found).collect()
        };
        assert_eq!(
            found(&rest.pages),
            found(&whole.pages[cut..]),
            "after {cut}"
        );
        assert_eq!(rest.end.summary.sitemaps, whole.end.summary.sitemaps);
        // Read again only where something of it is not recorded yet.
        let is_read_again = asked(&farm).contains(&"/sitemap.xml".to_owned());
        assert_eq!(is_read_again, cut < 4, "after {cut}");
    }
}
