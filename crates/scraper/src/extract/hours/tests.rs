use super::*;
use crate::extract::lines::numbered_lines;

fn found(tag: Option<&str>, text: &str) -> String {
    let mut hours = Hours::default();
    hours.begin_text();
    for (start, line) in numbered_lines(text) {
        hours.see_line(text, start, line);
    }
    hours.resolve(tag).join("; ")
}

fn check(tag: &str, text: &str, expected: &str) {
    assert_eq!(found(Some(tag), text), expected, "{text}");
}

#[test]
fn hours_in_lines_are_read() {
    check(
        "de",
        "Mo–Fr 9–18 Uhr, Sa 10–14 Uhr",
        "Mo-Fr 09:00-18:00; Sa 10:00-14:00",
    );
    check(
        "fr",
        "Ouvert lun.-ven. 9h-12h30 et 14h-18h",
        "Mo-Fr 09:00-12:30; Mo-Fr 14:00-18:00",
    );
    check("en", "Open Mon to Fri: 9am – 5.30pm", "Mo-Fr 09:00-17:30");
    check(
        "en",
        "Our lines are open 9am to 5.30pm, Monday to Friday. Please quote 12.",
        "Mo-Fr 09:00-17:30",
    );
    check(
        "de",
        "Rezeption täglich von 7.30 bis 21.00 Uhr besetzt",
        "Mo-Su 07:30-21:00",
    );
    check("de", "Bürozeiten\nMi 9–12 Uhr", "We 09:00-12:00");
    check(
        "it",
        "Orari\nSabato 8.30-17\nDomenica chiuso",
        "Sa 08:30-17:00",
    );
}

#[test]
fn hours_in_the_cells_of_a_table_are_read() {
    check(
        "de",
        "Sprechzeiten\nVormittag\nNachmittag\nMontag\n8:00 – 12:30\n14:00 – 18:00\nMittwoch\n8:00 – 13:00\n–\nFreitag\ngeschlossen",
        "Mo 08:00-12:30; Mo 14:00-18:00; We 08:00-13:00",
    );
    check(
        "fr",
        "Lundi\nFermé\nFermé\nMardi\nFermé\n15h30 - 19h30",
        "Tu 15:30-19:30",
    );
    // The days in the head stand over their hours.
    check("en", "Hours\nMon\nTue\nWed\n9-5\n9-5\n9-5", "");
}

#[test]
fn other_hours_are_left_alone() {
    for (tag, text) in [
        ("de", "Reparaturkurs Mo–Fr 19–21 Uhr"),
        ("de", "Telefonische Auskunft: Mo–Do 8–10 Uhr"),
        ("de", "Öffnungszeiten\nDi 14.05., 19–21 Uhr"),
        ("de", "Di 10:15–11:45, N03"),
        (
            "de",
            "Der Wochenenddienst ist samstags und sonntags 10–12 Uhr besetzt",
        ),
        ("en", "Saturday, June 8, 9:00 AM - 1:00 PM"),
        ("en", "Hours\nMon 4/29\n5:45 - 7:15 pm"),
        ("en", "We ship in 2-3 days, so 1-2 per week"),
        ("en", "Sunday: By appointment\n10-12 people"),
        ("en", "Open: ring 406-721-3308 on Monday"),
        ("cs", "Út 14. 5. od 18:00 do 20:00"),
        (
            "nl",
            "Op Koningsdag (za 27 april) open van 10.00 - 13.00 uur",
        ),
    ] {
        check(tag, text, "");
    }
}

#[test]
fn each_day_is_told_once() {
    check(
        "it",
        "Orari\nLun-Ven 7.30-19.30. Prelievi: dal lunedì al sabato, ore 7.30-9.30.",
        "Mo-Fr 07:30-19:30",
    );
    check(
        "en",
        "Hours\nMon-Fri 9am-5pm\nabout us\nnothing\nat all\nto read\nhere\nis\nShowroom hours\nMon-Fri 8am-6pm",
        "Mo-Fr 09:00-17:00",
    );
    check(
        "sv",
        "Vardagar 7–16, fredagar 7–15",
        "Mo-Th 07:00-16:00; Fr 07:00-15:00",
    );
    // What a word names goes before what none does.
    check(
        "en",
        "Mon-Fri 8am-6pm\na\nb\nc\nd\ne\nf\nOpening hours\nMon-Fri 9am-5pm",
        "Mo-Fr 09:00-17:00",
    );
}

#[test]
fn short_names_mean_what_the_language_of_the_page_says() {
    check("de", "Öffnungszeiten\nSo 9-12", "Su 09:00-12:00");
    check("cs", "Otevřeno\nSo 9-12", "Sa 09:00-12:00");
    assert_eq!(found(None, "Open\nSo 9-12"), "");
    assert_eq!(found(None, "Open\nSonntag 9-12"), "Su 09:00-12:00");
}

#[test]
fn what_is_kept_of_a_page_is_bounded() {
    let long = "Montag 9:00-12:00 ".repeat(1000);
    let mut hours = Hours::default();
    for _ in 0..200 {
        hours.begin_text();
        hours.see_line(&long, 0, &long);
    }
    assert_eq!(hours.lines.len(), LINES_MAX);
    assert!(
        hours
            .lines
            .iter()
            .all(|line| line.text.len() <= LINE_MAX_BYTES)
    );
    assert!(hours.resolve(Some("de")).len() <= HOURS_MAX);
}

proptest::proptest! {
    #[test]
    fn any_text_is_searched_without_a_panic(
        text in "(\\PC|[0-9]{1,4}|Mo|Fri|täglich|[-–:.h ]|\\n|Uhr|pm| to |closed){0,60}",
    ) {
        found(Some("de"), &text);
        found(Some("en"), &text);
    }
}
