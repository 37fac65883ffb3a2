//! Postal codes with their places.

/// A place with its code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) code: String,
    pub(super) locality: String,
    /// Of the parts before, how many belong to the place.
    pub(super) parts_before: usize,
    /// The code may be a year or some other number, so that the street must be told by a word.
    pub(super) is_year: bool,
    /// A street needs no more than a number before its name.
    pub(super) takes_any_number: bool,
}

/// With what every postal code begins or ends, as [`has_shape`] reads it.
const CODES: &[&str] = &["9999", "999 99", "99-999", "9A9", "9AA", "99 A9", "99 AA9"];

/// Bytes that are looked at for a digit at once.
const PIECE_BYTES: usize = 32;

/// Most words and bytes of a place.
const WORDS_MAX: usize = 4;
pub(super) const LOCALITY_MAX_BYTES: usize = 40;

/// Countries before a code: `D-`, `CH-`.
const COUNTRIES: &[&str] = &[
    "A", "B", "CH", "CZ", "D", "DE", "DK", "E", "F", "FI", "FIN", "FR", "GR", "H", "HR", "HU", "I",
    "IT", "L", "LT", "LV", "N", "NL", "NO", "P", "PL", "PT", "S", "SE", "SI", "SK", "AT", "BE",
];

/// States and territories before the code of an address, of the United States, Canada and
/// Australia.
const STATES: &[&str] = &[
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DC", "DE", "FL", "GA", "HI", "IA", "ID", "IL", "IN",
    "KS", "KY", "LA", "MA", "MD", "ME", "MI", "MN", "MO", "MS", "MT", "NC", "ND", "NE", "NH", "NJ",
    "NM", "NV", "NY", "OH", "OK", "OR", "PA", "PR", "RI", "SC", "SD", "TN", "TX", "UT", "VA", "VT",
    "WA", "WI", "WV", "WY",
];
const AUSTRALIA: &[&str] = &["ACT", "NSW", "NT", "QLD", "SA", "TAS", "VIC", "WA"];
const CANADA: &[&str] = &[
    "AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT",
];

/// Codes of examples.
const EXAMPLES: &[&str] = &["0000", "00000", "1234", "12345", "99999"];

/// The states of the United States in words.
const STATE_NAMES: &[&str] = &[
    "Alabama",
    "Alaska",
    "Arizona",
    "Arkansas",
    "California",
    "Colorado",
    "Connecticut",
    "Delaware",
    "Florida",
    "Georgia",
    "Hawaii",
    "Idaho",
    "Illinois",
    "Indiana",
    "Iowa",
    "Kansas",
    "Kentucky",
    "Louisiana",
    "Maine",
    "Maryland",
    "Massachusetts",
    "Michigan",
    "Minnesota",
    "Mississippi",
    "Missouri",
    "Montana",
    "Nebraska",
    "Nevada",
    "New Hampshire",
    "New Jersey",
    "New Mexico",
    "New York",
    "North Carolina",
    "North Dakota",
    "Ohio",
    "Oklahoma",
    "Oregon",
    "Pennsylvania",
    "Rhode Island",
    "South Carolina",
    "South Dakota",
    "Tennessee",
    "Texas",
    "Utah",
    "Vermont",
    "Virginia",
    "Washington",
    "West Virginia",
    "Wisconsin",
    "Wyoming",
];

/// Words after a number that make it no postal code, in lower case.
const NO_PLACES: &[&str] = &[
    "besucher",
    "chf",
    "eur",
    "euro",
    "euros",
    "gäste",
    "kč",
    "kr",
    "kunden",
    "meter",
    "mitglieder",
    "neubau",
    "personen",
    "plätze",
    "quadratmeter",
    "sommerfest",
    "stück",
    "tel",
    "tel.",
    "telefon",
    "uhr",
    "usd",
    "zł",
    "fax",
    "gmbh",
    "ab",
    "januar",
    "februar",
    "märz",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "dezember",
];

/// Small words within the names of places, in lower case.
pub(super) const LINKS: &[&str] = &[
    "a", "am", "an", "auf", "bei", "da", "de", "del", "della", "den", "der", "di", "do", "dos",
    "en", "im", "in", "la", "le", "les", "nad", "ob", "pod", "sur", "u", "v", "van", "aan", "het",
    "na", "w",
];

/// British counties, which stand between a town and its code.
const COUNTIES: &[&str] = &[
    "Bedfordshire",
    "Berkshire",
    "Buckinghamshire",
    "Cambridgeshire",
    "Cheshire",
    "Cornwall",
    "County Durham",
    "Cumbria",
    "Derbyshire",
    "Devon",
    "Dorset",
    "East Sussex",
    "Essex",
    "Gloucestershire",
    "Hampshire",
    "Herefordshire",
    "Hertfordshire",
    "Kent",
    "Lancashire",
    "Leicestershire",
    "Lincolnshire",
    "Norfolk",
    "North Yorkshire",
    "Northamptonshire",
    "Northumberland",
    "Nottinghamshire",
    "Oxfordshire",
    "Shropshire",
    "Somerset",
    "Staffordshire",
    "Suffolk",
    "Surrey",
    "Warwickshire",
    "West Midlands",
    "West Sussex",
    "West Yorkshire",
    "Wiltshire",
    "Worcestershire",
    "South Yorkshire",
];

/// Whether a text has what may be a postal code; most numbers are none.
pub(super) fn has_code(text: &str) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len()).step_by(PIECE_BYTES).any(|start| {
        let piece = bytes.get(start..).unwrap_or_default();
        let piece = piece.get(..PIECE_BYTES).unwrap_or(piece);
        // Without a way out at the first digit, compilers compare many bytes at once.
        let has_digit = piece
            .iter()
            .fold(false, |so_far, b| so_far | b.is_ascii_digit());
        has_digit
            && piece
                .iter()
                .enumerate()
                .any(|(at, b)| b.is_ascii_digit() && is_code(text, start + at))
    })
}

fn is_code(text: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    CODES.iter().any(|shape| has_shape(rest, shape))
}

/// The place in a part of a line, of which the part before may hold the name.
pub(super) fn place(part: &str, before: Option<&str>) -> Option<Place> {
    if !has_code(part) {
        return None;
    }
    place_at_code(part, before)
}

fn place_at_code(part: &str, before: Option<&str>) -> Option<Place> {
    continental(part)
        .or_else(|| overseas(part, before))
        .or_else(|| british(part, before))
}

/// `50996 Köln`, `3534 AP Utrecht`, `721 37 Västerås`, `60-126 Poznań`, `1050-014 Lisboa`.
fn continental(part: &str) -> Option<Place> {
    let part = part
        .split_once(['-', ' '])
        .filter(|(country, _)| COUNTRIES.contains(country))
        .map_or(part, |(_, rest)| rest);
    let shapes = [
        "999999 ",
        "99999 ",
        "9999 AA ",
        "9999-999 ",
        "99-999 ",
        "999 99 ",
        "9999 ",
    ];
    let shape = shapes.iter().find(|shape| has_shape(part, shape))?;
    let (code, rest) = part.split_at_checked(shape.len())?;
    let code = code.trim();
    if EXAMPLES.contains(&code) {
        return None;
    }
    // Most numbers of six digits are of goods.
    let is_year = code.len() == 6 && !code.contains(' ')
        || code
            .parse::<u32>()
            .is_ok_and(|n| (1900..=2100).contains(&n));
    let locality = locality(rest)?;
    // A province of Italy: "Treviso TV".
    let town = locality.rsplit_once(' ').filter(|(_, province)| {
        code.len() == 5 && province.len() == 2 && has_shape(province, "AA")
    });
    Some(Place {
        locality: town.map_or(&*locality, |(town, _)| town).to_owned(),
        is_year,
        code: code.to_owned(),
        parts_before: 0,
        takes_any_number: false,
    })
}

/// `Wilmington, DE 19806`, `Wendouree VIC 3355`, `Toronto, ON M5V 2T6`.
fn overseas(part: &str, before: Option<&str>) -> Option<Place> {
    // "Phoenix, Arizona 85020"
    if let Some((state, zip)) = part.rsplit_once(' ')
        && STATE_NAMES.contains(&state)
        && is_zip(zip)
    {
        return Some(Place {
            code: zip.get(..5)?.to_owned(),
            locality: locality(before?)?,
            parts_before: 1,
            is_year: false,
            takes_any_number: true,
        });
    }
    if let Some(place) = bracketed_province(part) {
        return Some(place);
    }
    let words: Vec<&str> = part.split(' ').collect();
    let at = words.iter().position(|word| {
        if word.len() > 3 || !word.bytes().all(|b| b.is_ascii_uppercase()) {
            return false;
        }
        STATES.contains(word) || AUSTRALIA.contains(word) || CANADA.contains(word)
    })?;
    let state = words.get(at)?;
    let next = words.get(at + 1)?;
    let code = if STATES.contains(state) && is_zip(next) {
        next.get(..5)?.to_owned()
    } else if AUSTRALIA.contains(state) && next.len() == 4 && has_shape(next, "9999") {
        (*next).to_owned()
    } else if CANADA.contains(state) && has_shape(next, "A9A") && next.len() == 3 {
        let last = words
            .get(at + 2)
            .filter(|last| has_shape(last, "9A9") && last.len() == 3)?;
        format!("{next} {last}")
    } else {
        return None;
    };
    let city = words.get(..at)?.join(" ");
    let (city, parts_before) = if city.is_empty() {
        (before?, 1)
    } else {
        (city.as_str(), 0)
    };
    Some(Place {
        code,
        locality: locality(city)?,
        parts_before,
        is_year: false,
        takes_any_number: true,
    })
}

/// `Saint-Elzéar-des-Monts (Québec) G5R 2K4`.
fn bracketed_province(part: &str) -> Option<Place> {
    const NAMES: &[&str] = &["Québec", "Quebec", "QC", "Ontario", "Nouveau-Brunswick"];
    let (town, rest) = part.split_once(" (")?;
    let (province, code) = rest.split_once(") ")?;
    let code = code
        .trim_start()
        .get(..7)
        .filter(|code| has_shape(code, "A9A 9A9"))?;
    NAMES.contains(&province).then_some(())?;
    Some(Place {
        code: code.to_owned(),
        locality: locality(town)?,
        parts_before: 0,
        is_year: false,
        takes_any_number: true,
    })
}

fn is_zip(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ';', ')']);
    let (code, more) = word.split_at_checked(5).unwrap_or((word, ""));
    has_shape(code, "99999") && (more.is_empty() || has_shape(more, "-9999") && more.len() == 5)
}

/// `Guildford GU1 4RR`, `Ludlow, Shropshire, SY8 1DA`.
fn british(part: &str, before: Option<&str>) -> Option<Place> {
    let part = part.trim_end_matches('.');
    let (rest, inward) = part.rsplit_once(' ')?;
    let (town, outward) = rest.rsplit_once(' ').unwrap_or(("", rest));
    let is_outward = ["A9", "A99", "AA9", "AA99", "A9A", "AA9A"]
        .iter()
        .any(|shape| shape.len() == outward.len() && has_shape(outward, shape));
    if !(is_outward && inward.len() == 3 && has_shape(inward, "9AA")) {
        return None;
    }
    let town = town.trim();
    // A county alone leaves open which part before is the town.
    let (town, parts_before) = if town.is_empty() {
        (before.filter(|town| !COUNTIES.contains(town))?, 1)
    } else if COUNTIES.contains(&town) {
        (before?, 1)
    } else {
        (town, 0)
    };
    Some(Place {
        code: format!("{outward} {inward}"),
        locality: locality(town)?,
        parts_before,
        is_year: false,
        takes_any_number: false,
    })
}

/// The name of a place at the beginning of a text.
pub(super) fn locality(text: &str) -> Option<String> {
    let mut words: Vec<&str> = Vec::new();
    for word in text.split_whitespace().take(WORDS_MAX + 1) {
        let bare = word.trim_end_matches(['.', ')']).to_lowercase();
        let is_first = words.is_empty();
        let begins = word.trim_start_matches(['\'', '(', 's', '’']);
        let is_big = word.starts_with(char::is_uppercase)
            || begins.starts_with(char::is_uppercase) && begins.len() < word.len();
        let is_link = !is_first && LINKS.contains(&bare.as_str());
        let is_number = !is_first && word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit());
        let ends = word.contains([':', '@', '/']) || NO_PLACES.contains(&bare.as_str());
        if ends || !(is_big || is_link || is_number) {
            break;
        }
        // A province, in most countries.
        if word.starts_with('(') {
            break;
        }
        words.push(word);
        if word.ends_with('.') {
            break;
        }
    }
    while words.last().is_some_and(|word| LINKS.contains(word)) {
        words.pop();
    }

    let name = words.join(" ");
    let name = name.trim_end_matches('.');
    let is_name = words.len() <= WORDS_MAX
        && name.len() <= LOCALITY_MAX_BYTES
        && name.chars().filter(|c| c.is_alphabetic()).count() > 1;
    is_name.then(|| name.to_owned())
}

/// Whether a text begins as a shape does: `9` is a digit, `A` a capital letter.
pub(super) fn has_shape(text: &str, shape: &str) -> bool {
    text.len() >= shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(byte, sign)| match sign {
                b'9' => byte.is_ascii_digit(),
                b'A' => byte.is_ascii_uppercase(),
                sign => byte == sign,
            })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_of_all_countries_are_known() {
        for part in [
            "50996 Köln",
            "3534 AP Utrecht",
            "721 37 Västerås",
            "60-126 Poznań",
            "1050-014 Lisboa",
            "Wilmington DE 19806",
            "Wendouree VIC 3355",
            "Toronto ON M5V 2T6",
            "Guildford GU1 4RR",
        ] {
            assert!(place(part, None).is_some(), "{part}");
        }
    }

    proptest! {
        #[test]
        fn a_place_is_nowhere_but_at_what_may_be_a_code(
            pieces in proptest::collection::vec(
                prop::sample::select(vec![
                    "1", "12", "345", "3355", "50996", "19806-1234", "721 37", "60-126", "1050-014",
                    "AB", "ON", "NSW", "DE", "M5V", "2T6", "SY8", "1DA", "GU12", "W1A", "D-", "CH-",
                    "Bonn", "Toronto", "-", "x", " ", " ", " ", " ",
                ]),
                0..8,
            ),
        ) {
            let part = pieces.concat();
            prop_assert_eq!(place(&part, Some("Bonn")), place_at_code(&part, Some("Bonn")));
        }
    }
}
