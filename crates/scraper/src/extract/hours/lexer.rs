//! The words, times and signs of a line in which opening hours may stand.

/// Something that a line is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A time of day.
    Time(Time),
    /// A number that is no time of day, or is a part of something longer: a price, a date.
    Number,
    /// Letters, also `t/m` and `2ª`.
    Word(&'t str),
    /// A dash of any length, or a wave.
    Dash,
    /// Any other sign.
    Sign(char),
}

/// A time of day as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    pub(super) hour: u16,
    pub(super) minute: u16,
    pub(super) half: Option<Half>,
    /// Nothing but its place says that the number is one of hours.
    pub(super) is_bare: bool,
}

/// The half of the day that an hour up to twelve is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Before,
    After,
}

/// What follows an hour and says that it is one; of these, none but the first two tell more.
const UNITS: &[(&str, Option<Half>)] = &[
    ("a.m.", Some(Half::Before)),
    ("p.m.", Some(Half::After)),
    ("am", Some(Half::Before)),
    ("pm", Some(Half::After)),
    ("π.μ.", Some(Half::Before)),
    ("μ.μ.", Some(Half::After)),
    ("uhr", None),
    ("uur", None),
    ("hrs", None),
    ("hs", None),
    ("horas", None),
    ("heures", None),
    ("hod", None),
    ("h", None),
    ("u", None),
];

/// Signs of money, and others before a number that is no hour.
const AMOUNTS: &[char] = &['€', '$', '£', '¥', '₹', '#', '@'];

/// Signs and characters behind a number that say what it counts.
const MEASURES: &[char] = &[
    '%', '€', '$', '£', '¥', '₹', '°', '²', '#', '@', '円', '원', '元', '年', '月', '日', '人',
    '席', '名', '分', '階', '丁', '월', '일', '년', '분', '명', '층', '호',
];

/// The tokens of a line.
pub(super) fn tokens(line: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = line;
    let mut before: Option<char> = None;
    while let Some(first) = rest.chars().next() {
        let (token, bytes) = if first.is_ascii_digit() {
            number(rest, before)
        } else if first.is_alphabetic() {
            let bytes = match rest.strip_prefix("t/m") {
                Some(behind) if !behind.starts_with(char::is_alphabetic) => 3,
                _ => run(rest, char::is_alphabetic),
            };
            (rest.get(..bytes).map(Token::Word), bytes)
        } else if is_dash(first) {
            (Some(Token::Dash), first.len_utf8())
        } else if first.is_whitespace() {
            (None, first.len_utf8())
        } else {
            (Some(Token::Sign(first)), first.len_utf8())
        };
        tokens.extend(token);
        let (seen, behind) = rest.split_at_checked(bytes).unwrap_or((rest, ""));
        // An amount may stand apart from its currency.
        let last = seen.chars().next_back();
        before = match before {
            Some(sign) if AMOUNTS.contains(&sign) && last == Some(' ') => Some(sign),
            _ => last,
        };
        rest = behind;
    }
    tokens
}

pub(super) fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '‐' | '‑' | '–' | '—' | '−' | '~' | '〜' | '～' | '―'
    )
}

/// How many bytes at the beginning of a text are of a kind.
fn run(text: &str, is_kind: impl Fn(char) -> bool) -> usize {
    text.find(|c: char| !is_kind(c)).unwrap_or(text.len())
}

/// The number at the beginning of a text, and its bytes.
fn number(text: &str, before: Option<char>) -> (Option<Token<'_>>, usize) {
    let whole = run(text, |c| {
        c.is_ascii_digit() || matches!(c, '.' | ',' | ':' | '/')
    });
    let whole = text
        .get(..whole)
        .unwrap_or_default()
        .trim_end_matches(['.', ',', ':', '/'])
        .len();
    let digits = run(text, |c| c.is_ascii_digit());
    // "2ª" is Monday in Portuguese.
    if text
        .get(digits..)
        .is_some_and(|behind| behind.starts_with('ª'))
    {
        let bytes = digits + 'ª'.len_utf8();
        return (text.get(..bytes).map(Token::Word), bytes);
    }
    let is_glued = before.is_some_and(|c| {
        c.is_lowercase() || c.is_uppercase() || c == '+' || c == '/' || AMOUNTS.contains(&c)
    });
    match time(text, digits).filter(|_| !is_glued) {
        Some((time, bytes)) => (Some(Token::Time(time)), bytes),
        None => (Some(Token::Number), whole.max(digits)),
    }
}

/// The time at the beginning of a text, of so many digits for the hour, and its bytes.
fn time(text: &str, digits: usize) -> Option<(Time, usize)> {
    let (hour, behind) = text.split_at_checked(digits)?;
    if digits > 2 {
        return None;
    }
    let hour: u16 = hour.parse().ok()?;
    let (minute, mut rest) = minute(behind)?;
    let mut is_bare = rest.len() == behind.len();
    let mut minute = minute.unwrap_or_default();
    let mut half = None;
    let spaced = rest.trim_start_matches(' ');
    if let Some((found, behind)) = unit(spaced) {
        half = found;
        is_bare = false;
        rest = behind;
        // "9 h 30"
        if minute == 0
            && half.is_none()
            && let Some((more, behind)) = two_digits(rest.trim_start_matches(' '))
            && !behind
                .trim_start_matches(' ')
                .starts_with(['h', 'H', ':', '.'])
        {
            minute = more;
            rest = behind;
        }
    }
    if rest.trim_start_matches(' ').starts_with(MEASURES) {
        return None;
    }
    let fits = match half {
        Some(_) => (1..=12).contains(&hour),
        None => hour < 24 || hour == 24 && minute == 0,
    };
    (fits && minute < 60).then(|| {
        let time = Time {
            hour,
            minute,
            half,
            is_bare,
        };
        (time, text.len() - rest.len())
    })
}

/// The minutes behind an hour and what follows; none where what follows makes it no time.
fn minute(behind: &str) -> Option<(Option<u16>, &str)> {
    let mut signs = behind.chars();
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    match signs.next() {
        Some(':' | '.') if is_digit(signs.clone().next()) => {
            let (minute, rest) = two_digits(signs.as_str())?;
            let mut after = rest.chars();
            let goes_on = matches!(after.next(), Some('.' | ':' | ',' | '/'));
            (!(goes_on && is_digit(after.next()))).then_some((Some(minute), rest))
        }
        Some(',' | '/') if is_digit(signs.clone().next()) => None,
        Some('h' | 'H' | 'u' | 'U') => match two_digits(signs.as_str()) {
            Some((minute, rest)) => Some((Some(minute), rest)),
            None => Some((None, behind)),
        },
        Some('時' | '시') => {
            let rest = signs.as_str();
            let spaced = rest.trim_start_matches(' ');
            let minutes = two_digits(spaced);
            if let Some(rest) = rest.strip_prefix(['半', '반']) {
                Some((Some(30), rest))
            } else if let Some((minute, rest)) = minutes
                && let Some(rest) = rest.strip_prefix(['分', '분'])
            {
                Some((Some(minute), rest))
            } else {
                Some((Some(0), rest))
            }
        }
        _ => Some((None, behind)),
    }
}

/// Exactly two digits and what follows.
fn two_digits(text: &str) -> Option<(u16, &str)> {
    let (number, rest) = text.split_at_checked(2)?;
    let is_number = number.bytes().all(|b| b.is_ascii_digit());
    if !is_number || rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some((number.parse().ok()?, rest))
}

/// The unit at the beginning of a text and what follows.
fn unit(text: &str) -> Option<(Option<Half>, &str)> {
    UNITS.iter().find_map(|(unit, half)| {
        let mut rest = text.chars();
        let is_unit = unit
            .chars()
            .all(|c| rest.next().is_some_and(|d| d.to_lowercase().eq([c])));
        let rest = rest.as_str();
        (is_unit && !rest.starts_with(char::is_alphabetic)).then_some((*half, rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(line: &str) -> Vec<(u16, u16)> {
        let time = |token| match token {
            Token::Time(time) => Some((time.hour, time.minute)),
            _ => None,
        };
        tokens(line).into_iter().filter_map(time).collect()
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        for (line, expected) in [
            ("9–18 Uhr", &[(9, 0), (18, 0)][..]),
            ("9h-12h30", &[(9, 0), (12, 30)]),
            ("9 h 30 à 12 h", &[(9, 30), (12, 0)]),
            ("9am – 5.30pm", &[(9, 0), (5, 30)]),
            ("9:00 A.M. to 5 p.m.", &[(9, 0), (5, 0)]),
            ("9u30 tot 18u", &[(9, 30), (18, 0)]),
            ("9.30u", &[(9, 30)]),
            ("10時半～18時", &[(10, 30), (18, 0)]),
            ("9시 30분", &[(9, 30)]),
            ("9:00 π.μ.", &[(9, 0)]),
            ("09.00 hod", &[(9, 0)]),
            ("24:00", &[(24, 0)]),
        ] {
            assert_eq!(times(line), expected, "{line}");
        }
    }

    #[test]
    fn other_numbers_are_no_times() {
        for line in [
            "14.05.2024",
            "3/4",
            "23,90",
            "25:00",
            "9:60",
            "100",
            "€ 12",
            "12 €",
            "N03",
            "10:00:00",
            "5月",
            "24.01",
            "13 pm",
            "0 am",
            "+49",
            "8 %",
        ] {
            assert_eq!(times(line), [], "{line}");
        }
    }
}
