//! Which country numbers without a country code are of.

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

use super::marks::Place;

/// Names of countries as they end addresses, each once for every way in which it is written.
const NAMES: &[(&str, Region)] = &[
    ("Argentina", Region::AR),
    ("Australia", Region::AU),
    ("Austria", Region::AT),
    ("Österreich", Region::AT),
    ("Belgium", Region::BE),
    ("België", Region::BE),
    ("Belgique", Region::BE),
    ("Brasil", Region::BR),
    ("Brazil", Region::BR),
    ("Bulgaria", Region::BG),
    ("Canada", Region::CA),
    ("Chile", Region::CL),
    ("Colombia", Region::CO),
    ("Croatia", Region::HR),
    ("Hrvatska", Region::HR),
    ("Cyprus", Region::CY),
    ("Czech Republic", Region::CZ),
    ("Czechia", Region::CZ),
    ("Česká republika", Region::CZ),
    ("Denmark", Region::DK),
    ("Danmark", Region::DK),
    ("Estonia", Region::EE),
    ("Eesti", Region::EE),
    ("Finland", Region::FI),
    ("Suomi", Region::FI),
    ("France", Region::FR),
    ("Germany", Region::DE),
    ("Deutschland", Region::DE),
    ("Greece", Region::GR),
    ("Ελλάδα", Region::GR),
    ("Hungary", Region::HU),
    ("Magyarország", Region::HU),
    ("India", Region::IN),
    ("Ireland", Region::IE),
    ("Israel", Region::IL),
    ("Italy", Region::IT),
    ("Italia", Region::IT),
    ("Japan", Region::JP),
    ("Latvia", Region::LV),
    ("Lithuania", Region::LT),
    ("Luxembourg", Region::LU),
    ("Malta", Region::MT),
    ("Mexico", Region::MX),
    ("México", Region::MX),
    ("Netherlands", Region::NL),
    ("Nederland", Region::NL),
    ("New Zealand", Region::NZ),
    ("Norway", Region::NO),
    ("Norge", Region::NO),
    ("Poland", Region::PL),
    ("Polska", Region::PL),
    ("Portugal", Region::PT),
    ("Romania", Region::RO),
    ("România", Region::RO),
    ("Serbia", Region::RS),
    ("Singapore", Region::SG),
    ("Slovakia", Region::SK),
    ("Slovensko", Region::SK),
    ("Slovenia", Region::SI),
    ("Slovenija", Region::SI),
    ("South Africa", Region::ZA),
    ("Spain", Region::ES),
    ("España", Region::ES),
    ("Sweden", Region::SE),
    ("Sverige", Region::SE),
    ("Switzerland", Region::CH),
    ("Schweiz", Region::CH),
    ("Suisse", Region::CH),
    ("Svizzera", Region::CH),
    ("Turkey", Region::TR),
    ("Türkiye", Region::TR),
    ("Ukraine", Region::UA),
    ("United Arab Emirates", Region::AE),
    ("United Kingdom", Region::GB),
    ("England", Region::GB),
    ("Scotland", Region::GB),
    (" UK", Region::GB),
    ("United States", Region::US),
    (" USA", Region::US),
];

/// The names of countries.
pub(super) fn country_names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

/// The countries with whose names lines end, as those of addresses do, of the [`country_names`]
/// in a text.
pub(super) fn regions_in(text: &str, names: &[Place]) -> impl Iterator<Item = Region> {
    names.iter().filter_map(|&(name, start, end)| {
        let (name, region) = NAMES.get(name)?;
        let before = text.get(..start)?.chars().next_back();
        let after = text.get(end..)?.trim_start_matches(['.', ' ']);
        let is_written = text.get(start..end) == Some(*name);
        let is_word = name.starts_with(' ') || before.is_none_or(|c| !c.is_alphanumeric());
        let is_end = after.is_empty() || after.starts_with('\n');
        (is_written && is_word && is_end).then_some(*region)
    })
}

/// States and territories that stand before the postal codes of Australia.
const AUSTRALIAN_STATES: &[&str] = &["ACT", "NSW", "NT", "QLD", "SA", "TAS", "VIC", "WA"];

/// The countries that the postal codes in a text can only be of.
pub(super) fn regions_of_codes(text: &str) -> impl Iterator<Item = Region> {
    let mut before = "";
    text.split_ascii_whitespace().filter_map(move |word| {
        let first = std::mem::replace(&mut before, word);
        let code = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        region_of_code(first.as_bytes(), code.as_bytes())
    })
}

/// The country of a postal code of two words: `BN1 1EB`, `NSW 2000`.
fn region_of_code(first: &[u8], second: &[u8]) -> Option<Region> {
    match second {
        [b'0'..=b'9', b'A'..=b'Z', b'A'..=b'Z'] => {
            let area = first.iter().take_while(|byte| byte.is_ascii_uppercase());
            let (_, district) = first.split_at_checked(area.count())?;
            let is_district = match district {
                [digit] => digit.is_ascii_digit(),
                [digit, last] => {
                    digit.is_ascii_digit() && (last.is_ascii_digit() || last.is_ascii_uppercase())
                }
                _ => false,
            };
            let is_area = (1..=2).contains(&(first.len() - district.len()));
            (is_district && is_area).then_some(Region::GB)
        }
        [_, _, _, _] if second.iter().all(u8::is_ascii_digit) => {
            let mut states = AUSTRALIAN_STATES.iter();
            let is_state = states.any(|state| state.as_bytes() == first);
            is_state.then_some(Region::AU)
        }
        _ => None,
    }
}

/// Country domains that are used for their sound all over the world.
const GENERIC_COUNTRY_DOMAINS: &[&str] = &[
    "ac", "ag", "ai", "cc", "co", "eu", "fm", "gg", "io", "la", "ly", "me", "nu", "sc", "sh", "so",
    "st", "to", "tv", "vc", "ws",
];

/// The country of a domain, unless the world uses it.
pub(super) fn region_of_domain(host: &str) -> Option<Region> {
    match host.rsplit('.').next().unwrap_or_default() {
        "uk" => Some(Region::GB),
        generic if GENERIC_COUNTRY_DOMAINS.contains(&generic) => None,
        country => region(country),
    }
}

/// The country of a domain that the world uses as well, for pages in its language.
pub(super) fn region_of_shared_domain(host: &str, language: &str) -> Option<Region> {
    let is_spanish = language.split('-').next() == Some("es");
    (is_spanish && host.ends_with(".co")).then_some(Region::CO)
}

/// The country that a language tag names, and the one where most sites of the language are at
/// home.
pub(super) fn regions_of_language(tag: &str) -> (Option<Region>, Option<Region>) {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    (parts.find_map(region), region_of_language(language))
}

/// A region that the library knows numbers of.
pub(super) fn region(code: &str) -> Option<Region> {
    if code.len() != 2 {
        return None;
    }
    let region = Region::from_code(&code.to_ascii_uppercase()).ok()?;
    PHONE_NUMBER_UTIL
        .get_country_code_for_region(region)
        .map(|_code| region)
}

/// A country by the names that addresses have.
pub(super) fn region_of_country(name: &str) -> Option<Region> {
    Some(match name.trim().to_lowercase().as_str() {
        "deu" | "deutschland" | "germany" => Region::DE,
        "aut" | "austria" | "österreich" => Region::AT,
        "che" | "schweiz" | "suisse" | "svizzera" | "switzerland" => Region::CH,
        "fra" | "france" | "frankreich" => Region::FR,
        "ita" | "italia" | "italy" => Region::IT,
        "esp" | "españa" | "spain" => Region::ES,
        "prt" | "portugal" => Region::PT,
        "bra" | "brasil" | "brazil" => Region::BR,
        "mex" | "mexico" | "méxico" => Region::MX,
        "arg" | "argentina" => Region::AR,
        "nld" | "nederland" | "netherlands" | "the netherlands" => Region::NL,
        "bel" | "belgië" | "belgique" | "belgium" => Region::BE,
        "pol" | "poland" | "polska" => Region::PL,
        "cze" | "czech republic" | "czechia" | "česko" | "česká republika" => Region::CZ,
        "svk" | "slovakia" | "slovensko" => Region::SK,
        "swe" | "sverige" | "sweden" => Region::SE,
        "dnk" | "danmark" | "denmark" => Region::DK,
        "nor" | "norge" | "norway" => Region::NO,
        "fin" | "finland" | "suomi" => Region::FI,
        "hun" | "hungary" | "magyarország" => Region::HU,
        "rou" | "romania" | "românia" => Region::RO,
        "tur" | "turkey" | "türkiye" => Region::TR,
        "grc" | "greece" | "ελλάδα" => Region::GR,
        "irl" | "ireland" => Region::IE,
        "aus" | "australia" => Region::AU,
        "can" | "canada" => Region::CA,
        "jpn" | "japan" | "日本" => Region::JP,
        "england" | "gbr" | "great britain" | "scotland" | "uk" | "united kingdom" | "wales" => {
            Region::GB
        }
        "u.s.a." | "united states" | "united states of america" | "usa" => Region::US,
        _ => return None,
    })
}

/// The country in which most sites of a language are at home; none for those of many countries.
fn region_of_language(language: &str) -> Option<Region> {
    Some(match language {
        "bg" => Region::BG,
        "cs" => Region::CZ,
        "da" => Region::DK,
        "de" => Region::DE,
        "el" => Region::GR,
        "en" => Region::US,
        "es" => Region::ES,
        "et" => Region::EE,
        "fi" => Region::FI,
        "fr" => Region::FR,
        "he" => Region::IL,
        "hr" => Region::HR,
        "hu" => Region::HU,
        "it" => Region::IT,
        "ja" => Region::JP,
        "ko" => Region::KR,
        "lt" => Region::LT,
        "lv" => Region::LV,
        "nb" | "nn" | "no" => Region::NO,
        "nl" => Region::NL,
        "pl" => Region::PL,
        "pt" => Region::PT,
        "ro" => Region::RO,
        "ru" => Region::RU,
        "sk" => Region::SK,
        "sl" => Region::SI,
        "sv" => Region::SE,
        "tr" => Region::TR,
        "uk" => Region::UA,
        "zh" => Region::CN,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::marks::Marks;
    use super::*;

    #[test]
    fn countries_are_named_where_addresses_end() {
        for (text, regions) in [
            ("1 High St, London, United Kingdom\nTel", &[Region::GB][..]),
            ("10115 Berlin\nGermany.", &[Region::DE]),
            ("12 Mill Lane, Leeds, UK", &[Region::GB]),
            ("We ship to Germany and France from here", &[]),
            ("our uk", &[]),
            ("NewGermany", &[]),
        ] {
            let names = Marks::of(text).countries;
            let found: Vec<Region> = regions_in(text, &names).collect();
            assert_eq!(found, regions, "{text}");
        }
    }

    #[test]
    fn some_postal_codes_tell_their_country() {
        for (text, regions) in [
            ("12 North Street, Brighton BN1 1EB", &[Region::GB][..]),
            ("London EC2R 8EJ, by the bank", &[Region::GB]),
            ("1 Pitt St, Sydney NSW 2000.", &[Region::AU]),
            ("Seattle WA 98101", &[]),
            ("Ottawa K1A 0B1", &[]),
            ("1012 AB Amsterdam", &[]),
            ("size 3XL and 2XL", &[]),
            ("ABC1 2DE", &[]),
        ] {
            let found: Vec<Region> = regions_of_codes(text).collect();
            assert_eq!(found, regions, "{text}");
        }
    }
}
