use proptest::prelude::*;

use super::*;

fn check(input: &str, canonical: &str) {
    let url = PageUrl::parse(input).expect(input);
    assert_eq!(url.as_str(), canonical, "canonical form of {input}");
}

fn page(text: &str) -> PageUrl {
    PageUrl::parse(text).expect(text)
}

#[test]
fn host_port_and_fragment_are_normalized() {
    check("HTTP://Example.COM:80/a#b", "http://example.com/a");
    check("https://example.com.:443", "https://example.com/");
    check(
        "https://bücher.example/ü",
        "https://xn--bcher-kva.example/%C3%BC",
    );
    check("http://0x7f.1/", "http://127.0.0.1/");
    check("http://[::ffff:7f00:1]/", "http://[::ffff:7f00:1]/");
}

#[test]
fn escapes_have_one_spelling() {
    check(
        "http://a.test/%7euser/%41%2d%c3%a4%2F",
        "http://a.test/~user/A-%C3%A4%2F",
    );
    check("http://a.test/a%2eb/%2e%2e/c", "http://a.test/c");
    check(
        "http://a.test/100%/%zz/%2541",
        "http://a.test/100%/%zz/%2541",
    );
    check("http://a.test/?q=%7e%2b", "http://a.test/?q=~%2B");
    // What would become an escape of its own, with a sign before it, stays.
    check("http://a.test/%%34%31", "http://a.test/%%341");
    check("http://a.test/%4%31b", "http://a.test/%4%31b");
    check("http://a.test/%/%34", "http://a.test/%/4");
    check(
        "http://a.test/x/%%32e%%32e/secret",
        "http://a.test/x/%%32e%%32e/secret",
    );
}

#[test]
fn tracking_parameters_are_dropped_and_others_keep_their_order() {
    check(
        "http://a.test/?utm_source=x&b=2&fbclid=y&a=1",
        "http://a.test/?b=2&a=1",
    );
    check("http://a.test/?UTM_Campaign=x", "http://a.test/");
    check("http://a.test/?", "http://a.test/");
    check("http://a.test/?&a&&", "http://a.test/?a");
    check(
        "http://a.test/?%75tm_x=1&utmost=2",
        "http://a.test/?utmost=2",
    );
}

#[test]
fn sessions_are_dropped_and_short_codes_are_not() {
    check("http://a.test/?PHPSESSID=0af&a=1", "http://a.test/?a=1");
    check("http://a.test/x;JSESSIONID=0A.b?c", "http://a.test/x?c");
    check("http://a.test/x;v=1/y", "http://a.test/x;v=1/y");
    check(
        "http://a.test/a;jsessionid=%/b;JSESSIONID=AB/%63",
        "http://a.test/a/b/c",
    );
    check(
        "http://a.test/?sid=d41d8cd98f00b204e9800998ecf8427e",
        "http://a.test/",
    );
    check(
        "http://a.test/?sid=17&s=shoes",
        "http://a.test/?sid=17&s=shoes",
    );
}

#[test]
fn subdomains_belong_to_a_site_where_so_asked() {
    let scope = SiteScope::of(&page("https://www.example.com/")).with_subdomains(true);
    for inside in [
        "http://example.com/a",
        "https://shop.example.com/",
        "https://a.b.example.com/",
    ] {
        assert!(scope.contains(&page(inside)), "{inside}");
    }
    for outside in [
        "https://notexample.com/",
        "https://shop.example.com:81/",
        "https://example.com.evil.test/",
    ] {
        assert!(!scope.contains(&page(outside)), "{outside}");
    }
    let address = SiteScope::of(&page("http://0.0.1/")).with_subdomains(true);
    assert!(!address.contains(&page("http://127.0.0.1/")));
}

#[test]
fn what_is_no_page_is_refused_with_its_reason() {
    use PageUrlError::*;
    let cases = [
        ("mailto:a@b.test", UnsupportedScheme),
        ("javascript:void(0)", UnsupportedScheme),
        ("data:text/html,x", UnsupportedScheme),
        ("http://user@a.test/", Credentials),
        ("http://:secret@a.test/", Credentials),
        ("/relative", Invalid),
        ("http://a b/", Invalid),
        ("http://a.test../", Invalid),
    ];
    for (input, reason) in cases {
        assert_eq!(PageUrl::parse(input), Err(reason), "{input}");
    }
    let long = format!("http://a.test/{}", "a".repeat(PAGE_URL_MAX_BYTES));
    assert_eq!(PageUrl::parse(&long), Err(TooLong));
}

#[test]
fn references_resolve_against_their_base() {
    let base = Url::parse("http://a.test/x/y?z#f").expect("base");
    assert_eq!(
        PageUrl::resolve(&base, "../b").map(|u| u.to_string()),
        Ok("http://a.test/b".into())
    );
    assert_eq!(
        PageUrl::resolve(&base, "#top").map(|u| u.to_string()),
        Ok("http://a.test/x/y?z".into())
    );
    assert_eq!(
        PageUrl::resolve(&base, "tel:1"),
        Err(PageUrlError::UnsupportedScheme)
    );
}

#[test]
fn a_site_has_a_www_twin_two_schemes_and_one_port() {
    let scope = SiteScope::of(&page("https://www.example.com/"));
    for inside in ["http://example.com/a", "https://www.example.com/b?c"] {
        assert!(scope.contains(&page(inside)), "{inside}");
    }
    let outside = [
        "https://shop.example.com/",
        "https://example.com.evil.test/",
        "https://example.com:8443/",
        "https://example.org/",
    ];
    for outside in outside {
        assert!(!scope.contains(&page(outside)), "{outside}");
    }
    let with_port = SiteScope::of(&page("http://example.com:8080/"));
    assert!(with_port.contains(&page("https://www.example.com:8080/")));
    assert!(!with_port.contains(&page("http://example.com/")));
}

#[test]
fn a_page_is_visited_once_whatever_its_scheme_and_twin() {
    let key = |text| page(text).visit_key();
    assert_eq!(key("http://www.a.test/b?c"), key("https://a.test/b?c"));
    assert_ne!(key("http://a.test/b?c"), key("http://a.test/b?d"));
    assert_ne!(key("http://a.test:81/b"), key("http://a.test/b"));
}

proptest! {
    #[test]
    fn any_text_is_accepted_or_refused_without_a_panic(text in "\\PC{0,80}") {
        let _ = PageUrl::parse(&text);
        let base = Url::parse("http://a.test/b/c?d").expect("base");
        if let Ok(url) = PageUrl::resolve(&base, &text) {
            prop_assert_eq!(PageUrl::parse(url.as_str()), Ok(url));
        }
    }

    #[test]
    fn canonical_form_is_idempotent(
        host in "(www\\.)?[a-zA-Zä]{1,8}\\.(test|com)\\.?",
        path in "(/[a-zA-Z0-9%./ ~ü_-]{0,12}){0,4}",
        query in "(\\?[a-z0-9%=&+ü_#]{0,20}(utm_x=1&)?)?",
    ) {
        if let Ok(url) = PageUrl::parse(&format!("http://{host}{path}{query}")) {
            prop_assert!(url.as_str().len() <= PAGE_URL_MAX_BYTES);
            prop_assert_eq!(PageUrl::parse(url.as_str()), Ok(url.clone()));
            prop_assert!(SiteScope::of(&url).contains(&url));
        }
    }

    #[test]
    fn canonical_form_is_idempotent_however_escapes_and_sessions_meet(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "%", "%", "%2", "%34", "%31", "%2e", "%2F", "%25", "4", "1", "e", "g", ".", "/", "?",
                "&", "utm_x=1", "jsessionid=1", ";jsessionid=", ";JSESSIONID=a", "#",
            ]),
            0..16,
        ),
    ) {
        if let Ok(url) = PageUrl::parse(&format!("http://a.test/{}", pieces.concat())) {
            prop_assert_eq!(PageUrl::parse(url.as_str()), Ok(url));
        }
    }

    #[test]
    fn a_fragment_never_makes_another_page(path in "[a-z/]{0,10}", fragment in "\\PC{0,10}") {
        let plain = PageUrl::parse(&format!("http://a.test/{path}"));
        prop_assert_eq!(PageUrl::parse(&format!("http://a.test/{path}#{fragment}")), plain);
    }
}

#[test]
fn a_url_is_asked_for_as_it_was_given_and_known_by_its_canonical_form() {
    let base = Url::parse("http://a.test/x?y").expect("base");
    let given = GivenUrl::resolve(&base, "/%61;jsessionid=1?utm_source=b#c").expect("given");
    assert_eq!(
        given.as_str(),
        "http://a.test/%61;jsessionid=1?utm_source=b"
    );
    let canonical = given.clone().into_canonical().expect("canonical");
    assert_eq!(canonical.as_str(), "http://a.test/a");
    assert_eq!(
        GivenUrl::from(canonical.clone()).as_str(),
        canonical.as_str()
    );
    for (refused, error) in [
        ("ftp://a.test/", PageUrlError::UnsupportedScheme),
        ("http://u:p@a.test/", PageUrlError::Credentials),
        ("http://[", PageUrlError::Invalid),
    ] {
        assert_eq!(GivenUrl::resolve(&base, refused), Err(error), "{refused}");
    }
}
