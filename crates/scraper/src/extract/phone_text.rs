//! Which runs of digits in a text may be phone numbers.
//!
//! Whether one is valid is decided elsewhere; here dates, prices and ids are kept out.

/// Digits of the shortest and the longest number that is considered (E.164 allows 15).
const DIGITS_MIN: usize = 7;
const DIGITS_MAX: usize = 17;

/// How far before a number a word is looked for that says what it is, in bytes and in words.
const LABEL_BYTES: usize = 32;
const LABEL_WORDS: usize = 3;

/// Words that announce a phone number, in lower case.
const PHONE_WORDS: &[&str] = &[
    "call", "cell", "fon", "hotline", "m", "p", "ph", "phone", "puhelin", "t", "tel", "tfno",
    "tlf", "tél", "whatsapp", "τηλ", "тел", "電話", "电话",
];

/// Beginnings of such words.
const PHONE_STEMS: &[&str] = &[
    "handy",
    "mobil",
    "móvil",
    "rufn",
    "telefon",
    "telefoon",
    "telefón",
    "telephon",
    "teléfon",
    "téléphon",
    "телефон",
    "τηλέφων",
];

/// Words that announce another kind of number, in lower case.
const OTHER_WORDS: &[&str] = &[
    "abn", "bic", "btw", "cif", "ean", "f", "hrb", "iban", "isbn", "kvk", "nif", "siren", "siret",
    "sku", "tax", "ust", "vat",
];

/// Beginnings and endings of such words.
const OTHER_STEMS: &[&str] = &[
    "artikel",
    "invoice",
    "konto",
    "licen",
    "order",
    "regist",
    "steuer",
    "umsatzsteuer",
];
const OTHER_ENDINGS: &[&str] = &["fax", "nummer", "number"];

/// The candidates in decoded text.
pub(super) fn candidates(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n')
        .flat_map(|line| Runs { line, position: 0 })
        .flat_map(|run| run.numbers())
}

/// A run of digits and phone punctuation, with what stands around it.
#[derive(Debug, Clone, Copy)]
struct Run<'a> {
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
            let start =
                self.position + rest.bytes().position(|b| b.is_ascii_digit() || b == b'+')?;
            // An opening bracket belongs to the number.
            let before = self.line.get(..start)?;
            let start = if before.ends_with('(') {
                start - 1
            } else {
                start
            };
            let tail = self.line.get(start..)?;
            let length = tail.find(|c| !is_phone_char(c)).unwrap_or(tail.len());
            let text = tail
                .get(..length)?
                .trim_end_matches(|c: char| !c.is_ascii_digit());
            self.position = start + length.max(1);
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            if digits >= DIGITS_MIN {
                let before = self.line.get(..start)?;
                let after = self.line.get(start + text.len()..)?;
                return Some(Run {
                    before,
                    text,
                    after,
                });
            }
        }
    }
}

impl<'a> Run<'a> {
    fn numbers(self) -> Vec<&'a str> {
        if self.is_part_of_something() {
            return Vec::new();
        }
        let label = Label::of(self.before);
        if label == Label::Other {
            return Vec::new();
        }
        let parts = split_numbers(self.text);
        let is_number = |number: &&str| {
            let digits = number.bytes().filter(u8::is_ascii_digit).count();
            (DIGITS_MIN..=DIGITS_MAX).contains(&digits)
                && !is_date_or_time(number)
                && (number.starts_with('+')
                    || number.starts_with("00")
                    || label == Label::Phone
                    || is_grouped_as_phone(number))
        };
        parts.into_iter().filter(is_number).collect()
    }

    /// Whether the characters next to the run make it a price, an id or a piece of a word.
    fn is_part_of_something(self) -> bool {
        let is_bound = |c: char| c.is_alphanumeric() || "#$€£¥%@_=&*/.:,".contains(c);
        let is_money = |text: &str| text.starts_with(['$', '€', '£', '¥', '%']);
        let starts_free = self.text.starts_with('+');
        let before = self.before.trim_end();
        let is_priced =
            before.ends_with(['$', '€', '£', '¥', '#']) || is_money(self.after.trim_start());
        let touches_before = before.len() == self.before.len()
            && self
                .before
                .chars()
                .next_back()
                .is_some_and(|c| is_bound(c) && !":.".contains(c));
        let touches_after = self.after.chars().next().is_some_and(|c| {
            c.is_alphanumeric() || "%@_=&*:€$".contains(c) || self.decimal_follows()
        });
        is_priced || touches_after || (touches_before && !starts_free)
    }

    fn decimal_follows(self) -> bool {
        let mut chars = self.after.chars();
        chars.next() == Some(',') && chars.next().is_some_and(|c| c.is_ascii_digit())
    }
}

/// What the words before a number say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    Phone,
    Other,
    None,
}

impl Label {
    /// Reads the words since the last number, of which the one next to this number counts most.
    fn of(before: &str) -> Self {
        let start = before.ceil_char_boundary(before.len().saturating_sub(LABEL_BYTES));
        let before = before.get(start..).unwrap_or_default();
        let before = before
            .rsplit(|c: char| c.is_ascii_digit())
            .next()
            .unwrap_or_default();
        let before = before.to_lowercase();
        let words = before
            .split(|c: char| !c.is_alphabetic())
            .filter(|word| !word.is_empty());
        let mut is_other = false;
        for (distance, word) in words.rev().take(LABEL_WORDS).enumerate() {
            // A single letter is a label only next to its number: "T 030 1234567".
            let counts = distance == 0 || word.chars().count() > 1;
            // "Tel./Fax" names a phone number as well.
            if counts && is_phone_word(word) {
                return Self::Phone;
            }
            is_other |= counts && is_other_word(word);
        }
        if is_other { Self::Other } else { Self::None }
    }
}

fn is_phone_word(word: &str) -> bool {
    PHONE_WORDS.contains(&word) || PHONE_STEMS.iter().any(|stem| word.starts_with(stem))
}

fn is_other_word(word: &str) -> bool {
    OTHER_WORDS.contains(&word)
        || OTHER_STEMS.iter().any(|stem| word.starts_with(stem))
        || OTHER_ENDINGS.iter().any(|ending| word.ends_with(ending))
}

fn is_phone_char(c: char) -> bool {
    c.is_ascii_digit()
        || matches!(
            c,
            ' ' | '(' | ')' | '.' | '/' | '-' | '+' | '\u{a0}' | '\u{202f}' | '|'
        )
        || ('\u{2010}'..='\u{2015}').contains(&c)
}

/// Cuts a run at signs that stand between two numbers.
fn split_numbers(run: &str) -> Vec<&str> {
    let mut numbers = Vec::new();
    for part in run.split('|') {
        // A plus sign begins a number wherever it stands.
        let mut rest = part.trim();
        while let Some(next) = rest.get(1..).and_then(|tail| tail.find('+')) {
            let (number, tail) = rest.split_at(next + 1);
            numbers.push(trim(number));
            rest = tail;
        }
        numbers.push(trim(rest));
    }
    numbers.retain(|number| !number.is_empty());
    numbers
}

fn trim(number: &str) -> &str {
    let number = number.trim_end_matches(|c: char| !c.is_ascii_digit());
    number.trim_start_matches(|c: char| !(c.is_ascii_digit() || c == '+' || c == '('))
}

/// Whether groups of digits are those of a date, of two dates, or of opening hours.
fn is_date_or_time(number: &str) -> bool {
    let groups = number
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty());
    let lengths: Vec<usize> = groups.map(str::len).collect();
    let mut signs = number.chars().filter(|c| !c.is_ascii_digit());
    let has_date_signs = signs.by_ref().take(2).all(|c| matches!(c, '.' | '/' | '-'));
    let is_date = matches!(
        lengths.as_slice(),
        [1 | 2, 1 | 2, 4, ..] | [4, 1 | 2, 1 | 2, ..]
    );
    let is_range = matches!(lengths.as_slice(), [2, 2, 2, 2, 4]);
    let is_hours = matches!(lengths.as_slice(), [1 | 2, 2, 1 | 2, 2]) && number.contains('.');
    (is_date && has_date_signs) || is_range || is_hours
}

/// The two ways of writing that only phone numbers have: a trunk prefix with groups after it, and
/// the three groups of the North American plan.
fn is_grouped_as_phone(number: &str) -> bool {
    let groups: Vec<&str> = number
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let has_trunk_prefix = number.trim_start_matches('(').starts_with('0') && groups.len() >= 2;
    let is_slashed_id = number.matches('/').count() > 1;
    let is_north_american =
        lengths == [3, 3, 4] || (lengths == [1, 3, 3, 4] && number.starts_with('1'));
    (has_trunk_prefix && !is_slashed_id) || is_north_american
}
