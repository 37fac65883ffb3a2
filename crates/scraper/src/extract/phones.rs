//! Phone numbers: from `tel:` links, from what pages state for machines and from the text.
//!
//! A number in a text is taken only where it cannot be a date, a price or an id: it is written
//! with its country code, or a word before it says what it is, or it is grouped as only phone
//! numbers are.

use percent_encoding::percent_decode_str;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

use super::phone_label::announces_fax;
use super::phone_text::{Form, candidates};
use super::region::{region, region_of_country, region_of_domain, regions_of_language};
use crate::facts::CONTACTS_MAX;
use crate::facts::contact::{ContactMethod, Evidence, Phone, add_found};
use crate::words::strip_word;

/// Most candidates kept of one page: several times the numbers that can be kept.
const CANDIDATES_MAX: usize = 4 * CONTACTS_MAX;

/// Most bytes of what follows `tel:`.
const TEL_MAX_BYTES: usize = 64;

/// Most countries that a number without country code may be of.
const REGIONS_MAX: usize = 6;

/// Countries whose numbers are always written with the zero before them, unless with the country
/// code.
const ALWAYS_WITH_ZERO: &[Region] = &[
    Region::AT,
    Region::BE,
    Region::CH,
    Region::DE,
    Region::FR,
    Region::GB,
    Region::JP,
    Region::NL,
    Region::SE,
];

/// Collects candidates; they are judged at the end of the page, when its countries are known.
#[derive(Debug, Default)]
pub(super) struct Phones {
    candidates: Vec<Candidate>,
    hints: Vec<Region>,
}

#[derive(Debug)]
struct Candidate {
    text: String,
    method: ContactMethod,
    form: Form,
    count: u32,
}

impl Phones {
    /// Takes what follows `tel:` in a link, unless the text before the link announces a fax.
    pub(super) fn add_tel(&mut self, target: &str, text_before: &str) {
        let number = target.split([';', '?', ',']).next().unwrap_or_default();
        if number.len() <= TEL_MAX_BYTES && !announces_fax(text_before) {
            let number = percent_decode_str(number).decode_utf8_lossy();
            let number = number.trim().trim_start_matches('/');
            self.add(number, ContactMethod::Link, Form::Sure);
        }
    }

    /// Takes the number of a link to a chat: `https://wa.me/493012345678`.
    pub(super) fn add_chat(&mut self, digits: &str) {
        if digits.len() <= TEL_MAX_BYTES {
            let number = format!("+{}", digits.trim_start_matches(['+', '0']));
            self.add(&number, ContactMethod::Link, Form::Sure);
        }
    }

    /// Takes what the page states for machines.
    pub(super) fn add_stated(&mut self, number: &str, method: ContactMethod) {
        let number = number.trim();
        let number = strip_word(number, "tel:").unwrap_or(number);
        if number.len() <= TEL_MAX_BYTES {
            self.add(number, method, Form::Sure);
        }
    }

    /// Looks for numbers in decoded text.
    pub(super) fn add_text(&mut self, text: &str) {
        candidates(text, |number, form| {
            self.add(number, ContactMethod::Text, form);
        });
    }

    /// Takes a country, by code or name, that the page states of its business.
    pub(super) fn hint(&mut self, country: &str) {
        if let Some(region) = region(country).or_else(|| region_of_country(country))
            && self.hints.len() < REGIONS_MAX
            && !self.hints.contains(&region)
        {
            self.hints.push(region);
        }
    }

    /// The valid numbers. Those without country code are read as of the countries that the page
    /// states, of the domain, of other numbers on the page and of the language, in this order.
    pub(super) fn resolve(&mut self, host: &str, language: Option<&str>) -> Vec<Phone> {
        let candidates = std::mem::take(&mut self.candidates);
        let regions = self.regions(&candidates, host, language);
        let mut found: Vec<Phone> = Vec::new();
        for candidate in &candidates {
            let Some(number) = candidate.number(&regions) else {
                continue;
            };
            let mut evidence = Evidence::of(candidate.method);
            evidence.count = candidate.count;
            let phone = Phone {
                value: number.format_as(PhoneNumberFormat::E164).into_owned(),
                national: number.format_as(PhoneNumberFormat::National).into_owned(),
                evidence,
            };
            add_found(&mut found, phone, CONTACTS_MAX);
        }
        for phone in &mut found {
            phone.evidence.judge(false);
        }
        found
    }

    fn regions(&self, candidates: &[Candidate], host: &str, language: Option<&str>) -> Vec<Region> {
        let of_numbers = candidates
            .iter()
            .filter(|candidate| candidate.form == Form::Sure)
            .filter_map(|candidate| international(&candidate.text)?.get_region_code());
        let (of_tag, of_language) = language.map(regions_of_language).unwrap_or_default();
        let mut regions = Vec::new();
        for region in self
            .hints
            .iter()
            .copied()
            .chain(region_of_domain(host))
            .chain(of_tag)
            .chain(of_numbers)
            .chain(of_language)
        {
            if regions.len() < REGIONS_MAX && !regions.contains(&region) {
                regions.push(region);
            }
        }
        regions
    }

    fn add(&mut self, text: &str, method: ContactMethod, form: Form) {
        let known = self
            .candidates
            .iter_mut()
            .find(|known| known.text == text && known.method == method);
        if let Some(known) = known {
            known.count = known.count.saturating_add(1);
            known.form = known.form.max(form);
        } else if self.candidates.len() < CANDIDATES_MAX {
            self.candidates.push(Candidate {
                text: text.to_owned(),
                method,
                form,
                count: 1,
            });
        }
    }
}

impl Candidate {
    fn number(&self, regions: &[Region]) -> Option<PhoneNumber> {
        let text = self.text.as_str();
        let is_stated = self.method != ContactMethod::Text;
        let number = international(text)
            .or_else(|| regions.iter().find_map(|region| self.of(*region)))
            .or_else(|| {
                // Links often lack the plus sign before the country code.
                let lacks_plus = is_stated && !text.starts_with(['+', '0']);
                let number = lacks_plus.then(|| valid(&format!("+{text}"), None))??;
                // Many things begin with a one.
                let is_of = |region| number.get_region_code() == Some(region);
                (number.country_code != 1 || regions.iter().any(|r| is_of(*r))).then_some(number)
            })?;
        (!is_placeholder(&number)).then_some(number)
    }

    /// The number as one of a country.
    fn of(&self, region: Region) -> Option<PhoneNumber> {
        let text = self.text.as_str();
        let is_text = self.method == ContactMethod::Text;
        let lacks_zero = !text.trim_start_matches('(').starts_with('0');
        if text.starts_with('+') || (is_text && lacks_zero && ALWAYS_WITH_ZERO.contains(&region)) {
            return None;
        }
        let number = valid(text, Some(region))?;
        (self.form > Form::Alone || is_written_as_usual(text, &number)).then_some(number)
    }
}

/// A number with its country code, after a plus sign or two zeros.
fn international(text: &str) -> Option<PhoneNumber> {
    match text.trim_start_matches('(').strip_prefix("00") {
        Some(rest) => valid(&format!("+{}", rest.trim_start_matches(')')), None),
        None if text.contains('+') => valid(text, None),
        None => None,
    }
}

/// Whether the digits are in the groups in which the country writes them.
fn is_written_as_usual(text: &str, number: &PhoneNumber) -> bool {
    let groups = |text: &str| -> Vec<usize> {
        text.split(|c: char| !c.is_ascii_digit())
            .map(str::len)
            .filter(|length| *length > 0)
            .collect()
    };
    let written = groups(text);
    written.len() > 1 && written == groups(&number.format_as(PhoneNumberFormat::National))
}

/// Whether the digits are those that stand in forms and examples: `1234567890`, `5555555555`.
fn is_placeholder(number: &PhoneNumber) -> bool {
    let digits = number.get_national_significant_number();
    let mut bytes = digits.bytes();
    let first = bytes.next();
    digits.len() >= 7
        && ("01234567890123456789".contains(&digits) || bytes.all(|byte| Some(byte) == first))
}

fn valid(text: &str, region: Option<Region>) -> Option<PhoneNumber> {
    PHONE_NUMBER_UTIL
        .parse(text, region)
        .ok()
        .filter(PhoneNumber::is_valid)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn resolve(mut phones: Phones, region: Option<Region>) -> Vec<String> {
        let host = region.map_or("a.com".to_owned(), |r| format!("a.{r:?}"));
        let host = host.to_lowercase();
        // No country domain stands for the United States.
        let language = (region == Some(Region::US)).then_some("en-US");
        phones
            .resolve(&host, language)
            .into_iter()
            .map(|phone| phone.value)
            .collect()
    }

    fn in_text(text: &str, region: Option<Region>) -> Vec<String> {
        let mut phones = Phones::default();
        phones.add_text(text);
        resolve(phones, region)
    }

    fn in_tel(target: &str, region: Option<Region>) -> Vec<String> {
        let mut phones = Phones::default();
        phones.add_tel(target, "");
        resolve(phones, region)
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
            ("Telefon\n030 12345678", Some(Region::DE), "+493012345678"),
            ("☎ 912 345 678", Some(Region::ES), "+34912345678"),
            ("912 34 56 78", Some(Region::ES), "+34912345678"),
            ("22 123 45 67", Some(Region::PL), "+48221234567"),
            ("tel. 22 123 45 67", Some(Region::PL), "+48221234567"),
            ("Tlf.: 33 12 34 56", Some(Region::DK), "+4533123456"),
            ("Tel. +420 224 123 456", None, "+420224123456"),
            ("Contact number: +44 20 7946 0958", None, "+442079460958"),
            ("電話03-3212-3456", Some(Region::JP), "+81332123456"),
            ("030 1234567/68", Some(Region::DE), "+49301234567"),
            ("Tel.: 06.3221.4567", Some(Region::IT), "+390632214567"),
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
        for text in [
            "Tel. 22 123 45 67, 22 765 43 21",
            "Tel.: 22 123 45 67 lub 22 765 43 21",
            "Tel.: 22 123 45 67 / 22 765 43 21",
        ] {
            let found = in_text(text, Some(Region::PL));
            assert_eq!(found, ["+48221234567", "+48227654321"], "{text}");
        }
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
            "Telefax\n030 12345678",
            "52.520008, 13.404954",
            "0.1277580",
            "Mo-Do 08-12 13-17",
            "1 234 567 EUR",
            "NIP: 012-345-67-89",
            "1716393600",
            "1234567890",
            "EAN 4006381333931",
            "SIRET 412 345 678 00012",
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
    fn a_link_after_the_word_fax_is_no_phone() {
        let mut phones = Phones::default();
        phones.add_tel("+493012345678", "Fax: ");
        phones.add_tel("+49307654321", "Telefon: ");
        assert_eq!(resolve(phones, None), ["+49307654321"]);
    }

    #[test]
    fn placeholders_are_no_numbers() {
        for target in [
            "+1234567890",
            "1234567890",
            "01234567890",
            "+1 555 555 5555",
            "+4900000000",
        ] {
            for region in [Region::DE, Region::GB, Region::US] {
                assert_eq!(in_tel(target, Some(region)), [""; 0], "{target} {region:?}");
            }
        }
    }

    #[test]
    fn both_forms_are_kept() {
        let mut phones = Phones::default();
        phones.add_tel("+493012345678", "");
        phones.add_text("Tel. 030 12345678 oder 030/12345678");
        let found = phones.resolve("a.de", None);
        let [phone] = found.as_slice() else {
            panic!("one number: {found:?}");
        };
        assert_eq!(phone.value, "+493012345678");
        assert_eq!(phone.national, "030 12345678");
        assert_eq!(phone.evidence.count, 3);
        assert_eq!(
            phone.evidence.methods,
            [ContactMethod::Link, ContactMethod::Text]
        );
    }

    #[test]
    fn the_country_is_what_the_page_states_before_its_domain_and_language() {
        let check = |hint: &str, host: &str, language: Option<&str>, expected: &[Region]| {
            let mut phones = Phones::default();
            phones.hint(hint);
            assert_eq!(
                phones.regions(&[], host, language),
                expected,
                "{hint} {host}"
            );
        };
        check("", "a.co.uk", Some("de"), &[Region::GB, Region::DE]);
        check("", "a.de", None, &[Region::DE]);
        check("", "a.com", Some("de-AT"), &[Region::AT, Region::DE]);
        check("", "a.io", Some("fr"), &[Region::FR]);
        check("", "127.0.0.1", None, &[]);
        check("CH", "a.com", Some("de"), &[Region::CH, Region::DE]);
        check("Österreich", "a.de", None, &[Region::AT, Region::DE]);
        check("nowhere", "a.com", None, &[]);
        let mut phones = Phones::default();
        phones.add_text("Tel. +43 1 5321234 und Tel. 01 5324321");
        let found = phones.resolve("a.com", Some("de"));
        assert_eq!(found[1].value, "+4315324321");
    }

    proptest! {
        #[test]
        fn any_text_is_searched_without_a_panic(text in "(\\PC|[0-9 ()+/.-]){0,80}") {
            in_text(&text, Some(Region::DE));
            in_tel(&text, Some(Region::US));
        }
    }
}
