//! What a crawl gives of each page beside its facts, and only where it is asked for.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use trawl_domain::crawl_options::Formats;
use trawl_scraper::facts::LanguageSource;
use trawl_scraper::facts::content::{PageContent, PageLink};
use trawl_test_support::farm::{Reply, Site, SiteFarm};

use crate::harness::{Crawled, order, run, settings};

const PAGE: &str = "<!DOCTYPE html><title>Rad</title>
    <nav><a href=/page-1>Werkstatt</a></nav><main><h1>Räder</h1>
    <p>Wir <b>reparieren</b> Fahrräder aller Marken und beraten Sie gern beim Kauf eines neuen
    Rades, auch am Samstag und nach <a href=/termin>Absprache</a>.</p></main>
    <footer>Rad GmbH</footer>";

const SENTENCE: &str = "Wir reparieren Fahrräder aller Marken und beraten Sie gern beim Kauf eines \
    neuen Rades, auch am Samstag und nach Absprache.";

/// Crawls a site of one page.
async fn crawl(formats: Formats) -> (String, Crawled) {
    let farm = SiteFarm::start().await.expect("farm");
    let page = Reply::html(PAGE).with_header("content-language", "de-at");
    farm.add_site("shop.test", Site::new(1).with_reply("/", page));
    let mut order = order(&farm.domain("shop.test"), 1);
    order.options.formats = formats;
    let base = format!("http://{}", farm.domain("shop.test"));
    (base, run(settings(), order).await)
}

#[tokio::test]
async fn all_formats_are_there_where_all_are_asked_for() {
    let all = Formats {
        text: true,
        markdown: true,
        links: true,
    };
    let (base, crawled) = crawl(all).await;
    let markdown = SENTENCE
        .replace("reparieren", "**reparieren**")
        .replace("Absprache", &format!("[Absprache]({base}/termin)"));
    let link = |path: &str, text: &str| PageLink {
        url: format!("{base}{path}"),
        text: text.to_owned(),
    };
    let expected = PageContent {
        text: Some(format!("Räder\n{SENTENCE}")),
        markdown: Some(format!("# Räder\n\n{markdown}")),
        links: Some(vec![
            link("/page-1", "Werkstatt"),
            link("/termin", "Absprache"),
        ]),
        is_cut: false,
    };
    assert_eq!(crawled.pages[0].content, Some(expected));
}

#[tokio::test]
async fn words_and_language_are_facts_and_there_is_no_content_unasked() {
    let (_, crawled) = crawl(Formats::default()).await;
    assert_eq!(crawled.pages[0].content, None);
    let facts = crawled.pages[0].facts.as_ref().expect("facts");
    assert_eq!(facts.word_count, 21);
    assert_eq!(facts.language.as_deref(), Some("de-AT"));
    assert_eq!(facts.language_source, Some(LanguageSource::Header));
}
