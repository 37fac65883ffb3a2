//! Where the values of a site's profile are from: the page that showed each first, how many did,
//! and how sure it is.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use url::Url;

use crate::facts::PageFacts;
use crate::facts::contact::{
    CompanyFact, CompanyFactKind, ContactMethod, Email, Found, Location, Phone, SocialLink,
};
use crate::registrable::{is_free_mail, is_same_site};

/// Most values of one kind remembered while merging, so that memory is bounded on any site.
const CANDIDATES_MAX: usize = 512;

/// Most bytes of each list as JSON. Chosen: a few dozen usual values of each kind.
const EMAILS_MAX_BYTES: usize = 7 * 1024;
const PHONES_MAX_BYTES: usize = 4 * 1024;
const SOCIAL_PROFILES_MAX_BYTES: usize = 4 * 1024;
const LOCATIONS_MAX_BYTES: usize = 4 * 1024;
const COMPANY_MAX_BYTES: usize = 5 * 1024;

/// Contacts and company data with where they are from, in each list the surest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Provenance {
    /// E-mail addresses.
    pub emails: Vec<Sourced<Email>>,
    /// Phone numbers.
    pub phones: Vec<Sourced<Phone>>,
    /// Profiles at social networks.
    pub social_profiles: Vec<Sourced<SocialLink>>,
    /// Postal addresses.
    pub locations: Vec<Sourced<Location>>,
    /// What the site says of the business itself.
    pub company: Vec<Sourced<CompanyFact>>,
}

/// A value and the pages that it is from. Its evidence is that of all pages together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sourced<T> {
    /// The value.
    #[serde(flatten)]
    pub found: T,
    /// The URL of the first page that shows it.
    #[serde(serialize_with = "as_text")]
    pub page: Arc<str>,
    /// How many pages show it.
    pub pages: u32,
}

fn as_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

/// Everything found on the pages of a site.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// The host of the start page.
    host: String,
    emails: Tally<Email>,
    phones: Tally<Phone>,
    social_profiles: Tally<SocialLink>,
    locations: Tally<Location>,
    company: Tally<CompanyFact>,
}

impl Sources {
    pub(super) fn add(&mut self, page: &str, facts: &PageFacts) {
        if self.host.is_empty() {
            let url = Url::parse(page).ok();
            let host = url.as_ref().and_then(Url::host_str);
            host.unwrap_or_default().clone_into(&mut self.host);
        }
        let page: Arc<str> = page.into();
        self.emails.add(&page, &facts.emails);
        self.phones.add(&page, &facts.phones);
        self.social_profiles.add(&page, &facts.social_links);
        self.locations.add(&page, &facts.locations);
        self.company.add(&page, &facts.company);
    }

    /// E-mail addresses, the surest first.
    pub(super) fn emails(&self) -> impl Iterator<Item = &Email> {
        let rank = |sourced: &Sourced<Email>| self.email_rank(sourced);
        self.emails.ranked(rank).map(|sourced| &sourced.found)
    }

    /// Phone numbers, the surest first.
    pub(super) fn phones(&self) -> impl Iterator<Item = &Phone> {
        self.phones.ranked(phone_rank).map(|sourced| &sourced.found)
    }

    /// Profiles at social networks, the surest first.
    pub(super) fn social_profiles(&self) -> impl Iterator<Item = &Sourced<SocialLink>> {
        self.social_profiles.ranked(|_| 0)
    }

    pub(super) fn provenance(&self) -> Provenance {
        // Opening hours in a text are told only of a site that states none for machines.
        let is_hours = |fact: &CompanyFact| fact.kind == CompanyFactKind::OpeningHours;
        let is_text = |fact: &CompanyFact| fact.evidence.methods == [ContactMethod::Text];
        let mut known = self.company.0.iter().map(|sourced| &sourced.found);
        let has_stated = known.any(|fact| is_hours(fact) && !is_text(fact));
        let is_told = |fact: &CompanyFact| !(has_stated && is_hours(fact) && is_text(fact));
        let email_rank = |sourced: &Sourced<Email>| self.email_rank(sourced);
        Provenance {
            emails: self.emails.fitting(email_rank, EMAILS_MAX_BYTES),
            phones: self.phones.fitting(phone_rank, PHONES_MAX_BYTES),
            social_profiles: self
                .social_profiles
                .fitting(|_| 0, SOCIAL_PROFILES_MAX_BYTES),
            locations: self.locations.fitting(|_| 0, LOCATIONS_MAX_BYTES),
            company: fitting(self.company.of_all_pages(|_| 0, is_told), COMPANY_MAX_BYTES),
        }
    }

    /// Addresses at the site's own domain are its own, those at providers for everybody often,
    /// and those at other domains seldom.
    fn email_rank(&self, sourced: &Sourced<Email>) -> u8 {
        let domain = sourced.found.value.rsplit('@').next().unwrap_or_default();
        if !sourced.found.evidence.is_own() {
            0
        } else if is_same_site(domain, &self.host) {
            3
        } else if is_free_mail(domain) {
            2
        } else {
            1
        }
    }
}

/// What the site states of itself for machines comes first.
fn phone_rank(sourced: &Sourced<Phone>) -> u8 {
    let evidence = &sourced.found.evidence;
    let is_stated = [ContactMethod::JsonLd, ContactMethod::Microdata]
        .iter()
        .any(|method| evidence.methods.contains(method));
    u8::from(evidence.is_own()) + u8::from(is_stated)
}

/// Values of one kind, in the order first seen, which decides between equals.
#[derive(Debug)]
struct Tally<T>(Vec<Sourced<T>>);

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Found + Clone + Serialize> Tally<T> {
    fn add(&mut self, page: &Arc<str>, found: &[T]) {
        for item in found {
            if let Some(known) = self.0.iter_mut().find(|known| known.found.is_same(item)) {
                known.pages = known.pages.saturating_add(1);
                known.found.evidence_mut().merge(item.evidence());
            } else if self.0.len() < CANDIDATES_MAX {
                self.0.push(Sourced {
                    found: item.clone(),
                    page: Arc::clone(page),
                    pages: 1,
                });
            }
        }
    }

    /// By a rank of the kind, then the surest first.
    fn ranked(&self, rank: impl Fn(&Sourced<T>) -> u8) -> impl Iterator<Item = &Sourced<T>> {
        let rank = |sourced: &Sourced<T>| {
            let evidence = sourced.found.evidence();
            let confidence = evidence.confidence_of_pages(sourced.pages);
            (rank(sourced), confidence, sourced.pages)
        };
        let mut order: Vec<&Sourced<T>> = self.0.iter().collect();
        // The sort is stable: equals stay in the order first seen.
        order.sort_by_key(|sourced| std::cmp::Reverse(rank(sourced)));
        order.into_iter()
    }

    fn fitting(&self, rank: impl Fn(&Sourced<T>) -> u8, max_bytes: usize) -> Vec<Sourced<T>> {
        fitting(self.of_all_pages(rank, |_| true), max_bytes)
    }

    /// Those of a kind, as sure as all pages together make them.
    fn of_all_pages(
        &self,
        rank: impl Fn(&Sourced<T>) -> u8,
        is_kind: impl Fn(&T) -> bool,
    ) -> impl Iterator<Item = Sourced<T>> {
        let of_kind = self
            .ranked(rank)
            .filter(move |sourced| is_kind(&sourced.found));
        of_kind.map(|sourced| {
            let mut sourced = sourced.clone();
            let evidence = sourced.found.evidence_mut();
            evidence.confidence = evidence.confidence_of_pages(sourced.pages);
            sourced
        })
    }
}

/// The first values that together take at most `max_bytes` as JSON.
pub(super) fn fitting<T: Serialize>(values: impl Iterator<Item = T>, max_bytes: usize) -> Vec<T> {
    let mut room = max_bytes;
    values
        .map_while(|value| {
            let bytes = serde_json::to_vec(&value).ok()?.len() + 1;
            room = room.checked_sub(bytes)?;
            Some(value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::contact::Evidence;

    fn email(value: &str, method: ContactMethod) -> Email {
        let mut evidence = Evidence::of(method);
        evidence.judge(false);
        Email {
            value: value.to_owned(),
            evidence,
        }
    }

    #[test]
    fn values_are_merged_over_pages_and_ranked() {
        use ContactMethod::{Link, Text};
        let mut sources = Sources::default();
        let pages = [
            ("/", vec![email("one@a.de", Text), email("two@a.de", Text)]),
            ("/a", vec![email("two@a.de", Text)]),
            (
                "/b",
                vec![email("three@a.de", Link), email("two@a.de", Text)],
            ),
        ];
        for (url, emails) in pages {
            let facts = PageFacts {
                emails,
                ..PageFacts::default()
            };
            sources.add(url, &facts);
        }
        let found: Vec<_> = sources
            .provenance()
            .emails
            .iter()
            .map(|s| {
                let evidence = &s.found.evidence;
                let value = s.found.value.clone();
                (
                    value,
                    s.page.to_string(),
                    s.pages,
                    evidence.count,
                    evidence.confidence,
                )
            })
            .collect();
        let expected = [
            ("three@a.de", "/b", 1, 1, 90),
            ("two@a.de", "/", 3, 3, 77),
            ("one@a.de", "/", 1, 1, 75),
        ];
        let expected = expected.map(|(v, p, n, c, s)| (v.to_owned(), p.to_owned(), n, c, s));
        assert_eq!(found, expected);
    }

    #[test]
    fn hours_in_a_text_are_told_only_where_none_are_stated() {
        let hours = |value: &str, method| CompanyFact {
            kind: CompanyFactKind::OpeningHours,
            value: value.to_owned(),
            scheme: None,
            court: None,
            evidence: Evidence::of(method),
        };
        let mut sources = Sources::default();
        let mut told = |fact| {
            let facts = PageFacts {
                company: vec![fact],
                ..PageFacts::default()
            };
            sources.add("https://a.de/", &facts);
            let company = sources.provenance().company.into_iter();
            company.map(|fact| fact.found.value).collect::<Vec<_>>()
        };
        let text = told(hours("Mo 09:00-12:00", ContactMethod::Text));
        assert_eq!(text, ["Mo 09:00-12:00"]);
        let both = told(hours("Mo 08:00-12:00", ContactMethod::Microdata));
        assert_eq!(both, ["Mo 08:00-12:00"]);
    }

    #[test]
    fn own_addresses_come_first_and_those_of_others_last() {
        use ContactMethod::{Link, Text};
        let mut of_others = email("hallo@pixel.de", Link);
        of_others.evidence.is_of_others = true;
        of_others.evidence.judge(false);
        let page = |emails| PageFacts {
            emails,
            ..PageFacts::default()
        };
        let mut sources = Sources::default();
        let first = vec![of_others.clone(), email("mail@partner.de", Link)];
        sources.add("https://www.a.de/", &page(first));
        let second = vec![of_others, email("a@web.de", Text), email("info@a.de", Text)];
        sources.add("https://www.a.de/imprint", &page(second));
        let found = |sources: &Sources| -> Vec<(String, bool)> {
            let emails = sources.emails();
            emails
                .map(|email| (email.value.clone(), email.evidence.is_own()))
                .collect()
        };
        let expected = [
            ("info@a.de", true),
            ("a@web.de", true),
            ("mail@partner.de", true),
            ("hallo@pixel.de", false),
        ];
        assert_eq!(
            found(&sources),
            expected.map(|(v, own)| (v.to_owned(), own))
        );
        // What also stands where nobody else is named is the site's own.
        let plain = vec![email("hallo@pixel.de", Text)];
        sources.add("https://www.a.de/team", &page(plain));
        assert!(found(&sources).iter().all(|(_, is_own)| *is_own));
    }

    #[test]
    fn numbers_stated_for_machines_come_first() {
        let phone = |value: &str, methods: &[ContactMethod]| {
            let mut evidence = Evidence::of(ContactMethod::Text);
            methods.clone_into(&mut evidence.methods);
            evidence.judge(false);
            Phone {
                value: value.to_owned(),
                national: String::new(),
                evidence,
            }
        };
        let mut sources = Sources::default();
        let linked = phone("+491", &[ContactMethod::Link, ContactMethod::Text]);
        let facts = PageFacts {
            phones: vec![linked, phone("+492", &[ContactMethod::JsonLd])],
            ..PageFacts::default()
        };
        sources.add("https://a.de/", &facts);
        let found: Vec<&str> = sources.phones().map(|phone| phone.value.as_str()).collect();
        assert_eq!(found, ["+492", "+491"]);
    }

    #[test]
    fn a_value_is_written_beside_its_provenance() {
        let mut sources = Sources::default();
        let facts = PageFacts {
            emails: vec![email("info@a.de", ContactMethod::Cloudflare)],
            ..PageFacts::default()
        };
        sources.add("https://a.de/", &facts);
        let json = serde_json::to_value(sources.provenance()).expect("json");
        let expected = serde_json::json!([{
            "value": "info@a.de", "methods": ["cloudflare"], "count": 1, "confidence": 90,
            "page": "https://a.de/", "pages": 1,
        }]);
        assert_eq!(json["emails"], expected);
    }

    #[test]
    fn only_the_first_values_that_fit_are_kept() {
        assert_eq!(fitting(["aa", "b", "cc"].into_iter(), 9), ["aa", "b"]);
        assert_eq!(fitting(["aaa", "b"].into_iter(), 5), [""; 0]);
    }
}
