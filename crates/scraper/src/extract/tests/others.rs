//! What pages show of others: their files, technologies and logos are none of the site's own.

use super::*;

#[test]
fn files_and_logos_of_others_say_nothing_of_the_site() {
    let facts = |html: &str| extract(&[html.as_bytes()]).facts;
    let found = facts(
        r#"<img src="https://other.de/wp-content/themes/avada/logo.png">
           <script src="//other.de/wp-content/plugins/woocommerce/x.js"></script>
           <script src="https://d111.cloudfront.net/widget.js"></script>"#,
    );
    assert_eq!(found.technologies, []);
    assert_eq!(found.wordpress, None);
    let found = facts(r#"<script src="https://cdn.shop.test/wp-content/themes/astra/x.js">"#);
    let theme = found.wordpress.and_then(|wordpress| wordpress.theme);
    assert_eq!(theme.as_deref(), Some("astra"));
}

#[test]
fn logos_in_boxes_of_others_are_not_the_sites() {
    let logo = |html: &str| extract(&[html.as_bytes()]).facts.logo_url;
    let partner = r#"<img src="https://x.com/bosch-logo.svg">"#;
    for name in [
        "partners",
        "our-clients",
        "Sponsor",
        "brands",
        "award-list",
        "payment",
    ] {
        for html in [
            format!("<section class='{name}'><div><p>x</p>{partner}</div></section>"),
            format!("<body><ul id='{name}'><li>{partner}<li class=logo>{partner}</ul>"),
        ] {
            assert_eq!(logo(&html), None, "{html}");
        }
    }
    for file in [
        "paypal-logo.png",
        "klarna_logo.svg",
        "logo-mastercard.png",
        "certificate-logo.png",
    ] {
        assert_eq!(logo(&format!("<img src=/i/{file}>")), None, "{file}");
    }
    let own = r#"<img src="/brand/logo.svg">"#;
    let expected = Some("https://www.shop.test/brand/logo.svg".to_owned());
    for html in [
        format!("<body class='has-partners'>{own}"),
        format!("<section class=partners>{partner}</section><header>{own}</header>"),
        format!("<section>{partner}</section>{own}"),
        format!("<a class=navbar-brand>{own}</a>"),
    ] {
        assert_eq!(logo(&html), expected, "{html}");
    }
    let hosted = r#"<div class="logo"><img src="https://cdn.host.test/a.png"></div>"#;
    assert_eq!(logo(hosted).as_deref(), Some("https://cdn.host.test/a.png"));
}
