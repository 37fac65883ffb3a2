//! Opening hours as one line each: `Mo-Fr 08:00-18:00`.

use serde_json::{Map, Value};

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

/// The opening hours of an organization, in whichever of the two ways it states them.
pub(super) fn opening_hours(object: &Map<String, Value>) -> Vec<String> {
    let stated = texts(object.get("openingHours")).into_iter();
    let mut hours: Vec<String> = stated.map(with_short_days).collect();
    let specifications = each(object.get("openingHoursSpecification"));
    // Days of the same hours stated one by one are one line.
    let mut lines: Vec<(Vec<usize>, String)> = Vec::new();
    for specification in specifications.filter_map(Value::as_object) {
        let Some(times) = times(specification).filter(|_| !is_exception(specification)) else {
            continue;
        };
        let mut stated = each(specification.get("dayOfWeek")).filter(|day| !day.is_null());
        let days: Vec<usize> = stated.clone().flat_map(days).take(7).collect();
        // Of a day that is not known, such as a holiday, nothing can be said.
        if days.is_empty() && stated.next().is_some() {
            continue;
        }
        let same = lines.iter_mut().find(|(_, known)| *known == times);
        if let Some((known, _)) = same {
            known.extend(days);
        } else if lines.len() < VALUES_MAX {
            lines.push((days, times));
        }
    }
    let written = lines.into_iter().map(|(days, times)| {
        let days = written_days(days);
        if days.is_empty() {
            times
        } else {
            format!("{days} {times}")
        }
    });
    for line in written {
        if hours.len() < VALUES_MAX && !hours.contains(&line) {
            hours.push(line);
        }
    }
    hours
}

/// Whether hours hold for a short time only. Which time is past is not asked: what a page says is
/// read alike whenever it is read.
fn is_exception(specification: &Map<String, Value>) -> bool {
    let date = |name: &str| day_number(&text_of(specification, name)?);
    let (from, through) = (date("validFrom"), date("validThrough"));
    from.zip(through)
        .is_some_and(|(from, through)| through.saturating_sub(from) < EXCEPTION_MAX_DAYS)
}

/// A number for a date such as `2024-12-24`, with gaps after short months.
fn day_number(date: &str) -> Option<u32> {
    let part = |range| {
        date.get(range)
            .and_then(|part: &str| part.parse::<u32>().ok())
    };
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    Some((year * 12 + month) * 31 + day)
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

/// The days that a value names, by their place in the week.
fn days(value: &Value) -> Vec<usize> {
    let named = match value {
        Value::Object(day) => text_of(day, "@id").or_else(|| text_of(day, "name")),
        value => value.as_str().map(str::to_owned),
    };
    let named = named.unwrap_or_default();
    named.split(',').flat_map(days_of_part).collect()
}

/// `Monday`, `schema:Monday`, `Mo-Fr`.
fn days_of_part(part: &str) -> Vec<usize> {
    match part.split_once(['-', '\u{2013}']) {
        Some((first, last)) => match (day(first), day(last)) {
            (Some(first), Some(last)) => (first..=last).collect(),
            _ => Vec::new(),
        },
        None => day(part).into_iter().collect(),
    }
}

fn day(name: &str) -> Option<usize> {
    let name = last_part(name.trim());
    DAYS.iter().position(|(long, short)| {
        name.eq_ignore_ascii_case(long)
            || name.eq_ignore_ascii_case(short)
            || long
                .get(..3)
                .is_some_and(|abbreviated| name.eq_ignore_ascii_case(abbreviated))
    })
}

/// `Mo-Fr`, `Mo,We`.
fn written_days(mut days: Vec<usize>) -> String {
    days.sort_unstable();
    days.dedup();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for day in days {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == day => *last = day,
            _ => runs.push((day, day)),
        }
    }
    let short = |day: usize| DAYS.get(day).map_or("", |(_, short)| short);
    let runs: Vec<String> = runs
        .into_iter()
        .map(|(first, last)| match last - first {
            0 => short(first).to_owned(),
            1 => format!("{},{}", short(first), short(last)),
            _ => format!("{}-{}", short(first), short(last)),
        })
        .collect();
    runs.join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(organization: Value, expected: &[&str]) {
        let object = organization.as_object().expect("an object");
        assert_eq!(opening_hours(object), expected, "{organization}");
    }

    #[test]
    fn hours_are_read_in_either_form() {
        check(
            json!({"openingHours": ["Mo-Fr 08:00-18:00", "Sa 09:00-12:00"]}),
            &["Mo-Fr 08:00-18:00", "Sa 09:00-12:00"],
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
    fn hours_of_unknown_days_are_passed_over() {
        let of = |day: Value| {
            json!({"openingHoursSpecification":
                {"dayOfWeek": day, "opens": "10:00", "closes": "12:00"}})
        };
        for unknown in [
            json!("Montag"),
            json!("PublicHolidays"),
            json!(["Lundi"]),
            json!("Mo-Xy"),
        ] {
            check(of(unknown), &[]);
        }
        check(of(json!(["Montag", "Tuesday"])), &["Tu 10:00-12:00"]);
        check(of(json!("Monday - Friday")), &["Mo-Fr 10:00-12:00"]);
        check(of(json!("http://schema.org/Sunday")), &["Su 10:00-12:00"]);
        check(of(json!(null)), &["10:00-12:00"]);
        check(of(json!([])), &["10:00-12:00"]);
    }
}
