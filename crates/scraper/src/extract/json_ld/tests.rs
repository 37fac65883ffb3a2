use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(script: &str) -> (Vec<StructuredItem>, Reachable) {
    let base = Url::parse("https://a.test/page").expect("url");
    let mut json_ld = JsonLd::default();
    json_ld.push(script);
    let reachable = json_ld.close(&base);
    (json_ld.take(), reachable)
}

#[test]
fn a_business_is_read_with_its_contacts() {
    let (items, reachable) = read(
        r#"{"@context": "https://schema.org", "@graph": [
            {"@type": "WebSite", "name": "no item"},
            {"@type": ["Restaurant", "LocalBusiness"], "name": "Zum &amp; Hirsch", "url": "/",
             "logo": {"@type": "ImageObject", "url": "/logo.png"}, "email": "mailto:a@hirsch.de",
             "telephone": ["+49 30 1234567"], "sameAs": "https://www.facebook.com/hirsch",
             "contactPoint": [{"telephone": "+49 30 7654321", "email": "b@hirsch.de"}],
             "address": {"streetAddress": "Ring 1", "postalCode": 10115,
                         "addressLocality": "Berlin", "addressCountry": {"name": "DE"}},
             "openingHours": ["Mo-Fr 08:00-18:00"], "vatID": "DE123",
             "founder": {"@type": "Person", "name": "Ada", "jobTitle": "Chef"},
             "review": {"author": {"@type": "Person", "name": "a guest"}}}]}"#,
    );
    let address = PostalAddress {
        street: Some("Ring 1".into()),
        postal_code: Some("10115".into()),
        locality: Some("Berlin".into()),
        region: None,
        country: Some("DE".into()),
    };
    let organization = Organization {
        schema_type: "Restaurant".into(),
        name: Some("Zum & Hirsch".into()),
        url: Some("https://a.test/".into()),
        logo: Some("https://a.test/logo.png".into()),
        vat_id: Some("DE123".into()),
        address: Some(address),
        opening_hours: vec!["Mo-Fr 08:00-18:00".into()],
        ..Organization::default()
    };
    let founder = Person {
        name: Some("Ada".into()),
        job_title: Some("Chef".into()),
    };
    assert_eq!(
        items,
        [
            StructuredItem::Organization(Box::new(organization)),
            StructuredItem::Person(founder)
        ]
    );
    assert_eq!(reachable.emails, ["mailto:a@hirsch.de", "b@hirsch.de"]);
    assert_eq!(reachable.phones, ["+49 30 1234567", "+49 30 7654321"]);
    assert_eq!(reachable.profiles, ["https://www.facebook.com/hirsch"]);
}

#[test]
fn products_and_articles_are_read() {
    let (items, _) = read(
        r#"[{"@type": "Product", "name": "Brot", "brand": {"name": "Mühle"}, "sku": 7,
             "offers": [{"price": 3.5, "priceCurrency": "EUR",
                         "availability": "https://schema.org/InStock"}]},
            {"@type": "BlogPosting", "headline": "Neu", "author": [{"name": "Ada"}],
             "datePublished": "2024-05-01"}]"#,
    );
    let product = Product {
        name: Some("Brot".into()),
        brand: Some("Mühle".into()),
        sku: Some("7".into()),
        price: Some("3.5".into()),
        currency: Some("EUR".into()),
        availability: Some("InStock".into()),
    };
    let article = Article {
        headline: Some("Neu".into()),
        author: Some("Ada".into()),
        published: Some("2024-05-01".into()),
        modified: None,
    };
    assert_eq!(
        items,
        [
            StructuredItem::Product(product),
            StructuredItem::Article(article)
        ]
    );
}

#[test]
fn common_mistakes_are_read_and_broken_scripts_passed_over() {
    let named = |script: &str| read(script).0.len() == 1;
    assert!(named("<!-- {\"@type\":\"Person\",\"name\":\"a\nb\"} -->"));
    assert!(named("\u{feff}{\"@type\":\"Person\",\"name\":\"a\"};"));
    assert!(named(
        "{\"@type\":\"Person\", // the boss\n\"name\":\"a\",}"
    ));
    for (before, behind) in [
        ("//<![CDATA[\n", "\n//]]>"),
        ("/* <![CDATA[ */", "/* ]]> */"),
        ("<!--//--><![CDATA[//><!--\n", "\n//--><!]]>"),
        ("<![CDATA[", "]]>"),
    ] {
        let script = format!("{before}{{\"@type\":\"Person\",\"name\":\"a\"}}{behind}");
        assert!(named(&script), "{script}");
    }
    for broken in ["", "{", "[1,", "{\"@type\":\"Person\",}", "null", "\"x\""] {
        assert_eq!(read(broken), (Vec::new(), Reachable::default()), "{broken}");
    }
    assert!(read(&"[".repeat(100_000)).0.is_empty());
    assert!(
        read(r#"{"@type": "Person", "name": ["", null, {}]}"#)
            .0
            .is_empty()
    );
}

#[test]
fn what_is_kept_is_bounded() {
    let people: Vec<Value> = (0..5000)
        .map(|n| json!({"@type": "Person", "name": format!("p{n}"), "email": vec!["x"; 99]}))
        .collect();
    let (items, reachable) = read(&Value::from(people[..100].to_vec()).to_string());
    assert_eq!(items.len(), ITEMS_MAX);
    assert!(reachable.emails.len() <= 100 * VALUES_MAX);
    assert!(read(&Value::from(people).to_string()).0.is_empty());
    let mut deep = json!({"@type": "Person", "name": "deep"});
    for _ in 0..20 {
        deep = json!({ "mainEntity": deep });
    }
    assert!(read(&deep.to_string()).0.is_empty());
}

#[test]
fn what_is_said_elsewhere_is_found_by_its_id() {
    let read_one = |script: &str| {
        let (items, reachable) = read(script);
        let Some(StructuredItem::Organization(organization)) = items.into_iter().next() else {
            panic!("no organization: {script}");
        };
        (*organization, reachable.addresses)
    };
    let ring = PostalAddress {
        street: Some("Ring 1".into()),
        ..PostalAddress::default()
    };
    // As Yoast Local writes it.
    let (organization, addresses) = read_one(
        r##"{"@graph": [
            {"@type": "Organization", "name": "A", "address": {"@id": "/#address"},
             "logo": {"@id": "/#logo"}},
            {"@type": "PostalAddress", "@id": "/#address", "streetAddress": "Ring 1"},
            {"@type": "ImageObject", "@id": "/#logo", "url": "/logo.png"}]}"##,
    );
    assert_eq!(organization.address.as_ref(), Some(&ring));
    assert_eq!(
        organization.logo.as_deref(),
        Some("https://a.test/logo.png")
    );
    assert_eq!(addresses, std::slice::from_ref(&ring));
    // As Rank Math does.
    for property in ["location", "address"] {
        let script = json!({"@graph": [
            {"@type": "Place", "@id": "#place", "address": {"streetAddress": "Ring 1"}},
            {"@type": "Organization", "name": "A", property: {"@id": "#place"}},
        ]});
        let (organization, _) = read_one(&script.to_string());
        assert_eq!(organization.address.as_ref(), Some(&ring), "{property}");
    }
    // What leads nowhere, or in a circle, is no address.
    for id in ["#nowhere", "#a"] {
        let script = json!({"@graph": [
            {"@type": "Organization", "@id": "#a", "name": "A", "address": {"@id": id},
             "location": {"@id": id}},
        ]});
        let (organization, addresses) = read_one(&script.to_string());
        assert_eq!(
            (organization.address, addresses),
            (None, Vec::new()),
            "{id}"
        );
    }
}

#[test]
fn an_employer_and_who_holds_an_event_are_read_if_they_are_the_site() {
    let organizations = |other: Value| {
        let person = json!({"@type": "Person", "name": "Ada", "worksFor": other});
        let event = json!({"@type": "Event", "name": "Ada's evening", "organizer": other});
        let [of_person, of_event] =
            [person, event].map(|script| read(&script.to_string()).1.organizations.len());
        assert_eq!(of_person, of_event);
        of_person
    };
    let organization =
        |name: &str, value: &str| json!({"@type": "Organization", "name": "X", name: value});
    for (name, value) in [
        ("url", "https://www.a.test/about"),
        ("email", "info@mail.A.test"),
    ] {
        assert_eq!(organizations(organization(name, value)), 1, "{value}");
    }
    for (name, value) in [
        ("url", "https://other.test/"),
        ("email", "info@other.test"),
        ("telephone", "+49 30 1234567"),
    ] {
        assert_eq!(organizations(organization(name, value)), 0, "{value}");
    }
}

proptest! {
    #[test]
    fn any_script_is_read_without_a_panic(
        pieces in proptest::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"@type\"", "\"Person\"", "\"Hotel\"", "\"name\"",
                "\"address\"", "\"a\u{fc}\\u0000\"", "1e999", "null", "true", "\"@graph\"", "\n",
            ]),
            0..40,
        ),
    ) {
        read(&pieces.concat());
    }
}
