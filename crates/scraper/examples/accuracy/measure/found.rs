//! What the extraction found, as values that labels can be held against.

use std::collections::BTreeSet;

use trawl_scraper::facts::PageFacts;
use trawl_scraper::facts::contact::CompanyFactKind;

use super::field::Field;
use super::labels::{address_text, opening_times};

/// The values of a field, each once.
pub(super) fn values_of(facts: &PageFacts, field: Field) -> Vec<String> {
    let values: BTreeSet<String> = match field {
        Field::Title => facts.title.iter().cloned().collect(),
        Field::Description => facts.description.iter().cloned().collect(),
        Field::Language => facts.language.iter().cloned().collect(),
        // What stands where others are named is not shown as the site's own.
        Field::Emails => {
            let own = facts.emails.iter().filter(|e| e.evidence.is_own());
            own.map(|e| e.value.clone()).collect()
        }
        Field::Phones => {
            let own = facts.phones.iter().filter(|p| p.evidence.is_own());
            own.map(|p| p.value.clone()).collect()
        }
        Field::Social => facts.social_links.iter().map(|s| s.url.clone()).collect(),
        Field::CompanyName => {
            let legal = company(facts, CompanyFactKind::LegalName);
            if legal.is_empty() {
                company(facts, CompanyFactKind::Name)
            } else {
                legal
            }
        }
        Field::Addresses => facts
            .locations
            .iter()
            .map(|location| &location.address)
            .map(|a| address_text([&a.street, &a.postal_code, &a.locality].map(Option::as_deref)))
            .collect(),
        Field::VatIds => company(facts, CompanyFactKind::VatNumber),
        Field::RegistrationNumbers => company(facts, CompanyFactKind::RegistrationNumber),
        Field::OpeningHours => company(facts, CompanyFactKind::OpeningHours)
            .iter()
            .flat_map(|hours| opening_times(hours))
            .collect(),
        Field::Technologies => facts.technologies.iter().map(|t| t.name.clone()).collect(),
    };
    values.into_iter().collect()
}

fn company(facts: &PageFacts, kind: CompanyFactKind) -> BTreeSet<String> {
    let of_kind = facts.company.iter().filter(|fact| fact.kind == kind);
    of_kind.map(|fact| fact.value.clone()).collect()
}
