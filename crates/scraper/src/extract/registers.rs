//! Numbers by which states know companies, in the text of an imprint.
//!
//! A number is taken only after a word that says what it is, in the form that it has, and with a
//! right check digit where it has one.

mod schemes;
mod shaped;

use std::sync::LazyLock;

use super::checksum as check;
use super::marks::Place;
use super::vat::{uid_ch, vat_number};
use crate::facts::contact::CompanyFactKind::{self, RegistrationNumber, VatNumber};
use schemes::{PARTITA_IVA, SCHEMES, Scheme, VAT_GB, VAT_LABELS, digits};
use shaped::SHAPED;

/// How far after its word a number is looked for, in bytes: of one with a check digit, laws may
/// be named between.
const CHECKED_REACH_BYTES: usize = 110;
const UNCHECKED_REACH_BYTES: usize = 28;

/// How far around a number of a German register its court is looked for, in bytes.
const COURT_REACH_BYTES: usize = 120;

/// Most bytes of the name of a court.
const COURT_MAX_BYTES: usize = 60;

/// A number of a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CompanyNumber {
    pub(super) kind: CompanyFactKind,
    pub(super) scheme: Option<&'static str>,
    pub(super) value: String,
    pub(super) court: Option<String>,
}

/// All words, each with what may follow it.
static LABELS: LazyLock<Vec<(String, Follow)>> = LazyLock::new(|| {
    let of_schemes = SCHEMES.iter().chain(SHAPED).flat_map(|scheme| {
        let labels = scheme.labels.iter();
        labels.map(move |label| (*label, Follow::Scheme(scheme)))
    });
    let all: Vec<(&str, Follow)> = VAT_LABELS
        .iter()
        .map(|label| (*label, Follow::Vat))
        .chain(PARTITA_IVA.iter().map(|label| (*label, Follow::PartitaIva)))
        .chain(VAT_GB.iter().map(|label| (*label, Follow::VatGb)))
        .chain(of_schemes)
        .chain([("che-", Follow::SwissVat)])
        .collect();
    // The automaton knows the two cases of ASCII letters alone.
    let other_case = all
        .iter()
        .filter(|(label, _)| !label.is_ascii())
        .map(|(label, follow)| (label.to_uppercase(), *follow));
    other_case
        .chain(
            all.iter()
                .map(|(label, follow)| ((*label).to_owned(), *follow)),
        )
        .collect()
});

#[derive(Clone, Copy)]
enum Follow {
    Vat,
    PartitaIva,
    VatGb,
    Scheme(&'static Scheme),
    /// The word is the beginning of a Swiss number, which nothing has to announce: `CHE-`.
    SwissVat,
}

/// The words that announce a number.
pub(super) fn labels() -> impl Iterator<Item = &'static str> {
    LABELS.iter().map(|(label, _)| label.as_str())
}

/// The numbers in a text, each as often as one of the [`labels`] in it announces it.
pub(super) fn company_numbers(text: &str, labels: &[Place], mut take: impl FnMut(CompanyNumber)) {
    // One number may have several words before it: "USt-IdNr. (VAT ID): DE136695976".
    let mut seen: Vec<(usize, Option<&'static str>, String)> = Vec::new();
    for &(word, start, end) in labels {
        let Some((_, follow)) = LABELS.get(word) else {
            continue;
        };
        if !stands_alone(text, start, end) {
            continue;
        }
        let (scheme, found) = match *follow {
            Follow::Vat => (None, after(text, end, true, vat_number)),
            Follow::PartitaIva => (
                None,
                after(text, end, false, |text| digits(text, 11, check::luhn))
                    .map(|(at, digits)| (at, format!("IT{digits}"))),
            ),
            Follow::VatGb => (
                None,
                after(text, end, false, |text| digits(text, 9, check::vat_gb))
                    .map(|(at, digits)| (at, format!("GB{digits}"))),
            ),
            Follow::Scheme(scheme) => (
                Some(scheme.name),
                after(text, end, scheme.is_checked, scheme.read),
            ),
            Follow::SwissVat => {
                let number = text.get(start..).unwrap_or_default();
                let is_uid = uid_ch(number).is_some();
                let vat = is_uid.then(|| vat_number(number)).flatten();
                (None, vat.map(|vat| (start, vat)))
            }
        };
        let Some((at, value)) = found else { continue };
        // What lies far behind cannot be the number of another word.
        seen.retain(|(known_at, ..)| known_at + UNCHECKED_REACH_BYTES > start);
        let is_seen = seen.iter().any(|(known_at, known_scheme, known)| {
            known_at.abs_diff(at) < UNCHECKED_REACH_BYTES
                && *known_scheme == scheme
                && *known == value
        });
        if is_seen {
            continue;
        }
        seen.push((at, scheme, value.clone()));
        let court = scheme
            .filter(|name| name.starts_with("DE-"))
            .and_then(|_| court_near(text, at));
        if let Some(vat) = scheme.and_then(|scheme| vat_of(scheme, &value, text, at)) {
            take(CompanyNumber {
                kind: VatNumber,
                scheme: None,
                value: vat,
                court: None,
            });
            if matches!(scheme, Some("PL-NIP" | "GR-AFM")) {
                continue;
            }
        }
        take(CompanyNumber {
            kind: if scheme.is_some() {
                RegistrationNumber
            } else {
                VatNumber
            },
            scheme,
            value,
            court,
        });
    }
}

/// Whether a label is a word of its own; longer ones may be the beginning of one.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text
        .get(..start)
        .and_then(|before| before.chars().next_back());
    let after = text.get(end..).and_then(|after| after.chars().next());
    let is_short = end - start < 6;
    before.is_none_or(|c| !c.is_alphanumeric())
        && !(is_short
            && after.is_some_and(char::is_alphabetic)
            && !text
                .get(start..end)
                .is_some_and(|label| label.contains(['-', '.'])))
}

/// The first value after a word, with the byte at which it begins.
fn after(
    text: &str,
    end: usize,
    is_checked: bool,
    read: impl Fn(&str) -> Option<String>,
) -> Option<(usize, String)> {
    let reach = if is_checked {
        CHECKED_REACH_BYTES
    } else {
        UNCHECKED_REACH_BYTES
    };
    let rest = text.get(end..)?;
    let rest = rest.get(..rest.floor_char_boundary(reach + 40))?;
    for (offset, byte) in rest.bytes().enumerate() {
        if offset > reach {
            return None;
        }
        let may_begin = byte.is_ascii_digit() || byte.is_ascii_uppercase();
        if may_begin && !rest.get(..offset)?.ends_with(char::is_alphanumeric) {
            if let Some(value) = read(rest.get(offset..)?) {
                return Some((end + offset, value));
            }
            // The number next to a word is the one it announces, or there is none.
            if !is_checked && byte.is_ascii_digit() {
                return None;
            }
        }
    }
    None
}

/// The VAT number that a number for taxes is as well.
fn vat_of(scheme: &str, value: &str, text: &str, at: usize) -> Option<String> {
    match scheme {
        "GR-AFM" => Some(format!("EL{value}")),
        "PL-NIP" => Some(format!("PL{value}")),
        "PT-NIPC" => Some(format!("PT{value}")),
        "NO-ORGNR" if is_followed_by_mva(text, at) => Some(format!("NO{value}MVA")),
        // Those of people begin with a digit.
        "ES-NIF" if value.starts_with(|c: char| c.is_ascii_uppercase()) => {
            Some(format!("ES{value}"))
        }
        _ => None,
    }
}

fn is_followed_by_mva(text: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    let rest = rest.get(..rest.floor_char_boundary(20)).unwrap_or_default();
    rest.contains("MVA")
}

/// The court that is named near a place, in the nearest words before or after it.
fn court_near(text: &str, at: usize) -> Option<String> {
    let start = text.ceil_char_boundary(at.saturating_sub(COURT_REACH_BYTES));
    let end = text.floor_char_boundary(text.len().min(at + COURT_REACH_BYTES));
    let before = text.get(start..at)?;
    let after = text.get(at..end)?;
    let named = |text: &str, place: Option<usize>| {
        let name = text
            .get(place?..)?
            .trim_start_matches("Amtsgericht")
            .trim_start_matches("Registergericht");
        let name = name
            .trim_start_matches([' ', ':', '\u{a0}', '\n'])
            .trim_start_matches("Amtsgericht")
            .trim_start();
        let end = name
            .find(|c: char| {
                c.is_ascii_digit()
                    || matches!(
                        c,
                        ',' | ';' | '\n' | '|' | ')' | '(' | ':' | '.' | '–' | '·'
                    )
            })
            .unwrap_or(name.len());
        let name = name.get(..end)?;
        let name = name
            .split(" HR")
            .next()?
            .split(" unter")
            .next()?
            .split(" VR")
            .next()?
            .trim();
        let is_name = !name.is_empty()
            && name.len() <= COURT_MAX_BYTES
            && name.starts_with(char::is_uppercase);
        is_name.then(|| format!("Amtsgericht {name}"))
    };
    let words = ["Amtsgericht", "Registergericht"];
    let in_before = words
        .iter()
        .find_map(|word| named(before, before.rfind(word)));
    in_before.or_else(|| words.iter().find_map(|word| named(after, after.find(word))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::marks::Marks;
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        company_numbers(text, &Marks::of(text).labels, |number| {
            let scheme = number.scheme.unwrap_or("VAT");
            let court = number
                .court
                .map_or(String::new(), |court| format!(", {court}"));
            found.push(format!("{scheme} {}{court}", number.value));
        });
        found
    }

    #[test]
    fn numbers_are_found_after_their_words() {
        for (text, expected) in [
            ("USt-IdNr.: DE136695976", "VAT DE136695976"),
            (
                "Umsatzsteuer-Identifikationsnummer gemäß § 27 a Umsatzsteuergesetz:\nDE 136 695 976",
                "VAT DE136695976",
            ),
            ("UID: ATU13585627", "VAT ATU13585627"),
            ("P.IVA 00743110157", "VAT IT00743110157"),
            ("Partita IVA: IT00743110157", "VAT IT00743110157"),
            ("VAT Reg No: 980 7806 84", "VAT GB980780684"),
            (
                "N° TVA intracommunautaire : FR 40 303 265 045",
                "VAT FR40303265045",
            ),
            ("BTW-nummer: NL004495445B01", "VAT NL004495445B01"),
            (
                "Amtsgericht München, HRB 12345",
                "DE-HRB HRB 12345, Amtsgericht München",
            ),
            (
                "Amtsgericht München, HRB 123 456",
                "DE-HRB HRB 123456, Amtsgericht München",
            ),
            (
                "HRB 12\u{a0}345 B, Amtsgericht München",
                "DE-HRB HRB 12345 B, Amtsgericht München",
            ),
            (
                "Registergericht: Amtsgericht Charlottenburg\nRegisternummer: HRB 12345 B",
                "DE-HRB HRB 12345 B, Amtsgericht Charlottenburg",
            ),
            (
                "HRA-Nr.: 4711 (Amtsgericht Köln)",
                "DE-HRA HRA 4711, Amtsgericht Köln",
            ),
            ("Vereinsregister: VR 1234", "DE-VR VR 1234"),
            ("FN 123456a, Handelsgericht Wien", "AT-FN FN 123456a"),
            ("Firmenbuchnummer: FN 123456 a", "AT-FN FN 123456a"),
            ("SIREN : 732 829 320", "FR-SIREN 732829320"),
            ("SIRET 732 829 320 00074", "FR-SIRET 73282932000074"),
            ("RCS Paris B 732 829 320", "FR-SIREN 732829320"),
            ("KvK: 12345678", "NL-KVK 12345678"),
            ("Company number: 01234567", "GB-CRN 01234567"),
            ("Registered in Scotland, No. SC123456", "GB-CRN SC123456"),
            ("CVR-nr. 13 58 56 28", "DK-CVR 13585628"),
            ("Org.nr. 556012-5790", "SE-ORGNR 556012-5790"),
            ("Org.nr: 988 077 917", "NO-ORGNR 988077917"),
            ("NIP: 526-025-02-74", "VAT PL5260250274"),
            ("KRS 0000123456", "PL-KRS 0000123456"),
            ("REGON: 192598184", "PL-REGON 192598184"),
            ("REA: MI-1234567", "IT-REA MI-1234567"),
            ("IČO: 25123891", "CZ-ICO 25123891"),
            ("Y-tunnus: 2077474-0", "FI-YTUNNUS 2077474-0"),
            ("CNPJ: 16.727.230/0001-97", "BR-CNPJ 16.727.230/0001-97"),
            ("UID CHE-100.155.212", "CH-UID CHE-100.155.212"),
            ("Adószám: 12892312-2-41", "HU-ADOSZAM 12892312-2-41"),
            (
                "J40/1234/2010 Reg. Com. J40/1234/2010",
                "RO-ORC J40/1234/2010",
            ),
            ("ИНН 7707083893", "RU-INN 7707083893"),
            ("ABN 51 824 753 556", "AU-ABN 51824753556"),
            ("MERSİS No: 0477514737900001", "TR-MERSIS 0477514737900001"),
            ("Ticaret Sicil No 294718-5", "TR-SICIL 294718-5"),
            ("a registered charity (no. 519284)", "GB-CHARITY 519284"),
            (
                "a company limited by guarantee (no. 02146873)",
                "GB-CRN 02146873",
            ),
            ("CIN: U72200KA2011PTC058417", "IN-CIN U72200KA2011PTC058417"),
            ("사업자등록번호 312-86-14726", "KR-BRN 312-86-14726"),
            (
                "Registro di commercio CH-501.3.004.618-2",
                "CH-HR CH-501.3.004.618-2",
            ),
            ("RFC: ABC850101XY9", "MX-RFC ABC850101XY9"),
            ("Registered in Ireland No. 123456", "IE-CRO 123456"),
        ] {
            assert_eq!(found(text), [expected], "{text}");
        }
    }

    #[test]
    fn one_text_may_have_several() {
        assert_eq!(
            found("CIF: A28015865"),
            ["VAT ESA28015865", "ES-NIF A28015865"]
        );
        assert_eq!(
            found("NIPC 501 964 843"),
            ["VAT PT501964843", "PT-NIPC 501964843"]
        );
        assert_eq!(
            found("Org.nr 988 077 917 MVA"),
            ["VAT NO988077917MVA", "NO-ORGNR 988077917"]
        );
        assert_eq!(
            found("CHE-100.155.212 MWST"),
            ["VAT CHE-100.155.212 MWST"],
            "without a word before it"
        );
        assert_eq!(
            found("MWST-Nr. CHE-100.155.212 MWST"),
            ["VAT CHE-100.155.212 MWST", "CH-UID CHE-100.155.212"]
        );
        assert_eq!(
            found("USt-IdNr. (VAT ID): DE136695976"),
            ["VAT DE136695976"]
        );
    }

    #[test]
    fn other_numbers_are_left_alone() {
        for text in [
            "DE136695976",
            "USt-IdNr. DE136695977",
            "inkl. 19 % MwSt. 12345678",
            "snippet 5260250274",
            "HRB",
            "Tel. 030 12345678",
            "KvK 1234567",
            "registered charity 12",
            "CIN 72200KA2011PTC058417",
            "RFC 2119",
            "Company number 12",
            "IBAN DE89 3704 0044 0532 0130 00, BTW",
            "iva incluida 28015865",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_searched_without_a_panic(
            text in "(\\PC|[0-9 .]|HRB |VAT |Amtsgericht |ČIČO|RCS B |CUI RO|REA MI|J4/){0,30}",
        ) {
            found(&text);
        }
    }
}
