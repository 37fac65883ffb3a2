//! The options of a batch. Each does something; any other is refused by its name.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::value::RawValue;

use super::error::RequestError;
use super::fields::echo;

const DEADLINE: &str = "options.deadline_s";
/// A month: longer than any batch, and what has ended is kept no longer by default.
const DEADLINE_MAX_S: u64 = 30 * 24 * 3600;

/// The options of a batch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Options {
    /// Time from acceptance after which what has not ended fails.
    pub(super) deadline: Option<Duration>,
}

impl Options {
    /// Reads `options`; absent, null and an empty object ask for nothing.
    ///
    /// # Errors
    /// [`RequestError`] naming the option and the rule.
    pub(super) fn read(value: Option<&RawValue>) -> Result<Self, RequestError> {
        let Some(value) = value else {
            return Ok(Self::default());
        };
        let options: BTreeMap<String, Option<&RawValue>> = serde_json::from_str(value.get())
            .map_err(|_other_type| RequestError::field("options", "must be an object"))?;
        let mut read = Self::default();
        for (name, value) in options {
            match (name.as_str(), value) {
                ("deadline_s", None) => {}
                ("deadline_s", Some(value)) => read.deadline = Some(deadline(value)?),
                _ => return Err(RequestError::UnsupportedOption { name: echo(&name) }),
            }
        }
        Ok(read)
    }

    /// One line that is the same for every spelling of the same options.
    pub(super) fn normalized(self) -> String {
        self.deadline.map_or_else(String::new, |limit| {
            format!("deadline_s={}", limit.as_secs())
        })
    }
}

fn deadline(value: &RawValue) -> Result<Duration, RequestError> {
    value
        .get()
        .parse()
        .ok()
        .filter(|seconds| (1..=DEADLINE_MAX_S).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| {
            RequestError::field(
                DEADLINE,
                format!("must be a whole number of seconds from 1 to {DEADLINE_MAX_S}"),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Options, RequestError> {
        let raw: Box<RawValue> = serde_json::from_str(text).unwrap();
        Options::read(Some(&raw))
    }

    #[test]
    fn options_are_read_within_their_ranges_and_refused_by_name() {
        assert_eq!(read("{}").unwrap().deadline, None);
        assert_eq!(read(r#"{"deadline_s": null}"#).unwrap().deadline, None);
        let options = read(r#"{"deadline_s": 90}"#).unwrap();
        assert_eq!(options.deadline, Some(Duration::from_secs(90)));
        assert_eq!(options.normalized(), "deadline_s=90");
        for refused in [
            r#"{"deadline_s": 0}"#,
            r#"{"deadline_s": 2592001}"#,
            r#"{"deadline_s": "90"}"#,
            r#"{"deadline_s": 1.5}"#,
            r#"{"deadline": 90}"#,
            "[]",
            "7",
        ] {
            assert!(read(refused).is_err(), "{refused}");
        }
    }
}
