//! The days and hours that a line names, in their order.

use super::lexer::{Half, Time, Token, tokens};
use super::week::{DAY_MINUTES, Days, Span};
use super::words::{AFTER_NOON, ANY, BEFORE_NOON, Language, Meaning, NAMED_TIMES};

/// What a line says, as far as opening hours go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Days(Days),
    /// Hours, and whether nothing but their place says that the numbers are hours.
    Span(Span, bool),
    Closed,
    /// A number that is no hour: of a date, a price, a room.
    Number,
    /// Any other word.
    Word,
}

/// Most words of a name of days: "en semaine", "todos los días".
const NAME_WORDS_MAX: usize = 3;

/// Most small words between two names of days beside what joins them: "t/m de", "to and".
const ARTICLES_MAX: usize = 2;

/// Reads a line in a language.
pub(super) fn items(line: &str, language: &Language) -> Vec<Item> {
    let lower = line.to_lowercase();
    let tokens = tokens(line);
    let reader = Reader {
        lower: super::lexer::tokens(&lower),
        tokens,
        language,
    };
    reader.read()
}

/// Whether a line has hours from one time to another, in whichever language.
pub(super) fn has_span(line: &str) -> bool {
    let is_span = |item: &Item| matches!(item, Item::Span(..));
    // Most lines have no time behind another, which is seen without reading the days.
    let lower = line.to_lowercase();
    let reader = Reader {
        lower: tokens(&lower),
        tokens: Vec::new(),
        language: &ANY,
    };
    let mut places = 0..reader.lower.len();
    places.any(|at| reader.span(at).is_some_and(|(item, _)| is_span(&item)))
        && items(line, &ANY).iter().any(is_span)
}

struct Reader<'t> {
    tokens: Vec<Token<'t>>,
    /// The same in lower case.
    lower: Vec<Token<'t>>,
    language: &'t Language,
}

impl Reader<'_> {
    fn read(&self) -> Vec<Item> {
        let mut items = Vec::new();
        let mut at = 0;
        let mut is_but = false;
        while let Some(token) = self.lower.get(at) {
            if let Some((item, next)) = self.span(at) {
                items.push(item);
                at = next;
                continue;
            }
            if let Some((days, next)) = self.days(at) {
                at = next;
                match items.last_mut() {
                    Some(Item::Days(known)) if is_but => *known = known.without(days),
                    _ => items.push(Item::Days(days)),
                }
                is_but = false;
                continue;
            }
            match token {
                Token::Word(word) => match self.language.meaning(word) {
                    Meaning::Closed => items.push(Item::Closed),
                    Meaning::But => is_but = true,
                    _ => items.push(Item::Word),
                },
                Token::Number | Token::Time(_) => items.push(Item::Number),
                Token::Dash | Token::Sign(_) => {}
            }
            at += 1;
        }
        items
    }

    fn word(&self, at: usize) -> Option<&str> {
        match self.lower.get(at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn is_sign(&self, at: usize, signs: &[char]) -> bool {
        matches!(self.lower.get(at), Some(Token::Sign(sign)) if signs.contains(sign))
    }

    fn is_dash(&self, at: usize) -> bool {
        matches!(self.lower.get(at), Some(Token::Dash))
    }

    fn is_number(&self, at: usize) -> bool {
        matches!(self.lower.get(at), Some(Token::Number | Token::Time(_)))
    }

    fn means(&self, at: usize, meaning: Meaning) -> bool {
        let word = self.word(at);
        word.is_some_and(|word| self.language.meaning(word) == meaning)
    }

    /// The days from a place on, with those that are joined to them, and the place behind.
    fn days(&self, start: usize) -> Option<(Days, usize)> {
        let (mut days, mut at) = self.day(start)?;
        // The name that a range begins with.
        let mut last = days;
        loop {
            let behind = at + usize::from(self.is_sign(at, &['.']));
            let joined = self.joined_day(behind);
            let Some((is_range, day, next)) = joined else {
                return Some((days, at));
            };
            days = days.and(if is_range { last.through(day) } else { day });
            last = day;
            at = next;
        }
    }

    /// A further name with what joins it: whether both are the ends of a range, its days, and the
    /// place behind.
    fn joined_day(&self, at: usize) -> Option<(bool, Days, usize)> {
        let is_to = |at: usize| self.is_dash(at) || self.means(at, Meaning::To);
        let is_and = |at: usize| {
            self.is_sign(at, &[',', '/', '&', '+', '·', '・', '、']) || self.means(at, Meaning::And)
        };
        let is_range = is_to(at);
        if !is_range && !is_and(at) {
            return None;
        }
        let mut next = at + 1;
        // "tot en met vrijdag", ", and Friday"
        while next <= at + ARTICLES_MAX && (is_to(next) || is_and(next)) {
            next += 1;
        }
        let (day, behind) = self.day(next).or_else(|| {
            // "et le dimanche"
            let article = self.word(next).filter(|word| word.chars().count() <= 3)?;
            let is_article = self.language.meaning(article) == Meaning::Other;
            is_article.then(|| self.day(next + 1)).flatten()
        })?;
        Some((is_range, day, behind))
    }

    /// One name of days and the place behind.
    fn day(&self, at: usize) -> Option<(Days, usize)> {
        let is_capital = |token: Option<&Token<'_>>| match token {
            Some(Token::Word(word)) => word.starts_with(char::is_uppercase),
            _ => false,
        };
        let mut name = String::new();
        for count in 0..NAME_WORDS_MAX {
            let Some(word) = self.word(at + count) else {
                break;
            };
            if count > 0 {
                name.push(' ');
            }
            name.push_str(word);
            // A single letter is a day only as a capital: "H–P".
            if word.len() == 1 && !is_capital(self.tokens.get(at + count)) {
                continue;
            }
            if let Meaning::Days(days) = self.language.meaning(&name) {
                let mut next = at + count + 1;
                // "segunda-feira"
                if self.is_dash(next) && matches!(self.word(next + 1), Some("feira" | "feiras")) {
                    next += 2;
                }
                return Some((days, next));
            }
        }
        None
    }

    /// Hours from one time to another, and the place behind.
    fn span(&self, start: usize) -> Option<(Item, usize)> {
        let (from, mut at) = self.time(start)?;
        if !(self.is_dash(at) || self.means(at, Meaning::To)) {
            return None;
        }
        at += 1;
        // "9 til kl. 17", "8h até às 12h"
        let skips = self.word(at).is_some_and(|word| {
            matches!(word, "kl" | "klo") || self.language.meaning(word) == Meaning::To
        });
        at += usize::from(skips);
        at += usize::from(skips && self.is_sign(at, &['.']));
        let (to, at) = self.time(at)?;
        // A phone number, or a date with a dash.
        let goes_on = |sign: bool| sign && self.is_number(at + 1);
        let is_part = goes_on(self.is_dash(at))
            || start
                .checked_sub(2)
                .is_some_and(|before| self.is_dash(before + 1) && self.is_number(before));
        if is_part {
            return Some((Item::Number, at));
        }
        let is_bare = from.is_bare && to.is_bare;
        Some((
            span(from, to, self.language).map_or(Item::Number, |span| Item::Span(span, is_bare)),
            at,
        ))
    }

    /// A time, also one in words, and the place behind.
    fn time(&self, at: usize) -> Option<(Time, usize)> {
        match self.lower.get(at)? {
            Token::Time(time) => Some((*time, at + 1)),
            Token::Word(word) => {
                let half = if BEFORE_NOON.contains(word) {
                    Some(Half::Before)
                } else if AFTER_NOON.contains(word) {
                    Some(Half::After)
                } else {
                    None
                };
                if let Some(Token::Time(time)) = self.lower.get(at + 1).filter(|_| half.is_some()) {
                    let half = half.filter(|_| time.hour <= 12);
                    return Some((Time { half, ..*time }, at + 2));
                }
                let (_, minutes) = NAMED_TIMES.iter().find(|(name, _)| name == word)?;
                let time = Time {
                    hour: minutes / 60,
                    minute: 0,
                    half: None,
                    is_bare: false,
                };
                Some((time, at + 1))
            }
            _ => None,
        }
    }
}

/// The hours between two times, which may leave open of which half of the day they are.
fn span(from: Time, to: Time, language: &Language) -> Option<Span> {
    const NOON: u16 = DAY_MINUTES / 2;
    let minutes = |time: Time| match time.half {
        Some(Half::Before) => time.hour % 12 * 60 + time.minute,
        Some(Half::After) => time.hour % 12 * 60 + time.minute + NOON,
        None => time.hour * 60 + time.minute,
    };
    let (mut opens, mut closes) = (minutes(from), minutes(to));
    match (from.half, to.half) {
        // "5–6.30pm", but "9-5pm"
        (None, Some(Half::After)) if from.hour <= 12 => {
            let early = opens % NOON;
            opens = if early < closes % NOON {
                early + NOON
            } else {
                opens
            };
        }
        (None, None) if closes <= opens && closes < NOON && opens < NOON => {
            // "9 - 2"; elsewhere than in English nobody counts so.
            if !language.counts_to_twelve() {
                return None;
            }
            closes += NOON;
        }
        _ => {}
    }
    let is_all_day = opens == 0 && closes == DAY_MINUTES;
    if is_all_day {
        return Some(Span::ALL_DAY);
    }
    closes %= DAY_MINUTES;
    opens %= DAY_MINUTES;
    (opens != closes).then_some(Span { opens, closes })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::words::language;
    use super::*;

    /// Days and hours of a line, each day with the hours behind it.
    fn check(tag: &str, line: &str, expected: &str) {
        let written = items(line, language(Some(tag)))
            .into_iter()
            .filter_map(|item| {
                Some(match item {
                    Item::Days(days) => days.written(),
                    Item::Span(span, _) => span.written(),
                    Item::Closed => "closed".to_owned(),
                    Item::Number => "#".to_owned(),
                    Item::Word => return None,
                })
            });
        let written: Vec<String> = written.collect();
        assert_eq!(written.join(" "), expected, "{line}");
    }

    #[test]
    fn days_are_joined_as_languages_join_them() {
        check("de", "Mo, Di, Do + Fr", "Mo,Tu,Th,Fr");
        check("de", "Mo.–Mi. und Fr.", "Mo-We,Fr");
        check("fr", "du lundi au jeudi et le samedi", "Mo-Th,Sa");
        check("nl", "Maandag tot en met vrijdag", "Mo-Fr");
        check("nl", "dinsdag t/m vrijdag", "Tu-Fr");
        check("pt", "Segunda-feira a sexta-feira", "Mo-Fr");
        check("pt", "2ª a 6ª", "Mo-Fr");
        check("hu", "H–P", "Mo-Fr");
        check("hu", "Hétfő, szerda", "Mo,We");
        check("ja", "月～金", "Mo-Fr");
        check("ja", "土・日", "Sa,Su");
        check("ja", "土日祝", "Sa,Su");
        check("ko", "월요일 ~ 목요일", "Mo-Th");
        check("de", "täglich außer Montag", "Tu-Su");
        check("tr", "Hafta içi", "Mo-Fr");
        check("en", "Lunes a viernes", "Mo Fr");
        check("en", "Mon and on Sat", "Mo,Sa");
    }

    #[test]
    fn hours_are_read_as_languages_write_them() {
        check("en", "9am – 5.30pm", "09:00-17:30");
        check("en", "9 to 5pm", "09:00-17:00");
        check("en", "5–6.30pm", "17:00-18:30");
        check("en", "noon - 11pm", "12:00-23:00");
        check("en", "9 - 2", "09:00-14:00");
        check("de", "9 - 2", "#");
        check("de", "17–0:30 Uhr", "17:00-00:30");
        check("de", "0–24 Uhr", "00:00-23:59");
        check("fr", "de 9h à 12h30", "09:00-12:30");
        check("da", "kl. 9 til kl. 17", "09:00-17:00");
        check("ko", "오전 9시 ~ 오후 6시", "09:00-18:00");
        check("pt", "das 8h30 às 12h30", "08:30-12:30");
    }

    #[test]
    fn dates_and_other_numbers_are_no_hours() {
        check("de", "14.05.–16.05.2024", "# #");
        check("en", "406-721-3308", "# # #");
        check("de", "12.04. - 19.05.", "# #");
        check("fr", "06-81-40", "# # #");
        check("fr", "06-12-20", "# #");
        check("en", "June 8", "#");
        check("de", "12.00 - 12.00 Uhr", "#");
    }

    proptest! {
        #[test]
        fn spans_are_seen_without_the_days_where_they_are_with_them(
            pieces in proptest::collection::vec(
                prop::sample::select(vec![
                    "9", "12:30", "17h", "5 pm", "030", "-", "–", "bis", "to", "noon", "Uhr", "Mo",
                    "Friday", "und", ",", ".", "€", "x", "ab", "p.m.", "kl.",
                ]),
                0..12,
            ),
        ) {
            let line = pieces.join(" ");
            let found = items(&line, &ANY);
            let expected = found.iter().any(|item| matches!(item, Item::Span(..)));
            prop_assert_eq!(has_span(&line), expected, "{}", line);
        }
    }
}
