use proptest::prelude::*;
use trawl_domain::url_rules::PageUrl;

use super::super::facts_of;
use super::super::tag::Tag;
use super::super::tokenizer::{Token, tokens};
use super::*;
use crate::facts::PageFacts;
use crate::facts::contact::ContactMethod;
use crate::facts::structured::{
    Article, Organization, Person, PostalAddress, Product, StructuredItem,
};

fn facts(body: &str) -> PageFacts {
    let url = PageUrl::parse("https://hirsch.test/ueber/").expect("url");
    facts_of(&url, &[], body.as_bytes())
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// What is read of the only item, an organization of type `Hotel`.
fn hotel(properties: &str) -> Organization {
    let items = facts(&format!(
        "<div itemscope itemtype=https://schema.org/Hotel>{properties}</div>"
    ))
    .structured;
    match items.as_slice() {
        [StructuredItem::Organization(organization)] => (**organization).clone(),
        other => panic!("{properties}: {other:?}"),
    }
}

fn names(body: &str) -> Vec<String> {
    let name = |item: StructuredItem| match item {
        StructuredItem::Organization(organization) => organization.name,
        StructuredItem::Person(person) => person.name,
        StructuredItem::Product(product) => product.name,
        StructuredItem::Article(article) => article.headline,
    };
    facts(body)
        .structured
        .into_iter()
        .filter_map(name)
        .collect()
}

#[test]
fn a_business_is_read_with_its_contacts() {
    let facts = facts(
        r#"<html itemscope itemtype="https://schema.org/WebPage"><body>
        <section itemscope itemtype="http://schema.org/Restaurant">
        <h1 itemprop="name">Zum &amp; <b>Hirsch</b></h1><img itemprop=logo src="/logo.png" alt="">
        <a itemprop="url" href="/">Start</a><meta itemprop=vatID content="DE136695976">
        <span itemprop="legalName">Hirsch
          GmbH</span><span itemprop=priceRange>€€</span>
        <p itemprop="address" itemscope itemtype="https://schema.org/PostalAddress">
          <span itemprop="streetAddress">Ring 1<br>Hof 2</span>,
          <span itemprop="postalCode">10115</span> <span itemprop="addressLocality">Berlin</span>
          <meta itemprop="addressCountry" content="DE">
        <p>Tel. <a itemprop="telephone" href="tel:+49301234567">anrufen</a>
        <a itemprop=email href="mailto:post@hirsch.de?subject=x">schreiben</a>
        <ul><li><time itemprop=openingHours datetime="Mo-Fr 08:00-18:00">Mo bis Fr</time>
        <li><time itemprop=openingHours datetime="Sa 10:00-12:00">Sa</time></ul>
        <link itemprop="sameAs" href="https://www.instagram.com/hirsch">
        <div itemprop="founder" itemscope itemtype="https://schema.org/Person">
          <span itemprop=name>Ada</span>, <span itemprop=jobTitle>Chef</span></div>
        <div itemprop=review itemscope itemtype=https://schema.org/Review>
          <div itemprop=author itemscope itemtype=https://schema.org/Person>
            <span itemprop=name>A guest</span></div></div>
        </section>"#,
    );
    let address = PostalAddress {
        street: some("Ring 1 Hof 2"),
        postal_code: some("10115"),
        locality: some("Berlin"),
        region: None,
        country: some("DE"),
    };
    let organization = Organization {
        schema_type: "Restaurant".to_owned(),
        name: some("Zum & Hirsch"),
        legal_name: some("Hirsch GmbH"),
        url: some("https://hirsch.test/"),
        logo: some("https://hirsch.test/logo.png"),
        vat_id: some("DE136695976"),
        price_range: some("€€"),
        address: Some(address),
        opening_hours: vec!["Mo-Fr 08:00-18:00".to_owned(), "Sa 10:00-12:00".to_owned()],
    };
    let founder = Person {
        name: some("Ada"),
        job_title: some("Chef"),
    };
    assert_eq!(
        facts.structured,
        [
            StructuredItem::Organization(Box::new(organization)),
            StructuredItem::Person(founder)
        ]
    );
    let social = facts.social_links.first().map(|link| link.url.as_str());
    assert_eq!(social, Some("https://www.instagram.com/hirsch"));
}

#[test]
fn contacts_name_the_method() {
    let facts = facts(
        r"<div itemscope itemtype=https://schema.org/Organization>
        <meta itemprop=email content=post@hirsch.de><meta itemprop=telephone content='+49 30 1234567'>",
    );
    let method = ContactMethod::Microdata;
    assert_eq!(facts.emails[0].value, "post@hirsch.de");
    assert_eq!(facts.emails[0].evidence.methods, [method]);
    assert_eq!(facts.phones[0].value, "+49301234567");
    assert_eq!(facts.phones[0].evidence.methods, [method]);
    let json = serde_json::to_string(&method).expect("json");
    assert_eq!(json, "\"microdata\"");
}

#[test]
fn products_and_articles_are_read() {
    let facts = facts(
        r#"<main itemscope itemtype="https://schema.org/Product"><h1 itemprop=name>Brot</h1>
        <span itemprop="brand" itemscope itemtype="https://schema.org/Brand">
          <meta itemprop="name" content="Mühle"></span><b itemprop=sku>7</b>
        <div itemprop=offers itemscope itemtype=https://schema.org/Offer>
          <span itemprop="price" content="3.5">3,50</span><meta itemprop=priceCurrency content=EUR>
          <link itemprop=availability href="https://schema.org/InStock"></div></main>
        <article itemscope itemtype="https://schema.org/BlogPosting"><h2 itemprop="headline">
          <a href="/neu">Neu</a></h2><a itemprop=author href=/ada>Ada</a>
          <time itemprop="datePublished dateModified" datetime="2024-05-01">Mai</time>"#,
    );
    let product = Product {
        name: some("Brot"),
        brand: some("Mühle"),
        sku: some("7"),
        price: some("3.5"),
        currency: some("EUR"),
        availability: some("InStock"),
    };
    let article = Article {
        headline: some("Neu"),
        author: some("Ada"),
        published: some("2024-05-01"),
        modified: some("2024-05-01"),
    };
    assert_eq!(
        facts.structured,
        [
            StructuredItem::Product(product),
            StructuredItem::Article(article)
        ]
    );
}

#[test]
fn a_property_ends_with_its_element_whatever_is_left_open() {
    let name = |properties: &str| hotel(properties).name;
    assert_eq!(name("<p itemprop=name>A<p>B"), some("A"));
    assert_eq!(name("<div><span itemprop=name>A</div>B"), some("A"));
    assert_eq!(name("<ul><li itemprop=name>A<li>B</ul>"), some("A"));
    assert_eq!(name("<span itemprop=name>A</p></span>B"), some("A"));
    assert_eq!(
        name("<span itemprop=name>A<br>B<img><wbr></span>C"),
        some("A B")
    );
    assert_eq!(name("<td itemprop=name>A<td>B"), some("A"));
    assert_eq!(name("<b itemprop=name>A</b itemprop=x>B"), some("A"));
    let cut = facts("<div itemscope itemtype=Hotel><p itemprop=name>A").structured;
    assert_eq!(cut.len(), 1, "{cut:?}");
}

#[test]
fn values_stand_where_each_element_has_them() {
    let name = |property: &str| hotel(property).name;
    assert_eq!(name("<data itemprop=name value=A>B</data>"), some("A"));
    assert_eq!(name("<i itemprop=name content=A>B</i>"), some("A"));
    assert_eq!(name("<a itemprop=name href=/b>A</a>"), some("A"));
    assert_eq!(name("<i itemprop='name legalName'>A</i>"), some("A"));
    assert_eq!(name("<time itemprop=name>A</time>"), some("A"));
    let logo = |property: &str| hotel(property).logo;
    let url = some("https://hirsch.test/a.png");
    assert_eq!(logo("<img itemprop=logo src=/a.png>"), url);
    assert_eq!(logo("<img itemprop=logo src=data:x data-src=/a.png>"), url);
    assert_eq!(logo("<a itemprop=logo href=/a.png>B</a>"), url);
    assert_eq!(logo("<object itemprop=logo data=/a.png>B</object>"), url);
    let nested =
        "<i itemprop=logo itemscope itemtype=ImageObject><link itemprop=url href=/a.png></i>";
    assert_eq!(logo(nested), url);
}

#[test]
fn items_end_and_what_follows_is_none_of_theirs() {
    let hotel = |name: &str| {
        format!(
            "<div itemscope itemtype=https://schema.org/Hotel><i itemprop=name>{name}</i></div>"
        )
    };
    let page = format!("{}<i itemprop=name>no</i>{}", hotel("A"), hotel("B"));
    assert_eq!(names(&page), ["A", "B"]);
    // The same item once more, and as JSON-LD.
    let script = r#"<script type=application/ld+json>{"@type":"Hotel","name":"A"}</script>"#;
    assert_eq!(
        names(&format!("{}{}{script}", hotel("A"), hotel("A"))),
        ["A"]
    );
    assert_eq!(
        names("<i itemprop=name>no</i><div itemscope><i itemprop=name>no</i></div>"),
        [""; 0]
    );
}

#[test]
fn what_is_kept_is_bounded() {
    let mut microdata = Microdata::default();
    let deep = "<div itemscope itemprop='a b c d' itemtype=Hotel>".repeat(100_000);
    let values = format!("<i itemprop='a b c d'>{}</i>", "x".repeat(5000)).repeat(1000);
    let page = format!("{deep}{values}");
    let mut item = None;
    let mut open = super::super::open_elements::OpenElements::default();
    tokens(&page, |token| {
        match token {
            Token::Tag(Tag::Start {
                element,
                attributes,
                ..
            }) => {
                let depth = open.open(element);
                microdata.enter(element, depth, &attributes);
                microdata.text(&"y".repeat(5000));
            }
            Token::Tag(Tag::End { element }) => {
                open.end(element);
            }
            _ => {}
        }
        item = item.take().or_else(|| microdata.leave(open.depth()));
    });
    let item = item.or(microdata.leave(0)).expect("the outermost item");
    let bytes = serde_json::to_vec(&item).expect("json").len();
    assert!(bytes <= PAGE_MAX_BYTES, "{bytes} bytes");
    assert!(facts(&page).structured.is_empty());
}

proptest! {
    #[test]
    fn any_markup_is_read_without_a_panic(
        pieces in proptest::collection::vec(
            prop::sample::select(vec![
                "<div itemscope itemtype=Hotel>", "<p itemprop=name>", "<i itemprop='a b' itemscope>",
                "</div>", "</p>", "</i>", "x", "<br itemprop=name>", "<meta itemprop=name content=y>",
                "<td itemscope>", "<table>", "</table>", "<li itemprop=@type>", "</body>",
            ]),
            0..60,
        ),
    ) {
        facts(&pieces.concat());
    }
}
