//! The labels of a page, as `docs/accuracy.md` describes them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use super::field::{ADDRESS_SEPARATOR, Field};

/// The days by their letters in schema.org's short form.
const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

/// What a page may be used for, from which follows how far its figures can be trusted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// The extraction is tuned on it.
    #[default]
    Tuned,
    /// Opened to tuning after its first figures were published.
    Opened,
    /// Nobody tunes on it.
    Unseen,
}

impl Part {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Tuned, Self::Opened, Self::Unseen];

    /// Its name in the labels.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tuned => "tuned",
            Self::Opened => "opened",
            Self::Unseen => "unseen",
        }
    }
}

/// What a person says of a page. Each value is a list of alternatives.
pub(super) struct Labels {
    pub(super) url: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) language: String,
    pub(super) part: Part,
    pub(super) expected: BTreeMap<Field, Vec<Vec<String>>>,
    pub(super) neutral: BTreeMap<Field, Vec<Vec<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    url: String,
    headers: BTreeMap<String, String>,
    language: String,
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default)]
    part: Part,
    expect: BTreeMap<Field, Value>,
    #[serde(default)]
    neutral: BTreeMap<Field, Value>,
}

impl Labels {
    pub(super) fn parse(json: &[u8]) -> Result<Self> {
        let stated: Stated = serde_json::from_slice(json)?;
        let read = |fields: BTreeMap<Field, Value>| -> Result<BTreeMap<_, _>> {
            let read = |(field, value)| Ok((field, values_of(field, &value)?));
            fields.into_iter().map(read).collect()
        };
        Ok(Self {
            url: stated.url,
            headers: stated.headers,
            language: stated.language,
            part: stated.part,
            expected: read(stated.expect)?,
            neutral: read(stated.neutral)?,
        })
    }
}

fn values_of(field: Field, value: &Value) -> Result<Vec<Vec<String>>> {
    let one_each = |texts: Vec<String>| texts.into_iter().map(|text| vec![text]).collect();
    Ok(match (field, value) {
        (_, Value::Null) => Vec::new(),
        (Field::CompanyName, Value::Array(list)) if list.is_empty() => Vec::new(),
        (Field::CompanyName, _) => vec![texts_of(value)?],
        (Field::OpeningHours, _) => {
            let times = texts_of(value)?;
            one_each(times.iter().flat_map(|text| opening_times(text)).collect())
        }
        (Field::Addresses, Value::Array(list)) => {
            let texts = list.iter().map(|address| {
                let part = |name| address.get(name).and_then(Value::as_str);
                address_text(["street", "postal_code", "locality"].map(part))
            });
            one_each(texts.collect())
        }
        (Field::Social, Value::Object(networks)) => {
            let urls: Result<Vec<_>> = networks.values().map(texts_of).collect();
            one_each(urls?.concat())
        }
        _ => one_each(texts_of(value)?),
    })
}

fn texts_of(value: &Value) -> Result<Vec<String>> {
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(list) => {
            let texts = list.iter().map(|item| {
                let text = item.as_str().map(str::to_owned);
                text.with_context(|| format!("not a text: {item}"))
            });
            texts.collect()
        }
        _ => bail!("neither a text nor a list: {value}"),
    }
}

/// Street, postal code and locality as one value.
pub(super) fn address_text(parts: [Option<&str>; 3]) -> String {
    let separator = ADDRESS_SEPARATOR.to_string();
    parts.map(Option::unwrap_or_default).join(&separator)
}

/// `Mo-Tu 08:00-12:00,13:00-17:00` as four values, of a day and an interval each; what is
/// written in another way as the one value that it is.
pub(super) fn opening_times(text: &str) -> Vec<String> {
    expand(text).unwrap_or_else(|| vec![text.to_owned()])
}

fn expand(text: &str) -> Option<Vec<String>> {
    let (days, times) = text.split_once(' ')?;
    let mut values = Vec::new();
    for part in days.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first = DAYS.iter().position(|day| *day == first)?;
        let last = DAYS.iter().position(|day| *day == last)?;
        let following = last + if last < first { DAYS.len() } else { 0 };
        for day in (first..=following).filter_map(|day| DAYS.get(day % DAYS.len())) {
            for time in times.split(',') {
                values.push(format!("{day} {}", time.trim()));
            }
        }
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_hours_are_judged_by_day_and_interval() {
        for (text, expected) in [
            ("Mo 08:00-12:00", &["Mo 08:00-12:00"][..]),
            (
                "Su-Mo 8-9,10-11",
                &["Su 8-9", "Su 10-11", "Mo 8-9", "Mo 10-11"],
            ),
            ("Mo,We 8-9", &["Mo 8-9", "We 8-9"]),
            ("by appointment", &["by appointment"]),
        ] {
            assert_eq!(opening_times(text), expected);
        }
    }

    #[test]
    fn each_field_has_its_form() {
        let json = br#"{"url": "https://a.de/", "headers": {}, "language": "de", "kind": "home",
            "expect": {"title": null, "emails": [], "social": {"x": ["https://x.com/a", "https://x.com/b"]},
                "company_name": ["A GmbH", "A"], "addresses": [{"street": "Weg 1", "locality": "Ort"}]},
            "neutral": {"phones": ["+49301234"]}}"#;
        let labels = Labels::parse(json).unwrap();
        let expected = |field| labels.expected.get(&field).cloned();
        assert_eq!(expected(Field::Title), Some(vec![]));
        assert_eq!(expected(Field::Emails), Some(vec![]));
        assert_eq!(expected(Field::Phones), None);
        assert_eq!(
            expected(Field::Social),
            Some(vec![
                vec!["https://x.com/a".to_owned()],
                vec!["https://x.com/b".to_owned()]
            ])
        );
        assert_eq!(
            expected(Field::CompanyName),
            Some(vec![vec!["A GmbH".to_owned(), "A".to_owned()]])
        );
        assert_eq!(
            expected(Field::Addresses),
            Some(vec![vec!["Weg 1||Ort".to_owned()]])
        );
        assert_eq!(labels.neutral.len(), 1);
    }

    #[test]
    fn each_part_has_the_name_that_labels_use() {
        for part in Part::ALL {
            let name = serde_json::json!(part.name());
            assert_eq!(serde_json::from_value::<Part>(name).unwrap(), part);
        }
        let json = br#"{"url": "https://a.de/", "headers": {}, "language": "de", "kind": "home",
            "expect": {}}"#;
        assert_eq!(Labels::parse(json).unwrap().part, Part::Tuned);
    }

    #[test]
    fn a_misspelled_field_is_refused() {
        let json = br#"{"url": "https://a.de/", "headers": {}, "language": "de", "kind": "home",
            "expect": {"email": []}}"#;
        assert!(Labels::parse(json).is_err());
    }
}
