//! Names whose addresses the operator states, as with `--resolve` of curl.
//!
//! A static name is never looked up in the DNS; its addresses are vetted like any others.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

/// A table from host names to addresses.
///
/// Grammar, white space around every part being ignored:
///
/// ```text
/// table   = [ entry *( "," entry ) ]
/// entry   = pattern "=" address *( "|" address )
/// pattern = host name / "*." host name
/// ```
///
/// `*.test` matches every name below `test`, at any depth, and not `test` itself. A full name
/// beats a wildcard, a longer wildcard a shorter one.
///
/// ```
/// use trawl_domain::network::StaticNames;
///
/// let names: StaticNames = "*.test=127.0.0.1, example.org=127.0.0.2|::1".parse()?;
/// assert_eq!(names.lookup("shop.test"), Some(vec!["127.0.0.1".parse()?]));
/// assert_eq!(names.lookup("example.com"), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticNames {
    exact: BTreeMap<String, Vec<IpAddr>>,
    /// Keyed by the part after `*.`.
    below: BTreeMap<String, Vec<IpAddr>>,
}

/// A table of static names that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StaticNamesError {
    /// An entry without `=`.
    #[error("{entry:?} is not of the form name=address")]
    NoAddress {
        /// The entry.
        entry: String,
    },
    /// A pattern that no host name can match.
    #[error("{pattern:?} is neither a host name nor *. and a host name")]
    Pattern {
        /// The pattern.
        pattern: String,
    },
    /// An address that is not one.
    #[error("{address:?} is not an IP address")]
    Address {
        /// What stands in its place.
        address: String,
    },
    /// The same pattern twice, of which one would be ignored in silence.
    #[error("{pattern:?} is given twice")]
    Duplicate {
        /// The pattern.
        pattern: String,
    },
}

impl StaticNames {
    /// No static names: everything is asked of the system's resolver.
    pub fn none() -> Self {
        Self {
            exact: BTreeMap::new(),
            below: BTreeMap::new(),
        }
    }

    /// The addresses stated for a host in the form that URLs have (lower case, punycode).
    pub fn lookup(&self, host: &str) -> Option<Vec<IpAddr>> {
        let host = host.strip_suffix('.').unwrap_or(host);
        if let Some(addresses) = self.exact.get(host) {
            return Some(addresses.clone());
        }
        let mut rest = host;
        while let Some((_, suffix)) = rest.split_once('.') {
            if let Some(addresses) = self.below.get(suffix) {
                return Some(addresses.clone());
            }
            rest = suffix;
        }
        None
    }
}

impl FromStr for StaticNames {
    type Err = StaticNamesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut names = Self::none();
        for entry in text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
        {
            let (pattern, addresses) =
                entry
                    .split_once('=')
                    .ok_or_else(|| StaticNamesError::NoAddress {
                        entry: entry.to_owned(),
                    })?;
            let pattern = pattern.trim();
            let addresses = addresses
                .split('|')
                .map(|text| address(text.trim()))
                .collect::<Result<_, _>>()?;
            let (table, name) = match pattern.strip_prefix("*.") {
                Some(suffix) => (&mut names.below, suffix),
                None => (&mut names.exact, pattern),
            };
            let name = host_name(name).ok_or_else(|| StaticNamesError::Pattern {
                pattern: pattern.to_owned(),
            })?;
            if table.insert(name, addresses).is_some() {
                return Err(StaticNamesError::Duplicate {
                    pattern: pattern.to_owned(),
                });
            }
        }
        Ok(names)
    }
}

fn address(text: &str) -> Result<IpAddr, StaticNamesError> {
    text.parse()
        .map_err(|_unreadable| StaticNamesError::Address {
            address: text.to_owned(),
        })
}

fn host_name(text: &str) -> Option<String> {
    match url::Host::parse(text).ok()? {
        url::Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(&name);
            let valid = !name.contains('*') && name.split('.').all(|label| !label.is_empty());
            valid.then(|| name.to_owned())
        }
        url::Host::Ipv4(_) | url::Host::Ipv6(_) => None,
    }
}
