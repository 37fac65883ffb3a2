//! Opening hours in a text: days with the hours behind them, in a line, in lines that follow each
//! other, or in the cells of a table.
//!
//! Lines that have hours are kept with what stands above them, and are read at the end of the page,
//! when its language is known: short names of days mean others elsewhere. Whether a line has any is
//! asked of the lines with digits alone; the short names among the words of contacts would be met
//! in half of all words. Precision first: hours are those of opening only where a word says so,
//! or where they are those of a whole week.

mod grammar;
mod lexer;
pub(super) mod week;
pub(super) mod words;

use super::lines::lines_above;
use grammar::{Item, has_span, items};
use lexer::is_dash;
use week::{Days, Span};
use words::{Language, language, may_be_day, open_at, others_at};

/// Most lines kept of a page: a few weeks of days in cells of their own.
const LINES_MAX: usize = 96;

/// Most bytes of a line, and how far before its first and behind its last digit one is read.
const LINE_MAX_BYTES: usize = 320;
const REACH_BEFORE_BYTES: usize = 120;
const REACH_BEHIND_BYTES: usize = 60;

/// How many lines above one with hours are kept, and for how many a heading holds.
const LINES_ABOVE: usize = 5;

/// Most bytes from one number of hours to the next: "9 a.m. until ".
const SPAN_GAP_MAX_BYTES: usize = 20;

/// Most bytes of a line in which one end of the hours is named: "Sat 9 a.m. to noon".
const NAMED_LINE_MAX_BYTES: usize = 64;

/// Most words between days and their hours, and in a line that has days or hours alone.
const WORDS_BETWEEN_MAX: usize = 3;
const WORDS_ALONE_MAX: usize = 3;

/// So many days with the same hours are a week; of days one by one it takes one more.
const WEEK_DAYS_LEAST: u32 = 3;

/// Most lines of opening hours of a page. Chosen: two for each day.
const HOURS_MAX: usize = 14;

/// Keeps the lines of a page that may be of opening hours.
#[derive(Debug, Default)]
pub(super) struct Hours {
    lines: Vec<Line>,
    /// Where the line kept last ends in the text that is being read.
    kept_until: usize,
}

#[derive(Debug)]
struct Line {
    text: String,
    /// Lines were left out before it.
    is_after_gap: bool,
}

impl Hours {
    /// Another text begins; its lines follow those of the last one.
    pub(super) fn begin_text(&mut self) {
        self.kept_until = 0;
    }

    /// Takes the line of a text that begins at a place, if it may be of opening hours.
    pub(super) fn see_line(&mut self, text: &str, start: usize, line: &str) {
        if self.lines.len() >= LINES_MAX || !may_have_span(line) {
            return;
        }
        let Some(near) = near_digits(line).filter(|near| has_span(near)) else {
            return;
        };
        let mut above: Vec<&str> = Vec::with_capacity(LINES_ABOVE);
        let mut follows = false;
        for (at, line) in lines_above(text, start).take(LINES_ABOVE + 1) {
            follows = at < self.kept_until;
            if follows || above.len() == LINES_ABOVE {
                break;
            }
            above.push(line);
        }
        if !follows && !has_day(near) && !above.iter().any(|line| has_day(line)) {
            return;
        }
        let mut is_after_gap = !follows;
        for line in above.into_iter().rev().chain([near]) {
            let line = line.trim();
            let is_empty = line.chars().all(|c| c.is_whitespace() || is_dash(c));
            if is_empty || self.lines.len() >= LINES_MAX {
                continue;
            }
            let start = line.ceil_char_boundary(line.len().saturating_sub(LINE_MAX_BYTES));
            self.lines.push(Line {
                text: line.get(start..).unwrap_or_default().to_owned(),
                is_after_gap: std::mem::take(&mut is_after_gap),
            });
        }
        self.kept_until = start + line.len();
    }

    /// The opening hours of the page, whose language is by now known or not to be known.
    pub(super) fn resolve(&mut self, tag: Option<&str>) -> Vec<String> {
        let language = language(tag);
        let mut table = Table::default();
        for line in std::mem::take(&mut self.lines) {
            table.read(&line, language);
        }
        table.finish()
    }
}

/// The part of a line in which its digits are, if hours may be among them.
fn near_digits(line: &str) -> Option<&str> {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let first = line.bytes().position(|byte| is_digit(&byte))?;
    let last = line.bytes().rposition(|byte| is_digit(&byte))?;
    let start = line.ceil_char_boundary(first.saturating_sub(REACH_BEFORE_BYTES));
    let end = (last + REACH_BEHIND_BYTES).min(start + LINE_MAX_BYTES);
    line.get(start..line.floor_char_boundary(end))
}

/// Whether two numbers of at most two digits stand as near as the ends of hours do, or one beside a
/// time in words: asked of every line with digits, of which most have neither.
fn may_have_span(line: &str) -> bool {
    let bytes = line.as_bytes();
    let mut at = 0;
    let mut ended: Option<usize> = None;
    while let Some(next) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(u8::is_ascii_digit))
    {
        let first = at + next;
        let digits = bytes
            .iter()
            .skip(first)
            .take_while(|b| b.is_ascii_digit())
            .count();
        at = first + digits;
        if digits <= 2 {
            if ended.is_some_and(|end| first - end <= SPAN_GAP_MAX_BYTES) {
                return true;
            }
            ended = Some(at);
        }
    }
    ended.is_some() && line.len() <= NAMED_LINE_MAX_BYTES && has_named_time(bytes)
}

fn has_named_time(line: &[u8]) -> bool {
    let mut words = line.split(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic());
    words.any(|word| {
        // All of them begin with one of two letters.
        matches!(word.first(), Some(b'm' | b'M' | b'n' | b'N'))
            && words::NAMED_TIMES
                .iter()
                .any(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))
    })
}

/// Whether a line has a word that is for a day in some language.
fn has_day(line: &str) -> bool {
    let start = line.ceil_char_boundary(line.len().saturating_sub(LINE_MAX_BYTES));
    let lower = line.get(start..).unwrap_or_default().to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphabetic());
    words.any(|word| !word.is_empty() && may_be_day(word))
}

/// Days with their hours that stand together.
#[derive(Debug, Default)]
struct Group {
    hours: Vec<(Days, Span)>,
    /// A word says that these are opening hours.
    is_named: bool,
    /// Some days have the same hours.
    has_week: bool,
    /// Words stand there that are no part of hours.
    has_words: bool,
}

impl Group {
    fn days(&self) -> Days {
        self.hours
            .iter()
            .map(|(days, _)| *days)
            .fold(Days::NONE, Days::and)
    }

    fn is_of_opening(&self) -> bool {
        self.is_named || self.has_week || !self.has_words && self.days().count() > WEEK_DAYS_LEAST
    }

    /// Adds hours, unless the days have others at that time: the first ones are the widest.
    fn add(&mut self, days: Days, span: Span) {
        // "weekdays 7–16, Fridays 7–15"
        for (known, other) in &mut self.hours {
            if known.count() > days.count() && other.opens == span.opens && *other != span {
                *known = known.without(days);
            }
        }
        let taken = |(known, other): &(Days, Span)| known.meets(days) && other.overlaps(span);
        if self.hours.len() < HOURS_MAX && !self.hours.iter().any(taken) {
            self.has_week |= days.count() >= WEEK_DAYS_LEAST;
            self.hours.push((days, span));
        }
    }
}

/// Reads the lines in their order.
#[derive(Debug, Default)]
struct Table {
    groups: Vec<Group>,
    group: Group,
    /// Days on a line of their own, whose hours follow.
    pending: Option<Days>,
    /// How many such lines stand together.
    pending_lines: usize,
    /// For how many lines more a heading holds that says that hours are those of opening.
    named: usize,
    /// The same for one that says that they are others.
    others: usize,
}

impl Table {
    fn read(&mut self, line: &Line, language: &Language) {
        if line.is_after_gap {
            self.end_group();
            self.named = 0;
            self.others = 0;
        }
        // Words end at spaces: "open".
        let lower = format!("{} ", line.text.to_lowercase());
        let (open, others) = (open_at(&lower), others_at(&lower));
        let items = items(&line.text, language);
        let has_hours = items
            .iter()
            .any(|item| matches!(item, Item::Days(_) | Item::Span(..) | Item::Closed));
        let is_of_others = others.is_some_and(|at| open.is_none_or(|open| at < open));
        if is_of_others {
            self.end_group();
            self.named = 0;
            self.others = LINES_ABOVE * usize::from(!has_hours);
            if has_hours {
                return;
            }
        } else if open.is_some() {
            if self.others > 0 || !has_hours {
                self.end_group();
            }
            self.named = LINES_ABOVE;
            self.others = 0;
        }
        if !has_hours {
            self.end_group();
            self.named = self.named.saturating_sub(usize::from(open.is_none()));
            self.others = self.others.saturating_sub(usize::from(!is_of_others));
        } else if self.others == 0 {
            self.hours_line(&items);
            self.group.is_named |= self.named > 0;
        }
    }

    fn hours_line(&mut self, items: &[Item]) {
        let mut days = self.pending.take();
        let was_pending = days.is_some();
        let (mut words, mut is_used, mut is_spoiled) = (0, false, false);
        // Hours before any days, which may follow: "9am to 5pm, Monday to Friday".
        let mut lead: Vec<Span> = Vec::new();
        let mut added: Vec<(Days, Span)> = Vec::new();
        let words_all = items.iter().filter(|item| **item == Item::Word).count();
        for (at, item) in items.iter().enumerate() {
            match *item {
                Item::Days(named) => {
                    (days, words, is_used) = (Some(named), 0, false);
                    if !matches!(items.get(at + 1), Some(Item::Span(..))) {
                        is_used = !lead.is_empty();
                        added.extend(lead.drain(..).map(|span| (named, span)));
                    }
                }
                Item::Span(span, is_bare) => {
                    let near = if is_bare { 1 } else { WORDS_BETWEEN_MAX };
                    match days.filter(|_| words <= near) {
                        Some(days) => {
                            added.push((days, span));
                            (words, is_used) = (0, true);
                        }
                        None if days.is_none() && !is_spoiled => lead.push(span),
                        None => {}
                    }
                }
                Item::Closed => {
                    self.group.is_named |= was_pending || days.is_some();
                    // A cell alone may stand before others of the same day.
                    if items.len() > 1 {
                        days = None;
                    }
                }
                Item::Number => {
                    is_spoiled = true;
                    if !is_used || words == 0 {
                        days = None;
                    }
                }
                Item::Word => words += 1,
            }
        }
        let is_alone = words_all <= WORDS_ALONE_MAX && !is_spoiled;
        let has_own_days = items.iter().any(|item| matches!(item, Item::Days(_)));
        self.group.has_words |= words_all > 0;
        for (days, span) in added {
            self.group.add(days, span);
        }
        if has_own_days && is_used {
            self.pending_lines = 0;
        } else if has_own_days {
            self.pending_lines += 1;
            // The days in the head of a table stand over hours, not before them.
            self.pending = days.filter(|_| is_alone && self.pending_lines <= 2);
        } else {
            self.pending = days.filter(|_| is_alone && was_pending);
            self.pending_lines = 0;
        }
    }

    fn end_group(&mut self) {
        self.pending = None;
        self.pending_lines = 0;
        let group = std::mem::take(&mut self.group);
        if !group.hours.is_empty() && group.is_of_opening() {
            self.groups.push(group);
        }
    }

    /// The hours of the groups that a word names, else of the others; each day is told once.
    fn finish(mut self) -> Vec<String> {
        self.end_group();
        let has_named = self.groups.iter().any(|group| group.is_named);
        let mut told = Days::NONE;
        let mut lines: Vec<(Days, Span)> = Vec::new();
        for group in self
            .groups
            .iter()
            .filter(|group| group.is_named == has_named)
        {
            if told.meets(group.days()) {
                continue;
            }
            told = told.and(group.days());
            for (days, span) in &group.hours {
                match lines.iter_mut().find(|(_, known)| known == span) {
                    Some((known, _)) => *known = known.and(*days),
                    None => lines.push((*days, *span)),
                }
            }
        }
        let lines = lines.into_iter().take(HOURS_MAX);
        lines
            .map(|(days, span)| format!("{} {}", days.written(), span.written()))
            .collect()
    }
}

#[cfg(test)]
mod tests;
