//! What the groups of digits in a text look like: a date, a time, an id or a phone number.

/// Whether eight digits are a year, a month and a day, in this order or the other.
pub(super) fn is_joined_date(digits: &str) -> bool {
    let value = |range| digits.get(range).and_then(|text: &str| text.parse().ok());
    let is_date = |year: Option<u32>, month: Option<u32>, day: Option<u32>| {
        year.is_some_and(|year| (1900..=2100).contains(&year))
            && month.is_some_and(|month| (1..=12).contains(&month))
            && day.is_some_and(|day| (1..=31).contains(&day))
    };
    digits.len() == 8
        && (is_date(value(0..4), value(4..6), value(6..8))
            || is_date(value(4..8), value(2..4), value(0..2)))
}

/// Whether a number is one of a year, as those of courts are: `02457/2012`.
pub(super) fn is_docket(number: &str) -> bool {
    let groups = groups(number);
    let year = groups.last().and_then(|group| group.parse::<u32>().ok());
    groups.len() == 2
        && number.contains('/')
        && groups.last().is_some_and(|group| group.len() == 4)
        && year.is_some_and(|year| (1900..=2100).contains(&year))
}

pub(super) fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

pub(super) fn groups(number: &str) -> Vec<&str> {
    number
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .collect()
}

/// Whether groups of digits are those of a date, of two dates, or of a time.
pub(super) fn is_date_or_time(number: &str) -> bool {
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
        // "05-10.10.2021"
        || (is_day(0) && is_day(1) && is_day(2) && is_year(3) && has_date_signs)
        || (is_year(0) && is_year(1) && groups.len() == 2);
    (is_date && has_date_signs) || is_range || (is_hours(number) && number.contains('.'))
}

/// Whether a number is four small ones, as "08.00 - 12.00" and "8-12 14-18" are, or so many for
/// each span of a day: "08.00-12.00 13.00-17.00"; or two times of a day: "0900-1700".
pub(super) fn is_hours(number: &str) -> bool {
    let groups = groups(number);
    let is_time = |group: &&str| {
        let time = group.parse::<u32>().unwrap_or(u32::MAX);
        group.len() == 4 && time <= 2400 && time % 100 < 60
    };
    if groups.len() == 2 && number.contains(['-', '–']) && groups.iter().all(is_time) {
        return true;
    }
    let is_dash = |c: &char| *c == '-' || ('\u{2010}'..='\u{2015}').contains(c);
    let spans = groups.len() / 4;
    spans > 0
        && groups.len().is_multiple_of(4)
        && number.chars().filter(is_dash).count() >= spans
        && groups
            .iter()
            .all(|g| g.len() <= 2 && g.parse::<u32>().is_ok_and(|n| n < 60))
}

/// Whether a number has one point with many digits after it, as coordinates have.
pub(super) fn is_decimal(number: &str) -> bool {
    let mut signs = number.chars().filter(|c| !c.is_ascii_digit());
    signs.next() == Some('.') && signs.next().is_none()
}

/// Tax numbers have groups between slashes.
pub(super) fn is_repeated_slash(number: &str) -> bool {
    number.matches('/').count() > 1
}

/// The ways of writing that only phone numbers have: a trunk prefix with groups after it, an area
/// code in brackets, and the groups of the North American plan.
pub(super) fn is_grouped_as_phone(number: &str) -> bool {
    let groups = groups(number);
    let begins_with_zero = number.trim_start_matches('(').starts_with('0');
    let has_trunk_prefix = begins_with_zero && groups.len() >= 2;
    // "8 495 1234567" in Russia.
    let lengths = groups.iter().map(|group| group.len());
    let is_russian = number.starts_with('8') && lengths.eq([1, 3, 7]);
    has_trunk_prefix || is_russian || is_north_american(&groups) || has_area_code(number)
}

/// Whether groups of digits are those of the North American plan.
pub(super) fn is_north_american(groups: &[&str]) -> bool {
    let number = groups.strip_prefix(&["1"]).unwrap_or(groups);
    number.iter().map(|group| group.len()).eq([3, 3, 4])
}

/// Whether a number begins with an area code in brackets, which no year is: `(951) 514 08 63`.
fn has_area_code(number: &str) -> bool {
    let area = number
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(')'));
    area.is_some_and(|(area, rest)| {
        (2..=3).contains(&area.len())
            && area.bytes().all(|b| b.is_ascii_digit())
            && (5..=9).contains(&digits(rest))
    })
}

/// Whether each group is more than the one before, as in lists of sizes: `36 38 40 42`.
pub(super) fn is_rising(number: &str) -> bool {
    let groups = groups(number);
    let values: Vec<u32> = groups
        .iter()
        .filter_map(|group| group.parse().ok())
        .collect();
    values.is_sorted_by(|one, other| one < other)
}
