//! Where a number ends and what counts or times something else begins: `030 1234567 24h`,
//! `030 1234567 (8-17 Uhr)`, `030 1234567 2. Stock`.

use super::super::phone_label::is_labeling;
use super::shapes::{digits, groups, is_date_or_time, is_hours, is_north_american};
use super::{BETWEEN, DIGITS_MIN, DIVIDERS, is_spaced_letter};

/// Words after an amount, in lower case.
const CURRENCIES: &[&str] = &[
    "cent", "cents", "chf", "ct", "cts", "czk", "dkk", "eur", "euro", "euros", "ft", "gbp", "huf",
    "kn", "kr", "kč", "lei", "nok", "pln", "ron", "rp", "rub", "sek", "tl", "try", "usd", "zł",
    "грн", "руб", "円", "元",
];

/// Units after a measure, in lower case.
const UNITS: &[&str] = &[
    "cm", "ha", "kg", "km", "km²", "m", "m²", "m2", "mm", "stk", "pcs",
];

/// Words after a number of hours or days, in lower case.
const TIMES: &[&str] = &[
    "am",
    "days",
    "giorni",
    "h",
    "heures",
    "hodin",
    "horas",
    "hour",
    "hours",
    "hr",
    "hrs",
    "jours",
    "ore",
    "pm",
    "std",
    "stunden",
    "tage",
    "timer",
    "timmar",
    "uhr",
    "uur",
    "часа",
    "часов",
];

/// Digits of the last group of a number after which another of one or two digits counts what
/// follows it: number plans do not divide them so.
const GROUP_BEFORE_ONE: usize = 5;
const GROUP_BEFORE_TWO: usize = 6;

/// Most bytes of a word that is looked at.
const WORD_MAX_BYTES: usize = 16;

/// The bytes of the run with which a text begins that are of numbers.
pub(super) fn number_bytes(text: &str, run_bytes: usize) -> usize {
    let mut end = run_bytes;
    while let Some(shorter) = shorter(text, end) {
        end = shorter;
    }
    end
}

/// The end of what is before the last piece of a run, if that piece is no part of a number.
fn shorter(text: &str, end: usize) -> Option<usize> {
    let (run, after) = text.split_at_checked(end)?;
    let numbers = |at: usize| {
        let kept = run.get(..at)?;
        let kept = kept.trim_end_matches(|c: char| !c.is_ascii_digit());
        (digits(kept) >= DIGITS_MIN).then_some(kept)
    };
    let bracket = run.rfind(|c| c == '(' || DIVIDERS.contains(&c));
    if let Some((at, kept)) = bracket.and_then(|at| Some((at, numbers(at)?))) {
        let piece = run.get(at..)?;
        if digits(piece) < DIGITS_MIN || is_hours(piece) || is_date_or_time(piece) {
            return Some(kept.len());
        }
    }
    let (at, _) = run.char_indices().rev().find(|(_, c)| c.is_whitespace())?;
    let kept = numbers(at)?;
    let piece = run.get(at..)?.trim_start();
    let is_spaced = run.get(kept.len()..)?.trim_end_matches(piece).trim() == "";
    is_of_what_follows(piece, after, kept, is_spaced).then_some(kept.len())
}

/// Whether digits count or time what follows them, rather than to end the number before.
fn is_of_what_follows(piece: &str, after: &str, number: &str, is_spaced: bool) -> bool {
    let pieces = groups(piece);
    if pieces.iter().any(|group| group.len() > 2) {
        return false;
    }
    let last = groups(number).last().map_or(0, |group| group.len());
    if is_clock(piece) || (is_span(&pieces, piece) && last >= GROUP_BEFORE_ONE) {
        return true;
    }
    // A point makes an ordinal of digits: "1. OG".
    let ordered = after.strip_prefix('.');
    let word = next_word(ordered.unwrap_or(after));
    let leads_on = ordered.is_none() && BETWEEN.contains(&word.as_str());
    if leads_on || is_labeling(&word) {
        return false;
    }
    let measures = is_measure(&word) || is_time(&word) || begins_with_money(after);
    if is_bound(after) {
        return measures || last > 2 || word.chars().nth(1).is_none();
    }
    let counts = match piece.len() {
        1 | 2 if is_north_american(&groups(number)) => true,
        1 => piece != "0" && last >= GROUP_BEFORE_ONE,
        2 => last >= GROUP_BEFORE_TWO,
        _ => false,
    };
    measures || (counts && is_spaced && !word.is_empty())
}

/// Whether digits tell that there is somebody at all hours: `24/7`.
fn is_clock(piece: &str) -> bool {
    matches!(piece, "24/7" | "7/24" | "7/7" | "24/24")
}

/// A text without the [hours](is_clock) with which it begins.
pub(super) fn without_clock(text: &str) -> &str {
    match text.split_once(' ') {
        Some((first, rest)) if is_clock(first) => rest,
        _ => text,
    }
}

/// Whether a text is nothing but the hours at which there is somebody: `8-17`, `24/7`.
pub(in super::super) fn is_span_or_clock(text: &str) -> bool {
    is_clock(text) || is_span(&groups(text), text)
}

/// Whether groups are the hours from which and to which there is somebody.
fn is_span(pieces: &[&str], piece: &str) -> bool {
    let is_hour = |group: &&str| group.parse::<u8>().is_ok_and(|hour| hour <= 24);
    piece.contains(['-', '–']) && pieces.len() == 2 && pieces.iter().all(is_hour)
}

/// Whether the characters after digits make both one word or one number.
pub(super) fn is_bound(after: &str) -> bool {
    let mut chars = after.chars();
    match chars.next() {
        Some(':' | ',') => chars.next().is_some_and(|c| c.is_ascii_digit()),
        // An asterisk leads to a note, and several hide digits.
        Some('*') => {
            let rest = after.trim_start_matches('*');
            rest.starts_with(|c: char| c.is_alphanumeric())
        }
        Some(c) => is_spaced_letter(c) || "%@_=&€$".contains(c),
        None => false,
    }
}

/// Whether an amount of money or a measure ends before a text.
pub(super) fn is_measured(after: &str) -> bool {
    is_measure(&next_word(after)) || begins_with_money(after)
}

fn begins_with_money(after: &str) -> bool {
    let signs = ['$', '€', '£', '¥', '%', '₽', '₴', '₺'];
    after.trim_start().starts_with(signs)
}

fn is_measure(word: &str) -> bool {
    CURRENCIES.contains(&word) || UNITS.contains(&word)
}

fn is_time(word: &str) -> bool {
    TIMES.contains(&word)
}

/// The word with which a text begins, in lower case.
fn next_word(after: &str) -> String {
    let word = after
        .trim_start()
        .split(|c: char| !(c.is_alphanumeric() || c == '²'))
        .next()
        .unwrap_or_default();
    let word = word.get(..word.floor_char_boundary(WORD_MAX_BYTES));
    word.unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_before_what_counts_something_else() {
        for (number, rest) in [
            ("0711 / 220 44 55", " 24h Notdienst"),
            ("0711 / 220 44 55", " (24h)"),
            ("0711 123456", " (8-17 Uhr)"),
            ("0711 123456", " (24 Stunden)"),
            ("0711 123456", " 24 Stunden"),
            ("0711 123456", " - 24 Stunden"),
            ("0711 123456", " / 24 h"),
            ("0711 123456", " | 24h"),
            ("0711 123456", ". 24h"),
            ("0711 123456", " (2. Stock)"),
            ("0711 123456", " 1. OG"),
            ("0711 123456", " 2 Filialen"),
            ("0711 123456", " 60 Plätze"),
            ("0711 123456", " 8-17"),
            ("0711 123456", " (08.00 - 12.30h)"),
            ("01805 123456", " (0,14 €/Min.)"),
            ("01805 123456", " (14 ct/min)"),
            ("0900 1 123456", " (1,99 €/Min)"),
            ("043 211 12 34", " (1.50/Min)"),
            ("(303) 292-3344", " 24/7 Emergency"),
            ("(303) 292-3344", " (24/7)"),
            ("303-292-3344", " 2 locations"),
            ("303-292-3344", " 9am-5pm"),
            ("04 78 12 34 56", " 7j/7"),
            ("04 78 12 34 56", " 24h/24 et 7j/7"),
            ("020-1234567", " 24/7"),
            ("02 123456", " (8-12)"),
            ("0711 123456", ""),
            ("0711 12 34 56", " Fax"),
            ("0711 12 34 56", " und mehr"),
            ("0711 1234 56", ". Wir"),
            ("0711 123456 78", " Fax 79"),
            ("0711 123456 - 21", " Zentrale"),
            ("0711 123456 0", " Zentrale"),
            ("0711/123456 (0711/123457", ")"),
            ("04 78 12 34 56", "Fax"),
        ] {
            let text = format!("{number}{rest}");
            let run = text.find(|c| !super::super::is_phone_char(c));
            let run = text.get(..run.unwrap_or(text.len())).unwrap();
            let run = run.trim_end_matches(|c: char| !c.is_ascii_digit());
            let end = number_bytes(&text, run.len());
            assert_eq!(text.get(..end), Some(number), "{text}");
        }
    }

    #[test]
    fn some_signs_bind_digits_to_what_follows() {
        for (after, expected) in [
            ("h", true),
            (",50", true),
            (":30", true),
            ("*89", true),
            ("***x", true),
            ("*", false),
            ("** note", false),
            (": 8", false),
            (", and", false),
            ("電話", false),
            ("", false),
        ] {
            assert_eq!(is_bound(after), expected, "{after}");
        }
    }
}
