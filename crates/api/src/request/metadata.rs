//! The submitter's own metadata: checked here, stored and answered as it was written.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use trawl_domain::limits::METADATA_BYTES_MAX;

use super::error::RequestError;

/// The key of metadata under which the status mirrors `domain_statuses`. Where a submitter uses it,
/// perhaps by sending back what a status said, the mirror stands in its place.
const MIRROR_KEY: &str = "domain_statuses";

/// Metadata that can be stored.
#[derive(Debug)]
pub(super) struct Metadata<'a> {
    /// As written.
    pub(super) text: &'a str,
    /// The same whatever its spacing and the order of its keys.
    pub(super) normalized: String,
}

impl<'a> Metadata<'a> {
    /// An empty object.
    pub(super) fn none() -> Self {
        Self {
            text: "{}",
            normalized: "{}".to_owned(),
        }
    }

    /// Checks that it is an object within the limit that every reader of JSON can read.
    ///
    /// # Errors
    /// [`RequestError`] naming the rule.
    pub(super) fn read(value: Option<&'a RawValue>) -> Result<Self, RequestError> {
        const FIELD: &str = "metadata";
        let Some(text) = value.map(RawValue::get) else {
            return Ok(Self::none());
        };
        if !text.starts_with('{') {
            return Err(RequestError::field(FIELD, "must be an object"));
        }
        if text.len() > METADATA_BYTES_MAX {
            return Err(RequestError::MetadataTooLarge { bytes: text.len() });
        }
        // The body was checked to be JSON, so what is left are the limits of readers.
        let value: Value = serde_json::from_str(text).map_err(|_unreadable| {
            RequestError::field(
                FIELD,
                "must not be nested more than 127 levels deep, nor hold unpaired surrogates or \
                 numbers beyond those of a double",
            )
        })?;
        Ok(Self {
            text,
            // The keys of a `Value` are sorted.
            normalized: value.to_string(),
        })
    }
}

/// The members of stored metadata but for the mirror's, each as it was written and followed by a
/// comma.
pub(crate) fn own_metadata(text: &str) -> String {
    serde_json::Deserializer::from_str(text)
        .deserialize_map(OwnMembers)
        // Only an object is stored, so this is the empty one.
        .unwrap_or_default()
}

struct OwnMembers;

impl<'de> Visitor<'de> for OwnMembers {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<String, A::Error> {
        let mut members = String::new();
        while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &RawValue>()? {
            if name != MIRROR_KEY {
                members.push_str(&Value::from(name).to_string());
                members.push(':');
                members.push_str(value.get());
                members.push(',');
            }
        }
        Ok(members)
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_members_come_back_as_written_and_the_mirror_makes_room() {
        for (stored, members) in [
            ("{}", ""),
            (
                r#"{"b": 1.50, "a\u00e9":[ 1 ]}"#,
                "\"b\":1.50,\"aé\":[ 1 ],",
            ),
            (r#"{"domain_statuses":{"x":1},"c":null}"#, "\"c\":null,"),
        ] {
            assert_eq!(own_metadata(stored), members);
        }
    }

    #[test]
    fn spelling_does_not_change_what_is_compared() {
        let normalized = |text: &str| {
            let value: &RawValue = serde_json::from_str(text).unwrap();
            Metadata::read(Some(value)).map(|metadata| metadata.normalized)
        };
        assert_eq!(
            normalized(r#"{"b":1, "a":"\u0061"}"#).unwrap(),
            normalized(r#"{ "a" : "a","b":1}"#).unwrap()
        );
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        for refused in [&deep, "[]", r#"{"a":"\ud800"}"#, r#"{"a":1e999}"#] {
            assert!(normalized(refused).is_err(), "{refused}");
        }
    }
}
