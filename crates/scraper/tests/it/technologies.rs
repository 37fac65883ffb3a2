//! Technologies as pages in the wild show them, and pages that only speak of them.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use trawl_domain::url_rules::PageUrl;
use trawl_scraper::extract::facts_of;
use trawl_scraper::facts::TechnologyFact;

fn detect(headers: &[(&str, &str)], body: &str) -> Vec<TechnologyFact> {
    let url = PageUrl::parse("https://shop.test/").expect("url");
    let page = format!("<!DOCTYPE html><html lang=en><head>{body}</head></html>");
    facts_of(&url, headers, page.as_bytes()).technologies
}

/// Markup that a technology leaves, and what is to be told of it: `name` or `name version`.
const MARKUP: &[(&str, &[&str])] = &[
    (
        r#"<meta name="generator" content="WordPress 6.5.3" /><link rel='stylesheet' id='wp-block-library-css' href='https://shop.test/wp-includes/css/dist/block-library/style.min.css?ver=6.5.3' media='all' />"#,
        &["WordPress 6.5.3", "PHP"],
    ),
    (
        r#"<meta name="generator" content="Elementor 3.21.8; features: e_optimized_assets_loading; settings: css_print_method-external"><div class="elementor elementor-12">"#,
        &["Elementor 3.21.8", "WordPress"],
    ),
    (
        r#"<meta name="generator" content="WooCommerce 8.9.1"><body class="woocommerce-no-js">"#,
        &["WooCommerce 8.9.1", "WordPress"],
    ),
    (
        "<!-- This site is optimized with the Yoast SEO plugin v22.7 - https://yoast.com/wordpress/plugins/seo/ -->",
        &["Yoast SEO 22.7"],
    ),
    (
        r#"<link rel='stylesheet' id='contact-form-7-css' href='/wp-content/plugins/contact-form-7/includes/css/styles.css?ver=5.9.5'>"#,
        &["Contact Form 7 5.9.5"],
    ),
    (
        r#"<link rel='stylesheet' href='/wp-content/plugins/wpforms-lite/assets/css/frontend/modern/wpforms-base.min.css?ver=1.8.8'>"#,
        &["WPForms 1.8.8"],
    ),
    (
        r#"<link rel='stylesheet' href='/wp-content/themes/Divi/style-static.min.css?ver=4.25.1'>"#,
        &["Divi 4.25.1"],
    ),
    (
        r#"<meta name="generator" content="Joomla! - Open Source Content Management" />"#,
        &["Joomla", "PHP"],
    ),
    (
        r#"<meta name="Generator" content="Drupal 10 (https://www.drupal.org)" />"#,
        &["Drupal 10"],
    ),
    (
        r#"<meta name="generator" content="TYPO3 CMS" /><link rel="stylesheet" href="/typo3temp/assets/compressed/merged-1.css">"#,
        &["TYPO3"],
    ),
    (
        r#"<script src="https://static.parastorage.com/services/wix-thunderbolt/dist/main.js"></script><meta name="generator" content="Wix.com Website Builder"/>"#,
        &["Wix"],
    ),
    (
        r#"<script src="//static1.squarespace.com/static/vta/5c/scripts/site-bundle.js"></script>"#,
        &["Squarespace"],
    ),
    (
        r#"<html data-wf-page="64" data-wf-site="63"><meta content="Webflow" name="generator"/>"#,
        &["Webflow"],
    ),
    (
        r#"<link rel="preconnect" href="https://cdn.shopify.com"><script src="//shop.test/cdn/shop/t/2/assets/global.js"></script><script>var Shopify = Shopify || {}; Shopify.shop = "x.myshopify.com";</script>"#,
        &["Shopify"],
    ),
    (
        r#"<script type="text/x-magento-init">{"*":{}}</script><script src="/static/version1715/frontend/Magento/luma/en_US/mage/requirejs/mixins.js"></script>"#,
        &["Magento"],
    ),
    (
        r#"<script>var prestashop = {"cart":{}};</script><meta name="generator" content="PrestaShop">"#,
        &["PrestaShop"],
    ),
    (
        r#"<link rel="stylesheet" href="https://shop.test/bundles/storefront/storefront.css"><meta name="generator" content="Shopware 6">"#,
        &["Shopware"],
    ),
    (
        r#"<script src="https://code.jquery.com/jquery-3.7.1.min.js"></script>"#,
        &["jQuery 3.7.1"],
    ),
    (
        r#"<script src="/js/jquery-migrate-3.4.1.min.js"></script>"#,
        &["jQuery Migrate 3.4.1"],
    ),
    (
        r#"<script src="https://code.jquery.com/ui/1.13.2/jquery-ui.min.js"></script>"#,
        &["jQuery UI 1.13.2"],
    ),
    (
        r#"<link href="https://cdn.jsdelivr.net/npm/bootstrap@5.3.3/dist/css/bootstrap.min.css" rel="stylesheet">"#,
        &["Bootstrap 5.3.3", "jsDelivr"],
    ),
    (
        r#"<link href="https://cdnjs.cloudflare.com/ajax/libs/font-awesome/6.5.2/css/all.min.css" rel="stylesheet">"#,
        &["Font Awesome 6.5.2", "cdnjs"],
    ),
    (
        r#"<script src="https://unpkg.com/vue@3.4.27/dist/vue.global.prod.js"></script>"#,
        &["Vue.js 3.4.27", "UNPKG"],
    ),
    (
        r#"<script src="https://unpkg.com/react@18.3.1/umd/react.production.min.js"></script>"#,
        &["React 18.3.1"],
    ),
    (
        r#"<div id="__next"></div><script src="/_next/static/chunks/main-1f2.js"></script><script id="__NEXT_DATA__" type="application/json">{}</script>"#,
        &["Next.js", "React"],
    ),
    (
        r#"<div id="__nuxt"></div><script src="/_nuxt/entry.js"></script>"#,
        &["Nuxt", "Vue.js"],
    ),
    (
        r#"<app-root ng-version="17.3.9"></app-root>"#,
        &["Angular 17.3.9"],
    ),
    (
        r#"<div id="___gatsby"></div><meta name="generator" content="Gatsby 5.13.4"/>"#,
        &["Gatsby 5.13.4"],
    ),
    (
        r#"<meta name="generator" content="Astro v4.8.3"><astro-island uid="x"></astro-island>"#,
        &["Astro 4.8.3"],
    ),
    (
        r#"<astro-island uid="Z1" component-url="/x.js"></astro-island>"#,
        &["Astro"],
    ),
    (
        r#"<meta name="generator" content="Hugo 0.126.1">"#,
        &["Hugo 0.126.1"],
    ),
    (
        r#"<script async src="https://www.googletagmanager.com/gtag/js?id=G-ABC123"></script><script>gtag('config', 'G-ABC123');</script>"#,
        &["Google Analytics"],
    ),
    (
        r#"<script>(function(w,d,s,l,i){j.src='https://www.googletagmanager.com/gtm.js?id='+i;})(window,document,'script','dataLayer','GTM-ABC');</script>"#,
        &["Google Tag Manager"],
    ),
    (
        r#"<script>fbq('init', '1'); </script><script src="https://connect.facebook.net/en_US/fbevents.js"></script>"#,
        &["Meta Pixel"],
    ),
    (
        r#"<script>_paq.push(['trackPageView']);var u="//stats.shop.test/";g.src=u+'matomo.js';</script>"#,
        &["Matomo"],
    ),
    (
        r#"<script>(function(h,o,t,j,a,r){a.src='https://static.hotjar.com/c/hotjar-'+h._hjSettings.hjid})(window);</script>"#,
        &["Hotjar"],
    ),
    (
        r#"<script>(function(c,l,a,r,i,t,y){t.src="https://www.clarity.ms/tag/"+i;})(window);</script>"#,
        &["Microsoft Clarity"],
    ),
    (
        r#"<script id="Cookiebot" src="https://consent.cookiebot.com/uc.js" data-cbid="1"></script>"#,
        &["Cookiebot"],
    ),
    (
        r#"<script src="https://cdn.cookielaw.org/scripttemplates/otSDKStub.js"></script>"#,
        &["OneTrust"],
    ),
    (
        r#"<script id="usercentrics-cmp" src="https://app.usercentrics.eu/browser-ui/latest/loader.js"></script>"#,
        &["Usercentrics"],
    ),
    (
        r#"<script src="https://js.stripe.com/v3/"></script>"#,
        &["Stripe"],
    ),
    (
        r#"<script src="https://www.paypal.com/sdk/js?client-id=x"></script>"#,
        &["PayPal"],
    ),
    (
        r#"<script src="https://www.google.com/recaptcha/api.js"></script>"#,
        &["reCAPTCHA"],
    ),
    (
        r#"<iframe src="https://www.youtube-nocookie.com/embed/x"></iframe>"#,
        &["YouTube"],
    ),
    (
        r#"<iframe src="https://www.google.com/maps/embed?pb=1"></iframe>"#,
        &["Google Maps"],
    ),
    (
        r#"<link href="https://fonts.googleapis.com/css2?family=Inter" rel="stylesheet">"#,
        &["Google Fonts"],
    ),
    (
        r#"<script src="https://js.hs-scripts.com/1234.js" id="hs-script-loader"></script>"#,
        &["HubSpot"],
    ),
    (
        r#"<script>var Tawk_API=Tawk_API||{};s1.src='https://embed.tawk.to/5/default';</script>"#,
        &["Tawk.to"],
    ),
    (
        r#"<script>w.Intercom;s.src='https://widget.intercom.io/widget/abc';</script>"#,
        &["Intercom"],
    ),
];

const HEADERS: &[(&str, &str, &[&str])] = &[
    ("server", "nginx/1.24.0", &["nginx 1.24.0"]),
    ("server", "Apache/2.4.57 (Debian)", &["Apache 2.4.57"]),
    ("server", "Microsoft-IIS/10.0", &["Microsoft IIS 10.0"]),
    ("server", "cloudflare", &["Cloudflare"]),
    ("server", "Vercel", &["Vercel"]),
    ("server", "Netlify", &["Netlify"]),
    ("server", "LiteSpeed", &["LiteSpeed"]),
    ("x-powered-by", "PHP/8.2.18", &["PHP 8.2.18"]),
    ("x-powered-by", "Express", &["Express", "Node.js"]),
    ("x-aspnet-version", "4.0.30319", &["ASP.NET 4.0.30319"]),
    (
        "set-cookie",
        "laravel_session=x; path=/; httponly",
        &["Laravel", "PHP"],
    ),
    ("set-cookie", "PHPSESSID=x; path=/", &["PHP"]),
];

fn check(what: &str, found: &[TechnologyFact], expected: &[&str], wrong: &mut Vec<String>) {
    for line in expected {
        let is_found = found.iter().any(|fact| match &fact.version {
            Some(version) => format!("{} {version}", fact.name) == *line,
            None => fact.name == *line,
        });
        if !is_found {
            wrong.push(format!("no {line:?} in {found:?} of {what}"));
        }
    }
}

#[test]
fn what_pages_and_answers_show_is_told_with_its_version() {
    let mut wrong = Vec::new();
    for (markup, expected) in MARKUP {
        check(markup, &detect(&[], markup), expected, &mut wrong);
    }
    for (name, value, expected) in HEADERS {
        let found = detect(&[(*name, *value)], "");
        check(value, &found, expected, &mut wrong);
    }
    assert!(MARKUP.len() + HEADERS.len() >= 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_page_speaks_of_it_is_not_made_with() {
    for page in [
        "<p>We build sites with WordPress, Shopify, Joomla, TYPO3 and Wix.</p>",
        "<a href=https://wordpress.org/>WordPress</a> <a href=https://www.shopify.com/>Shopify</a>",
        "<a href=https://stripe.com/>Stripe</a> <a href=https://www.paypal.com/paypalme/x>Pay</a>",
        "<a href=https://analytics.google.com/>Google Analytics</a> <img src=/img/wordpress-logo.svg>",
        "<meta name=description content='Generator: WordPress 6.5, Elementor and Divi'>",
        "<div class='react-to-this angular-shape vue-du-ciel bootstrapping foundations'>",
        "<pre>&lt;script src=\"https://code.jquery.com/jquery-3.7.1.min.js\"&gt;</pre>",
        "<textarea><script src=https://js.stripe.com/v3/></script></textarea>",
        "<a href=https://www.youtube.com/@shop>YouTube</a> <a href=https://vimeo.com/shop>Vimeo</a>",
        "<!-- moved from WordPress to our own system in 2019 -->",
        "<script type=application/ld+json>{\"name\": \"gtag('config', 'G-1') fbq('init'\"}</script>",
        "<img src=/fotos/hugo-und-ghost.jpg><div id=next data-page=nuxt>",
    ] {
        let found = detect(&[("server", "web"), ("x-powered-by", "love")], page);
        assert_eq!(found, [], "{page}");
    }
}
