//! Which attributes hold an address, or a part of one, for a script to put together.

use super::mailbox::ADDRESS_MAX_BYTES;
use super::tag::Attributes;
use crate::words::lower;

/// Longer than any word that tells a part, in bytes.
const WORD_MAX_BYTES: usize = 16;

/// What of an address an attribute holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    Local,
    Domain,
    Suffix,
}

/// The part that an attribute is named after: `data-email`, `data-user`, `data-mail-domain`.
pub(super) fn part_of(attribute: &str) -> Option<Part> {
    let name = attribute.strip_prefix("data-")?;
    if matches!(name, "clipboard" | "clipboard-text" | "copy" | "copy-text") {
        return Some(Part::Whole);
    }
    let mut part = None;
    for word in name.split(['-', '_']).take(4) {
        let of_word = match lower(word, &mut [0; WORD_MAX_BYTES])? {
            "account" | "box" | "local" | "localpart" | "mailbox" | "name" | "recipient" | "u"
            | "user" | "username" => Part::Local,
            "d" | "dom" | "domain" | "host" | "hostname" | "server" | "website" => Part::Domain,
            "ext" | "suffix" | "tld" => Part::Suffix,
            "address" | "e" | "em" | "email" | "emailaddress" | "mail" | "mailto" => Part::Whole,
            "clipboard" | "content" | "copy" | "decode" | "enc" | "encoded" | "href" | "obf"
            | "part" | "text" | "value" => continue,
            _ => return None,
        };
        // `data-mail-user` holds the user.
        if part.is_none_or(|known| known == Part::Whole) {
            part = Some(of_word);
        }
    }
    part
}

/// The local part and the domain of the address whose parts are in the attributes of one element.
pub(super) fn split_address(attributes: &Attributes<'_>) -> Option<(String, String)> {
    let value = |part: Part| {
        let mut named = attributes
            .iter()
            .filter(|(name, _)| part_of(name) == Some(part));
        named.next().map(|(_, value)| value.trim())
    };
    let local = value(Part::Local)?;
    let domain = value(Part::Domain)?.trim_start_matches('@');
    let domain = match value(Part::Suffix) {
        Some(suffix) => format!("{domain}.{}", suffix.trim_start_matches('.')),
        None => domain.to_owned(),
    };
    let is_short = local.len() + domain.len() <= ADDRESS_MAX_BYTES;
    is_short.then(|| (local.to_owned(), domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_named_after_what_they_hold() {
        for (name, part) in [
            ("data-email", Some(Part::Whole)),
            ("data-user", Some(Part::Local)),
            ("data-mail-user", Some(Part::Local)),
            ("data-mail-domain", Some(Part::Domain)),
            ("data-tld", Some(Part::Suffix)),
            ("data-EmailAddress", Some(Part::Whole)),
            ("data-email-of-somebody-who-has-more-words", None),
            ("data-emailaddressofthehouse", None),
            ("data-mail-list", None),
            ("data-domain-script", None),
            ("data-text", None),
            ("title", None),
        ] {
            assert_eq!(part_of(name), part, "{name}");
        }
    }
}
