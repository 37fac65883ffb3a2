//! Addresses in forms of their own: of Brazil, Britain and Ireland line by line, Hungary, India,
//! Japan, Korea and Romania.

use super::places::{LOCALITY_MAX_BYTES, has_shape, locality};
use super::street::{begins_street, begins_with_number, has_street_word, is_addition, is_premises};
use crate::facts::structured::PostalAddress;

/// Most bytes of a street; in India it names house, floor, road and quarter.
const STREET_MAX_BYTES: usize = 120;

/// A line with a code, and what stands around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'t> {
    pub(super) line: &'t str,
    /// The lines above, the nearest first.
    pub(super) above: &'t [&'t str],
    pub(super) below: Option<&'t str>,
}

/// The address of which a line is a part.
pub(super) fn national(around: Around<'_>) -> Option<PostalAddress> {
    japanese(around)
        .or_else(|| korean(around.line))
        .or_else(|| hungarian(around.line))
        .or_else(|| {
            let parts = parts_around(around);
            brazilian(&parts)
                .or_else(|| island(&parts))
                .or_else(|| indian(around))
                .or_else(|| romanian(&parts))
        })
}

fn address(street: String, code: &str, locality: &str) -> Option<PostalAddress> {
    let is_plain = !street.contains(['@', '?', '!', '©'])
        && (3..=STREET_MAX_BYTES).contains(&street.len())
        && (1..=LOCALITY_MAX_BYTES).contains(&locality.len());
    is_plain.then(|| PostalAddress {
        street: Some(street),
        postal_code: Some(code.to_owned()),
        locality: Some(locality.to_owned()),
        ..PostalAddress::default()
    })
}

/// The parts of the lines around a code down to its own line, in their order.
fn parts_around(around: Around<'_>) -> Vec<&str> {
    let lines = around.above.iter().rev().copied().chain([around.line]);
    let is_short = |line: &&str| line.len() <= STREET_MAX_BYTES;
    lines.filter(is_short).flat_map(super::parts).collect()
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit())
}

/// `〒530-0041 大阪府大阪市北区天神橋3丁目8-12`, also on two lines.
fn japanese(around: Around<'_>) -> Option<PostalAddress> {
    let behind = around.line.split_once('〒')?.1.trim_start();
    let code = behind.get(..8).filter(|code| has_shape(code, "999-9999"))?;
    let same = behind.get(8..)?.trim();
    let place = if same.is_empty() {
        around.below?.trim()
    } else {
        same
    };
    let rest = after_prefecture(place)?;
    let end = municipality_end(rest)?;
    let (locality, street) = rest.split_at_checked(end)?;
    let ends = ["TEL", "Tel", "電話", "(", "（", "MAP"];
    let until = ends.iter().filter_map(|word| street.find(word)).min();
    let street = street.get(..until.unwrap_or(street.len()))?.trim();
    has_digit(street)
        .then(|| address(street.to_owned(), code, locality))
        .flatten()
}

fn after_prefecture(place: &str) -> Option<&str> {
    let named = ["東京都", "北海道", "京都府", "大阪府"];
    let of_name = named.iter().find_map(|name| place.strip_prefix(name));
    of_name.or_else(|| {
        let at = place.find('県').filter(|at| *at <= 4 * 3)?;
        place.get(at + '県'.len_utf8()..)
    })
}

/// Where the name of a city with its ward, a ward, a town or a village ends.
fn municipality_end(text: &str) -> Option<usize> {
    let after = |from: usize, signs: &[char]| {
        let (at, sign) = text
            .get(from..)?
            .char_indices()
            .find(|(_, c)| signs.contains(c))?;
        Some(from + at + sign.len_utf8())
    };
    // "市" may begin a name.
    let first = text.chars().next()?.len_utf8();
    let end = after(first, &['市', '区', '郡', '町', '村'])?;
    let name = text.get(..end)?;
    if name.ends_with('市') {
        let ward = after(end, &['区']).filter(|ward| *ward - end <= 4 * 3);
        Some(ward.unwrap_or(end))
    } else if name.ends_with('郡') {
        after(end, &['町', '村'])
    } else {
        Some(end)
    }
}

/// Korean provinces by their beginnings.
const PROVINCES: &[&str] = &[
    "서울", "부산", "대구", "인천", "광주", "대전", "울산", "세종", "경기", "강원", "충청", "충북",
    "충남", "전라", "전북", "전남", "경상", "경북", "경남", "제주",
];

/// `(13488) 경기도 성남시 분당구 판교로 289번길 20`, `서울특별시 마포구 양화로 156 (우) 04050`.
fn korean(line: &str) -> Option<PostalAddress> {
    let first = PROVINCES.iter().filter_map(|name| line.find(name)).min()?;
    let (before, place) = line.split_at_checked(first)?;
    let place = place.split(" (우").next()?.trim();
    let code = code_of_five(before).or_else(|| code_of_five(line.rsplit_once("(우")?.1))?;
    let mut words = place.split(' ').skip(1).peekable();
    let mut locality: Vec<&str> = Vec::new();
    while let Some(word) = words.next_if(|word| word.ends_with(['시', '군', '구'])) {
        locality.push(word);
    }
    let street: Vec<&str> = words.collect();
    let street = street.join(" ");
    (has_digit(&street) && !locality.is_empty())
        .then(|| address(street, code, &locality.join(" ")))
        .flatten()
}

/// The one number of five digits in a short text.
fn code_of_five(text: &str) -> Option<&str> {
    let code = text.trim_matches(|c: char| !c.is_ascii_digit());
    (code.len() == 5 && has_shape(code, "99999")).then_some(code)
}

/// Hungarian words for a street, behind its name.
const HUNGARIAN_STREETS: &[&str] = &[
    "utca", "u.", "út", "útja", "tér", "körút", "krt.", "köz", "sor", "sétány", "rakpart", "fasor",
];

/// `Székhely: 1121 Budapest, Zugligeti út 58/B`.
fn hungarian(line: &str) -> Option<PostalAddress> {
    let (before, street) = line.split_once(", ")?;
    let place = before.rsplit(": ").next()?.trim();
    let place = place.strip_prefix("H-").unwrap_or(place);
    let (code, town) = place
        .split_once(' ')
        .filter(|(code, _)| code.len() == 4 && has_shape(code, "9999"))?;
    let mut words = street.split(' ');
    words
        .by_ref()
        .find(|word| HUNGARIAN_STREETS.contains(word))?;
    let number = words
        .next()
        .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let end = street.find(number)? + number.len();
    address(
        street.get(..end)?.trim_end_matches(',').to_owned(),
        code,
        &locality(town)?,
    )
}

/// Brazilian states.
const BRAZIL: &[&str] = &[
    "AC", "AL", "AM", "AP", "BA", "CE", "DF", "ES", "GO", "MA", "MG", "MS", "MT", "PA", "PB", "PE",
    "PI", "PR", "RJ", "RN", "RO", "RR", "RS", "SC", "SE", "SP", "TO",
];

/// `Rua Bento Viana, 1142 / Água Verde – Curitiba/PR / CEP 80240-110`.
fn brazilian(parts: &[&str]) -> Option<PostalAddress> {
    let (last, before) = parts.split_last()?;
    let code = last
        .trim_start_matches("CEP")
        .trim_start_matches([':', ' ']);
    if code.len() != 9 || !has_shape(code, "99999-999") {
        return None;
    }
    let (state, before) = before.split_last()?;
    let (town, before) = match state.split_once('/') {
        Some((town, state)) if BRAZIL.contains(&state.trim()) => (town, before),
        _ if BRAZIL.contains(state) => {
            let (town, before) = before.split_last()?;
            (*town, before)
        }
        _ => return None,
    };
    let start = before.iter().rposition(|part| begins_street(part))?;
    let street = before.get(start..)?;
    let additions = street
        .iter()
        .skip(1)
        .take_while(|part| is_addition(part))
        .count();
    let street = street.get(..=additions)?.join(", ");
    has_digit(&street)
        .then(|| address(street, code, &locality(town)?))
        .flatten()
}

/// `Mill Street House, Mill Street / Galway / H91 K7TX`, and British addresses whose code stands
/// alone.
fn island(parts: &[&str]) -> Option<PostalAddress> {
    let is_code = |part: &&&str| {
        let shapes = [
            "A9 9AA", "A99 9AA", "AA9 9AA", "AA99 9AA", "A9A 9AA", "AA9A 9AA",
        ];
        let is_british = || {
            shapes
                .iter()
                .any(|shape| shape.len() == part.len() && has_shape(part, shape))
        };
        is_eircode(part) || is_british()
    };
    let (code, mut before) = parts.split_last().filter(|(code, _)| is_code(code))?;
    let mut town = "";
    while let Some((last, rest)) = before.split_last() {
        before = rest;
        let is_county = ["Co. ", "Co ", "County "]
            .iter()
            .any(|word| last.starts_with(word));
        if !is_county {
            town = last;
            break;
        }
    }
    let (street, before) = before.split_last()?;
    let is_street = has_street_word(street) || begins_with_number(street);
    let premises = before.last().filter(|part| is_premises(part));
    let street = match premises {
        Some(premises) => format!("{premises}, {street}"),
        None => (*street).to_owned(),
    };
    let is_named = has_digit(&street) || premises.is_some();
    (is_street && is_named)
        .then(|| address(street, code, &locality(town)?))
        .flatten()
}

/// The code of an Irish address: `D07 X3R4`.
fn is_eircode(text: &str) -> bool {
    let Some((routing, own)) = text.split_once(' ') else {
        return false;
    };
    let is_own = own.len() == 4
        && own.starts_with(|c: char| c.is_ascii_uppercase())
        && own
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    (has_shape(routing, "A99") || routing == "D6W")
        && routing.len() == 3
        && is_own
        && has_digit(own)
}

/// Indian states and territories with large towns.
const INDIA: &[&str] = &[
    "Andhra Pradesh",
    "Assam",
    "Bihar",
    "Chhattisgarh",
    "Delhi",
    "Goa",
    "Gujarat",
    "Haryana",
    "Himachal Pradesh",
    "Jharkhand",
    "Karnataka",
    "Kerala",
    "Madhya Pradesh",
    "Maharashtra",
    "Odisha",
    "Puducherry",
    "Punjab",
    "Rajasthan",
    "Tamil Nadu",
    "Telangana",
    "Uttar Pradesh",
    "Uttarakhand",
    "West Bengal",
];

/// `No. 14, 2nd Cross Road, Indiranagar / Bengaluru – 560038, Karnataka`.
fn indian(around: Around<'_>) -> Option<PostalAddress> {
    let parts: Vec<&str> = super::parts(around.line).collect();
    // "Karnataka 560034", "Maharashtra – 411045", "Bengaluru – 560038, Karnataka"
    let is_state = |part: &str| INDIA.contains(&part);
    let (at, code) = parts
        .iter()
        .enumerate()
        .find_map(|(at, part)| {
            let (name, code) = part.rsplit_once(' ').unwrap_or(("", part));
            (code.len() == 6 && has_shape(code, "999999")).then_some((at, code, name))
        })
        .and_then(|(at, code, name)| {
            let before = at
                .checked_sub(1)
                .and_then(|at| parts.get(at))
                .copied()
                .unwrap_or_default();
            let after = parts.get(at + 1).copied().unwrap_or_default();
            if is_state(name) {
                Some((at.checked_sub(1)?, code))
            } else if name.is_empty() && is_state(before) {
                Some((at.checked_sub(2)?, code))
            } else if name.is_empty() && is_state(after) {
                Some((at.checked_sub(1)?, code))
            } else {
                None
            }
        })?;
    let town = parts.get(at)?;
    let street = match parts.get(..at)? {
        [] => (*around.above.first()?).to_owned(),
        parts => parts.join(", "),
    };
    (has_digit(&street) && has_street_word(&street))
        .then(|| address(street, code, &locality(town)?))
        .flatten()
}

/// `Str. Principală nr. 318, sat Moieciu de Sus, com. Moieciu, jud. Brașov, 507134`.
fn romanian(parts: &[&str]) -> Option<PostalAddress> {
    let (code, mut before) = parts.split_last()?;
    if code.len() != 6 || !has_shape(code, "999999") {
        return None;
    }
    let mut has_county = false;
    while let Some((last, rest)) = before.split_last() {
        let is_county = ["jud. ", "jud ", "județ", "județul "]
            .iter()
            .any(|word| last.starts_with(word));
        if !is_county && !last.starts_with("com. ") && !last.starts_with("comuna ") {
            break;
        }
        has_county |= is_county;
        before = rest;
    }
    let (town, before) = before.split_last().filter(|_| has_county)?;
    let town = ["sat ", "loc. ", "oraș ", "mun. "]
        .iter()
        .find_map(|word| town.strip_prefix(word))
        .unwrap_or(town);
    let start = before.iter().rposition(|part| begins_street(part))?;
    let street = before.get(start..)?.join(", ");
    has_digit(&street)
        .then(|| address(street, code, &locality(town)?))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;

    #[test]
    fn addresses_are_read_in_the_forms_of_their_countries() {
        for (text, expected) in [
            (
                "〒530-0041 大阪府大阪市北区天神橋3丁目8-12",
                "天神橋3丁目8-12|530-0041|大阪市北区",
            ),
            (
                "〒922-0115\n石川県加賀市山中温泉東町1丁目ヲ-118",
                "山中温泉東町1丁目ヲ-118|922-0115|加賀市",
            ),
            (
                "〒108-0023 東京都港区芝浦3丁目14番8号 TEL 03",
                "芝浦3丁目14番8号|108-0023|港区",
            ),
            (
                "〒042-0956 北海道函館市鈴蘭丘町21-6",
                "鈴蘭丘町21-6|042-0956|函館市",
            ),
            (
                "〒294-0001 千葉県安房郡鋸南町竜島165",
                "竜島165|294-0001|安房郡鋸南町",
            ),
            (
                "(13488) 경기도 성남시 분당구 판교로 289번길 20, 2동",
                "판교로 289번길 20, 2동|13488|성남시 분당구",
            ),
            (
                "서울특별시 마포구 양화로 156, 3층 (우) 04050",
                "양화로 156, 3층|04050|마포구",
            ),
            (
                "Székhely: 1121 Budapest, Zugligeti út 58/B",
                "Zugligeti út 58/B|1121|Budapest",
            ),
            ("H-6720 Szeged, Kárász u. 9.", "Kárász u. 9.|6720|Szeged"),
            (
                "Rua Bento Viana, 1142\nÁgua Verde – Curitiba/PR\nCEP 80240-110",
                "Rua Bento Viana, 1142|80240-110|Curitiba",
            ),
            (
                "Av. Getúlio Vargas, 1250 – Anita Garibaldi\nJoinville – SC, 89202-001",
                "Av. Getúlio Vargas, 1250|89202-001|Joinville",
            ),
            (
                "Mill Street House, Mill Street\nGalway\nH91 K7TX",
                "Mill Street House, Mill Street|H91 K7TX|Galway",
            ),
            (
                "4 Bindon Street\nEnnis, Co. Clare\nV95 P2W8",
                "4 Bindon Street|V95 P2W8|Ennis",
            ),
            (
                "Third Floor, 41 Chancery Lane\nLondon\nWC2A 1LN",
                "Third Floor, 41 Chancery Lane|WC2A 1LN|London",
            ),
            (
                "No. 14, 2nd Cross Road, Indiranagar\nBengaluru – 560038, Karnataka",
                "No. 14, 2nd Cross Road, Indiranagar|560038|Bengaluru",
            ),
            (
                "Office No. 607, Baner Road, Pune, Maharashtra – 411045",
                "Office No. 607, Baner Road|411045|Pune",
            ),
            (
                "80 Feet Road, Bengaluru, Karnataka 560034",
                "80 Feet Road|560034|Bengaluru",
            ),
            (
                "Str. Principală nr. 318, sat Moieciu de Sus, com. Moieciu, jud. Brașov, 507134",
                "Str. Principală nr. 318|507134|Moieciu de Sus",
            ),
            (
                "Bd. Mihai Viteazu nr. 4, bl. B2, Turda, jud. Cluj, 401094",
                "Bd. Mihai Viteazu nr. 4, bl. B2|401094|Turda",
            ),
        ] {
            assert_eq!(found(text), [expected], "{text}");
        }
    }

    #[test]
    fn numbers_that_look_like_codes_are_none() {
        for text in [
            "〒530-0041",
            "Telefon 1234 Budapest, hívjon 9",
            "Curitiba/PR\n80240-110",
            "PO Box 6167\nSlough\nSL1 0EH",
            "Order 560038, Karnataka",
            "Cod client, jud. Cluj, 401094",
            "(13488) 주문번호 확인",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
