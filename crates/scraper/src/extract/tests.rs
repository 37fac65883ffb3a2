mod contacts;
mod others;

use encoding_rs::{GBK, SHIFT_JIS, UTF_16LE, WINDOWS_1252};
use proptest::prelude::*;

use super::*;
use crate::facts::contact::ContactMethod;
use crate::facts::structured::StructuredItem;
use crate::facts::{FACTS_MAX_BYTES, TITLE_MAX_BYTES};
use crate::profile::{PROFILE_MAX_BYTES, ProfileBuilder};

const PAGE: &str = "https://www.shop.test/de/";

/// A page with something of everything, each in the less convenient spelling.
const RICH: &str = r##"<!DOCTYPE html>
<html lang="de_DE" class="no-js"><head><meta charset="utf-8">
<title>B&uuml;cher &amp; mehr
 | Shop</title><svg><title>not this</title></svg>
<meta content="Alles f&#252;r Leser" name="Description">
<meta property="og:title" content="Other"><meta name="generator" content="WordPress 6.5.2">
<link rel="canonical" href="https://www.shop.test/de/"><link rel="shortcut icon" href="/f.ico">
<link rel="icon" sizes="32x32" href="/f32.png"><link rel="apple-touch-icon" href="/touch.png">
<link rel="stylesheet" href="/wp-content/themes/Divi/style.css?ver=4.2">
<script>var a = "<a href='/no'>x@no.de</a>";</script><style>b{content:"y@no.de"}</style></head>
<body class="home et_divi_theme wp-custom-logo">
<div id="site-logo"><a href="./"><img src="data:image/gif;base64,R0" data-src="/img/brand.svg"></a></div>
<img src="/partner-logo.png" class="logo"><a href="kontakt?utm_source=x#a">K</a>
<a href="/de/kontakt">K</a><a href="//shop.test/agb">AGB</a><a href="/preis.pdf">PDF</a>
<p>E-Mail: info&#64;<b>shop</b>.test<br>Tel.: 030 / 123&nbsp;45&nbsp;678<p>Fax 030 99999999
<a class="__cf_email__" data-cfemail="5a39323f3c1a3c3328373b743e3f">[email&#160;protected]</a>
<a href="MAILTO:Verkauf%40firma.de?subject=a%40b.de">Mail</a><a href="tel:+49-89-1234567">Tel</a>
<a href="https://de.facebook.com/shop.test/?ref=a">f</a><a href="https://twitter.com/share?u=x">t</a>
<a href="https://twitter.com/shop">t</a><a href="https://x.com/shop">x</a>
<textarea>z@no.de</textarea><!-- optimized with the Yoast SEO plugin -->
<div class="wpcf7"></div><meta property="og:image" content="/og.png">
<meta name="twitter:card" content="summary"><meta name="robots" content="index, noarchive">
<link rel="alternate" type="application/rss+xml" href="/feed/" title="News">
<link rel="alternate" hreflang="en_us" href="/en/"><link rel=alternate hreflang=X-Default href="/">
<h1>Alles<br>f&uuml;r <b>Leser</b></h1><h1> </h1><h2>Zwei</h2><h4>Vier</h4>
<script type="application/LD+json">{"@type":"BookStore","name":"Bücher","email":"Laden@Firma.de",
"telephone":"030 2223334","sameAs":["https://www.instagram.com/shop/"],
"address":{"@type":"PostalAddress","streetAddress":"Ring 1","addressLocality":"Berlin"}}</script>
<script>!function(){t.src="https://static.hotjar.com/c/hotjar-1.js"}()</script>
</body></html>"##;

fn extract(pieces: &[&[u8]]) -> Extracted {
    extract_as(None, pieces)
}

/// Extracts all that can be asked for.
fn extract_as(charset: Option<&'static Encoding>, pieces: &[&[u8]]) -> Extracted {
    let url = PageUrl::parse(PAGE).expect("page");
    let formats = Formats {
        text: true,
        markdown: true,
        links: true,
    };
    let mut extractor = Extractor::new(&url, SiteScope::of(&url), charset, formats);
    for piece in pieces {
        extractor.write(piece);
    }
    extractor.finish()
}

fn title_of(charset: Option<&'static Encoding>, body: &[u8]) -> Option<String> {
    extract_as(charset, &[body]).facts.title
}

#[test]
fn everything_is_found_and_nothing_else() {
    let Extracted { facts, links, .. } = extract(&[RICH.as_bytes()]);
    assert_eq!(facts.title.as_deref(), Some("Bücher & mehr | Shop"));
    assert_eq!(facts.description.as_deref(), Some("Alles für Leser"));
    assert_eq!(facts.language.as_deref(), Some("de-DE"));
    assert_eq!(facts.canonical_url.as_deref(), Some(PAGE));
    assert_eq!(
        facts.favicon_url.as_deref(),
        Some("https://www.shop.test/f32.png")
    );
    assert_eq!(
        facts.logo_url.as_deref(),
        Some("https://www.shop.test/img/brand.svg")
    );
    let emails: Vec<&str> = facts
        .emails
        .iter()
        .map(|contact| contact.value.as_str())
        .collect();
    assert_eq!(
        emails,
        [
            "chef@firma.de",
            "verkauf@firma.de",
            "laden@firma.de",
            "info@shop.test"
        ]
    );
    let phones: Vec<&str> = facts
        .phones
        .iter()
        .map(|contact| contact.value.as_str())
        .collect();
    assert_eq!(phones, ["+49891234567", "+49302223334", "+493012345678"]);
    let social: Vec<&str> = facts
        .social_links
        .iter()
        .map(|link| link.url.as_str())
        .collect();
    assert_eq!(
        social,
        [
            "https://www.facebook.com/shop.test",
            "https://x.com/shop",
            "https://www.instagram.com/shop"
        ]
    );
    let wordpress = facts.wordpress.expect("traces");
    assert_eq!(wordpress.version.as_deref(), Some("6.5.2"));
    assert_eq!(wordpress.theme.as_deref(), Some("Divi"));
    assert!(wordpress.divi && wordpress.yoast_seo && wordpress.contact_form_7);
    assert!(!wordpress.elementor && !wordpress.woocommerce && !wordpress.wpforms);
    let links: Vec<&str> = links.iter().map(|link| link.url.as_str()).collect();
    assert_eq!(
        links,
        [
            PAGE,
            "https://www.shop.test/de/kontakt",
            "https://shop.test/agb"
        ]
    );
}

#[test]
fn what_a_page_announces_is_found() {
    let facts = extract(&[RICH.as_bytes()]).facts;
    let headings: Vec<(u8, &str)> = facts
        .headings
        .iter()
        .map(|heading| (heading.level, heading.text.as_str()))
        .collect();
    assert_eq!(headings, [(1, "Alles für Leser"), (2, "Zwei")]);
    let icons: Vec<(&str, Option<&str>, bool)> = facts
        .icons
        .iter()
        .map(|icon| (icon.url.as_str(), icon.sizes.as_deref(), icon.is_touch))
        .collect();
    assert_eq!(
        icons,
        [
            ("https://www.shop.test/f.ico", None, false),
            ("https://www.shop.test/f32.png", Some("32x32"), false),
            ("https://www.shop.test/touch.png", None, true),
        ]
    );
    assert_eq!((facts.internal_links, facts.external_links), (5, 4));
    assert_eq!(facts.open_graph.title.as_deref(), Some("Other"));
    assert_eq!(
        facts.open_graph.image.as_deref(),
        Some("https://www.shop.test/og.png")
    );
    assert_eq!(facts.twitter_card.card.as_deref(), Some("summary"));
    assert!(facts.robots.noarchive && !facts.robots.noindex);
    assert_eq!(facts.feeds[0].url, "https://www.shop.test/feed/");
    assert_eq!(facts.feeds[0].title.as_deref(), Some("News"));
    let languages: Vec<&str> = facts
        .alternates
        .iter()
        .map(|alternate| alternate.language.as_str())
        .collect();
    assert_eq!(languages, ["en-US", "x-default"]);
    let [StructuredItem::Organization(shop)] = facts.structured.as_slice() else {
        panic!("one organization: {:?}", facts.structured);
    };
    assert_eq!(shop.schema_type, "BookStore");
    let laden = facts.emails.iter().find(|e| e.value == "laden@firma.de");
    let methods = laden.map(|email| email.evidence.methods.as_slice());
    assert_eq!(methods, Some(&[ContactMethod::JsonLd][..]));
    let names: Vec<&str> = facts
        .technologies
        .iter()
        .map(|technology| technology.name.as_str())
        .collect();
    for name in ["WordPress", "Divi", "PHP", "Hotjar", "Yoast SEO"] {
        assert!(names.contains(&name), "{name} of {names:?}");
    }
    let mut profile = ProfileBuilder::default();
    profile.add(PAGE, &facts);
    let profile = profile.build();
    assert_eq!(profile.tech_stack.cms, ["WordPress"]);
    assert_eq!(profile.tech_stack.analytics, ["Hotjar"]);
}

#[test]
fn links_are_not_followed_where_the_page_asks_so() {
    let links = |headers: &[(&str, &str)], page: &str| {
        let url = PageUrl::parse(PAGE).expect("page");
        let mut extractor = Extractor::new(&url, SiteScope::of(&url), None, Formats::default());
        for (name, value) in headers {
            extractor.header(name, value);
        }
        extractor.write(page.as_bytes());
        extractor.finish().links.len()
    };
    let page = "<a href=/a>a</a><a href=mailto:x@firma.de>x</a>";
    let asks = format!("{page}<meta name=Robots content='noindex,NOFOLLOW'>");
    assert_eq!(links(&[], page), 1);
    assert_eq!(links(&[], &asks), 0);
    assert_eq!(links(&[("x-robots-tag", "none")], page), 0);
    assert_eq!(links(&[("x-robots-tag", "otherbot: nofollow")], page), 1);
}

#[test]
fn text_is_read_in_the_charset_of_the_page() {
    let html = "<!DOCTYPE html><title>Größe – 大きさ</title>";
    let encoded = |encoding: &'static Encoding, text| encoding.encode(text).0.into_owned();
    let utf16: Vec<u8> = html.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let with_bom = [&b"\xff\xfe"[..], utf16.as_slice()].concat();
    let title = Some("Größe – 大きさ".to_owned());
    assert_eq!(title_of(None, html.as_bytes()), title);
    assert_eq!(
        title_of(None, &[b"\xef\xbb\xbf", html.as_bytes()].concat()),
        title
    );
    assert_eq!(title_of(None, &with_bom), title);
    assert_eq!(title_of(Some(UTF_16LE), &utf16), title);
    let japanese = encoded(SHIFT_JIS, "<title>大きさ</title>");
    assert_eq!(
        title_of(Some(SHIFT_JIS), &japanese).as_deref(),
        Some("大きさ")
    );
    let chinese = encoded(GBK, "<meta charset=gb2312><title>尺寸</title>");
    assert_eq!(title_of(None, &chinese).as_deref(), Some("尺寸"));
    let western = encoded(WINDOWS_1252, "<title>Größe €</title>");
    assert_eq!(title_of(None, &western).as_deref(), Some("Größe €"));
}

#[test]
fn hostile_text_is_made_fit_to_keep() {
    let nul = title_of(None, b"<title>a\0b\x1b[0m&#0;&#xD800;\xff</title>").expect("a title");
    assert!(!nul.chars().any(char::is_control), "{nul:?}");
    let long = format!(
        "<title>{}</title><meta name=description content='x'>",
        "ü ".repeat(500_000)
    );
    let facts = extract(&[long.as_bytes()]).facts;
    assert!(
        facts
            .title
            .is_some_and(|title| title.len() <= TITLE_MAX_BYTES)
    );
    assert_eq!(facts.description.as_deref(), Some("x"));
    assert_eq!(
        title_of(None, b"<title> \n&nbsp; </title><title>b</title>").as_deref(),
        Some("b")
    );
}

#[test]
fn broken_markup_loses_nothing_that_came_before() {
    for rest in [
        "<div>".repeat(200_000),
        "<b>".repeat(200_000),
        format!("<p class=\"{}", "x".repeat(3_000_000)),
        format!("<!-- {}", "x".repeat(3_000_000)),
        "<".repeat(100_000),
        "</p>".repeat(100_000),
        "&#".repeat(100_000),
        "@".repeat(100_000),
        "1 ".repeat(200_000),
        "+1".repeat(200_000),
        "a@a.".repeat(100_000),
        format!("<p {}>", "a ".repeat(300_000)),
        "<table><tr><td><select><svg><math><template>".repeat(20_000),
    ] {
        let page = format!("<title>Kept</title><a href=mailto:info@firma.de>x</a>{rest}");
        let facts = extract(&[page.as_bytes()]).facts;
        assert_eq!(
            facts.title.as_deref(),
            Some("Kept"),
            "before {}",
            &rest[..5]
        );
        assert_eq!(
            facts.emails.first().map(|c| c.value.as_str()),
            Some("info@firma.de")
        );
    }
}

#[test]
fn inline_images_do_not_end_a_page() {
    let image = "A".repeat(500_000);
    let page = format!("<title>T</title><img src='data:image/png;base64,{image}'><a href=/b>b</a>");
    assert_eq!(extract(&[page.as_bytes()]).links.len(), 1);
}

#[test]
fn links_follow_the_base_of_the_page() {
    let page = r#"<base href="/sub/"><base href="/not/"><a href="a">x</a><area href='b'>
        <meta http-equiv=refresh content="0; URL='c'"><a href=" d
        ">x</a><a>x</a><a href="javascript:x()">x</a>"#;
    let links = extract(&[page.as_bytes()]).links;
    let paths: Vec<&str> = links.iter().map(|link| link.url.as_url().path()).collect();
    assert_eq!(paths, ["/sub/a", "/sub/b", "/sub/c", "/sub/d"]);
}

#[test]
fn text_across_markup_is_read_as_it_is_seen() {
    let emails = |page: &str| -> Vec<String> {
        extract(&[page.as_bytes()])
            .facts
            .emails
            .into_iter()
            .map(|contact| contact.value)
            .collect()
    };
    assert_eq!(
        emails("<p>info<span>@</span>firma<!-- x -->.de"),
        ["info@firma.de"]
    );
    assert_eq!(
        emails("<td>info@firma.de</td><td>Telefon</td>"),
        ["info@firma.de"]
    );
    assert_eq!(
        emails("<div>a@firma.de</div>b@firma.de<br>c"),
        ["a@firma.de", "b@firma.de"]
    );
}

/// The facts of a page that has as much of everything as fits.
fn largest_page() -> String {
    let mut page = format!(
        "<html lang=de><title>{0}</title><meta name=description content='{0}'>",
        "\u{1}&quot;\\\u{7f}".repeat(5000)
    );
    let long_url = format!("/{}", "\\\"".repeat(600));
    page.push_str(&format!(
        "<link rel=canonical href='{long_url}'><link rel=icon href='{long_url}'>"
    ));
    page.push_str(&format!("<img class=logo src='{long_url}'>"));
    for n in 0..2000 {
        let local = format!("{n}{}", "z".repeat(58));
        let label = "b".repeat(60);
        page.push_str(&format!(
            "<a href='mailto:{local}@{label}.{label}.{label}.de'>x</a>"
        ));
        page.push_str(&format!("<a href='tel:+49301{n:07}'>x</a>"));
        page.push_str(&format!(
            "<a href='https://www.facebook.com/{n}{}'>x</a>",
            "c".repeat(150)
        ));
    }
    let text = "\\&quot;".repeat(600);
    for name in ["title", "description", "type", "site_name", "locale"] {
        page.push_str(&format!("<meta property=og:{name} content='{text}'>"));
        page.push_str(&format!("<meta name=twitter:{name} content='{text}'>"));
    }
    let url = format!("/{}", "x".repeat(470));
    for n in 0..100 {
        page.push_str(&format!("<link rel=alternate hreflang=de href='{url}{n}'>"));
        page.push_str(&format!(
            "<link rel=alternate type=application/rss+xml title='{text}' href='{url}'>"
        ));
        page.push_str(&format!("<h3>{text}</h3><link rel=icon href='{url}{n}'>"));
        page.push_str(&format!(
            "<script type=application/ld+json>{{\"@type\":\"Hotel\",\"name\":\"{n}{0}\",
            \"openingHours\":[{1}\"{0}\"]}}</script>",
            "x".repeat(300),
            format!("\"{}\",", "y".repeat(300)).repeat(20)
        ));
    }
    page.push_str(&technologies_page());
    page
}

/// Scripts of as many technologies as can be told by them.
fn technologies_page() -> String {
    let rules: serde_json::Value =
        serde_json::from_str(include_str!("../../rules/technologies.json")).expect("rules");
    let examples = rules.as_array().into_iter().flatten();
    let examples = examples.filter_map(|rule| rule["examples"].as_array());
    examples
        .flatten()
        .filter(|example| example["kind"] == "url")
        .filter_map(|example| example["input"].as_str())
        .map(|url| format!("<script src=\"{url}\"></script>"))
        .collect()
}

#[test]
fn facts_and_profile_are_bounded_whatever_a_page_holds() {
    let facts = extract(&[largest_page().as_bytes()]).facts;
    assert!(facts.emails.len() >= crate::facts::CONTACTS_MAX / 2);
    assert_eq!(facts.phones.len(), crate::facts::CONTACTS_MAX);
    assert_eq!(facts.technologies.len(), crate::facts::TECHNOLOGIES_MAX);
    let json = serde_json::to_vec(&facts).expect("json");
    assert!(
        json.len() <= FACTS_MAX_BYTES,
        "{} bytes of facts",
        json.len()
    );
    let mut profile = ProfileBuilder::default();
    profile.add(PAGE, &facts);
    let json = serde_json::to_vec(&profile.build()).expect("json");
    assert!(
        json.len() <= PROFILE_MAX_BYTES,
        "{} bytes of profile",
        json.len()
    );
}

#[test]
fn facts_read_back_from_their_json() {
    let facts = extract(&[RICH.as_bytes()]).facts;
    let json = serde_json::to_string(&facts).expect("json");
    assert_eq!(
        serde_json::from_str::<PageFacts>(&json).expect("facts"),
        facts
    );
    assert_eq!(
        serde_json::from_str::<PageFacts>("{}").expect("facts"),
        PageFacts::default()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_cut_of_the_bytes_does_not_matter(
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
        padding in 0_usize..6000,
    ) {
        let page = format!("<!--{}-->{RICH}", "x".repeat(padding));
        prop_assert_eq!(extract(&cut(page.as_bytes(), &cuts)), extract(&[page.as_bytes()]));
        let utf16: Vec<u8> = format!("\u{feff}{RICH}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        prop_assert_eq!(extract(&cut(&utf16, &cuts)), extract(&[&utf16]));
    }

    #[test]
    fn markup_of_any_shape_is_extracted_alike_in_any_pieces(
        pieces in proptest::collection::vec(
            prop::sample::select(vec![
                "<title>", "</title>", "<p>", "</div>", "<a href='", "mailto:a@b.de", "'>", "<!--",
                "-->", "<script>", "</script>", "&amp;", "&#64;", "x@y.de", "030 1234567", "Tel ",
                "<svg>", "<textarea>", "<", ">", "\"", "\u{fc}", " ", "\n", "<base href=/b>", "/c",
                "<h1>", "</h1>", "<script type=application/ld+json>", "{\"@type\":\"Person\",",
                "\"name\":\"Ada\"}", "<meta name=robots content=", "nofollow>", " class='wpcf7 ",
                "<link rel=alternate hreflang=de href=", "gtag('config', 'G-",
                "<div itemscope itemtype=Hotel>", "<i itemprop=name>", "<p itemprop=address itemscope>",
                "<main>", "</main>", "<nav>", "</nav>", "<form>", "<ul><li>", "<table><tr><td>", "<td>",
                "</table>", "<pre>", "</pre>", "<b>", "</b>", "<br>", "<img src=/i alt=i>", "<h2>",
                "<a href=/l>", "</a>", "<blockquote>", "Wir backen jeden Tag frisches Brot. ",
                "<input name=__VIEWSTATE>", "<article>", "大きさ", "<code>", "&nbsp;",
            ]),
            0..60,
        ),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let page = pieces.concat();
        prop_assert_eq!(extract(&cut(page.as_bytes(), &cuts)), extract(&[page.as_bytes()]));
    }

    #[test]
    fn any_bytes_are_extracted_without_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..2000),
        charset in prop::sample::select(vec![None, Some(SHIFT_JIS), Some(UTF_16LE), Some(GBK)]),
    ) {
        extract_as(charset, &[&bytes]);
    }
}

fn cut<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}
