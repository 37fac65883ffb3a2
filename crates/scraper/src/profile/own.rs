//! Which of several values of one kind is the site's own: employees and customers have profiles,
//! and partners logos, as well.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use url::Url;

use super::Sourced;
use crate::facts::contact::SocialLink;
use crate::registrable::registrable_domain;

/// What a path to the profile of a person begins with, at LinkedIn and Xing.
const PERSONS: &[&str] = &["in", "profile"];

/// Fewest characters of a name that says something within a longer one.
const LABEL_MIN_CHARS: usize = 4;

/// Most logos remembered of a site.
const LOGOS_MAX: usize = 32;

/// Whether it is a business, how sure it is in percent, its pages, how close its name is.
type Rank = (Reverse<bool>, u8, u32, u8);

/// The profile of the site at each network: of a business before a person, then the surest, that
/// of the most pages and the one named most like the domain; among equals the first.
pub(super) fn profiles<'a>(
    ranked: impl Iterator<Item = &'a Sourced<SocialLink>>,
    page: &str,
) -> BTreeMap<String, String> {
    let label = label(page);
    let mut best: BTreeMap<&str, (Rank, &str)> = BTreeMap::new();
    for Sourced { found, pages, .. } in ranked {
        let path: Vec<&str> = found.url.split('/').skip(3).collect();
        let is_person = path.len() > 1 && path.first().is_some_and(|part| PERSONS.contains(part));
        let confidence = found.evidence.confidence_of_pages(*pages);
        let closeness = closeness(path.last().copied().unwrap_or_default(), &label);
        let rank = (Reverse(is_person), confidence, *pages, closeness);
        let known = best.entry(&found.network).or_insert((rank, &found.url));
        if rank > known.0 {
            *known = (rank, &found.url);
        }
    }
    let owned = |(network, (_, url)): (&str, (_, &str))| (network.to_owned(), url.to_owned());
    best.into_iter().map(owned).collect()
}

/// What the domain of a page is named: `firma` of `https://www.firma.co.uk/`.
fn label(page: &str) -> String {
    let url = Url::parse(page).ok();
    let host = url.as_ref().and_then(Url::host_str);
    let domain = host.and_then(registrable_domain).unwrap_or_default();
    letters(domain.split('.').next().unwrap_or_default())
}

fn letters(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Two for the same name, one for a name within the other.
fn closeness(handle: &str, label: &str) -> u8 {
    let handle = letters(handle);
    let is_within = |one: &str, other: &str| one.len() >= LABEL_MIN_CHARS && other.contains(one);
    if handle == label {
        2
    } else {
        u8::from(is_within(&handle, label) || is_within(label, &handle))
    }
}

/// The logos that the pages of a site show, each with how many do.
#[derive(Debug, Default)]
pub(super) struct Logos(Vec<(String, u32)>);

impl Logos {
    pub(super) fn add(&mut self, logo: &str) {
        if let Some((_, pages)) = self.0.iter_mut().find(|(known, _)| known == logo) {
            *pages = pages.saturating_add(1);
        } else if self.0.len() < LOGOS_MAX {
            self.0.push((logo.to_owned(), 1));
        }
    }

    /// That of the most pages, as the site's own stands on each; among equals the first.
    pub(super) fn best(&self) -> Option<String> {
        let best = self.0.iter().rev().max_by_key(|(_, pages)| *pages);
        best.map(|(logo, _)| logo.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::contact::{ContactMethod, Evidence};

    fn check(links: &[(&str, u32, ContactMethod)], expected: &str) {
        let links: Vec<Sourced<SocialLink>> = links
            .iter()
            .map(|(url, pages, method)| Sourced {
                found: SocialLink {
                    network: "any".to_owned(),
                    url: (*url).to_owned(),
                    evidence: Evidence::of(*method),
                },
                page: "https://firma.de/".into(),
                pages: *pages,
            })
            .collect();
        let found = profiles(links.iter(), "https://www.firma.de/");
        assert_eq!(found.get("any").map(String::as_str), Some(expected));
    }

    #[test]
    fn the_business_comes_before_its_people_and_customers() {
        use ContactMethod::{Link, Text};
        const EMPLOYEE: &str = "https://www.linkedin.com/in/ada";
        const OTHER: &str = "https://www.linkedin.com/company/other";
        const OWN: &str = "https://www.linkedin.com/company/firma-gmbh";
        check(&[(EMPLOYEE, 1, Link), (OWN, 1, Link)], OWN);
        check(&[(EMPLOYEE, 9, Link), (OWN, 1, Text)], OWN);
        check(&[(OTHER, 1, Link), (OWN, 1, Link)], OWN);
        check(&[(OTHER, 2, Link), (OWN, 1, Link)], OTHER);
        check(&[(OTHER, 1, Link), (OWN, 1, Text)], OTHER);
        check(&[(EMPLOYEE, 1, Link)], EMPLOYEE);
        let (first, second) = (
            "https://www.instagram.com/one",
            "https://www.instagram.com/two",
        );
        check(&[(first, 1, Link), (second, 1, Link)], first);
        let short = "https://www.instagram.com/in";
        check(&[(short, 2, Link), (first, 1, Link)], short);
        let exact = "https://www.instagram.com/firma";
        let longer = "https://www.instagram.com/firma_fans";
        check(&[(longer, 1, Link), (exact, 1, Link)], exact);
    }

    #[test]
    fn the_logo_of_the_most_pages_is_the_sites() {
        let best = |logos: &[&str]| {
            let mut all = Logos::default();
            logos.iter().for_each(|logo| all.add(logo));
            all.best()
        };
        assert_eq!(best(&[]), None);
        assert_eq!(best(&["a", "b"]).as_deref(), Some("a"));
        assert_eq!(best(&["a", "b", "b"]).as_deref(), Some("b"));
        let many: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(
            best(&[&many[..], &["99", "99"]].concat()).as_deref(),
            Some("0")
        );
    }
}
