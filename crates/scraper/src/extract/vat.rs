//! VAT numbers: their forms by country, and their check digits where the rule is known.

use super::checksum as check;

/// Reads a number piece by piece.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a str);

impl<'a> Reader<'a> {
    /// So many digits and no more, however they are grouped.
    pub(super) fn digits(&mut self, count: usize) -> Option<String> {
        let mut digits = String::with_capacity(count);
        let mut signs = 0;
        let mut chars = self.0.chars();
        while digits.len() < count {
            let c = chars.next()?;
            if c.is_ascii_digit() {
                digits.push(c);
                signs = 0;
            } else if is_separator(c) && signs < 2 {
                signs += 1;
            } else {
                return None;
            }
        }
        self.0 = chars.as_str();
        (!self.0.starts_with(|c: char| c.is_ascii_digit())).then_some(digits)
    }

    /// So many letters or digits.
    pub(super) fn letters(&mut self, count: usize) -> Option<String> {
        let rest = self.0.trim_start_matches(is_separator);
        let (letters, rest) = rest.split_at_checked(count)?;
        let is_plain = letters
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        self.0 = rest;
        is_plain.then(|| letters.to_owned())
    }

    /// Only if the number ends here.
    pub(super) fn end(self) -> Option<()> {
        (!self.0.starts_with(char::is_alphanumeric)).then_some(())
    }

    pub(super) fn skip(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.trim_start_matches(is_separator).strip_prefix(text)?;
        Some(())
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '.' | '-' | '/' | '‑' | '–')
}

/// The VAT number at the beginning of a text, with its country and without separators.
pub(super) fn vat_number(text: &str) -> Option<String> {
    let (country, rest) = text.split_at_checked(2)?;
    // Most texts that are asked begin with a word.
    if !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut reader = Reader(rest);
    let checked = |reader: &mut Reader<'_>, count, check: fn(&str) -> bool| {
        reader.digits(count).filter(|digits| check(digits))
    };
    let body = match country {
        "AT" => {
            reader.skip("U")?;
            format!("U{}", checked(&mut reader, 8, check::uid_at)?)
        }
        "BE" => checked(&mut reader, 10, check::kbo)?,
        "BG" => first_of(&mut reader, &[9, 10])?,
        "CH" => return vat_ch(text),
        "CY" => format!("{}{}", reader.digits(8)?, reader.letters(1)?),
        "CZ" => {
            let ico = reader;
            checked(&mut reader, 8, check::ico).or_else(|| {
                reader = ico;
                first_of(&mut reader, &[9, 10])
            })?
        }
        "DE" => checked(&mut reader, 9, check::mod_11_10)?,
        "DK" => checked(&mut reader, 8, check::cvr)?,
        "EE" => reader.digits(9)?,
        "EL" | "GR" => {
            let digits = checked(&mut reader, 9, check::afm)?;
            reader.end()?;
            return Some(format!("EL{digits}"));
        }
        "ES" => nif(&mut reader)?,
        "FI" => checked(&mut reader, 8, check::y_tunnus)?,
        "FR" => {
            let key = reader.letters(2)?;
            let siren = reader.digits(9)?;
            check::vat_fr(&key, &siren).then(|| format!("{key}{siren}"))?
        }
        "GB" => {
            let start = reader;
            let branch = checked(&mut reader, 9, check::vat_gb);
            branch.or_else(|| {
                reader = start;
                let digits = reader.digits(12)?;
                digits.get(..9).filter(|nine| check::vat_gb(nine))?;
                Some(digits)
            })?
        }
        "HR" => checked(&mut reader, 11, check::mod_11_10)?,
        "HU" => checked(&mut reader, 8, check::adoszam)?,
        "IE" => {
            let digits = reader.digits(7)?;
            let letters = reader.0;
            let end = letters
                .find(|c: char| !c.is_ascii_uppercase())
                .unwrap_or(letters.len());
            let letters = reader.letters(end)?;
            let fits = (1..=2).contains(&end) && check::vat_ie(&digits, &letters);
            fits.then(|| format!("{digits}{letters}"))?
        }
        "IT" => checked(&mut reader, 11, check::luhn)?,
        "LT" => first_of(&mut reader, &[9, 12])?,
        "LU" => checked(&mut reader, 8, check::vat_lu)?,
        "LV" => reader.digits(11)?,
        "MT" => reader.digits(8)?,
        "NL" => {
            let digits = reader.digits(9)?;
            reader.skip("B")?;
            let suffix = reader.digits(2)?;
            check::vat_nl(&digits, &suffix).then(|| format!("{digits}B{suffix}"))?
        }
        "NO" => {
            let digits = checked(&mut reader, 9, check::organisasjonsnummer)?;
            reader.skip("MVA")?;
            format!("{digits}MVA")
        }
        "PL" => checked(&mut reader, 10, check::nip)?,
        "PT" => checked(&mut reader, 9, check::nipc)?,
        "RO" => {
            let digits = rest.trim_start_matches(is_separator);
            let end = digits
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(digits.len());
            let (digits, rest) = digits.split_at_checked(end)?;
            reader = Reader(rest);
            check::cui(digits).then(|| digits.to_owned())?
        }
        "SE" => {
            let digits = reader.digits(12)?;
            digits.get(..10).filter(|ten| check::luhn(ten))?;
            digits
        }
        "SI" => checked(&mut reader, 8, check::vat_si)?,
        "SK" => checked(&mut reader, 10, check::vat_sk)?,
        _ => return None,
    };
    reader.end()?;
    Some(format!("{country}{body}"))
}

/// `CHE-123.456.789 MWST`; without the word it is no VAT number.
fn vat_ch(text: &str) -> Option<String> {
    let (uid, rest) = uid_ch(text)?;
    let mut reader = Reader(rest);
    ["MWST", "MwSt", "TVA", "IVA", "VAT"]
        .into_iter()
        .find_map(|word| {
            reader
                .skip(word)
                .map(|()| format!("{uid} {}", word.to_uppercase()))
        })
}

/// The Swiss number of an enterprise at the beginning of a text, and what follows it.
pub(super) fn uid_ch(text: &str) -> Option<(String, &str)> {
    let mut reader = Reader(text.strip_prefix("CHE")?);
    let digits = reader.digits(9).filter(|digits| check::uid_ch(digits))?;
    let (first, rest) = digits.split_at_checked(3)?;
    let (second, third) = rest.split_at_checked(3)?;
    Some((format!("CHE-{first}.{second}.{third}"), reader.0))
}

/// Spanish: nine letters and digits.
pub(super) fn nif(reader: &mut Reader<'_>) -> Option<String> {
    let rest = reader.0.trim_start_matches(is_separator);
    let mut nif = String::new();
    let mut chars = rest.chars();
    while nif.len() < 9 {
        let c = chars.next()?;
        if c.is_ascii_digit() || c.is_ascii_uppercase() {
            nif.push(c);
        } else if !is_separator(c) {
            return None;
        }
    }
    reader.0 = chars.as_str();
    check::nif(&nif).then_some(nif)
}

fn first_of(reader: &mut Reader<'_>, counts: &[usize]) -> Option<String> {
    let start = *reader;
    counts.iter().find_map(|count| {
        *reader = start;
        reader.digits(*count)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn vat_numbers_are_read_in_their_usual_spellings() {
        for (text, expected) in [
            ("DE136695976", "DE136695976"),
            ("DE 136 695 976, Amtsgericht", "DE136695976"),
            ("ATU13585627", "ATU13585627"),
            ("ATU 13585627", "ATU13585627"),
            ("CHE-100.155.212 MWST", "CHE-100.155.212 MWST"),
            ("CHE 100155212 TVA", "CHE-100.155.212 TVA"),
            ("FR 40 303 265 045", "FR40303265045"),
            ("IT 00743110157", "IT00743110157"),
            ("ESA28015865", "ESA28015865"),
            ("ES-A-28015865", "ESA28015865"),
            ("NL004495445B01", "NL004495445B01"),
            ("NL 0044.95.445.B.01", "NL004495445B01"),
            ("BE 0403.019.261", "BE0403019261"),
            ("PL 526-025-02-74", "PL5260250274"),
            ("GB 980 7806 84", "GB980780684"),
            ("IE6433435OA", "IE6433435OA"),
            ("SE556012579001", "SE556012579001"),
            ("DK 13 58 56 28", "DK13585628"),
            ("FI20774740", "FI20774740"),
            ("NO 988 077 917 MVA", "NO988077917MVA"),
            ("PT501964843", "PT501964843"),
            ("RO18547290", "RO18547290"),
            ("CZ25123891", "CZ25123891"),
            ("EL 094259216", "EL094259216"),
            ("HU12892312", "HU12892312"),
        ] {
            assert_eq!(vat_number(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_vat_number_is_refused() {
        for text in [
            "DE136695977",
            "DE1366959761",
            "DE89 3704 0044 0532 0130 00",
            "ATU13585628",
            "CHE-100.155.212",
            "XX136695976",
            "NL004495445",
            "ES12345678",
            "DE",
            "",
            "üü123456789",
        ] {
            assert_eq!(vat_number(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(
            country in "[A-Z]{2}",
            rest in "(\\PC|[0-9]|[A-Z .-]){0,20}",
        ) {
            vat_number(&format!("{country}{rest}"));
            vat_number(&rest);
        }
    }
}
