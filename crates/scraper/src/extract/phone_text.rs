//! Which runs of digits in a text may be phone numbers.
//!
//! Whether one is valid is decided elsewhere; here dates, prices and ids are kept out.

use super::phone_label::Label;

/// Digits of the shortest and the longest number that is considered (E.164 allows 15).
const DIGITS_MIN: usize = 7;
const DIGITS_MAX: usize = 17;

/// Most bytes of digits and phone punctuation in a row that are looked at: half a dozen numbers.
/// What is longer without a sign between its numbers is a table or an attack.
const RUN_MAX_BYTES: usize = 128;

/// Signs that always stand between two numbers.
const DIVIDERS: &[char] = &['|', '·'];

/// Words that stand between two numbers of one kind, in lower case.
const BETWEEN: &[&str] = &[
    "and", "e", "en", "et", "i", "lub", "nebo", "o", "och", "oder", "of", "og", "or", "oraz", "ou",
    "sau", "tai", "u", "und", "vagy", "ve", "y", "и", "или", "και",
];

/// Words after an amount, in lower case.
const CURRENCIES: &[&str] = &[
    "chf", "czk", "dkk", "eur", "euro", "euros", "ft", "gbp", "huf", "kn", "kr", "kč", "lei",
    "nok", "pln", "ron", "rub", "sek", "tl", "try", "usd", "zł", "грн", "руб", "円", "元",
];

/// Units after a measure, in lower case.
const UNITS: &[&str] = &[
    "cm", "ha", "kg", "km", "km²", "m", "m²", "m2", "mm", "stk", "pcs",
];

/// How much speaks for a number before it is known whether it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// All that its line has, or has after a colon, in groups: a number if it is written exactly as its country does.
    Alone,
    /// Grouped as only phone numbers are.
    Grouped,
    /// Announced as a phone number, or written with its country code.
    Sure,
}

/// The candidates in decoded text.
pub(super) fn candidates(text: &str, mut take: impl FnMut(&str, Form)) {
    let mut above = "";
    for line in text.split('\n') {
        if line.bytes().any(|b| b.is_ascii_digit()) {
            search(line, above, &mut take);
        }
        if !line.trim().is_empty() {
            above = line;
        }
    }
}

fn search(line: &str, above: &str, take: &mut impl FnMut(&str, Form)) {
    let mut last: Option<(usize, Label)> = None;
    for run in (Runs { line, position: 0 }) {
        let between = last.and_then(|(end, label)| Some((line.get(end..run.start)?, label)));
        let inherited = between
            .filter(|(between, _)| is_between(between))
            .map(|(_, label)| label);
        let label = match Label::of(run.before, above) {
            Label::None => inherited.unwrap_or(Label::None),
            label => label,
        };
        last = Some((run.start + run.text.len(), label));
        run.numbers(label, take);
    }
}

fn is_between(text: &str) -> bool {
    let text = text.trim_matches(|c: char| !c.is_alphabetic());
    text.is_empty() || BETWEEN.contains(&text.to_lowercase().as_str())
}

/// A run of digits and phone punctuation, with what stands around it.
#[derive(Debug, Clone, Copy)]
struct Run<'a> {
    start: usize,
    before: &'a str,
    text: &'a str,
    after: &'a str,
}

struct Runs<'a> {
    line: &'a str,
    position: usize,
}

impl<'a> Iterator for Runs<'a> {
    type Item = Run<'a>;

    fn next(&mut self) -> Option<Run<'a>> {
        loop {
            let rest = self.line.get(self.position..)?;
            let start =
                self.position + rest.bytes().position(|b| b.is_ascii_digit() || b == b'+')?;
            // An opening bracket belongs to the number.
            let before = self.line.get(..start)?;
            let start = if before.ends_with('(') {
                start - 1
            } else {
                start
            };
            let tail = self.line.get(start..)?;
            let limit = tail.floor_char_boundary(RUN_MAX_BYTES);
            let near = tail.get(..limit)?;
            let end = near
                .find(|c| !is_phone_char(c))
                .or_else(|| (limit == tail.len()).then_some(limit))
                .or_else(|| near.rfind(DIVIDERS));
            let Some(length) = end else {
                self.position = start + tail.find(|c| !is_phone_char(c)).unwrap_or(tail.len());
                continue;
            };
            let text = near
                .get(..length)?
                .trim_end_matches(|c: char| !c.is_ascii_digit());
            self.position = start + length.max(1);
            if digits(text) >= DIGITS_MIN {
                return Some(Run {
                    start,
                    before: self.line.get(..start)?,
                    text,
                    after: self.line.get(start + text.len()..)?,
                });
            }
        }
    }
}

impl<'a> Run<'a> {
    fn numbers(self, label: Label, take: &mut impl FnMut(&str, Form)) {
        if label == Label::Other || self.is_part_of_something() {
            return;
        }
        let is_alone = self.is_alone();
        for number in split_numbers(self.text) {
            let has_country = number.starts_with('+') || number.starts_with("00");
            let is_number = (DIGITS_MIN..=DIGITS_MAX).contains(&digits(number))
                && !is_date_or_time(number)
                && (has_country || label == Label::None || label == Label::Phone);
            if !is_number {
                continue;
            }
            if has_country || label == Label::Phone {
                take(number, Form::Sure);
            } else if is_decimal(number) || is_hours(number) || is_repeated_slash(number) {
            } else if is_grouped_as_phone(number) {
                take(number, Form::Grouped);
            } else if is_alone {
                take(number, Form::Alone);
            }
        }
    }

    /// Whether the line has nothing else, or something and a colon before it.
    fn is_alone(self) -> bool {
        let says = |text: &str| text.contains(char::is_alphanumeric);
        let is_announced = self.before.trim_end().ends_with(':');
        (is_announced || !says(self.before)) && !says(self.after)
    }

    /// Whether the characters next to the run make it a price, an id or a piece of a word.
    fn is_part_of_something(self) -> bool {
        let is_bound =
            |c: char| is_spaced_letter(c) || c.is_ascii_digit() || "#$€£¥%@_=&*/,".contains(c);
        let is_money = |text: &str| text.starts_with(['$', '€', '£', '¥', '%', '₽', '₴', '₺']);
        let starts_free = self.text.starts_with('+');
        let before = self.before.trim_end();
        let after = self.after.trim_start();
        let next_word = after
            .split(|c: char| !(c.is_alphanumeric() || c == '²'))
            .next()
            .unwrap_or_default();
        let next_word = next_word
            .get(..next_word.floor_char_boundary(8))
            .unwrap_or_default();
        let next_word = next_word.to_lowercase();
        let is_measured =
            CURRENCIES.contains(&next_word.as_str()) || UNITS.contains(&next_word.as_str());
        let is_priced =
            before.ends_with(['$', '€', '£', '¥', '#']) || is_money(after) || is_measured;
        let touches_before = before.len() == self.before.len()
            && self.before.chars().next_back().is_some_and(is_bound);
        let touches_after = self.after.chars().next().is_some_and(|c| {
            is_spaced_letter(c) || "%@_=&*:€$".contains(c) || self.decimal_follows()
        });
        is_priced || touches_after || (touches_before && !starts_free)
    }

    fn decimal_follows(self) -> bool {
        let mut chars = self.after.chars();
        chars.next() == Some(',') && chars.next().is_some_and(|c| c.is_ascii_digit())
    }
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// A letter of a script that sets spaces between words, so that one next to a digit makes both
/// one word.
fn is_spaced_letter(c: char) -> bool {
    c.is_alphabetic() && c < '\u{2e80}'
}

fn is_phone_char(c: char) -> bool {
    c.is_ascii_digit()
        || matches!(
            c,
            ' ' | '('
                | ')'
                | '.'
                | '/'
                | '-'
                | '+'
                | '\u{a0}'
                | '\u{202f}'
                | '\u{2009}'
                | '|'
                | '·'
        )
        || ('\u{2010}'..='\u{2015}').contains(&c)
}

/// Cuts a run at signs that stand between two numbers.
fn split_numbers(run: &str) -> Vec<&str> {
    let mut numbers = Vec::new();
    for part in run.split(DIVIDERS) {
        // A plus sign begins a number wherever it stands.
        let mut rest = part.trim();
        while let Some(next) = rest.get(1..).and_then(|tail| tail.find('+')) {
            let (number, tail) = rest.split_at(next + 1);
            split_pair(number, &mut numbers);
            rest = tail;
        }
        split_pair(rest, &mut numbers);
    }
    numbers.retain(|number| !number.is_empty());
    numbers
}

/// Cuts `030 123456 / 0171 1234567`, and leaves out what is an alternative ending:
/// `030 1234567/68`.
fn split_pair<'a>(number: &'a str, numbers: &mut Vec<&'a str>) {
    let number = trim(number);
    let all = digits(number);
    for sign in [" / ", "/", " - ", " – ", " "] {
        let (mut before, mut counted) = (0, 0);
        for (at, _) in number.match_indices(sign) {
            before += digits(number.get(counted..at).unwrap_or_default());
            counted = at;
            let behind = all - before;
            if before < DIGITS_MIN {
                continue;
            }
            let (left, right) = number.split_at(at);
            let (left, right) = (trim(left), trim(right));
            let begins_anew = right.starts_with(['0', '(']) || sign.len() > 1;
            let is_pair = behind >= DIGITS_MIN && begins_anew && (sign != " " || all > 15);
            let is_ending = sign.contains('/') && behind <= 3;
            if is_pair {
                numbers.push(left);
                return split_pair(right, numbers);
            }
            if is_ending {
                numbers.push(left);
                return;
            }
        }
    }
    numbers.push(number);
}

fn trim(number: &str) -> &str {
    let number = number.trim_end_matches(|c: char| !c.is_ascii_digit());
    number.trim_start_matches(|c: char| !(c.is_ascii_digit() || c == '+' || c == '('))
}

fn groups(number: &str) -> Vec<&str> {
    number
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .collect()
}

/// Whether groups of digits are those of a date, of two dates, or of a time.
fn is_date_or_time(number: &str) -> bool {
    let groups = groups(number);
    let value = |at: usize| {
        let group = groups.get(at).copied().unwrap_or_default();
        (group.len(), group.parse::<u32>().unwrap_or(u32::MAX))
    };
    let is_day = |at| matches!(value(at), (1 | 2, 1..=31));
    let is_year = |at| matches!(value(at), (4, 1900..=2100));
    let has_date_signs = number
        .chars()
        .filter(|c| !c.is_ascii_digit())
        .take(2)
        .all(|c| matches!(c, '.' | '/' | '-' | ' '));
    let is_date = (is_day(0) && is_day(1) && is_year(2)) || (is_year(0) && is_day(1) && is_day(2));
    // "01.02.-03.04.2024", and "2019 - 2024" with something after it.
    let is_range = (is_day(0) && is_day(1) && is_day(2) && is_day(3) && is_year(4))
        || (is_year(0) && is_year(1) && groups.len() == 2);
    (is_date && has_date_signs) || is_range || (is_hours(number) && number.contains('.'))
}

/// Whether a number is four small ones, as "08.00 - 12.00" and "8-12 14-18" are.
fn is_hours(number: &str) -> bool {
    let groups = groups(number);
    let has_dash = number.contains(|c: char| c == '-' || ('\u{2010}'..='\u{2015}').contains(&c));
    groups.len() == 4
        && has_dash
        && groups
            .iter()
            .all(|g| g.len() <= 2 && g.parse::<u32>().is_ok_and(|n| n < 60))
}

/// Whether a number has one point with many digits after it, as coordinates have.
fn is_decimal(number: &str) -> bool {
    let mut signs = number.chars().filter(|c| !c.is_ascii_digit());
    signs.next() == Some('.') && signs.next().is_none()
}

/// Tax numbers have groups between slashes.
fn is_repeated_slash(number: &str) -> bool {
    number.matches('/').count() > 1
}

/// The two ways of writing that only phone numbers have: a trunk prefix with groups after it, and
/// the three groups of the North American plan.
fn is_grouped_as_phone(number: &str) -> bool {
    let groups = groups(number);
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let has_trunk_prefix = number.trim_start_matches('(').starts_with('0') && groups.len() >= 2;
    let is_north_american =
        lengths == [3, 3, 4] || (lengths == [1, 3, 3, 4] && number.starts_with('1'));
    has_trunk_prefix || is_north_american
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_without_end_are_passed_over() {
        for piece in ["1/", "1 ", "(1", "+1", "1234567 / ", "1234567|", "1-1.1·"] {
            let line = format!("Tel. {} x 030 1234567", piece.repeat(5000));
            let runs: Vec<&str> = Runs {
                line: &line,
                position: 0,
            }
            .map(|run| run.text)
            .collect();
            assert!(runs.iter().all(|run| run.len() <= RUN_MAX_BYTES), "{piece}");
            assert_eq!(runs.last(), Some(&"030 1234567"), "{piece}");
            let is_divided = piece.contains(DIVIDERS);
            assert_eq!(runs.len() > 1, is_divided, "{piece}: {}", runs.len());
        }
    }
}
