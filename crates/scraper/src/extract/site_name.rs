//! The name that a site goes by, where no legal form tells one and nothing states it for machines:
//! from the copyright line, the title, the logo and the domain, which must agree or be plain.

use super::company_name::is_reserved;
use crate::registrable::registrable_domain;

/// Most bytes and words of a name.
const NAME_MAX_BYTES: usize = 80;
const NAME_WORDS_MAX: usize = 8;

/// Least letters of a domain that tell a name.
const LABEL_MIN_LETTERS: usize = 4;

/// Most logos and most words of a title that are looked at.
const LOGOS_MAX: usize = 4;
const TITLE_WORDS_MAX: usize = 40;

/// Signs between the parts of a title.
const TITLE_SIGNS: &[&str] = &[
    " | ", " - ", " – ", " — ", " :: ", " » ", " · ", " • ", ": ", "｜", ", ",
];

/// Makers of maps and tools whose copyright lines stand on the pages of others, in letters.
const OTHERS: &[&str] = &[
    "openstreetmap",
    "google",
    "wordpress",
    "mapbox",
    "leaflet",
    "joomla",
];

/// Collects what tells the name.
#[derive(Debug, Default)]
pub(super) struct SiteName {
    /// The letters of the domain without its suffix.
    label: String,
    copyright: Option<String>,
    logos: Vec<String>,
}

impl SiteName {
    pub(super) fn new(host: &str) -> Self {
        let domain = registrable_domain(host).unwrap_or_default();
        Self {
            label: letters(domain.split('.').next().unwrap_or_default(), Umlauts::Plain),
            ..Self::default()
        }
    }

    /// Looks for a copyright line in decoded text.
    pub(super) fn add_text(&mut self, text: &str) {
        if self.copyright.is_none() {
            let mut places = text.match_indices('©').take(4);
            self.copyright = places.find_map(|(at, sign)| {
                let rest = text.get(at + sign.len()..)?;
                copyright_name(rest)
            });
        }
    }

    /// Takes what a picture of a logo says in words.
    pub(super) fn see_logo(&mut self, alt: &str) {
        let lower = alt.to_lowercase();
        let end = lower.find("logo").unwrap_or(alt.len());
        // Lower case may have other bytes; then the text is no plain name.
        let name = alt.get(..end).unwrap_or_default();
        let name = name.trim_matches([' ', '-', '–', '|', ',', ':']);
        if is_name(name) && self.logos.len() < LOGOS_MAX {
            self.logos.push(name.to_owned());
        }
    }

    /// Whether a name has the whole domain in it.
    pub(super) fn is_domain_in(&self, name: &str) -> bool {
        self.label.len() >= LABEL_MIN_LETTERS
            && [Umlauts::Plain, Umlauts::Spelled]
                .into_iter()
                .any(|umlauts| letters(name, umlauts).contains(&self.label))
    }

    /// Whether a word of a name is in the domain.
    pub(super) fn shares_word(&self, name: &str) -> bool {
        name.split(|c: char| !c.is_alphanumeric()).any(|word| {
            [Umlauts::Plain, Umlauts::Spelled]
                .into_iter()
                .map(|umlauts| letters(word, umlauts))
                .any(|word| word.len() >= LABEL_MIN_LETTERS && self.label.contains(&word))
        })
    }

    /// The name, given the title of the page.
    pub(super) fn best(&self, title: Option<&str>) -> Option<String> {
        let parts = title.map(title_parts).unwrap_or_default();
        let copyright = self.copyright.as_deref();
        let logos = || self.logos.iter().map(String::as_str);
        let all = parts.iter().copied().chain(copyright).chain(logos());
        let same = all.clone().find(|name| self.is_label(name));
        let agreed = copyright.filter(|name| {
            let others = parts.iter().copied().chain(logos());
            self.is_domain_in(name) || others.clone().any(|other| is_same(name, other))
        });
        let longer = copyright.and_then(|name| {
            let begins = |part: &&&str| is_beginning(name, part);
            parts.iter().find(begins).copied()
        });
        let in_title = || title.and_then(|title| self.words_of_domain(title));
        let of_logo = || logos().find(|logo| parts.iter().any(|part| is_same(logo, part)));
        let name = same
            .or(agreed)
            .or(longer)
            .or_else(in_title)
            .or(copyright)
            .or_else(of_logo)?;
        Some(name.trim().to_owned())
    }

    /// Whether a name is that of the domain.
    fn is_label(&self, name: &str) -> bool {
        self.label.len() >= LABEL_MIN_LETTERS
            && is_name(name)
            && [Umlauts::Plain, Umlauts::Spelled]
                .into_iter()
                .any(|umlauts| letters(name, umlauts) == self.label)
    }

    /// Words of a title that together are the domain.
    fn words_of_domain<'t>(&self, title: &'t str) -> Option<&'t str> {
        let begins = title
            .split(' ')
            .scan(0, |at, word| {
                let start = *at;
                *at += word.len() + 1;
                Some((start, start + word.len()))
            })
            .take(TITLE_WORDS_MAX);
        let words: Vec<(usize, usize)> = begins.collect();
        words.iter().enumerate().find_map(|(first, (start, _))| {
            words
                .iter()
                .skip(first)
                .take(NAME_WORDS_MAX)
                .find_map(|(_, end)| {
                    let name = title.get(*start..*end)?;
                    self.is_label(name).then_some(name)
                })
        })
    }
}

/// The name after a copyright sign: `© 2010–2024 Acme. All rights reserved.`
fn copyright_name(rest: &str) -> Option<String> {
    let line = rest.get(..rest.floor_char_boundary(2 * NAME_MAX_BYTES))?;
    let line = line.split('\n').next()?;
    let is_year = |c: char| c.is_ascii_digit() || " -–—,.©".contains(c);
    let mut name = line.trim_start_matches(is_year);
    for word in ["Copyright", "copyright", "by ", "by: "] {
        name = name
            .strip_prefix(word)
            .map_or(name, |rest| rest.trim_start_matches(is_year));
    }
    if is_reserved(name) {
        return None;
    }
    let signs = [
        "|", "·", "•", " – ", " — ", " - ", ",", ";", "(", "/", "©", ": ",
    ];
    let mut end = signs
        .iter()
        .filter_map(|sign| name.find(sign))
        .min()
        .unwrap_or(name.len());
    for (at, _) in name.match_indices(['.', ' ']) {
        let (before, after) = (name.get(..at)?, name.get(at + 1..)?);
        let word = before.rsplit(' ').next().unwrap_or_default();
        // "St. Olaf" goes on.
        let is_sentence = name.get(at..)?.starts_with('.')
            && (after.is_empty() || after.starts_with(' '))
            && word.chars().count() > 3;
        if at < end && (is_sentence || is_reserved(after)) {
            end = at;
            break;
        }
    }
    let name = name.get(..end)?.trim_end_matches(is_year);
    is_name(name).then(|| name.to_owned())
}

fn title_parts(title: &str) -> Vec<&str> {
    let mut parts = vec![title];
    for sign in TITLE_SIGNS {
        parts = parts.iter().flat_map(|part| part.split(sign)).collect();
    }
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| is_name(part))
        .collect()
}

/// Whether a text can be a name and no sentence, address or domain.
fn is_name(text: &str) -> bool {
    let first = text.chars().next();
    text.len() <= NAME_MAX_BYTES
        && text.chars().nth(1).is_some()
        && text.split_whitespace().count() <= NAME_WORDS_MAX
        && first.is_some_and(|c| c.is_uppercase() || !c.is_lowercase() && c.is_alphabetic())
        && !text.contains(['@', '!', '?', '{', '<'])
        && !text.split_whitespace().any(is_domain)
        && !OTHERS
            .iter()
            .any(|other| letters(text, Umlauts::Plain).contains(other))
}

/// Whether a word is a domain: `acme.com`.
fn is_domain(word: &str) -> bool {
    let end = word.rsplit_once('.');
    end.is_some_and(|(name, suffix)| {
        name.len() > 2 && suffix.len() > 1 && suffix.chars().all(char::is_lowercase)
    })
}

fn is_same(one: &str, other: &str) -> bool {
    letters(one, Umlauts::Plain) == letters(other, Umlauts::Plain)
}

/// Whether a name is the first words of a longer one.
fn is_beginning(name: &str, longer: &str) -> bool {
    longer
        .strip_prefix(name)
        .is_some_and(|rest| rest.starts_with(' '))
}

/// How letters with marks are written in a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Umlauts {
    Plain,
    Spelled,
}

/// Letters and digits in lower case, of Latin letters without their marks.
fn letters(text: &str, umlauts: Umlauts) -> String {
    let mut letters = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        let spelled = match c {
            'ä' | 'æ' => Some("ae"),
            'ö' | 'ø' | 'œ' => Some("oe"),
            'ü' => Some("ue"),
            'å' => Some("aa"),
            _ => None,
        };
        match (c, spelled) {
            ('ß', _) => letters.push_str("ss"),
            (_, Some(spelled)) if umlauts == Umlauts::Spelled => letters.push_str(spelled),
            (c, _) if c.is_alphanumeric() => letters.push(without_mark(c)),
            _ => {}
        }
    }
    letters
}

fn without_mark(c: char) -> char {
    match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'æ' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => 'e',
        'ğ' => 'g',
        'ì'..='ï' | 'ī' | 'į' | 'ı' => 'i',
        'ł' | 'ľ' | 'ĺ' => 'l',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ő' | 'ō' => 'o',
        'ŕ' | 'ř' => 'r',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ť' | 'ţ' | 'ț' => 't',
        'ù'..='ü' | 'ů' | 'ű' | 'ū' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(host: &str, title: &str, text: &str, logo: &str, expected: Option<&str>) {
        let mut name = SiteName::new(host);
        name.add_text(text);
        name.see_logo(logo);
        assert_eq!(
            name.best(Some(title)).as_deref(),
            expected,
            "{host} {title} {text}"
        );
    }

    #[test]
    fn title_copyright_logo_and_domain_tell_a_name() {
        let name = Some("Bäckerei Möhre");
        check(
            "www.baeckerei-moehre.de",
            "Kontakt | Bäckerei Möhre",
            "",
            "",
            name,
        );
        check(
            "x.de",
            "Kontakt",
            "© 2010–2024 Bäckerei Möhre. Alle Rechte",
            "",
            name,
        );
        check(
            "x.de",
            "Kontakt",
            "Copyright © Bäckerei Möhre 2024",
            "",
            name,
        );
        check(
            "x.de",
            "Kontakt",
            "© Bäckerei Möhre Alle Rechte vorbehalten",
            "",
            name,
        );
        check(
            "baeckereimoehre.de",
            "Kontakt bei Bäckerei Möhre Ulm",
            "",
            "",
            name,
        );
        check(
            "x.de",
            "Bäckerei Möhre - Ulm",
            "",
            "Bäckerei Möhre Logo",
            name,
        );
        check(
            "x.de",
            "Home",
            "© 2024 St. Olaf Church. All",
            "",
            Some("St. Olaf Church"),
        );
        check(
            "x.de",
            "Café Lola Ulm | Home",
            "© Café Lola",
            "",
            Some("Café Lola Ulm"),
        );
    }

    #[test]
    fn what_tells_no_name_is_left_alone() {
        check("x.de", "Kontakt | Willkommen", "", "", None);
        check("x.de", "Home", "© OpenStreetMap", "", None);
        check("x.de", "Home", "© 2024 acme.com", "", None);
        check("x.de", "Home", "© 2024 All rights reserved", "", None);
        check("x.de", "Home", "", "Partner GmbH", None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(\\PC|©|[A-Z][a-z]|\\. | - |20){0,40}") {
            let mut name = SiteName::new("www.firma.de");
            name.add_text(&text);
            name.see_logo(&text);
            name.best(Some(&text));
            name.shares_word(&text);
        }
    }
}
