//! Phone numbers: from `tel:` links and from the text, in E.164 form.
//!
//! A number in a text is taken only where it cannot be a date, a price or an id: it is written
//! with its country code, or a word before it says what it is, or it is grouped as only phone
//! numbers are.

use percent_encoding::percent_decode_str;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

use super::phone_text::candidates;
use crate::facts::{CONTACTS_MAX, Contact, ContactMethod};

/// Most candidates kept of one page: several times the numbers that can be kept.
const CANDIDATES_MAX: usize = 4 * CONTACTS_MAX;

/// Most bytes of what follows `tel:`.
const TEL_MAX_BYTES: usize = 64;

/// Country domains that are used for their sound all over the world.
const GENERIC_COUNTRY_DOMAINS: &[&str] = &[
    "ai", "cc", "co", "eu", "fm", "gg", "io", "ly", "me", "sh", "so", "to", "tv", "ws",
];

/// Collects candidates; they are judged at the end of the page, when its language is known.
#[derive(Debug, Default)]
pub(super) struct Phones {
    candidates: Vec<Candidate>,
}

#[derive(Debug, PartialEq, Eq)]
struct Candidate {
    text: String,
    method: ContactMethod,
}

impl Phones {
    /// Takes what follows `tel:` in a link.
    pub(super) fn add_tel(&mut self, target: &str) {
        let number = target.split([';', '?']).next().unwrap_or_default();
        if number.len() <= TEL_MAX_BYTES {
            let number = percent_decode_str(number).decode_utf8_lossy();
            self.add(number.trim().trim_start_matches('/'), ContactMethod::Link);
        }
    }

    /// Takes what the page states for machines.
    pub(super) fn add_stated(&mut self, number: &str, method: ContactMethod) {
        if number.len() <= TEL_MAX_BYTES {
            self.add(number.trim(), method);
        }
    }

    /// Looks for numbers in decoded text.
    pub(super) fn add_text(&mut self, text: &str) {
        for number in candidates(text) {
            self.add(number, ContactMethod::Text);
        }
    }

    /// The valid numbers, those without country code read as of `region`.
    pub(super) fn resolve(&mut self, region: Option<Region>) -> Vec<Contact> {
        let mut found: Vec<Contact> = Vec::new();
        for candidate in std::mem::take(&mut self.candidates) {
            let Some(value) = e164(&candidate, region) else {
                continue;
            };
            if let Some(known) = found.iter_mut().find(|known| known.value == value) {
                known.method = known.method.min(candidate.method);
            } else if found.len() < CONTACTS_MAX {
                found.push(Contact {
                    value,
                    method: candidate.method,
                });
            }
        }
        found
    }

    fn add(&mut self, text: &str, method: ContactMethod) {
        let candidate = Candidate {
            text: text.to_owned(),
            method,
        };
        if self.candidates.len() < CANDIDATES_MAX && !self.candidates.contains(&candidate) {
            self.candidates.push(candidate);
        }
    }
}

fn e164(candidate: &Candidate, region: Option<Region>) -> Option<String> {
    let text = candidate.text.as_str();
    let international = text.strip_prefix("00").map(|rest| format!("+{rest}"));
    let number = international
        .as_deref()
        .and_then(|text| valid(text, None))
        .or_else(|| valid(text, region))
        .or_else(|| {
            // Links often lack the plus sign before the country code.
            let is_stated = candidate.method != ContactMethod::Text;
            let lacks_plus = is_stated && !text.starts_with(['+', '0']);
            lacks_plus
                .then(|| valid(&format!("+{text}"), None))
                .flatten()
        })?;
    Some(number.format_as(PhoneNumberFormat::E164).into_owned())
}

fn valid(text: &str, region: Option<Region>) -> Option<PhoneNumber> {
    PHONE_NUMBER_UTIL
        .parse(text, region)
        .ok()
        .filter(PhoneNumber::is_valid)
}

/// Where numbers without country code are from: the country of the domain, else of the language.
pub(super) fn region_of(host: &str, language: Option<&str>) -> Option<Region> {
    let top_level = host.rsplit('.').next().unwrap_or_default();
    let of_domain = match top_level {
        "uk" => Some(Region::GB),
        generic if GENERIC_COUNTRY_DOMAINS.contains(&generic) => None,
        country => region(country),
    };
    of_domain.or_else(|| {
        let mut parts = language?.split('-');
        let language = parts.next()?;
        parts
            .find_map(region)
            .or_else(|| region_of_language(language))
    })
}

/// A region that the library knows numbers of.
fn region(code: &str) -> Option<Region> {
    let region = Region::from_code(code).ok()?;
    PHONE_NUMBER_UTIL
        .get_country_code_for_region(region)
        .map(|_code| region)
}

/// The country in which most sites of a language are at home; none for those of many countries.
fn region_of_language(language: &str) -> Option<Region> {
    Some(match language {
        "cs" => Region::CZ,
        "da" => Region::DK,
        "de" => Region::DE,
        "el" => Region::GR,
        "en" => Region::US,
        "fi" => Region::FI,
        "fr" => Region::FR,
        "hu" => Region::HU,
        "it" => Region::IT,
        "ja" => Region::JP,
        "ko" => Region::KR,
        "nb" | "nn" | "no" => Region::NO,
        "nl" => Region::NL,
        "pl" => Region::PL,
        "ro" => Region::RO,
        "ru" => Region::RU,
        "sk" => Region::SK,
        "sv" => Region::SE,
        "tr" => Region::TR,
        "uk" => Region::UA,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn in_text(text: &str, region: Option<Region>) -> Vec<String> {
        let mut phones = Phones::default();
        phones.add_text(text);
        phones
            .resolve(region)
            .into_iter()
            .map(|contact| contact.value)
            .collect()
    }

    fn in_tel(target: &str, region: Option<Region>) -> Vec<String> {
        let mut phones = Phones::default();
        phones.add_tel(target);
        phones
            .resolve(region)
            .into_iter()
            .map(|contact| contact.value)
            .collect()
    }

    #[test]
    fn numbers_are_found_in_text() {
        for (text, region, number) in [
            ("+49 (0)30 123 456-78", None, "+493012345678"),
            ("Tel.: 030/12345678", Some(Region::DE), "+493012345678"),
            ("0049 30 12345678", None, "+493012345678"),
            (
                "Call us (212) 555-0123 today",
                Some(Region::US),
                "+12125550123",
            ),
            ("phone 2125550123", Some(Region::US), "+12125550123"),
            ("212-555-0123", Some(Region::US), "+12125550123"),
            ("Tél : 01 42 68 53 00", Some(Region::FR), "+33142685300"),
            ("Teléfono: 912 345 678", Some(Region::ES), "+34912345678"),
            ("020 7946 0958", Some(Region::GB), "+442079460958"),
            (
                "Telefonnummer: 030 12345678",
                Some(Region::DE),
                "+493012345678",
            ),
            ("Tel./Fax: 030 12345678", Some(Region::DE), "+493012345678"),
            ("Taxi 030 210 202 10", Some(Region::DE), "+493021020210"),
            ("M 0171 1234567", Some(Region::DE), "+491711234567"),
            (
                "Telefon 030 / 123 45 678",
                Some(Region::DE),
                "+493012345678",
            ),
        ] {
            assert_eq!(in_text(text, region), [number], "{text}");
        }
    }

    #[test]
    fn two_numbers_in_a_row_are_two() {
        let found = in_text("+49 30 1234567, +49 30 7654321", None);
        assert_eq!(found, ["+49301234567", "+49307654321"]);
        let found = in_text("Tel 030 1234567 | 030 7654321", Some(Region::DE));
        assert_eq!(found, ["+49301234567", "+49307654321"]);
    }

    #[test]
    fn dates_prices_and_ids_are_no_numbers() {
        for text in [
            "12.05.2024",
            "2024-05-12 10:30",
            "01.02.2024 - 03.04.2024",
            "1.234.567,00 €",
            "€ 2125550123",
            "Order 2125550123",
            "2125550123",
            "ISBN 978-3-16-148410-0",
            "IBAN DE89 3704 0044 0532 0130 00",
            "Steuernummer: 030/123/45678",
            "HRB 030 1234567",
            "192.168.100.200",
            "2019-2024",
            "08:00-18:00",
            "#0301234567",
            "Fax: 030 12345678",
            "Tel. 1 Fax: 030 12345678",
            "01.02.-03.04.2024",
            "Mo-Fr 08.00 - 12.00",
            "USt-IdNr. 030 1234567",
            "v1.2.3.4.5.6.7",
            "4111 1111 1111 1111",
        ] {
            assert_eq!(
                in_text(text, Some(Region::DE)),
                Vec::<String>::new(),
                "{text} in DE"
            );
            assert_eq!(
                in_text(text, Some(Region::US)),
                Vec::<String>::new(),
                "{text} in US"
            );
        }
    }

    #[test]
    fn links_are_trusted_to_be_numbers() {
        assert_eq!(in_tel("+1-212-555-0123", None), ["+12125550123"]);
        assert_eq!(in_tel("%2B49%2030%2012345678", None), ["+493012345678"]);
        assert_eq!(
            in_tel("//2125550123;ext=5", Some(Region::US)),
            ["+12125550123"]
        );
        assert_eq!(in_tel("493012345678", Some(Region::US)), ["+493012345678"]);
        assert_eq!(in_tel("", None), Vec::<String>::new());
        assert_eq!(in_tel("112", Some(Region::DE)), Vec::<String>::new());
    }

    #[test]
    fn the_region_is_of_the_domain_before_the_language() {
        assert_eq!(region_of("a.co.uk", Some("de")), Some(Region::GB));
        assert_eq!(region_of("a.de", None), Some(Region::DE));
        assert_eq!(region_of("a.com", Some("de-AT")), Some(Region::AT));
        assert_eq!(region_of("a.io", Some("fr")), Some(Region::FR));
        assert_eq!(region_of("a.com", Some("es")), None);
        assert_eq!(region_of("a.com", None), None);
        assert_eq!(region_of("127.0.0.1", None), None);
    }

    proptest! {
        #[test]
        fn any_text_is_searched_without_a_panic(text in "(\\PC|[0-9 ()+/.-]){0,80}") {
            in_text(&text, Some(Region::DE));
            in_tel(&text, Some(Region::US));
        }
    }
}
