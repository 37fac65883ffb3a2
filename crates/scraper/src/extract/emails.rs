//! E-mail addresses: from `mailto:` links, from the text, and as Cloudflare hides them.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::Host;

use crate::facts::{CONTACTS_MAX, Contact, ContactMethod};
use crate::registrable::{has_public_suffix, is_same_site};

/// Longest address and longest local part (RFC 5321, 4.5.3.1).
const ADDRESS_MAX_BYTES: usize = 254;
const LOCAL_MAX_BYTES: usize = 64;

/// Domains that stand in examples, forms and error reports, never for a business.
const PLACEHOLDER_DOMAINS: &[&str] = &[
    "company.com",
    "domain.com",
    "email.com",
    "example.com",
    "example.edu",
    "example.net",
    "example.org",
    "mysite.com",
    "sentry.io",
    "sentry.wixpress.com",
    "sentry-next.wixpress.com",
    "website.com",
    "yourcompany.com",
    "yourdomain.com",
    "yoursite.com",
    "yourwebsite.com",
];

/// Local parts that ask the reader to put in their own.
const PLACEHOLDER_LOCALS: &[&str] = &[
    "beispiel",
    "ejemplo",
    "example",
    "exemple",
    "firstname.lastname",
    "first.last",
    "name",
    "someone",
    "user",
    "username",
    "vorname.nachname",
    "you",
    "your",
    "your-email",
    "your.email",
    "your.name",
    "your_email",
    "youremail",
    "yourname",
];

/// Local parts longer than this that are hexadecimal are keys of trackers.
const HEX_LOCAL_MIN_BYTES: usize = 20;

/// Collects addresses, each once with the surest way it was found.
#[derive(Debug)]
pub(super) struct Emails {
    /// The host of the page, whose own domain needs no public suffix.
    host: String,
    found: Vec<Contact>,
}

impl Emails {
    pub(super) fn new(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            found: Vec::new(),
        }
    }

    /// Takes what follows `mailto:` in a link.
    pub(super) fn add_mailto(&mut self, target: &str) {
        let (addresses, fields) = target.split_once('?').unwrap_or((target, ""));
        let in_fields = fields.split('&').filter_map(|field| {
            let (name, value) = field.split_once('=')?;
            ["to", "cc", "bcc"]
                .iter()
                .any(|n| name.eq_ignore_ascii_case(n))
                .then_some(value)
        });
        for list in std::iter::once(addresses).chain(in_fields) {
            let list = percent_decode_str(list).decode_utf8_lossy();
            // `Name <address>` occurs, too.
            for address in list.split([',', ';', '<', '>', ' ']) {
                self.add(address, ContactMethod::Link);
            }
        }
    }

    /// Takes what the page states for machines.
    pub(super) fn add_stated(&mut self, address: &str, method: ContactMethod) {
        let address = match address.get(..7) {
            Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => address.get(7..),
            _ => Some(address),
        };
        self.add(address.unwrap_or_default(), method);
    }

    /// Takes the text that Cloudflare's script would decode: a key, then each byte xor the key.
    pub(super) fn add_cloudflare(&mut self, hex: &str) {
        if hex.len() > 2 * ADDRESS_MAX_BYTES + 2 {
            return;
        }
        let digits: Option<Vec<u8>> = hex
            .chars()
            .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
            .collect();
        let Some(digits) = digits else { return };
        let mut bytes = digits.chunks_exact(2).filter_map(|pair| match pair {
            [high, low] => Some(high << 4 | low),
            _ => None,
        });
        let Some(key) = bytes.next() else { return };
        let address: Vec<u8> = bytes.map(|byte| byte ^ key).collect();
        let address = String::from_utf8_lossy(&address);
        let address = address.split('?').next().unwrap_or_default();
        self.add(address, ContactMethod::Cloudflare);
    }

    /// Looks for addresses in decoded text.
    pub(super) fn add_text(&mut self, text: &str) {
        for (at, _) in text.match_indices('@') {
            let (before, after) = text.split_at(at);
            let after = after.get(1..).unwrap_or_default();
            let local_start = before.rfind(|c| !is_local_char(c)).map_or(0, |start| {
                start
                    + before
                        .get(start..)
                        .and_then(|s| s.chars().next())
                        .map_or(1, char::len_utf8)
            });
            let domain_end = after.find(|c| !is_domain_char(c)).unwrap_or(after.len());
            let local = before.get(local_start..).unwrap_or_default();
            let domain = after.get(..domain_end).unwrap_or_default();
            // An address of a repository, `git@host:path`, is no mailbox.
            let is_remote =
                local == "git" && after.get(domain_end..).is_some_and(|s| s.starts_with(':'));
            if local.is_empty() || domain.is_empty() || is_remote {
                continue;
            }
            let local = local.trim_start_matches(['.', '-', '+', '\'']);
            let domain = domain.trim_end_matches(['.', '-', '_']);
            if !self.add(&format!("{local}@{domain}"), ContactMethod::Text) {
                // Markup without white space runs words together: `info@firm.dePhone`.
                if let Some(shorter) = before_capital(domain) {
                    self.add(&format!("{local}@{shorter}"), ContactMethod::Text);
                }
            }
        }
    }

    pub(super) fn take(&mut self) -> Vec<Contact> {
        std::mem::take(&mut self.found)
    }

    /// Takes an address if it can be one of a person. Says whether it can.
    fn add(&mut self, address: &str, method: ContactMethod) -> bool {
        let Some(value) = normal_address(address, &self.host) else {
            return false;
        };
        if let Some(known) = self.found.iter_mut().find(|known| known.value == value) {
            known.method = known.method.min(method);
        } else if self.found.len() < CONTACTS_MAX {
            self.found.push(Contact { value, method });
        }
        true
    }
}

fn is_local_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '\'' | '&')
}

fn is_domain_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_')
}

/// The part of a domain before a capital letter that follows a small one.
fn before_capital(domain: &str) -> Option<&str> {
    let mut previous_is_small = false;
    for (position, c) in domain.char_indices() {
        if previous_is_small && c.is_uppercase() {
            return domain.get(..position);
        }
        previous_is_small = c.is_lowercase();
    }
    None
}

/// The address in lower case with its domain in ASCII; `None` if it is no address of a person.
fn normal_address(address: &str, host: &str) -> Option<String> {
    let address = address.trim();
    if address.len() > ADDRESS_MAX_BYTES {
        return None;
    }
    let (local, domain) = address.rsplit_once('@')?;
    let local = local.to_ascii_lowercase();
    let is_local = !local.is_empty()
        && local.len() <= LOCAL_MAX_BYTES
        && local.chars().all(is_local_char)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    if !is_local || is_placeholder_local(&local) {
        return None;
    }
    let domain = ascii_domain(domain)?;
    let is_own = is_same_site(&domain, host);
    let is_public = has_public_suffix(&domain) && !is_placeholder_domain(&domain);
    if !(is_own || is_public) {
        return None;
    }
    Some(format!("{local}@{domain}"))
}

fn ascii_domain(domain: &str) -> Option<String> {
    let domain: Cow<'_, str> = match Host::parse(domain.trim_end_matches('.')).ok()? {
        Host::Domain(domain) => Cow::Owned(domain),
        Host::Ipv4(_) | Host::Ipv6(_) => return None,
    };
    let is_name = domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
    // The first label of `logo@2x.mov` and its like is a scale, not a name.
    let first = domain.split('.').next()?;
    let is_scale = first
        .strip_suffix('x')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    (is_name && !is_scale).then(|| domain.into_owned())
}

fn is_placeholder_local(local: &str) -> bool {
    PLACEHOLDER_LOCALS.contains(&local)
        || (local.len() >= HEX_LOCAL_MIN_BYTES && local.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_placeholder_domain(domain: &str) -> bool {
    PLACEHOLDER_DOMAINS.iter().any(|placeholder| {
        domain
            .strip_suffix(placeholder)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn in_text(text: &str) -> Vec<String> {
        let mut emails = Emails::new("www.shop.test");
        emails.add_text(text);
        emails
            .take()
            .into_iter()
            .map(|contact| contact.value)
            .collect()
    }

    fn in_mailto(target: &str) -> Vec<String> {
        let mut emails = Emails::new("www.shop.test");
        emails.add_mailto(target);
        emails
            .take()
            .into_iter()
            .map(|contact| contact.value)
            .collect()
    }

    #[test]
    fn addresses_are_found_in_text() {
        for (text, address) in [
            ("Write to Info@Firma.DE.", "info@firma.de"),
            ("E-Mail:o'neil+x@a-b.co.uk,", "o'neil+x@a-b.co.uk"),
            ("(info@bücher.de)", "info@xn--bcher-kva.de"),
            ("info@firma.deTelefon", "info@firma.de"),
            ("mail info@shop.test now", "info@shop.test"),
            ("„kontakt@firma.at“", "kontakt@firma.at"),
        ] {
            assert_eq!(in_text(text), [address], "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_an_address_is_not_taken() {
        for text in [
            "logo@2x.png",
            "banner@3x.zip",
            "user@example.com",
            "x@sub.example.org",
            "me@localhost",
            "a@b",
            "@handle",
            "https://medium.com/@writer",
            "git@github.com:a/b.git",
            "d41d8cd98f00b204e9800998ecf8427e@o123.ingest.sentry.io",
            "d41d8cd98f00b204e9800998ecf8427e@tracker.com",
            "yourname@gmail.com",
            "x@1.2.3.4",
            "a@-b.com",
            "react@18.2.0",
            "name@",
            "..@a.com",
            "x@shop2.test",
        ] {
            assert_eq!(in_text(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn mailto_links_are_decoded_and_stripped() {
        assert_eq!(
            in_mailto("info%40firma.de?subject=Hi%40x.de"),
            ["info@firma.de"]
        );
        assert_eq!(
            in_mailto("a@x.de,b@x.de;c@x.de"),
            ["a@x.de", "b@x.de", "c@x.de"]
        );
        assert_eq!(in_mailto("?to=a@x.de&CC=b@x.de"), ["a@x.de", "b@x.de"]);
        assert_eq!(in_mailto("%20Max%20%3Ca@x.de%3E"), ["a@x.de"]);
        assert_eq!(in_mailto("?subject=x"), Vec::<String>::new());
    }

    #[test]
    fn cloudflare_addresses_are_decoded() {
        let hide = |address: &str, key: u8| {
            let bytes = std::iter::once(key).chain(address.bytes().map(|b| b ^ key));
            bytes.map(|b| format!("{b:02x}")).collect::<String>()
        };
        let mut emails = Emails::new("a.com");
        emails.add_cloudflare(&hide("info@firma.de", 0x5a));
        emails.add_cloudflare(&hide("sales@firma.de?subject=x", 0x01));
        for nonsense in ["", "5", "zz", "5a5", &"5a".repeat(1000)] {
            emails.add_cloudflare(nonsense);
        }
        let found = emails.take();
        assert_eq!(found.len(), 2);
        assert!(
            found
                .iter()
                .all(|contact| contact.method == ContactMethod::Cloudflare)
        );
    }

    #[test]
    fn an_address_is_kept_once_by_its_surest_method() {
        let mut emails = Emails::new("a.com");
        emails.add_text("INFO@firma.de info@firma.de");
        emails.add_mailto("info@firma.de");
        let expected = Contact {
            value: "info@firma.de".into(),
            method: ContactMethod::Link,
        };
        assert_eq!(emails.take(), [expected]);
    }

    proptest! {
        #[test]
        fn any_text_is_searched_without_a_panic(text in "(\\PC|@|[a-z.]){0,60}") {
            for address in in_text(&text) {
                prop_assert!(address.len() <= ADDRESS_MAX_BYTES + 64);
            }
            in_mailto(&text);
        }
    }
}
