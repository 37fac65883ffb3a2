//! Readers of single values. Each error says what is allowed, in words that follow "is …: ".

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tracing_subscriber::EnvFilter;
use trawl_domain::lease::LeaseTerms;
use trawl_domain::limits::MaxPages;
use trawl_domain::site::{SiteAddress, SiteAddressError};

/// A value that a setting does not allow.
#[derive(Debug, Error)]
pub(super) enum ValueError {
    #[error("must be a whole number from {min} to {max}")]
    Number { min: u64, max: u64 },
    #[error(
        "must be a duration from {} to {}, such as 250ms, 20s or 5m",
        HumanDuration(*.min),
        HumanDuration(*.max)
    )]
    Duration { min: Duration, max: Duration },
    #[error("must be an IP address and a port, such as 127.0.0.1:8000 or [::1]:8000")]
    Address,
    #[error("must be a readable file ({0})")]
    File(std::io::ErrorKind),
    #[error("must be the path of a directory")]
    Directory,
    #[error("must be 1 to 256 visible ASCII characters that begin with a product name")]
    UserAgent,
    #[error("must be a filter such as info, or info,trawl_worker=debug")]
    Filter,
    #[error("{0}; a site is written as example.com, example.com:8080 or https://example.com/path")]
    Site(SiteAddressError),
}

/// A duration that is written as people write it: `250ms`, `20s`, `5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HumanDuration(pub Duration);

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

/// A filter of log lines in the syntax of `tracing-subscriber`, known to be readable.
#[derive(Debug, Clone)]
pub struct LogFilter(String);

impl LogFilter {
    /// The filter itself. Built anew each time, since it holds state of its subscriber.
    pub fn build(&self) -> EnvFilter {
        // The server's own lines say nothing that ours do not, unless somebody asks for them.
        EnvFilter::new(format!("actix_server=warn,{}", self.0))
    }
}

impl FromStr for LogFilter {
    type Err = LogFilterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match EnvFilter::try_new(text) {
            Ok(_readable) if !text.trim().is_empty() => Ok(Self(text.to_owned())),
            Ok(_) | Err(_) => Err(LogFilterError(ValueError::Filter)),
        }
    }
}

/// A filter that cannot be read.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct LogFilterError(ValueError);

/// Reads a whole number within a range.
pub(super) fn number<const MIN: u64, const MAX: u64>(text: &str) -> Result<usize, ValueError> {
    let value = text.trim().parse().ok();
    value
        .filter(|value| (MIN..=MAX).contains(value))
        .and_then(|value| usize::try_from(value).ok())
        .ok_or(ValueError::Number { min: MIN, max: MAX })
}

/// Reads a duration within a range in milliseconds.
pub(super) fn duration<const MIN_MS: u64, const MAX_MS: u64>(
    text: &str,
) -> Result<HumanDuration, ValueError> {
    let (min, max) = (Duration::from_millis(MIN_MS), Duration::from_millis(MAX_MS));
    humantime::parse_duration(text.trim())
        .ok()
        .filter(|value| (min..=max).contains(value))
        .map(HumanDuration)
        .ok_or(ValueError::Duration { min, max })
}

/// Reads the time-to-live of leases.
pub(super) fn lease(text: &str) -> Result<LeaseTerms, ValueError> {
    humantime::parse_duration(text.trim())
        .ok()
        .and_then(LeaseTerms::new)
        .ok_or(ValueError::Duration {
            min: LeaseTerms::TTL_MIN,
            max: LeaseTerms::TTL_MAX,
        })
}

/// Reads where to listen. Names are not looked up: which of their addresses would it be?
pub(super) fn address(text: &str) -> Result<std::net::SocketAddr, ValueError> {
    text.trim()
        .parse()
        .map_err(|_unreadable| ValueError::Address)
}

/// Reads the path of a directory, which need not exist.
pub(super) fn directory(text: &str) -> Result<PathBuf, ValueError> {
    if text.is_empty() {
        return Err(ValueError::Directory);
    }
    Ok(text.into())
}

/// Reads the identity of fetches, which must be a header value and name a product.
pub(super) fn user_agent(text: &str) -> Result<String, ValueError> {
    let is_visible = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let names_product = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if is_visible && names_product && (1..=256).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err(ValueError::UserAgent)
    }
}

/// Reads the site of a scan.
pub(super) fn site(text: &str) -> Result<SiteAddress, ValueError> {
    SiteAddress::parse(text).map_err(ValueError::Site)
}

/// Reads the page limit of a scan.
pub(super) fn max_pages(text: &str) -> Result<MaxPages, ValueError> {
    text.trim()
        .parse()
        .ok()
        .and_then(|pages| MaxPages::new(pages).ok())
        .ok_or(ValueError::Number {
            min: 1,
            max: 10_000,
        })
}

/// Root certificates in PEM form, read from a file.
#[derive(Debug, Clone)]
pub(super) struct CaFile(pub(super) Arc<[u8]>);

/// Reads a file of root certificates; whether it has any is checked with the URLs.
pub(super) fn ca_file(path: &str) -> Result<CaFile, ValueError> {
    std::fs::read(path)
        .map(|pem| CaFile(pem.into()))
        .map_err(|error| ValueError::File(error.kind()))
}
