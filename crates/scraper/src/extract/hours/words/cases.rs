//! Each name of a day is read in its language, as is what says that a day is off, and no word of
//! the lists is without a case here.

use super::super::grammar::{Item, items};
use super::super::week::Days;
use super::{Language, languages};

/// Of each language: the names of the days from Monday on; then those of the days of work, of the
/// weekend and of all days, and the words for closed.
const CASES: &[(&str, &str, &str)] = &[
    (
        "de",
        "montag, montags, mo | dienstag, dienstags, di | mittwoch, mittwochs, mi | donnerstag, donnerstags, do | freitag, freitags, fr | samstag, samstags, sonnabend, sa | sonntag, sonntags, so",
        "werktags, wochentags | wochenende | täglich | geschlossen, ruhetag",
    ),
    (
        "en",
        "monday, mondays, mon, mo | tuesday, tuesdays, tues, tue, tu | wednesday, wednesdays, wed, weds, we | thursday, thursdays, thurs, thur, thu, th | friday, fridays, fri, fr | saturday, saturdays, sat, sa | sunday, sundays, sun, su",
        "weekdays | weekends | daily, every day | closed",
    ),
    (
        "fr",
        "lundi, lundis, lun, lu | mardi, mardis, mar, ma | mercredi, mercredis, mer, me | jeudi, jeudis, jeu, je | vendredi, vendredis, ven, ve | samedi, samedis, sam, sa | dimanche, dimanches, dim, di",
        "en semaine | weekend | tous les jours | fermé, fermée, fermeture",
    ),
    (
        "es",
        "lunes, lun, l | martes, mar | miércoles, miercoles, mié, mie, x | jueves, jue, j | viernes, vie, v | sábado, sábados, sabado, sáb, sab, s | domingo, domingos, dom, d",
        "días laborables, entre semana | fines de semana, fin de semana | todos los días, a diario | cerrado, cerrados",
    ),
    (
        "it",
        "lunedì, lunedi, lun | martedì, martedi, mar | mercoledì, mercoledi, mer | giovedì, giovedi, gio | venerdì, venerdi, ven | sabato, sab | domenica, dom",
        "giorni feriali | fine settimana | tutti i giorni | chiuso, chiusi",
    ),
    (
        "pt",
        "segunda, segundas, seg, 2ª | terça, terças, terca, ter, 3ª | quarta, quartas, qua, 4ª | quinta, quintas, qui, 5ª | sexta, sextas, sex, 6ª | sábado, sábados, sabado, sáb, sab | domingo, domingos, dom",
        "dias úteis | fim de semana, fins de semana | todos os dias, diariamente | fechado, encerrado, encerrados",
    ),
    (
        "nl",
        "maandag, ma | dinsdag, di | woensdag, wo | donderdag, do | vrijdag, vr | zaterdag, za | zondag, zo",
        "werkdagen, weekdagen | weekend | dagelijks | gesloten, sluitingsdag",
    ),
    (
        "da",
        "mandag, mandage, måndag, måndagar, man, mån, ma, må | tirsdag, tirsdage, tisdag, tisdagar, tirs, tir, tis, ti | onsdag, onsdage, onsdagar, ons, on | torsdag, torsdage, torsdagar, tors, tor, to | fredag, fredage, fredagar, fre, fr | lørdag, lørdage, lördag, lördagar, lør, lör, lø, lö | søndag, søndage, söndag, söndagar, søn, sön, sø, sö",
        "hverdage, hverdager, vardagar | weekend, helger | dagligt, daglig, dagligen, alle dage, alle dager, alla dagar | lukket, stengt, stängt",
    ),
    (
        "fi",
        "maanantai, maanantaisin, ma | tiistai, tiistaisin, ti | keskiviikko, keskiviikkoisin, ke | torstai, torstaisin, to | perjantai, perjantaisin, pe | lauantai, lauantaisin, la | sunnuntai, sunnuntaisin, su",
        "arkisin | viikonloppuisin | päivittäin, joka päivä | suljettu",
    ),
    (
        "pl",
        "poniedziałek, poniedziałku, poniedziałki, pon, pn | wtorek, wtorku, wtorki, wt | środa, środę, środy, śr | czwartek, czwartku, czwartki, czw, cz | piątek, piątku, piątki, pt | sobota, sobotę, soboty, sob, so | niedziela, niedzielę, niedziele, niedz, nd",
        "dni robocze | weekendy | codziennie | nieczynne, zamknięte, zamknięty",
    ),
    (
        "cs",
        "pondělí, pondelok, po | úterý, utorok, út, ut | středa, středu, streda, stredu, st | čtvrtek, štvrtok, čt, št | pátek, piatok, pá, pi | sobota, sobotu, so | neděle, neděli, nedeľa, nedeľu, ne",
        "pracovní dny, pracovné dni | víkend, víkendy | denně, denne | zavřeno, zatvorené",
    ),
    (
        "hu",
        "hétfő, hétfőn, hétfőtől, h | kedd, kedden, k | szerda, szerdán, sze | csütörtök, csütörtökön, csütörtökig, cs | péntek, pénteken, péntekig, p | szombat, szombaton, szo | vasárnap, vasárnaponként, v",
        "hétköznap, munkanapokon | hétvégén | naponta, minden nap | zárva, szünnap",
    ),
    (
        "ro",
        "luni, lun, lu | marți, marţi, marti, mar, ma | miercuri, mie, mi | joi, jo | vineri, vin, vi | sâmbătă, sambata, sâmbăta, sâm, sam, sb | duminică, duminica, dum, du",
        "zilele lucrătoare | weekend | zilnic | închis, inchis",
    ),
    (
        "tr",
        "pazartesi, pzt | salı, sal | çarşamba, çar | perşembe, per | cuma, cum | cumartesi, cmt | pazar, paz",
        "hafta içi | hafta sonu | her gün | kapalı",
    ),
    (
        "el",
        "δευτέρα, δευ, δε | τρίτη, τρι, τρ | τετάρτη, τετ, τε | πέμπτη, πεμ, πε | παρασκευή, παρ, πα | σάββατο, σαβ, σα | κυριακή, κυρ, κυ",
        "καθημερινές, εργάσιμες | σαββατοκύριακο | καθημερινά | κλειστά, κλειστό",
    ),
    (
        "ca",
        "dilluns, dl | dimarts, dt | dimecres, dc | dijous, dj | divendres, dv | dissabte, dissabtes, ds | diumenge, diumenges, dg",
        "dies feiners | caps de setmana | cada dia | tancat",
    ),
    (
        "hr",
        "ponedjeljak, ponedeljek, pon | utorak, torek, uto, tor | srijeda, sreda, sri, sre | četvrtak, četrtek, čet | petak, petek, pet | subota, sobota, sub, sob | nedjelja, nedelja, ned",
        "radnim danom, delavniki | vikendom | svaki dan, vsak dan | zatvoreno, zaprto",
    ),
    (
        "ru",
        "понедельник, понеділок, понеделник, пн | вторник, вівторок, вт | среда, середа, сряда, ср | четверг, четвер, четвъртък, чт | пятница, пʼятниця, петък, пт | суббота, субота, събота, сб | воскресенье, неділя, вс, нд",
        "будни, будні, делници | выходные, вихідні | ежедневно, щодня, всеки ден | закрыто, зачинено, выходной, вихідний, затворено",
    ),
    (
        "ja",
        "",
        "平日 | 週末 | 毎日, 年中無休 | 定休日, 休業, 休診, 休館",
    ),
    (
        "ko",
        "월요일, 월 | 화요일, 화 | 수요일, 수 | 목요일, 목 | 금요일, 금 | 토요일, 토 | 일요일, 일",
        "평일 | 주말 | 매일, 연중무휴 | 휴무, 휴진, 휴관",
    ),
];

fn lists(text: &str) -> Vec<Vec<&str>> {
    let lists = text.split('|').map(|list| list.split(',').map(str::trim));
    lists.map(Iterator::collect).collect()
}

/// The one thing that a word means at the beginning of a line.
fn meaning(word: &str, language: &Language) -> Option<Item> {
    let mut letters = word.chars();
    let first = letters.next()?.to_uppercase();
    let line: String = first.chain(letters).collect();
    items(&line, language).first().copied()
}

#[test]
fn every_name_of_a_day_is_read_and_none_goes_without_a_case() {
    assert_eq!(CASES.len(), languages().count());
    let mut wrong = Vec::new();
    for (tag, days, others) in CASES {
        let language = super::language(Some(tag));
        let days = if days.is_empty() {
            vec![vec![]; 7]
        } else {
            lists(days)
        };
        let others = lists(others);
        let named = [Days::WORKING, Days::WEEKEND, Days::ALL];
        let expected = (0..7)
            .map(Days::one)
            .chain(named)
            .map(Item::Days)
            .chain([Item::Closed]);
        let mut count = 0;
        for (words, expected) in days.iter().chain(&others).zip(expected) {
            for word in words {
                if meaning(word, language) != Some(expected) {
                    wrong.push(format!("{tag}: {word}"));
                }
                count += 1;
            }
        }
        let of_days = language.days.iter().copied();
        let lists = [
            language.working,
            language.weekend,
            language.daily,
            language.closed,
        ];
        let known: usize = of_days.chain(lists).map(<[_]>::len).sum();
        assert_eq!(count, known, "{tag}");
    }
    assert!(wrong.is_empty(), "read otherwise: {wrong:?}");
}
