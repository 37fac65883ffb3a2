//! Addresses that pages hide from crawlers and show to people by a script, as the widespread
//! systems do it.
//!
//! Each function takes what the page holds and gives the address or nothing; whether it is real
//! is decided elsewhere.

use percent_encoding::percent_decode_str;

use super::text::attribute_text;

/// Most bytes of a hidden text.
const HIDDEN_MAX_BYTES: usize = 1024;

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
    let (_, call) = href.split_once("linkTo_UnCryptMailto(")?;
    let call = percent_decode_str(call).decode_utf8_lossy();
    let hidden = call.trim_start_matches(['\'', '"']);
    let end = hidden.find(['\'', '"', ')'])?;
    typo3(&hidden.get(..end)?.replace('\\', ""))
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

/// Joomla: a script that puts an address together from literals full of entities,
/// `var addy1 = '&#105;nf&#111;' + '&#64;'; addy1 = addy1 + 'firma' + '&#46;' + 'de';`.
pub(super) fn joomla(script: &str) -> Option<String> {
    let mut address = String::new();
    for (at, _) in script.match_indices("addy") {
        let rest = script.get(at + "addy".len()..)?;
        let name_end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let (name, rest) = rest.split_at(name_end);
        let Some(expression) = rest.trim_start().strip_prefix('=') else {
            continue;
        };
        if name.starts_with("_text") {
            continue;
        }
        literals(expression, &mut address);
        if address.len() > HIDDEN_MAX_BYTES {
            return None;
        }
    }
    address
        .contains("&#64;")
        .then(|| attribute_text(&address).into_owned())
}

/// The literals of an expression up to its semicolon, one after the other.
fn literals(expression: &str, into: &mut String) {
    let mut quote = None;
    for c in expression.chars().take(HIDDEN_MAX_BYTES) {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => into.push(c),
            (None, '\'' | '"') => quote = Some(c),
            (None, ';') => return,
            (None, _) => {}
        }
    }
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
    fn joomla_puts_literals_together() {
        let script = "document.getElementById('cloak1').innerHTML = '';
            var prefix = '&#109;a' + 'i&#108;' + '&#116;o'; var path = 'hr' + 'ef' + '=';
            var addy1 = '&#105;nf&#111;' + '&#64;';
            addy1 = addy1 + 'f&#105;rm&#97;' + '&#46;' + 'd&#101;';
            var addy_text1 = 'x' + '&#64;';
            document.getElementById('cloak1').innerHTML += '<a ' + path + addy1 + '>';";
        assert_eq!(joomla(script).as_deref(), Some("info@firma.de"));
        assert_eq!(joomla("var addy = 'x';"), None);
    }

    proptest! {
        #[test]
        fn any_hidden_text_is_read_without_a_panic(text in "(\\PC|[0-9a-f]|addy=|'|&#64;){0,80}") {
            cloudflare(&text);
            typo3(&text);
            typo3_link(&format!("linkTo_UnCryptMailto({text}"));
            rot13(&text);
            joomla(&text);
        }
    }
}
