//! The list of domains: parsed one by one from the body, invalid ones named, duplicates collapsed.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use trawl_domain::limits::DOMAINS_MAX;
use trawl_domain::site::SiteAddress;

use super::error::RequestError;
use super::fields::echo;

const FIELD: &str = "domains";

/// A domain that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct InvalidDomain {
    /// As the client wrote it, shortened where it is very long.
    pub(crate) domain: String,
    /// What is wrong with it.
    pub(crate) reason: String,
}

/// What a list of domains comes to.
#[derive(Debug)]
pub(super) struct Domains {
    /// In the client's order, each once.
    pub(super) sites: Vec<SiteAddress>,
    /// Refused, in the client's order.
    pub(super) invalid: Vec<InvalidDomain>,
    /// Entries for a site that an earlier entry named, as the client wrote them.
    pub(super) duplicates: Vec<String>,
}

impl Domains {
    /// Reads the list.
    ///
    /// # Errors
    /// [`RequestError`] when it is no list of strings, is empty, is too long, or has no valid entry.
    pub(super) fn read(value: Option<&RawValue>) -> Result<Self, RequestError> {
        let value = value.ok_or(RequestError::MissingField { field: FIELD })?;
        let entries = read_entries(value)?;
        if entries.is_empty() {
            return Err(RequestError::NoDomains);
        }
        let mut valid = Vec::with_capacity(entries.len());
        let mut invalid = Vec::new();
        for (place, entry) in entries.into_iter().enumerate() {
            if !entry.get().starts_with('"') {
                return Err(RequestError::field(
                    format!("{FIELD}[{place}]"),
                    "must be a string",
                ));
            }
            let reason = match serde_json::from_str(entry.get()) {
                Ok(Text(text)) => match SiteAddress::parse(&text) {
                    Ok(site) => {
                        valid.push((text, site));
                        continue;
                    }
                    Err(reason) => (echo(&text), reason.to_string()),
                },
                Err(_unpaired) => (echo(entry.get()), "is not valid Unicode".to_owned()),
            };
            invalid.push(InvalidDomain {
                domain: reason.0,
                reason: reason.1,
            });
        }
        if valid.is_empty() {
            return Err(RequestError::NoValidDomain { invalid });
        }
        let (sites, duplicates) = collapse(valid);
        Ok(Self {
            sites,
            invalid,
            duplicates,
        })
    }
}

/// Keeps the first entry of each site. Sorts places instead of hashing copies of a hundred thousand
/// names.
fn collapse(entries: Vec<(Cow<'_, str>, SiteAddress)>) -> (Vec<SiteAddress>, Vec<String>) {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    let key = |place: &usize| entries.get(*place).map(|(_, site)| site.key());
    order.sort_unstable_by(|a, b| key(a).cmp(&key(b)).then(a.cmp(b)));
    let mut repeated: Vec<usize> = order
        .windows(2)
        .filter_map(|pair| match pair {
            [first, second] if key(first) == key(second) => Some(*second),
            _ => None,
        })
        .collect();
    repeated.sort_unstable();
    let mut repeated = repeated.into_iter().peekable();
    let mut sites = Vec::with_capacity(entries.len());
    let mut duplicates = Vec::new();
    for (place, (text, site)) in entries.into_iter().enumerate() {
        if repeated.next_if_eq(&place).is_some() {
            duplicates.push(echo(&text));
        } else {
            sites.push(site);
        }
    }
    (sites, duplicates)
}

fn read_entries(value: &RawValue) -> Result<Vec<&RawValue>, RequestError> {
    let mut reader = serde_json::Deserializer::from_str(value.get());
    let entries = reader
        .deserialize_seq(Entries)
        .map_err(|_other_type| RequestError::field(FIELD, "must be a list of strings"))?;
    if entries.found > DOMAINS_MAX {
        return Err(RequestError::TooManyDomains {
            found: entries.found,
        });
    }
    Ok(entries.kept)
}

/// The entries of a list, of which no more are kept than may be accepted.
struct Kept<'a> {
    kept: Vec<&'a RawValue>,
    found: usize,
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Kept<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < DOMAINS_MAX {
            match list.next_element()? {
                Some(entry) => kept.push(entry),
                None => {
                    let found = kept.len();
                    return Ok(Kept { kept, found });
                }
            }
        }
        let mut found = kept.len();
        while list.next_element::<IgnoredAny>()?.is_some() {
            found += 1;
        }
        Ok(Kept { kept, found })
    }
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Domains, RequestError> {
        let value: &RawValue = serde_json::from_str(json).unwrap();
        Domains::read(Some(value))
    }

    #[test]
    fn the_first_of_each_site_stays_in_its_place() {
        let domains = read(
            r#"["b.com", "A.com", "a.com/path", "not a domain", "\ud800.com", "B.COM.", "c.com", "a.com"]"#,
        )
        .unwrap();
        let keys: Vec<_> = domains.sites.iter().map(SiteAddress::key).collect();
        assert_eq!(keys, ["b.com", "a.com", "c.com"]);
        assert_eq!(domains.duplicates, ["a.com/path", "B.COM.", "a.com"]);
        let invalid: Vec<_> = domains.invalid.iter().map(|i| i.domain.as_str()).collect();
        assert_eq!(invalid, ["not a domain", r#""\ud800.com""#]);
    }

    #[test]
    fn the_limit_is_on_entries_and_the_excess_is_counted() {
        let list = |count: usize| format!("[{}]", vec![r#""a.com""#; count].join(","));
        assert_eq!(read(&list(DOMAINS_MAX)).unwrap().sites.len(), 1);
        match read(&list(DOMAINS_MAX + 2)) {
            Err(RequestError::TooManyDomains { found }) => assert_eq!(found, DOMAINS_MAX + 2),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_entry_of_another_type_is_named_by_its_place() {
        match read(r#"["a.com", null]"#) {
            Err(RequestError::InvalidField { field, .. }) => assert_eq!(field, "domains[1]"),
            other => panic!("{other:?}"),
        }
    }
}
