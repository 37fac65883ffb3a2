//! Pages as businesses have them, without an element for the main content.

use super::{page, text};

/// Menus as they stand outside of any element that says so.
const DIV_MENU: &str = "<div id=m1><a href=/><img src=/l.png alt=Logo></a></div><div id=m2><ul>\
    <li><a href=/leistungen>Leistungen</a></li><li><a href=/team>Team</a></li>\
    <li><a href=/kontakt>Kontakt</a></li></ul></div>";
const TABLE_MENU: &str = "<table width=800><tr><td><a href=home.htm>Home</a></td><td>|</td>\
    <td><a href=wir.htm>Über uns</a></td><td>|</td><td><a href=link.htm>Links</a></td></tr></table>";
const DIV_FOOTER: &str = "<div class=bottom><div><h4>Service</h4><ul><li><a href=/agb>AGB</a></li>\
    <li><a href=/versand>Versand</a></li></ul></div><div><a href=/impressum>Impressum</a> | \
    <a href=/datenschutz>Datenschutz</a></div><div>© 2024 Ott</div></div>";

/// Checks the text of a page between menus of each kind, and that of the same within `<main>`.
fn check(body: &str, expected: &[&str]) {
    let expected = expected.join("\n");
    for menu in [DIV_MENU, TABLE_MENU, "<nav><a href=/a>A</a></nav>", ""] {
        for footer in [DIV_FOOTER, "<footer><p>© 2024 Ott</p></footer>", ""] {
            let body = format!("<body>{menu}{body}{footer}</body>");
            assert_eq!(text(&body), expected, "{body}");
        }
    }
    assert_eq!(text(&format!("<main>{body}</main>")), expected, "{body}");
}

#[test]
fn a_short_contact_page_is_content() {
    check(
        "<div class=content><h1>Kontakt</h1><p>Zimmerei Ott<br>Ring 1<br>70173 Stuttgart</p>
         <p><a href=tel:+49711123456>0711 123456</a></p>
         <p><a href=mailto:info@ott.test>info@ott.test</a></p><p><a href=/weg>Anfahrt</a></p></div>",
        &[
            "Kontakt",
            "Zimmerei Ott",
            "Ring 1",
            "70173 Stuttgart",
            "0711 123456",
            "info@ott.test",
            "Anfahrt",
        ],
    );
    check(
        "<div><h1>Opening hours</h1><p>Mon-Fri 9-5</p><p>Sat 10-2</p><p><a href=/b>Book a table</a></p></div>",
        &["Opening hours", "Mon-Fri 9-5", "Sat 10-2", "Book a table"],
    );
    check(
        "<div><h1>Contact</h1><p>Acme Ltd<br>1 High Street</p><p>Find us on <a href=https://maps.test/x>
         Google Maps</a>.</p></div>",
        &["Contact", "Acme Ltd", "1 High Street", "Find us on Google Maps."],
    );
}

#[test]
fn products_and_prices_are_content() {
    let product = |n: u32| {
        format!(
            "<div class=product><a href=/p{n}><img src=/p{n}.jpg alt=Stuhl><h2>Stuhl {n}</h2></a>
             <span class=price>{n}9,99 €</span> <a class=button href='?add={n}'>In den Warenkorb</a></div>"
        )
    };
    check(
        &format!("<div class=grid>{}{}</div>", product(1), product(2)),
        &[
            "Stuhl 1",
            "19,99 € In den Warenkorb",
            "Stuhl 2",
            "29,99 € In den Warenkorb",
        ],
    );
    let card = |n: u32| format!("<a href=/p{n}><div>Tisch {n}</div><div>{n}5 €</div></a>");
    check(
        &format!(
            "<h1>Tische</h1><div>{}{}{}</div>",
            card(1),
            card(2),
            card(3)
        ),
        &[
            "Tische", "Tisch 1", "15 €", "Tisch 2", "25 €", "Tisch 3", "35 €",
        ],
    );
    check(
        "<div><h1>Preise</h1><p><a href=/schnitt>Haarschnitt</a></p><p>30 €</p><p><a href=/farbe>Farbe</a>
         </p><p>60 €</p><p><a href=/welle>Dauerwelle</a></p><p>80 €</p></div>",
        &["Preise", "Haarschnitt", "30 €", "Farbe", "60 €", "Dauerwelle", "80 €"],
    );
    check(
        "<div><h1>Downloads</h1><p>Price list: <a href=/p.pdf>The complete price list as PDF</a></p>
         <p>Terms: <a href=/t.pdf>The general terms and conditions</a></p></div>",
        &[
            "Downloads",
            "Price list: The complete price list as PDF",
            "Terms: The general terms and conditions",
        ],
    );
}

#[test]
fn hero_and_cards_of_a_home_page_are_content() {
    check(
        "<div class='section hero'><h1>Custom kitchens</h1><p>Designed by hand.</p>
         <a href=/c class='button w-button'>Get a quote</a></div><div class=section>
         <div class=card><h3>Design</h3><p>We plan it.</p><a href=/d>Learn more</a></div>
         <div class=card><h3>Build</h3><p>Solid wood.</p><a href=/b>Learn more</a></div></div>
         <section><h2>About</h2><p>A family business in its third generation, building houses of
         local wood.</p></section>",
        &[
            "Custom kitchens",
            "Designed by hand.",
            "Get a quote",
            "Design",
            "We plan it.",
            "Learn more",
            "Build",
            "Solid wood.",
            "Learn more",
            "About",
            "A family business in its third generation, building houses of local wood.",
        ],
    );
    check(
        "<div class=hero><h1>Zimmerei Ott</h1><p>Holzbau seit 1950</p><div><a class=btn href=/a>Anfrage</a>
         </div><div><a class=btn href=/t>Termin</a></div></div><div class=teaser><h3><a href=/dach>Dachbau</a>
         </h3><p>Alles ums Dach.</p></div><div class=teaser><h3><a href=/haus>Hausbau</a></h3></div>
         <p>Tel 0711 123456</p>",
        &[
            "Zimmerei Ott",
            "Holzbau seit 1950",
            "Anfrage",
            "Termin",
            "Dachbau",
            "Alles ums Dach.",
            "Hausbau",
            "Tel 0711 123456",
        ],
    );
    check(
        "<section class=elementor-section><h1>Willkommen</h1><div><p>Wir planen und pflegen Ihren Garten
         das ganze Jahr lang, auch am Wochenende.</p></div><div class=elementor-widget-button>
         <a href=/k>Jetzt anfragen</a></div><div class=elementor-icon-box><h3>Rasen</h3><p>Wir säen.</p>
         </div><div class=elementor-icon-box><h3>Bäume</h3><p>Wir pflanzen.</p></div></section>",
        &[
            "Willkommen",
            "Wir planen und pflegen Ihren Garten das ganze Jahr lang, auch am Wochenende.",
            "Jetzt anfragen",
            "Rasen",
            "Wir säen.",
            "Bäume",
            "Wir pflanzen.",
        ],
    );
}

#[test]
fn hand_made_pages_of_tables_are_content() {
    let body =
        "<table width=800 border=0><tr><td width=150><a href=home.htm>Home</a><br><a href=wir.htm>Wir</a><br>
         <a href=weg.htm>Weg</a><br><a href=mail.htm>Mail</a></td><td><h1>Gasthof Post</h1>
         <font>Seit 1890 in Familienbesitz</font><br>Warme Küche bis 21 Uhr</td></tr></table>";
    assert_eq!(
        text(body),
        "Gasthof Post\nSeit 1890 in Familienbesitz\nWarme Küche bis 21 Uhr"
    );
}

#[test]
fn lists_of_links_are_left_out_wherever_they_stand() {
    let links = |count: u32| {
        let link = |n| format!("<li><a href=/t{n}>Thema {n}</a></li>");
        (0..count).map(link).collect::<String>()
    };
    let texts = "<h1>Garten</h1><p>Wir planen Gärten.</p>";
    for part in [
        format!("<h3>Kategorien</h3><ul>{}</ul>", links(2)),
        format!("<div class=tags>{}</div>", links(9).replace("li>", "span>")),
        format!(
            "<div class=widget><h2>Archiv</h2><div>{}</div></div>",
            links(4)
        ),
        "<div><a href=/s1>Teilen</a> <a href=/s2>Twittern</a> <a href=/s3>Mailen</a></div>"
            .to_owned(),
        "<div><a href=/>Zurück zur Startseite</a></div><p><a href=#top>Nach oben</a></p>"
            .to_owned(),
    ] {
        let body = format!("{DIV_MENU}{texts}{part}<h2>Pflege</h2><p>Wir gießen.</p>{DIV_FOOTER}");
        assert_eq!(
            text(&body),
            "Garten\nWir planen Gärten.\nPflege\nWir gießen.",
            "{part}"
        );
    }
    let crumbs = "<div><a href=/>Start</a> » <a href=/g>Gärten</a></div>";
    assert_eq!(
        text(&format!("{DIV_MENU}{crumbs}{texts}")),
        "Garten\nWir planen Gärten."
    );
}

#[test]
fn a_page_of_nothing_but_links_is_kept_whole() {
    let body = "<ul><li><a href=/a>Eins</a><li><a href=/b>Zwei</a><li><a href=/c>Drei</a></ul>";
    assert_eq!(text(body), "Eins\nZwei\nDrei");
    assert_eq!(
        text(&format!("<h1>Links</h1>{body}")),
        "Links\nEins\nZwei\nDrei"
    );
    let (facts, _) = page(&format!("<h1>Links</h1>{body}"));
    assert_eq!(facts.word_count, 4);
}

#[test]
fn what_is_kept_does_not_hang_on_the_formats() {
    use trawl_domain::crawl_options::Formats;
    use trawl_domain::url_rules::PageUrl;

    use super::super::super::page_of;

    let url = PageUrl::parse("https://a.test/").expect("url");
    let card = "<a href=/p><img src=/p.png alt=x><div>Tisch</div><p>15 €</p></a>";
    for body in [
        format!("{DIV_MENU}<h1>Tische</h1>{}{DIV_FOOTER}", card.repeat(4)),
        format!("{DIV_MENU}<p>Kurz.</p>{DIV_FOOTER}"),
        "<a href=/a><img src=/a.png alt=a></a>".repeat(4)
            + "<p><a href=/b>Mehr</a></p><p>Text.</p>",
    ] {
        let (all, _) = page(&body);
        let (facts, _) = page_of(&url, &[], body.as_bytes(), Formats::default());
        assert_eq!(all.word_count, facts.word_count, "{body}");
    }
}
