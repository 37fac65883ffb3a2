//! What a page says of the business itself: names, addresses, numbers, opening hours.

use super::company_name::{company_names, is_company_name};
use super::hours::Hours;
use super::lines::numbered_lines;
use super::marks::Marks;
use super::postal::addresses;
use super::registers::{CompanyNumber, company_numbers};
use super::site_name::SiteName;
use super::text::clean;
use super::vat::vat_number;
use crate::facts::contact::{
    CompanyFact, CompanyFactKind, ContactMethod, Evidence, Location, add_found,
};
use crate::facts::structured::{Organization, PostalAddress};
use crate::facts::{COMPANY_FACTS_MAX, LOCATIONS_MAX};

/// Most bytes of a name and of a line of opening hours.
const NAME_MAX_BYTES: usize = 160;

/// Collects it, each value once with all that speaks for it.
#[derive(Debug, Default)]
pub(super) struct Company {
    facts: Vec<CompanyFact>,
    locations: Vec<Location>,
    site_name: SiteName,
    hours: Hours,
}

impl Company {
    pub(super) fn new(host: &str) -> Self {
        Self {
            site_name: SiteName::new(host),
            ..Self::default()
        }
    }

    /// Takes what a picture of a logo says in words.
    pub(super) fn see_logo(&mut self, alt: &str) {
        self.site_name.see_logo(alt);
    }

    /// Takes an organization that the page states for machines.
    pub(super) fn see_organization(&mut self, organization: &Organization, method: ContactMethod) {
        if let Some(name) = &organization.legal_name {
            self.add(CompanyFactKind::LegalName, name, method);
        }
        if let Some(name) = &organization.name {
            self.add(CompanyFactKind::Name, name, method);
        }
        if let Some(vat) = organization.vat_id.as_deref().and_then(vat_number) {
            self.add(CompanyFactKind::VatNumber, &vat, method);
        }
        for hours in &organization.opening_hours {
            self.add(CompanyFactKind::OpeningHours, hours, method);
        }
    }

    /// Takes a postal address that the page states for machines, or has in its text.
    pub(super) fn see_address(&mut self, address: &PostalAddress, method: ContactMethod) {
        let location = Location {
            address: address.clone(),
            evidence: Evidence::of(method),
        };
        add_found(&mut self.locations, location, LOCATIONS_MAX);
    }

    /// Takes the name of the site by the Open Graph protocol.
    pub(super) fn see_site_name(&mut self, name: &str) {
        if let Some(name) = clean(name, NAME_MAX_BYTES) {
            let kind = if is_company_name(&name) {
                CompanyFactKind::LegalName
            } else {
                CompanyFactKind::Name
            };
            self.add(kind, &name, ContactMethod::Head);
        }
    }

    /// Looks for names and numbers in decoded text.
    pub(super) fn add_text(&mut self, text: &str, marks: &Marks) {
        company_names(text, &marks.legal_forms, |name| {
            self.add(CompanyFactKind::LegalName, name, ContactMethod::Text);
        });
        company_numbers(text, &marks.labels, |number| self.add_number(number));
        self.site_name.add_text(text);
        self.hours.begin_text();
        for (start, line) in numbered_lines(text) {
            addresses(text, start, line, |address| {
                self.see_address(&address, ContactMethod::Text);
            });
            self.hours.see_line(text, start, line);
        }
    }

    /// Addresses and facts, judged; the title of the page may tell a name, its language what
    /// days its opening hours are for.
    pub(super) fn take(
        &mut self,
        title: Option<&str>,
        language: Option<&str>,
    ) -> (Vec<Location>, Vec<CompanyFact>) {
        self.take_hours(language);
        self.leave_out_others();
        self.leave_out_repeated();
        let has_name = self.facts.iter().any(|fact| {
            matches!(
                fact.kind,
                CompanyFactKind::LegalName | CompanyFactKind::Name
            )
        });
        if !has_name && let Some(name) = self.site_name.best(title) {
            self.add(CompanyFactKind::Name, &name, ContactMethod::Text);
        }
        let (mut locations, mut facts) = (
            std::mem::take(&mut self.locations),
            std::mem::take(&mut self.facts),
        );
        for location in &mut locations {
            location.evidence.judge(false);
        }
        for fact in &mut facts {
            fact.evidence.judge(false);
        }
        (locations, facts)
    }

    /// Takes the opening hours in the text, unless the page states some for machines.
    fn take_hours(&mut self, language: Option<&str>) {
        let is_hours = |fact: &CompanyFact| fact.kind == CompanyFactKind::OpeningHours;
        let hours = self.hours.resolve(language);
        if !self.facts.iter().any(is_hours) {
            for line in hours {
                self.add(CompanyFactKind::OpeningHours, &line, ContactMethod::Text);
            }
        }
    }

    /// Leaves out the names in the text that have less to do with the domain than the best: a
    /// page on privacy names many others.
    fn leave_out_others(&mut self) {
        let site_name = &self.site_name;
        let rank = |fact: &CompanyFact| {
            if fact.evidence.methods != [ContactMethod::Text] {
                3
            } else if site_name.is_domain_in(&fact.value) {
                2
            } else {
                u8::from(site_name.shares_word(&fact.value))
            }
        };
        let is_legal = |fact: &&CompanyFact| fact.kind == CompanyFactKind::LegalName;
        let best = self.facts.iter().filter(is_legal).map(rank).max();
        let best = best.unwrap_or_default();
        self.facts
            .retain(|fact| !is_legal(&fact) || rank(fact) >= best);
    }

    /// Leaves out addresses in the text that the page states for machines as well, in whatever
    /// words, and those that it states as one text where its text has their parts.
    fn leave_out_repeated(&mut self) {
        let letters =
            |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).collect() };
        let code = |location: &Location| location.address.postal_code.as_deref().map(letters);
        let is_text = |location: &Location| location.evidence.methods == [ContactMethod::Text];
        let (text, stated): (Vec<_>, Vec<_>) = self.locations.iter().partition(|l| is_text(l));
        let text: Vec<String> = text.into_iter().filter_map(code).collect();
        let stated: Vec<String> = stated.into_iter().filter_map(code).collect();
        self.locations.retain(|location| match code(location) {
            Some(code) => !is_text(location) || !stated.contains(&code),
            None => {
                let whole = location.address.street.as_deref().map(letters);
                let whole = whole.filter(|_| location.address.locality.is_none());
                !whole.is_some_and(|whole| text.iter().any(|code| whole.contains(code)))
            }
        });
    }

    fn add_number(&mut self, number: CompanyNumber) {
        let fact = CompanyFact {
            kind: number.kind,
            value: number.value,
            scheme: number.scheme.map(str::to_owned),
            court: number.court,
            evidence: Evidence::of(ContactMethod::Text),
        };
        add_found(&mut self.facts, fact, COMPANY_FACTS_MAX);
    }

    fn add(&mut self, kind: CompanyFactKind, value: &str, method: ContactMethod) {
        let value = value.get(..value.floor_char_boundary(NAME_MAX_BYTES));
        let fact = CompanyFact {
            kind,
            value: value.unwrap_or_default().trim().to_owned(),
            scheme: None,
            court: None,
            evidence: Evidence::of(method),
        };
        add_found(&mut self.facts, fact, COMPANY_FACTS_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_in_the_text_count_where_none_are_stated() {
        let hours = |organization: &Organization| {
            let mut company = Company::default();
            let text = "Mo–Fr 9–18 Uhr";
            company.add_text(text, &Marks::of(text));
            company.see_organization(organization, ContactMethod::JsonLd);
            let (_, facts) = company.take(None, Some("de-AT"));
            let facts = facts.into_iter();
            let facts = facts.map(|fact| (fact.value, fact.evidence.confidence));
            facts.collect::<Vec<_>>()
        };
        let text = hours(&Organization::default());
        assert_eq!(text, [("Mo-Fr 09:00-18:00".to_owned(), 75)]);
        let stated = hours(&Organization {
            opening_hours: vec!["Mo 08:00-18:00".into()],
            ..Organization::default()
        });
        assert_eq!(stated, [("Mo 08:00-18:00".to_owned(), 90)]);
    }

    #[test]
    fn an_address_stated_as_one_text_gives_way_to_its_parts() {
        let mut company = Company::default();
        let stated = |street: &str| PostalAddress {
            street: Some(street.to_owned()),
            ..PostalAddress::default()
        };
        company.see_address(&stated("Weg 1 10115 Berlin"), ContactMethod::JsonLd);
        company.see_address(&stated("Ring 2, Bonn"), ContactMethod::JsonLd);
        let text = "Weg 1\n10115 Berlin";
        company.add_text(text, &Marks::of(text));
        let (locations, _) = company.take(None, None);
        let streets = locations
            .into_iter()
            .filter_map(|found| found.address.street);
        assert_eq!(streets.collect::<Vec<_>>(), ["Ring 2, Bonn", "Weg 1"]);
    }

    #[test]
    fn what_is_stated_and_what_is_written_is_one() {
        let organization = Organization {
            name: Some("Hirsch".into()),
            legal_name: Some("Hirsch GmbH".into()),
            vat_id: Some("DE 136695976".into()),
            opening_hours: vec!["Mo-Fr 08:00-18:00".into()],
            ..Organization::default()
        };
        let address = PostalAddress {
            locality: Some("Berlin".into()),
            ..PostalAddress::default()
        };
        let mut company = Company::default();
        company.see_organization(&organization, ContactMethod::JsonLd);
        company.see_address(&address, ContactMethod::JsonLd);
        company.see_address(&address, ContactMethod::Microdata);
        company.see_site_name(" Hirsch ");
        let text = "Hirsch GmbH\nUSt-IdNr. DE136695976\nAmtsgericht Köln HRB 12";
        company.add_text(text, &Marks::of(text));
        let (locations, facts) = company.take(None, None);
        assert_eq!(locations.len(), 1);
        assert_eq!(locations[0].evidence.count, 2);
        let found: Vec<_> = facts
            .iter()
            .map(|fact| (fact.kind, fact.value.as_str(), fact.evidence.count))
            .collect();
        let expected = [
            (CompanyFactKind::LegalName, "Hirsch GmbH", 2),
            (CompanyFactKind::Name, "Hirsch", 2),
            (CompanyFactKind::VatNumber, "DE136695976", 2),
            (CompanyFactKind::OpeningHours, "Mo-Fr 08:00-18:00", 1),
            (CompanyFactKind::RegistrationNumber, "HRB 12", 1),
        ];
        assert_eq!(found, expected);
        assert_eq!(facts[4].court.as_deref(), Some("Amtsgericht Köln"));
        assert_eq!(facts[4].country(), Some("DE"));
        assert_eq!(facts[0].country(), None);
    }
}
