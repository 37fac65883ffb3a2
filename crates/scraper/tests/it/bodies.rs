//! Bodies as servers send them: compressed, mislabeled, in any charset, broken. A page is lost for none
//! of that.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use trawl_domain::page::PageState;
use trawl_scraper::step::CrawledPage;
use trawl_test_support::farm::{Reply, Site, SiteFarm};

use crate::harness::{Crawled, crawl, order, paths, run, settings};

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).expect("in memory");
    encoder.finish().expect("in memory")
}

/// What HTTP calls deflate is the zlib format (RFC 9110, 8.4.1.2).
fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).expect("in memory");
    encoder.finish().expect("in memory")
}

fn brotli(body: &[u8]) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 9, 22);
    encoder.write_all(body).expect("in memory");
    encoder.into_inner()
}

fn zstd(body: &[u8]) -> Vec<u8> {
    zstd::encode_all(body, 19).expect("in memory")
}

type Encode = fn(&[u8]) -> Vec<u8>;

const ENCODINGS: [(&str, Encode); 4] = [
    ("gzip", gzip),
    ("deflate", deflate),
    ("br", brotli),
    ("zstd", zstd),
];

/// Generous: what a body holds is tested here, not how long it takes, and extraction is a part of the
/// time of a fetch.
const PATIENCE: Duration = Duration::from_secs(60);

/// The start page that `reply` makes, with a cap of 8 MiB.
async fn start_page(reply: Reply) -> Crawled {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", Site::new(1).with_reply("/", reply));
    let mut settings = settings();
    settings.max_body_bytes = 8 * 1024 * 1024;
    settings.connect_timeout = PATIENCE;
    settings.first_byte_timeout = PATIENCE;
    settings.fetch_timeout = PATIENCE;
    let address = format!("http://{}", farm.domain("shop.test"));
    run(settings, order(&address, 1)).await
}

fn title(page: &CrawledPage) -> Option<&str> {
    page.facts.as_ref()?.title.as_deref()
}

#[tokio::test]
async fn every_content_coding_is_decoded_and_counted_as_what_it_holds() {
    let page = format!("<!DOCTYPE html><title>Grüße</title>{}", "x".repeat(50_000));
    for (name, encode) in ENCODINGS {
        let body = encode(page.as_bytes());
        assert!(body.len() < 5_000, "{name}");
        let reply = Reply::html(body).with_header("Content-Encoding", name);
        let crawled = start_page(reply).await;
        let page_found = crawled.pages.first().expect(name);
        assert_eq!(title(page_found), Some("Grüße"), "{name}");
        assert_eq!(page_found.body_bytes, page.len() as u64, "{name}");
    }
}

/// Codings that are not as their standard has them, and browsers read all the same.
#[tokio::test]
async fn codings_are_decoded_as_servers_have_them() {
    let page = b"<!DOCTYPE html><title>Found</title><p>one two";
    let mut bare = DeflateEncoder::new(Vec::new(), Compression::best());
    bare.write_all(page).expect("in memory");
    let bare = bare.finish().expect("in memory");
    let (begin, end) = page.split_at(40);
    let members = [gzip(begin), gzip(end)].concat();
    for (coding, body) in [
        ("deflate", bare),
        ("gzip", members),
        ("identity", page.to_vec()),
        ("utf-8", page.to_vec()),
        ("identity, x-gzip", gzip(page)),
    ] {
        let reply = Reply::html(body).with_header("Content-Encoding", coding);
        let crawled = start_page(reply).await;
        let found = crawled.pages.first().expect(coding);
        assert_eq!(title(found), Some("Found"), "{coding}");
        assert_eq!(found.body_bytes, page.len() as u64, "{coding}");
    }
}

#[tokio::test]
async fn a_coding_that_is_not_decoded_makes_no_page() {
    for coding in ["compress", "gzip, gzip", "br, gzip"] {
        let reply = Reply::html(gzip(b"<title>x</title>")).with_header("Content-Encoding", coding);
        let crawled = start_page(reply).await;
        assert_eq!(
            crawled.ending(),
            ("error", Some("decode_failed")),
            "{coding}"
        );
    }
}

/// Browsers show what came; so it is read, once asking again has given no more.
#[tokio::test]
async fn a_page_that_breaks_off_is_read_as_far_as_it_came() {
    let page = "<!DOCTYPE html><title>Found</title><a href=/next>x</a><p>one two three";
    let noise: String = (0..4_000_u32)
        .map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761)))
        .collect();
    let mut code = gzip(format!("{page}{noise}").as_bytes());
    code.truncate(code.len() - 8);
    let without_checksum = Reply::html(code.clone()).with_header("Content-Encoding", "gzip");
    code.truncate(code.len() / 2);
    let halved = Reply::html(code).with_header("Content-Encoding", "gzip");
    let code = [gzip(page.as_bytes()), b"no member of gzip".to_vec()].concat();
    let garbled = Reply::html(code).with_header("Content-Encoding", "gzip");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("{head}{:x}\r\n{page}\r\n", page.len());
    for (name, reply, asked) in [
        ("no length", Reply::cut_short(page), 3),
        ("no last chunk", Reply::verbatim(chunk.clone()), 3),
        ("no chunk", Reply::verbatim(format!("{chunk}zz\r\n")), 1),
        ("no checksum", without_checksum, 3),
        ("half of the code", halved, 3),
        ("nonsense behind the code", garbled, 1),
    ] {
        let farm = SiteFarm::start().await.expect("farm");
        farm.add_site("shop.test", Site::new(1).with_reply("/", reply));
        let address = format!("http://{}", farm.domain("shop.test"));
        let crawled = run(settings(), order(&address, 1)).await;
        let found = crawled.pages.first().expect(name);
        assert_eq!(title(found), Some("Found"), "{name}");
        assert_eq!(found.discovered.links.len(), 1, "{name}");
        assert!(found.facts.as_ref().expect(name).is_cut, "{name}");
        let requests = paths(&farm, "shop.test");
        assert_eq!(requests.len(), asked + 1, "{name}: {requests:?}");
    }
    let whole = start_page(Reply::html(page)).await;
    assert!(!whole.pages[0].facts.as_ref().expect("facts").is_cut);
    let empty = start_page(Reply::cut_short("<!DOCTYPE html><p>")).await;
    assert_eq!(empty.ending(), ("error", Some("connect_failed")));
}

/// Heads that only the strictest clients refuse.
#[tokio::test]
async fn heads_are_read_as_browsers_read_them() {
    let body = "<!DOCTYPE html><title>Found</title>";
    let many = "X-Policy: a\r\n".repeat(300);
    for header in [
        many.as_str(),
        "X-Folded: a\r\n b\r\n",
        "X-Space : a\r\n",
        "no header at all\r\n",
        "X-\u{e4}: a\r\n",
    ] {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n{header}");
        let length = body.len();
        let answer = format!("{head}content-length: {length}\r\n\r\n{body}");
        let crawled = start_page(Reply::verbatim(answer)).await;
        let found = crawled.pages.first().expect(header);
        assert_eq!(title(found), Some("Found"), "{header}");
    }
}

#[tokio::test]
async fn a_decompression_bomb_costs_no_more_than_the_cap() {
    let zeros = vec![b' '; 64 * 1024 * 1024];
    for (name, encode) in ENCODINGS {
        let bomb = encode(&zeros);
        assert!(bomb.len() < 256 * 1024, "{name}: {}", bomb.len());
        let reply = Reply::html(bomb).with_header("Content-Encoding", name);
        let site = Site::new(1)
            .with_reply("/", Reply::html("<!DOCTYPE html><a href=/bomb>x</a>"))
            .with_reply("/bomb", reply);
        let (_farm, crawled) = crawl(site, 5).await;
        let bomb = crawled.pages.get(1).expect(name);
        assert_eq!(
            crawled.outcome("/bomb"),
            (PageState::Failed, Some("body_too_large"), None),
            "{name}"
        );
        assert!(
            bomb.body_bytes < 2 * 256 * 1024,
            "{name}: {}",
            bomb.body_bytes
        );
    }
}

#[tokio::test]
async fn what_closes_itself_hides_the_rest_of_a_page_in_html_and_not_in_xhtml() {
    let page = "<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"><head>\
        <script src=\"/a.js\"/><title>Found</title></head><body><textarea/>\
        <a href=\"/next\">x</a></body></html>";
    for (content_type, found, links) in [
        ("application/xhtml+xml; charset=utf-8", Some("Found"), 1),
        ("text/html; charset=utf-8", None, 0),
    ] {
        let crawled = start_page(Reply::of_type(content_type, page)).await;
        let page = crawled.pages.first().expect(content_type);
        assert_eq!(title(page), found, "{content_type}");
        assert_eq!(page.discovered.links.len(), links, "{content_type}");
    }
}

#[tokio::test]
async fn html_is_known_where_its_header_is_missing_or_lies() {
    let html = "<!DOCTYPE html><title>Found</title>";
    let xhtml = "<?xml version=\"1.0\"?><!-- by hand --><html xmlns=\"http://www.w3.org/1999/xhtml\">\
                 <head><title>Found</title></head></html>";
    for reply in [
        Reply::html(html).without_header("content-type"),
        Reply::of_type("text/plain", html),
        Reply::of_type("application/octet-stream", html),
        Reply::of_type("nonsense", html),
        Reply::of_type("application/xhtml+xml; charset=utf-8", xhtml),
        Reply::of_type("application/xml", xhtml),
        Reply::html(xhtml).without_header("content-type"),
    ] {
        let crawled = start_page(reply.clone()).await;
        let page = crawled.pages.first();
        assert_eq!(page.and_then(title), Some("Found"), "{reply:?}");
    }
    for reply in [
        Reply::html(&b"%PDF-1.7 <html>"[..]),
        Reply::html(&b"\x89PNG\r\n\x1a\n"[..]),
        Reply::of_type("text/plain", "just text"),
        Reply::of_type("application/xml", "<?xml version=\"1.0\"?><rss></rss>"),
        Reply::of_type("application/pdf", html),
    ] {
        let crawled = start_page(reply.clone()).await;
        assert_eq!(crawled.ending(), ("error", Some("not_html")), "{reply:?}");
    }
}

#[tokio::test]
async fn text_is_read_in_whatever_charset_it_comes() {
    let russian = "Пекарня «Колос»: свежий хлеб каждый день";
    let page = |head: &str| format!("<!DOCTYPE html><html><head>{head}<title>{russian}</title>");
    let utf_16 = |text: &str, to: fn(u16) -> [u8; 2], bom: bool| -> Vec<u8> {
        let mark = bom.then_some(0xfeff).into_iter();
        mark.chain(text.encode_utf16()).flat_map(to).collect()
    };
    let cyrillic = |text: &str| encoding_rs::WINDOWS_1251.encode(text).0.into_owned();
    let long_ascii = format!("<style>{}</style>", "a{b:c} ".repeat(4_000));
    for (name, content_type, body) in [
        (
            "by header",
            "text/html; charset=windows-1251",
            cyrillic(&page("")),
        ),
        (
            "by meta",
            "text/html",
            cyrillic(&page("<meta charset=windows-1251>")),
        ),
        ("by its letters", "text/html", cyrillic(&page(""))),
        (
            "by its letters, late",
            "text/html",
            cyrillic(&page(&long_ascii)),
        ),
        (
            "UTF-8, undeclared and late",
            "text/html",
            page(&long_ascii).into_bytes(),
        ),
        (
            "UTF-16LE with a mark",
            "text/html",
            utf_16(&page(""), u16::to_le_bytes, true),
        ),
        (
            "UTF-16BE with a mark",
            "text/html; charset=utf-8",
            utf_16(&page(""), u16::to_be_bytes, true),
        ),
        (
            "UTF-16LE without",
            "text/html",
            utf_16(&page(""), u16::to_le_bytes, false),
        ),
        (
            "UTF-16BE without",
            "text/html",
            utf_16(&page(""), u16::to_be_bytes, false),
        ),
        (
            "UTF-16 by header",
            "text/html; charset=utf-16",
            utf_16(&page(""), u16::to_le_bytes, false),
        ),
        (
            "a charset of no use",
            "text/html; charset=iso-2022-kr",
            page("").into_bytes(),
        ),
    ] {
        let crawled = start_page(Reply::of_type(content_type, body)).await;
        let page = crawled.pages.first();
        assert_eq!(page.and_then(title), Some(russian), "{name}");
    }
}

#[tokio::test]
async fn a_page_is_lost_for_nothing_that_it_contains() {
    let mut links = String::new();
    for n in 0..100_000 {
        let _ = write!(links, "<a href=/{n}>{n}</a>");
    }
    let all = |text: &str| format!("<!DOCTYPE html><title>Found</title>{text}").into_bytes();
    for (name, body) in [
        ("NUL characters", all("\0<p>\0a\0</p>\0")),
        (
            "a lone surrogate, escaped",
            all("&#xD800; <a href='/%ED%A0%80'>x</a>"),
        ),
        (
            "a lone surrogate, encoded",
            [&all("a")[..], b"\xed\xa0\x80"].concat(),
        ),
        (
            "invalid UTF-8",
            [&all("a")[..], b"\xff\xfe\x80<p>\xc3"].concat(),
        ),
        ("100,000 links", all(&links)),
        ("deep nesting", all(&"<div><b>".repeat(200_000))),
        ("unclosed tags", all("<p><a href='/x><b <i \"><td")),
        ("an unclosed comment", all("<!-- for ever")),
        (
            "a tag of two megabytes",
            all(&format!("<a href='{}'>", "x".repeat(2_000_000))),
        ),
        ("a megabyte of text", all(&"a ".repeat(500_000))),
    ] {
        let crawled = start_page(Reply::html(body)).await;
        let page = crawled.pages.first().expect(name);
        assert_eq!(
            (page.state, title(page)),
            (PageState::Fetched, Some("Found")),
            "{name}"
        );
    }
    let megabyte = format!("<!DOCTYPE html><title>{}</title>", "Aé ".repeat(300_000));
    let crawled = start_page(Reply::html(megabyte)).await;
    let title = title(&crawled.pages[0]).expect("title").to_owned();
    assert!(title.starts_with("Aé Aé") && title.len() <= 512, "{title}");
}
