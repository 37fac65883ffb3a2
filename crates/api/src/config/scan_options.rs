//! The options of a scan as flags: those of a request, by the same rules.

use std::time::Duration;

use clap::Args;
use thiserror::Error;
use trawl_domain::crawl_options::{CrawlOptions, Formats, SitemapUse};
use trawl_domain::option_values::{self, OptionError};
use trawl_domain::path_globs::{PathGlobError, PathGlobs};

use super::refusal::Refusal;
use crate::request::Options;

/// What is asked of the crawl of a scan.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of the scan")]
pub struct ScanOptionArgs {
    /// Seconds after which the scan ends with what was fetched, and fails without a start page, 1 to
    /// 2592000; unset: none
    #[arg(long, value_name = "SECONDS", value_parser = option_values::deadline_s)]
    deadline_s: Option<u64>,
    /// Subdomains of the site's host belong to the site; its www. twin always does
    #[arg(long)]
    include_subdomains: bool,
    /// Glob of paths, such as /blog/**; only pages of a matching path are fetched, and the start
    /// page. May be repeated, up to 32 times; unset: all paths
    #[arg(long, value_name = "GLOB")]
    include_path: Vec<String>,
    /// Glob of paths of which no page is fetched, the start page apart. May be repeated, up to 32
    /// times; unset: none
    #[arg(long, value_name = "GLOB")]
    exclude_path: Vec<String>,
    /// Links from the start page at most, 0 to 100; 0 is the start page alone; unset: any number
    #[arg(long, value_name = "LINKS", value_parser = option_values::max_depth)]
    max_depth: Option<u32>,
    /// What sitemaps are for: include (they name further pages), skip (they are not asked for) or
    /// only (they alone name pages)
    #[arg(long, value_name = "USE", value_parser = option_values::sitemap,
          default_value = SitemapUse::Include.as_str())]
    sitemap: SitemapUse,
    /// URLs that differ in their query alone are one page, asked for without a query
    #[arg(long)]
    ignore_query: bool,
    /// Milliseconds between two fetches at least, where that is longer than the politeness delay, 0
    /// to 60000
    #[arg(long, value_name = "MILLISECONDS", value_parser = option_values::delay_ms,
          default_value = "0")]
    delay_ms: u64,
    /// Seconds after which no further page is fetched, 1 to 86400; unset: any number
    #[arg(long, value_name = "SECONDS", value_parser = option_values::max_duration_s)]
    max_duration_s: Option<u64>,
    /// Bytes of bodies, decoded, after which no further page is fetched, 1 to 10485760000; unset:
    /// any number
    #[arg(long, value_name = "BYTES", value_parser = option_values::max_bytes)]
    max_bytes: Option<u64>,
    /// Adds the pages to the result, each with its facts and what is named here, comma-separated:
    /// metadata (the facts alone), text, markdown, links; unset: no pages
    #[arg(long, value_name = "FORMATS", value_parser = formats)]
    formats: Option<Formats>,
}

/// Globs of a flag that cannot be used.
#[derive(Debug, Error)]
#[error("{flag} {rule}")]
pub(crate) struct GlobsError {
    flag: &'static str,
    rule: PathGlobError,
}

impl ScanOptionArgs {
    /// Whether the pages are part of the result.
    pub(crate) fn wants_pages(&self) -> bool {
        self.formats.is_some()
    }

    /// The options as a request would have them.
    ///
    /// # Errors
    /// [`GlobsError`] for a list of globs that cannot be used.
    pub(crate) fn to_options(&self) -> Result<Options, GlobsError> {
        let globs = |flag, globs: &[String]| {
            PathGlobs::new(globs.to_vec()).map_err(|rule| GlobsError { flag, rule })
        };
        Ok(Options {
            deadline: self.deadline_s.map(Duration::from_secs),
            crawl: CrawlOptions {
                include_subdomains: self.include_subdomains,
                include_paths: globs("--include-path", &self.include_path)?,
                exclude_paths: globs("--exclude-path", &self.exclude_path)?,
                max_depth: self.max_depth,
                sitemap: self.sitemap,
                ignore_query: self.ignore_query,
                delay_ms: self.delay_ms,
                max_duration_s: self.max_duration_s,
                max_bytes: self.max_bytes,
                formats: self.formats.unwrap_or_default(),
            },
        })
    }

    /// Checks what only all values of a flag together tell.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        match self.to_options() {
            Ok(_usable) => Ok(()),
            Err(error) => Err(Refusal::Invalid(error.to_string())),
        }
    }
}

fn formats(list: &str) -> Result<Formats, OptionError> {
    option_values::formats(list.split(',').map(str::trim))
}
