//! E-mail addresses: from links, from the text, and as scripts hide them.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::email_cipher::{
    base64, cloudflare, cryptx_link, joomla, reversed, rot13, typo3, typo3_link,
};
use super::email_data::{Part, part_of, split_address};
use super::email_script::{may_show, shown};
use super::email_text::{Written, written};
use super::mailbox::normal_address;
use super::marks::Marks;
use super::others::is_service;
use super::tag::Attributes;
use super::text::attribute_text;
use crate::facts::CONTACTS_MAX;
use crate::facts::contact::{ContactMethod, Email, Evidence, add_found};
use crate::registrable::is_same_site;
use crate::words::strip_word;

/// Most bytes of what follows `mailto:` that are looked at.
const MAILTO_MAX_BYTES: usize = 4096;

/// Most bytes of an attribute that is read as an address or a script.
const ATTRIBUTE_MAX_BYTES: usize = 1024;

/// What people put into an address against crawlers, to be taken out again.
const NOISE: &[&str] = &[
    "-borrar-",
    "-entfernen-",
    "nospam",
    "no-spam",
    "no_spam",
    "removethis",
    "remove-this",
];

/// Collects addresses, each once with all that speaks for it.
#[derive(Debug)]
pub(super) struct Emails {
    /// The host of the page, whose own domain needs no public suffix.
    host: String,
    found: Vec<Email>,
    /// Whether what comes next stands where others are named.
    is_of_others: bool,
}

impl Emails {
    pub(super) fn new(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            found: Vec::new(),
            is_of_others: false,
        }
    }

    /// Says whether what comes next stands where others are named.
    pub(super) fn stand_with_others(&mut self, is_of_others: bool) {
        self.is_of_others = is_of_others;
    }

    /// Takes what follows `mailto:` in a link.
    pub(super) fn add_mailto(&mut self, target: &str) {
        self.add_list(target, ContactMethod::Link);
    }

    /// Takes what the page states for machines.
    pub(super) fn add_stated(&mut self, address: &str, method: ContactMethod) {
        let address = address.trim();
        self.add_list(strip_word(address, "mailto:").unwrap_or(address), method);
    }

    /// Takes the text that Cloudflare's script would decode.
    pub(super) fn add_cloudflare(&mut self, hex: &str) {
        if let Some(addresses) = cloudflare(hex) {
            self.add_list(&addresses, ContactMethod::Cloudflare);
        }
    }

    /// Takes an attribute in which systems hide addresses, of an element with others.
    pub(super) fn see_attribute(&mut self, name: &str, value: &str, all: &Attributes<'_>) {
        match name {
            "data-cfemail" => self.add_cloudflare(value),
            "data-mailto-token" => self.add_hidden(typo3(value)),
            "data-enc-email" => self.add_hidden(rot13(value)),
            _ if name.starts_with("on") => {
                if value.len() <= ATTRIBUTE_MAX_BYTES {
                    self.see_code(&attribute_text(value), all);
                }
            }
            _ => match part_of(name) {
                Some(Part::Domain) => {
                    if let Some((local, domain)) = split_address(all) {
                        // Styles may turn the parts around.
                        let _ = self.add(&format!("{local}@{domain}"), ContactMethod::Script)
                            || self.add(
                                &format!("{}@{}", reversed(&local), reversed(&domain)),
                                ContactMethod::Script,
                            );
                    }
                }
                Some(Part::Whole) if value.len() <= ATTRIBUTE_MAX_BYTES => {
                    self.add_obscured(&attribute_text(value));
                }
                _ => {}
            },
        }
    }

    /// Takes an element that is nothing but a hidden address.
    pub(super) fn see_element(&mut self, name: &str, attributes: &Attributes<'_>) {
        if name == "joomla-hidden-mail" {
            let attribute = |name: &str| attributes.get(name).map(Cow::into_owned);
            self.add_hidden(joomla(attribute));
        }
    }

    /// Takes the target of a link that runs a script.
    pub(super) fn see_script_link(&mut self, href: &str, all: &Attributes<'_>) {
        if let Some(hidden) = typo3_link(href).or_else(|| cryptx_link(href)) {
            self.add_list(&hidden, ContactMethod::Script);
        } else if href.len() <= ATTRIBUTE_MAX_BYTES {
            self.see_code(&percent_decode_str(href).decode_utf8_lossy(), all);
        }
    }

    /// Takes a short script within the page.
    pub(super) fn see_script(&mut self, script: &str) {
        self.see_code(script, &Attributes::default());
    }

    /// Takes a script, of an element with attributes that it may read.
    fn see_code(&mut self, script: &str, attributes: &Attributes<'_>) {
        if !may_show(script) {
            return;
        }
        let data = |name: &str| {
            let name = format!("data-{name}");
            attributes.get(&name).map(Cow::into_owned)
        };
        let shown = shown(script, &data);
        let shown = attribute_text(&shown);
        let shown = percent_decode_str(&shown).decode_utf8_lossy();
        for written in written(&shown, &Marks::of(&shown).at_signs) {
            if let Written::Plain { local, domain } = written {
                self.add(&format!("{local}@{domain}"), ContactMethod::Script);
            }
        }
    }

    /// Takes an address that an attribute named after it holds in some simple disguise.
    fn add_obscured(&mut self, value: &str) {
        let value = value.trim();
        if !value.contains('@') {
            self.add_spelled(value, ContactMethod::Script);
            self.add_hidden(base64(value).filter(|address| address.contains('@')));
            return;
        }
        let value = strip_word(value, "mailto:").unwrap_or(value);
        let _ = self.add(value, ContactMethod::Script)
            || self.add(&reversed(value), ContactMethod::Script)
            || rot13(value).is_some_and(|value| self.add(&value, ContactMethod::Script));
    }

    /// Looks for addresses in decoded text.
    pub(super) fn add_text(&mut self, text: &str, marks: &Marks) {
        for written in written(text, &marks.at_signs) {
            match written {
                Written::Plain { local, domain } => {
                    self.add_plain(&local, domain);
                }
                Written::Spelled(address) => {
                    self.add(&address, ContactMethod::Spelled);
                }
                Written::Doubtful(address) => {
                    let domain = address.rsplit('@').next().unwrap_or_default();
                    if is_same_site(&domain.to_ascii_lowercase(), &self.host) {
                        self.add(&address, ContactMethod::Spelled);
                    }
                }
            }
        }
    }

    pub(super) fn take(&mut self) -> Vec<Email> {
        let mut found = std::mem::take(&mut self.found);
        for email in &mut found {
            let domain = email.value.rsplit('@').next().unwrap_or_default();
            email.evidence.judge(is_same_site(domain, &self.host));
        }
        found
    }

    fn add_plain(&mut self, local: &str, domain: &str) {
        let added = self.add(&format!("{local}@{domain}"), ContactMethod::Text);
        // Markup without white space runs words together: `info@firm.dePhone`.
        if !added && let Some(shorter) = before_capital(domain) {
            self.add(&format!("{local}@{shorter}"), ContactMethod::Text);
        }
    }

    fn add_hidden(&mut self, list: Option<String>) {
        if let Some(list) = list {
            self.add_list(&list, ContactMethod::Script);
        }
    }

    /// Takes recipients as links have them: `a@x.de, b@x.de?cc=c@x.de&subject=…`.
    fn add_list(&mut self, list: &str, method: ContactMethod) {
        let list = list.get(..list.floor_char_boundary(MAILTO_MAX_BYTES));
        let list = list.unwrap_or_default();
        let (addresses, fields) = list.split_once('?').unwrap_or((list, ""));
        let in_fields = fields.split('&').filter_map(|field| {
            let (name, value) = field.split_once('=')?;
            let name = strip_word(name, "amp;").unwrap_or(name);
            ["to", "cc", "bcc"]
                .iter()
                .any(|n| name.eq_ignore_ascii_case(n))
                .then_some(value)
        });
        for list in std::iter::once(addresses).chain(in_fields) {
            let list = percent_decode_str(list).decode_utf8_lossy();
            if !list.contains('@') {
                self.add_spelled(&list, method);
                continue;
            }
            // `Name <address>` occurs, too, and a subject whose question mark is encoded.
            let list = list.split(['?', '&']).next().unwrap_or_default();
            for address in list.split([',', ';', '<', '>', '(', ')', '"', ' ', '\t', '\n', '\r']) {
                let address = address.trim_start_matches("mailto:");
                self.add(address.trim_start_matches('/'), method);
            }
        }
    }

    fn add_spelled(&mut self, text: &str, method: ContactMethod) {
        for written in written(text, &Marks::of(text).at_signs) {
            if let Written::Spelled(address) = written {
                self.add(&address, method);
            }
        }
    }

    /// Takes an address if it can be one of a person. Says whether it can.
    fn add(&mut self, address: &str, method: ContactMethod) -> bool {
        let (address, method) = match without_noise(address) {
            Some(clean) => (Cow::Owned(clean), ContactMethod::Spelled),
            None => (Cow::Borrowed(address), method),
        };
        let Some(value) = normal_address(&address, &self.host) else {
            return false;
        };
        let domain = value.rsplit('@').next().unwrap_or_default();
        let mut evidence = Evidence::of(method);
        evidence.is_of_others = self.is_of_others || is_service(domain);
        let email = Email { value, evidence };
        add_found(&mut self.found, email, CONTACTS_MAX);
        true
    }
}

/// The address without what was put into it against crawlers, if there was something.
fn without_noise(address: &str) -> Option<String> {
    let lower = address.to_ascii_lowercase();
    let noise = NOISE.iter().find(|noise| lower.contains(**noise))?;
    let bare = lower
        .replace(&format!(".{noise}."), ".")
        .replace(&format!("@{noise}."), "@")
        .replace(&format!(".{noise}@"), "@")
        .replace(&format!("-{noise}@"), "@")
        .replace(&format!("_{noise}@"), "@")
        .replace(noise, "");
    Some(
        bare.replace("-@", "@")
            .trim_end_matches(['.', '-'])
            .to_owned(),
    )
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::mailbox::ADDRESS_MAX_BYTES;
    use super::super::tag::{Tag, TagReader};
    use super::*;

    fn values(mut emails: Emails) -> Vec<String> {
        emails.take().into_iter().map(|email| email.value).collect()
    }

    fn in_text(text: &str) -> Vec<String> {
        let mut emails = Emails::new("www.shop.test");
        emails.add_text(text, &Marks::of(text));
        values(emails)
    }

    fn in_mailto(target: &str) -> Vec<String> {
        let mut emails = Emails::new("www.shop.test");
        emails.add_mailto(target);
        values(emails)
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
            ("info [at] firma [dot] de", "info@firma.de"),
            ("info@nospam.firma.de", "info@firma.de"),
            ("infoNOSPAM@firma.de", "info@firma.de"),
            ("etude@notaires.fr", "etude@notaires.fr"),
            ("info＠kaisha.co.jp", "info@kaisha.co.jp"),
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
            "info@example.de",
            "ihre-email@gmail.com",
            "605a7ede4d3e4f7fa1c8d2d5a1b2c3d4@sentry-next.wixpress.com",
            "abc123@group.calendar.google.com",
            "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9@push.acme.com",
            "@user@mastodon.social",
            "info@firma.xyzzy",
            "noreply@firma.de",
            "etunimi.sukunimi@firma.fi",
            "you@test.com",
        ] {
            assert_eq!(in_text(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn mailto_links_are_decoded_and_stripped() {
        assert_eq!(
            in_mailto("a@x.de,b@x.de;c@x.de"),
            ["a@x.de", "b@x.de", "c@x.de"]
        );
        assert_eq!(in_mailto("?to=a@x.de&CC=b@x.de"), ["a@x.de", "b@x.de"]);
        assert_eq!(in_mailto("mailto:%20Max%20%3Ca@x.de%3E"), ["a@x.de"]);
        assert_eq!(in_mailto("mailto:a@x.de"), ["a@x.de"]);
        assert!(in_mailto("?subject=x").is_empty());
        for target in [
            "info[at]firma.de",
            "info%40firma.de?subject=Hi%40x.de",
            "info@firma.de%3Fsubject=a@b.de",
        ] {
            assert_eq!(in_mailto(target), ["info@firma.de"], "{target}");
        }
        assert_eq!(in_mailto("a@x.de?amp;cc=b@x.de"), ["a@x.de", "b@x.de"]);
    }

    #[test]
    fn hidden_addresses_are_shown() {
        let mut emails = Emails::new("a.com");
        let none = Attributes::default();
        emails.see_attribute("data-cfemail", "5a39323f3c1a3c3328373b743e3f", &none);
        emails.see_attribute("data-mailto-token", "nbjmup+jogpAgjsnb/ef", &none);
        emails.see_attribute("data-enc-email", "hfre@svezn.qr", &none);
        emails.see_attribute("data-enc-email", "obff[at]svezn.qr", &none);
        emails.see_script_link(
            "javascript:linkTo_UnCryptMailto('nbjmup+bAgjsnb/ef');",
            &none,
        );
        emails.see_script(
            "var addy1 = '&#98;' + '&#64;'; addy1 = addy1 + 'firma' + '&#46;de';
            document.getElementById('cloak').innerHTML += '<a ' + addy1 + '>';",
        );
        emails.see_script("document.write('<a href=\"mailto:'+'c'+'@'+'firma.de\">c</a>')");
        let found = emails.take();
        let found: Vec<_> = found
            .iter()
            .map(|email| (email.value.as_str(), email.evidence.methods.as_slice()))
            .collect();
        let expected = [
            ("chef@firma.de", &[ContactMethod::Cloudflare][..]),
            ("info@firma.de", &[ContactMethod::Script]),
            ("boss@firma.de", &[ContactMethod::Script]),
            ("a@firma.de", &[ContactMethod::Script]),
            ("b@firma.de", &[ContactMethod::Script]),
            ("c@firma.de", &[ContactMethod::Script]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn addresses_hide_in_attributes() {
        for (element, expected) in [
            ("<a data-user=info data-domain=firma.de>", "info@firma.de"),
            (
                "<a data-name=info data-domain=firma data-tld=de>",
                "info@firma.de",
            ),
            ("<a data-user=ofni data-website=ed.amrif>", "info@firma.de"),
            ("<a data-clipboard-text=info@firma.de>", "info@firma.de"),
            ("<a data-email=info@firma.de>", "info@firma.de"),
            ("<a data-email='info [at] firma.de'>", "info@firma.de"),
            ("<a data-mail=ed.amrif@ofni>", "info@firma.de"),
            ("<a data-mail=vasb@svezn.qr>", "info@firma.de"),
            ("<a data-email=aW5mb0BmaXJtYS5kZQ==>", "info@firma.de"),
            (
                "<a onclick=\"location.href='mailto:'+'info'+'@'+'firma.de'\">",
                "info@firma.de",
            ),
            (
                "<a data-x=info onclick=\"this.href='mailto:'+this.dataset.x+'@firma.de'\">",
                "info@firma.de",
            ),
            (
                "<joomla-hidden-mail first=aW5mbw== last=ZmlybWEuZGU=>",
                "info@firma.de",
            ),
            ("<i data-name=_ga data-domain=.firma.de>", ""),
            ("<i data-title=info@firma.de data-mailing=yes>", ""),
            ("<a onclick=\"track('info@firma.de')\">", ""),
        ] {
            let mut emails = Emails::new("a.com");
            let mut tags = TagReader::new(element);
            tags.read(0);
            let Tag::Start {
                name, attributes, ..
            } = tags.tag()
            else {
                panic!("a start tag: {element}");
            };
            emails.see_element(name, &attributes);
            for (name, value) in attributes.iter() {
                emails.see_attribute(name, value, &attributes);
            }
            assert_eq!(values(emails).concat(), expected, "{element}");
        }
    }

    #[test]
    fn what_others_could_write_is_taken_of_the_own_domain_alone() {
        for (text, found) in [
            ("Write to info @ shop.test today", "info@shop.test"),
            ("Write to info@ shop.test today", "info@shop.test"),
            ("Write to info-at-shop.test today", "info@shop.test"),
            ("Write to info @ firma.de today", ""),
            ("Follow us @shop.test", ""),
            ("Mail: info @shop.test", "info@shop.test"),
            ("See look-at-me.com for more", ""),
            ("Beware of fake mails of info@firma.de!", ""),
            ("Fake? info@shop.test is ours", "info@shop.test"),
            ("Desconfie de endereços como info@firma.de", ""),
            ("Enter it, e.g. jane@firma.de", ""),
        ] {
            assert_eq!(in_text(text).concat(), found, "{text}");
        }
    }

    #[test]
    fn an_address_is_kept_once_with_all_that_speaks_for_it() {
        let mut emails = Emails::new("www.firma.de");
        let text = "INFO@firma.de info@firma.de";
        emails.add_text(text, &Marks::of(text));
        emails.add_mailto("info@firma.de");
        let expected = Email {
            value: "info@firma.de".into(),
            evidence: Evidence {
                methods: vec![ContactMethod::Link, ContactMethod::Text],
                count: 3,
                confidence: 99,
                is_of_others: false,
            },
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
