//! The fields that are judged, and when two values of one are the same.

use serde::Deserialize;

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Field {
    Title,
    Description,
    Language,
    Emails,
    Phones,
    Social,
    CompanyName,
    Addresses,
    VatIds,
    RegistrationNumbers,
    OpeningHours,
    Technologies,
}

/// Between the parts of an address that is written as one value.
pub(super) const ADDRESS_SEPARATOR: char = '|';

impl Field {
    /// All of them, in the order of the labels.
    pub(crate) const ALL: [Self; 12] = [
        Self::Title,
        Self::Description,
        Self::Language,
        Self::Emails,
        Self::Phones,
        Self::Social,
        Self::CompanyName,
        Self::Addresses,
        Self::VatIds,
        Self::RegistrationNumbers,
        Self::OpeningHours,
        Self::Technologies,
    ];

    /// Its name in the labels.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Description => "description",
            Self::Language => "language",
            Self::Emails => "emails",
            Self::Phones => "phones",
            Self::Social => "social",
            Self::CompanyName => "company_name",
            Self::Addresses => "addresses",
            Self::VatIds => "vat_ids",
            Self::RegistrationNumbers => "registration_numbers",
            Self::OpeningHours => "opening_hours",
            Self::Technologies => "technologies",
        }
    }

    /// Whether what was found is what a label says.
    pub(super) fn is_same(self, label: &str, found: &str) -> bool {
        match self {
            Self::Title | Self::Description => words(label).eq(words(found)),
            Self::Language => is_same_language(label, found),
            Self::Emails | Self::Technologies => label.to_lowercase() == found.to_lowercase(),
            Self::Phones | Self::OpeningHours => label == found,
            Self::Social => profile(label) == profile(found),
            Self::CompanyName => letters(label) == letters(found),
            Self::Addresses => is_same_address(label, found),
            Self::VatIds => vat_number(label) == vat_number(found),
            Self::RegistrationNumbers => letters(found).ends_with(&letters(label)),
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

/// Letters and digits, in lower case.
fn letters(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

fn is_same_language(label: &str, found: &str) -> bool {
    let (label, found) = (label.to_lowercase(), found.to_lowercase());
    if label.contains('-') {
        return label == found;
    }
    found.split('-').next() == Some(label.as_str())
}

fn profile(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or(url).to_lowercase();
    let host_on = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let host_on = host_on.strip_prefix("www.").unwrap_or(host_on);
    host_on.trim_end_matches('/').to_owned()
}

/// A part that the label leaves out may be anything.
fn is_same_address(label: &str, found: &str) -> bool {
    let mut found = found.split(ADDRESS_SEPARATOR);
    label.split(ADDRESS_SEPARATOR).all(|part| {
        let (part, found) = (letters(part), letters(found.next().unwrap_or_default()));
        part.is_empty() || part == found
    })
}

fn vat_number(text: &str) -> String {
    let text = letters(text);
    let suffixes = ["mwst", "tva", "iva"];
    let is_swiss = text.starts_with("che");
    let bare = suffixes.iter().find_map(|suffix| text.strip_suffix(suffix));
    bare.filter(|_| is_swiss).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::Field;

    #[test]
    fn each_field_has_the_name_that_labels_use() {
        for field in Field::ALL {
            let name = serde_json::json!(field.name());
            assert_eq!(serde_json::from_value::<Field>(name).unwrap(), field);
        }
    }

    #[test]
    fn values_are_the_same_but_for_how_they_are_written() {
        for (field, label, found, expected) in [
            (Field::Title, "A  b", "A b", true),
            (Field::Title, "A b", "a b", false),
            (Field::Language, "pt-BR", "pt-br", true),
            (Field::Language, "pt-BR", "pt", false),
            (Field::Language, "de", "de-AT", true),
            (Field::Emails, "a@b.de", "A@b.de", true),
            (Field::Phones, "+4930123", "+4930124", false),
            (
                Field::Social,
                "https://www.x.com/A",
                "http://x.com/a/?l=1",
                true,
            ),
            (Field::Social, "https://x.com/a", "https://x.com/b", false),
            (Field::CompanyName, "A & B GmbH", "A&B  GmbH", true),
            (Field::Addresses, "Weg 1|123 45|", "weg 1|12345|Ort", true),
            (Field::Addresses, "Weg 1|123 45|", "weg 11|12345|Ort", false),
            (Field::VatIds, "CHE112233445", "CHE-112.233.445 MWST", true),
            (Field::RegistrationNumbers, "HRB 12", "Köln HRB12", true),
            (Field::RegistrationNumbers, "HRB 12", "HRB 123", false),
            (Field::Technologies, "nginx", "Nginx", true),
        ] {
            assert_eq!(field.is_same(label, found), expected, "{label} {found}");
        }
    }
}
