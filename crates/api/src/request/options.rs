//! The options of a batch or a scan. Each does something; any other is refused by its name.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use trawl_domain::crawl_options::{CrawlOptions, Formats};
use trawl_domain::option_values::{self, OptionError};
use trawl_domain::path_globs::PathGlobs;

use super::error::RequestError;
use super::fields::Fields;

/// The options of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Time from acceptance after which what has not ended fails.
    pub(crate) deadline: Option<Duration>,
    /// What is asked of each crawl.
    pub(crate) crawl: CrawlOptions,
}

impl Options {
    /// Every name, in the order of the documentation.
    pub(crate) const NAMES: &'static [&'static str] = &[
        "deadline_s",
        "include_subdomains",
        "include_paths",
        "exclude_paths",
        "max_depth",
        "sitemap",
        "ignore_query",
        "delay_ms",
        "max_duration_s",
        "max_bytes",
        "formats",
    ];

    /// Reads `options`; absent, null and an empty object ask for nothing.
    ///
    /// # Errors
    /// [`RequestError`] naming the option and the rule.
    pub(super) fn read(value: Option<&RawValue>) -> Result<Self, RequestError> {
        let Some(value) = value else {
            return Ok(Self::default());
        };
        let options = Fields::read(value.get().as_bytes(), Self::NAMES).map_err(of_options)?;
        let mut read = Self::default();
        for name in Self::NAMES {
            if let Some(value) = options.get(name) {
                read.set(name, value)
                    .map_err(|rule| RequestError::field(format!("options.{name}"), rule))?;
            }
        }
        Ok(read)
    }

    /// Takes one option; the error is the rule that its value breaks.
    fn set(&mut self, name: &str, value: &RawValue) -> Result<(), String> {
        let crawl = &mut self.crawl;
        let text = value.get();
        match name {
            "deadline_s" => {
                let seconds = option_values::deadline_s(text).map_err(rule)?;
                self.deadline = Some(Duration::from_secs(seconds));
            }
            "include_subdomains" => crawl.include_subdomains = flag(value)?,
            "include_paths" => crawl.include_paths = globs(value)?,
            "exclude_paths" => crawl.exclude_paths = globs(value)?,
            "max_depth" => crawl.max_depth = Some(option_values::max_depth(text).map_err(rule)?),
            "sitemap" => {
                // What is no text is no word either.
                let word: Option<String> = serde_json::from_str(text).ok();
                let word = word.unwrap_or_default();
                crawl.sitemap = option_values::sitemap(&word).map_err(rule)?;
            }
            "ignore_query" => crawl.ignore_query = flag(value)?,
            "delay_ms" => crawl.delay_ms = option_values::delay_ms(text).map_err(rule)?,
            "max_duration_s" => {
                crawl.max_duration_s = Some(option_values::max_duration_s(text).map_err(rule)?);
            }
            "max_bytes" => crawl.max_bytes = Some(option_values::max_bytes(text).map_err(rule)?),
            "formats" => crawl.formats = formats(value)?,
            _ => {}
        }
        Ok(())
    }

    /// One line that is the same for every spelling of the same options, and empty for none.
    pub(super) fn normalized(&self) -> String {
        let deadline = self
            .deadline
            .map(|limit| format!("deadline_s={}", limit.as_secs()));
        let crawl = (self.crawl != CrawlOptions::default()).then(|| self.crawl_json());
        [deadline, crawl]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// What is asked of each crawl, as JSON text.
    pub(super) fn crawl_json(&self) -> String {
        // Numbers, words and texts alone: nothing in it can fail to be written.
        serde_json::to_string(&self.crawl).unwrap_or_else(|_never| "{}".to_owned())
    }
}

/// What the fields of a body may be refused for, said of its options.
fn of_options(error: RequestError) -> RequestError {
    match error {
        RequestError::NotAnObject => RequestError::field("options", "must be an object"),
        RequestError::UnknownField { field, .. } => RequestError::UnsupportedOption { name: field },
        RequestError::RepeatedField { field } => RequestError::RepeatedField {
            field: format!("options.{field}"),
        },
        other => other,
    }
}

fn parse<T: DeserializeOwned>(value: &RawValue, rule: &str) -> Result<T, String> {
    serde_json::from_str(value.get()).map_err(|_other_type| rule.to_owned())
}

fn flag(value: &RawValue) -> Result<bool, String> {
    parse(value, "must be true or false")
}

fn globs(value: &RawValue) -> Result<PathGlobs, String> {
    let list = parse(value, "must be a list of patterns such as \"/blog/**\"")?;
    PathGlobs::new(list).map_err(|error| error.to_string())
}

fn formats(value: &RawValue) -> Result<Formats, String> {
    let words: Vec<String> = parse(value, &OptionError::Formats.to_string())?;
    option_values::formats(words.iter().map(String::as_str)).map_err(rule)
}

fn rule(error: OptionError) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use trawl_domain::crawl_options::SitemapUse;

    use super::*;

    fn read(text: &str) -> Result<Options, RequestError> {
        let raw: Box<RawValue> = serde_json::from_str(text).unwrap();
        Options::read(Some(&raw))
    }

    const EVERY: &str = r#"{"deadline_s": 90, "include_subdomains": true,
        "include_paths": ["/blog/**"], "exclude_paths": ["/blog/tag/*"], "max_depth": 0,
        "sitemap": "only", "ignore_query": true, "delay_ms": 1000, "max_duration_s": 60,
        "max_bytes": 1000000, "formats": ["metadata", "markdown"]}"#;

    #[test]
    fn every_option_is_read_and_is_stored_as_the_crawl_will_read_it() {
        let options = read(EVERY).unwrap();
        assert_eq!(options.deadline, Some(Duration::from_secs(90)));
        let crawl = &options.crawl;
        assert!(crawl.include_subdomains && crawl.ignore_query);
        assert!(crawl.include_paths.matches("/blog/a/b"));
        assert!(crawl.exclude_paths.matches("/blog/tag/a"));
        assert_eq!(crawl.max_depth, Some(0));
        assert_eq!(crawl.sitemap, SitemapUse::Only);
        assert_eq!(crawl.delay(), Duration::from_secs(1));
        assert_eq!(crawl.max_duration(), Some(Duration::from_secs(60)));
        assert_eq!(crawl.max_bytes, Some(1_000_000));
        assert!(crawl.formats.markdown && !crawl.formats.text && !crawl.formats.links);
        let stored: CrawlOptions = serde_json::from_str(&options.crawl_json()).unwrap();
        assert_eq!(stored, options.crawl);
        let named: BTreeMap<String, serde_json::Value> = serde_json::from_str(EVERY).unwrap();
        let known = Options::NAMES.iter().map(|name| (*name).to_owned());
        assert_eq!(named.into_keys().collect::<Vec<_>>(), {
            let mut known: Vec<_> = known.collect();
            known.sort();
            known
        });
    }

    #[test]
    fn the_same_options_have_one_line_and_none_have_an_empty_one() {
        for none in [
            "{}",
            r#"{"deadline_s": null, "sitemap": null, "include_paths": []}"#,
            r#"{"sitemap": "include", "delay_ms": 0, "formats": ["metadata"]}"#,
        ] {
            assert_eq!(read(none).unwrap().normalized(), "", "{none}");
        }
        let line = |text| read(text).unwrap().normalized();
        assert_eq!(line(r#"{"deadline_s": 90}"#), "deadline_s=90");
        assert_eq!(
            line(r#"{"max_depth": 2, "deadline_s": 90}"#),
            line(r#"{ "deadline_s":90,"max_depth":2, "sitemap": "include" }"#),
        );
        assert_ne!(line(r#"{"max_depth": 2}"#), line(r#"{"max_depth": 3}"#));
    }

    #[test]
    fn values_out_of_their_range_are_refused_by_name() {
        for (name, value) in [
            ("deadline_s", "0"),
            ("deadline_s", "2592001"),
            ("deadline_s", r#""90""#),
            ("deadline_s", "1.5"),
            ("include_subdomains", "1"),
            ("include_paths", r#""/blog""#),
            ("include_paths", r#"["blog"]"#),
            ("exclude_paths", r#"["/["]"#),
            ("exclude_paths", "[7]"),
            ("max_depth", "101"),
            ("max_depth", "-1"),
            ("sitemap", r#""never""#),
            ("sitemap", "true"),
            ("ignore_query", r#""yes""#),
            ("delay_ms", "60001"),
            ("max_duration_s", "0"),
            ("max_duration_s", "86401"),
            ("max_bytes", "0"),
            ("max_bytes", "10485760001"),
            ("formats", r#"["html"]"#),
            ("formats", r#""text""#),
        ] {
            let refused = read(&format!(r#"{{"{name}": {value}}}"#)).unwrap_err();
            assert!(
                matches!(&refused, RequestError::InvalidField { field, .. }
                    if *field == format!("options.{name}")),
                "{name} {value}: {refused:?}"
            );
        }
    }

    #[test]
    fn what_is_no_option_is_refused() {
        assert!(matches!(
            read(r#"{"deadline": 90}"#),
            Err(RequestError::UnsupportedOption { name }) if name == "deadline"
        ));
        for other in ["[]", "7"] {
            assert!(
                matches!(read(other), Err(RequestError::InvalidField { field, .. }) if field == "options"),
                "{other}"
            );
        }
        assert!(matches!(
            read(r#"{"max_depth": 1, "max_depth": 2}"#),
            Err(RequestError::RepeatedField { field }) if field == "options.max_depth"
        ));
    }
}
