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
