use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().expect(text)
}

#[test]
fn only_globally_routable_addresses_are_permitted() {
    let policy = AddressPolicy::public_only();
    let refused = [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "4000::1",
    ];
    for address in refused {
        assert!(!policy.permits(ip(address)), "{address}");
    }
    let permitted = [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "2a00:1450::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ];
    for address in permitted {
        assert!(policy.permits(ip(address)), "{address}");
    }
}

/// Every block of the IANA IPv4 Special-Purpose Address Registry
/// (iana.org/assignments/iana-ipv4-special-registry), and multicast
/// (iana.org/assignments/multicast-addresses, RFC 5771).
const IPV4_SPECIAL: [&str; 27] = [
    "0.0.0.0/8",
    "0.0.0.0/32",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.0/29",
    "192.0.0.8/32",
    "192.0.0.9/32",  // PCP anycast: reachable, and no web server
    "192.0.0.10/32", // TURN anycast: reachable, and no web server
    "192.0.0.170/32",
    "192.0.0.171/32",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.88.99.2/32",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    // Of the shared and private blocks, the addresses at which clouds keep their metadata.
    "169.254.169.254/32",
    "100.100.100.200/32",
    "192.0.0.192/32",
];

/// The blocks of the same registry that it calls globally reachable, the anycast addresses above
/// apart.
const IPV4_REACHABLE: [&str; 3] = [
    "192.31.196.0/24", // AS112
    "192.52.193.0/24", // AMT
    "192.175.48.0/24", // AS112
];

/// Every block of the IANA IPv6 Special-Purpose Address Registry
/// (iana.org/assignments/iana-ipv6-special-registry) that is not globally reachable or tunnels to an
/// IPv4 address, what RFC 4291 sets aside, and the metadata address of a cloud.
const IPV6_SPECIAL: [&str; 24] = [
    "::/128",
    "::1/128",
    "::/96", // IPv4-compatible, deprecated (RFC 4291, 2.5.5.1)
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001::/32", // Teredo
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:2::/48",
    "2001:3::/32",     // AMT
    "2001:4:112::/48", // AS112
    "2001:10::/28",
    "2001:20::/28",
    "2001:30::/28",
    "2001:db8::/32",
    "2002::/16", // 6to4
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/9", // link local, and site local, which is deprecated (RFC 3879)
    "ff00::/8",
];

fn ends(block: &str) -> [IpAddr; 2] {
    let network: IpNet = block.parse().expect(block);
    [network.network(), network.broadcast()]
}

/// The IPv6 address that ends in this IPv4 address.
fn embedding(prefix: &str, address: IpAddr) -> IpAddr {
    ip(&format!("{prefix}{address}"))
}

#[test]
fn no_end_of_any_special_block_is_permitted_in_any_spelling() {
    let policy = AddressPolicy::public_only();
    for block in IPV4_SPECIAL {
        for address in ends(block) {
            assert!(!policy.permits(address), "{address} of {block}");
            for prefix in ["::ffff:", "::", "64:ff9b::"] {
                let spelled = embedding(prefix, address);
                assert!(!policy.permits(spelled), "{spelled} of {block}");
            }
        }
    }
    for block in IPV6_SPECIAL {
        for address in ends(block) {
            assert!(!policy.permits(address), "{address} of {block}");
        }
    }
}

#[test]
fn what_lies_beside_the_special_blocks_is_permitted() {
    let policy = AddressPolicy::public_only();
    for block in IPV4_REACHABLE {
        for address in ends(block) {
            assert!(policy.permits(address), "{address} of {block}");
            for prefix in ["::ffff:", "64:ff9b::"] {
                assert!(
                    policy.permits(embedding(prefix, address)),
                    "{prefix}{address}"
                );
            }
        }
    }
    for address in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.1.255",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2001:200::",
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db9::",
        "2003::",
        "2620:4f:8000::", // AS112
        "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff:1000::",
    ] {
        assert!(policy.permits(ip(address)), "{address}");
    }
    // Beyond the one block that is assigned.
    for address in ["1fff:ffff::", "4000::", "::1:0:0:0"] {
        assert!(!policy.permits(ip(address)), "{address}");
    }
}

#[test]
fn allowed_networks_are_added_and_mapped_addresses_follow_them() {
    let policy: AddressPolicy = "127.0.0.0/8, 10.1.2.3,fd00::/8".parse().expect("policy");
    for address in [
        "127.9.9.9",
        "::ffff:127.0.0.1",
        "10.1.2.3",
        "fd00::5",
        "8.8.8.8",
    ] {
        assert!(policy.permits(ip(address)), "{address}");
    }
    for address in [
        "10.1.2.4",
        "::1",
        "fc00::1",
        "64:ff9b::7f00:1",
        "192.168.0.1",
    ] {
        assert!(!policy.permits(ip(address)), "{address}");
    }
}

#[test]
fn a_list_of_networks_is_read_or_refused_by_its_entry() {
    assert_eq!("".parse(), Ok(AddressPolicy::public_only()));
    let entry = |text: &str| text.parse::<AddressPolicy>().map_err(|error| error.entry);
    assert_eq!(entry("127.0.0.1/8,nonsense"), Err("nonsense".into()));
    assert_eq!(entry("10.0.0.0/40"), Err("10.0.0.0/40".into()));
}

#[test]
fn static_names_prefer_the_closest_pattern() {
    let names: StaticNames = "*.test=127.0.0.1,*.shop.test=127.0.0.2,a.shop.test=127.0.0.3|::1"
        .parse()
        .expect("names");
    assert_eq!(names.lookup("b.test"), Some(vec![ip("127.0.0.1")]));
    assert_eq!(names.lookup("x.y.test."), Some(vec![ip("127.0.0.1")]));
    assert_eq!(names.lookup("b.shop.test"), Some(vec![ip("127.0.0.2")]));
    assert_eq!(
        names.lookup("a.shop.test"),
        Some(vec![ip("127.0.0.3"), ip("::1")])
    );
    assert_eq!(names.lookup("test"), None);
    assert_eq!(names.lookup("atest"), None);
    assert_eq!(names.lookup(""), None);
}

#[test]
fn static_names_are_normalized_like_hosts_of_urls() {
    let names: StaticNames = "BÜCHER.Test = ::1".parse().expect("names");
    assert_eq!(names.lookup("xn--bcher-kva.test"), Some(vec![ip("::1")]));
}

#[test]
fn a_bad_table_of_static_names_says_what_is_wrong() {
    let error = |text: &str| text.parse::<StaticNames>().expect_err(text).to_string();
    assert_eq!(
        error("a.test"),
        "\"a.test\" is not of the form name=address"
    );
    assert_eq!(error("a.test=here"), "\"here\" is not an IP address");
    assert_eq!(error("a.test=127.0.0.1|"), "\"\" is not an IP address");
    assert_eq!(
        error("*=127.0.0.1"),
        "\"*\" is neither a host name nor *. and a host name"
    );
    assert_eq!(
        error("127.0.0.1=::1"),
        "\"127.0.0.1\" is neither a host name nor *. and a host name"
    );
    assert_eq!(error("a.test=::1,A.test=::1"), "\"A.test\" is given twice");
    assert_eq!("".parse(), Ok(StaticNames::none()));
}
