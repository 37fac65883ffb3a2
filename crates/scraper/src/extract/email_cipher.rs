//! Addresses that pages hide from crawlers and show to people by a script, as the widespread
//! systems do it.
//!
//! Each function takes what the page holds and gives the address or nothing; whether it is real
//! is decided elsewhere.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;

/// Most bytes of a hidden text.
const HIDDEN_MAX_BYTES: usize = 1024;

/// Padding is often missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The ranges within which TYPO3 shifts the letters of an address, each a ring.
const TYPO3_RINGS: [(u8, u8); 3] = [(0x2b, 0x3a), (0x40, 0x5a), (0x61, 0x7a)];

/// Cloudflare: a key, then each byte xor the key, all in hexadecimal digits.
pub(super) fn cloudflare(hex: &str) -> Option<String> {
    if hex.len() > HIDDEN_MAX_BYTES {
        return None;
    }
    let digits: Option<Vec<u8>> = hex
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    let digits = digits?;
    let mut bytes = digits.chunks_exact(2).filter_map(|pair| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    });
    let key = bytes.next()?;
    let address: Vec<u8> = bytes.map(|byte| byte ^ key).collect();
    let address = String::from_utf8_lossy(&address);
    Some(address.split('?').next()?.to_owned())
}

/// TYPO3: `linkTo_UnCryptMailto('…')` in a link, of which this takes what is hidden.
///
/// The shift is a setting of the site, but the text always begins with `mailto:`.
pub(super) fn typo3(hidden: &str) -> Option<String> {
    if hidden.len() > HIDDEN_MAX_BYTES {
        return None;
    }
    let shifted = |by: i16| -> String {
        let bytes = hidden.bytes().map(|byte| {
            let ring = TYPO3_RINGS
                .into_iter()
                .find(|(first, last)| (*first..=*last).contains(&byte));
            let Some((first, last)) = ring else {
                return byte;
            };
            let length = i16::from(last - first) + 1;
            let place = (i16::from(byte - first) + by).rem_euclid(length);
            first + u8::try_from(place).unwrap_or(0)
        });
        String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
    };
    (-26..=26)
        .map(shifted)
        .find_map(|text| text.strip_prefix("mailto:").map(str::to_owned))
}

/// What TYPO3 hides in the target of a link.
pub(super) fn typo3_link(href: &str) -> Option<String> {
    typo3(&first_argument(href, "linkTo_UnCryptMailto(")?)
}

/// An address of which each letter is moved by thirteen.
pub(super) fn rot13(hidden: &str) -> Option<String> {
    if hidden.len() > HIDDEN_MAX_BYTES {
        return None;
    }
    let moved = hidden.chars().map(|c| match c {
        'a'..='m' | 'A'..='M' => char::from_u32(u32::from(c) + 13).unwrap_or(c),
        'n'..='z' | 'N'..='Z' => char::from_u32(u32::from(c) - 13).unwrap_or(c),
        c => c,
    });
    Some(
        moved
            .collect::<String>()
            .replace("[ng]", "@")
            .replace("[at]", "@"),
    )
}

/// `CryptX`, a plugin of WordPress: `DeCryptX('…')` in a link, of which this takes what is hidden.
///
/// Each letter is moved by one, or by the digit before it.
pub(super) fn cryptx(hidden: &str) -> Option<String> {
    if hidden.len() > HIDDEN_MAX_BYTES {
        return None;
    }
    let back = |c: char, by: u32| char::from_u32(u32::from(c).checked_sub(by)?);
    let chars: Vec<char> = hidden.chars().collect();
    let pairs: Option<String> = chars
        .chunks(2)
        .map(|pair| match pair {
            [by, c] => back(*c, by.to_digit(10)?),
            _ => None,
        })
        .collect();
    pairs.or_else(|| chars.iter().map(|c| back(*c, 1)).collect())
}

/// What `CryptX` hides in the target of a link.
pub(super) fn cryptx_link(href: &str) -> Option<String> {
    cryptx(&first_argument(href, "DeCryptX(")?)
}

/// An address in base 64, as Joomla 4 and hand-made scripts have it.
pub(super) fn base64(hidden: &str) -> Option<String> {
    if hidden.len() > HIDDEN_MAX_BYTES {
        return None;
    }
    let bytes = BASE64.decode(hidden.trim()).ok()?;
    String::from_utf8(bytes).ok()
}

/// The address of a `joomla-hidden-mail` element.
pub(super) fn joomla(attribute: impl Fn(&str) -> Option<String>) -> Option<String> {
    let part = |name: &str| base64(&attribute(name)?);
    match (part("first"), part("last")) {
        (Some(first), Some(last)) => Some(format!("{first}@{last}")),
        _ => part("text"),
    }
}

/// An address written backwards.
pub(super) fn reversed(hidden: &str) -> String {
    hidden.chars().rev().take(HIDDEN_MAX_BYTES).collect()
}

/// The first argument of a call in the target of a link.
fn first_argument(href: &str, call: &str) -> Option<String> {
    let (_, rest) = href.split_once(call)?;
    let rest = rest.get(..rest.floor_char_boundary(HIDDEN_MAX_BYTES))?;
    let rest = percent_decode_str(rest).decode_utf8_lossy();
    let quoted = rest.trim_start();
    let quote = quoted.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let hidden = quoted.get(1..)?;
    Some(hidden.get(..hidden.find(quote)?)?.replace('\\', ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cloudflare_hides_by_a_key() {
        let hide = |address: &str, key: u8| {
            let bytes = std::iter::once(key).chain(address.bytes().map(|b| b ^ key));
            bytes.map(|b| format!("{b:02x}")).collect::<String>()
        };
        let found = cloudflare(&hide("info@firma.de", 0x5a));
        assert_eq!(found.as_deref(), Some("info@firma.de"));
        let found = cloudflare(&hide("info@firma.de?subject=x", 0x01));
        assert_eq!(found.as_deref(), Some("info@firma.de"));
        for nonsense in ["", "5", "zz", &"5a".repeat(1000)] {
            assert_eq!(cloudflare(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn typo3_shifts_letters_in_rings() {
        // Made with the function of TYPO3's own script for shifts of 1, 2 and -3.
        for (hidden, address) in [
            ("nbjmup+jogpAgjsnb/ef", "info@firma.de"),
            ("ocknvq,kphqBhktoc0fg", "info@firma.de"),
            ("jxfiql7fkclXcfojx+ab", "info@firma.de"),
        ] {
            let link = format!("javascript:linkTo_UnCryptMailto('{hidden}');");
            assert_eq!(typo3_link(&link).as_deref(), Some(address), "{hidden}");
        }
        let escaped = "javascript:linkTo_UnCryptMailto(%27nbjmup+jogpAgjsnb%5C%2Fef%27);";
        assert_eq!(typo3_link(escaped).as_deref(), Some("info@firma.de"));
        assert_eq!(typo3("hello"), None);
        assert_eq!(typo3_link("javascript:other('x')"), None);
    }

    #[test]
    fn letters_are_moved_by_thirteen() {
        assert_eq!(rot13("vasb@svezn.qr").as_deref(), Some("info@firma.de"));
        assert_eq!(rot13("vasb[at]svezn.qr").as_deref(), Some("info@firma.de"));
    }

    #[test]
    fn joomla_hides_in_base_64() {
        let element = |name: &str| {
            let hidden = match name {
                "first" => "aW5mbw==",
                "last" => "ZmlybWEuZGU",
                _ => return None,
            };
            Some(hidden.to_owned())
        };
        assert_eq!(joomla(element).as_deref(), Some("info@firma.de"));
        let text = |name: &str| (name == "text").then(|| "aW5mb0BmaXJtYS5kZQ==".to_owned());
        assert_eq!(joomla(text).as_deref(), Some("info@firma.de"));
        assert_eq!(joomla(|_| Some("?".to_owned())), None);
    }

    #[test]
    fn cryptx_moves_letters_by_one_or_by_a_digit() {
        let found = cryptx_link("javascript:DeCryptX('jogpAgjsnb/ef')");
        assert_eq!(found.as_deref(), Some("info@firma.de"));
        let found = cryptx_link("javascript:DeCryptX('1j0n2h3r1A0f2k3u0m1b200d2g')");
        assert_eq!(found.as_deref(), Some("info@firma.de"));
        assert_eq!(cryptx_link("javascript:other('x')"), None);
    }

    proptest! {
        #[test]
        fn any_hidden_text_is_read_without_a_panic(text in "(\\PC|[0-9a-f]|'){0,80}") {
            cloudflare(&text);
            typo3(&text);
            typo3_link(&format!("linkTo_UnCryptMailto({text}"));
            rot13(&text);
            cryptx(&text);
            base64(&text);
        }
    }
}
