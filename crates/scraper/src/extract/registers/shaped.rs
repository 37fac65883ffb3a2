//! The registers whose numbers are known by their shape alone.

use super::super::vat::Reader;
use super::schemes::Scheme;

pub(super) const SHAPED: &[Scheme] = &[
    Scheme {
        name: "AR-CUIT",
        labels: &["cuit"],
        is_checked: false,
        read: |text| shaped(text, &["99-99999999-9"]),
    },
    Scheme {
        name: "AU-ACN",
        labels: &["acn"],
        is_checked: false,
        read: |text| shaped(text, &["999 999 999", "999999999"]),
    },
    Scheme {
        name: "CH-HR",
        labels: &[
            "handelsregister",
            "registro di commercio",
            "registre du commerce",
            "firmennummer",
            "rc",
        ],
        is_checked: false,
        read: |text| shaped(text, &["CH-999.9.999.999-9"]),
    },
    Scheme {
        name: "CN-USCC",
        labels: &["统一社会信用代码", "信用代码"],
        is_checked: false,
        read: |text| shaped(text, &["XXXXXXXXXXXXXXXXXX"]),
    },
    Scheme {
        name: "EE-RK",
        labels: &["registrikood", "reg.kood", "reg. kood"],
        is_checked: false,
        read: |text| shaped(text, &["99999999"]),
    },
    Scheme {
        name: "GB-CHARITY",
        labels: &[
            "charity no",
            "charity number",
            "charity reg",
            "registered charity",
        ],
        is_checked: false,
        read: |text| shaped(text, &["9999999", "999999", "SC999999"]),
    },
    Scheme {
        name: "IE-CRO",
        labels: &["registered in ireland", "cro no", "cro number"],
        is_checked: false,
        read: |text| shaped(text, &["999999", "99999"]),
    },
    Scheme {
        name: "IN-CIN",
        labels: &["cin", "corporate identity number"],
        is_checked: false,
        read: |text| shaped(text, &["A99999AA9999AAA999999"]),
    },
    Scheme {
        name: "KR-BRN",
        labels: &["사업자등록번호", "사업자 등록번호", "사업자번호"],
        is_checked: false,
        read: |text| shaped(text, &["999-99-99999"]),
    },
    Scheme {
        name: "LT-JAR",
        labels: &["įmonės kodas", "įm. kodas", "į.k."],
        is_checked: false,
        read: |text| shaped(text, &["999999999"]),
    },
    Scheme {
        name: "LV-UR",
        labels: &["reģ. nr", "reģ.nr", "reģistrācijas n"],
        is_checked: false,
        read: |text| shaped(text, &["99999999999"]),
    },
    Scheme {
        name: "MX-RFC",
        labels: &["rfc"],
        is_checked: false,
        read: |text| shaped(text, &["AAA999999XXX", "AAAA999999XXX"]),
    },
    Scheme {
        name: "TR-SICIL",
        labels: &["ticaret sicil"],
        is_checked: false,
        read: |text| shaped(text, &["999999-9", "999999", "99999-9", "9999999"]),
    },
    Scheme {
        name: "UA-EDRPOU",
        labels: &["єдрпоу", "едрпоу"],
        is_checked: false,
        read: |text| shaped(text, &["99999999"]),
    },
];

/// The value at the beginning of a text that has one of some shapes and ends there: `A` stands for
/// a capital letter, `9` for a digit, `X` for either, all else for itself.
fn shaped(text: &str, shapes: &[&str]) -> Option<String> {
    shapes.iter().find_map(|shape| {
        let value = text.get(..shape.len())?;
        let fits = value
            .bytes()
            .zip(shape.bytes())
            .all(|(byte, sign)| match sign {
                b'9' => byte.is_ascii_digit(),
                b'A' => byte.is_ascii_uppercase(),
                b'X' => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
                sign => byte == sign,
            });
        Reader(text.get(shape.len()..)?).end()?;
        fits.then(|| value.to_owned())
    })
}
