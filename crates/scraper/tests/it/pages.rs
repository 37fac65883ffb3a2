//! Which pages are fetched, in which order, and what is made of their content.

use trawl_domain::page::PageState;
use trawl_test_support::farm::{Reply, Site};

use crate::harness::{crawl, linking, paths};

#[tokio::test]
async fn exactly_max_pages_are_fetched_breadth_first() {
    let (farm, crawled) = crawl(Site::new(40), 8).await;
    assert_eq!(crawled.fetched(), 8);
    assert_eq!(crawled.ending(), ("max_pages", None));
    assert_eq!(farm.page_hits("shop.test"), 8);
    let depths: Vec<u32> = crawled.pages.iter().map(|page| page.depth).collect();
    assert_eq!(depths, [0, 1, 1, 1, 1, 1, 2, 2]);
    assert!(farm.duplicate_pages().is_empty());
}

#[tokio::test]
async fn a_small_site_is_fetched_whole() {
    let (farm, crawled) = crawl(Site::new(12), 50).await;
    assert_eq!(crawled.fetched(), 12);
    assert_eq!(crawled.ending(), ("frontier_exhausted", None));
    assert_eq!(farm.peaks().requests_to_one_host, 1);
}

#[tokio::test]
async fn one_page_is_enough_where_one_is_asked_for() {
    let (farm, crawled) = crawl(Site::new(12), 1).await;
    assert_eq!(crawled.fetched(), 1);
    assert_eq!(crawled.ending(), ("max_pages", None));
    assert_eq!(paths(&farm, "shop.test"), ["/robots.txt", "/"]);
}

#[tokio::test]
async fn failed_and_skipped_pages_do_not_use_the_budget() {
    let links = [
        "/missing",
        "/broken",
        "/data",
        "/report.pdf",
        "/away",
        "/page-1",
        "/page-2",
    ];
    let site = Site::new(3)
        .with_reply("/", linking(&links))
        .with_status("/broken", 503)
        .with_reply("/data", Reply::of_type("application/json", "{}"))
        .with_redirect("/away", "https://elsewhere.example/");
    let (farm, crawled) = crawl(site, 3).await;
    assert_eq!(crawled.fetched(), 3);
    assert_eq!(crawled.outcome("/missing").1, Some("http_client_error"));
    assert_eq!(crawled.outcome("/broken").1, Some("http_server_error"));
    assert_eq!(
        crawled.outcome("/data"),
        (PageState::Skipped, Some("not_html"), None)
    );
    assert_eq!(crawled.outcome("/away").1, Some("redirect_off_site"));
    assert!(!paths(&farm, "shop.test").contains(&"/report.pdf".to_owned()));
}

#[tokio::test]
async fn the_requests_for_a_budget_are_bounded() {
    let links: Vec<String> = (0..1000).map(|n| format!("/gone-{n}")).collect();
    let links: Vec<&str> = links.iter().map(String::as_str).collect();
    let (farm, crawled) = crawl(Site::new(1).with_reply("/", linking(&links)), 2).await;
    assert_eq!(crawled.fetched(), 1);
    assert_eq!(crawled.ending(), ("max_pages", None));
    assert_eq!(farm.hits("shop.test").len(), 1 + 1 + 120);
}

#[tokio::test]
async fn one_page_is_fetched_once_whatever_its_spelling() {
    let links = [
        "/page-1",
        "/page-1#top",
        "page-1?utm_source=x",
        "./page-1?",
        "/%70age-1",
    ];
    let (farm, crawled) = crawl(Site::new(2).with_reply("/", linking(&links)), 10).await;
    assert_eq!(crawled.fetched(), 2);
    assert!(farm.duplicate_pages().is_empty());
    assert_eq!(crawled.pages[0].discovered.links.len(), 1);
}

#[tokio::test]
async fn the_facts_of_a_site_are_found() {
    for wordpress in [false, true] {
        let site = if wordpress {
            Site::new(3).with_wordpress()
        } else {
            Site::new(3)
        };
        let (farm, crawled) = crawl(site, 10).await;
        let truth = farm.facts("shop.test").expect("facts");
        let base = format!("http://{}", farm.domain("shop.test"));
        let profile = &crawled.end.profile;
        assert_eq!(profile.title.as_ref(), Some(&truth.name));
        assert_eq!(profile.description.as_ref(), Some(&truth.description));
        assert_eq!(profile.language.as_deref(), Some(truth.language));
        assert_eq!(profile.canonical_url, Some(format!("{base}/")));
        assert_eq!(
            profile.favicon_url,
            Some(format!("{base}{}", truth.favicon))
        );
        assert_eq!(profile.logo_url, Some(format!("{base}{}", truth.logo)));
        assert_eq!(profile.contact_info.email, [truth.email]);
        assert_eq!(profile.contact_info.phone, [truth.phone]);
        let mut socials: Vec<&String> = profile.social_links.values().collect();
        socials.sort();
        assert_eq!(socials, truth.social_links.iter().collect::<Vec<_>>());
        assert_eq!(profile.is_wordpress, wordpress);
        let Some(truth) = truth.wordpress else {
            continue;
        };
        let has = |plugin| truth.plugins.contains(&plugin);
        assert_eq!(profile.wordpress_version.as_deref(), Some(truth.version));
        assert_eq!(profile.wordpress_theme.as_deref(), Some(truth.theme));
        assert_eq!(profile.has_divi, truth.theme == "Divi");
        assert_eq!(profile.has_elementor, has("elementor"));
        assert_eq!(profile.has_woocommerce, has("woocommerce"));
        assert_eq!(profile.has_contact_form7, has("contact-form-7"));
        assert_eq!(profile.has_yoast_seo, has("wordpress-seo"));
        assert_eq!(profile.has_wpforms, has("wpforms-lite"));
        assert_eq!(profile.tech_stack.cms, ["WordPress"]);
    }
}

#[tokio::test]
async fn a_page_without_content_type_is_known_by_its_beginning() {
    let html = Reply::html("<!DOCTYPE html><title>A</title>").without_header("content-type");
    let text = Reply::html("just words").without_header("content-type");
    let site = Site::new(1)
        .with_reply("/", linking(&["/html", "/text"]))
        .with_reply("/html", html)
        .with_reply("/text", text);
    let (_farm, crawled) = crawl(site, 10).await;
    assert_eq!(crawled.outcome("/html").0, PageState::Fetched);
    assert_eq!(
        crawled.outcome("/text"),
        (PageState::Skipped, Some("not_html"), None)
    );
}

#[tokio::test]
async fn requests_say_who_asks() {
    let (farm, _crawled) = crawl(Site::new(1), 1).await;
    for hit in farm.hits("shop.test") {
        let expected = "Trawl/0.0-test (+https://trawl.example)";
        assert_eq!(hit.user_agent.as_deref(), Some(expected), "{}", hit.path);
    }
}

#[tokio::test]
async fn a_page_is_timed_and_measured() {
    let (_farm, crawled) = crawl(Site::new(1).with_page_bytes(50_000), 1).await;
    let page = &crawled.pages[0];
    assert!(page.body_bytes >= 50_000);
    assert!(!page.duration.is_zero());
    assert_eq!(page.http_status, Some(200));
    assert_eq!(page.final_url, None);
}

#[tokio::test]
async fn headers_tell_technologies_and_close_the_links_of_a_page() {
    let body = "<!DOCTYPE html><title>A</title><a href=/page-1>x</a>";
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nserver: nginx/1.24.0\r\n\
         x-robots-tag: nofollow\r\nset-cookie: PHPSESSID=1; path=/\r\n\
         set-cookie: laravel_session=2\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (_farm, crawled) = crawl(Site::new(3).with_reply("/", Reply::verbatim(head)), 5).await;
    assert_eq!(crawled.fetched(), 1);
    assert_eq!(crawled.ending(), ("frontier_exhausted", None));
    let profile = &crawled.end.profile;
    let found: Vec<_> = profile
        .technologies
        .iter()
        .map(|technology| (technology.name.as_str(), technology.version.as_deref()))
        .collect();
    assert_eq!(
        found,
        [("Laravel", None), ("nginx", Some("1.24.0")), ("PHP", None)]
    );
    assert_eq!(profile.tech_stack.frameworks, ["Laravel"]);
}

#[tokio::test]
async fn contacts_are_told_with_the_pages_that_they_are_from() {
    let start = "<!DOCTYPE html><a href=/imprint>Imprint</a><a href='mailto:info@firma.de'>x</a>";
    let imprint = "<!DOCTYPE html><p>chef [at] firma [dot] de</p><p>info@firma.de</p>\
                   <p>Firma Beispiel GmbH</p><p>USt-IdNr.: DE136695976</p>";
    let site = Site::new(1)
        .with_reply("/", Reply::html(start))
        .with_reply("/imprint", Reply::html(imprint));
    let (_farm, crawled) = crawl(site, 5).await;
    let profile = &crawled.end.profile.profile;
    let emails: Vec<_> = profile
        .emails
        .iter()
        .map(|email| (email.found.value.as_str(), email.pages))
        .collect();
    assert_eq!(emails, [("info@firma.de", 2), ("chef@firma.de", 1)]);
    assert!(
        profile.emails[0].page.ends_with('/'),
        "{:?}",
        profile.emails
    );
    assert!(profile.emails[1].page.ends_with("/imprint"));
    let company: Vec<_> = profile
        .company
        .iter()
        .map(|c| c.found.value.as_str())
        .collect();
    assert_eq!(company, ["Firma Beispiel GmbH", "DE136695976"]);
}
