//! Which country numbers without a country code are of.

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

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
