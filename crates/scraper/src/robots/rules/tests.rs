use proptest::prelude::*;
use trawl_domain::url_rules::PageUrl;
use url::Url;

use super::*;

fn check(robots: &str, allowed: &[&str], disallowed: &[&str]) {
    let rules = RobotsRules::parse(robots.as_bytes(), "Trawl");
    let allows =
        |path: &str| rules.allows(&PageUrl::parse(&format!("http://a.test{path}")).expect(path));
    for path in allowed {
        assert!(allows(path), "{path} is allowed by\n{robots}");
    }
    for path in disallowed {
        assert!(!allows(path), "{path} is disallowed by\n{robots}");
    }
}

#[test]
fn our_group_replaces_the_one_for_everyone() {
    check(
        "user-agent: *\ndisallow: /\n\nuser-agent: trawl\ndisallow: /x",
        &["/", "/y"],
        &["/x", "/xy"],
    );
    check("user-agent: other\ndisallow: /", &["/"], &[]);
    check(
        "user-agent: TRAWL/2.0\ndisallow:\n\nuser-agent: *\ndisallow: /",
        &["/"],
        &[],
    );
    check("user-agent: trawler\ndisallow: /", &["/"], &[]);
}

#[test]
fn groups_of_one_name_are_joined_and_names_share_a_group() {
    check(
        "user-agent: trawl\ndisallow: /a\nuser-agent: x\ndisallow: /b\nuser-agent: trawl\ndisallow: /c",
        &["/b"],
        &["/a", "/c"],
    );
    check(
        "user-agent: x\nuser-agent: trawl\nsitemap: http://a.test/s\ndisallow: /a",
        &["/"],
        &["/a"],
    );
}

#[test]
fn the_longest_match_decides_and_allow_wins_a_tie() {
    check(
        "user-agent: *\ndisallow: /a\nallow: /a/b",
        &["/a/b/c", "/"],
        &["/a", "/a/c"],
    );
    check(
        "user-agent: *\nallow: /p\ndisallow: /",
        &["/page"],
        &["/other"],
    );
    check(
        "user-agent: *\ndisallow: /same\nallow: /same",
        &["/same"],
        &[],
    );
}

#[test]
fn wildcards_and_the_end_mark_are_understood() {
    check(
        "user-agent: *\ndisallow: /*.pdf$",
        &["/a.pdf?x", "/a.pdfs"],
        &["/a.pdf", "/b/c.pdf"],
    );
    check(
        "user-agent: *\ndisallow: /a*b*c",
        &["/acb"],
        &["/abc", "/a-b-c-d"],
    );
    check("user-agent: *\ndisallow: *?", &["/a"], &["/a?b"]);
    check("user-agent: *\ndisallow: /$", &["/a"], &["/"]);
    check("user-agent: *\ndisallow: /a$b", &["/a"], &["/a$b"]);
}

#[test]
fn escapes_are_compared_in_one_spelling() {
    check(
        "user-agent: *\ndisallow: /ü%7e",
        &["/u"],
        &["/%C3%BC~", "/ü~x"],
    );
    check("user-agent: *\ndisallow: /%61", &[], &["/a"]);
    // The target of a redirect is asked for as the server spelled it.
    let rules = RobotsRules::parse(b"user-agent: *\ndisallow: /ab\ndisallow: /?%c3", "Trawl");
    let base = Url::parse("http://a.test/").expect("base");
    for (target, is_allowed) in [("/%61%62", false), ("/?%C3", false), ("/%2561b", true)] {
        let url = GivenUrl::resolve(&base, target).expect(target);
        assert_eq!(rules.allows(&url), is_allowed, "{target}");
    }
}

#[test]
fn a_crawl_delay_ends_the_names_of_a_group() {
    check(
        "user-agent: *\ncrawl-delay: 10\nuser-agent: other\ndisallow: /",
        &["/"],
        &[],
    );
    check(
        "user-agent: *\ncrawl-delay: soon\nuser-agent: trawl\ndisallow: /a",
        &["/"],
        &["/a"],
    );
}

#[test]
fn untidy_files_are_read_as_meant() {
    check(
        "\u{feff}User-Agent : *\r\nDisallow : /a # why\r\rnonsense\nDISALLOW:/b",
        &["/"],
        &["/a", "/b"],
    );
    check("disallow: /a", &["/a"], &[]);
    check("user-agent: *\ndisallow: a", &["/a"], &[]);
    check("<!doctype html><title>Not found</title>", &["/"], &[]);
}

#[test]
fn robots_txt_itself_is_always_allowed() {
    check("user-agent: *\ndisallow: /", &["/robots.txt"], &["/"]);
}

#[test]
fn the_crawl_delay_is_that_of_our_group() {
    let delay = |robots: &str| RobotsRules::parse(robots.as_bytes(), "Trawl").crawl_delay();
    assert_eq!(
        delay("user-agent: *\ncrawl-delay: 2.5"),
        Some(Duration::from_millis(2500))
    );
    assert_eq!(
        delay("user-agent: *\ncrawl-delay: 9\nuser-agent: trawl\ndisallow: /x"),
        None
    );
    for nonsense in ["-1", "NaN", "inf", "1e300", "soon", ""] {
        assert_eq!(
            delay(&format!("user-agent: *\ncrawl-delay: {nonsense}")),
            None,
            "{nonsense}"
        );
    }
}

#[test]
fn the_product_token_is_the_name_of_the_crawler() {
    assert_eq!(product_token("Trawl/0.1 (+https://a.test)"), "Trawl");
    assert_eq!(
        product_token("Mozilla/5.0 (compatible; My-Bot/1; +x)"),
        "My-Bot"
    );
    assert_eq!(product_token("42"), "");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let rules = RobotsRules::parse(&body, "Trawl");
        let _ = rules.allows(&PageUrl::parse("http://a.test/a?b").expect("url"));
    }

    #[test]
    fn a_pattern_matches_as_the_naive_definition_says(
        pattern in "/[ab*]{0,8}\\$?",
        path in "/[ab]{0,8}",
    ) {
        fn naive(pattern: &[u8], path: &[u8]) -> bool {
            match pattern {
                [] => true,
                b"$" => path.is_empty(),
                [b'*', rest @ ..] => (0..=path.len()).any(|skip| naive(rest, &path[skip..])),
                [byte, rest @ ..] => path.first() == Some(byte) && naive(rest, &path[1..]),
            }
        }
        let parsed = Pattern::parse(&pattern).expect("a pattern");
        prop_assert_eq!(parsed.matches(&path), naive(pattern.as_bytes(), path.as_bytes()));
    }
}

#[test]
fn sitemaps_belong_to_no_group_and_are_bounded() {
    let sitemaps = |robots: &str| {
        let rules = RobotsRules::parse(robots.as_bytes(), "Trawl");
        rules.sitemaps().to_vec()
    };
    let robots = "Sitemap: https://a.test/1.xml # first\nuser-agent: other\ndisallow: /\n\
                  SITEMAP:/2.xml\nuser-agent: trawl\nsitemap : https://cdn.test/3.xml.gz";
    assert_eq!(
        sitemaps(robots),
        [
            "https://a.test/1.xml",
            "/2.xml",
            "https://cdn.test/3.xml.gz"
        ]
    );
    assert_eq!(sitemaps(&"sitemap: /s\n".repeat(1000)).len(), SITEMAPS_MAX);
    let long = format!("sitemap: /{}", "x".repeat(SITEMAP_MAX_BYTES));
    assert_eq!(sitemaps(&long), Vec::<String>::new());
}

/// The examples of RFC 9309, 2.2.2 and 5, and of Google's documentation of how it reads the file.
#[test]
fn the_examples_of_the_standard_are_read_as_it_says() {
    check(
        "User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n\
         User-Agent: foobot\nDisallow:/\nAllow:/example/page.html\nAllow:/example/allowed.gif\n\
         User-Agent: barbot\nUser-Agent: bazbot\nDisallow: /example/page.html\n\
         User-Agent: quxbot",
        &["/", "/publications/a", "/a.gif?x", "/example"],
        &["/example/page.html", "/a.gif", "/publications.gif"],
    );
    // The longest match of 5.2.
    check(
        "User-Agent: trawl\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif",
        &["/example/page/", "/example/page/a.gif"],
        &["/example/page/disallowed.gif"],
    );
    // Special characters of 2.2.3.
    check(
        "user-agent: *\nallow: /this/*/exactly\ndisallow: /this/\ndisallow: /end.html$",
        &["/this/is/exactly", "/end.html5"],
        &["/this/is/not", "/end.html"],
    );
    // Octets of 2.2.2: escapes of either side are compared in one form.
    check(
        "user-agent: *\ndisallow: /foo/bar/%E3%83%84\ndisallow: /foo/baz/\u{30c4}\n\
         disallow: /foo/%62ar/x",
        &["/foo/bar/"],
        &["/foo/bar/\u{30c4}", "/foo/baz/%E3%83%84", "/foo/bar/x"],
    );
    // An escaped `*` or `$` stands for itself (2.2.3).
    check(
        "user-agent: *\ndisallow: /price%24\ndisallow: /a%2Ab",
        &["/price", "/axb"],
        &["/price%24", "/a%2Ab"],
    );
    // An empty file and an empty group allow all.
    check("", &["/"], &[]);
    check(
        "user-agent: trawl\n\nuser-agent: *\ndisallow: /x",
        &["/"],
        &["/x"],
    );
}
