//! What a client asks of the crawl of each site of a batch.
//!
//! The words and shapes are those of the API. As JSON, what is at its default is left out, so that
//! the same wishes always have the same text.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::path_globs::PathGlobs;

/// Largest [`CrawlOptions::max_depth`].
pub const MAX_DEPTH_MAX: u32 = 100;

/// Largest [`CrawlOptions::delay_ms`]: a minute. Robots.txt may ask for half of it.
pub const DELAY_MS_MAX: u64 = 60_000;

/// Largest [`CrawlOptions::max_duration_s`]: a day.
pub const MAX_DURATION_S_MAX: u64 = 24 * 3600;

/// Largest [`CrawlOptions::max_bytes`]: 10,000 pages of one MiB.
pub const MAX_BYTES_MAX: u64 = 10_000 * 1024 * 1024;

/// The options of a crawl. The default asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrawlOptions {
    /// Whether subdomains of the site's host belong to the site.
    #[serde(skip_serializing_if = "is_default")]
    pub include_subdomains: bool,
    /// Where not empty, only pages of a matching path are fetched; the start page always is.
    #[serde(skip_serializing_if = "is_default")]
    pub include_paths: PathGlobs,
    /// Pages of a matching path are not fetched; the start page always is.
    #[serde(skip_serializing_if = "is_default")]
    pub exclude_paths: PathGlobs,
    /// Links from the start page at most; 0 is the start page alone. At most [`MAX_DEPTH_MAX`].
    #[serde(skip_serializing_if = "is_default")]
    pub max_depth: Option<u32>,
    /// What sitemaps are for.
    #[serde(skip_serializing_if = "is_default")]
    pub sitemap: SitemapUse,
    /// Whether URLs that differ in their query alone are one page, asked for without a query.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_query: bool,
    /// Least time between two fetches, in milliseconds, where it is longer than the operator's
    /// own. At most [`DELAY_MS_MAX`].
    #[serde(skip_serializing_if = "is_default")]
    pub delay_ms: u64,
    /// Seconds after which no further page is fetched. From 1 to [`MAX_DURATION_S_MAX`].
    #[serde(skip_serializing_if = "is_default")]
    pub max_duration_s: Option<u64>,
    /// Bytes of bodies, decoded, after which no further page is fetched. From 1 to
    /// [`MAX_BYTES_MAX`].
    #[serde(skip_serializing_if = "is_default")]
    pub max_bytes: Option<u64>,
    /// What is kept of each page beside its facts.
    #[serde(skip_serializing_if = "is_default")]
    pub formats: Formats,
}

impl CrawlOptions {
    /// [`Self::delay_ms`] as a duration.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }

    /// [`Self::max_duration_s`] as a duration.
    pub fn max_duration(&self) -> Option<Duration> {
        self.max_duration_s.map(Duration::from_secs)
    }
}

/// What sitemaps are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SitemapUse {
    /// They name further pages where links do not fill the budget.
    #[default]
    Include,
    /// They are not asked for.
    Skip,
    /// They alone name pages: no link is followed.
    Only,
}

impl SitemapUse {
    /// Every use.
    pub const ALL: [Self; 3] = [Self::Include, Self::Skip, Self::Only];

    /// The word in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Include => "include",
            Self::Skip => "skip",
            Self::Only => "only",
        }
    }
}

/// What is kept of each page; its facts, the format `metadata`, always are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Formats {
    /// The main content as plain text.
    #[serde(skip_serializing_if = "is_default")]
    pub text: bool,
    /// The main content as Markdown.
    #[serde(skip_serializing_if = "is_default")]
    pub markdown: bool,
    /// All links, with their texts.
    #[serde(skip_serializing_if = "is_default")]
    pub links: bool,
}

impl Formats {
    /// The words in requests.
    pub const WORDS: [&'static str; 4] = ["metadata", "text", "markdown", "links"];

    /// Adds the format of a word; `false` where the word names none.
    pub fn add(&mut self, word: &str) -> bool {
        match word {
            "metadata" => {}
            "text" => self.text = true,
            "markdown" => self.markdown = true,
            "links" => self.links = true,
            _ => return false,
        }
        true
    }

    /// The words of the formats beside `metadata`.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        [
            ("text", self.text),
            ("markdown", self.markdown),
            ("links", self.links),
        ]
        .into_iter()
        .filter_map(|(word, wanted)| wanted.then_some(word))
    }

    /// Formats beside `metadata`.
    pub fn count(self) -> usize {
        self.words().count()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_back_from_their_text_and_defaults_take_none() {
        let json = |options: &CrawlOptions| serde_json::to_string(options).unwrap();
        assert_eq!(json(&CrawlOptions::default()), "{}");
        let mut formats = Formats::default();
        assert!(Formats::WORDS.iter().all(|word| formats.add(word)));
        assert!(!formats.add("html"));
        assert_eq!(formats.words().collect::<Vec<_>>(), Formats::WORDS[1..]);
        assert_eq!(formats.count(), 3);
        let all = CrawlOptions {
            include_subdomains: true,
            include_paths: PathGlobs::new(vec!["/a/**".to_owned()]).unwrap(),
            exclude_paths: PathGlobs::new(vec!["/a/b".to_owned()]).unwrap(),
            max_depth: Some(0),
            sitemap: SitemapUse::Only,
            ignore_query: true,
            delay_ms: 1500,
            max_duration_s: Some(60),
            max_bytes: Some(1),
            formats,
        };
        let text = json(&all);
        assert_eq!(serde_json::from_str::<CrawlOptions>(&text).unwrap(), all);
        assert!(
            text.contains(r#""sitemap":"only""#) && text.contains(r#"["/a/**"]"#),
            "{text}"
        );
        assert!(serde_json::from_str::<CrawlOptions>(r#"{"depth":1}"#).is_err());
        for word in SitemapUse::ALL {
            assert_eq!(
                serde_json::to_string(&word).unwrap(),
                format!("{:?}", word.as_str())
            );
        }
    }
}
