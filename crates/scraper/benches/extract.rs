//! How fast pages become facts on one core.
//!
//! `cargo bench -p trawl-scraper` prints bytes per second for pages of about 35 KB: of small elements
//! with many classes, as page builders make them; of a menu; and of plain
//! paragraphs; each for its facts alone and with its content in all formats.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use trawl_domain::crawl_options::Formats;
use trawl_domain::url_rules::PageUrl;
use trawl_scraper::extract::{facts_of, page_of};

const PAGE_BYTES: usize = 35_000;

const ALL_FORMATS: Formats = Formats {
    text: true,
    markdown: true,
    links: true,
};

const HEADERS: &[(&str, &str)] = &[
    ("content-type", "text/html; charset=UTF-8"),
    ("server", "nginx"),
    ("x-powered-by", "PHP/8.2.12"),
    (
        "link",
        "<https://shop.example/wp-json/>; rel=\"https://api.w.org/\"",
    ),
    ("set-cookie", "PHPSESSID=1; path=/"),
];

const HEAD: &str = r##"<!DOCTYPE html><html lang="de-DE"><head><meta charset="UTF-8">
<title>Bäckerei Muster – Brot und Kuchen</title>
<meta name="description" content="Brot, Kuchen und mehr aus eigener Backstube.">
<meta property="og:title" content="Bäckerei Muster"><meta property="og:type" content="website">
<meta name="generator" content="WordPress 6.5.2"><link rel="canonical" href="https://shop.example/">
<link rel="stylesheet" href="/wp-content/themes/astra/style.css?ver=4.6.1">
<link rel="stylesheet" href="/wp-content/plugins/elementor/assets/css/frontend.min.css?ver=3.21.0">
<script src="/wp-includes/js/jquery/jquery.min.js?ver=3.7.1" id="jquery-core-js"></script>
<script async src="https://www.googletagmanager.com/gtag/js?id=G-ABCDEF"></script>
<script>window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments);}gtag('js',new Date());</script>
<script type="application/ld+json">{"@context":"https://schema.org","@type":"Bakery","name":"Bäckerei Muster","telephone":"+49 30 12345678","address":{"@type":"PostalAddress","streetAddress":"Ring 1","postalCode":"10115","addressLocality":"Berlin"}}</script>
</head><body class="home page-template-default elementor-default elementor-kit-7">"##;

const FOOT: &str = r#"<footer><p>Telefon <a href="tel:+493012345678">030 12345678</a>,
<a href="mailto:info@shop.example">info@shop.example</a>
<a href="https://www.facebook.com/shop.example">Facebook</a></p></footer></body></html>"#;

/// A page builder's card: eleven tags around a dozen words.
fn tag_dense_page() -> String {
    page(|html, n| {
        let _ = writeln!(
            html,
            r#"<div class="elementor-element elementor-element-{n:07x} elementor-widget" data-id="{n:07x}" data-element_type="widget"><div class="elementor-widget-container"><a href="/produkt/artikel-{n}/" class="card__link"><img src="/bilder/{n}.jpg" alt="Artikel {n}" loading="lazy" width="300" height="200"><span class="card__title">Artikel Nummer {n}</span></a><p class="price"><span>{n},90&nbsp;€</span> inkl. MwSt.</p></div></div>"#
        );
    })
}

/// A menu: one tag to every fifteen bytes, the densest that real pages get.
fn menu_page() -> String {
    page(|html, n| {
        let _ = writeln!(
            html,
            r#"<li class="menu-item"><a href="/seite-{n}/"><span><b>Seite</b> {n}</span></a></li>"#
        );
    })
}

/// Paragraphs of text.
fn text_page() -> String {
    page(|html, n| {
        let _ = writeln!(
            html,
            "<p>Unser Brot Nummer {n} wird seit vielen Jahren nach altem Rezept gebacken, mit \
             Mehl aus der Mühle im Nachbarort und viel Zeit. Der Teig ruht über Nacht, bevor er \
             am frühen Morgen in den Ofen kommt; so bleibt das Brot <b>lange frisch</b>.</p>"
        );
    })
}

fn page(write_part: impl Fn(&mut String, usize)) -> String {
    let mut html = HEAD.to_owned();
    let mut number = 0;
    while html.len() < PAGE_BYTES {
        write_part(&mut html, number);
        number += 1;
    }
    html.push_str(FOOT);
    html
}

fn extraction(criterion: &mut Criterion) {
    let Ok(url) = PageUrl::parse("https://shop.example/") else {
        return;
    };
    let mut group = criterion.benchmark_group("extract");
    for (name, html) in [
        ("tag-dense", tag_dense_page()),
        ("menu", menu_page()),
        ("text", text_page()),
    ] {
        group.throughput(Throughput::Bytes(html.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| facts_of(&url, HEADERS, black_box(html.as_bytes())));
        });
        group.bench_function(format!("{name}, all formats"), |bencher| {
            bencher.iter(|| page_of(&url, HEADERS, black_box(html.as_bytes()), ALL_FORMATS));
        });
    }
    group.finish();
}

criterion_group!(benches, extraction);
criterion_main!(benches);
