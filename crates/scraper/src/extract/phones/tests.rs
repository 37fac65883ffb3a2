use proptest::prelude::*;

use super::super::marks::Marks;
use super::*;

fn resolve(mut phones: Phones, region: Option<Region>) -> Vec<String> {
    let host = region.map_or("a.com".to_owned(), |r| format!("a.{r:?}"));
    let host = host.to_lowercase();
    // No country domain stands for the United States.
    let language = (region == Some(Region::US)).then_some("en-US");
    phones
        .resolve(&host, language)
        .into_iter()
        .map(|phone| phone.value)
        .collect()
}

fn in_text(text: &str, region: Option<Region>) -> Vec<String> {
    let mut phones = Phones::default();
    phones.add_text(text, &Marks::of(text));
    resolve(phones, region)
}

fn in_tel(target: &str, region: Option<Region>) -> Vec<String> {
    let mut phones = Phones::default();
    phones.add_tel(target, "");
    resolve(phones, region)
}

#[test]
fn numbers_are_found_in_text() {
    for (text, region, number) in [
        ("+49 (0)30 123 456-78", None, "+493012345678"),
        ("Tel.: 030/12345678", Some(Region::DE), "+493012345678"),
        ("0049 30 12345678", None, "+493012345678"),
        (
            "Call us (212) 555-0123 today",
            Some(Region::US),
            "+12125550123",
        ),
        ("phone 2125550123", Some(Region::US), "+12125550123"),
        ("212-555-0123", Some(Region::US), "+12125550123"),
        ("Tél : 01 42 68 53 00", Some(Region::FR), "+33142685300"),
        ("Teléfono: 912 345 678", Some(Region::ES), "+34912345678"),
        ("020 7946 0958", Some(Region::GB), "+442079460958"),
        (
            "Telefonnummer: 030 12345678",
            Some(Region::DE),
            "+493012345678",
        ),
        ("Tel./Fax: 030 12345678", Some(Region::DE), "+493012345678"),
        ("Taxi 030 210 202 10", Some(Region::DE), "+493021020210"),
        ("M 0171 1234567", Some(Region::DE), "+491711234567"),
        (
            "Telefon 030 / 123 45 678",
            Some(Region::DE),
            "+493012345678",
        ),
        ("Telefon\n030 12345678", Some(Region::DE), "+493012345678"),
        ("☎ 912 345 678", Some(Region::ES), "+34912345678"),
        ("912 34 56 78", Some(Region::ES), "+34912345678"),
        ("22 123 45 67", Some(Region::PL), "+48221234567"),
        ("tel. 22 123 45 67", Some(Region::PL), "+48221234567"),
        ("Tlf.: 33 12 34 56", Some(Region::DK), "+4533123456"),
        ("Tel. +420 224 123 456", None, "+420224123456"),
        ("Contact number: +44 20 7946 0958", None, "+442079460958"),
        ("電話03-3212-3456", Some(Region::JP), "+81332123456"),
        ("(951) 514 08 63", Some(Region::MX), "+529515140863"),
        ("kom. 0 502 318 476", Some(Region::PL), "+48502318476"),
        ("tel. (0-12) 291 55 30", Some(Region::PL), "+48122915530"),
        ("936 120 744 (Sr. X)", Some(Region::PT), "+351936120744"),
        ("ＴＥＬ 0761-78-4126", Some(Region::JP), "+81761784126"),
        (
            "Telefonen er åben kl. 08-12 på 7583 2604.",
            Some(Region::DK),
            "+4575832604",
        ),
        ("24시간 접수 1577-2384 / a", Some(Region::KR), "+8215772384"),
        (
            "Skriv til Bo på 61 70 48 39 i dag",
            Some(Region::DK),
            "+4561704839",
        ),
        (
            "Jana bere 608 377 142 i večer",
            Some(Region::CZ),
            "+420608377142",
        ),
        ("Recepción 912345678", Some(Region::ES), "+34912345678"),
        ("Sms til 61 70 48 39.", Some(Region::DK), "+4561704839"),
        ("Call 1-800-FLOWERS", Some(Region::US), "+18003569377"),
        (
            "1300 PIPE XB (1300 748 392)",
            Some(Region::AU),
            "+611300748392",
        ),
        ("a@b.de\n23716480", Some(Region::DK), "+4523716480"),
        ("X\n23716480\nY\na@b.de", Some(Region::DK), "+4523716480"),
        (
            "Mo-Fr 08.00-12.00 13.00-17.00\n030 12-34-56-78",
            Some(Region::DE),
            "+493012345678",
        ),
        (
            "Visit us or dial 1-800-GO-CANDLE (1-800-462-2635)",
            Some(Region::US),
            "+18004622635",
        ),
        ("Numero verde 800 900 313", Some(Region::IT), "+39800900313"),
        ("N. verde: 800900313", Some(Region::IT), "+39800900313"),
        ("Fone/Fax: 11 3456-7890", Some(Region::BR), "+551134567890"),
        ("Viber 0671234567", Some(Region::UA), "+380671234567"),
        ("هاتف 0112345678 غدا", Some(Region::SA), "+966112345678"),
        ("Tel.: 06.3221.4567", Some(Region::IT), "+390632214567"),
        ("8 495 1234567", Some(Region::RU), "+74951234567"),
        ("Whats: 11 9 8765-4321", Some(Region::BR), "+5511987654321"),
    ] {
        assert_eq!(in_text(text, region), [number], "{text}");
    }
}

#[test]
fn groups_in_running_text_are_ids_as_well() {
    for (text, region) in [
        ("sizes 36 38 40 42 in stock", Region::DK),
        ("boards of 600 800 900 in stock", Region::ES),
        ("for 912 345 678 € in all", Region::ES),
        ("under n.º 501 964 843 of it", Region::PT),
        ("contribuinte 501 964 843 de", Region::PT),
        ("more than 222 345 678 times", Region::US),
    ] {
        assert_eq!(in_text(text, Some(region)), [""; 0], "{text}");
    }
}

#[test]
fn two_numbers_in_a_row_are_two() {
    let found = in_text("+49 30 1234567, +49 30 7654321", None);
    assert_eq!(found, ["+49301234567", "+49307654321"]);
    let found = in_text("Tel 030 1234567 | 030 7654321", Some(Region::DE));
    assert_eq!(found, ["+49301234567", "+49307654321"]);
    for text in [
        "Tel. 22 123 45 67, 22 765 43 21",
        "Tel.: 22 123 45 67 lub 22 765 43 21",
        "Tel.: 22 123 45 67 / 22 765 43 21",
    ] {
        let found = in_text(text, Some(Region::PL));
        assert_eq!(found, ["+48221234567", "+48227654321"], "{text}");
    }
}

#[test]
fn what_stands_behind_a_number_is_no_part_of_it() {
    for (text, region, number) in [
        (
            "Tel. 0711 / 220 44 55 24h Notdienst",
            Region::DE,
            "+497112204455",
        ),
        ("0711 123456 (24h)", Region::DE, "+49711123456"),
        ("Tel. 0711 123456 (8-17 Uhr)", Region::DE, "+49711123456"),
        (
            "Tel. +49 711 123456 (24 Stunden)",
            Region::DE,
            "+49711123456",
        ),
        ("Tel. 0711 123456 1. OG", Region::DE, "+49711123456"),
        (
            "Tel. 0711 123456 70173 Stuttgart",
            Region::DE,
            "+49711123456",
        ),
        (
            "Tel. 01805 123456 (0,14 €/Min.)",
            Region::DE,
            "+491805123456",
        ),
        ("Tel. 01805 123456*", Region::DE, "+491805123456"),
        ("Tel. 0711 123456: 8-17 Uhr", Region::DE, "+49711123456"),
        ("Tel. (1) 0711 123456", Region::DE, "+49711123456"),
        (
            "Reservierung: 04274 51234 (8-20 Uhr)",
            Region::AT,
            "+43427451234",
        ),
        ("Tel. 043 211 12 34 (1.50/Min)", Region::CH, "+41432111234"),
        ("Tel 0 892 123 456 (15 cts/min)", Region::FR, "+33892123456"),
        (
            "Tél. 04 78 12 34 56 24h/24 et 7j/7",
            Region::FR,
            "+33478123456",
        ),
        ("Tél. 04 78 12 34 56 7 jours", Region::FR, "+33478123456"),
        ("Tel. 02 1234567 7 giorni su 7", Region::IT, "+39021234567"),
        ("Tel 020-1234567 24/7", Region::NL, "+31201234567"),
        (
            "(303) 292-3344 24/7 Emergency Service",
            Region::US,
            "+13032923344",
        ),
        ("24/7 (303) 292-3344", Region::US, "+13032923344"),
        ("303-292-3344 2 locations", Region::US, "+13032923344"),
        (
            "Call 01273 412345 9am-5pm Mon-Fri",
            Region::GB,
            "+441273412345",
        ),
    ] {
        assert_eq!(in_text(text, Some(region)), [number], "{text}");
    }
    for (text, region) in [
        ("Tel. 0171 2345***89", Region::DE),
        ("for 12 345 678,90 kr", Region::DK),
        ("boards of 600 800 900 50 in stock", Region::ES),
        ("Order 303-292-3344 24/7", Region::US),
    ] {
        assert_eq!(in_text(text, Some(region)), [""; 0], "{text}");
    }
    for (text, region, numbers) in [
        (
            "Tel. 0711 123456 (0711 123457)",
            Region::DE,
            ["+49711123456", "+49711123457"],
        ),
        (
            "Tel. 0711 123456 0171 2345678",
            Region::DE,
            ["+49711123456", "+491712345678"],
        ),
        (
            "303-292-3344 303-292-3345",
            Region::US,
            ["+13032923344", "+13032923345"],
        ),
    ] {
        assert_eq!(in_text(text, Some(region)), numbers, "{text}");
    }
}

#[test]
fn endings_of_other_numbers_are_numbers() {
    for (text, region, numbers) in [
        (
            "030 1234567/68",
            Region::DE,
            ["+49301234567", "+49301234568"],
        ),
        (
            "Tfnos.: 925 25 34 08 / 09",
            Region::ES,
            ["+34925253408", "+34925253409"],
        ),
        (
            "tel.: (012) 276 41 08, 276 41 09",
            Region::PL,
            ["+48122764108", "+48122764109"],
        ),
        (
            "tel. +48 17 865 12 40 lub 41, fax",
            Region::PL,
            ["+48178651240", "+48178651241"],
        ),
        (
            "fundraising is on 01833 960 125 or 960 126.",
            Region::GB,
            ["+441833960125", "+441833960126"],
        ),
        (
            "Telefon 0 (252) 358 41 76 - 77",
            Region::TR,
            ["+902523584176", "+902523584177"],
        ),
    ] {
        assert_eq!(in_text(text, Some(region)), numbers, "{text}");
    }
    let found = in_text("Tel. 04131 / 22 86 - 21", Some(Region::DE));
    assert_eq!(found, ["+494131228621"], "an extension");
}

#[test]
fn dates_prices_and_ids_are_no_numbers() {
    for text in [
        "12.05.2024",
        "2024-05-12 10:30",
        "01.02.2024 - 03.04.2024",
        "1.234.567,00 €",
        "€ 2125550123",
        "Order 2125550123",
        "2125550123",
        "ISBN 978-3-16-148410-0",
        "IBAN DE89 3704 0044 0532 0130 00",
        "Steuernummer: 030/123/45678",
        "HRB 030 1234567",
        "192.168.100.200",
        "2019-2024",
        "08:00-18:00",
        "#0301234567",
        "Fax: 030 12345678",
        "Tel. 1 Fax: 030 12345678",
        "01.02.-03.04.2024",
        "Mo-Fr 08.00 - 12.00",
        "USt-IdNr. 030 1234567",
        "v1.2.3.4.5.6.7",
        "4111 1111 1111 1111",
        "Telefax\n030 12345678",
        "52.520008, 13.404954",
        "0.1277580",
        "Mo-Do 08-12 13-17",
        "Mo-Fr 08.00-12.00 13.00-17.00",
        "Mo-Fr 08.00–12.00 / 13.00–17.00 Uhr",
        "Mo-Fr 08:00–12:00/13:00–17:00",
        "Mo-Fr 8-12 und 14-18 Uhr",
        "1 234 567 EUR",
        "NIP: 012-345-67-89",
        "1716393600",
        "1234567890",
        "EAN 4006381333931",
        "SIRET 412 345 678 00012",
        "R.G. 02457/2012",
        "auf NL91 ABNA 030 1234567",
        "sizes 36 38 40 42 in stock",
        "Hersteller-Nr. 0049 960 060 1",
        "Verkkolaskuosoite: 003726401275",
        "conta, ex.: 001 / 1234-5 / 98765-4",
        "05-10.10.2021",
        "0900-1700",
        "a@b.de\n20240412",
        "Lager\n237164809",
        "Tel. 24 h, Kundennummer 030 1234567",
        "Farbe verde 2125550123",
        "Artikel sn verde 2125550123",
    ] {
        assert_eq!(
            in_text(text, Some(Region::DE)),
            Vec::<String>::new(),
            "{text} in DE"
        );
        assert_eq!(
            in_text(text, Some(Region::US)),
            Vec::<String>::new(),
            "{text} in US"
        );
    }
}

#[test]
fn links_are_trusted_to_be_numbers() {
    assert_eq!(in_tel("+1-212-555-0123", None), ["+12125550123"]);
    assert_eq!(in_tel("%2B49%2030%2012345678", None), ["+493012345678"]);
    assert_eq!(
        in_tel("//2125550123;ext=5", Some(Region::US)),
        ["+12125550123"]
    );
    assert_eq!(in_tel("493012345678", Some(Region::US)), ["+493012345678"]);
    assert_eq!(in_tel("", None), Vec::<String>::new());
    assert_eq!(in_tel("112", Some(Region::DE)), Vec::<String>::new());
}

#[test]
fn a_link_after_the_word_fax_is_no_phone() {
    let mut phones = Phones::default();
    phones.add_tel("+493012345678", "Fax: ");
    phones.add_tel("+49307654321", "Telefon: ");
    assert_eq!(resolve(phones, None), ["+49307654321"]);
}

#[test]
fn ids_of_a_country_are_no_numbers_of_its_neighbor() {
    for text in [
        "BCE 0412.345.614",
        "RPR Gent 0412.345.614",
        "CHE-112.345.614",
    ] {
        let mut phones = Phones::new("a.be");
        phones.add_text(text, &Marks::of(text));
        assert_eq!(phones.resolve("a.be", Some("nl")), [], "{text}");
    }
    let mut phones = Phones::new("a.co");
    phones.add_tel("3214859480", "");
    let found = phones.resolve("a.co", Some("es"));
    let found: Vec<&str> = found.iter().map(|phone| phone.value.as_str()).collect();
    assert_eq!(found, ["+573214859480"]);
}

#[test]
fn addresses_and_the_language_of_the_text_tell_the_country() {
    let check = |text: &str, spoken: &str, number: &str| {
        let mut phones = Phones::new("a.com");
        phones.add_text(text, &Marks::of(text));
        phones.hear(spoken);
        let found = phones.resolve("a.com", Some("en-US"));
        let found: Vec<&str> = found.iter().map(|phone| phone.value.as_str()).collect();
        assert_eq!(found.concat(), number, "{text}");
    };
    check(
        "Call 01273 412345\n12 North Street, Brighton BN1 1EB",
        "en",
        "+441273412345",
    );
    check(
        "Ph 0412 345 678, 1 Pitt St, Sydney NSW 2000",
        "en",
        "+61412345678",
    );
    check("Tel. 0711 123456", "de", "+49711123456");
    check("Tel. 0711 123456", "en", "");
    check("Tel: 020 7946 0958", "en", "+442079460958");
    check("(303) 292-3344, Seattle WA 98101", "en", "+13032923344");
}

#[test]
fn placeholders_are_no_numbers() {
    for target in [
        "+1 234 567 8900",
        "+1 212 222 2222",
        "+1234567890",
        "1234567890",
        "01234567890",
        "+1 555 555 5555",
        "+4900000000",
    ] {
        for region in [Region::DE, Region::GB, Region::US] {
            assert_eq!(in_tel(target, Some(region)), [""; 0], "{target} {region:?}");
        }
    }
}

#[test]
fn both_forms_are_kept() {
    let mut phones = Phones::default();
    phones.add_tel("+493012345678", "");
    let text = "Tel. 030 12345678 oder 030/12345678";
    phones.add_text(text, &Marks::of(text));
    let found = phones.resolve("a.de", None);
    let [phone] = found.as_slice() else {
        panic!("one number: {found:?}");
    };
    assert_eq!(phone.value, "+493012345678");
    assert_eq!(phone.national, "030 12345678");
    assert_eq!(phone.evidence.count, 3);
    assert_eq!(
        phone.evidence.methods,
        [ContactMethod::Link, ContactMethod::Text]
    );
}

#[test]
fn the_country_is_what_the_page_states_before_its_domain_and_language() {
    let check = |hint: &str, host: &str, language: Option<&str>, expected: &[Region]| {
        let mut phones = Phones::default();
        phones.hint(hint);
        assert_eq!(
            phones.regions(&[], host, language),
            expected,
            "{hint} {host}"
        );
    };
    check("", "a.co.uk", Some("de"), &[Region::GB, Region::DE]);
    check("", "a.de", None, &[Region::DE]);
    check("", "a.com", Some("de-AT"), &[Region::AT, Region::DE]);
    check("", "a.io", Some("fr"), &[Region::FR]);
    check("", "127.0.0.1", None, &[]);
    check("CH", "a.com", Some("de"), &[Region::CH, Region::DE]);
    check("Österreich", "a.de", None, &[Region::AT, Region::DE]);
    check("nowhere", "a.com", None, &[]);
    let mut phones = Phones::new("a.com");
    let text = "1 High St, London, United Kingdom\nTel. 020 7946 0018";
    phones.add_text(text, &Marks::of(text));
    let found = phones.resolve("a.com", Some("en"));
    assert_eq!(found[0].value, "+442079460018");
    let mut phones = Phones::default();
    let text = "Tel. +43 1 5321234 und Tel. 01 5324321";
    phones.add_text(text, &Marks::of(text));
    let found = phones.resolve("a.com", Some("de"));
    assert_eq!(found[1].value, "+4315324321");
}

proptest! {
    #[test]
    fn any_text_is_searched_without_a_panic(text in "(\\PC|[0-9 ()+/.-]){0,80}") {
        in_text(&text, Some(Region::DE));
        in_tel(&text, Some(Region::US));
    }
}
