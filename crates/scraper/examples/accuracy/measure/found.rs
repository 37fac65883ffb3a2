//! What the extraction found, as values that labels can be held against.

use std::collections::BTreeSet;

use trawl_scraper::facts::PageFacts;
use trawl_scraper::facts::structured::{Organization, StructuredItem};

use super::field::Field;
use super::labels::{address_text, opening_times};

/// The values of a field, each once.
pub(super) fn values_of(facts: &PageFacts, field: Field) -> Vec<String> {
    let values: BTreeSet<String> = match field {
        Field::Title => facts.title.iter().cloned().collect(),
        Field::Description => facts.description.iter().cloned().collect(),
        Field::Language => facts.language.iter().cloned().collect(),
        Field::Emails => facts.emails.iter().map(|e| e.value.clone()).collect(),
        Field::Phones => facts.phones.iter().map(|p| p.value.clone()).collect(),
        Field::Social => facts.social_links.iter().map(|s| s.url.clone()).collect(),
        Field::CompanyName => organizations(facts)
            .filter_map(|org| org.legal_name.clone().or_else(|| org.name.clone()))
            .collect(),
        Field::Addresses => organizations(facts)
            .filter_map(|org| org.address.as_ref())
            .map(|a| address_text([&a.street, &a.postal_code, &a.locality].map(Option::as_deref)))
            .collect(),
        Field::VatIds => organizations(facts)
            .filter_map(|org| org.vat_id.clone())
            .collect(),
        Field::RegistrationNumbers => BTreeSet::new(),
        Field::OpeningHours => organizations(facts)
            .flat_map(|org| org.opening_hours.iter())
            .flat_map(|hours| opening_times(hours))
            .collect(),
        Field::Technologies => facts.technologies.iter().map(|t| t.name.clone()).collect(),
    };
    values.into_iter().collect()
}

fn organizations(facts: &PageFacts) -> impl Iterator<Item = &Organization> {
    facts.structured.iter().filter_map(|item| match item {
        StructuredItem::Organization(organization) => Some(organization.as_ref()),
        _ => None,
    })
}
