//! The HTML of generated pages: what small businesses' sites look like to a parser.

use std::fmt::{self, Write as _};

use super::facts::{SiteFacts, WordPress};
use super::site::{FAN_OUT, Site};

/// Paths of all pages but the home page: this and the page's number.
pub(super) const PATH_PREFIX: &str = "/page-";

/// A GIF of one transparent pixel, which many servers send as favicon.
pub(super) const TRANSPARENT_PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// A logo.
pub(super) const LOGO: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle cx="20" cy="20" r="18" fill="teal"/></svg>"#;

const FILLER: &str = "<p>We answer every question within one working day, and a visit costs \
                      nothing. Opening hours are Monday to Friday from eight to six.</p>\n";

/// Page `number` of a site.
pub(super) fn render(facts: &SiteFacts, site: &Site, number: usize) -> String {
    let mut html = String::with_capacity(site.page_bytes().max(4096));
    // Writing to a string cannot fail.
    let _ = write_page(&mut html, facts, site, number);
    html
}

fn write_page(html: &mut String, facts: &SiteFacts, site: &Site, number: usize) -> fmt::Result {
    let SiteFacts {
        name,
        description,
        language,
        email,
        phone,
        favicon,
        logo,
        ..
    } = facts;
    let path = Site::path(number);
    let title = if number == 0 {
        name.clone()
    } else {
        format!("Page {number} – {name}")
    };
    write!(
        html,
        r#"<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<meta name="description" content="{description}">
<link rel="canonical" href="{path}">
<link rel="icon" href="{favicon}" sizes="any">
<link rel="stylesheet" href="/style.css">
<meta property="og:title" content="{title}">
<meta property="og:site_name" content="{name}">
"#
    )?;
    if let Some(wordpress) = &facts.wordpress {
        write_wordpress_head(html, wordpress)?;
    }
    html.push_str("<script>var page = { links: \"<a href='/not-a-link'>\" };</script>\n</head>\n");
    write_body_tag(html, facts.wordpress.as_ref());
    write!(
        html,
        r#"<header><a href="/" class="custom-logo-link"><img class="logo" src="{logo}" alt="{name} logo"></a></header>
<main>
<h1>{title}</h1>
<p>{description}</p>
<nav><ul>
"#
    )?;
    let children = number * FAN_OUT + 1..site.pages().min((number + 1) * FAN_OUT + 1);
    for child in children {
        let path = Site::path(child);
        writeln!(html, r#"<li><a href="{path}">Page {child}</a></li>"#)?;
    }
    write!(
        html,
        r##"</ul></nav>
<p><a href="#top">Top</a> · <a href="https://www.example.org/partner">Our partner</a></p>
"##
    )?;
    while html.len() < site.page_bytes() {
        html.push_str(FILLER);
    }
    html.push_str("</main>\n<footer>\n");
    write!(
        html,
        r#"<p>Write to <a href="mailto:{email}">{email}</a> or call <a href="tel:{phone}">{phone}</a>.</p>
<ul class="social">
"#
    )?;
    for link in &facts.social_links {
        writeln!(html, r#"<li><a href="{link}" rel="me">Follow us</a></li>"#)?;
    }
    html.push_str("</ul>\n</footer>\n</body>\n</html>\n");
    Ok(())
}

fn write_wordpress_head(html: &mut String, wordpress: &WordPress) -> fmt::Result {
    let WordPress {
        version,
        theme,
        plugins,
    } = wordpress;
    write!(
        html,
        r#"<meta name="generator" content="WordPress {version}">
<link rel="https://api.w.org/" href="/wp-json/">
<link rel="stylesheet" id="theme-css" href="/wp-content/themes/{theme}/style.css?ver=4.2" media="all">
"#
    )?;
    for plugin in plugins {
        if *plugin == "wordpress-seo" {
            html.push_str(
                "<!-- This site is optimized with the Yoast SEO plugin v22.5 - https://yoast.com/wordpress/plugins/seo/ -->\n\
                 <script type=\"application/ld+json\" class=\"yoast-schema-graph\">{}</script>\n",
            );
        } else {
            writeln!(
                html,
                r#"<link rel="stylesheet" id="{plugin}-css" href="/wp-content/plugins/{plugin}/assets/css/main.css?ver=3.1" media="all">"#
            )?;
        }
    }
    Ok(())
}

/// The classes by which themes and page builders mark the body.
fn write_body_tag(html: &mut String, wordpress: Option<&WordPress>) {
    let mut classes = vec!["home"];
    if let Some(wordpress) = wordpress {
        classes.push("wp-custom-logo");
        if wordpress.theme == "Divi" {
            classes.extend(["et_divi_theme", "et_pb_pagebuilder_layout"]);
        }
        for plugin in &wordpress.plugins {
            match *plugin {
                "elementor" => classes.extend(["elementor-default", "elementor-kit-7"]),
                "woocommerce" => classes.push("woocommerce-no-js"),
                _ => {}
            }
        }
    }
    html.push_str("<body class=\"");
    html.push_str(&classes.join(" "));
    html.push_str("\">\n");
}
