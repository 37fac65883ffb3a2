//! Which addresses may be fetched from, and names that are known without the DNS.
//!
//! The judgment is made on the address that a connection goes to, never on a name or a spelling:
//! whoever connects asks [`AddressPolicy::permits`] for that very address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use thiserror::Error;

mod static_names;

pub use static_names::{StaticNames, StaticNamesError};

/// IPv4 blocks that are not globally reachable or serve no web site.
///
/// Source: IANA IPv4 Special-Purpose Address Registry (RFC 6890 and successors); multicast by
/// RFC 5771. `192.0.0.0/24` and `192.88.99.0/24` hold anycast services and no web servers.
const IPV4_REFUSED: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),       // this network
    v4([10, 0, 0, 0], 8),      // private
    v4([100, 64, 0, 0], 10),   // carrier-grade NAT
    v4([127, 0, 0, 0], 8),     // loopback
    v4([169, 254, 0, 0], 16),  // link local, cloud metadata
    v4([172, 16, 0, 0], 12),   // private
    v4([192, 0, 0, 0], 24),    // IETF protocol assignments
    v4([192, 0, 2, 0], 24),    // documentation
    v4([192, 88, 99, 0], 24),  // 6to4 relay anycast, deprecated
    v4([192, 168, 0, 0], 16),  // private
    v4([198, 18, 0, 0], 15),   // benchmarking
    v4([198, 51, 100, 0], 24), // documentation
    v4([203, 0, 113, 0], 24),  // documentation
    v4([224, 0, 0, 0], 4),     // multicast
    v4([240, 0, 0, 0], 4),     // reserved, limited broadcast
];

/// The only block of which IPv6 global unicast addresses are assigned (RFC 4291, 2.4; IANA).
const IPV6_GLOBAL: Ipv6Net = v6([0x2000, 0, 0], 3);

/// Blocks within [`IPV6_GLOBAL`] that are refused.
///
/// Source: IANA IPv6 Special-Purpose Address Registry. `2001::/23` contains Teredo and ORCHID,
/// `2002::/16` is 6to4: deprecated tunnels to an embedded address, refused whole.
const IPV6_REFUSED: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0], 23),     // IETF protocol assignments
    v6([0x2001, 0xdb8, 0], 32), // documentation
    v6([0x2002, 0, 0], 16),     // 6to4
    v6([0x3fff, 0, 0], 20),     // documentation
];

/// NAT64 well-known prefix (RFC 6052, 2.1): the last 32 bits are the IPv4 address that is reached.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0], 96);

/// The addresses that fetches may go to: globally routable ones and what the operator allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPolicy {
    /// Networks that may be fetched although they are not globally routable.
    pub allow: Vec<IpNet>,
}

/// A list of networks that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{entry:?} is neither a network such as 10.0.0.0/8 nor an address")]
pub struct AddressPolicyError {
    /// The entry that cannot be read.
    pub entry: String,
}

impl AddressPolicy {
    /// Globally routable addresses and nothing else.
    pub fn public_only() -> Self {
        Self { allow: Vec::new() }
    }

    /// Whether a connection to this address is allowed.
    ///
    /// An IPv4-mapped IPv6 address is judged as the IPv4 address that the system would connect
    /// to. A NAT64 address may be public only; an allowed IPv4 network does not extend to it.
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allow.iter().any(|network| network.contains(&address)) || is_global(address)
    }
}

impl FromStr for AddressPolicy {
    type Err = AddressPolicyError;

    /// Reads networks and single addresses separated by commas; nothing at all allows nothing.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries = text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let allow = entries
            .map(|entry| {
                let network = entry.parse::<IpNet>().ok();
                network
                    .or_else(|| entry.parse::<IpAddr>().ok().map(IpNet::from))
                    .ok_or_else(|| AddressPolicyError {
                        entry: entry.to_owned(),
                    })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { allow })
    }
}

fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => is_global_v6(address),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    !IPV4_REFUSED
        .iter()
        .any(|network| network.contains(&address))
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    if NAT64.contains(&address) {
        let [.., a, b, c, d] = address.octets();
        return is_global_v4(Ipv4Addr::new(a, b, c, d));
    }
    IPV6_GLOBAL.contains(&address)
        && !IPV6_REFUSED
            .iter()
            .any(|network| network.contains(&address))
}

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(start: [u16; 3], prefix: u8) -> Ipv6Net {
    let [a, b, c] = start;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

#[cfg(test)]
mod tests;
