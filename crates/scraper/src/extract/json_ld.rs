//! JSON-LD: what a page states in `<script type="application/ld+json">`.
//!
//! Read as the JSON that people write, not as the graph that the standard makes of it: types and
//! properties by their names. Broken JSON is read as it was meant where that can be told, else passed
//! over like what is endless, and nothing else of the page suffers.

mod hours;
mod references;
mod repair;
mod types;

use serde_json::{Map, Value};
use url::Url;

use super::head::absolute;
use super::text::clean;
use crate::facts::structured::{
    Article, Organization, Person, PostalAddress, Product, StructuredItem,
};
use crate::registrable::is_same_site;
use hours::Date;
use hours::opening_hours;
use references::References;
use repair::repaired;
use types::{ItemType, item_type};

/// Most bytes of one script; longer ones are lists that belong to no business.
const SCRIPT_MAX_BYTES: usize = 128 * 1024;

/// Most bytes of all scripts of a page.
const PAGE_MAX_BYTES: usize = 512 * 1024;

/// Most items kept of one page.
const ITEMS_MAX: usize = 16;

/// Most objects looked at in one script, and how deep.
const OBJECTS_MAX: usize = 1000;
const DEPTH_MAX: usize = 8;

/// Most bytes of a text and of a URL.
const TEXT_MAX_BYTES: usize = 256;
const URL_MAX_BYTES: usize = 512;

/// Most bytes of a part of an address.
const ADDRESS_PART_MAX_BYTES: usize = 128;

/// Most contacts of one item, and most opening hours.
const VALUES_MAX: usize = 16;

/// Properties in which items of interest are found. The authors of reviews and the sellers on
/// marketplaces are none of the site's own.
const NESTED_IN: &[&str] = &[
    "@graph",
    "department",
    "employee",
    "employees",
    "founder",
    "founders",
    "hasPart",
    "item",
    "itemListElement",
    "location",
    "mainEntity",
    "organizer",
    "publisher",
    "subOrganization",
    "worksFor",
];

/// Those of them that may be somebody else, the employer of a guest or who holds an event: read if
/// they say that they are of the site's own domain.
const OF_OTHERS: &[&str] = &["organizer", "worksFor"];

/// What old habits set around a script to hide it from readers of HTML or of XML.
const WRAPPED_BEFORE: &[&str] = &["<!--", "//", "/*", "*/", "-->", "<![CDATA[", ">"];
const WRAPPED_BEHIND: &[&str] = &["-->", "//", "/*", "*/", "<!]]>", "]]>", ";"];

/// Collects the items.
#[derive(Debug, Default)]
pub(super) struct JsonLd {
    script: String,
    is_too_long: bool,
    page_bytes: usize,
    items: Vec<StructuredItem>,
    /// The day that the page was answered.
    today: Option<Date>,
}

/// What items state of how to reach those that they describe.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reachable {
    pub(super) emails: Vec<String>,
    pub(super) phones: Vec<String>,
    /// Other addresses on the web: `sameAs`.
    pub(super) profiles: Vec<String>,
    pub(super) organizations: Vec<Organization>,
    /// All addresses of organizations.
    pub(super) addresses: Vec<PostalAddress>,
}

impl JsonLd {
    /// Takes the header `Date` of the answer.
    pub(super) fn see_date(&mut self, date: &str) {
        self.today = Date::of_header(date);
    }

    /// Takes the next piece of a script.
    pub(super) fn push(&mut self, text: &str) {
        self.is_too_long |= self.script.len() + text.len() > SCRIPT_MAX_BYTES;
        if self.is_too_long {
            self.script.clear();
        } else {
            self.script.push_str(text);
        }
    }

    /// Ends a script.
    pub(super) fn close(&mut self, base: &Url) -> Reachable {
        let script = std::mem::take(&mut self.script);
        self.page_bytes += script.len();
        if !std::mem::take(&mut self.is_too_long)
            && self.page_bytes <= PAGE_MAX_BYTES
            && let Some(value) = parse(&script)
        {
            return self.read(&value, base);
        }
        Reachable::default()
    }

    /// Reads what a script states, or what microdata states in other ways.
    pub(super) fn read(&mut self, value: &Value, base: &Url) -> Reachable {
        let mut reachable = Reachable::default();
        let mut walk = Walk {
            base,
            references: References::of(value),
            items: &mut self.items,
            reachable: &mut reachable,
            objects: 0,
            today: self.today,
        };
        walk.value(value, 0);
        reachable
    }

    pub(super) fn take(&mut self) -> Vec<StructuredItem> {
        std::mem::take(&mut self.items)
    }
}

/// The value of a script; line breaks within texts are a common mistake, comments around the script
/// an old habit, and what else is broken is repaired.
fn parse(script: &str) -> Option<Value> {
    let script = script.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let in_a_line = script.replace(|c: char| c.is_ascii_control(), " ");
    serde_json::from_str(unwrapped(&in_a_line))
        .or_else(|_broken| serde_json::from_str(&repaired(unwrapped(script))))
        .inspect_err(|error| tracing::debug!(%error, "a JSON-LD script is passed over"))
        .ok()
}

/// What is in a script without the comments around it.
fn unwrapped(script: &str) -> &str {
    let mut script = script.trim();
    let before = |script: &str| {
        WRAPPED_BEFORE
            .iter()
            .find(|sign| script.starts_with(**sign))
    };
    while let Some(sign) = before(script) {
        script = script.get(sign.len()..).unwrap_or_default().trim_start();
    }
    let behind = |script: &str| WRAPPED_BEHIND.iter().find(|sign| script.ends_with(**sign));
    while let Some(sign) = behind(script) {
        script = script.strip_suffix(*sign).unwrap_or_default().trim_end();
    }
    script
}

struct Walk<'a> {
    base: &'a Url,
    references: References<'a>,
    items: &'a mut Vec<StructuredItem>,
    reachable: &'a mut Reachable,
    objects: usize,
    today: Option<Date>,
}

impl Walk<'_> {
    fn value(&mut self, value: &Value, depth: usize) {
        if depth > DEPTH_MAX || self.objects >= OBJECTS_MAX {
            return;
        }
        match value {
            Value::Array(values) => {
                for value in values {
                    self.value(value, depth + 1);
                }
            }
            Value::Object(object) => {
                self.objects += 1;
                self.object(object);
                for name in NESTED_IN {
                    if let Some(nested) = object.get(*name)
                        && (!OF_OTHERS.contains(name) || self.is_own(nested))
                    {
                        self.value(nested, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether an organization says that it is of the site's own domain.
    fn is_own(&self, organization: &Value) -> bool {
        let host = self.base.host_str().unwrap_or_default();
        let says_so = |organization: &Map<String, Value>| {
            let url = self
                .url_of(organization, "url")
                .and_then(|url| Url::parse(&url).ok());
            let emails = texts(organization.get("email"));
            let mut domains = emails.iter().filter_map(|email| email.rsplit_once('@'));
            url.is_some_and(|url| url.host_str().is_some_and(|of| is_same_site(of, host)))
                || domains.any(|(_, domain)| is_same_site(&domain.to_ascii_lowercase(), host))
        };
        organization.as_object().is_some_and(says_so)
    }

    fn object(&mut self, object: &Map<String, Value>) {
        let Some((kind, schema_type)) = item_type(object.get("@type")) else {
            return;
        };
        let item = match kind {
            ItemType::Organization => {
                self.reach(object);
                let addresses = addresses(object, &self.references);
                self.reachable.addresses.extend(addresses);
                let organization = self.organization(object, schema_type);
                self.reachable.organizations.push(organization.clone());
                StructuredItem::Organization(Box::new(organization))
            }
            ItemType::Person => {
                self.reach(object);
                StructuredItem::Person(Person {
                    name: text_of(object, "name"),
                    job_title: text_of(object, "jobTitle"),
                })
            }
            ItemType::Product => product(object),
            ItemType::Article => StructuredItem::Article(Article {
                headline: text_of(object, "headline").or_else(|| text_of(object, "name")),
                author: name_of(object, "author"),
                published: text_of(object, "datePublished"),
                modified: text_of(object, "dateModified"),
            }),
        };
        if self.items.len() < ITEMS_MAX && !is_empty(&item) && !self.items.contains(&item) {
            self.items.push(item);
        }
    }

    fn organization(&self, object: &Map<String, Value>, schema_type: String) -> Organization {
        Organization {
            schema_type,
            name: text_of(object, "name"),
            legal_name: text_of(object, "legalName"),
            url: self.url_of(object, "url"),
            logo: self.url_of(object, "logo"),
            vat_id: text_of(object, "vatID"),
            price_range: text_of(object, "priceRange"),
            address: addresses(object, &self.references).next(),
            opening_hours: opening_hours(object, self.today),
        }
    }

    fn reach(&mut self, object: &Map<String, Value>) {
        let points = object.get("contactPoint").or(object.get("contactPoints"));
        let points = each(points).filter_map(Value::as_object);
        for object in std::iter::once(object).chain(points.take(VALUES_MAX)) {
            self.reachable.emails.extend(texts(object.get("email")));
            self.reachable.phones.extend(texts(object.get("telephone")));
        }
        self.reachable.profiles.extend(texts(object.get("sameAs")));
    }

    /// A URL, also where it is that of an image.
    fn url_of(&self, object: &Map<String, Value>, name: &str) -> Option<String> {
        let value = each(object.get(name)).next()?;
        let url = match self.references.resolve(value) {
            Value::Object(image) => image.get("url").or(image.get("contentUrl"))?.as_str()?,
            value => value.as_str()?,
        };
        absolute(self.base, url).filter(|url| url.len() <= URL_MAX_BYTES)
    }
}

fn product(object: &Map<String, Value>) -> StructuredItem {
    let offer = each(object.get("offers")).find_map(Value::as_object);
    let of_offer = |name: &str| offer.and_then(|offer| text_of(offer, name));
    StructuredItem::Product(Product {
        name: text_of(object, "name"),
        brand: name_of(object, "brand"),
        sku: text_of(object, "sku"),
        price: of_offer("lowPrice").or_else(|| of_offer("price")),
        currency: of_offer("priceCurrency"),
        availability: of_offer("availability").map(|url| last_part(&url).to_owned()),
    })
}

/// The addresses of an organization, and of the places where it is.
fn addresses<'v>(
    object: &'v Map<String, Value>,
    references: &References<'v>,
) -> impl Iterator<Item = PostalAddress> {
    let places = each(object.get("location")).map(|place| references.resolve(place));
    let of_places = places.flat_map(|place| each(place.get("address")));
    each(object.get("address"))
        .chain(of_places)
        .take(VALUES_MAX)
        .map(|stated| references.resolve(stated))
        // A reference may lead to the place instead of its address.
        .filter_map(|stated| address(stated.get("address").unwrap_or(stated)))
}

fn address(value: &Value) -> Option<PostalAddress> {
    let part = |part: Option<String>| part.and_then(|p| clean(&p, ADDRESS_PART_MAX_BYTES));
    let address = match value {
        Value::Object(object) => PostalAddress {
            street: part(text_of(object, "streetAddress")),
            postal_code: part(text_of(object, "postalCode")),
            locality: part(text_of(object, "addressLocality")),
            region: part(text_of(object, "addressRegion")),
            country: part(name_of(object, "addressCountry")),
        },
        value => PostalAddress {
            street: part(text(value)),
            ..PostalAddress::default()
        },
    };
    (address != PostalAddress::default()).then_some(address)
}

fn is_empty(item: &StructuredItem) -> bool {
    match item {
        StructuredItem::Organization(organization) => {
            let nothing = Organization {
                schema_type: organization.schema_type.clone(),
                ..Organization::default()
            };
            **organization == nothing
        }
        StructuredItem::Person(person) => *person == Person::default(),
        StructuredItem::Product(product) => *product == Product::default(),
        StructuredItem::Article(article) => *article == Article::default(),
    }
}

/// A property, a list of values or one.
fn each(value: Option<&Value>) -> impl Iterator<Item = &Value> + Clone {
    match value {
        Some(Value::Array(values)) => values.iter(),
        Some(value) => std::slice::from_ref(value).iter(),
        None => [].iter(),
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    each(value).filter_map(text).take(VALUES_MAX).collect()
}

fn text_of(object: &Map<String, Value>, name: &str) -> Option<String> {
    each(object.get(name)).find_map(text)
}

/// The text of a property, or the name of the thing that it is.
fn name_of(object: &Map<String, Value>, name: &str) -> Option<String> {
    each(object.get(name)).find_map(|value| match value {
        Value::Object(thing) => text_of(thing, "name"),
        value => text(value),
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => clean(text, TEXT_MAX_BYTES),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(object) => object
            .get("@value")
            .filter(|v| !v.is_object())
            .and_then(text),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}

/// The name in `https://schema.org/InStock` and `schema:InStock`.
fn last_part(name: &str) -> &str {
    name.rsplit(['/', '#', ':']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
