//! Registrable domains, by the Public Suffix List.

use psl::Psl;

/// Most bytes of the labels that stand for a kind of names: `co`, `com`, `gov`.
const GENERIC_LABEL_MAX_BYTES: usize = 4;

/// The part of a host that somebody registered, such as `example.co.uk`; an address and a bare
/// suffix have none.
pub(crate) fn registrable_domain(host: &str) -> Option<&str> {
    if host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok() {
        return None;
    }
    let domain = psl::List.domain(host.as_bytes())?;
    std::str::from_utf8(domain.as_bytes()).ok()
}

/// Whether a host ends in a suffix under which names really are registered.
pub(crate) fn has_public_suffix(host: &str) -> bool {
    psl::List
        .domain(host.as_bytes())
        .is_some_and(|domain| domain.suffix().is_known())
}

/// Whether a host is itself a suffix under which names are registered, and may have mailboxes all
/// the same: `notaires.fr`, unlike `co.uk`.
pub(crate) fn is_suffix_with_mailboxes(host: &str) -> bool {
    let label = host.split_once('.').map_or(0, |(label, _)| label.len());
    let suffix = psl::List.suffix(host.as_bytes());
    label > GENERIC_LABEL_MAX_BYTES
        && suffix.is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == host.as_bytes())
}

/// Domains of providers at which anybody has a mailbox, as many small businesses do.
const FREE_MAIL: &[&str] = &[
    "aol.com",
    "arcor.de",
    "bluewin.ch",
    "bol.com.br",
    "centrum.cz",
    "email.cz",
    "free.fr",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "hotmail.de",
    "hotmail.fr",
    "hotmail.it",
    "icloud.com",
    "inbox.lv",
    "interia.pl",
    "kpnmail.nl",
    "laposte.net",
    "libero.it",
    "live.com",
    "live.nl",
    "mail.de",
    "mail.ru",
    "me.com",
    "msn.com",
    "o2.pl",
    "onet.pl",
    "op.pl",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "outlook.fr",
    "posteo.de",
    "proton.me",
    "protonmail.com",
    "sapo.pt",
    "seznam.cz",
    "sfr.fr",
    "t-online.de",
    "telenet.be",
    "tin.it",
    "tiscali.it",
    "uol.com.br",
    "virgilio.it",
    "wanadoo.fr",
    "web.de",
    "wp.pl",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yahoo.es",
    "yahoo.fr",
    "yahoo.it",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
];

/// Whether a domain is that of a provider at which anybody has a mailbox.
pub(crate) fn is_free_mail(domain: &str) -> bool {
    FREE_MAIL.binary_search(&domain).is_ok()
}

/// Whether two hosts are of one registrable domain, or one host where there is none.
pub(crate) fn is_same_site(one: &str, other: &str) -> bool {
    one == other || registrable_domain(one).is_some_and(|d| Some(d) == registrable_domain(other))
}

/// Whether two hosts have one name under different suffixes: `firma.de`, `www.firma.com`.
pub(crate) fn is_same_name(one: &str, other: &str) -> bool {
    let name = |host| {
        let (name, _suffix) = registrable_domain(host)?.split_once('.')?;
        Some(name)
    };
    name(one).is_some_and(|found| Some(found) == name(other))
}

/// Fewest bytes of a name that tells a host of the site's own, such as `firma.b-cdn.net`.
const OWN_LABEL_MIN_BYTES: usize = 4;

/// Whether what a page of `host` loads by `url` is the site's own: by a reference without a host,
/// from its registrable domain, or from a host of a network that is named after the site or
/// passes on what the site has: `i0.wp.com/firma.de/x.png`.
pub(crate) fn is_own_url(url: &str, host: &str) -> bool {
    let Some(from_host) = after_scheme(url.trim_start()) else {
        return true;
    };
    let end = from_host.find(['/', '?', '#']).unwrap_or(from_host.len());
    let (authority, rest) = from_host.split_at(end);
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let authority = authority.to_ascii_lowercase();
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => &authority,
    };
    if is_same_site(name, host) {
        return true;
    }
    let Some(domain) = registrable_domain(host) else {
        return false;
    };
    let label = domain.split('.').next().unwrap_or_default();
    (label.len() >= OWN_LABEL_MIN_BYTES && name.contains(label))
        || path.split('/').any(|part| is_same_site(part, host))
}

/// What comes after `https://` or `//`.
fn after_scheme(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("//")?;
    let is_scheme = scheme.is_empty()
        || scheme
            .strip_suffix(':')
            .is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    is_scheme.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_loads_is_its_own_or_not() {
        for url in [
            "/wp-content/x.js",
            "wp-content//x.js",
            "https://www.firma.de/x.js",
            "HTTPS://CDN.FIRMA.DE:443/x.js",
            "//firma.de?x",
            "https://firma.b-cdn.net/x.js",
            "https://i0.wp.com/firma.de/wp-content/x.png",
            "https://i0.wp.com/www.firma.de/wp-content/x.png",
        ] {
            assert!(is_own_url(url, "www.firma.de"), "{url}");
        }
        for url in [
            "https://other.de/x.js",
            "//other.de/wp-content/uploads/firma.png",
            "https://other.de/?ref=https://firma.de/",
            "https://d111.cloudfront.net/x.js",
            "https://",
        ] {
            assert!(!is_own_url(url, "www.firma.de"), "{url}");
        }
        assert!(!is_own_url("https://abc.net/x", "ab.de"), "a short name");
        assert!(is_own_url("http://127.0.0.1:80/x", "127.0.0.1"));
    }

    #[test]
    fn a_name_may_stand_under_several_suffixes() {
        assert!(is_same_name("firma.de", "www.firma.co.uk"));
        assert!(is_same_name("shop.firma.de", "firma.com"));
        assert!(is_same_name("firma.blogspot.com", "firma.com"));
        assert!(!is_same_name("firma.de", "firma-gmbh.de"));
        assert!(!is_same_name("firma.de", "firma.parking.com"));
        assert!(!is_same_name("127.0.0.1", "127.0.0.2"));
        assert!(!is_same_name("de", "de"));
    }

    #[test]
    fn a_site_ends_at_its_registrable_domain() {
        for (one, other) in [
            ("example.com", "www.example.com"),
            ("a.example.co.uk", "b.example.co.uk"),
            ("site1.test", "www.site1.test"),
            ("10.0.0.1", "10.0.0.1"),
        ] {
            assert!(is_same_site(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("example.com", "example.org"),
            ("a.co.uk", "b.co.uk"),
            ("a.github.io", "b.github.io"),
            ("10.0.0.1", "11.0.0.1"),
            ("[::1]", "[::2]"),
            ("", "a"),
        ] {
            assert!(!is_same_site(one, other), "{one} {other}");
        }
    }

    #[test]
    fn some_suffixes_have_mailboxes() {
        assert!(is_suffix_with_mailboxes("notaires.fr"));
        for host in ["co.uk", "com", "example.com", "firma.xyzzy", ""] {
            assert!(!is_suffix_with_mailboxes(host), "{host}");
        }
    }

    #[test]
    fn suffixes_are_known_or_not() {
        for host in ["example.com", "a.co.uk", "x.xn--p1ai", "b.museum"] {
            assert!(has_public_suffix(host), "{host}");
        }
        for host in ["x.png", "a.test", "com", "2x.jpg", ""] {
            assert!(!has_public_suffix(host), "{host}");
        }
    }
}
