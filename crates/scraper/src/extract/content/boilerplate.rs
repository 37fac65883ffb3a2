//! Which elements are no main content, by what their authors call them.

use super::super::element::Element;
use super::super::tag::Attributes;

/// Whether an element and all within it is no main content. Within the main content, a header is
/// that of the text.
pub(super) fn is_boilerplate(
    element: Element,
    attributes: &Attributes<'_>,
    class: &str,
    id: &str,
    is_in_main: bool,
    is_in_heading: bool,
) -> bool {
    match element {
        // The heading of something that opens.
        Element::BUTTON if is_in_heading => return is_hidden(attributes),
        Element::ASIDE
        | Element::AUDIO
        | Element::BUTTON
        | Element::CANVAS
        | Element::DIALOG
        | Element::FOOTER
        | Element::FORM
        | Element::IFRAME
        | Element::LABEL
        | Element::MATH
        | Element::NAV
        | Element::NOSCRIPT
        | Element::OBJECT
        | Element::SEARCH
        | Element::SELECT
        | Element::SVG
        | Element::TEMPLATE
        | Element::VIDEO => return true,
        Element::HEADER => return !is_in_main,
        // What is said of them is said of the page.
        Element::HTML | Element::BODY | Element::MAIN => return false,
        _ => {}
    }
    if attributes.is_empty() {
        return false;
    }
    is_named(class, id)
        || asks_for_consent(class, id, attributes)
        || is_hidden(attributes)
        || has_other_role(attributes, is_in_main)
}

fn is_named(class: &str, id: &str) -> bool {
    is_name(id) || class.split_ascii_whitespace().any(is_name)
}

/// Classes and ids of parts that a page shares with all others of its site, or that ask for
/// something. Compared as a whole, so that `page with-sidebar` is none. A `match`, as every element
/// is asked for: with a search in a sorted list, menus took nearly twice as long (measured in
/// November 2026).
fn is_name(word: &str) -> bool {
    matches!(
        word,
        "banner-cookie"
            | "breadcrumb"
            | "breadcrumbs"
            | "cookie-banner"
            | "cookie-bar"
            | "cookie-consent"
            | "cookie-law-info-bar"
            | "cookie-notice"
            | "cookiebanner"
            | "cookieconsent"
            | "elementor-location-footer"
            | "footer"
            | "footer-widgets"
            | "main-footer"
            | "main-menu"
            | "main-nav"
            | "main-navigation"
            | "mainmenu"
            | "mainnav"
            | "menu"
            | "mobile-menu"
            | "modal"
            | "nav"
            | "navbar"
            | "navigation"
            | "newsletter"
            | "newsletter-signup"
            | "page-footer"
            | "pagination"
            | "popup"
            | "screen-reader-text"
            | "share-buttons"
            | "sharing"
            | "sidebar"
            | "site-footer"
            | "site-header"
            | "site-navigation"
            | "skip-link"
            | "social-links"
            | "social-share"
            | "sr-only"
            | "top-bar"
            | "topbar"
            | "visually-hidden"
            | "widget-area"
    )
}

/// Whether an element is a banner that asks for consent to cookies.
fn asks_for_consent(class: &str, id: &str, attributes: &Attributes<'_>) -> bool {
    is_consent_name(id)
        || class.split_ascii_whitespace().any(is_consent_name)
        || (attributes.raw("role").is_some()
            && attributes
                .raw("aria-label")
                .is_some_and(|label| label.to_ascii_lowercase().contains("cookie")))
}

/// Beginnings of the classes and ids of the banners of consent tools, by their first letter, as
/// every word of every class is asked for. What such tools write into a privacy notice, as
/// `cmplz-document`, is not among them.
fn is_consent_name(word: &str) -> bool {
    let prefixes: &[&str] = match word.as_bytes().first() {
        Some(b'B') => &["BorlabsCookie"],
        Some(b'C') => &["CybotCookiebot"],
        Some(b'b') => &["borlabs-cookie", "brlbs-cmpnt-dialog"],
        Some(b'c') => &[
            "cc-banner",
            "cc-window",
            "ccm--",
            "cky-",
            "cli-",
            "cmplz-cookiebanner",
            "cmplz-manage-consent",
            "cookie-law-info",
            "cookiefirst-",
        ],
        Some(b'd') => &["didomi-"],
        Some(b'i') => &["iubenda-cs-"],
        Some(b'k') => &["klaro-"],
        Some(b'm') => &["moove_gdpr"],
        Some(b'o') => &["onetrust-", "osano-cm"],
        Some(b'q') => &["qc-cmp"],
        Some(b't') => &["tarteaucitron", "termly-", "truste_"],
        Some(b'u') => &["uc-banner", "usercentrics-"],
        _ => return false,
    };
    word == "klaro" || prefixes.iter().any(|prefix| word.starts_with(prefix))
}

fn is_hidden(attributes: &Attributes<'_>) -> bool {
    attributes.raw("hidden").is_some()
        || attributes
            .raw("aria-hidden")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || attributes.raw("style").is_some_and(|style| {
            let style: String = style.split_whitespace().collect();
            let style = style.to_ascii_lowercase();
            style.contains("display:none") || style.contains("visibility:hidden")
        })
}

fn has_other_role(attributes: &Attributes<'_>, is_in_main: bool) -> bool {
    attributes
        .raw("role")
        .is_some_and(|role| match role.trim() {
            "alertdialog" | "complementary" | "contentinfo" | "dialog" | "menu" | "menubar"
            | "navigation" | "search" | "toolbar" => true,
            "banner" => !is_in_main,
            _ => false,
        })
}
