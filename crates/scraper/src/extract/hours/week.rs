//! The days of the week and the form in which opening hours are written: `Mo-Fr 08:00-18:00`.

/// The days as opening hours are written.
const SHORT: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

/// Some days of the week.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct Days(u8);

impl Days {
    pub(in super::super) const NONE: Self = Self(0);
    pub(in super::super) const ALL: Self = Self(0b111_1111);
    pub(super) const WORKING: Self = Self(0b001_1111);
    pub(super) const WEEKEND: Self = Self(0b110_0000);

    /// One day, by its place in the week.
    pub(in super::super) fn one(day: usize) -> Self {
        if day < SHORT.len() {
            Self(1 << day)
        } else {
            Self::NONE
        }
    }

    /// The days from the first of some to the last of others, over the end of the week too.
    pub(in super::super) fn through(self, last: Self) -> Self {
        let (Some(first), Some(end)) = (self.each().next(), last.each().last()) else {
            return Self::NONE;
        };
        let until = end + if end < first { SHORT.len() } else { 0 };
        let days = (first..=until).map(|day| Self::one(day % SHORT.len()));
        days.fold(Self::NONE, Self::and)
    }

    pub(in super::super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(in super::super) fn count(self) -> u32 {
        self.0.count_ones()
    }

    pub(super) fn each(self) -> impl Iterator<Item = usize> {
        (0..SHORT.len()).filter(move |day| self.meets(Self::one(*day)))
    }

    /// `Mo-Fr`, `Mo,We`; nothing where there is no day.
    pub(in super::super) fn written(self) -> String {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for day in self.each() {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == day => *last = day,
                _ => runs.push((day, day)),
            }
        }
        let short = |day: usize| SHORT.get(day).copied().unwrap_or_default();
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
}

/// A part of a day, in minutes since midnight; one that ends after midnight ends before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) opens: u16,
    pub(super) closes: u16,
}

/// Minutes of a day.
pub(super) const DAY_MINUTES: u16 = 24 * 60;

impl Span {
    /// All day, as schema.org writes it.
    pub(super) const ALL_DAY: Self = Self {
        opens: 0,
        closes: DAY_MINUTES - 1,
    };

    pub(super) fn overlaps(self, other: Self) -> bool {
        let end = |span: Self| {
            span.closes
                + if span.closes <= span.opens {
                    DAY_MINUTES
                } else {
                    0
                }
        };
        self.opens < end(other) && other.opens < end(self)
    }

    /// `08:00-18:00`.
    pub(super) fn written(self) -> String {
        let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60);
        format!("{}-{}", time(self.opens), time(self.closes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_runs() {
        let days = |list: &[usize]| {
            list.iter()
                .map(|day| Days::one(*day))
                .fold(Days::NONE, Days::and)
        };
        for (list, expected) in [
            (&[0, 1, 2, 3, 4][..], "Mo-Fr"),
            (&[0, 2], "Mo,We"),
            (&[5, 6], "Sa,Su"),
            (&[6, 0, 1, 2], "Mo-We,Su"),
            (&[7], ""),
        ] {
            assert_eq!(days(list).written(), expected);
        }
        assert_eq!(Days::one(4).through(Days::one(0)).written(), "Mo,Fr-Su");
        assert_eq!(Days::ALL.without(Days::WEEKEND), Days::WORKING);
        assert_eq!(Days::NONE.through(Days::one(0)), Days::NONE);
    }

    #[test]
    fn spans_over_midnight_end_on_the_next_day() {
        let span = |opens, closes| Span { opens, closes };
        assert_eq!(span(510, 1440).written(), "08:30-00:00");
        assert!(span(1020, 30).overlaps(span(1380, 60)));
        assert!(!span(480, 720).overlaps(span(720, 780)));
        assert!(span(480, 720).overlaps(span(660, 780)));
    }
}
