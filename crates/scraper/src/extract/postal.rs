//! Postal addresses in a text: a street with a number, then a postal code and a place, in the order
//! and the form of the main countries.
//!
//! Taken only where all three are there and nothing around names an authority or a processor:
//! an address that is missed does less harm than that of somebody else.

mod national;
mod places;
mod street;

use std::collections::VecDeque;

use super::lines::lines_above;
use super::others::ADDRESSES;
use crate::facts::structured::PostalAddress;
use national::{Around, national};
use places::{Place, has_code, place};
use street::{begins_street, street};

/// Most bytes of a line above that is looked at for the name of somebody else.
const LINE_MAX_BYTES: usize = 480;

/// How many parts back a street may begin, and how many lines back the name of somebody else is
/// looked for.
const PARTS_MAX: usize = 6;
const LINES_MAX: usize = 4;

/// How many lines back a street stands that is followed by a quarter.
const STREET_LINES_MAX: usize = 2;

/// Most words of the name of a quarter.
const QUARTER_WORDS_MAX: usize = 3;

/// Signs between the parts of an address.
const SIGNS: &[char] = &[',', '|', '·', '•', ';'];

/// The addresses in the line of a text that begins at a byte.
pub(super) fn addresses(text: &str, start: usize, line: &str, mut take: impl FnMut(PostalAddress)) {
    if !has_code(line) {
        return;
    }
    let above: Vec<&str> = lines_above(text, start)
        .map(|(_, line)| line)
        .take(LINES_MAX)
        .collect();
    let mut found = false;
    // The parts since the last address, the last first.
    let mut before: VecDeque<&str> = VecDeque::new();
    for part in parts(line) {
        // A street on the lines above belongs to the first place alone.
        let lines = above.get(..if found { 0 } else { STREET_LINES_MAX });
        if let Some(place) = place(part, before.front().copied())
            && let Some(street) = street_before(&place, &before, lines.unwrap_or(&above))
            && !is_of_others(&before, &above)
        {
            take(PostalAddress {
                street: Some(street),
                postal_code: Some(place.code),
                locality: Some(place.locality),
                ..PostalAddress::default()
            });
            before.clear();
            found = true;
        } else {
            before.push_front(part);
            before.truncate(PARTS_MAX);
        }
    }
    let below = || {
        text.get(start + line.len()..)?
            .lines()
            .find(|line| !line.is_empty())
    };
    if !found
        && line.len() <= LINE_MAX_BYTES
        && let Some(address) = national(Around {
            line: line.trim(),
            above: &above,
            below: below(),
        })
        && !is_of_others(&VecDeque::from([line]), &above)
    {
        take(address);
    }
}

fn parts(line: &str) -> impl Iterator<Item = &str> {
    line.split(SIGNS)
        .flat_map(|part| part.split(" – "))
        .flat_map(|part| part.split(" - "))
        .map(without_remark)
        .filter(|part| !part.is_empty())
}

/// A part without the remark in brackets behind it: `2. sal (elevator)`.
fn without_remark(part: &str) -> &str {
    let part = part.trim();
    let bare = part
        .strip_suffix(')')
        .and_then(|part| part.rsplit_once(" ("));
    let bare = bare.filter(|(_, remark)| !remark.bytes().any(|b| b.is_ascii_digit()));
    bare.map_or(part, |(part, _)| part.trim_end())
}

fn street_before(place: &Place, before: &VecDeque<&str>, above: &[&str]) -> Option<String> {
    let on_line: Vec<&str> = before.iter().copied().skip(place.parts_before).collect();
    let is_quarter = |text: &str| {
        !text.contains(|c: char| c.is_ascii_digit() || matches!(c, ':' | '@'))
            && text.split(' ').count() <= QUARTER_WORDS_MAX
            && text.starts_with(char::is_uppercase)
    };
    if let Some(street) = street(&on_line, place) {
        return Some(street);
    }
    // A quarter may stand between a street and its place.
    let (is_apart, above) = match (on_line.as_slice(), above) {
        ([], [quarter, above @ ..]) if is_quarter(quarter) => (true, above),
        ([], above) => (false, above),
        ([quarter], above) if is_quarter(quarter) => (true, above),
        _ => return None,
    };
    let line = above.first().filter(|line| line.len() <= LINE_MAX_BYTES)?;
    let mut of_line: Vec<&str> = parts(line).collect();
    if is_apart && !of_line.first().is_some_and(|part| begins_street(part)) {
        return None;
    }
    of_line.reverse();
    of_line.truncate(PARTS_MAX);
    street(&of_line, place)
}

fn is_of_others(before: &VecDeque<&str>, above: &[&str]) -> bool {
    before.iter().chain(above).any(|text| {
        // Of what is long, the end is near.
        let start = text.ceil_char_boundary(text.len().saturating_sub(LINE_MAX_BYTES));
        let lower = text.get(start..).unwrap_or_default().to_lowercase();
        let lower = lower.replace("bank holiday", "");
        ADDRESSES.iter().any(|word| lower.contains(word))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::lines::numbered_lines;
    use super::*;

    pub(super) fn found(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (start, line) in numbered_lines(text) {
            addresses(text, start, line, |address| {
                let parts = [address.street, address.postal_code, address.locality];
                found.push(parts.map(Option::unwrap_or_default).join("|"));
            });
        }
        found
    }

    #[test]
    fn addresses_are_read_as_their_countries_write_them() {
        for (text, expected) in [
            ("Ringstraße 4\n50996 Köln", "Ringstraße 4|50996|Köln"),
            (
                "Am Sande 94, D-21335 Lüneburg",
                "Am Sande 94|21335|Lüneburg",
            ),
            (
                "Adresse: Weg 1, 87435 Kempten (Allgäu)",
                "Weg 1|87435|Kempten",
            ),
            (
                "14 bis, rue Basse, 69002 Lyon",
                "14 bis, rue Basse|69002|Lyon",
            ),
            (
                "9220 North 7th Street, Phoenix, Arizona 85020",
                "9220 North 7th Street|85020|Phoenix",
            ),
            (
                "Unit 4, 61 Norman Street\nWendouree VIC 3355",
                "Unit 4, 61 Norman Street|3355|Wendouree",
            ),
            ("Weg 2\n3818 AH  Amersfoort", "Weg 2|3818 AH|Amersfoort"),
            (
                "Via di Città 147\n53100 Siena (SI)",
                "Via di Città 147|53100|Siena",
            ),
            (
                "Corso Roma, 62, 20122 Milano",
                "Corso Roma, 62|20122|Milano",
            ),
            (
                "27 quai Lamennais, 35000 Rennes",
                "27 quai Lamennais|35000|Rennes",
            ),
            (
                "Calle Covadonga, 27, 1.º B\n33201 Gijón",
                "Calle Covadonga, 27, 1.º B|33201|Gijón",
            ),
            (
                "Zwanestraat 28\n9712 CL Groningen",
                "Zwanestraat 28|9712 CL|Groningen",
            ),
            (
                "Dæmningen 34, 2. sal\n7100 Vejle",
                "Dæmningen 34, 2. sal|7100|Vejle",
            ),
            (
                "Omformargatan 8, 721 37 Västerås",
                "Omformargatan 8|721 37|Västerås",
            ),
            (
                "siedziba przy ul. Głogowska 178/4, 60-126 Poznań, NIP",
                "ul. Głogowska 178/4|60-126|Poznań",
            ),
            (
                "Rua do Taxa, n.º 118\n4710-448 Braga",
                "Rua do Taxa, n.º 118|4710-448|Braga",
            ),
            (
                "Seetalstrasse 114 · 6032 Emmen",
                "Seetalstrasse 114|6032|Emmen",
            ),
            (
                "1209 Delaware Avenue, Suite 410\nWilmington, DE 19806",
                "1209 Delaware Avenue, Suite 410|19806|Wilmington",
            ),
            (
                "2988 24th St, San Francisco, CA 94110",
                "2988 24th St|94110|San Francisco",
            ),
            (
                "19 Corve Street, Ludlow, SY8 1DA",
                "19 Corve Street|SY8 1DA|Ludlow",
            ),
            (
                "Via Sant’Agostino 31\n31100 Treviso TV",
                "Via Sant’Agostino 31|31100|Treviso",
            ),
            (
                "Hobrovej 318 A\n9200 Aalborg SV",
                "Hobrovej 318 A|9200|Aalborg SV",
            ),
            (
                "Rua do Taxa, n.º 118\nSão Vicente\n4710-448 Braga",
                "Rua do Taxa, n.º 118|4710-448|Braga",
            ),
            (
                "Calle Juárez 418\nCentro, 68000 Oaxaca",
                "Calle Juárez 418|68000|Oaxaca",
            ),
            (
                "Dæmningen 34, 2. sal (elevator)\n7100 Vejle",
                "Dæmningen 34, 2. sal|7100|Vejle",
            ),
            (
                "We are located at 2718 Rattlesnake Drive, Missoula, Montana 59802",
                "2718 Rattlesnake Drive|59802|Missoula",
            ),
            (
                "148, rue Principale\nSaint-Elzéar (Québec)  G5R 2K4",
                "148, rue Principale|G5R 2K4|Saint-Elzéar",
            ),
            (
                "Closed on bank holidays\nWeg 1, 10115 Berlin",
                "Weg 1|10115|Berlin",
            ),
            (
                "Str. Unirii nr. 21, 400114 Cluj-Napoca",
                "Str. Unirii nr. 21|400114|Cluj-Napoca",
            ),
            (
                "88 North Street\nGuildford GU1 4RR",
                "88 North Street|GU1 4RR|Guildford",
            ),
        ] {
            assert_eq!(found(text), [expected], "{text}");
        }
    }

    #[test]
    fn one_line_may_have_several() {
        let text = "Hauptweg 9\nRingstraße 4, 50996 Köln, 53111 Bonn · Weg 1, 10115 Berlin";
        assert_eq!(
            found(text),
            ["Ringstraße 4|50996|Köln", "Weg 1|10115|Berlin"]
        );
    }

    #[test]
    fn other_numbers_and_the_addresses_of_others_are_left_alone() {
        for text in [
            "Halle 12, 5000 Besucher",
            "Seit 1998, 2024 Neubau",
            "Raum 3\n2024 Sommerfest",
            "Wir haben 12, 10000 Euro",
            "50996 Köln",
            "Vejnavn 1, 1234 By",
            "Wir haben in Halle 12, 10115 Berlin",
            "Aufsichtsbehörde:\nKönigstraße 10a\n70173 Stuttgart",
            "Hosting: Acme, Weg 1, 10115 Berlin",
            "Tel. 030 123, 10115 Berlin",
            "Order 1234, AB 12345",
            "Modell 12, 400114 Schwarz",
            "Modell 12\nSchwarz\n10115 Berlin",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_searched_without_a_panic(
            text in "(\\PC|[0-9]{2,5}| [A-Z][a-z]+|, |\\n|Weg 1|[A-Z]{2} ){0,40}",
        ) {
            found(&text);
        }
    }
}
