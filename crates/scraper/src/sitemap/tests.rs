use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

/// What a file gives: pages as they are, sitemaps in brackets.
fn entries_of(body: &[u8], max_bytes: usize) -> (Vec<String>, Read) {
    let mut entries = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("runtime");
    let read = runtime.block_on(read(body, max_bytes, |entry| {
        entries.push(match entry {
            Entry::Page(url) => url.to_owned(),
            Entry::Sitemap(url) => format!("[{url}]"),
        });
        ControlFlow::Continue(())
    }));
    (entries, read)
}

fn check(body: &str, expected: &[&str]) {
    let (entries, read) = entries_of(body.as_bytes(), 1 << 20);
    assert_eq!(entries, expected, "{body}");
    assert!(read.is_sitemap, "{body}");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(body.as_bytes()).expect("gzip");
    let (unpacked, again) = entries_of(&gzip.finish().expect("gzip"), 1 << 20);
    assert_eq!((unpacked, again), (entries, read), "{body}, compressed");
}

#[test]
fn pages_and_sitemaps_are_told_apart_and_images_are_neither() {
    check(
        r#"<?xml version="1.0" encoding="UTF-8"?>
        <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="i">
          <url><loc> http://a.test/?a=1&amp;b=%20&#x32;&#50; </loc><lastmod>2026-01-01</lastmod>
            <image:image><image:loc>http://a.test/i.png</image:loc></image:image></url>
          <!-- <url><loc>http://a.test/hidden</loc></url> -->
          <url><loc><![CDATA[http://a.test/c&d]]></loc></url>
          <url/><loc>http://a.test/stray</loc>
        </urlset>"#,
        &["http://a.test/?a=1&b=%2022", "http://a.test/c&d"],
    );
    check(
        r#"<sm:sitemapindex xmlns:sm="s"><sm:sitemap><sm:loc>http://a.test/1.xml</sm:loc></sm:sitemap></sm:sitemapindex>"#,
        &["[http://a.test/1.xml]"],
    );
}

#[test]
fn text_names_a_url_on_each_line() {
    check(
        "\u{feff}http://a.test/1\r\n\nHTTPS://a.test/2?a=1&b=2 \nnonsense\nhttp://a.test/3",
        &[
            "http://a.test/1",
            "HTTPS://a.test/2?a=1&b=2",
            "nonsense",
            "http://a.test/3",
        ],
    );
    check("\n http://a.test/1", &["http://a.test/1"]);
    for body in ["hello\nhttp://a.test/1", "Not found", "a\nhttp://a.test/1"] {
        let (entries, read) = entries_of(body.as_bytes(), 1000);
        assert_eq!((entries, read.is_sitemap), (Vec::new(), false), "{body}");
    }
    // A line without an end, and more than is read.
    let endless = format!("http://a.test/1\nhttp://a.test/{}", "x".repeat(1 << 17));
    assert_eq!(
        entries_of(endless.as_bytes(), 1 << 20).0,
        ["http://a.test/1"]
    );
    let long = "http://a.test/1\n".repeat(100);
    let (entries, read) = entries_of(long.as_bytes(), 800);
    assert_eq!((entries.len(), read.bytes), (50, 800));
}

#[test]
fn a_file_is_read_in_whatever_it_is_written() {
    let xml = |encoding: &str| {
        let declaration = format!("<?xml version='1.0' encoding='{encoding}'?>");
        format!("{declaration}<urlset><url><loc>http://a.test/grüße</loc></url></urlset>")
    };
    let utf_16 = |text: &str| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    };
    let latin_1 = |text: &str| encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
    for (name, file) in [
        ("UTF-8", xml("UTF-8").into_bytes()),
        (
            "with a mark",
            format!("\u{feff}{}", xml("utf-8")).into_bytes(),
        ),
        ("Latin-1", latin_1(&xml("ISO-8859-1"))),
        ("UTF-16", utf_16(&xml("UTF-16"))),
        (
            "UTF-16 without a mark",
            utf_16(&xml("UTF-16"))[2..].to_vec(),
        ),
        ("UTF-8 called UTF-16", xml("UTF-16").into_bytes()),
        ("lines", utf_16("http://a.test/grüße\n")),
    ] {
        let (entries, read) = entries_of(&file, 1 << 20);
        assert_eq!(entries, ["http://a.test/grüße"], "{name}");
        assert!(read.is_sitemap, "{name}");
    }
    let mixed = b"http://a.test/1\nhttp://a.test/\xfc\nhttp://a.test/3";
    let (entries, _) = entries_of(mixed, 1 << 20);
    assert_eq!(entries[2], "http://a.test/3");
    let mixed = b"<urlset><image>\xfc</image><url><loc>http://a.test/1</loc></url></urlset>";
    assert_eq!(entries_of(mixed, 1 << 20).0, ["http://a.test/1"]);
}

#[test]
fn what_is_broken_counts_up_to_there() {
    check(
        "<urlset><url><loc>http://a.test/1</loc></url><url><loc>http://a.t",
        &["http://a.test/1"],
    );
    check(
        "<urlset><url><loc>http://a.test/a&b</loc></lastmod></urlset><x",
        &["http://a.test/a&b"],
    );
}

#[test]
fn entities_are_not_expanded() {
    let lol: String = (1..10)
        .map(|n| format!("<!ENTITY l{n} \"&l{};&l{0};&l{0};&l{0};\">", n - 1))
        .collect();
    let body = format!(
        "<!DOCTYPE urlset [<!ENTITY l0 \"lol\">{lol}<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\
         <urlset><url><loc>http://a.test/&l9;&x;</loc></url></urlset>"
    );
    check(&body, &["http://a.test/"]);
}

#[test]
fn pages_of_html_are_no_sitemaps() {
    for body in [
        "<!DOCTYPE html><html><url><loc>x</loc></url></html>",
        "",
        "words",
    ] {
        let (entries, read) = entries_of(body.as_bytes(), 1 << 20);
        assert_eq!((entries.len(), read.is_sitemap), (0, false), "{body}");
    }
}

#[test]
fn bombs_end_at_their_cap() {
    let url = "<url><loc>http://a.test/1</loc></url>";
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(b"<urlset>").expect("gzip");
    for _ in 0..200_000 {
        gzip.write_all(url.as_bytes()).expect("gzip");
    }
    let (entries, read) = entries_of(&gzip.finish().expect("gzip"), 100_000);
    assert_eq!(read.bytes, 100_000);
    assert!((2600..=2703).contains(&entries.len()), "{}", entries.len());

    let comment = format!("<urlset>{url}<!--{}-->{url}</urlset>", "x".repeat(100_000));
    let (entries, read) = entries_of(comment.as_bytes(), 1 << 20);
    assert_eq!(entries.len(), 1);
    assert!(read.bytes < 80_000, "{}", read.bytes);

    let deep = format!("<urlset>{}{url}", "<a>".repeat(1000));
    assert_eq!(entries_of(deep.as_bytes(), 1 << 20).0.len(), 0);
    let long = format!("<urlset><url><loc>{}</loc></url>", "x".repeat(50_000));
    assert!(entries_of(long.as_bytes(), 1 << 20).0[0].len() <= 50_000);
}

#[test]
fn of_several_members_the_first_is_read() {
    let empty = GzEncoder::new(Vec::new(), Compression::fast())
        .finish()
        .expect("gzip");
    let (entries, read) = entries_of(&empty.repeat(100_000), 1000);
    assert_eq!((entries, read), (Vec::new(), Read::default()));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(
        mut bytes in prop::collection::vec(any::<u8>(), 0..200),
        text in "(<urlset>|<url>|<loc>|</loc>|</url>|&|;|#x|<!|\\[CDATA\\[|\\]\\]>|--|a|\\PC){0,40}",
        is_gzip in any::<bool>(),
    ) {
        entries_of(text.as_bytes(), 1 << 16);
        if is_gzip {
            bytes.splice(..0, GZIP_MAGIC.iter().copied().chain([8, 0]));
        }
        entries_of(&bytes, 1 << 16);
    }
}
