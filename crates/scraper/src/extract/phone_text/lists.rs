//! Numbers of which only the last digits are written, as the others are those of the number
//! before: `925 25 34 08 / 09`, `01833 960 125 or 960 126`.

use super::BETWEEN;
use super::shapes::{digits, groups};

/// Most digits of an ending, and most bytes it may take.
const ENDING_DIGITS_MAX: usize = 7;
const ENDING_MAX_BYTES: usize = 24;

/// The number that begins as `number` does and ends in `ending`, if the ending has the form of
/// its last groups.
pub(in super::super) fn with_ending(number: &str, ending: &str) -> Option<String> {
    let (known, new) = (groups(number), groups(ending));
    let count = digits(ending);
    let all = digits(number);
    let is_tail = known
        .iter()
        .rev()
        .zip(new.iter().rev())
        .all(|(known, new)| known.len() == new.len());
    let is_short = new.len() == 1 && known.last().is_some_and(|last| count <= last.len());
    let fits = count > 0 && all >= count + 3 && new.len() < known.len().max(2);
    if !(fits && (is_tail || is_short)) {
        return None;
    }
    let kept = number
        .char_indices()
        .filter(|(_, c)| c.is_ascii_digit())
        .nth(all - count)?
        .0;
    Some(format!("{}{ending}", number.get(..kept)?))
}

/// The ending that a text lists after a number, and what follows it.
pub(super) fn listed(after: &str) -> Option<(&str, &str)> {
    let text = after.trim_start_matches(' ');
    let rest = match text.chars().next()? {
        '/' | ',' => text.get(1..)?,
        _ => {
            let end = text.find(' ')?;
            let word = text.get(..end).filter(|word| word.len() <= 8)?;
            BETWEEN
                .contains(&word.to_lowercase().as_str())
                .then(|| text.get(end..))??
        }
    };
    let rest = rest.trim_start_matches(' ');
    let near = rest.get(..rest.floor_char_boundary(ENDING_MAX_BYTES))?;
    let end = near
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, ' ' | '-' | '.')))
        .unwrap_or(near.len());
    let ending = near
        .get(..end)?
        .trim_end_matches(|c: char| !c.is_ascii_digit());
    let (_, tail) = rest.split_at_checked(ending.len())?;
    // A comma stands between many things; and "24 hours" are no number.
    let is_enough = !text.starts_with(',') || groups(ending).len() > 1;
    let next = tail.trim_start_matches(' ').chars().next();
    let is_over = next
        .is_none_or(|c| !(c.is_alphanumeric() || matches!(c, ':' | '%' | '€' | '/' | '(' | '+')))
        || listed(tail).is_some();
    let fits = ending.starts_with(|c: char| c.is_ascii_digit())
        && (1..=ENDING_DIGITS_MAX).contains(&digits(ending));
    (fits && is_enough && is_over).then_some((ending, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_take_the_place_of_the_last_digits() {
        for (number, ending, expected) in [
            ("925 25 34 08", "09", Some("925 25 34 09")),
            ("01833 960 125", "960 126", Some("01833 960 126")),
            ("030 1234567", "68", Some("030 1234568")),
            ("(012) 276 41 08", "276 41 09", Some("(012) 276 41 09")),
            ("01833 960 125", "96 01 26", None),
            ("925 25 34 08", "009", None),
            ("1234", "1234", None),
            ("1234567", "", None),
        ] {
            assert_eq!(with_ending(number, ending).as_deref(), expected, "{number}");
        }
    }

    #[test]
    fn endings_stand_in_lists() {
        for (after, ending) in [
            (" / 09", Some("09")),
            (" lub 41, fax", Some("41")),
            (" or 960 126.", Some("960 126")),
            (", 276 41 09", Some("276 41 09")),
            ("/09/10", Some("09")),
            (", 12 Uhr", None),
            (" und 24 Stunden", None),
            (" or 9:30", None),
            (" oder 030/12345678", None),
            (" und", None),
            ("", None),
            (", 5", None),
        ] {
            assert_eq!(listed(after).map(|found| found.0), ending, "{after}");
        }
    }
}
