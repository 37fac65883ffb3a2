//! Phone numbers: from `tel:` links, from what pages state for machines and from the text.
//!
//! A number in a text is taken only where it cannot be a date, a price or an id: it is written
//! with its country code, or a word before it says what it is, or it is grouped as only phone
//! numbers are.

use percent_encoding::percent_decode_str;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

use super::marks::Marks;
use super::phone_label::announces_fax;
use super::phone_text::{Form, candidates, with_ending};
use super::region::{
    region, region_of_country, region_of_domain, region_of_shared_domain, regions_in,
    regions_of_codes, regions_of_language,
};
use crate::facts::CONTACTS_MAX;
use crate::facts::contact::{ContactMethod, Evidence, Phone, add_found};
use crate::words::strip_word;

/// Most candidates kept of one page: several times the numbers that can be kept.
const CANDIDATES_MAX: usize = 4 * CONTACTS_MAX;

/// Most bytes of what follows `tel:`.
const TEL_MAX_BYTES: usize = 64;

/// Most countries that a number without country code may be of.
const REGIONS_MAX: usize = 6;

/// Most countries that a text has as parts of addresses.
const NAMED_MAX: usize = 3;

/// Most digits of numbers without the country code in most countries, extensions included. More of
/// them are valid in some, as those of a number and of something else behind it are.
const USUAL_DIGITS_MAX: usize = 12;

/// Most digits of what counts something else, and most such pieces after a number.
const SMALL_DIGITS_MAX: usize = 2;
const PIECES_MAX: usize = 3;

/// Digits of a North American area code, and how many digits in the order of counting make such a
/// number an example.
const AMERICAN_AREA: usize = 3;
const AMERICAN_COUNTED: usize = 8;

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

/// Countries that once had a zero before their numbers, which old pages still show.
const FORMER_ZERO: &[Region] = &[Region::CZ, Region::PL, Region::SK, Region::GR, Region::NO];

/// Collects candidates; they are judged at the end of the page, when its countries are known.
#[derive(Debug, Default)]
pub(super) struct Phones {
    candidates: Vec<Candidate>,
    hints: Vec<Region>,
    /// The domain of the page is of no country, so that its text is asked for one.
    is_of_no_country: bool,
    /// The countries in the text.
    named: Vec<Region>,
    /// The country of the language that the text is in.
    spoken: Option<Region>,
    /// Whether what comes next stands where others are named.
    is_of_others: bool,
}

#[derive(Debug)]
struct Candidate {
    text: String,
    method: ContactMethod,
    form: Form,
    count: u32,
    is_of_others: bool,
}

impl Phones {
    pub(super) fn new(host: &str) -> Self {
        Self {
            is_of_no_country: region_of_domain(host).is_none(),
            ..Self::default()
        }
    }

    /// Says whether what comes next stands where others are named.
    pub(super) fn stand_with_others(&mut self, is_of_others: bool) {
        self.is_of_others = is_of_others;
    }

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
    pub(super) fn add_text(&mut self, text: &str, marks: &Marks) {
        candidates(text, |number, form| {
            self.add(number, ContactMethod::Text, form);
        });
        if self.is_of_no_country {
            let of_names = regions_in(text, &marks.countries);
            for region in of_names.chain(regions_of_codes(text)) {
                if self.named.len() < REGIONS_MAX && !self.named.contains(&region) {
                    self.named.push(region);
                }
            }
        }
    }

    /// Whether a language that the page does not state would help to read its numbers.
    pub(super) fn asks_for_language(&self) -> bool {
        self.is_of_no_country && !self.candidates.is_empty()
    }

    /// Takes the language that the text of the page is in, where it may be another than is stated.
    pub(super) fn hear(&mut self, language: &str) {
        self.spoken = regions_of_language(language).1;
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
    /// states, of the domain, of the language tag, of other numbers on the page, of the country of
    /// an address and of the language, in this order.
    pub(super) fn resolve(&mut self, host: &str, language: Option<&str>) -> Vec<Phone> {
        let candidates = std::mem::take(&mut self.candidates);
        let regions = self.regions(&candidates, host, language);
        let (of_tag, _) = language.map(regions_of_language).unwrap_or_default();
        let home = self.hints.first().copied();
        let home = home.or_else(|| region_of_domain(host)).or(of_tag);
        let mut found: Vec<Phone> = Vec::new();
        for candidate in &candidates {
            let regions = match candidate.form {
                Form::Running => home.as_slice(),
                _ => &regions,
            };
            for number in candidate.numbers(regions) {
                let mut evidence = Evidence::of(candidate.method);
                evidence.count = candidate.count;
                evidence.is_of_others = candidate.is_of_others;
                let phone = Phone {
                    value: number.format_as(PhoneNumberFormat::E164).into_owned(),
                    national: number.format_as(PhoneNumberFormat::National).into_owned(),
                    evidence,
                };
                add_found(&mut found, phone, CONTACTS_MAX);
            }
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
        // A list of countries says nothing.
        let is_address = self.named.len() <= NAMED_MAX;
        let of_text = self.named.iter().copied().filter(|_| is_address);
        let (of_tag, of_language) = language.map(regions_of_language).unwrap_or_default();
        let of_shared = language.and_then(|language| region_of_shared_domain(host, language));
        // No number of the United States begins with a zero.
        let with_zero = (of_language == Some(Region::US)).then_some(Region::GB);
        let mut regions = Vec::new();
        for region in self
            .hints
            .iter()
            .copied()
            .chain(region_of_domain(host))
            .chain(of_tag)
            .chain(of_numbers)
            .chain(of_text)
            .chain(of_shared)
            .chain(self.spoken)
            .chain(of_language)
            .chain(with_zero)
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
            known.is_of_others &= self.is_of_others;
        } else if self.candidates.len() < CANDIDATES_MAX {
            self.candidates.push(Candidate {
                text: text.to_owned(),
                method,
                form,
                count: 1,
                is_of_others: self.is_of_others,
            });
        }
    }
}

impl Candidate {
    /// The number; two where the last digits after a dash can only be those of another:
    /// `0252 358 41 76 - 77`.
    fn numbers(&self, regions: &[Region]) -> Vec<PhoneNumber> {
        if let Some(number) = self.number(&self.text, regions) {
            let is_long = number.get_national_significant_number().len() > USUAL_DIGITS_MAX;
            let within = is_long.then(|| self.within(regions)).flatten();
            return vec![within.unwrap_or(number)];
        }
        let pair = self
            .text
            .rsplit_once(['-', '–'])
            .and_then(|(number, ending)| {
                let (number, ending) = (number.trim_end(), ending.trim_start());
                let is_ending = ending.len() <= 2 && ending.bytes().all(|b| b.is_ascii_digit());
                Some((number, is_ending.then(|| with_ending(number, ending))??))
            });
        let Some((first, second)) = pair else {
            return self.within(regions).into_iter().collect();
        };
        [first, &second]
            .iter()
            .filter_map(|text| self.number(text, regions))
            .collect()
    }

    /// The number without what stands before or after it: `303 292 3344 7 days`, `(1) 030 123456`.
    fn within(&self, regions: &[Region]) -> Option<PhoneNumber> {
        let is_text = self.method == ContactMethod::Text && self.form >= Form::Grouped;
        let text = is_text.then_some(&*self.text)?;
        let is_small = |piece: &str| {
            let mut groups = piece.split(|c: char| !c.is_ascii_digit());
            groups.all(|group| group.len() <= SMALL_DIGITS_MAX)
        };
        let shorter = text.rmatch_indices(' ').take(PIECES_MAX);
        let shorter = shorter.filter_map(|(at, _)| text.split_at_checked(at));
        let mut shorter = shorter.filter(|(_, behind)| self.form == Form::Sure || is_small(behind));
        let rest = || {
            let (before, rest) = text.split_once(' ')?;
            let is_anew = rest.trim_start_matches('(').starts_with('0');
            (is_anew && is_small(before)).then(|| self.number(rest, regions))?
        };
        shorter
            .find_map(|(number, _)| self.number(number.trim_end(), regions))
            .or_else(rest)
    }

    fn number(&self, text: &str, regions: &[Region]) -> Option<PhoneNumber> {
        let is_stated = self.method != ContactMethod::Text;
        let number = international(text)
            .or_else(|| regions.iter().find_map(|region| self.of(text, *region)))
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
    fn of(&self, text: &str, region: Region) -> Option<PhoneNumber> {
        let is_text = self.method == ContactMethod::Text;
        let lacks_zero = !text.trim_start_matches('(').starts_with('0');
        if text.starts_with('+') || (is_text && lacks_zero && ALWAYS_WITH_ZERO.contains(&region)) {
            return None;
        }
        let number = valid(text, Some(region)).or_else(|| {
            let bare = text.trim_start_matches(['(', '0', ' ', '-']);
            let has_old_zero = self.form == Form::Sure && FORMER_ZERO.contains(&region);
            valid(bare, Some(region)).filter(|_| has_old_zero && bare.len() < text.len())
        })?;
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

/// Whether the digits are those that stand in forms and examples: `1234567890`, `5555555555`,
/// `234 567 8900`, `212 222 2222`.
fn is_placeholder(number: &PhoneNumber) -> bool {
    let digits = number.get_national_significant_number();
    let is_same = |text: &str| {
        let mut bytes = text.bytes();
        let first = bytes.next();
        bytes.all(|byte| Some(byte) == first)
    };
    let is_counted = |text: &str| "01234567890123456789".contains(text);
    let is_american = number.country_code == 1;
    let begins = |count: usize| digits.get(..count).filter(|_| is_american);
    let ends = |count: usize| digits.get(count..).filter(|_| is_american);
    digits.len() >= 7
        && (is_counted(&digits)
            || is_same(&digits)
            || begins(AMERICAN_COUNTED).is_some_and(is_counted)
            || ends(AMERICAN_AREA).is_some_and(is_same))
}

fn valid(text: &str, region: Option<Region>) -> Option<PhoneNumber> {
    PHONE_NUMBER_UTIL
        .parse(text, region)
        .ok()
        .filter(PhoneNumber::is_valid)
}

#[cfg(test)]
mod tests;
