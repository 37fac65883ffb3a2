//! Names of companies in a text, known by their legal form.
//!
//! Taken only where a line is a name, or begins with one that something sets off: in running text
//! others are named.

mod forms;

use std::ops::Range;

use super::marks::{Marks, Place};
use forms::{FOR_OTHERS, GREETINGS, LABELS, LEGAL_FORMS, LEGAL_PREFIXES, RESERVED, RUN_BY, SEATS};

/// Most bytes and words of a name.
const NAME_MAX_BYTES: usize = 100;
const NAME_WORDS_MAX: usize = 9;

/// How far from a legal form its line is looked at, in bytes: a name with the words and years that
/// may stand before it. What is farther away makes the line no name.
const LINE_REACH_BYTES: usize = NAME_MAX_BYTES + 80;

/// The legal forms, in either case.
pub(super) fn legal_forms() -> impl Iterator<Item = &'static str> {
    LEGAL_FORMS.iter().chain(LEGAL_PREFIXES).copied()
}

/// The names in a text, at the [`legal_forms`] in it.
pub(super) fn company_names(text: &str, legal_forms: &[Place], mut take: impl FnMut(&str)) {
    // The names found so far, by where they begin, each with the farthest end.
    let mut last: Option<(usize, usize)> = None;
    for &(word, start, end) in legal_forms {
        let Some(name) = name_at(text, word, start, end) else {
            continue;
        };
        let begins = name.start;
        match last {
            // A longer form begins as a shorter one does: "GmbH & Co. KG".
            Some((known, _)) if known == begins => {}
            Some((known, until)) => {
                if let Some(name) = text.get(known..until) {
                    take(name);
                }
            }
            None => {}
        }
        last = Some((begins, name.end));
    }
    if let Some(name) = last.and_then(|(start, end)| text.get(start..end)) {
        take(name);
    }
}

/// Whether a text is a name with a legal form and nothing else.
pub(super) fn is_company_name(text: &str) -> bool {
    let mut found = false;
    company_names(text, &Marks::of(text).legal_forms, |name| {
        found |= name == text;
    });
    found
}

/// Where the name with the legal form at a place is.
fn name_at(text: &str, word: usize, start: usize, end: usize) -> Option<Range<usize>> {
    let form = text.get(start..end)?;
    // The forms were looked for in either case. Asked first, as short ones are in many words.
    let known = LEGAL_FORMS.get(word);
    let before = text.get(..start)?;
    let may_be_one = match known {
        Some(known) => *known == form && before.ends_with([' ', '\u{a0}', '-']),
        None => {
            let prefix = word.checked_sub(LEGAL_FORMS.len());
            LEGAL_PREFIXES.get(prefix?) == Some(&form) && !before.ends_with(is_cased)
        }
    };
    if !may_be_one {
        return None;
    }
    let (line_start, line_end) = line_around(text, start, end)?;
    match known {
        Some(_) => {
            let is_copyright = || text.get(line_start..start).is_some_and(|t| t.contains('©'));
            if !is_set_off(text.get(end..line_end)?) && !is_copyright() {
                return None;
            }
            let before = text.get(line_start..end)?;
            let lower = before.to_lowercase();
            if FOR_OTHERS.iter().any(|words| lower.contains(words)) {
                return None;
            }
            let own = RUN_BY.iter().filter_map(|words| before.rsplit_once(words));
            let name = own.map(|(_, name)| name).min_by_key(|name| name.len());
            let name = name.unwrap_or_else(|| without_label(before));
            is_name(name, form).then(|| end - name.len()..end)
        }
        None => {
            let before = text.get(line_start..start)?;
            if let Some(bracketed) = in_brackets(before, text.get(start..line_end)?) {
                return Some(start..start + bracketed.len());
            }
            let line = text.get(line_start..line_end)?;
            let name_end = line
                .find([',', '|', '、', '〒', '　', '（', ';', '–'])
                .unwrap_or(line.len());
            // A name in other letters follows in brackets: "한솔정밀공업 주식회사 (Hansol Co., Ltd.)".
            let form_end = end - line_start;
            let bracket = line.get(form_end..)?.find(" (").map(|at| form_end + at);
            let name_end = SEATS
                .iter()
                .filter_map(|seat| line.find(seat))
                .chain(bracket)
                .chain([name_end])
                .min()?;
            let line = line.get(..name_end)?.trim_end();
            let name = without_label(line);
            let end = line_start + line.len();
            let begins = name.starts_with(form) || name.ends_with(form);
            (begins
                && name.len() > form.len() + 1
                && name.len() <= NAME_MAX_BYTES
                && name.split_whitespace().count() <= NAME_WORDS_MAX)
                .then(|| end - name.len()..end)
        }
    }
}

/// Where the line of a legal form begins and ends; an end that is too far away is cut. `None` if
/// the beginning is.
fn line_around(text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let first = text.ceil_char_boundary(start.saturating_sub(LINE_REACH_BYTES));
    let last = text.floor_char_boundary(end.saturating_add(LINE_REACH_BYTES));
    let line_start = match text.get(first..start)?.rfind('\n') {
        Some(at) => first + at + 1,
        None if first == 0 => 0,
        None => return None,
    };
    let line_end = text.get(end..last)?.find('\n').map_or(last, |at| end + at);
    Some((line_start, line_end))
}

/// The name within brackets that begins with its legal form: `翠蓮館（有限会社翠蓮館）`.
fn in_brackets<'a>(before: &str, rest: &'a str) -> Option<&'a str> {
    let close = match before.chars().next_back()? {
        '(' => ')',
        '（' => '）',
        _ => return None,
    };
    let name = rest.split_once(close)?.0;
    (name.len() <= NAME_MAX_BYTES).then_some(name)
}

fn is_cased(c: char) -> bool {
    c.is_uppercase() || c.is_lowercase()
}

/// Whether what follows a legal form ends the name.
fn is_set_off(rest: &str) -> bool {
    // "SE-2024" is none.
    if rest.starts_with('-') && !rest.starts_with("- ") {
        return false;
    }
    let rest = rest.trim_start_matches(['.', ' ', '\u{a0}']);
    let Some(first) = rest.chars().next() else {
        return true;
    };
    matches!(
        first,
        ',' | '|' | '·' | '•' | '–' | '—' | '-' | ':' | ';' | '(' | '©' | '/'
    ) || is_reserved(rest)
        || begins_with(rest, SEATS)
}

/// Whether a text begins with the words that reserve all rights.
pub(super) fn is_reserved(text: &str) -> bool {
    begins_with(text, RESERVED)
}

fn begins_with(text: &str, words: &[&str]) -> bool {
    let lower = text
        .get(..text.floor_char_boundary(24))
        .unwrap_or_default()
        .to_lowercase();
    words.iter().any(|words| lower.starts_with(words))
}

/// A line without what says that a name follows.
fn without_label(line: &str) -> &str {
    let mut name = line.trim_start();
    for _ in 0..3 {
        let shorter = name
            .trim_start_matches(|c: char| {
                c.is_ascii_digit()
                    || matches!(
                        c,
                        '©' | '–' | '-' | ' ' | '\u{a0}' | '(' | ')' | ',' | '|' | '•' | '·'
                    )
            })
            .trim_start_matches("(c)")
            .trim_start_matches("(C)");
        let shorter = match shorter.split_once([':', '：']) {
            Some((label, rest)) if LABELS.contains(&label.trim().to_lowercase().as_str()) => {
                rest.trim_start()
            }
            _ => shorter,
        };
        let shorter = ["Copyright", "copyright"]
            .iter()
            .find_map(|word| shorter.strip_prefix(word))
            .unwrap_or(shorter)
            .trim_start();
        if shorter == name {
            break;
        }
        name = shorter;
    }
    // A heading asks to write to it.
    GREETINGS
        .iter()
        .find_map(|word| name.strip_prefix(word))
        .filter(|rest| rest.starts_with(char::is_uppercase))
        .unwrap_or(name)
}

/// Whether a text before a legal form is a name and no sentence.
fn is_name(name: &str, form: &str) -> bool {
    let Some(own) = name.strip_suffix(form) else {
        return false;
    };
    let own = own.trim();
    let begins = own
        .starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit() || c == '"' || c == '„')
        || own.split(' ').count() == 1 && own.len() > 1;
    let words = own.split_whitespace();
    // "San. ve Tic." is a part of names.
    let stops = own.matches(". ").count();
    let shortened = ["& Co. ", "San. ", "Tic. ", "Dr. ", "Inh. ", "St. "];
    let shortened: usize = shortened.iter().map(|word| own.matches(word).count()).sum();
    let is_sentence = own.contains([':', ';', '?', '!', '|', '©', '@'])
        || stops > shortened + 1
        || words
            .clone()
            .filter(|word| word.starts_with(char::is_lowercase) && word.len() > 3)
            .count()
            > 2;
    // "2. OG" is a floor.
    let last = own.rsplit(' ').next().unwrap_or_default();
    let is_numbered = own.ends_with('/')
        || last
            .strip_suffix('.')
            .is_some_and(|number| !number.contains(char::is_alphabetic));
    begins
        && !is_numbered
        && !is_sentence
        && name.len() <= NAME_MAX_BYTES
        && words.count() <= NAME_WORDS_MAX
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut names = Vec::new();
        company_names(text, &Marks::of(text).legal_forms, |name| {
            names.push(name.to_owned());
        });
        names
    }

    #[test]
    fn names_are_known_by_their_legal_form() {
        for (text, name) in [
            ("Bäckerei Müller GmbH", "Bäckerei Müller GmbH"),
            ("Müller GmbH & Co. KG", "Müller GmbH & Co. KG"),
            ("© 2024 Acme Ltd. All rights reserved", "Acme Ltd."),
            ("Copyright © 2020-2024 Acme Inc.", "Acme Inc."),
            ("Acme Limited, 1 High Street", "Acme Limited"),
            ("Firma: Nowak Sp. z o.o.", "Nowak Sp. z o.o."),
            ("Raison sociale : Dupont SARL", "Dupont SARL"),
            ("Rossi S.r.l. - Via Roma 1", "Rossi S.r.l."),
            ("Pérez e Hijos S.L.", "Pérez e Hijos S.L."),
            ("Jansen B.V. | Amsterdam", "Jansen B.V."),
            ("Svensson AB", "Svensson AB"),
            ("Novák s.r.o.", "Novák s.r.o."),
            ("株式会社さくら", "株式会社さくら"),
            ("旅館（有限会社さくら）", "有限会社さくら"),
            ("Contact Acme Air, LLC", "Acme Air, LLC"),
            ("© 2024 Zug Kft. Minden jog fenntartva", "Zug Kft."),
            ("SARL Le Petit au capital de 8 000 €", "SARL Le Petit"),
            ("Nowak sp. z o.o. z siedzibą w Łodzi", "Nowak sp. z o.o."),
            (
                "Yalı Turizm San. ve Tic. Ltd. Şti.",
                "Yalı Turizm San. ve Tic. Ltd. Şti.",
            ),
            ("会社名：株式会社さくら", "株式会社さくら"),
            ("ООО «Ромашка»", "ООО «Ромашка»"),
            (
                "Sklep prowadzony jest przez Nowak sp. z o.o. z siedzibą w Poznaniu",
                "Nowak sp. z o.o.",
            ),
            ("This shop is owned and operated by Acme Inc.", "Acme Inc."),
            ("Acme LLP is a limited liability partnership", "Acme LLP"),
            ("Acme Ltd is registered in England", "Acme Ltd"),
            ("Optyk Nowak Sp. j.", "Optyk Nowak Sp. j."),
            ("Bakery Sdn. Bhd.", "Bakery Sdn. Bhd."),
            (
                "한솔정밀공업 주식회사 (Hansol) 대표이사",
                "한솔정밀공업 주식회사",
            ),
            (
                "a\nStart UG (haftungsbeschränkt)\nb",
                "Start UG (haftungsbeschränkt)",
            ),
        ] {
            assert_eq!(found(text), [name], "{text}");
        }
    }

    #[test]
    fn names_in_running_text_are_others() {
        for text in [
            "Wir nutzen Dienste der Google Ireland Limited für die Analyse.",
            "This site is hosted by Acme Inc. in Texas and by others",
            "Webdesign: Agentur Schmidt GmbH",
            "Appel d'offres SE-2024-05",
            "Komplementärin: Müller Verwaltungs-GmbH",
            "Hosting durch Acme GmbH",
            "This site is hosted and operated by Acme Inc.",
            "sas dit",
            "GmbH",
            "We limited it",
            "the limited",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
        assert!(is_company_name("Müller GmbH"));
        assert!(!is_company_name("Müller"));
    }

    #[test]
    fn of_a_line_without_end_only_what_is_near_is_read() {
        let line = "Müller GmbH ".repeat(2000);
        for (start, _) in line.match_indices("GmbH") {
            let (first, last) = line_around(&line, start, start + 4).unwrap_or((start, start));
            assert!(last - first <= 2 * LINE_REACH_BYTES + 4, "{}", last - first);
        }
        assert_eq!(found(&line), [""; 0]);
        let far = format!("{}\nMüller GmbH\n{}", "x ".repeat(2000), "x ".repeat(2000));
        assert_eq!(found(&far), ["Müller GmbH"]);
    }

    proptest! {
        #[test]
        fn any_text_is_searched_without_a_panic(
            text in "(\\PC|GmbH| AG| & Co. KG|株式会社|ООО|©|: |\\n){0,30}",
        ) {
            found(&text);
        }
    }
}
