//! The fields of a JSON object, by name, each still as its text.
//!
//! Two steps instead of a derived reader, so that a wrong value is named by its field and told its
//! rule in our words, and so that nothing is copied from the body before it is checked.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::RequestError;

/// Longest client text that is repeated in an answer, in characters (chosen).
const ECHO_MAX_CHARS: usize = 256;

/// Client text short enough to be repeated in an answer.
pub(super) fn echo(text: &str) -> String {
    match text.char_indices().nth(ECHO_MAX_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The known fields of one object.
pub(super) struct Fields<'a> {
    values: Vec<(&'static str, &'a RawValue)>,
}

impl<'a> Fields<'a> {
    /// Reads an object that may have the `known` fields and no others.
    ///
    /// # Errors
    /// [`RequestError`] when the body is not JSON, is not an object, or has a field that is unknown
    /// or given twice.
    pub(super) fn read(
        body: &'a [u8],
        known: &'static [&'static str],
    ) -> Result<Self, RequestError> {
        let whole: &RawValue =
            serde_json::from_slice(body).map_err(|error| RequestError::InvalidJson {
                line: error.line(),
                column: error.column(),
            })?;
        let object = whole.get();
        if !object.trim_start().starts_with('{') {
            return Err(RequestError::NotAnObject);
        }
        let mut reader = serde_json::Deserializer::from_str(object);
        let found = reader
            .deserialize_map(KnownFields { known })
            .map_err(|error| RequestError::InvalidJson {
                line: error.line(),
                column: error.column(),
            })?;
        match found.refused {
            Some(refused) => Err(refused),
            None => Ok(Self {
                values: found.values,
            }),
        }
    }

    /// The text of a field; `None` where it is absent or null.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.values
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
            .filter(|value| value.get() != "null")
    }
}

struct Found<'a> {
    values: Vec<(&'static str, &'a RawValue)>,
    refused: Option<RequestError>,
}

struct KnownFields {
    known: &'static [&'static str],
}

impl<'de> Visitor<'de> for KnownFields {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Found {
            values: Vec::new(),
            refused: None,
        };
        while let Some(Name(name)) = map.next_key()? {
            let Some(known) = self.known.iter().find(|known| **known == name) else {
                map.next_value::<IgnoredAny>()?;
                found
                    .refused
                    .get_or_insert_with(|| RequestError::UnknownField {
                        field: echo(&name),
                        known: self.known,
                    });
                continue;
            };
            let value = map.next_value()?;
            if found.values.iter().any(|(taken, _)| taken == known) {
                found
                    .refused
                    .get_or_insert_with(|| RequestError::RepeatedField {
                        field: (*known).to_owned(),
                    });
            } else {
                found.values.push((known, value));
            }
        }
        Ok(found)
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
