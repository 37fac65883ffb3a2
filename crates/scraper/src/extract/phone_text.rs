//! Which runs of digits in a text may be phone numbers.
//!
//! Whether one is valid is decided elsewhere; here dates, prices and ids are kept out.

mod cut;
mod lists;
mod shapes;
mod vanity;

use std::borrow::Cow;

use super::phone_label::{Label, is_mentioned};
pub(super) use cut::is_span_or_clock;
use cut::{is_bound, is_measured, number_bytes, without_clock};
use lists::listed;
pub(super) use lists::with_ending;
use shapes::{
    digits, groups, is_date_or_time, is_decimal, is_docket, is_grouped_as_phone, is_hours,
    is_joined_date, is_repeated_slash, is_rising,
};
use vanity::vanity;

/// Digits of the shortest and the longest number that is considered (E.164 allows 15).
const DIGITS_MIN: usize = 7;
const DIGITS_MAX: usize = 17;

/// Most bytes of digits and phone punctuation in a row that are looked at: half a dozen numbers.
/// What is longer without a sign between its numbers is a table or an attack.
const RUN_MAX_BYTES: usize = 128;

/// Signs that always stand between two numbers.
const DIVIDERS: &[char] = &['|', '·'];

/// Digits of the shortest beginning of a number in words.
const PREFIX_DIGITS_MIN: usize = 3;

/// Digits of numbers that are written without a space.
const BARE_DIGITS: std::ops::RangeInclusive<usize> = 8..=11;

/// How many lines away another contact may be from such a number, and most of them that wait for
/// one below.
const NEAR_LINES: usize = 3;
const WAITING_MAX: usize = 8;

/// Words that stand between two numbers of one kind, in lower case.
const BETWEEN: &[&str] = &[
    "and", "e", "en", "et", "i", "lub", "nebo", "o", "och", "oder", "of", "og", "or", "oraz", "ou",
    "sau", "tai", "u", "und", "vagy", "ve", "y", "и", "или", "και",
];

/// How much speaks for a number before it is known whether it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// In running text, in three groups or more: a number if it is written exactly as its country
    /// does, and the country is known.
    Running,
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
    let mut neighbors = Neighbors::default();
    for line in text.split('\n') {
        if line.trim().is_empty() {
            continue;
        }
        let seen = if has_digit(line) {
            search(line, above, &mut take)
        } else {
            Seen::default()
        };
        neighbors.see(line, seen, &mut take);
        above = line;
    }
}

/// What a line has.
#[derive(Debug, Default)]
struct Seen<'a> {
    has_number: bool,
    /// Digits alone, which may be a number or an id.
    bare: Option<&'a str>,
}

/// Decides on digits alone: they are a number where another contact is close.
#[derive(Debug, Default)]
struct Neighbors<'a> {
    lines: usize,
    /// The last lines, and the last of them that has a number.
    recent: [&'a str; NEAR_LINES],
    last_number: Option<usize>,
    waiting: Vec<(usize, &'a str)>,
}

impl<'a> Neighbors<'a> {
    fn see(&mut self, line: &'a str, seen: Seen<'a>, take: &mut impl FnMut(&str, Form)) {
        self.lines += 1;
        if let Some(number) = seen.bare {
            let has_number = self
                .last_number
                .is_some_and(|last| self.lines - last <= NEAR_LINES);
            if has_number || self.recent.iter().any(|line| line.contains('@')) {
                take(number, Form::Grouped);
                self.last_number = Some(self.lines);
            } else if self.waiting.len() < WAITING_MAX {
                self.waiting.push((self.lines, number));
            }
        } else if !self.waiting.is_empty() && (seen.has_number || line.contains('@')) {
            for (at, number) in self.waiting.drain(..) {
                if self.lines - at <= NEAR_LINES {
                    take(number, Form::Grouped);
                }
            }
        }
        if seen.has_number {
            self.last_number = Some(self.lines);
        }
        self.recent.rotate_left(1);
        if let Some(last) = self.recent.last_mut() {
            *last = line;
        }
    }
}

fn search<'a>(line: &'a str, above: &str, take: &mut impl FnMut(&str, Form)) -> Seen<'a> {
    let mut last: Option<(usize, Label)> = None;
    // The last number that was taken, which may be one of a list.
    let mut listing: Option<(String, Form)> = None;
    let mut seen = Seen::default();
    for run in (Runs { line, position: 0 }) {
        if digits(run.text) < DIGITS_MIN {
            if let Some(vanity) = vanity(run.text, run.after) {
                let end = run.start + run.text.len() + vanity.bytes;
                // Behind may stand the same in digits, which is surer.
                let rest = line.get(end..).unwrap_or_default().trim_start();
                if !rest.starts_with('(') {
                    take(&vanity.number, Form::Sure);
                    seen.has_number = true;
                }
                last = Some((end, Label::Phone));
            }
            continue;
        }
        let between = last.and_then(|(end, label)| Some((line.get(end..run.start)?, label)));
        let inherited = between
            .filter(|(between, _)| is_between(between))
            .map(|(_, label)| label);
        let label = match Label::of(run.before, above) {
            Label::None => inherited.unwrap_or(Label::None),
            label => label,
        };
        last = Some((run.start + run.text.len(), label));
        // Only the last digits are written of "(012) 276 41 08, 276 41 09".
        if inherited.is_some()
            && let Some((number, form)) = &listing
            && digits(run.text) < digits(number)
            && let Some(number) = with_ending(number, run.text)
        {
            take(&number, *form);
            continue;
        }
        listing = None;
        run.numbers(label, &mut |number, form| {
            take(number, form);
            listing = Some((number.to_owned(), form));
        });
        if label == Label::None && run.is_bare() {
            seen.bare = Some(run.text);
        } else if let Some((number, form)) = &listing {
            let is_grouped = *form == Form::Alone && groups(number).len() > 2;
            seen.has_number |= *form > Form::Alone || is_grouped;
            // Grouped in another way than is usual, it is one beside others.
            if is_grouped && label == Label::None && !is_rising(number) {
                seen.bare = Some(run.text);
            }
            let mut rest = run.after;
            while let Some((ending, tail)) = listed(rest) {
                let Some(number) = with_ending(number, ending) else {
                    break;
                };
                take(&number, *form);
                rest = tail;
            }
        }
    }
    seen
}

fn is_between(text: &str) -> bool {
    let text = text.trim_matches(|c: char| !c.is_alphabetic());
    text.is_empty() || BETWEEN.contains(&text.to_lowercase().as_str())
}

/// Asked of every line of a page: without a way out at the first, compilers read many bytes at once.
fn has_digit(text: &str) -> bool {
    text.bytes()
        .fold(false, |seen, byte| seen | byte.is_ascii_digit())
}

/// Where the first digit or plus sign is. Looked for in pieces of so many bytes, for the same reason.
fn first_digit_or_plus(text: &[u8]) -> Option<usize> {
    const PIECE_BYTES: usize = 32;
    let is_one = |byte: &u8| byte.is_ascii_digit() || *byte == b'+';
    let has_one = |piece: &[u8]| piece.iter().fold(false, |seen, byte| seen | is_one(byte));
    let pieces = text.chunks(PIECE_BYTES);
    let (number, piece) = pieces.enumerate().find(|(_, piece)| has_one(piece))?;
    Some(number * PIECE_BYTES + piece.iter().position(is_one)?)
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
            let start = self.position + first_digit_or_plus(rest.as_bytes())?;
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
            let text = tail.get(..number_bytes(tail, text.len()))?;
            if digits(text) >= PREFIX_DIGITS_MIN {
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
        let is_mentioned = || label == Label::None && is_mentioned(self.before);
        for number in split_numbers(self.text) {
            let number = without_clock(&number);
            let has_plus = number.starts_with('+');
            // Ids begin with zeros as well.
            let has_country = has_plus
                || (number.starts_with("00") && groups(number).len() > 1 && label == Label::None);
            let is_id = number.starts_with("00") && !has_country && label != Label::Phone;
            let is_number = (DIGITS_MIN..=DIGITS_MAX).contains(&digits(number))
                && !is_id
                && !is_date_or_time(number)
                && (has_plus || label == Label::None || label == Label::Phone);
            if !is_number {
                continue;
            }
            if has_plus || label == Label::Phone {
                take(number, Form::Sure);
            } else if is_decimal(number)
                || is_hours(number)
                || is_repeated_slash(number)
                || is_docket(number)
            {
                // Looks like a number, and is another.
            } else if has_country {
                take(number, Form::Sure);
            } else if is_grouped_as_phone(number)
                || (digits(number) > DIGITS_MIN && groups(number).len() > 1 && is_mentioned())
            {
                take(number, Form::Grouped);
            } else if is_alone {
                take(number, Form::Alone);
            } else if !has_country && groups(number).len() > 2 && !is_rising(number) {
                take(number, Form::Running);
            }
        }
    }

    /// Whether the line has nothing else, or something and a colon before it.
    fn is_alone(self) -> bool {
        let says = |text: &str| text.contains(char::is_alphanumeric);
        let is_announced = self.before.trim_end().ends_with(':');
        (is_announced || !says(self.before)) && !says(without_remark(self.after))
    }

    /// Whether the line has nothing else but digits in one group, which are no date.
    fn is_bare(self) -> bool {
        let is_number = BARE_DIGITS.contains(&self.text.len())
            && self.text.bytes().all(|b| b.is_ascii_digit())
            && !self.text.starts_with("00")
            && self.is_alone()
            && !self.is_part_of_something();
        is_number && !is_joined_date(self.text)
    }

    /// Whether the characters next to the run make it a price, an id or a piece of a word.
    fn is_part_of_something(self) -> bool {
        let binds =
            |c: char| is_spaced_letter(c) || c.is_ascii_digit() || "#$€£¥%@_=&*/,".contains(c);
        let starts_free = self.text.starts_with('+');
        let before = self.before.trim_end();
        let is_priced = before.ends_with(['$', '€', '£', '¥', '#']) || is_measured(self.after);
        let touches_before =
            before.len() == self.before.len() && self.before.chars().next_back().is_some_and(binds);
        is_priced
            || is_bound(self.after)
            || (touches_before && !starts_free)
            || follows_bank(before)
    }
}

/// Whether a text ends in the beginning of an account number: `NL91 ABNA`.
fn follows_bank(before: &str) -> bool {
    let mut bytes = before.bytes().rev();
    let mut next_are = |count: usize, is: fn(&u8) -> bool| {
        (0..count).all(|_| bytes.next().is_some_and(|byte| is(&byte)))
    };
    let is_bank = next_are(4, u8::is_ascii_uppercase);
    let is_apart = next_are(1, |byte| *byte == b' ');
    is_bank && is_apart && next_are(2, u8::is_ascii_digit) && next_are(2, u8::is_ascii_uppercase)
}

/// What follows a remark in brackets: `936 120 744 (Mr Smith)`.
fn without_remark(text: &str) -> &str {
    let remark = text.trim_start().strip_prefix('(');
    match remark.and_then(|remark| remark.split_once(')')) {
        Some((remark, rest)) if !remark.contains(|c: char| c.is_ascii_digit()) => rest,
        _ => text,
    }
}

/// A letter of a script that sets spaces between words, so that one next to a digit makes both
/// one word.
fn is_spaced_letter(c: char) -> bool {
    c.is_alphabetic() && c < '\u{2e80}'
}

/// A digit, or a sign that stands within numbers.
pub(super) fn is_phone_char(c: char) -> bool {
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
fn split_numbers(run: &str) -> Vec<Cow<'_, str>> {
    let mut numbers = Vec::new();
    for part in run.split(DIVIDERS).flat_map(split_bracket) {
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

/// Cuts `030 123456 (0171 1234567)`.
fn split_bracket(part: &str) -> impl Iterator<Item = &str> {
    let bracket = part.rfind('(');
    let halves = bracket.and_then(|at| part.split_at_checked(at));
    let halves = halves.filter(|(number, _)| digits(number) >= DIGITS_MIN);
    let (number, bracketed) = halves.unwrap_or((part, ""));
    [number, bracketed].into_iter()
}

/// Cuts `030 123456 / 0171 1234567`, and reads an alternative ending: `030 1234567/68`.
fn split_pair<'a>(number: &'a str, numbers: &mut Vec<Cow<'a, str>>) {
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
            let begins_anew =
                right.starts_with(['0', '(']) || sign.len() > 1 || has_same_groups(left, right);
            let is_pair = behind >= DIGITS_MIN && begins_anew && (sign != " " || all > 15);
            let is_ending = sign.contains('/') && behind <= 3;
            if is_pair {
                numbers.push(left.into());
                return split_pair(right, numbers);
            }
            if is_ending {
                numbers.push(left.into());
                numbers.extend(with_ending(left, right).map(Cow::Owned));
                return;
            }
        }
    }
    numbers.push(number.into());
}

fn has_same_groups(one: &str, other: &str) -> bool {
    let lengths = |text| groups(text).into_iter().map(str::len);
    lengths(one).eq(lengths(other))
}

fn trim(number: &str) -> &str {
    let number = number.trim_end_matches(|c: char| !c.is_ascii_digit());
    number.trim_start_matches(|c: char| !(c.is_ascii_digit() || c == '+' || c == '('))
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
            .filter(|text| digits(text) >= DIGITS_MIN)
            .collect();
            assert!(runs.iter().all(|run| run.len() <= RUN_MAX_BYTES), "{piece}");
            assert_eq!(runs.last(), Some(&"030 1234567"), "{piece}");
            let is_divided = piece.contains(DIVIDERS);
            assert_eq!(runs.len() > 1, is_divided, "{piece}: {}", runs.len());
        }
    }
}
