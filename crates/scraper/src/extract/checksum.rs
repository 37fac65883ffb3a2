//! Check digits of numbers that states give to companies.
//!
//! Rules by the national authorities, as collected in the European Commission's VIES documents and
//! in python-stdnum's documentation. All take digits alone; what is of another length fails.

/// The values of digits, or nothing if there is something else.
fn values(digits: &str) -> Option<Vec<u32>> {
    digits.chars().map(|c| c.to_digit(10)).collect()
}

/// The sum of digits times weights, which are as many as the digits that count.
fn weighted(values: &[u32], weights: &[u32]) -> u32 {
    values.iter().zip(weights).map(|(v, w)| v * w).sum()
}

fn number(digits: &str) -> Option<u64> {
    digits.parse().ok()
}

/// The last digit of so many makes the Luhn sum a multiple of ten: SIREN, SIRET, partita IVA,
/// organisationsnummer.
pub(super) fn luhn(digits: &str) -> bool {
    values(digits).is_some_and(|values| {
        let doubled = values.iter().rev().enumerate().map(|(place, value)| {
            let value = value << (place % 2);
            value / 10 + value % 10
        });
        doubled.sum::<u32>() % 10 == 0
    })
}

/// ISO 7064, MOD 11,10: German VAT numbers, Croatian OIB.
pub(super) fn mod_11_10(digits: &str) -> bool {
    let Some(values) = values(digits) else {
        return false;
    };
    let Some((check, values)) = values.split_last() else {
        return false;
    };
    let product = values.iter().fold(10, |product, value| {
        let sum = (value + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == *check
}

/// The last digit is the weighted sum of the others modulo 11, with ten for a zero: Polish NIP
/// refuses ten, REGON takes it for zero.
fn remainder_11(digits: &str, weights: &[u32], ten: Option<u32>) -> bool {
    let Some(values) = values(digits) else {
        return false;
    };
    let Some((check, values)) = values.split_last() else {
        return false;
    };
    let remainder = weighted(values, weights) % 11;
    let expected = if remainder == 10 {
        ten
    } else {
        Some(remainder)
    };
    values.len() == weights.len() && expected == Some(*check)
}

/// The last digit is what the weighted sum of the others lacks to a multiple of 11.
fn complement_11(digits: &str, weights: &[u32], ten: Option<u32>) -> bool {
    let Some(values) = values(digits) else {
        return false;
    };
    let Some((check, values)) = values.split_last() else {
        return false;
    };
    let complement = (11 - weighted(values, weights) % 11) % 11;
    let expected = if complement == 10 {
        ten
    } else {
        Some(complement)
    };
    values.len() == weights.len() && expected == Some(*check)
}

pub(super) fn nip(digits: &str) -> bool {
    remainder_11(digits, &[6, 5, 7, 2, 3, 4, 5, 6, 7], None)
}

pub(super) fn regon(digits: &str) -> bool {
    remainder_11(digits, &[8, 9, 2, 3, 4, 5, 6, 7], Some(0))
        || (remainder_11(digits, &[2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8], Some(0))
            && digits.get(..9).is_some_and(regon))
}

/// Portuguese NIF and NIPC.
pub(super) fn nipc(digits: &str) -> bool {
    complement_11(digits, &[9, 8, 7, 6, 5, 4, 3, 2], Some(0))
}

pub(super) fn cvr(digits: &str) -> bool {
    values(digits).is_some_and(|values| {
        values.len() == 8 && weighted(&values, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    })
}

/// Finnish Y-tunnus.
pub(super) fn y_tunnus(digits: &str) -> bool {
    complement_11(digits, &[7, 9, 10, 5, 8, 4, 2], None)
}

/// Norwegian organisasjonsnummer.
pub(super) fn organisasjonsnummer(digits: &str) -> bool {
    complement_11(digits, &[3, 2, 7, 6, 5, 4, 3, 2], None)
}

/// Czech and Slovak IČO.
pub(super) fn ico(digits: &str) -> bool {
    let Some(values) = values(digits) else {
        return false;
    };
    let expected = (11 - weighted(&values, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 10;
    values.len() == 8 && values.last() == Some(&expected)
}

/// The first eight digits of a Hungarian adószám.
pub(super) fn adoszam(digits: &str) -> bool {
    values(digits).is_some_and(|values| {
        values.len() == 8 && weighted(&values, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10)
    })
}

/// Romanian CUI, of two to ten digits.
pub(super) fn cui(digits: &str) -> bool {
    let padded = format!("{digits:0>10}");
    let Some(values) = values(&padded) else {
        return false;
    };
    let expected = weighted(&values, &[7, 5, 3, 2, 1, 7, 5, 3, 2]) * 10 % 11 % 10;
    (2..=10).contains(&digits.len()) && values.last() == Some(&expected)
}

/// Belgian enterprise number.
pub(super) fn kbo(digits: &str) -> bool {
    let parts = digits
        .get(..8)
        .and_then(number)
        .zip(digits.get(8..).and_then(number));
    digits.len() == 10 && parts.is_some_and(|(head, check)| 97 - head % 97 == check)
}

/// Austrian UID, without its U.
pub(super) fn uid_at(digits: &str) -> bool {
    let Some(values) = values(digits) else {
        return false;
    };
    let sum: u32 = values
        .iter()
        .take(7)
        .enumerate()
        .map(|(place, value)| {
            let value = value << (place % 2);
            value / 10 + value % 10
        })
        .sum();
    values.len() == 8 && values.last() == Some(&((10 - (sum + 4) % 10) % 10))
}

/// Swiss UID, without its CHE.
pub(super) fn uid_ch(digits: &str) -> bool {
    complement_11(digits, &[5, 4, 3, 2, 7, 6, 5, 4], None)
}

/// British VAT number of nine digits.
pub(super) fn vat_gb(digits: &str) -> bool {
    let Some(values) = values(digits) else {
        return false;
    };
    let sum = weighted(&values, &[8, 7, 6, 5, 4, 3, 2, 10, 1]);
    values.len() == 9 && (sum.is_multiple_of(97) || (sum + 55).is_multiple_of(97))
}

/// French VAT number: a key, then the SIREN. A key with letters is not computed here.
pub(super) fn vat_fr(key: &str, siren: &str) -> bool {
    let computed = number(siren).map(|siren| (12 + 3 * (siren % 97)) % 97);
    luhn(siren) && number(key).is_none_or(|key| Some(key) == computed)
}

/// Dutch VAT number of nine digits, `B` and two: by the old rule for companies, or by the one for
/// sole traders of 2020 (ISO 7064, MOD 97-10).
pub(super) fn vat_nl(digits: &str, suffix: &str) -> bool {
    let by_company = remainder_11(digits, &[9, 8, 7, 6, 5, 4, 3, 2], None);
    // N is 23, L 21, B 11 there.
    let by_person = number(&format!("2321{digits}11{suffix}")).is_some_and(|n| n % 97 == 1);
    by_company || by_person
}

/// Irish VAT number: seven digits, a letter, and perhaps another.
pub(super) fn vat_ie(digits: &str, letters: &str) -> bool {
    let Some(values) = values(digits) else {
        return false;
    };
    let mut letters = letters.bytes();
    let (Some(check), second) = (letters.next(), letters.next()) else {
        return false;
    };
    let second = second.map_or(0, |letter| u32::from(letter.saturating_sub(b'A' - 1)));
    let sum = weighted(&values, &[8, 7, 6, 5, 4, 3, 2]) + if second == 23 { 0 } else { 9 * second };
    let expected = match sum % 23 {
        0 => u32::from(b'W'),
        n => u32::from(b'A' - 1) + n,
    };
    values.len() == 7 && u32::from(check) == expected
}

/// Greek ΑΦΜ.
pub(super) fn afm(digits: &str) -> bool {
    let Some(values) = values(digits) else {
        return false;
    };
    let sum = weighted(&values, &[256, 128, 64, 32, 16, 8, 4, 2]);
    values.len() == 9 && values.last() == Some(&(sum % 11 % 10))
}

/// Luxembourgian VAT number.
pub(super) fn vat_lu(digits: &str) -> bool {
    let parts = digits
        .get(..6)
        .and_then(number)
        .zip(digits.get(6..).and_then(number));
    digits.len() == 8 && parts.is_some_and(|(head, check)| head % 89 == check)
}

/// Slovenian VAT number.
pub(super) fn vat_si(digits: &str) -> bool {
    complement_11(digits, &[8, 7, 6, 5, 4, 3, 2], Some(0))
}

/// Slovakian VAT number.
pub(super) fn vat_sk(digits: &str) -> bool {
    digits.len() == 10 && number(digits).is_some_and(|number| number % 11 == 0)
}

/// Spanish NIF: of companies a letter, seven digits and a digit or letter; of people eight
/// digits, or X, Y, Z and seven, and a letter.
pub(super) fn nif(text: &str) -> bool {
    let Some((body, check)) = text
        .split_at_checked(8)
        .filter(|(_, check)| check.len() == 1)
    else {
        return false;
    };
    let of_person = |digits: String| {
        let letter =
            number(&digits).and_then(|n| "TRWAGMYFPDXBNJZSQVHLCKE".chars().nth((n % 23) as usize));
        letter.is_some() && letter == check.chars().next()
    };
    let (first, rest) = body.split_at(body.chars().next().map_or(0, char::len_utf8));
    match first {
        "X" => of_person(format!("0{rest}")),
        "Y" => of_person(format!("1{rest}")),
        "Z" => of_person(format!("2{rest}")),
        _ if first.bytes().all(|b| b.is_ascii_digit()) => of_person(body.to_owned()),
        _ => {
            let Some(values) = values(rest).filter(|_| "ABCDEFGHJNPQRSUVW".contains(first)) else {
                return false;
            };
            let sum: u32 = values
                .iter()
                .enumerate()
                .map(|(place, value)| {
                    let value = if place % 2 == 0 { value * 2 } else { *value };
                    value / 10 + value % 10
                })
                .sum();
            let control = (10 - sum % 10) % 10;
            let letter = "JABCDEFGHI".chars().nth(control as usize);
            check.parse() == Ok(control) || check.chars().next() == letter
        }
    }
}

/// Brazilian CNPJ.
pub(super) fn cnpj(digits: &str) -> bool {
    let Some(values) = values(digits) else {
        return false;
    };
    let check = |weights: &[u32]| match weighted(&values, weights) % 11 {
        0 | 1 => 0,
        n => 11 - n,
    };
    values.len() == 14
        && values.get(12) == Some(&check(&[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]))
        && values.get(13) == Some(&check(&[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]))
}

/// Russian INN of companies.
pub(super) fn inn(digits: &str) -> bool {
    let Some(values) = values(digits) else {
        return false;
    };
    let sum = weighted(&values, &[2, 4, 10, 3, 5, 9, 4, 6, 8]);
    values.len() == 10 && values.last() == Some(&(sum % 11 % 10))
}

/// Russian OGRN of companies.
pub(super) fn ogrn(digits: &str) -> bool {
    let parts = digits
        .get(..12)
        .and_then(number)
        .zip(digits.get(12..).and_then(number));
    digits.len() == 13 && parts.is_some_and(|(head, check)| head % 11 % 10 == check)
}

/// Australian business number.
pub(super) fn abn(digits: &str) -> bool {
    let Some(mut values) = values(digits) else {
        return false;
    };
    match values.first_mut() {
        Some(first) if *first > 0 => *first -= 1,
        _ => return false,
    }
    values.len() == 11
        && weighted(&values, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]).is_multiple_of(89)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name, a check and numbers that it accepts.
    type Check = (&'static str, fn(&str) -> bool, &'static [&'static str]);

    /// Every check accepts a number that is published and refuses it with another last digit.
    #[test]
    fn check_digits_are_checked() {
        let checks: &[Check] = &[
            (
                "luhn",
                luhn,
                &["732829320", "73282932000074", "00743110157", "5560125790"],
            ),
            ("mod_11_10", mod_11_10, &["136695976", "33392005961"]),
            ("nip", nip, &["5260250274"]),
            ("regon", regon, &["192598184"]),
            ("nipc", nipc, &["501964843"]),
            ("cvr", cvr, &["13585628", "24256790"]),
            ("y_tunnus", y_tunnus, &["20774740", "01120389"]),
            (
                "organisasjonsnummer",
                organisasjonsnummer,
                &["988077917", "923609016"],
            ),
            ("ico", ico, &["25123891"]),
            ("adoszam", adoszam, &["12892312"]),
            ("cui", cui, &["18547290"]),
            ("kbo", kbo, &["0403019261"]),
            ("uid_at", uid_at, &["13585627"]),
            ("uid_ch", uid_ch, &["100155212"]),
            ("vat_gb", vat_gb, &["980780684"]),
            ("afm", afm, &["094259216"]),
            ("vat_lu", vat_lu, &["15027442"]),
            ("vat_si", vat_si, &["50223054"]),
            ("vat_sk", vat_sk, &["2022749619"]),
            ("nif", nif, &["A28015865", "54362315K", "X2482300W"]),
            ("cnpj", cnpj, &["16727230000197"]),
            ("inn", inn, &["7707083893"]),
            ("ogrn", ogrn, &["1027700132195"]),
            ("abn", abn, &["51824753556"]),
        ];
        for (name, check, numbers) in checks {
            for number in *numbers {
                assert!(check(number), "{name} {number}");
                let (head, last) = number.split_at(number.len() - 1);
                let other = if last == "5" { "6" } else { "5" };
                assert!(!check(&format!("{head}{other}")), "{name} {head}{other}");
            }
            for nonsense in ["", "x", "ü12345678", "99999999999999999999999"] {
                assert!(!check(nonsense) || nonsense.is_empty(), "{name} {nonsense}");
            }
        }
    }

    #[test]
    fn check_digits_with_letters_are_checked() {
        assert!(vat_fr("40", "303265045") && vat_fr("K7", "399859412"));
        assert!(!vat_fr("41", "303265045") && !vat_fr("40", "303265046"));
        assert!(vat_nl("004495445", "01") && vat_nl("002455799", "11"));
        assert!(!vat_nl("123456789", "90"));
        assert!(vat_ie("6433435", "F") && vat_ie("6433435", "OA"));
        assert!(!vat_ie("6433435", "E"));
    }
}
