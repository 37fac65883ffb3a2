//! The order of a crawl, pages that are the same, and URLs without end.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use trawl_domain::page::PageState;
use trawl_scraper::not_fetched::Reason;
use trawl_scraper::step::CrawledPage;
use trawl_test_support::farm::{Reply, Site, SiteFarm};

use crate::harness::{crawl, linking, order, paths, resume, run, settings};

fn page(title: &str) -> Reply {
    Reply::html(format!("<!DOCTYPE html><title>{title}</title>"))
}

fn pages(site: Site, all: &[&str]) -> Site {
    all.iter()
        .fold(site, |site, path| site.with_reply(path, page(path)))
}

#[tokio::test]
async fn the_budget_goes_to_the_pages_that_matter_first() {
    let links = [
        "/a",
        "/b",
        "/c",
        "/datenschutz",
        "/unser-team",
        "/impressum",
        "/ueber-uns",
        "/kontakt",
    ];
    let site = pages(Site::new(1), &links).with_reply("/", linking(&links));
    let (farm, crawled) = crawl(site, 7).await;
    assert_eq!(
        paths(&farm, "shop.test")[1..],
        [
            "/",
            "/kontakt",
            "/ueber-uns",
            "/impressum",
            "/unser-team",
            "/datenschutz",
            "/a"
        ]
    );
    assert_eq!(crawled.not_fetched(Reason::Budget), 2);
}

/// A site whose URLs say nothing: a shop window of pages first, then one for each label.
fn of_ids(labels: &[&str]) -> Site {
    let mut links = String::new();
    let mut site = Site::new(1);
    for n in 0..20 {
        links.push_str(&format!("<a href=\"/p?id={n}\">{n}</a>\n"));
        site = site.with_reply(&format!("/p?id={n}"), page(&n.to_string()));
    }
    for (n, label) in (20..).zip(labels) {
        links.push_str(&label.replace("HREF", &format!("href=\"/p?id={n}\"")));
        site = site.with_reply(&format!("/p?id={n}"), page(&n.to_string()));
    }
    let start = format!("<!DOCTYPE html><meta charset=utf-8><title>Start</title>{links}");
    site.with_reply("/", Reply::html(start))
}

#[tokio::test]
async fn what_links_say_counts_where_urls_say_nothing_in_any_language() {
    // In the order of the pages; they are fetched as contact, about, imprint, legal.
    for labels in [
        [
            "<a HREF>Datenschutz</a>",
            "<a HREF><span>Impressum</span> </a>",
            "<a HREF>\n &Uuml;ber\n uns</a>",
            "<a HREF>Kontakt &amp; Anfahrt</a>",
        ],
        [
            "<a HREF>Politique de confidentialité</a>",
            "<a HREF>Mentions légales</a>",
            "<a HREF>À propos</a>",
            "<a HREF>Nous contacter</a>",
        ],
        [
            "<a HREF>Политика конфиденциальности</a>",
            "<a HREF>Реквизиты</a>",
            "<a HREF>О компании</a>",
            "<a HREF>Контакты</a>",
        ],
        [
            "<a HREF>プライバシーポリシー</a>",
            "<a HREF>特定商取引法に基づく表記</a>",
            "<a HREF>会社概要</a>",
            "<a HREF>お問い合わせ</a>",
        ],
        [
            "<a HREF>Gizlilik</a>",
            "<a HREF>Künye</a>",
            "<a HREF>HAKKIMIZDA</a>",
            "<a HREF>İletişim</a>",
        ],
        // By what stands for a text.
        [
            "<a HREF title=Privacy>§</a>",
            "<a HREF aria-label=\"Aviso legal\"><svg></svg></a>",
            "<a HREF><img src=a.png alt=\"Chi siamo\"></a>",
            "<map><area HREF alt=\"صفحة\" title=\"اتصل بنا\"></map>",
        ],
    ] {
        let (farm, crawled) = crawl(of_ids(&labels), 6).await;
        assert_eq!(
            paths(&farm, "shop.test")[1..],
            [
                "/", "/p?id=23", "/p?id=22", "/p?id=21", "/p?id=20", "/p?id=0"
            ],
            "{labels:?}"
        );
        // An interruption after any page changes nothing.
        for cut in 1..6 {
            farm.forget_hits();
            let address = farm.domain("shop.test");
            let rest = resume(order(&address, 6), &crawled.pages[..cut]).await;
            let urls = |pages: &[CrawledPage]| -> Vec<String> {
                pages.iter().map(|page| page.url.clone()).collect()
            };
            assert_eq!(urls(&rest.pages), urls(&crawled.pages[cut..]), "{labels:?}");
        }
    }
}

#[tokio::test]
async fn what_a_later_page_calls_a_page_that_waits_moves_it_forward() {
    let footer = "<!DOCTYPE html><title>0</title><a href=\"/p?id=9\">Impressum</a>";
    let site = of_ids(&[]).with_reply("/p?id=0", Reply::html(footer));
    let (farm, crawled) = crawl(site, 5).await;
    let expected = ["/", "/p?id=0", "/p?id=9", "/p?id=1", "/p?id=2"];
    assert_eq!(paths(&farm, "shop.test")[1..], expected);
    for cut in 1..5 {
        farm.forget_hits();
        let address = farm.domain("shop.test");
        resume(order(&address, 5), &crawled.pages[..cut]).await;
        assert_eq!(paths(&farm, "shop.test")[1..], expected[cut..]);
    }
}

/// A site of these pages and of contact and imprint, which no list of links names first.
fn with_footer(links: &[String]) -> Site {
    let site = pages(Site::new(1), &["/impressum", "/kontakt"]);
    links
        .iter()
        .fold(site, |site, path| site.with_reply(path, page(path)))
}

fn linking_and_footer(links: &[String]) -> Reply {
    let links = links.iter().map(String::as_str);
    let links: Vec<&str> = links.chain(["/impressum", "/kontakt"]).collect();
    linking(&links)
}

#[tokio::test]
async fn a_footer_counts_however_many_links_come_before_it() {
    // More than five pages admit; more than one page may add.
    let many: Vec<String> = (0..160).map(|n| format!("/p-{n}")).collect();
    let name = "x".repeat(60);
    let long: Vec<String> = (0..1400)
        .map(|n| format!("/category/sub-category/{name}-{n}"))
        .collect();
    for (links, max_pages) in [(many, 5), (long, 60)] {
        let site = with_footer(&links).with_reply("/", linking_and_footer(&links));
        let farm = SiteFarm::start().await.expect("farm");
        farm.add_site("shop.test", site);
        let address = farm.domain("shop.test");
        let whole = run(settings(), order(&address, max_pages)).await;
        assert_eq!(
            paths(&farm, "shop.test")[1..5],
            ["/", "/kontakt", "/impressum", &links[0]]
        );
        farm.forget_hits();
        let rest = resume(order(&address, max_pages), &whole.pages[..1]).await;
        let urls = |pages: &[CrawledPage]| -> Vec<String> {
            pages.iter().map(|page| page.url.clone()).collect()
        };
        assert_eq!(urls(&rest.pages), urls(&whole.pages[1..]));
    }
}

#[tokio::test]
async fn a_sitemap_leaves_room_for_what_later_pages_link_to() {
    let farm = SiteFarm::start().await.expect("farm");
    let host = farm.domain("shop.test");
    let named: Vec<String> = (0..200).map(|n| format!("/p-{n}")).collect();
    let sitemap: String = named
        .iter()
        .map(|path| format!("http://{host}{path}\n"))
        .collect();
    let site = with_footer(&named)
        .with_reply("/sitemap.xml", Reply::of_type("text/plain", sitemap))
        .with_reply("/", linking(&["/a"]))
        .with_reply("/a", linking_and_footer(&["/later".to_owned()]))
        .with_reply("/later", page("later"));
    farm.add_site("shop.test", site);
    run(settings(), order(&host, 6)).await;
    assert_eq!(
        paths(&farm, "shop.test")[1..],
        ["/", "/a", "/kontakt", "/impressum", "/later", "/p-0"]
    );
}

#[tokio::test]
async fn an_equal_body_is_a_duplicate_and_uses_no_budget() {
    let links = ["/one", "/two", "/three"];
    let same = || Reply::html("<!DOCTYPE html><title>Same</title><a href=deeper/>x</a>");
    let site = Site::new(1)
        .with_reply("/", linking(&links))
        .with_reply("/one", same())
        .with_reply("/two", same())
        .with_reply("/three", page("three"));
    let (farm, crawled) = crawl(site, 3).await;
    assert_eq!(
        crawled.outcome("/two"),
        (PageState::Skipped, Some("duplicate"), None)
    );
    assert_eq!(crawled.outcome("/three").0, PageState::Fetched);
    assert_eq!(crawled.not_fetched(Reason::Duplicate), 1);
    assert!(paths(&farm, "shop.test").contains(&"/three".to_owned()));
    let duplicate = crawled.pages.iter().find(|page| page.url.ends_with("/two"));
    let duplicate = duplicate.expect("a page");
    assert!(duplicate.facts.is_none() && duplicate.body_hash.is_none());
    // What was fetched before an interruption is known after it.
    let address = farm.domain("shop.test");
    farm.forget_hits();
    let rest = resume(order(&address, 3), &crawled.pages[..2]).await;
    assert_eq!(rest.outcome("/two").1, Some("duplicate"));
}

#[tokio::test]
async fn versions_of_one_page_are_collapsed_by_what_they_call_canonical() {
    let version = |title: &str, link: &str| {
        Reply::html(format!(
            "<!DOCTYPE html><title>{title}</title><link rel=canonical href=/shoes>\
             <a href={link}>x</a>"
        ))
    };
    let site = Site::new(1)
        .with_reply(
            "/",
            linking(&["/shoes?sort=price", "/shoes?sort=name", "/shoes"]),
        )
        .with_reply("/shoes?sort=price", version("by price", "/next"))
        .with_reply("/shoes?sort=name", version("by name", "/other"))
        .with_reply("/next", page("next"))
        .with_reply("/other", page("other"));
    let (farm, crawled) = crawl(site, 10).await;
    assert_eq!(crawled.outcome("/shoes?sort=price").0, PageState::Fetched);
    assert_eq!(crawled.outcome("/shoes?sort=name").1, Some("duplicate"));
    // The links of a version count; the canonical page itself needs no request any more.
    assert_eq!(crawled.outcome("/other").0, PageState::Fetched);
    assert!(!paths(&farm, "shop.test").contains(&"/shoes".to_owned()));
    assert_eq!(crawled.not_fetched(Reason::Duplicate), 2);
}

#[tokio::test]
async fn a_template_that_calls_every_page_the_start_page_hides_none() {
    let wrong = |title: &str| {
        Reply::html(format!(
            "<!DOCTYPE html><title>{title}</title><link rel=canonical href=/>"
        ))
    };
    let elsewhere = "<!DOCTYPE html><title>c</title><link rel=canonical href=https://a.example/>";
    let site = Site::new(1)
        .with_reply("/", linking(&["/a", "/b", "/c"]))
        .with_reply("/a", wrong("a"))
        .with_reply("/b", wrong("b"))
        .with_reply("/c", Reply::html(elsewhere));
    let (_farm, crawled) = crawl(site, 10).await;
    assert_eq!(crawled.fetched(), 4);
}

/// The start page by its other names: where `/` leads, and what it calls canonical itself.
#[tokio::test]
async fn a_template_may_call_the_start_page_by_any_of_its_names() {
    let templated = |title: &str, links: &str, canonical: &str| {
        Reply::html(format!(
            "<!DOCTYPE html><title>{title}</title><link rel=canonical href={canonical}>{links}"
        ))
    };
    let links = "<a href=/a>a</a><a href=/b>b</a>";
    for canonical in ["/", "/home", "/index.html"] {
        let site = Site::new(1)
            .with_redirect("/", "/home")
            .with_reply("/home", templated("start", links, canonical))
            .with_reply("/a", templated("a", "", canonical))
            .with_reply("/b", templated("b", "", canonical));
        let (_farm, crawled) = crawl(site, 10).await;
        assert_eq!(crawled.fetched(), 3, "{canonical}");
    }
}

#[tokio::test]
async fn visitors_that_are_told_apart_by_the_url_are_one() {
    let links = [
        "/a?PHPSESSID=0af1&x=1",
        "/a?x=1&gclid=7",
        "/b;jsessionid=0A1B.node1",
        "/b",
        "/c?sid=d41d8cd98f00b204e9800998ecf8427e",
        "/c",
    ];
    let site = pages(Site::new(1), &["/a?x=1", "/b", "/c"]).with_reply("/", linking(&links));
    let (farm, crawled) = crawl(site, 10).await;
    assert_eq!(crawled.fetched(), 4);
    assert_eq!(paths(&farm, "shop.test")[2..], ["/a?x=1", "/b", "/c"]);
}

/// Everything that a site of this kind serves, for as long as it is asked, is one more link.
async fn endless(
    first: &[&str],
    budget: u32,
    next: impl Fn(u32) -> Vec<String>,
) -> (usize, Vec<(&'static str, u32)>) {
    let farm = SiteFarm::start().await.expect("farm");
    let mut site = Site::new(1).with_reply("/", linking(first));
    for n in 0..400 {
        let links = next(n + 1);
        let links: Vec<&str> = links.iter().map(String::as_str).collect();
        for path in next(n) {
            site = site.with_reply(&path, titled(&path, &links));
        }
    }
    farm.add_site("shop.test", site);
    let crawled = run(settings(), order(&farm.domain("shop.test"), budget)).await;
    assert_eq!(crawled.ending(), ("frontier_exhausted", None));
    let reasons = Reason::ALL
        .iter()
        .map(|reason| (reason.as_str(), crawled.not_fetched(*reason)))
        .filter(|(_, urls)| *urls > 0)
        .collect();
    (crawled.fetched(), reasons)
}

fn titled(title: &str, links: &[&str]) -> Reply {
    let links: String = links
        .iter()
        .map(|href| format!("<a href=\"{href}\">x</a>"))
        .collect();
    Reply::html(format!("<!DOCTYPE html><title>{title}</title>{links}"))
}

#[tokio::test]
async fn a_calendar_without_end_is_left_after_two_years() {
    let month = |n: u32| vec![format!("/events?month={}-{:02}", 2020 + n / 12, n % 12 + 1)];
    let (fetched, reasons) = endless(&["/events?month=2020-01"], 200, month).await;
    assert_eq!((fetched, reasons), (1 + 24, vec![("trap_calendar", 1)]));
}

#[tokio::test]
async fn a_path_that_grows_is_left() {
    let distinct = |n: u32| {
        vec![
            (0..=n)
                .map(|level| format!("/d{level}"))
                .collect::<String>(),
        ]
    };
    let (fetched, reasons) = endless(&["/d0"], 200, distinct).await;
    assert_eq!((fetched, reasons), (1 + 14, vec![("trap_depth", 1)]));
    let repeating = |n: u32| vec!["/more".repeat(n as usize + 1)];
    let (fetched, reasons) = endless(&["/more"], 200, repeating).await;
    assert_eq!((fetched, reasons), (1 + 2, vec![("trap_repeat", 1)]));
    let longer = |n: u32| vec![format!("/a-{}", "x".repeat(n as usize * 100))];
    let (fetched, reasons) = endless(&["/a-"], 200, longer).await;
    assert_eq!((fetched, reasons), (1 + 10, vec![("trap_length", 1)]));
}

#[tokio::test]
async fn the_queries_of_one_path_end() {
    let facet = |n: u32| vec![format!("/list?color={n}&size=x{n}")];
    let (fetched, reasons) = endless(&["/list?color=0&size=x0"], 150, facet).await;
    assert_eq!((fetched, reasons), (1 + 100, vec![("trap_queries", 1)]));
}

#[tokio::test]
async fn hosts_that_are_made_up_as_they_are_asked_for_end() {
    let farm = SiteFarm::start().await.expect("farm");
    let url = |n: u32| format!("http://h{n}.{}/", farm.domain("shop.test"));
    let site = |n: u32| Site::new(1).with_reply("/", titled(&n.to_string(), &[&url(n + 1)]));
    farm.add_site("shop.test", site(0));
    for n in 1..60 {
        farm.add_site(&format!("h{n}.shop.test"), site(n));
    }
    let mut order = order(&farm.domain("shop.test"), 100);
    order.options.include_subdomains = true;
    let crawled = run(settings(), order).await;
    assert_eq!(crawled.fetched(), 1 + 24);
    assert_eq!(crawled.not_fetched(Reason::TrapHosts), 1);
}
