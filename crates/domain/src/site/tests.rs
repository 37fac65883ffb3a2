use proptest::prelude::*;

use super::*;

fn check(input: &str, key: &str, start_url: &str, candidates: &[&str]) {
    let site = SiteAddress::parse(input).expect(input);
    assert_eq!(site.key(), key, "key of {input}");
    assert_eq!(site.start_url(), start_url, "start_url of {input}");
    let tried: Vec<String> = site.start_candidates().iter().map(Url::to_string).collect();
    assert_eq!(tried, candidates, "start_candidates of {input}");
    assert_eq!(
        SiteAddress::parse(&site.start_url()).as_ref(),
        Ok(&site),
        "round trip of {input}"
    );
}

#[test]
fn a_bare_name_is_tried_over_https_and_then_http() {
    check(
        "example.com",
        "example.com",
        "example.com",
        &["https://example.com/", "http://example.com/"],
    );
    check(
        " Example.COM. ",
        "example.com",
        "example.com",
        &["https://example.com/", "http://example.com/"],
    );
}

#[test]
fn a_scheme_is_a_hint_that_is_kept() {
    check(
        "http://example.com/a?b=c#d",
        "example.com",
        "http://example.com/a?b=c",
        &["http://example.com/a?b=c", "https://example.com/a?b=c"],
    );
    check(
        "HTTPS://www.example.com",
        "www.example.com",
        "https://www.example.com/",
        &["https://www.example.com/", "http://www.example.com/"],
    );
}

#[test]
fn a_default_port_is_a_hint_and_any_other_belongs_to_the_key() {
    check(
        "example.com:443",
        "example.com",
        "https://example.com/",
        &["https://example.com/", "http://example.com/"],
    );
    check(
        "example.com:80",
        "example.com",
        "http://example.com/",
        &["http://example.com/", "https://example.com/"],
    );
    check(
        "example.com:8080/x",
        "example.com:8080",
        "example.com:8080/x",
        &["https://example.com:8080/x", "http://example.com:8080/x"],
    );
    check(
        "http://example.com:443",
        "example.com:443",
        "http://example.com:443/",
        &["http://example.com:443/", "https://example.com/"],
    );
}

#[test]
fn internationalized_names_and_addresses_have_one_form() {
    check(
        "BÜCHER.example",
        "xn--bcher-kva.example",
        "xn--bcher-kva.example",
        &[
            "https://xn--bcher-kva.example/",
            "http://xn--bcher-kva.example/",
        ],
    );
    check(
        "127.1:8000",
        "127.0.0.1:8000",
        "127.0.0.1:8000",
        &["https://127.0.0.1:8000/", "http://127.0.0.1:8000/"],
    );
    check(
        "[::0:1]",
        "[::1]",
        "[::1]",
        &["https://[::1]/", "http://[::1]/"],
    );
}

#[test]
fn the_host_key_joins_the_www_twin_but_never_a_bare_suffix() {
    let host_key = |input| {
        SiteAddress::parse(input)
            .expect(input)
            .host_key()
            .to_owned()
    };
    assert_eq!(host_key("www.example.com:81"), "example.com");
    assert_eq!(host_key("example.com"), "example.com");
    assert_eq!(host_key("www.com"), "www.com");
    assert_eq!(host_key("[::1]:81"), "[::1]");
}

#[test]
fn each_broken_rule_has_its_reason() {
    use SiteAddressError::*;
    let cases = [
        ("", Empty),
        ("  \t ", Empty),
        ("exam\nple.com", ControlCharacter),
        ("ftp://example.com", UnsupportedScheme),
        ("info@example.com", Credentials),
        ("https://user:secret@example.com/", Credentials),
        ("example.com:99999", InvalidPort),
        ("example.com:0", InvalidPort),
        ("javascript:alert(1)", InvalidPort),
        ("not a domain", InvalidHost),
        ("a.com,b.com", InvalidHost),
        ("*.example.com", InvalidHost),
        ("-a.example.com", InvalidHost),
        ("a..example.com", InvalidHost),
        ("example.com..", InvalidHost),
        ("example.123", InvalidHost),
        ("http://", InvalidHost),
        ("example", SingleLabel),
    ];
    for (input, reason) in cases {
        assert_eq!(SiteAddress::parse(input), Err(reason), "{input:?}");
    }
    assert_eq!(SiteAddress::parse(&"a".repeat(3000)), Err(TooLong));
    assert_eq!(
        SiteAddress::parse(&format!("{}.com", "a".repeat(64))),
        Err(HostTooLong)
    );
    assert_eq!(
        SiteAddress::parse(&format!("{}com", "a.".repeat(130))),
        Err(HostTooLong)
    );
}

proptest! {
    #[test]
    fn parsing_never_panics_and_what_it_gives_reads_back(input in "\\PC{0,60}") {
        if let Ok(site) = SiteAddress::parse(&input) {
            prop_assert_eq!(SiteAddress::parse(&site.start_url()), Ok(site.clone()));
            prop_assert_eq!(site.start_candidates().len(), 2);
        }
    }

    #[test]
    fn addresses_made_of_likely_parts_read_back(
        scheme in "(|http://|https://|//|HTTP://)",
        host in "(www\\.)?[a-zA-Z0-9ßäÜ。.-]{1,20}\\.(com|de|test|рф|COM)\\.?",
        port in "(|:80|:443|:8080|:)",
        target in "(|/|/a b|/%41?x=ü|\\?q#f|#f|\\\\x)",
    ) {
        let input = format!("{scheme}{host}{port}{target}");
        if let Ok(site) = SiteAddress::parse(&input) {
            prop_assert_eq!(SiteAddress::parse(&site.start_url()), Ok(site.clone()));
            prop_assert_eq!(site.key(), site.key().to_lowercase());
            prop_assert!(!site.host().ends_with('.'));
            let again = SiteAddress::parse(site.key());
            prop_assert!(again.is_ok());
        }
    }

    #[test]
    fn case_and_trailing_dot_do_not_make_another_site(name in "[a-z][a-z0-9]{0,10}\\.(com|org)") {
        let plain = SiteAddress::parse(&name);
        prop_assert!(plain.is_ok());
        prop_assert_eq!(&plain, &SiteAddress::parse(&name.to_uppercase()));
        prop_assert_eq!(&plain, &SiteAddress::parse(&format!("{name}.")));
    }
}
