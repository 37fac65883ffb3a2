//! Whatever a page holds, its extraction stays within its memory.
//!
//! A program of its own, with one test: the allocator counts for all threads.

use peak_alloc::PeakAlloc;
use trawl_domain::crawl_options::Formats;
use trawl_domain::url_rules::PageUrl;
use trawl_scraper::extract::page_of;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Most memory that the extraction of one page takes beside the page itself, in bytes: what
/// `docs/extraction.md` says.
const BUDGET_BYTES: usize = 8 * 1024 * 1024;

const PAGE_BYTES: usize = 3 * 1024 * 1024;

/// Pages as large as are read, each without end in one respect.
fn hostile_pages() -> Vec<(String, Vec<u8>)> {
    let long = "x".repeat(2000);
    let repeated = [
        "<div>",
        "<b><i><u>",
        "<a href='/x'>",
        "<p>word ",
        "<ul><li>",
        "<table><tr><td>",
        "<blockquote>\"\\\n",
        "<div itemscope itemtype=Hotel itemprop='a b c d'>",
        "<div itemscope itemtype=Hotel><i itemprop=name>x",
        "<nav><form>",
        "<pre>\n\n",
        "<!--x-->",
        "<!--",
        "<script>",
        "<p a b c d e f g h='",
        "&amp;&#64;",
        "a@b.de +49 30 1234567 ",
        "<h1>x",
        "<img src=/x alt=y>",
        "<link rel=icon href=/x>",
        "<meta property=og:title content=x>",
        "<script type=application/ld+json>{\"@type\":\"Hotel\",\"name\":\"x\"}</script>",
        "<script type=application/ld+json>[[[[[[[[[[[[[[[[",
        "\u{5927}",
        "\u{0}",
        "<",
    ];
    let mut pages: Vec<(String, Vec<u8>)> = repeated
        .iter()
        .map(|part| {
            let page = part.repeat(PAGE_BYTES / part.len());
            ((*part).to_owned(), page.into_bytes())
        })
        .collect();
    let numbered = |part: &dyn Fn(usize) -> String| {
        let mut page = String::new();
        let mut number = 0;
        while page.len() < PAGE_BYTES {
            page.push_str(&part(number));
            number += 1;
        }
        page.into_bytes()
    };
    pages.push((
        "links into the site".to_owned(),
        numbered(&|n| format!("<a href='/{n}'>{n}</a>")),
    ));
    pages.push((
        "links elsewhere".to_owned(),
        numbered(&|n| format!("<a href='https://www.facebook.com/{n}'>{n}</a>")),
    ));
    pages.push((
        "contacts".to_owned(),
        numbered(&|n| format!("<p>a{n}@firma.de Tel. 030 {}", 1_000_000 + n)),
    ));
    pages.push((
        "long links".to_owned(),
        numbered(&|n| format!("<a href='/{n}{long}' class='{long}'>{long}</a>")),
    ));
    pages.push((
        "an item of many properties".to_owned(),
        numbered(&|n| match n {
            0 => "<div itemscope itemtype=Hotel>".to_owned(),
            n => format!("<i itemprop=p{n}>{n}</i>"),
        }),
    ));
    let mut all = numbered(&|n| {
        format!("<main><a href='/{n}'>{n}</a><p>a{n}@firma.de <i itemscope itemprop=b>c")
    });
    all.truncate(PAGE_BYTES / 4);
    all.extend("<!--".repeat(PAGE_BYTES / 6).into_bytes());
    pages.push(("many things before a comment without end".to_owned(), all));
    // Bytes without a pattern: a linear congruential generator, by the constants of MMIX.
    let mut state = 1_u64;
    let noise = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    });
    pages.push(("noise".to_owned(), noise.take(PAGE_BYTES).collect()));
    pages
}

#[test]
fn no_page_takes_more_memory_than_the_budget() {
    let url = PageUrl::parse("https://shop.test/").expect("url");
    let formats = Formats {
        text: true,
        markdown: true,
        links: true,
    };
    let extract = |body: &[u8]| page_of(&url, &[], body, formats);
    // What is made once, such as the automata of the rules, is no page's.
    extract(b"<html lang=de><title>x</title><p>a@b.de Tel. 030 1234567, +49 30 1234567");
    let mut peaks = Vec::new();
    for (name, body) in hostile_pages() {
        ALLOCATOR.reset_peak_usage();
        let before = ALLOCATOR.current_usage();
        drop(extract(&body));
        peaks.push((ALLOCATOR.peak_usage().saturating_sub(before), name));
    }
    peaks.sort();
    println!("peaks in bytes: {peaks:#?}");
    let (most, name) = peaks.last().expect("a page");
    assert!(*most <= BUDGET_BYTES, "{most} bytes for {name:?}");
}
