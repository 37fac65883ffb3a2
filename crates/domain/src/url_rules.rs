//! Which spelling of a page's URL counts, and which URLs belong to a site.
//!
//! Canonical form is idempotent and never changes which resource is meant under RFC 3986; the
//! one liberty taken is to drop parameters that only tell the server where a visitor came from.

use std::fmt;

use thiserror::Error;
use url::Url;

use crate::site::without_www;

/// Longest canonical URL, in bytes. Chosen: search engines stop near 2,000 and so do most servers.
pub const PAGE_URL_MAX_BYTES: usize = 2048;

/// Query parameters that name a campaign or a click and never a resource.
const TRACKING_PARAMETERS: &[&str] = &[
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "dclid",
    "fbclid",
    "gbraid",
    "gclid",
    "gclsrc",
    "igshid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "msclkid",
    "oly_anon_id",
    "oly_enc_id",
    "srsltid",
    "ttclid",
    "twclid",
    "vero_id",
    "wbraid",
    "wickedid",
    "yclid",
];

/// The family of campaign parameters introduced by Urchin, of which new ones keep appearing.
const TRACKING_PREFIX: &str = "utm_";

/// The URL of a page in canonical form: http or https, no fragment, no credentials, bounded.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PageUrl(Url);

/// Why a reference is not the URL of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PageUrlError {
    /// Not a URL at all.
    #[error("is not a valid URL")]
    Invalid,
    /// `mailto:`, `javascript:`, `ftp:` and the like.
    #[error("has a scheme other than http and https")]
    UnsupportedScheme,
    /// A user name or a password, which must be neither stored nor sent.
    #[error("carries credentials")]
    Credentials,
    /// Longer than [`PAGE_URL_MAX_BYTES`] in canonical form.
    #[error("is longer than {PAGE_URL_MAX_BYTES} bytes")]
    TooLong,
}

impl PageUrl {
    /// Parses an absolute URL and brings it into canonical form.
    ///
    /// # Errors
    ///
    /// See [`PageUrlError`].
    pub fn parse(text: &str) -> Result<Self, PageUrlError> {
        Self::from_url(Url::parse(text).map_err(|_invalid| PageUrlError::Invalid)?)
    }

    /// Resolves a reference against a base, which may carry a fragment or come from `<base>`.
    ///
    /// # Errors
    ///
    /// See [`PageUrlError`].
    pub fn resolve(base: &Url, reference: &str) -> Result<Self, PageUrlError> {
        Self::from_url(
            base.join(reference)
                .map_err(|_invalid| PageUrlError::Invalid)?,
        )
    }

    /// Brings a parsed URL into canonical form.
    ///
    /// # Errors
    ///
    /// See [`PageUrlError`].
    pub fn from_url(mut url: Url) -> Result<Self, PageUrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(PageUrlError::UnsupportedScheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(PageUrlError::Credentials);
        }
        url.set_fragment(None);
        if url.as_str().len() > PAGE_URL_MAX_BYTES * 3 {
            // Decoding shortens an escape from three bytes to one and no more.
            return Err(PageUrlError::TooLong);
        }
        drop_trailing_dot(&mut url)?;
        let path = normal_escapes(url.path());
        if path != url.path() {
            url.set_path(&path);
        }
        if let Some(query) = url.query() {
            let kept = normal_query(query);
            if kept.as_deref() != Some(query) {
                url.set_query(kept.as_deref());
            }
        }
        if url.as_str().len() > PAGE_URL_MAX_BYTES {
            return Err(PageUrlError::TooLong);
        }
        Ok(Self(url))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The parsed form.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// What two URLs of one page of a site share: all but the scheme and a leading `www.`.
    ///
    /// A site that serves different pages at those spellings is not known; one that serves the
    /// same pages at all four is the rule.
    pub fn visit_key(&self) -> String {
        let host = without_www(self.0.host_str().unwrap_or_default());
        let port = self
            .0
            .port()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        let path = self.0.path();
        match self.0.query() {
            Some(query) => format!("{host}{port}{path}?{query}"),
            None => format!("{host}{port}{path}"),
        }
    }
}

impl fmt::Display for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageUrl({})", self.0)
    }
}

/// The URLs that belong to a site: one host and its `www.` twin, at one port, over http or https.
///
/// The default ports of both schemes count as one, so a site may move from http to https.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteScope {
    host_key: String,
    port: Option<u16>,
}

impl SiteScope {
    /// The scope of the site that answers at `url`.
    pub fn of(url: &PageUrl) -> Self {
        let host = url.0.host_str().unwrap_or_default();
        Self {
            host_key: without_www(host).to_owned(),
            port: url.0.port(),
        }
    }

    /// Whether a URL belongs to the site.
    pub fn contains(&self, url: &PageUrl) -> bool {
        url.0.port() == self.port
            && url
                .0
                .host_str()
                .is_some_and(|host| without_www(host) == self.host_key)
    }
}

/// `example.com.` and `example.com` are one host, of which certificates know only the latter.
fn drop_trailing_dot(url: &mut Url) -> Result<(), PageUrlError> {
    let Some(host) = url.host_str().and_then(|host| host.strip_suffix('.')) else {
        return Ok(());
    };
    let host = host.to_owned();
    if host.is_empty() || host.ends_with('.') {
        return Err(PageUrlError::Invalid);
    }
    url.set_host(Some(&host))
        .map_err(|_invalid| PageUrlError::Invalid)
}

/// Decodes the escapes of unreserved characters and writes the others in upper case, as
/// RFC 3986, 6.2.2.1 and 6.2.2.2 ask for.
pub fn normal_escapes(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        match escaped_byte(after) {
            Some(byte) => {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                    normal.push(char::from(byte));
                } else {
                    normal.push_str(&format!("%{byte:02X}"));
                }
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                normal.push('%');
                rest = after;
            }
        }
    }
    normal.push_str(rest);
    normal
}

fn escaped_byte(after_percent: &str) -> Option<u8> {
    let digits = after_percent.get(..2)?;
    if digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        u8::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}

/// The query without tracking parameters and empty pieces; `None` where nothing is left.
fn normal_query(query: &str) -> Option<String> {
    let normal = normal_escapes(query);
    let kept: Vec<&str> = normal
        .split('&')
        .filter(|piece| !piece.is_empty() && !is_tracking(piece))
        .collect();
    if kept.is_empty() {
        None
    } else {
        Some(kept.join("&"))
    }
}

fn is_tracking(piece: &str) -> bool {
    let name = piece.split('=').next().unwrap_or_default();
    let has_prefix = name
        .get(..TRACKING_PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(TRACKING_PREFIX));
    has_prefix
        || TRACKING_PARAMETERS
            .iter()
            .any(|tracking| name.eq_ignore_ascii_case(tracking))
}

#[cfg(test)]
mod tests;
