mod pages;

use trawl_domain::url_rules::PageUrl;

use super::super::page_of;
use super::*;
use crate::facts::content::{CONTENT_MAX_BYTES, PageContent, PageLink};
use crate::facts::{LanguageSource, PageFacts};

const ALL: Formats = Formats {
    text: true,
    markdown: true,
    links: true,
};

fn page(body: &str) -> (PageFacts, PageContent) {
    let url = PageUrl::parse("https://a.test/dir/").expect("url");
    let (facts, content) = page_of(&url, &[], body.as_bytes(), ALL);
    (facts, content.expect("content"))
}

/// The text of a page, its lines joined.
fn text(body: &str) -> String {
    page(body).1.text.expect("text")
}

/// Checks the Markdown of what stands in the main element of a page.
fn markdown(body: &str, expected: &str) {
    let content = page(&format!("<main>{body}</main>")).1;
    assert_eq!(content.markdown.as_deref(), Some(expected), "{body}");
}

/// A sentence that no rule takes for the label of something.
const SENTENCE: &str =
    "We have been repairing bicycles of all makes in this town for thirty years.";

#[test]
fn blocks_become_lines_and_what_is_inline_does_not() {
    assert_eq!(
        text("<h1>A<i>b</i></h1><p>c &amp; <b>d\n e</b><br>f<div>g<div>h</div>i</div>"),
        "Ab\nc & d e\nf\ng\nh\ni"
    );
    assert_eq!(text("<pre>\n a\n  b &lt;\n</pre>"), "\n a\n  b <");
    assert_eq!(text("a<img alt=x src=y>b<wbr>c<script>d</script>"), "abc");
    assert_eq!(
        text("<table><tr><td>a<td>b<tr><td>c<td>d</table>"),
        "a\tb\nc\td"
    );
    assert_eq!(
        text("<title>no</title><textarea>no</textarea><style>no</style>"),
        ""
    );
}

#[test]
fn what_frames_the_content_is_left_out() {
    let frame = |part: &str| format!("<body>{part}<p>{SENTENCE}</p></body>");
    for part in [
        "<nav>no words of this</nav>",
        "<header>no words of this</header>",
        "<footer><p>no words of this</p></footer>",
        "<aside>no words of this</aside>",
        "<form action=/s>no words of this<input></form>",
        "<div hidden>no words of this</div>",
        "<div aria-hidden=TRUE>no words of this</div>",
        "<div style='color:red; Display : None'>no words of this</div>",
        "<div role=navigation>no words of this</div>",
        "<div class='big cookie-banner'>no words of this</div>",
        "<div id=sidebar><div>no words</div>of this</div>",
        "<noscript>no words of this</noscript>",
        "<svg><text>no words of this</text><path/></svg>",
        "<button>no words of this</button>",
        "<template><p>no words of this</p></template>",
        "<div class='cmplz-cookiebanner cmplz-hidden'>no words of this</div>",
        "<div id=BorlabsCookieBox><p>no words of this</p></div>",
        "<div id=CybotCookiebotDialog>no words of this</div>",
        "<div id=onetrust-consent-sdk><h2>no words of this</h2></div>",
        "<div id=usercentrics-root>no words of this</div>",
        "<div class=cky-consent-bar>no words of this</div>",
        "<div id=iubenda-cs-banner>no words of this</div>",
        "<div class=klaro>no words of this</div>",
        "<div id=cookie-law-info-again>no words of this</div>",
        "<div role=dialog aria-label=Cookies>no words of this</div>",
        "<div role=region aria-label='Cookie-Hinweis'>no words of this</div>",
        "<ul><li><a href=/a>One</a><li><a href=/b>Two</a></ul>",
        "<div><a href=/a>One</a> | <a href=/b>Two</a></div><p>no words</p><p><a href=/c>Three</a> <a href=/d>Four</a></p>",
    ] {
        assert_eq!(text(&frame(part)), SENTENCE, "{part}");
    }
    for part in [
        "<div class='has-sidebar nav-open'>of this</div>",
        "<section class=sidebars>of this</section>",
        "<details><summary>of</summary>this</details>",
        "<h2 class=accordion-header><button class=accordion-button>of</button></h2>this",
        "<div id=cmplz-document>of this</div>",
        "<div class=klarosicht>of this</div>",
    ] {
        assert_ne!(text(&frame(part)), SENTENCE, "{part}");
    }
}

#[test]
fn the_element_of_the_main_content_is_taken_at_its_word() {
    for main in ["<main>", "<article>", "<div role=main>"] {
        let page = format!(
            "<div><p>{SENTENCE}</p></div>{main}<header><h1>Bikes</h1></header><p>Open daily.</p>
            <ul><li><a href=/a>Repairs</a></ul>"
        );
        assert_eq!(text(&page), "Bikes\nOpen daily.\nRepairs", "{main}");
    }
    // Left empty for a script to fill, or one teaser of a page.
    assert_eq!(text(&format!("<main></main><p>{SENTENCE}")), SENTENCE);
    let teaser = format!("<article>News</article><p>{SENTENCE}");
    assert_eq!(text(&teaser), SENTENCE);
}

#[test]
fn few_words_are_kept_where_there_are_no_others() {
    assert_eq!(
        text("<h1>Soon</h1><p>Under construction"),
        "Soon\nUnder construction"
    );
    let imprint = "<h1>Impressum</h1><p>Rad GmbH<br>Ring 1<br>10115 Berlin</p>
        <p>Tel. <a href=tel:030>030 123</a></p><p><a href=mailto:a@rad.de>a@rad.de</a></p>
        <p>Geschäftsführerin: Ada Rad</p><div><a href=/>Start</a></div>";
    assert_eq!(
        text(imprint),
        "Impressum\nRad GmbH\nRing 1\n10115 Berlin\nTel. 030 123\na@rad.de\n\
         Geschäftsführerin: Ada Rad"
    );
}

#[test]
fn a_form_around_the_page_does_not_hide_it() {
    let page = format!(
        "<form method=post action=./><div class=aspNetHidden><input type=hidden \
         name=__EVENTTARGET><input type=hidden name=__VIEWSTATE value=x></div><p>{SENTENCE}</form>"
    );
    assert_eq!(text(&page), SENTENCE);
}

#[test]
fn markdown_has_headings_paragraphs_and_styles() {
    markdown(
        "<h1>A <b>b</b></h1><p>c<h3>d<br>e</h3>",
        "# A **b**\n\nc\n\n### d e",
    );
    markdown(
        "<p>a <em>b </em>c<strong> d</strong>e</p>",
        "a *b* c **d**e",
    );
    markdown(
        "<b><i>a</i></b> <i></i><b> </b><b><strong>b</strong></b>",
        "***a*** **b**",
    );
    markdown(
        "<del>a</del> <code>b*c</code> *d_e* [f] `g` \\ &lt;h>",
        "~~a~~ `b*c` \\*d\\_e\\* \\[f\\] \\`g\\` \\\\ \\<h>",
    );
    markdown(
        "<code>a`b</code> <code>``</code> <code>c</code> <code> </code>",
        "``a`b`` ``` `` ``` `c`",
    );
    markdown("<p>a<br>b<br/></p>", "a  \nb");
    markdown("<b>a<p>b</p></b>c", "**a**\n\n**b**\n\nc");
    markdown(
        "<p># a</p><p>1. b</p><p>- c</p><p>2024 d</p>",
        "\\# a\n\n1\\. b\n\n\\- c\n\n2024 d",
    );
    markdown(
        "<h1>Donau&shy;dampf&#8203;schiff</h1><p>a\u{feff}b \u{200b} c\u{ad}",
        "# Donaudampfschiff\n\nab c",
    );
    markdown(
        "<h3><button aria-expanded=false>a?</button></h3><p>b",
        "### a?\n\nb",
    );
    markdown("<pre><code>a *b*\n  c</code></pre>", "```\na *b*\n  c\n```");
    markdown("<pre>a ``` b</pre>", "````\na ``` b\n````");
}

#[test]
fn links_and_images_of_markdown_are_absolute() {
    markdown(
        "<a href='../x y_(z)'>a <b>b</b></a>",
        "[a **b**](https://a.test/x%20y_%28z%29)",
    );
    markdown(
        "<a href='javascript:x'>a</a> <a name=b>b</a> <a href=/c></a>",
        "a b",
    );
    markdown(
        "<a href=/x><div>a</div><div>b</div></a>",
        "[a](https://a.test/x)\n\n[b](https://a.test/x)",
    );
    markdown(
        "<p>a <img src=b.png alt='c [d]'> <img src=e><img alt=f src=data:g>",
        "a ![c \\[d\\]](https://a.test/dir/b.png)",
    );
    for image in [
        "src=data:g data-src=/c",
        "src=/blank.gif data-lazy-src=/c",
        "data-srcset='/c 300w, /d 600w'",
        "src=data:g srcset='/c, /d 2x'",
        "src=/c srcset='/d 2x'",
    ] {
        markdown(&format!("<img alt=a {image}>"), "![a](https://a.test/c)");
    }
    markdown(
        "<img alt=a src=/blank.gif>",
        "![a](https://a.test/blank.gif)",
    );
    markdown(
        "<a href=/b><img src=/c alt=d></a>",
        "[![d](https://a.test/c)](https://a.test/b)",
    );
    markdown(
        "<a href='MailTo: x@a.test?subject=a (b)'>x@a.test</a> <a href=tel:+4930123>030 123</a>",
        "[x@a.test](mailto:x@a.test?subject=a%20%28b%29) [030 123](tel:+4930123)",
    );
}

#[test]
fn lists_and_quotes_of_markdown_are_nested() {
    markdown("<ul><li>a<li>b</ul><p>c", "- a\n- b\n\nc");
    markdown(
        "<ol start=3><li>a</li><li><p>b</p><p>c</p></li></ol>",
        "3. a\n4. b\n\n   c",
    );
    markdown(
        "<ul><li>a<ol><li>b<li>c</ol><li>d</ul>",
        "- a\n  1. b\n  2. c\n- d",
    );
    markdown(
        "<blockquote><p>a<br>b</p><ul><li>c</ul></blockquote>",
        "> a  \n> b\n>\n> - c",
    );
    markdown("<ul><li><ul><li>a</ul></ul>", "- - a");
    markdown("<ul><li>a</li><ul><li>b</ul><li>c</ul>", "- a\n  - b\n- c");
    markdown("<blockquote><p>a<p>b</blockquote><p>c", "> a\n>\n> b\n\nc");
    markdown(
        "<ul><li>a</ul><ol start=3><li>b</ol><ol><li>c</ol>",
        "- a\n\n3. b\n\n1) c",
    );
    markdown(
        "<ul><li>a</ul><ul><li>b</ul><p>c<ul><li>d</ul>",
        "- a\n\n* b\n\nc\n\n- d",
    );
}

#[test]
fn tables_of_data_become_tables_and_others_do_not() {
    markdown(
        "<table><caption>T</caption><tr><th>a</th><th>b|c</th></tr><tr><td><p>d<p>e</td></table>",
        "T\n\n| a | b\\|c |\n| --- | --- |\n| d e |  |",
    );
    markdown("<table><tr><td><h2>a</h2><td>b</table>", "## a\n\nb");
    markdown("<table><tr><td>a<tr><td>b</table>", "a\n\nb");
    markdown(
        "<table><tr><th>Paket<th>Inhalt<tr><td>Basis<td><ul><li>eins<li>zwei</ul><tr><td>Voll<td>alles</table>",
        "| Paket | Inhalt |\n| --- | --- |\n| Basis | eins; zwei |\n| Voll | alles |",
    );
    markdown(
        "<table><tr><td>a<td><ul><li>b<li>c</ul><td>d</table>",
        "a\n\n- b\n- c\n\nd",
    );
    markdown(
        "<table><tr><td>a<td><table><tr><td>b<td>c<tr><td>d<td>e</table><td>f</table>",
        "a\n\n| b | c |\n| --- | --- |\n| d | e |\n\nf",
    );
    let long = format!(
        "<table><tr><td>{0}<td>b<tr><td>c<td>d</table>",
        "x".repeat(600)
    );
    markdown(&long, &format!("{}\n\nb\n\nc\n\nd", "x".repeat(600)));
}

#[test]
fn all_links_are_listed_once_with_what_they_say() {
    let links = page(
        "<nav><a href='/a?utm_source=x#b'> One <b>link</b></a></nav><a href=/a>Two</a>
         <a href=https://b.test/f.pdf><img></a><a href=mailto:x@a.test>x</a><a href=#c>c</a>
         <area href=/d><a href=/e>E<a href=/f>F",
    );
    let link = |url: &str, text: &str| PageLink {
        url: url.to_owned(),
        text: text.to_owned(),
    };
    assert_eq!(
        links.1.links.expect("links"),
        [
            link("https://a.test/a", "One link"),
            link("https://b.test/f.pdf", ""),
            link("https://a.test/dir/", "c"),
            link("https://a.test/d", ""),
            link("https://a.test/e", "E"),
            link("https://a.test/f", "F"),
        ]
    );
}

#[test]
fn a_link_without_text_is_called_by_its_picture_or_label() {
    let body = "<a href=/a title=T><img alt=' Logo '></a><a href=/b title=T aria-label=Label></a>
        <a href=/c title=T></a><a href=/d title=T>Text<img alt=x></a><img alt=y><a href=/e></a>";
    let links = page(body).1.links.expect("links");
    let texts: Vec<&str> = links.iter().map(|link| &*link.text).collect();
    assert_eq!(texts, ["Logo", "Label", "T", "Text", ""]);
}

#[test]
fn only_what_is_asked_for_is_there() {
    let url = PageUrl::parse("https://a.test/").expect("url");
    let of = |formats: Formats| page_of(&url, &[], b"<main><p>a <a href=/b>b</a>", formats).1;
    assert_eq!(of(Formats::default()), None);
    for word in ["text", "markdown", "links"] {
        let mut formats = Formats::default();
        assert!(formats.add(word));
        let content = of(formats).expect("content");
        assert_eq!(content.text.is_some(), formats.text, "{word}");
        assert_eq!(content.markdown.is_some(), formats.markdown, "{word}");
        assert_eq!(content.links.is_some(), formats.links, "{word}");
        let json = serde_json::to_value(&content).expect("json");
        let keys: Vec<&String> = json.as_object().expect("object").keys().collect();
        assert_eq!(keys, [word]);
    }
}

#[test]
fn words_are_counted_where_no_text_is_kept() {
    let url = PageUrl::parse("https://a.test/").expect("url");
    let page = format!("<main>{}</main>", "<p>one two</p>".repeat(20_000));
    let (facts, content) = page_of(&url, &[], page.as_bytes(), Formats::default());
    assert_eq!((facts.word_count, content), (40_000, None));
}

#[test]
fn content_is_bounded_whatever_a_page_holds() {
    for part in [
        "<p>\"\\ <b>\"\\\"</b>\n".to_owned(),
        format!("<p>{} <a href='/{0}'>{0}</a>", "\\\"".repeat(300)),
        "<pre>\n\n\n\t\t``</pre>".to_owned(),
        "<ul><li><blockquote>a<td>b".to_owned(),
        "<table><tr><td>a<td>b<tr>".to_owned(),
        "x".repeat(1000),
        "<b><i><a href=/x>".to_owned(),
        format!("<a href='/\\\"{}'>\\</a>", "x".repeat(3000)),
    ] {
        for start in ["<main>", ""] {
            let page_of_parts = format!("{start}{}", part.repeat(300_000 / part.len()));
            let numbered = (0..3000).map(|n| format!("<a href=/{n}>\"\\{n}</a>"));
            let body = format!("{page_of_parts}{}", numbered.collect::<String>());
            let (_, content) = page(&body);
            let bytes = serde_json::to_vec(&content).expect("json").len();
            assert!(bytes <= CONTENT_MAX_BYTES, "{bytes} bytes of {part}");
            assert!(content.is_cut, "{part}");
        }
    }
    assert!(!page("<p>a").1.is_cut);
}

#[test]
fn the_language_is_known_from_the_surest_source() {
    let german = "<p>Unsere Werkstatt liegt mitten in der Altstadt. Wir reparieren Fahrräder aller \
                  Marken und beraten Sie gern beim Kauf eines neuen Rades.";
    let url = PageUrl::parse("https://a.test/").expect("url");
    let language = |headers: &[(&str, &str)], page: &str| {
        let facts = page_of(&url, headers, page.as_bytes(), Formats::default()).0;
        (facts.language, facts.language_source)
    };
    let known = |tag: &str, source| (Some(tag.to_owned()), Some(source));
    let header = [("Content-Language", "fr-ch")];
    let meta = "<meta http-equiv=Content-Language content='it, de'>";
    let all = format!("<html lang=en>{meta}{german}");
    assert_eq!(
        language(&header, &all),
        known("en", LanguageSource::Attribute)
    );
    let without = format!("<html lang=''>{meta}{german}");
    assert_eq!(
        language(&header, &without),
        known("it", LanguageSource::Meta)
    );
    assert_eq!(
        language(&header, german),
        known("fr-CH", LanguageSource::Header)
    );
    let several = [("content-language", "en, fr")];
    assert_eq!(
        language(&several, german),
        known("de", LanguageSource::Text)
    );
    assert_eq!(language(&[], "<p>Hotel Bar"), (None, None));
}
