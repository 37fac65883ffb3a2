//! Contacts whose parts lie in several elements, or are shown by other means than text.

use super::*;

/// Checks the e-mail addresses that markup shows.
fn check(markup: &str, expected: &[&str]) {
    let whole = extract(&[markup.as_bytes()]);
    let bytes: Vec<&[u8]> = markup.as_bytes().chunks(1).collect();
    assert_eq!(whole, extract(&bytes), "{markup}: cut into bytes");
    let found: Vec<&str> = whole
        .facts
        .emails
        .iter()
        .map(|email| email.value.as_str())
        .collect();
    assert_eq!(found, expected, "{markup}");
}

#[test]
fn decoys_within_addresses_are_no_part_of_them() {
    let address = ["info@firma.de"];
    check("info<span hidden>no</span>@firma.de", &address);
    check("info<b style='display: none'>.no</b>@firma.de", &address);
    check(
        "info<!-- no -->@<span class=hide>no</span>firma.de",
        &address,
    );
    check("info@<span>firma</span>.de", &address);
    check("<div class=hidden>info@firma.de</div>", &address);
    check("<a hidden href=mailto:trap@firma.de></a>", &[]);
    check("<span hidden>trap@firma.de</span>", &[]);
    check(
        "<ol><li class='comment even'><p>fan@firma.de</p></li></ol>info@firma.de",
        &address,
    );
}

#[test]
fn addresses_are_read_as_they_are_shown() {
    let address = ["info@firma.de"];
    check(
        "<i style='unicode-bidi:bidi-override;direction:rtl'>ed.amrif&#64;ofni</i>",
        &address,
    );
    check("info <em>at</em> firma.de", &address);
    check("info<span> at </span>firma<span> dot </span>de", &address);
    check("info<img src=a.gif alt=at>firma.de", &address);
    check("info <img src='/i/at.png'> firma.de", &address);
    check("info<img alt='@'>firma<img alt='.'>de", &address);
    check("info<span class=at> [at] </span>firma.de", &address);
    check(
        "<i>+40 744 618 205</i><a href=mailto:info@firma.de>info@firma.de</a>",
        &address,
    );
    check("<p>Look <em>here</em> firma.de</p>", &[]);
    check("info<img alt=Logo>firma.de", &[]);
    check("info@firma.de<img src=x.png>Next", &address);
}

#[test]
fn what_is_shown_without_scripts_counts() {
    let address = ["info@firma.de"];
    check("<noscript>info (at) firma.de</noscript>", &address);
    check(
        "<noscript><a href=\"mailto:info@firma.de\">x</a></noscript>",
        &address,
    );
    check("<noscript><img src='//x.de/?a@firma.de'></noscript>", &[]);
    check("<style>info@firma.de</style>", &[]);
    check(
        "<script>document.write('info'+'@'+'firma.de')</script>",
        &address,
    );
    check("<joomla-hidden-mail text=aW5mb0BmaXJtYS5kZQ==>", &address);
    check("<a href=info@firma.de>x</a>", &address);
    check(
        "<a href='javascript:mail(\"info\",\"firma.de\")'>x</a>",
        &address,
    );
}

#[test]
fn digits_of_other_scripts_are_read() {
    for (text, number) in [
        ("هاتف: +٩٦٦ ١١ ٢٣٤ ٥٦٧٨", "+966112345678"),
        ("تلفن: +۹۸ ۲۱ ۸۸۸۸ ۱۲۳۴", "+982188881234"),
        ("फोन: +९१ ११ २३४५ ६७८९", "+911123456789"),
    ] {
        let facts = extract(&[format!("<p>{text}</p>").as_bytes()]).facts;
        let phones: Vec<&str> = facts.phones.iter().map(|phone| &*phone.value).collect();
        assert_eq!(phones, [number], "{text}");
    }
    let facts = extract(&["<p>فاكس: +٩٦٦ ١١ ٢٣٤ ٥٦٧٨</p>".as_bytes()]).facts;
    assert_eq!(facts.phones, [], "a fax");
}

#[test]
fn a_name_that_others_put_for_any_is_real_at_the_own_domain() {
    check(
        "<a href=mailto:john.doe@shop.test>J</a>",
        &["john.doe@shop.test"],
    );
    check("<a href=mailto:john.doe@firma.de>J</a>", &[]);
    check("<a href=mailto:your.name@shop.test>J</a>", &[]);
}

#[test]
fn apostrophes_are_a_part_of_irish_names() {
    check("<p>o\u{2019}neil@shop.com</p>", &["o'neil@shop.com"]);
    check(
        "<p>Mail sean.O&rsquo;neil@shop.com</p>",
        &["sean.o'neil@shop.com"],
    );
    check("<p>l\u{2019}info@shop.com</p>", &["info@shop.com"]);
    check("<p>go\u{2019}info@shop.com</p>", &["info@shop.com"]);
}

#[test]
fn markup_alone_divides_contacts() {
    for (markup, emails, phones) in [
        (
            "<i class=material-icons>email</i>info@firma.de",
            &["info@firma.de"][..],
            &[][..],
        ),
        (
            "<i class=material-icons>phone</i>0711 123456",
            &[],
            &["+49711123456"],
        ),
        (
            "<span>Anna Ott</span><span>anna@firma.de</span>",
            &["anna@firma.de"],
            &[],
        ),
        (
            "<span>Telefon</span><span>0711 123456</span><span>Fax</span><span>0711 123457</span>",
            &[],
            &["+49711123456"],
        ),
        (
            "<span>0711 123456</span><span>info@firma.de</span><span>office@firma.de</span>",
            &["info@firma.de", "office@firma.de"],
            &["+49711123456"],
        ),
        (
            "<span>Tel 0711 123456</span><span>8-17 Uhr</span>",
            &[],
            &["+49711123456"],
        ),
        ("Tel. 0711 123456<sup>1</sup>", &[], &["+49711123456"]),
        (
            "<b>in</b>fo@fir<wbr>ma.de Tel <b>0711</b><i>123456</i>",
            &["info@firma.de"],
            &["+49711123456"],
        ),
        (
            "in&shy;fo@firma.de Tel 0711&shy; 123&shy;456",
            &["info@firma.de"],
            &["+49711123456"],
        ),
    ] {
        let markup = format!("<html lang=de><p>{markup}</p>");
        let bytes: Vec<&[u8]> = markup.as_bytes().chunks(1).collect();
        let facts = extract(&bytes).facts;
        let found: Vec<&str> = facts.emails.iter().map(|e| e.value.as_str()).collect();
        assert_eq!(found, emails, "{markup}");
        let found: Vec<&str> = facts.phones.iter().map(|p| p.value.as_str()).collect();
        assert_eq!(found, phones, "{markup}");
    }
}
