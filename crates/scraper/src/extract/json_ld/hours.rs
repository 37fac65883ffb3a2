//! Opening hours as one line each: `Mo-Fr 08:00-18:00`.

use serde_json::{Map, Value};

use super::super::hours::week::Days;
use super::super::hours::words::day_name;
use super::{VALUES_MAX, each, last_part, text_of, texts};

/// Days as schema.org names them, and as opening hours are written.
const DAYS: [(&str, &str); 7] = [
    ("Monday", "Mo"),
    ("Tuesday", "Tu"),
    ("Wednesday", "We"),
    ("Thursday", "Th"),
    ("Friday", "Fr"),
    ("Saturday", "Sa"),
    ("Sunday", "Su"),
];

/// Most days for which hours hold that are an exception: those of a holiday or of one month.
const EXCEPTION_MAX_DAYS: u32 = 31;

/// A day as a number that grows with time, with gaps after short months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Date(u32);

impl Date {
    fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        let is_date = year < 10_000 && (1..=12).contains(&month) && (1..=31).contains(&day);
        is_date.then_some(Self((year * 12 + month) * 31 + day))
    }

    /// The date at the beginning of `2024-12-24T18:00`.
    fn of_iso(text: &str) -> Option<Self> {
        let part = |range| text.get(range).and_then(|part: &str| part.parse().ok());
        Self::new(part(0..4)?, part(5..7)?, part(8..10)?)
    }

    /// The date in the header `Date` (RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub(in super::super) fn of_header(text: &str) -> Option<Self> {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let mut words = text.split_once(", ")?.1.split(' ');
        let day = words.next()?.parse().ok()?;
        let month = words.next()?;
        let month = MONTHS.iter().position(|name| *name == month)? + 1;
        Self::new(words.next()?.parse().ok()?, u32::try_from(month).ok()?, day)
    }
}

/// The opening hours of an organization, in whichever of the two ways it states them, on the day
/// that the page was answered, where that is known.
pub(super) fn opening_hours(object: &Map<String, Value>, today: Option<Date>) -> Vec<String> {
    let stated = texts(object.get("openingHours")).into_iter();
    let mut hours: Vec<String> = stated.flat_map(|text| stated_lines(&text)).collect();
    let specifications = each(object.get("openingHoursSpecification"));
    // Days of the same hours stated one by one are one line.
    let mut lines: Vec<(Days, String)> = Vec::new();
    for specification in specifications.filter_map(Value::as_object) {
        let is_regular =
            |_: &String| !is_exception(specification) && !is_over(specification, today);
        let Some(times) = times(specification).filter(is_regular) else {
            continue;
        };
        let mut stated = each(specification.get("dayOfWeek")).filter(|day| !day.is_null());
        let days = stated.clone().map(days).fold(Days::NONE, Days::and);
        // Of a day that is not known, such as a holiday, nothing can be said.
        if days == Days::NONE && stated.next().is_some() {
            continue;
        }
        let same = lines.iter_mut().find(|(_, known)| *known == times);
        if let Some((known, _)) = same {
            *known = known.and(days);
        } else if lines.len() < VALUES_MAX {
            lines.push((days, times));
        }
    }
    let written = lines.into_iter().map(|(days, times)| {
        if days == Days::NONE {
            times
        } else {
            format!("{} {times}", days.written())
        }
    });
    for line in written {
        if hours.len() < VALUES_MAX && !hours.contains(&line) {
            hours.push(line);
        }
    }
    hours
}

/// Whether hours hold for a short time only.
fn is_exception(specification: &Map<String, Value>) -> bool {
    let date = |name: &str| Date::of_iso(&text_of(specification, name)?);
    let (from, through) = (date("validFrom"), date("validThrough"));
    from.zip(through)
        .is_some_and(|(from, through)| through.0.saturating_sub(from.0) < EXCEPTION_MAX_DAYS)
}

/// Whether hours held until before a day.
fn is_over(specification: &Map<String, Value>, today: Option<Date>) -> bool {
    let through = text_of(specification, "validThrough");
    let through = through.and_then(|through| Date::of_iso(&through));
    through
        .zip(today)
        .is_some_and(|(through, today)| through < today)
}

/// The lines of a text such as `Mo-Fr 08:00-18:00, Sa 09:00-12:00`, with the short names of days.
fn stated_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        // Days follow hours; days after days, and hours after hours, go on.
        let begins = part.starts_with(char::is_alphabetic);
        match lines.last_mut() {
            Some(line) if !(begins && line.contains(':')) => {
                line.push(',');
                line.push_str(part);
            }
            _ => lines.push(part.to_owned()),
        }
    }
    lines.into_iter().map(with_short_days).collect()
}

/// A line as stated, with the short names of days.
fn with_short_days(mut line: String) -> String {
    for (long, short) in DAYS {
        if line.contains(long) {
            line = line.replace(long, short);
        }
    }
    line
}

fn times(specification: &Map<String, Value>) -> Option<String> {
    let time = |name: &str| {
        let text = text_of(specification, name)?;
        let text = text.rsplit('T').next()?;
        let mut parts = text.split(':');
        let hour: u32 = parts.next()?.trim().parse().ok()?;
        let minute: u32 = parts.next().unwrap_or("00").get(..2)?.parse().ok()?;
        (hour <= 24 && minute < 60).then(|| format!("{hour:02}:{minute:02}"))
    };
    let (opens, closes) = (time("opens")?, time("closes")?);
    // By schema.org, a day that opens and closes at midnight is a day off.
    (opens != closes).then(|| format!("{opens}-{closes}"))
}

/// The days that a value names.
fn days(value: &Value) -> Days {
    let named = match value {
        Value::Object(day) => text_of(day, "@id").or_else(|| text_of(day, "name")),
        value => value.as_str().map(str::to_owned),
    };
    let named = named.unwrap_or_default();
    named
        .split(',')
        .map(days_of_part)
        .fold(Days::NONE, Days::and)
}

/// `Monday`, `https://schema.org/Monday`, `Mo-Fr`, `Montag`.
fn days_of_part(part: &str) -> Days {
    match part.split_once(['-', '\u{2013}']) {
        Some((first, last)) => day(first).through(day(last)),
        None => day(part),
    }
}

fn day(name: &str) -> Days {
    let name = last_part(name.trim());
    let of_vocabulary = DAYS.iter().position(|(long, short)| {
        name.eq_ignore_ascii_case(long)
            || name.eq_ignore_ascii_case(short)
            || long
                .get(..3)
                .is_some_and(|abbreviated| name.eq_ignore_ascii_case(abbreviated))
    });
    match of_vocabulary {
        Some(day) => Days::one(day),
        None => day_name(&name.to_lowercase()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(organization: Value, expected: &[&str]) {
        let object = organization.as_object().expect("an object");
        let today = Date::of_header("Mon, 01 Jul 2024 08:00:00 GMT");
        assert_eq!(opening_hours(object, today), expected, "{organization}");
    }

    #[test]
    fn hours_are_read_in_either_form() {
        check(
            json!({"openingHours": ["Mo-Fr 08:00-18:00", "Sa 09:00-12:00"]}),
            &["Mo-Fr 08:00-18:00", "Sa 09:00-12:00"],
        );
        check(
            json!({"openingHours": ", Mo, We 08:00-12:00,13:00-18:00, Saturday 09:00-12:00, ,"}),
            &["Mo,We 08:00-12:00,13:00-18:00", "Sa 09:00-12:00"],
        );
        check(
            json!({"openingHoursSpecification": [
                {"dayOfWeek": ["Monday", "https://schema.org/Tuesday", "Wednesday"],
                 "opens": "08:00", "closes": "18:00:00"},
                {"dayOfWeek": {"@id": "schema:Saturday"}, "opens": "9:00", "closes": "12:00"},
                {"dayOfWeek": "Sunday", "opens": "00:00", "closes": "00:00"},
            ]}),
            &["Mo-We 08:00-18:00", "Sa 09:00-12:00"],
        );
        check(
            json!({"openingHoursSpecification": [
                {"dayOfWeek": "Mo", "opens": "10:00", "closes": "12:00"},
                {"dayOfWeek": "Wed", "opens": "10:00", "closes": "12:00"},
            ]}),
            &["Mo,We 10:00-12:00"],
        );
        check(
            json!({"openingHoursSpecification": {"opens": "10:00", "closes": "22:00"}}),
            &["10:00-22:00"],
        );
        check(
            json!({"openingHoursSpecification": [{"opens": "ten"}, 1, {"dayOfWeek": "Monday"}]}),
            &[],
        );
    }

    #[test]
    fn hours_of_a_holiday_are_not_the_regular_ones() {
        let of = |from: &str, through: &str| {
            json!({"openingHoursSpecification": [
                {"dayOfWeek": "Monday", "opens": "08:00", "closes": "18:00"},
                {"dayOfWeek": "Monday", "opens": "10:00", "closes": "12:00",
                 "validFrom": from, "validThrough": through},
                {"opens": "09:00", "closes": "11:00", "validFrom": from, "validThrough": through},
            ]})
        };
        check(of("2024-12-24", "2024-12-24"), &["Mo 08:00-18:00"]);
        check(
            of("2024-12-24T00:00", "2025-01-06T23:59"),
            &["Mo 08:00-18:00"],
        );
        let both = ["Mo 08:00-18:00", "Mo 10:00-12:00", "09:00-11:00"];
        check(of("2024-04-01", "2024-09-30"), &both);
        check(of("2024-01-01", "2024-12-31"), &both);
        check(of("soon", "later"), &both);
    }

    #[test]
    fn hours_that_held_until_before_the_answer_are_over() {
        let of = |through: &str| {
            json!({"openingHoursSpecification": {"dayOfWeek": "Monday", "opens": "08:00",
                "closes": "18:00", "validFrom": "2023-01-01", "validThrough": through}})
        };
        check(of("2024-06-30"), &[]);
        check(of("2024-07-01"), &["Mo 08:00-18:00"]);
        check(of("2024-06"), &["Mo 08:00-18:00"]);
        let undated = of("2024-06-30");
        let hours = opening_hours(undated.as_object().expect("an object"), None);
        assert_eq!(hours, ["Mo 08:00-18:00"]);
        assert_eq!(Date::of_header("01 Jul 2024"), None);
        assert_eq!(Date::of_header("Mon, 01 Foo 2024"), None);
    }

    #[test]
    fn days_may_be_named_in_other_languages() {
        let of = |day: Value| {
            json!({"openingHoursSpecification":
                {"dayOfWeek": day, "opens": "10:00", "closes": "12:00"}})
        };
        check(of(json!("Montag")), &["Mo 10:00-12:00"]);
        check(of(json!(["Lundi", "mardi"])), &["Mo,Tu 10:00-12:00"]);
        check(of(json!("lunes - viernes")), &["Mo-Fr 10:00-12:00"]);
        check(of(json!("月曜日")), &["Mo 10:00-12:00"]);
        check(of(json!("schema:Monday")), &["Mo 10:00-12:00"]);
        check(
            of(json!("https://schema.org/Saturday")),
            &["Sa 10:00-12:00"],
        );
    }

    #[test]
    fn hours_of_unknown_days_are_passed_over() {
        let of = |day: Value| {
            json!({"openingHoursSpecification":
                {"dayOfWeek": day, "opens": "10:00", "closes": "12:00"}})
        };
        for unknown in [
            json!("PublicHolidays"),
            json!("https://schema.org/PublicHolidays"),
            json!(["Feiertag"]),
            json!("Mo-Xy"),
        ] {
            check(of(unknown), &[]);
        }
        check(of(json!(["Feiertag", "Tuesday"])), &["Tu 10:00-12:00"]);
        check(of(json!("Monday - Friday")), &["Mo-Fr 10:00-12:00"]);
        check(of(json!("http://schema.org/Sunday")), &["Su 10:00-12:00"]);
        check(of(json!(null)), &["10:00-12:00"]);
        check(of(json!([])), &["10:00-12:00"]);
    }
}
