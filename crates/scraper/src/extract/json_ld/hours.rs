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

/// The opening hours of an organization, in whichever of the two ways it states them.
pub(super) fn opening_hours(object: &Map<String, Value>) -> Vec<String> {
    let stated = texts(object.get("openingHours")).into_iter();
    let mut hours: Vec<String> = stated.map(with_short_days).collect();
    let specifications = each(object.get("openingHoursSpecification"));
    // Days of the same hours stated one by one are one line.
    let mut lines: Vec<(Vec<usize>, String)> = Vec::new();
    for specification in specifications.filter_map(Value::as_object) {
        let Some(times) = times(specification) else {
            continue;
        };
        let days = each(specification.get("dayOfWeek")).flat_map(days).take(7);
        let days: Vec<usize> = days.collect();
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
    named
        .split(',')
        .filter_map(|name| {
            let name = last_part(name.trim());
            DAYS.iter().position(|(long, short)| {
                name.eq_ignore_ascii_case(long)
                    || name.eq_ignore_ascii_case(short)
                    || long
                        .get(..3)
                        .is_some_and(|abbreviated| name.eq_ignore_ascii_case(abbreviated))
            })
        })
        .collect()
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
}
