//! Where e-mail addresses may stand in a text, plain or spelled out against crawlers.
//!
//! Whether one is real is decided elsewhere. A spelling is taken only where it can hardly be
//! anything else: words in brackets, or bare words in a place where an address is to be expected.

mod words;

use std::borrow::Cow;
use std::sync::LazyLock;

use super::marks::Place;
use crate::words::{Words, strip_word};
pub(super) use words::is_spelled_sign;
use words::{
    BARE_AT, BARE_DOT, BRACKETED_AT, BRACKETED_DOT, BRACKETS, COMMON_BARE_AT, DOUBTFUL_AT,
    EXAMPLES, LABELS, REPLACED, SIGNS, WARNINGS,
};

/// Most bytes between brackets, and most parts of one side of an address.
const BRACKETED_MAX_BYTES: usize = 40;
const PARTS_MAX: usize = 6;

/// Most bytes of one side of an address that are looked at.
const SIDE_MAX_BYTES: usize = 160;

/// Most bytes of a word that may announce an address.
const LABEL_MAX_BYTES: usize = 24;

/// How far before an address a warning is looked for, in bytes.
const WARNING_REACH_BYTES: usize = 160;

/// What stands for the at sign, or before it.
pub(super) fn at_signs() -> impl Iterator<Item = &'static str> {
    BARE_AT.iter().chain(SIGNS).copied()
}

static WARNED: LazyLock<Words> = LazyLock::new(|| Words::new(WARNINGS.iter().copied()));

/// An address as a text has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written<'a> {
    /// With an at sign between its parts.
    Plain {
        local: Cow<'a, str>,
        domain: &'a str,
    },
    /// Put together from what is spelled: `info [at] firma (dot) de`.
    Spelled(String),
    /// May be something else, or the address of somebody else, unless its domain is the site's
    /// own: `info @ firma.de` within a sentence.
    Doubtful(String),
}

/// What may be an address in a text, at the [`at_signs`] in it.
pub(super) fn written<'t>(text: &'t str, at_signs: &[Place]) -> impl Iterator<Item = Written<'t>> {
    at_signs.iter().filter_map(move |&(word, start, end)| {
        let before = text.get(..start)?;
        let after = text.get(end..)?;
        match BARE_AT.get(word) {
            Some(known) => bare(known, text.get(start..end)?, before, after),
            None => match text.get(start..end)? {
                "@" | "＠" => spelled_domain(before, after)
                    .or_else(|| plain(before, after))
                    .or_else(|| half_spaced(before, after)),
                sign @ ("★" | "☆" | "●" | "◎" | "■" | "◆") => {
                    replaced(before, sign, after)
                }
                _ => in_brackets(before, text.get(start..)?),
            },
        }
    })
}

fn plain<'a>(before: &'a str, after: &'a str) -> Option<Written<'a>> {
    let local_start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_local_char(*c))
        .last()?
        .0;
    let (outer, local) = before.split_at(local_start);
    let domain_end = after.find(|c| !is_domain_char(c)).unwrap_or(after.len());
    let (domain, rest) = after.split_at(domain_end);
    let start = outer.ceil_char_boundary(outer.len().saturating_sub(SIDE_MAX_BYTES));
    let word = outer.get(start..)?.rsplit(char::is_whitespace).next()?;
    let is_in_path =
        word.ends_with('/') && !word.contains('@') && (word.contains('.') || word.contains("://"));
    let is_password = word.ends_with(':') && word.contains("://");
    // A name in a network: `@name@server`.
    let is_handle = word.ends_with('@');
    // The address of a repository: `git@host:path`.
    let is_remote = local == "git" && rest.starts_with(':');
    if domain.is_empty() || is_in_path || is_password || is_handle || is_remote {
        return None;
    }
    let local = local.trim_start_matches(['.', '-', '+', '\'', '&']);
    let local = match irish_beginning(outer) {
        Some(beginning) => format!("{beginning}'{local}").into(),
        None => local.into(),
    };
    let domain = domain.trim_end_matches(['.', '-', '_']);
    Some(if is_of_others(outer) {
        Written::Doubtful(format!("{local}@{domain}"))
    } else {
        Written::Plain { local, domain }
    })
}

/// The `o` of `o’neil@firma.ie` and what is before it, where a text ends in such an apostrophe:
/// one after another letter, as in French, is none of the address.
fn irish_beginning(before: &str) -> Option<&str> {
    let before = before.strip_suffix('\u{2019}')?;
    let word = before.rsplit(|c| !is_local_char(c)).next()?;
    let last = word.rsplit(['.', '-', '_']).next()?;
    last.eq_ignore_ascii_case("o").then_some(word)
}

/// Whether the words before an address warn of it, or call it an example.
fn is_of_others(before: &str) -> bool {
    let start = before.ceil_char_boundary(before.len().saturating_sub(WARNING_REACH_BYTES));
    let line = before.get(start..).unwrap_or_default().rsplit('\n').next();
    let line = line.unwrap_or_default().to_lowercase();
    let line = line.trim_end_matches([' ', ':', '<', '"', '\'', '„', '“', '«', '(']);
    WARNED.find(line).next().is_some() || EXAMPLES.iter().any(|example| line.ends_with(example))
}

/// `info@ firma.de` and `info @firma.de`.
fn half_spaced(before: &str, after: &str) -> Option<Written<'static>> {
    let is_apart = before.ends_with(' ') != after.starts_with(' ');
    let (domain, _) = domain_after(after.trim_start_matches(' '), false).filter(|_| is_apart)?;
    let (local, outer) = local_before(before.trim_end_matches(' '))?;
    let address = format!("{local}@{}", domain.text);
    let is_behind = after.starts_with(' ');
    let is_announced = is_announced(outer);
    if is_behind && is_announced {
        Some(Written::Spelled(address))
    } else {
        // A name in a network follows a space as well.
        (is_behind || is_announced || is_line_start(outer)).then_some(Written::Doubtful(address))
    }
}

/// `info★firma.jp`, where the words behind say that the sign stands for the at sign.
fn replaced(before: &str, sign: &str, after: &str) -> Option<Written<'static>> {
    let near = after.get(..after.floor_char_boundary(SIDE_MAX_BYTES))?;
    let (_, said) = near.split_once(sign)?;
    REPLACED
        .iter()
        .any(|words| said.starts_with(words))
        .then_some(())?;
    let (domain, _) = domain_after(after, false)?;
    let (local, _) = local_before(before)?;
    Some(Written::Spelled(format!("{local}@{}", domain.text)))
}

/// `info@firma [dot] de`.
fn spelled_domain<'a>(before: &'a str, after: &'a str) -> Option<Written<'a>> {
    let (domain, _) = domain_after(after, false).filter(|(domain, _)| domain.is_spelled)?;
    let (local, _) = local_before(before)?;
    Some(Written::Spelled(format!("{local}@{}", domain.text)))
}

/// `info [at] firma.de`; the text begins with the bracket.
fn in_brackets<'a>(before: &'a str, text: &'a str) -> Option<Written<'a>> {
    let (inner, rest) = bracketed(text)?;
    let is_tight = !before.ends_with(' ') && !rest.starts_with(' ');
    // A letter in brackets numbers a paragraph more often.
    if !BRACKETED_AT.contains(&inner.as_str()) || (inner == "a" && !is_tight) {
        return None;
    }
    let (domain, _) = domain_after(rest.trim_start_matches(' '), true)?;
    let (local, _) = local_before(before.trim_end_matches(is_opening_or_space))?;
    Some(Written::Spelled(format!("{local}@{}", domain.text)))
}

/// `info at firma dot de`, where an address is announced or is all that a line has.
fn bare<'a>(known: &str, word: &str, before: &'a str, after: &'a str) -> Option<Written<'a>> {
    let (domain, rest) = domain_after(after, true)?;
    let (local, outer) = local_before(before)?;
    let has_small = |text: &str| text.contains(|c: char| c.is_ascii_lowercase());
    // Nobody shouts these words for another reason.
    let is_shouted = (domain.is_spelled && is_shouted(after))
        || (word == " AT " && has_small(&local) && has_small(&domain.text));
    let is_common = COMMON_BARE_AT.contains(&known);
    let is_meant = domain.is_spelled || is_shouted || !is_common || is_labeled(outer);
    let is_expected = is_shouted || is_announced(outer) || (is_line_start(outer) && is_end(rest));
    let address = format!("{local}@{}", domain.text);
    if is_meant && is_expected && !DOUBTFUL_AT.contains(&known) {
        Some(Written::Spelled(address))
    } else {
        (!is_common).then_some(Written::Doubtful(address))
    }
}

/// Whether the dot after an at sign is spelled in capitals.
fn is_shouted(after: &str) -> bool {
    let after = after.get(..after.floor_char_boundary(SIDE_MAX_BYTES));
    let dots = [
        " DOT ", " PUNKT ", " POINT ", " PUNTO ", " PONTO ", " PUNT ",
    ];
    after.is_some_and(|after| dots.iter().any(|dot| after.contains(dot)))
}

/// Whether a line is over, or a sentence.
fn is_end(rest: &str) -> bool {
    let rest = rest.trim_start_matches(' ');
    let mut chars = rest.chars();
    match chars.next() {
        None | Some('\n') => true,
        Some(c) if c.is_alphanumeric() => false,
        Some(_) => chars.next().is_none_or(|c| !c.is_alphanumeric()),
    }
}

fn is_line_start(outer: &str) -> bool {
    let outer = outer.trim_end_matches(' ');
    outer.is_empty() || outer.ends_with('\n')
}

fn is_announced(outer: &str) -> bool {
    outer.trim_end_matches(' ').ends_with(':') || has_label(outer)
}

/// Whether a word that says so stands before an address, with a colon.
fn is_labeled(outer: &str) -> bool {
    outer.trim_end_matches(' ').ends_with(':') && has_label(outer)
}

fn has_label(outer: &str) -> bool {
    names_address(outer.trim_end_matches([' ', ':', '.', '-', '>', '»', '–']))
}

/// Whether a text ends in a word for an e-mail address.
pub(super) fn names_address(text: &str) -> bool {
    let start = text.ceil_char_boundary(text.len().saturating_sub(LABEL_MAX_BYTES));
    let word = text.get(start..).unwrap_or_default().to_lowercase();
    LABELS.iter().any(|label| word.ends_with(label))
}

/// The lower-case text between brackets at the beginning of a text, and what follows.
fn bracketed(text: &str) -> Option<(String, &str)> {
    let first = text.chars().next()?;
    let close = BRACKETS.iter().find(|(open, _)| *open == first)?.1;
    let limit = text.floor_char_boundary(BRACKETED_MAX_BYTES);
    let end = text.get(..limit)?.find(close)?;
    let inner = text.get(..end)?.trim_start_matches(is_opening_or_space);
    let rest = text.get(end..)?.trim_start_matches(close);
    let inner = inner.trim();
    // `[-at-]`
    let bare = inner.trim_matches(['-', '_', '*', '~', ' ']);
    Some((bare.to_lowercase(), rest))
}

fn is_opening_or_space(c: char) -> bool {
    c == ' ' || BRACKETS.iter().any(|(open, _)| *open == c)
}

/// A domain, and whether a dot of it is spelled.
struct Domain {
    text: String,
    is_spelled: bool,
}

/// Reads a domain at the beginning of a text, and tells what follows it.
fn domain_after(text: &str, takes_bare: bool) -> Option<(Domain, &str)> {
    let mut rest = text.get(..text.floor_char_boundary(SIDE_MAX_BYTES))?;
    let mut domain = String::new();
    let mut is_spelled = false;
    for _ in 0..PARTS_MAX {
        let end = rest
            .find(|c| !(is_domain_char(c) && c != '.' && c != '_'))
            .unwrap_or(rest.len());
        let (label, tail) = rest.split_at(end);
        if label.is_empty() {
            return None;
        }
        domain.push_str(label);
        rest = tail;
        let next = if let Some(next) = tail.strip_prefix('.') {
            next
        } else if let Some(next) = spelled_dot(tail, takes_bare) {
            is_spelled = true;
            next
        } else {
            break;
        };
        if !next.starts_with(|c: char| is_domain_char(c) && c != '.') {
            break;
        }
        domain.push('.');
        rest = next;
    }
    domain.contains('.').then_some((
        Domain {
            text: domain,
            is_spelled,
        },
        rest,
    ))
}

/// What follows a spelled dot at the beginning of a text.
fn spelled_dot(text: &str, takes_bare: bool) -> Option<&str> {
    if let Some((inner, rest)) = bracketed(text.trim_start_matches(' '))
        && BRACKETED_DOT.contains(&inner.as_str())
    {
        return Some(rest.trim_start_matches(' '));
    }
    let mut words = BARE_DOT.iter().filter(|_| takes_bare);
    words.find_map(|word| strip_word(text, word))
}

/// Reads a local part at the end of a text, and tells what stands before it.
fn local_before(text: &str) -> Option<(String, &str)> {
    let mut outer = text;
    let mut parts: Vec<&str> = Vec::new();
    for _ in 0..PARTS_MAX {
        let start = outer
            .char_indices()
            .rev()
            .take_while(|(_, c)| is_local_char(*c))
            .last()?
            .0;
        let (before, part) = outer.split_at(start);
        parts.push(part);
        outer = before;
        let Some(before) = before_bracketed_dot(before.trim_end_matches(' ')) else {
            break;
        };
        outer = before.trim_end_matches(' ');
    }
    parts.reverse();
    Some((parts.join("."), outer))
}

/// What stands before a dot in brackets at the end of a text.
fn before_bracketed_dot(text: &str) -> Option<&str> {
    if !text.ends_with(|c| BRACKETS.iter().any(|(_, close)| *close == c)) {
        return None;
    }
    let near = text.ceil_char_boundary(text.len().saturating_sub(BRACKETED_MAX_BYTES));
    let open = near
        + text
            .get(near..)?
            .rfind(|c| BRACKETS.iter().any(|(open, _)| *open == c))?;
    let (inner, _) = bracketed(text.get(open..)?)?;
    BRACKETED_DOT
        .contains(&inner.as_str())
        .then(|| text.get(..open))
        .flatten()
}

/// Whether a character may stand before the at sign.
pub(super) fn is_local_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '\'' | '&')
}

fn is_domain_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::marks::Marks;
    use super::*;

    fn spelled(text: &str) -> Vec<String> {
        written(text, &Marks::of(text).at_signs)
            .filter_map(|written| match written {
                Written::Spelled(address) => Some(address),
                Written::Plain { .. } | Written::Doubtful(_) => None,
            })
            .collect()
    }

    fn plain(text: &str) -> Vec<String> {
        written(text, &Marks::of(text).at_signs)
            .filter_map(|written| match written {
                Written::Plain { local, domain } => Some(format!("{local}@{domain}")),
                Written::Spelled(_) | Written::Doubtful(_) => None,
            })
            .collect()
    }

    #[test]
    fn spelled_addresses_are_put_together() {
        for (text, expected) in [
            ("info [at] firma.de", "info@firma.de"),
            ("info(at)firma(dot)de", "info@firma.de"),
            ("info {AT} firma {DOT} co {dot} uk", "info@firma.co.uk"),
            (
                "max (punkt) muster (ät) firma (punkt) de",
                "max.muster@firma.de",
            ),
            ("ventas (arroba) tienda (punto) es", "ventas@tienda.es"),
            ("info [chiocciola] ditta [punto] it", "info@ditta.it"),
            ("biuro [małpa] firma [kropka] pl", "biuro@firma.pl"),
            ("contact [arobase] maison [point] fr", "contact@maison.fr"),
            ("info(a)firma.cz", "info@firma.cz"),
            ("info [ at ] firma.de", "info@firma.de"),
            ("info((at))firma.de", "info@firma.de"),
            ("info（アット）kaisha.co.jp", "info@kaisha.co.jp"),
            ("Mail: info at firma dot de", "info@firma.de"),
            ("info at firma dot de", "info@firma.de"),
            ("E-Mail info @ firma.de", "info@firma.de"),
            ("correo: ventas arroba tienda.es", "ventas@tienda.es"),
            ("x\ninfo_at_firma_dot_de", "info@firma.de"),
            ("Jobs · info AT firma DOT de, Berlin", "info@firma.de"),
            ("info@firma[dot]de", "info@firma.de"),
            ("info@firma (punkt) de", "info@firma.de"),
            ("an: info<at>firma.de.", "info@firma.de"),
            ("info [-at-] firma.de", "info@firma.de"),
            ("info【at】firma.de", "info@firma.de"),
            ("\ninfo -at- firma.de", "info@firma.de"),
            ("\ninfo /at/ firma.de", "info@firma.de"),
            ("Schreib info AT firma PUNKT de bitte", "info@firma.de"),
            ("schreib info AT firma.de bitte", "info@firma.de"),
            ("E-Mail: info at firma.de", "info@firma.de"),
            ("Dados: dpo @ firma . pt. Assiste", "dpo@firma.pt"),
            ("e-mail : info chez firma.be", "info@firma.be"),
            ("E-Mail: info@ firma.de", "info@firma.de"),
            ("info★firma.jp(★を@に変えて下さい)", "info@firma.jp"),
            ("Post: post krøllalfa firma punktum no", "post@firma.no"),
        ] {
            assert!(
                spelled(text).contains(&expected.to_owned()),
                "{text}: {:?}",
                spelled(text)
            );
        }
    }

    #[test]
    fn words_that_only_look_like_a_spelling_are_left_alone() {
        for text in [
            "More info at firma.de",
            "Find us at acme dot com on the web",
            "Meet us at Main Street. Come early",
            "paragraph (a) example.org",
            "(at) firma.de",
            "info [at] firma",
            "open [at] 10.30",
            "We meet for lunch @ cafe.com",
            "we shop at acme dot com",
            "a [b] c.de",
            "MEET US AT FIRMA.DE",
            "best★firma.jp",
            "Bienvenue chez firma.be",
            "Achetez chez firma.fr",
        ] {
            let found = spelled(text);
            assert!(
                found.iter().all(|address| address == "open@10.30"),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn parts_of_urls_and_of_other_names_are_no_addresses() {
        for text in [
            "@user@mastodon.social",
            "https://name:secret@host.de/",
            "https://site.de/c/name@host.de",
            "git@github.com:a/b.git",
            "@handle",
        ] {
            assert_eq!(plain(text), [""; 0], "{text}");
        }
        assert_eq!(
            plain("mailto:info@firma.de, a@b.de/x＠kaisha.co.jp"),
            ["info@firma.de", "a@b.de", "x@kaisha.co.jp"]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_searched_without_a_panic(
            text in "(\\PC|[@a-c. ]|\\[at\\]|\\(dot\\)| at | dot |[\\[\\](){}（）]){0,60}",
        ) {
            for address in spelled(&text) {
                prop_assert!(address.len() <= text.len() + PARTS_MAX);
            }
            plain(&text);
        }
    }
}
