use proptest::prelude::*;

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
