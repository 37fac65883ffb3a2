//! The street of an address, among the parts of a text before its place.

use super::places::{LINKS, Place};

/// Most bytes of a street, and most words.
const STREET_MAX_BYTES: usize = 80;

const STREET_WORDS_MAX: usize = 8;

/// Pieces of words for a street, in lower case.
const STREET_PIECES: &[&str] = &[
    "straße",
    "strasse",
    "str.",
    "gasse",
    "weg",
    "platz",
    "allee",
    "ring",
    "damm",
    "ufer",
    "hof",
    "markt",
    "chaussee",
    "straat",
    "laan",
    "plein",
    "kade",
    "dijk",
    "singel",
    "gracht",
    "steenweg",
    "gatan",
    "vägen",
    "gata",
    "torget",
    "vej",
    "gade",
    "allé",
    "stræde",
    "torv",
    "veien",
    "vegen",
    "katu",
    "tie ",
    "kuja",
    "utca",
    " út ",
    "tér ",
    "körút",
    "ulica",
    "cesta",
    "sokak",
    "sok.",
    "cad",
    "mah.",
    "bulvar",
    "náměstí",
    "třída",
    "nám.",
    "οδός",
    "πλατεία",
    "λεωφ",
];

/// Words with which a street begins, or that follow its number, in lower case.
const STREET_WORDS: &[&str] = &[
    "rue",
    "avenue",
    "boulevard",
    "chemin",
    "place",
    "route",
    "allée",
    "impasse",
    "quai",
    "cours",
    "chaussée",
    "via",
    "viale",
    "piazza",
    "corso",
    "largo",
    "vicolo",
    "strada",
    "calle",
    "c/",
    "callejón",
    "avda",
    "avda.",
    "avenida",
    "av.",
    "plaza",
    "paseo",
    "camino",
    "ctra.",
    "ronda",
    "carrer",
    "passeig",
    "avinguda",
    "rua",
    "praça",
    "travessa",
    "estrada",
    "rodovia",
    "alameda",
    "ul.",
    "al.",
    "pl.",
    "os.",
    "aleja",
    "str.",
    "bd.",
    "calea",
    "șos.",
    "street",
    "st",
    "st.",
    "road",
    "rd",
    "rd.",
    "lane",
    "ave",
    "ave.",
    "drive",
    "dr",
    "dr.",
    "way",
    "court",
    "square",
    "terrace",
    "crescent",
    "close",
    "blvd",
    "blvd.",
    "highway",
    "hwy",
    "parkway",
    "pkwy",
    "row",
    "hill",
];

/// The street that ends with the first of some parts, which are those before a place, the last
/// first.
pub(super) fn street(parts: &[&str], place: &Place) -> Option<String> {
    for (count, part) in parts.iter().enumerate().take(4) {
        let part = after_label(part);
        let is_begun = begins_street(part);
        let has_word = is_begun || has_street_word(part);
        let earlier = parts.get(count + 1).copied().map(after_label);
        let last = part.rsplit(' ').next().unwrap_or_default().to_lowercase();
        let is_numbered_street = begins_with_number(part) && STREET_WORDS.contains(&&*last);
        let is_addition = is_addition(part) && !is_numbered_street;
        let is_street = !is_addition
            && ((ends_in_number(part) && (has_word || is_title_case(part) && !place.is_year))
                || (begins_with_number(part) && (has_word || place.takes_any_number))
                || (is_begun && count > 0));
        // "14 bis, rue des Marronniers"
        let number = earlier.filter(|number| {
            is_begun && number.split(' ').next().is_some_and(is_house_number) && number.len() < 10
        });
        if is_street || number.is_some() {
            let premises = earlier.filter(|part| is_premises(part));
            let mut whole: Vec<&str> = parts.get(..count)?.to_vec();
            whole.push(part);
            whole.extend(number.or(premises));
            whole.reverse();
            let street = whole.join(", ");
            let is_plain = street.len() <= STREET_MAX_BYTES
                && street.split(' ').count() <= STREET_WORDS_MAX + count
                && !street.contains(['@', '?', '!', '©'])
                && !is_other_number(&street);
            return is_plain.then_some(street);
        }
        // What stands between a street and its place is a number, a floor or a suite.
        if !is_addition {
            return None;
        }
    }
    None
}

/// Whether all words before a number begin with a capital letter or link others.
fn is_title_case(part: &str) -> bool {
    part.split_whitespace().all(|word| {
        !word.starts_with(char::is_lowercase) || LINKS.contains(&word) || word.len() == 1
    })
}

/// Whether a part says in which house or unit: `Epsom House`, `Unit 4`.
pub(super) fn is_premises(part: &str) -> bool {
    const WORDS: &[&str] = &[
        "building", "flat", "herdade", "quinta", "floor", "house", "level", "mill", "studio",
        "suite", "unit", "works", "yard",
    ];
    let lower = part.to_lowercase();
    let mut ends = lower
        .split(' ')
        .next()
        .into_iter()
        .chain(lower.rsplit(' ').next());
    part.split(' ').count() <= 4
        && part.starts_with(|c: char| c.is_uppercase())
        && ends.any(|word| WORDS.contains(&word))
}

/// Whether a part begins with a word for a number of another kind.
fn is_other_number(part: &str) -> bool {
    const WORDS: &[&str] = &[
        "tel", "fax", "phone", "mobil", "telefon", "hrb", "hra", "iban", "nip", "regon", "kvk",
        "cvr", "siret", "siren", "rcs", "p.iva", "ust", "uid", "raum", "room",
    ];
    let first = part.split([' ', '.', ':']).next().unwrap_or_default();
    WORDS.contains(&first.to_lowercase().as_str())
}

/// A part without what announces it, and without the sentence that leads to it.
fn after_label(part: &str) -> &str {
    let part = part.rsplit_once(": ").map_or(part, |(label, rest)| {
        // "No: 12" is the number.
        if label.to_lowercase().ends_with("no") {
            part
        } else {
            rest
        }
    });
    let lead = [" ul. ", " al. ", " os. "]
        .iter()
        .find_map(|word| part.rfind(word));
    let part = lead.and_then(|at| part.get(at + 1..)).unwrap_or(part);
    // "located at 2718 Rattlesnake Drive"
    let part = [" at ", " på "]
        .iter()
        .find_map(|word| Some(part.rsplit_once(word)?.1))
        .unwrap_or(part);
    // "34, 2. sal (elevator)"
    let bare = part
        .strip_suffix(')')
        .and_then(|part| part.rsplit_once(" ("));
    bare.map_or(part, |(part, _)| part).trim()
}

pub(super) fn begins_street(part: &str) -> bool {
    let first = part.split(' ').next().unwrap_or_default().to_lowercase();
    STREET_WORDS.contains(&first.as_str())
}

pub(super) fn has_street_word(part: &str) -> bool {
    let lower = part.to_lowercase();
    STREET_PIECES.iter().any(|piece| lower.contains(piece))
        || lower
            .split([' ', ','])
            .any(|word| STREET_WORDS.contains(&word))
}

/// Whether a part is a name and a number: `Ringstraße 4 a`, `Leusderweg 212`.
fn ends_in_number(part: &str) -> bool {
    let mut words: Vec<&str> = part.split(' ').collect();
    // A letter may stand apart.
    if words.len() > 2
        && words
            .last()
            .is_some_and(|word| word.len() == 1 && word.starts_with(char::is_alphabetic))
    {
        words.pop();
    }
    let Some((number, name)) = words.split_last() else {
        return false;
    };
    let is_name = name
        .first()
        .is_some_and(|word| word.starts_with(char::is_alphabetic))
        && name
            .iter()
            .any(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1);
    is_house_number(number) && is_name && part.starts_with(|c: char| c.is_alphabetic())
}

/// Whether a part is a number and a name: `27 quai Lamennais`.
pub(super) fn begins_with_number(part: &str) -> bool {
    let mut words = part.split(' ');
    words.next().is_some_and(is_house_number)
        && words
            .next()
            .is_some_and(|word| word.chars().any(char::is_alphabetic))
}

fn is_house_number(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.len() <= 9
        && digits <= 6
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '–'))
        && word.chars().filter(|c| c.is_ascii_alphabetic()).count() <= 2
}

/// Whether a part says where in a house: `62`, `n.º 118`, `Suite 410`, `3.º izda.`, `bud. K`.
pub(super) fn is_addition(part: &str) -> bool {
    const WORDS: &[&str] = &[
        "apt", "apto", "bud", "conj", "dto", "esc", "etage", "fl", "floor", "izda", "dcha", "km",
        "local", "loja", "lok", "m", "no", "nr", "nº", "n", "numero", "número", "piso", "planta",
        "pok", "pta", "puerta", "r", "c", "rdc", "sal", "sala", "scala", "ste", "suite", "unit",
        "sk", "k", "º", "bl", "sc", "et", "ap", "galpão", "bajo", "entlo", "ático", "th", "rd",
        "st", "nd", "bis", "b", "a",
    ];
    let lower = part.to_lowercase();
    part.len() <= 24
        && lower
            .split(|c: char| !c.is_alphabetic())
            .filter(|word| !word.is_empty())
            .all(|word| WORDS.contains(&word))
}
