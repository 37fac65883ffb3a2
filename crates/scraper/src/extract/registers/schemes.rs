//! The registers: the words before their numbers, and how these are read.

use super::super::checksum as check;
use super::super::vat::{Reader, nif, uid_ch};

/// A kind of number: the words before it, and how it is read.
pub(super) struct Scheme {
    pub(super) name: &'static str,
    pub(super) labels: &'static [&'static str],
    /// A number without check digit stands close to its word.
    pub(super) is_checked: bool,
    /// Reads a value at the beginning of a text.
    pub(super) read: fn(&str) -> Option<String>,
}

/// Words before VAT numbers, which begin with their country.
pub(super) const VAT_LABELS: &[&str] = &[
    "alv",
    "btw",
    "cif",
    "ddv",
    "dič",
    "dph",
    "momsreg",
    "cvr",
    "org.nr",
    "fiscal",
    "iva",
    "kdv",
    "moms",
    "mwst",
    "mva",
    "nif",
    "nip",
    "p.iva",
    "pdv",
    "pvm",
    "pvn",
    "sales tax",
    "steuer-id",
    "tax id",
    "tax no",
    "tva",
    "uid",
    "umsatzsteuer",
    "ust-id",
    "ust.-id",
    "ust id",
    "ustid",
    "ust.id",
    "ust-nr",
    "vat",
    "áfa",
    "αφμ",
    "α.φ.μ",
    "φπα",
    "ддс",
    "adószám",
    "cui",
    "cod unic",
];

pub(super) const SCHEMES: &[Scheme] = &[
    Scheme {
        name: "AT-FN",
        labels: &["fn", "firmenbuch", "firmenbuchnummer", "fb-nr"],
        is_checked: false,
        read: |text| {
            let text = text.strip_prefix("FN").unwrap_or(text).trim_start();
            let end = text.find(|c: char| !c.is_ascii_digit())?;
            let (digits, rest) = text.split_at_checked(end)?;
            let rest = rest.trim_start_matches([' ', '\u{a0}']);
            let letter = rest.chars().next().filter(char::is_ascii_lowercase)?;
            Reader(rest.get(1..)?).end()?;
            (4..=6)
                .contains(&digits.len())
                .then(|| format!("FN {digits}{letter}"))
        },
    },
    Scheme {
        name: "AU-ABN",
        labels: &["abn"],
        is_checked: true,
        read: |text| digits(text, 11, check::abn),
    },
    Scheme {
        name: "BE-KBO",
        labels: &[
            "kbo",
            "bce",
            "rpr",
            "rpm",
            "ondernemingsnummer",
            "numéro d'entreprise",
            "numéro d’entreprise",
        ],
        is_checked: true,
        read: |text| {
            let digits = digits(text.strip_prefix("BE").unwrap_or(text), 10, check::kbo)?;
            Some(format!(
                "{}.{}.{}",
                digits.get(..4)?,
                digits.get(4..7)?,
                digits.get(7..)?
            ))
        },
    },
    Scheme {
        name: "BG-EIK",
        labels: &["еик", "булстат", "eik", "uic"],
        is_checked: false,
        read: |text| digits(text, 9, |_| true),
    },
    Scheme {
        name: "BR-CNPJ",
        labels: &["cnpj"],
        is_checked: true,
        read: |text| {
            let d = digits(text, 14, check::cnpj)?;
            Some(format!(
                "{}.{}.{}/{}-{}",
                d.get(..2)?,
                d.get(2..5)?,
                d.get(5..8)?,
                d.get(8..12)?,
                d.get(12..)?
            ))
        },
    },
    Scheme {
        name: "CH-UID",
        labels: &[
            "uid",
            "mwst",
            "tva",
            "iva",
            "che",
            "ide",
            "idi",
            "handelsregister",
            "unternehmens-id",
        ],
        is_checked: true,
        read: |text| uid_ch(text).map(|(uid, _)| uid),
    },
    Scheme {
        name: "CZ-ICO",
        labels: &["ičo", "ič", "ico", "identifikační číslo"],
        is_checked: true,
        read: |text| digits(text, 8, check::ico),
    },
    Scheme {
        name: "DE-HRB",
        labels: &["hrb"],
        is_checked: false,
        read: |text| register(text, "HRB", 2..=7),
    },
    Scheme {
        name: "DE-HRA",
        labels: &["hra"],
        is_checked: false,
        read: |text| register(text, "HRA", 2..=7),
    },
    Scheme {
        name: "DE-VR",
        labels: &["vr", "vereinsregister"],
        is_checked: false,
        read: |text| register(text, "VR", 3..=7),
    },
    Scheme {
        name: "DE-GNR",
        labels: &["gnr", "genossenschaftsregister"],
        is_checked: false,
        read: |text| register(text, "GnR", 1..=7),
    },
    Scheme {
        name: "DE-PR",
        labels: &["partnerschaftsregister"],
        is_checked: false,
        read: |text| register(text, "PR", 1..=7),
    },
    Scheme {
        name: "DK-CVR",
        labels: &["cvr"],
        is_checked: true,
        read: |text| digits(text.strip_prefix("DK").unwrap_or(text), 8, check::cvr),
    },
    Scheme {
        name: "ES-NIF",
        labels: &["cif", "nif", "c.i.f", "n.i.f"],
        is_checked: true,
        read: |text| {
            let mut reader = Reader(text.strip_prefix("ES").unwrap_or(text));
            let nif = nif(&mut reader)?;
            reader.end().map(|()| nif)
        },
    },
    Scheme {
        name: "FI-YTUNNUS",
        labels: &["y-tunnus", "ytunnus", "business id", "fo-nummer"],
        is_checked: true,
        read: |text| {
            let digits = digits(text, 8, check::y_tunnus)?;
            Some(format!("{}-{}", digits.get(..7)?, digits.get(7..)?))
        },
    },
    Scheme {
        name: "FR-SIREN",
        labels: &["siren", "rcs", "r.c.s", "siret"],
        is_checked: true,
        read: |text| {
            digits(text.strip_prefix("B ").unwrap_or(text), 9, check::luhn).filter(|_| {
                Reader(text)
                    .digits(14)
                    .is_none_or(|siret| !check::luhn(&siret))
            })
        },
    },
    Scheme {
        name: "FR-SIRET",
        labels: &["siret", "siren"],
        is_checked: true,
        read: |text| digits(text, 14, check::luhn),
    },
    Scheme {
        name: "GB-CRN",
        labels: &[
            "company number",
            "company no",
            "company registration number",
            "company registration no",
            "company reg",
            "registered number",
            "registered no",
            "registration number",
            "registration no",
            "registered in england",
            "registered in scotland",
            "registered in wales",
            "companies house",
            "limited by guarantee",
            "reg. no",
            "co. reg",
        ],
        is_checked: false,
        read: |text| {
            let mut reader = Reader(text);
            let area = reader
                .letters(2)
                .filter(|a| ["SC", "NI", "OC", "SO", "NC"].contains(&a.as_str()));
            let value = match area {
                Some(area) => format!("{area}{}", reader.digits(6)?),
                None => {
                    reader = Reader(text);
                    let plain = text.get(..8)?;
                    plain.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
                    reader.digits(8)?
                }
            };
            reader.end().map(|()| value)
        },
    },
    Scheme {
        name: "GR-AFM",
        labels: &["αφμ", "α.φ.μ", "afm"],
        is_checked: true,
        read: |text| digits(text, 9, check::afm),
    },
    Scheme {
        name: "GR-GEMI",
        labels: &["γεμη", "γ.ε.μη", "gemi"],
        is_checked: false,
        read: |text| digits(text, 12, |_| true),
    },
    Scheme {
        name: "HR-OIB",
        labels: &["oib"],
        is_checked: true,
        read: |text| digits(text, 11, check::mod_11_10),
    },
    Scheme {
        name: "HU-ADOSZAM",
        labels: &["adószám", "adószáma"],
        is_checked: true,
        read: |text| {
            let mut reader = Reader(text);
            let digits = reader.digits(11)?;
            digits.get(..8).filter(|eight| check::adoszam(eight))?;
            reader.end()?;
            Some(format!(
                "{}-{}-{}",
                digits.get(..8)?,
                digits.get(8..9)?,
                digits.get(9..)?
            ))
        },
    },
    Scheme {
        name: "HU-CEGJEGYZEK",
        labels: &["cégjegyzékszám", "cégjegyzék"],
        is_checked: false,
        read: |text| {
            let d = digits(text, 10, |_| true)?;
            Some(format!("{}-{}-{}", d.get(..2)?, d.get(2..4)?, d.get(4..)?))
        },
    },
    Scheme {
        name: "IT-REA",
        labels: &["rea", "r.e.a"],
        is_checked: false,
        read: |text| {
            let mut reader = Reader(text);
            let province = reader
                .letters(2)
                .filter(|p| p.bytes().all(|b| b.is_ascii_uppercase()))?;
            let number = reader
                .0
                .trim_start_matches([' ', '-', '–', '/', '.', 'n', '°', ':']);
            let end = number
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(number.len());
            let (number, rest) = number.split_at_checked(end)?;
            Reader(rest).end()?;
            (5..=7)
                .contains(&number.len())
                .then(|| format!("{province}-{number}"))
        },
    },
    Scheme {
        name: "JP-HOUJIN",
        labels: &["法人番号"],
        is_checked: false,
        read: |text| digits(text, 13, |_| true),
    },
    Scheme {
        name: "NL-KVK",
        labels: &[
            "kvk",
            "kamer van koophandel",
            "k.v.k",
            "handelsregister",
            "chamber of commerce",
            "coc",
        ],
        is_checked: false,
        read: |text| digits(text, 8, |_| true),
    },
    Scheme {
        name: "NO-ORGNR",
        labels: ORGNR_LABELS,
        is_checked: true,
        read: |text| {
            let mut reader = Reader(text.strip_prefix("NO").unwrap_or(text));
            reader
                .digits(9)
                .filter(|digits| check::organisasjonsnummer(digits))
        },
    },
    Scheme {
        name: "PL-KRS",
        labels: &["krs"],
        is_checked: false,
        read: |text| digits(text, 10, |digits| digits.starts_with("00")),
    },
    Scheme {
        name: "PL-NIP",
        labels: &["nip"],
        is_checked: true,
        read: |text| digits(text.strip_prefix("PL").unwrap_or(text), 10, check::nip),
    },
    Scheme {
        name: "PL-REGON",
        labels: &["regon"],
        is_checked: true,
        read: |text| digits(text, 9, check::regon).or_else(|| digits(text, 14, check::regon)),
    },
    Scheme {
        name: "PT-NIPC",
        labels: &["nipc", "nif", "n.i.f", "contribuinte", "pessoa coletiva"],
        is_checked: true,
        read: |text| digits(text.strip_prefix("PT").unwrap_or(text), 9, check::nipc),
    },
    Scheme {
        name: "RO-CUI",
        labels: &["cui", "c.u.i", "cif", "cod fiscal", "cod unic"],
        is_checked: true,
        read: |text| {
            let text = text.strip_prefix("RO").unwrap_or(text).trim_start();
            let end = text
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(text.len());
            let (digits, rest) = text.split_at_checked(end)?;
            Reader(rest).end()?;
            (digits.len() >= 6 && check::cui(digits)).then(|| digits.to_owned())
        },
    },
    Scheme {
        name: "RO-ORC",
        labels: &["reg. com", "registrul comer", "reg.com", "nr. reg", "orc"],
        is_checked: false,
        read: |text| {
            let rest = text.strip_prefix(['J', 'F', 'C'])?;
            let end = rest
                .find(|c: char| !(c.is_ascii_digit() || c == '/'))
                .unwrap_or(rest.len());
            let number = rest.get(..end)?;
            (number.matches('/').count() == 2)
                .then(|| format!("{}{number}", text.get(..1).unwrap_or("J")))
        },
    },
    Scheme {
        name: "RU-INN",
        labels: &["инн"],
        is_checked: true,
        read: |text| digits(text, 10, check::inn),
    },
    Scheme {
        name: "RU-OGRN",
        labels: &["огрн"],
        is_checked: true,
        read: |text| digits(text, 13, check::ogrn),
    },
    Scheme {
        name: "SE-ORGNR",
        labels: ORGNR_LABELS,
        is_checked: true,
        read: |text| {
            let digits = digits(text, 10, check::luhn)?;
            Some(format!("{}-{}", digits.get(..6)?, digits.get(6..)?))
        },
    },
    Scheme {
        name: "TR-MERSIS",
        labels: &["mersis", "mersİs"],
        is_checked: false,
        read: |text| digits(text, 16, |_| true),
    },
];

const ORGNR_LABELS: &[&str] = &[
    "org.nr",
    "org. nr",
    "org nr",
    "orgnr",
    "org.-nr",
    "organisasjonsnummer",
    "organisationsnummer",
    "org.nummer",
    "foretaksregisteret",
];

/// Words before an Italian VAT number without its country.
pub(super) const PARTITA_IVA: &[&str] = &[
    "p.iva",
    "p. iva",
    "partita iva",
    "p.i.",
    "piva",
    "p.iva/c.f",
    "iva",
];

/// Words before a British VAT number without its country.
pub(super) const VAT_GB: &[&str] = &[
    "vat reg",
    "vat no",
    "vat number",
    "vat registration",
    "vat id",
];

/// So many digits and nothing else.
pub(super) fn digits(text: &str, count: usize, check: fn(&str) -> bool) -> Option<String> {
    let mut reader = Reader(text);
    let digits = reader.digits(count)?;
    reader.end()?;
    check(&digits).then_some(digits)
}

/// A number of a German register, with the letter that some courts put after it.
fn register(text: &str, name: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<String> {
    let (digits, rest) = grouped_digits(text);
    if !lengths.contains(&digits.len()) || Reader(rest).end().is_none() {
        return None;
    }
    let mut letters = rest.strip_prefix(' ').unwrap_or_default().chars();
    let letter = letters.next().filter(char::is_ascii_uppercase);
    let is_alone = letters.next().is_none_or(|c| !c.is_alphanumeric());
    Some(match letter.filter(|_| is_alone) {
        Some(letter) => format!("{name} {digits} {letter}"),
        None => format!("{name} {digits}"),
    })
}

/// The digits at the beginning of a text, also in groups of three behind the first: `12 345`.
fn grouped_digits(text: &str) -> (String, &str) {
    let split = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit());
        end.unwrap_or(text.len())
    };
    let (first, mut rest) = text.split_at_checked(split(text)).unwrap_or((text, ""));
    let mut digits = first.to_owned();
    while first.len() <= 3
        && let Some(group) = rest.strip_prefix([' ', '\u{a0}', '.'])
        && split(group) == 3
        && let Some((group, behind)) = group.split_at_checked(3)
    {
        digits.push_str(group);
        rest = behind;
    }
    (digits, rest)
}
