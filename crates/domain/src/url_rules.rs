//! Which spelling of a page's URL counts, and which URLs belong to a site.
//!
//! Canonical form is idempotent and never changes which resource is meant under RFC 3986; the
//! one liberty taken is to drop parameters that only tell the server where a visitor came from, or
//! which visitor it is.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use thiserror::Error;
use url::Url;

use crate::site::without_www;

/// Longest canonical URL, in bytes. Chosen: search engines stop near 2,000 and so do most servers.
pub const PAGE_URL_MAX_BYTES: usize = 2048;

/// Query parameters that name a campaign or a click and never a resource.
const TRACKING_PARAMETERS: &[&str] = &[
    "__hsfp",
    "__hssc",
    "__hstc",
    "__s",
    "_branch_match_id",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "_kx",
    "_openstat",
    "dclid",
    "epik",
    "fb_action_ids",
    "fb_action_types",
    "fb_ref",
    "fb_source",
    "fbclid",
    "gad_campaignid",
    "gad_source",
    "gbraid",
    "gclid",
    "gclsrc",
    "hsctatracking",
    "igsh",
    "igshid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "mibextid",
    "mkt_tok",
    "ml_subscriber",
    "ml_subscriber_hash",
    "msclkid",
    "oly_anon_id",
    "oly_enc_id",
    "rb_clickid",
    "s_cid",
    "s_kwcid",
    "srsltid",
    "ttclid",
    "twclid",
    "vero_conv",
    "vero_id",
    "wbraid",
    "wickedid",
    "yclid",
    "ymclid",
    "ysclid",
];

/// Families of campaign parameters, of which new ones keep appearing: Urchin's, Matomo's, and those
/// of the piwik it was.
const TRACKING_PREFIXES: &[&str] = &["utm_", "mtm_", "pk_"];

/// Query parameters by which application servers without cookies tell visitors apart.
const SESSION_PARAMETERS: &[&str] = &[
    "aspsessionid",
    "cfid",
    "cftoken",
    "jsessionid",
    "oscsid",
    "phpsessid",
    "session_id",
    "sessionid",
    "xtcsid",
    "zenid",
];

/// Parameters that are a session only where their value looks like one.
const SESSION_PARAMETERS_IF_LONG: &[&str] = &["s", "sid"];

/// Least length of such a value, in bytes. Chosen: session ids are hashes of 128 bits or longer, 26
/// characters in PHP's shortest usual spelling.
const SESSION_VALUE_MIN_BYTES: usize = 26;

/// Hexadecimal digits of an escape, behind its `%` (RFC 3986, 2.1).
const ESCAPE_DIGITS: usize = 2;

/// The parameter of a path by which servlets do the same.
const SESSION_PATH_PARAMETER: &str = ";jsessionid=";

/// A URL that may be asked for a page, as somebody gave it: http or https, no fragment, no
/// credentials, bounded.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GivenUrl(Url);

/// The URL of a page: a [`GivenUrl`] in canonical form.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PageUrl(GivenUrl);

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

impl GivenUrl {
    /// Resolves the target of a redirect, to be asked for as the server gave it: a server that counts
    /// its visitors by a parameter sends who comes without it there again.
    ///
    /// # Errors
    ///
    /// See [`PageUrlError`].
    pub fn resolve(base: &Url, reference: &str) -> Result<Self, PageUrlError> {
        let url = base
            .join(reference)
            .map_err(|_invalid| PageUrlError::Invalid)?;
        Self::checked(url)
    }

    fn checked(mut url: Url) -> Result<Self, PageUrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(PageUrlError::UnsupportedScheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(PageUrlError::Credentials);
        }
        if url.fragment().is_some() {
            url.set_fragment(None);
        }
        if url.as_str().len() > PAGE_URL_MAX_BYTES * 3 {
            // Decoding shortens an escape from three bytes to one and no more.
            return Err(PageUrlError::TooLong);
        }
        drop_trailing_dot(&mut url)?;
        Ok(Self(url))
    }

    /// The URL by which the page is known.
    ///
    /// # Errors
    ///
    /// [`PageUrlError::TooLong`].
    pub fn into_canonical(self) -> Result<PageUrl, PageUrlError> {
        let Self(mut url) = self;
        // Most paths are normal, and to make them anew costs as much as to parse them did.
        if url.path().bytes().any(|byte| matches!(byte, b'%' | b';')) {
            let path = normal_escapes(url.path());
            let path = without_sessions(&path);
            if path != url.path() {
                url.set_path(&path);
            }
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
        Ok(PageUrl(Self(url)))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The parsed form.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// The politeness group of its host, as [`SiteAddress::host_key`] writes it.
    ///
    /// [`SiteAddress::host_key`]: crate::site::SiteAddress::host_key
    pub fn host_key(&self) -> &str {
        without_www(self.0.host_str().unwrap_or_default())
    }
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
        GivenUrl::resolve(base, reference)?.into_canonical()
    }

    /// Brings a parsed URL into canonical form.
    ///
    /// # Errors
    ///
    /// See [`PageUrlError`].
    pub fn from_url(url: Url) -> Result<Self, PageUrlError> {
        GivenUrl::checked(url)?.into_canonical()
    }

    /// The same URL without its query.
    #[must_use]
    pub fn without_query(mut self) -> Self {
        self.0.0.set_query(None);
        self
    }

    /// What two URLs of one page of a site share: all but the scheme and a leading `www.`.
    ///
    /// A site that serves different pages at those spellings is not known; one that serves the
    /// same pages at all four is the rule.
    pub fn visit_key(&self) -> String {
        let host = self.host_key();
        let url = self.as_url();
        let port = url
            .port()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        let path = url.path();
        match url.query() {
            Some(query) => format!("{host}{port}{path}?{query}"),
            None => format!("{host}{port}{path}"),
        }
    }
}

/// What is asked of a URL that was given may be asked of a canonical one.
impl Deref for PageUrl {
    type Target = GivenUrl;

    fn deref(&self) -> &GivenUrl {
        &self.0
    }
}

impl From<PageUrl> for GivenUrl {
    fn from(url: PageUrl) -> Self {
        url.0
    }
}

impl fmt::Display for GivenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for GivenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GivenUrl({self})")
    }
}

impl fmt::Debug for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageUrl({self})")
    }
}

/// The URLs that belong to a site: one host and its `www.` twin, at one port, over http or https;
/// where so asked, also the hosts below it.
///
/// The default ports of both schemes count as one, so a site may move from http to https.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteScope {
    host_key: String,
    port: Option<u16>,
    has_subdomains: bool,
}

impl SiteScope {
    /// The scope of the site that answers at `url`.
    pub fn of(url: &GivenUrl) -> Self {
        Self {
            host_key: url.host_key().to_owned(),
            port: url.0.port(),
            has_subdomains: false,
        }
    }

    /// The same site, with the hosts below its own or without them.
    #[must_use]
    pub fn with_subdomains(mut self, has_subdomains: bool) -> Self {
        self.has_subdomains = has_subdomains;
        self
    }

    /// Whether a URL belongs to the site.
    pub fn contains(&self, url: &GivenUrl) -> bool {
        let host = url.0.host_str().unwrap_or_default();
        url.0.port() == self.port
            && (without_www(host) == self.host_key || self.has_subdomains && self.is_above(host))
    }

    /// An address has no subdomains, whatever it ends in.
    fn is_above(&self, host: &str) -> bool {
        host.strip_suffix(&self.host_key)
            .is_some_and(|rest| rest.ends_with('.'))
            && host.parse::<std::net::Ipv4Addr>().is_err()
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
///
/// An escape that stands where a `%` of no escape wants its digits stays as it is: decoded, it would
/// become part of another escape, and what is written would name something else.
pub fn normal_escapes(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    // Where the digits would stand of the last `%` that has none.
    let mut wanted_at = None;
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        match escaped_byte(after) {
            Some(byte) => {
                let is_unreserved =
                    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
                let is_wanted = byte.is_ascii_hexdigit()
                    && wanted_at
                        .and_then(|at| normal.get(at..))
                        .is_some_and(is_begun_escape);
                if is_unreserved && !is_wanted {
                    normal.push(char::from(byte));
                } else {
                    normal.push_str(&format!("%{byte:02X}"));
                }
                rest = after.get(ESCAPE_DIGITS..).unwrap_or_default();
            }
            None => {
                normal.push('%');
                wanted_at = Some(normal.len());
                rest = after;
            }
        }
    }
    normal.push_str(rest);
    normal
}

/// Whether what stands behind a `%` would be an escape with one more digit, or with two.
fn is_begun_escape(after_percent: &str) -> bool {
    after_percent.len() < ESCAPE_DIGITS
        && after_percent.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn escaped_byte(after_percent: &str) -> Option<u8> {
    let digits = after_percent.get(..ESCAPE_DIGITS)?;
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
    let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
    let is_one_of = |list: &[&str]| list.iter().any(|known| name.eq_ignore_ascii_case(known));
    let has_prefix = |prefix: &&str| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    TRACKING_PREFIXES.iter().any(has_prefix)
        || is_one_of(TRACKING_PARAMETERS)
        || is_one_of(SESSION_PARAMETERS)
        || is_one_of(SESSION_PARAMETERS_IF_LONG)
            && value.len() >= SESSION_VALUE_MIN_BYTES
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A path without the sessions that a servlet appended to its segments.
fn without_sessions(path: &str) -> Cow<'_, str> {
    if session_at(path).is_none() {
        return Cow::Borrowed(path);
    }
    let segments = path.split('/').map(|segment| {
        let end = session_at(segment).unwrap_or(segment.len());
        segment.get(..end).unwrap_or(segment)
    });
    Cow::Owned(segments.collect::<Vec<_>>().join("/"))
}

fn session_at(path: &str) -> Option<usize> {
    let is_session = |rest: &str| {
        rest.get(..SESSION_PATH_PARAMETER.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(SESSION_PATH_PARAMETER))
    };
    path.match_indices(';')
        .map(|(at, _)| at)
        .find(|at| path.get(*at..).is_some_and(is_session))
}

#[cfg(test)]
mod tests;
