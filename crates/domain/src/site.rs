//! What a client calls a site: the spellings that are accepted and the one form they become.
//!
//! Two spellings of one site always give the same [`SiteAddress::key`], whatever their case,
//! script, default port or trailing dot. Nothing here looks a name up or judges an address:
//! that is the business of [`crate::network`].

use std::fmt;

use thiserror::Error;
use url::{Host, Url};

/// Longest accepted input, in bytes: the bound that page URLs have as well.
pub const SITE_ADDRESS_MAX_BYTES: usize = 2048;

/// Longest host name, in bytes without the trailing dot (RFC 1035, 2.3.4).
const HOST_MAX_BYTES: usize = 253;

/// Longest label of a host name, in bytes (RFC 1035, 2.3.4).
const LABEL_MAX_BYTES: usize = 63;

/// A site as it is stored, compared and crawled.
///
/// Accepted are `example.com`, `example.com:8080`, `https://example.com/path`, addresses and
/// internationalized names, each with or without a trailing dot, in any case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SiteAddress {
    scheme: Option<Scheme>,
    key: String,
    host_length: usize,
    /// Path and query, beginning with `/`; the fragment is never kept.
    target: String,
}

/// Why an input is not the address of a site. Each displays as a fragment that follows a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SiteAddressError {
    /// Nothing but white space.
    #[error("is empty")]
    Empty,
    /// Longer than [`SITE_ADDRESS_MAX_BYTES`].
    #[error("is longer than {SITE_ADDRESS_MAX_BYTES} bytes")]
    TooLong,
    /// A control character, which a URL parser would silently remove.
    #[error("contains a control character")]
    ControlCharacter,
    /// A scheme that is neither http nor https.
    #[error("has a scheme other than http and https")]
    UnsupportedScheme,
    /// User information before the host: an e-mail address, or credentials that must not be stored.
    #[error("contains an @, so it is an e-mail address or carries credentials")]
    Credentials,
    /// A port that is not a number from 1 to 65535.
    #[error("has an invalid port")]
    InvalidPort,
    /// A host that no URL can have.
    #[error("is not a valid host name")]
    InvalidHost,
    /// A single label, such as `example`; `localhost` is the exception.
    #[error("has no dot, so it is not a full domain name")]
    SingleLabel,
    /// A host or a label beyond the limits of the DNS.
    #[error("is longer than a host name can be")]
    HostTooLong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Scheme {
    Http,
    Https,
}

impl SiteAddress {
    /// Normalizes what a client wrote.
    ///
    /// # Errors
    ///
    /// One [`SiteAddressError`] per rule that an input can break.
    pub fn parse(input: &str) -> Result<Self, SiteAddressError> {
        let text = input.trim();
        if text.is_empty() {
            return Err(SiteAddressError::Empty);
        }
        if text.len() > SITE_ADDRESS_MAX_BYTES {
            return Err(SiteAddressError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(SiteAddressError::ControlCharacter);
        }
        let (mut scheme, rest) = split_scheme(text)?;
        if authority(rest).contains('@') {
            return Err(SiteAddressError::Credentials);
        }
        let assumed = scheme.unwrap_or(Scheme::Https);
        let mut url = Url::parse(&format!("{}://{rest}", assumed.as_str())).map_err(from_url)?;
        url.set_fragment(None);
        if scheme.is_none() {
            scheme = match written_port(rest) {
                Some(443) => Some(Scheme::Https),
                Some(80) => Some(Scheme::Http),
                _ => None,
            };
        }
        // The port 80 belongs to http only: under the assumed https it would look like a choice.
        let port = url
            .port()
            .filter(|port| *port != scheme.unwrap_or(assumed).default_port());
        if port == Some(0) {
            return Err(SiteAddressError::InvalidPort);
        }
        let host = normal_host(&url)?;
        let host_length = host.len();
        let key = match port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        let target = match url.query() {
            Some(query) if !query.is_empty() => format!("{}?{query}", url.path()),
            _ => url.path().to_owned(),
        };
        let address = Self {
            scheme,
            key,
            host_length,
            target,
        };
        // Percent-encoding can make the stored form longer than what was written.
        if address.start_url().len() > SITE_ADDRESS_MAX_BYTES {
            return Err(SiteAddressError::TooLong);
        }
        Ok(address)
    }

    /// The host, with its port where that is not the default one: what duplicates share.
    ///
    /// Punycode, lower case, no trailing dot; an IPv6 address stands in brackets.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The host without the port.
    pub fn host(&self) -> &str {
        self.key.get(..self.host_length).unwrap_or(&self.key)
    }

    /// The politeness group: the host without a leading `www.`.
    pub fn host_key(&self) -> &str {
        without_www(self.host())
    }

    /// The form to store; parsing it gives this very address again.
    ///
    /// With a scheme where the client named one, without where both are to be tried.
    pub fn start_url(&self) -> String {
        match (self.scheme, self.target.as_str()) {
            (Some(scheme), target) => format!("{}://{}{target}", scheme.as_str(), self.key),
            (None, "/") => self.key.clone(),
            (None, target) => format!("{}{target}", self.key),
        }
    }

    /// The URLs at which the site may answer, in the order of trial.
    ///
    /// The client's scheme comes first, else https; the other scheme is tried after it, on its
    /// own default port unless the client named a port.
    pub fn start_candidates(&self) -> Vec<Url> {
        let schemes = match self.scheme {
            Some(Scheme::Http) => [Scheme::Http, Scheme::Https],
            Some(Scheme::Https) | None => [Scheme::Https, Scheme::Http],
        };
        schemes
            .into_iter()
            .filter_map(|scheme| {
                Url::parse(&format!(
                    "{}://{}{}",
                    scheme.as_str(),
                    self.key,
                    self.target
                ))
                .ok()
            })
            .collect()
    }
}

impl fmt::Display for SiteAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A host name without a leading `www.`, unless nothing but a top-level domain would be left.
pub(crate) fn without_www(host: &str) -> &str {
    match host.strip_prefix("www.") {
        Some(rest) if rest.contains('.') => rest,
        _ => host,
    }
}

fn split_scheme(text: &str) -> Result<(Option<Scheme>, &str), SiteAddressError> {
    if let Some(rest) = text.strip_prefix("//") {
        return Ok((None, rest));
    }
    let is_scheme = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    match text.split_once("://") {
        Some((word, rest)) if word.eq_ignore_ascii_case("https") => Ok((Some(Scheme::Https), rest)),
        Some((word, rest)) if word.eq_ignore_ascii_case("http") => Ok((Some(Scheme::Http), rest)),
        Some((word, _)) if is_scheme(word) => Err(SiteAddressError::UnsupportedScheme),
        _ => Ok((None, text)),
    }
}

fn authority(rest: &str) -> &str {
    rest.split(['/', '\\', '?', '#']).next().unwrap_or_default()
}

/// The port as written; the URL parser forgets one that is the default of the assumed scheme.
fn written_port(rest: &str) -> Option<u16> {
    authority(rest)
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok())
}

fn from_url(error: url::ParseError) -> SiteAddressError {
    match error {
        url::ParseError::InvalidPort => SiteAddressError::InvalidPort,
        _ => SiteAddressError::InvalidHost,
    }
}

fn normal_host(url: &Url) -> Result<String, SiteAddressError> {
    let name = match url.host() {
        None => return Err(SiteAddressError::InvalidHost),
        Some(Host::Ipv4(address)) => return Ok(address.to_string()),
        Some(Host::Ipv6(address)) => return Ok(format!("[{address}]")),
        Some(Host::Domain(name)) => name.strip_suffix('.').unwrap_or(name),
    };
    if name.len() > HOST_MAX_BYTES || name.split('.').any(|label| label.len() > LABEL_MAX_BYTES) {
        return Err(SiteAddressError::HostTooLong);
    }
    if !name.split('.').all(is_label) {
        return Err(SiteAddressError::InvalidHost);
    }
    if !name.contains('.') && name != "localhost" {
        return Err(SiteAddressError::SingleLabel);
    }
    // Without its trailing dot, a name may read as an IPv4 address, and must not change meaning.
    match Host::parse(name) {
        Ok(Host::Domain(again)) if again == name => Ok(again),
        _ => Err(SiteAddressError::InvalidHost),
    }
}

/// Letters, digits and inner hyphens (RFC 1123, 2.1), and the underscore that browsers accept.
///
/// URL hosts may contain more (`*`, `,`, `=` …), but in a list of sites those are slips.
fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests;
