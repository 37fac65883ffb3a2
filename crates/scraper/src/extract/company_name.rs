//! Names of companies in a text, known by their legal form.
//!
//! Taken only where a line is a name, or begins with one that something sets off: in running text
//! others are named.

use std::ops::Range;
use std::sync::LazyLock;

use crate::words::Words;

/// Legal forms that end a name, as they are written; a full stop may follow.
const LEGAL_FORMS: &[&str] = &[
    "A.S.",
    "A.Ş",
    "A.Ş.",
    "A/S",
    "AB",
    "AG",
    "AS",
    "ASA",
    "Aps",
    "ApS",
    "Anonim Şirketi",
    "B.V.",
    "BV",
    "Bt.",
    "CV",
    "Co. KG",
    "Co.KG",
    "CO. KG",
    "CO.KG",
    "Corp",
    "Corp.",
    "Corporation",
    "EIRELI",
    "EURL",
    "GbR",
    "GesbR",
    "GmbH",
    "G.m.b.H.",
    "Inc",
    "Inc.",
    "K/S",
    "KG",
    "KGaA",
    "Kft",
    "Kft.",
    "LLC",
    "LLP",
    "LTDA",
    "Lda",
    "Lda.",
    "Limited",
    "Ltd",
    "Ltd.",
    "Ltd. Şti.",
    "Ltda",
    "Ltda.",
    "Limited Şirketi",
    "N.V.",
    "NV",
    "OHG",
    "OG",
    "OÜ",
    "Oy",
    "Oyj",
    "OY",
    "P.C.",
    "PLC",
    "Partnerschaft mbB",
    "PartG mbB",
    "PartGmbB",
    "mbB",
    "mbH",
    "plc",
    "S. de R.L. de C.V.",
    "S.A.",
    "S.A. de C.V.",
    "S.A.S.",
    "S.C.",
    "S.L.",
    "S.L.U.",
    "S.L.P.",
    "S.R.L.",
    "S.R.O.",
    "S.a.s.",
    "S.n.c.",
    "S.p.A.",
    "S.r.l.",
    "S.r.l.s.",
    "S.à r.l.",
    "SA",
    "SARL",
    "SAS",
    "SASU",
    "SE",
    "SIA",
    "SL",
    "SLU",
    "SNC",
    "SRL",
    "SpA",
    "Srl",
    "Srls",
    "Sp. k.",
    "Sp. z o. o.",
    "Sp. z o.o.",
    "Sp. z.o.o.",
    "Sp.j.",
    "Sp.k.",
    "UAB",
    "UG",
    "UG (haftungsbeschränkt)",
    "V.O.F.",
    "VOF",
    "Zrt",
    "Zrt.",
    "a.s.",
    "akciová společnost",
    "d.d.",
    "d.o.o.",
    "e. K.",
    "e. V.",
    "e.G.",
    "e.K.",
    "e.U.",
    "e.V.",
    "eG",
    "eK",
    "eV",
    "s. r. o.",
    "s.c.",
    "s.r.o.",
    "sp. k.",
    "sp. z o. o.",
    "sp. z o.o.",
    "sp. z.o.o.",
    "sp.j.",
    "sp.k.",
    "spol. s r.o.",
    "ΑΕ",
    "Α.Ε.",
    "ΕΠΕ",
    "Ε.Π.Ε.",
    "ΙΚΕ",
    "Ι.Κ.Ε.",
    "ΟΕ",
    "Ο.Ε.",
    "ЕООД",
    "ООД",
];

/// Legal forms that begin a name.
const LEGAL_PREFIXES: &[&str] = &[
    "ООО",
    "ОАО",
    "ЗАО",
    "ПАО",
    "АО",
    "ТОВ",
    "株式会社",
    "有限会社",
    "合同会社",
    "PT ",
    "UAB ",
    "SIA ",
];

/// Words before a name that say so, in lower case.
const LABELS: &[&str] = &[
    "anbieter",
    "azienda",
    "bedrijf",
    "bedrijfsnaam",
    "betreiber",
    "cégnév",
    "company",
    "company name",
    "copyright",
    "denominación social",
    "denominazione",
    "diensteanbieter",
    "editor",
    "empresa",
    "firma",
    "firmanavn",
    "firmanimi",
    "firmenname",
    "företag",
    "handelsnaam",
    "herausgeber",
    "impressum",
    "inhaber",
    "legal name",
    "nazwa",
    "nazwa firmy",
    "név",
    "operator",
    "propriétaire",
    "raison sociale",
    "ragione sociale",
    "razão social",
    "razón social",
    "registered name",
    "responsable",
    "siège social",
    "société",
    "statutaire naam",
    "titolare",
    "titular",
    "unternehmen",
    "verantwortlich",
    "virksomhed",
    "názov",
    "obchodní firma",
    "éditeur",
    "επωνυμία",
    "会社名",
    "商号",
    "運営会社",
    "社名",
];

/// Most bytes and words of a name.
const NAME_MAX_BYTES: usize = 100;
const NAME_WORDS_MAX: usize = 9;

/// How far from a legal form its line is looked at, in bytes: a name with the words and years that
/// may stand before it. What is farther away makes the line no name.
const LINE_REACH_BYTES: usize = NAME_MAX_BYTES + 80;

static FORMS: LazyLock<Words> =
    LazyLock::new(|| Words::new(LEGAL_FORMS.iter().chain(LEGAL_PREFIXES).copied()));

/// The names in a text.
pub(super) fn company_names(text: &str, mut take: impl FnMut(&str)) {
    // The names found so far, by where they begin, each with the farthest end.
    let mut last: Option<(usize, usize)> = None;
    for (word, start, end) in FORMS.find(text) {
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
    company_names(text, |name| found |= name == text);
    found
}

/// Where the name with the legal form at a place is.
fn name_at(text: &str, word: usize, start: usize, end: usize) -> Option<Range<usize>> {
    let form = text.get(start..end)?;
    // The automaton knows no case, the forms do. Asked first, as short ones are in many words.
    let known = LEGAL_FORMS.get(word);
    if known.is_some_and(|known| {
        let before = text.get(..start);
        *known != form || !before.is_some_and(|text| text.ends_with([' ', '\u{a0}', '-']))
    }) {
        return None;
    }
    let (line_start, line_end) = line_around(text, start, end)?;
    match known {
        Some(_) => {
            if !is_set_off(text.get(end..line_end)?) {
                return None;
            }
            let name = without_label(text.get(line_start..end)?);
            is_name(name, form).then(|| end - name.len()..end)
        }
        None => {
            let before = text.get(line_start..start)?;
            let line = text.get(line_start..line_end)?;
            let name_end = line
                .find([',', '|', '、', '〒', '　', '(', '（', ';'])
                .unwrap_or(line.len());
            let line = line.get(..name_end)?.trim_end();
            let name = without_label(line);
            let end = line_start + line.len();
            let begins = name.starts_with(form) || name.ends_with(form);
            let is_whole = before.is_empty() || !before.ends_with(is_cased);
            (begins
                && is_whole
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

fn is_cased(c: char) -> bool {
    c.is_uppercase() || c.is_lowercase()
}

/// Whether what follows a legal form ends the name.
fn is_set_off(rest: &str) -> bool {
    let rest = rest.trim_start_matches(['.', ' ', '\u{a0}']);
    let Some(first) = rest.chars().next() else {
        return true;
    };
    let lower = rest
        .get(..rest.floor_char_boundary(24))
        .unwrap_or_default()
        .to_lowercase();
    let is_reserved = [
        "all rights",
        "alle rechte",
        "tous droits",
        "todos los",
        "tutti i",
        "wszel",
    ]
    .iter()
    .any(|words| lower.starts_with(words));
    matches!(
        first,
        ',' | '|' | '·' | '•' | '–' | '—' | '-' | ':' | ';' | '(' | '©' | '/'
    ) || is_reserved
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
    name
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
    let is_sentence = own.contains([':', ';', '?', '!', '|', '©', '@'])
        || own.contains(". ") && !own.contains("& Co. ") && own.matches(". ").count() > 1
        || words
            .clone()
            .filter(|word| word.starts_with(char::is_lowercase) && word.len() > 3)
            .count()
            > 2;
    // "2. OG" is a floor.
    let is_numbered = own.ends_with(['.', '/']) && !own.contains("Co.");
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
        company_names(text, |name| names.push(name.to_owned()));
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
            ("会社名：株式会社さくら", "株式会社さくら"),
            ("ООО «Ромашка»", "ООО «Ромашка»"),
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
