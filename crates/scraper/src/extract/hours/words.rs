//! The words of opening hours, by language, in lower case.

mod north_and_east;
mod west;

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

use super::week::Days;
use north_and_east::NORTH_AND_EAST;
use west::WEST;

/// What the words of a language mean.
#[derive(Debug)]
pub(super) struct Language {
    /// Primary subtags of its tags.
    tags: &'static [&'static str],
    /// The names of the seven days; those of less than [`LONG_MIN_CHARS`] letters mean other things
    /// in other languages.
    days: [&'static [&'static str]; 7],
    /// Monday to Friday, in one word or two.
    working: &'static [&'static str],
    /// Saturday and Sunday.
    weekend: &'static [&'static str],
    /// All days.
    daily: &'static [&'static str],
    /// Between the first and the last of days or hours.
    to: &'static [&'static str],
    /// Between days of the same hours.
    and: &'static [&'static str],
    /// Before days that are excepted.
    but: &'static [&'static str],
    closed: &'static [&'static str],
    /// Pieces of what says that hours of opening follow or stand there.
    open: &'static [&'static str],
}

/// Fewest letters of a name that is understood in texts of other languages too.
const LONG_MIN_CHARS: usize = 5;

/// Pieces of words that make hours those of something else, in all languages.
pub(super) const OTHERS: &[&str] = &[
    "telefon",
    "telefoon",
    "téléphon",
    "teléfon",
    "puhelin",
    "phone",
    "hotline",
    "infoline",
    "notdienst",
    "notfall",
    "bereitschaft",
    "wochenenddienst",
    "emergenc",
    "urgence",
    "urgencia",
    "urgenza",
    "guardia",
    "kurs",
    "course",
    "class",
    "unterricht",
    "vorlesung",
    "seminar",
    "yoga",
    "training",
    "konzert",
    "concert",
    "happy hour",
    "check-in",
    "frühstück",
    "breakfast",
    "petit déjeuner",
    "petit-déjeuner",
    "desayuno",
    "colazione",
    "außerhalb",
    "outside",
    "bereikbaar",
    "erreichbar",
    "joignable",
    "klantenservice",
    "kundenservice",
    "kundendienst",
    "customer service",
    "service client",
];

/// Words for times of day that have no number, with their minutes.
pub(super) const NAMED_TIMES: &[(&str, u16)] = &[
    ("noon", 720),
    ("midday", 720),
    ("midi", 720),
    ("mediodía", 720),
    ("midnight", 1440),
    ("minuit", 1440),
    ("medianoche", 1440),
    ("mezzanotte", 1440),
    ("mitternacht", 1440),
];

/// Words before a time that say which half of the day it is of.
pub(super) const BEFORE_NOON: &[&str] = &["午前", "오전"];
pub(super) const AFTER_NOON: &[&str] = &["午後", "오후"];

/// Signs of the days in Japanese, and what may follow one or several.
const SIGNS: &str = "月火水木金土日";
const HOLIDAY_SIGN: char = '祝';
const SIGN_ENDINGS: &[&str] = &["曜日", "曜"];

/// What is understood on a page whose language is not known or not listed: what joins hours in any.
pub(super) static ANY: Language = Language {
    tags: &[],
    days: [&[]; 7],
    working: &[],
    weekend: &[],
    daily: &[],
    to: &[
        "a",
        "al",
        "alla",
        "alle",
        "ao",
        "as",
        "até",
        "au",
        "až",
        "bis",
        "do",
        "fins",
        "hasta",
        "ile",
        "la",
        "până",
        "through",
        "thru",
        "til",
        "till",
        "to",
        "tot",
        "until",
        "à",
        "às",
        "έως",
        "ως",
        "μέχρι",
        "до",
        "から",
        "부터",
    ],
    and: &[],
    but: &[],
    closed: &[],
    open: &[],
};

fn languages() -> impl Iterator<Item = &'static Language> {
    WEST.iter().chain(NORTH_AND_EAST)
}

/// The words of a language, by its tag.
pub(super) fn language(tag: Option<&str>) -> &'static Language {
    let primary = tag
        .and_then(|tag| tag.split('-').next())
        .unwrap_or_default();
    let of_tag = languages().find(|language| language.tags.contains(&primary));
    of_tag.unwrap_or(&ANY)
}

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Days(Days),
    To,
    And,
    But,
    Closed,
    Other,
}

impl Language {
    /// Whether hours of the afternoon may be written without a sign of it: "9 - 5".
    pub(super) fn counts_to_twelve(&self) -> bool {
        self.tags.is_empty() || self.tags.contains(&"en")
    }

    /// What a word or two mean, in lower case.
    pub(super) fn meaning(&self, word: &str) -> Meaning {
        if let Some(days) = self.days(word) {
            return Meaning::Days(days);
        }
        for (list, meaning) in [
            (self.to, Meaning::To),
            (self.and, Meaning::And),
            (self.but, Meaning::But),
            (self.closed, Meaning::Closed),
        ] {
            if list.contains(&word) {
                return meaning;
            }
        }
        day_name(word).map_or(Meaning::Other, Meaning::Days)
    }

    fn days(&self, word: &str) -> Option<Days> {
        if let Some(day) = self.days.iter().position(|names| names.contains(&word)) {
            return Some(Days::one(day));
        }
        let of_list = self
            .sets()
            .into_iter()
            .find(|(list, _)| list.contains(&word));
        of_list.map(|(_, days)| days)
    }

    /// Names of several days.
    fn sets(&self) -> [(&'static [&'static str], Days); 3] {
        [
            (self.working, Days::WORKING),
            (self.weekend, Days::WEEKEND),
            (self.daily, Days::ALL),
        ]
    }
}

/// The names of days in all languages; of those that several have, the first counts.
static NAMES: LazyLock<HashMap<&str, Days, RandomState>> = LazyLock::new(|| {
    let mut names = HashMap::default();
    for language in languages() {
        let of_days = language.days.iter().enumerate();
        let of_days = of_days.map(|(day, list)| (*list, Days::one(day)));
        for (list, days) in of_days.chain(language.sets()) {
            for name in list {
                names.entry(*name).or_insert(days);
            }
        }
    }
    names
});

/// The days of a name that means the same wherever it is used, in lower case.
pub(in super::super) fn day_name(word: &str) -> Option<Days> {
    let known = NAMES.get(word).copied();
    known
        .filter(|_| word.chars().count() >= LONG_MIN_CHARS)
        .or_else(|| day_signs(word))
}

/// Whether a word is for days in any language, in lower case.
pub(super) fn may_be_day(word: &str) -> bool {
    NAMES.contains_key(word) || day_signs(word).is_some()
}

/// `月曜日`, `土日祝`.
fn day_signs(word: &str) -> Option<Days> {
    // All of them take three bytes.
    if !word.len().is_multiple_of(3) || word.is_ascii() {
        return None;
    }
    let ending = SIGN_ENDINGS
        .iter()
        .find_map(|ending| word.strip_suffix(ending));
    let mut days = Days::NONE;
    for sign in ending.unwrap_or(word).chars() {
        if sign != HOLIDAY_SIGN {
            let day = SIGNS.chars().position(|known| known == sign)?;
            days = days.and(Days::one(day));
        }
    }
    (days != Days::NONE).then_some(days)
}

/// Where the first piece stands that says that a text, in lower case, is of opening hours.
pub(super) fn open_at(text: &str) -> Option<usize> {
    first_of(text, languages().flat_map(|language| language.open))
}

/// Where the first piece stands that says that a text, in lower case, is of other hours.
pub(super) fn others_at(text: &str) -> Option<usize> {
    first_of(text, OTHERS)
}

fn first_of<'a>(text: &str, pieces: impl IntoIterator<Item = &'a &'static str>) -> Option<usize> {
    pieces
        .into_iter()
        .filter_map(|piece| text.find(piece))
        .min()
}

#[cfg(test)]
mod cases;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_in_all_languages_what_it_means_in_the_first_that_has_it() {
        let days = languages().flat_map(|language| language.days);
        let sets = languages().flat_map(|language| language.sets().map(|(list, _)| list));
        let mut count = 0;
        for name in days.chain(sets).flatten() {
            let first = languages().find_map(|language| language.days(name));
            let is_long = name.chars().count() >= LONG_MIN_CHARS;
            assert!(may_be_day(name), "{name}");
            assert_eq!(
                day_name(name),
                first.filter(|_| is_long).or(day_signs(name)),
                "{name}"
            );
            count += 1;
        }
        assert!(count > 300, "{count} names");
        assert!(!may_be_day("day") && day_name("day").is_none());
    }
}
