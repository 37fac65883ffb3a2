//! The facts a generated site tells about its business, for comparing with what was extracted.

use super::site::Site;

/// What a crawler ought to find. Follows from the host name alone, so it is the same in every
/// process and run, and differs between sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteFacts {
    /// The name of the business, and the title of the home page.
    pub name: String,
    /// The description of the home page.
    pub description: String,
    /// The language of all pages.
    pub language: &'static str,
    /// The only e-mail address.
    pub email: String,
    /// The only telephone number, in E.164 form.
    pub phone: String,
    /// Links to social networks, in the order of the page.
    pub social_links: Vec<String>,
    /// The path of the favicon.
    pub favicon: &'static str,
    /// The path of the logo.
    pub logo: &'static str,
    /// Set if the site runs WordPress.
    pub wordpress: Option<WordPress>,
}

/// The traces that WordPress leaves in pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordPress {
    /// Version in the generator tag.
    pub version: &'static str,
    /// Directory name of the theme; `Divi` is one.
    pub theme: &'static str,
    /// Directory names of the plugins, such as `elementor` or `wordpress-seo` (which is Yoast's).
    pub plugins: Vec<&'static str>,
}

/// Directory names under `wp-content/plugins`, as distributed.
pub(super) const PLUGINS: [&str; 5] = [
    "contact-form-7",
    "elementor",
    "woocommerce",
    "wordpress-seo",
    "wpforms-lite",
];

impl SiteFacts {
    pub(super) fn of(host: &str, site: &Site) -> Self {
        let seed = seed(host);
        let label = host.split('.').next().unwrap_or(host);
        let trade = pick(
            &["Bakery", "Roofing", "Dental Care", "Cycles", "Gardens"],
            seed,
        );
        let town = pick(
            &["Springfield", "Lakeview", "Riverside", "Fairmont"],
            seed / 5,
        );
        let name = format!("{} {trade}", capitalized(label));
        Self {
            description: format!("{name} has served {town} and its neighbors for many years."),
            name,
            language: pick(&["en", "en-US", "de", "fr"], seed / 20),
            email: format!("contact@{host}"),
            // 555-0100 to 555-0199 are reserved for fiction in the North American plan.
            phone: format!("+1212555{:04}", 100 + seed % 100),
            social_links: vec![
                format!("https://www.facebook.com/{label}"),
                format!("https://www.linkedin.com/company/{label}"),
                format!("https://x.com/{}", label.replace('-', "_")),
            ],
            favicon: "/favicon.ico",
            logo: "/logo.svg",
            wordpress: site.is_wordpress().then(|| WordPress::of(seed)),
        }
    }
}

impl WordPress {
    fn of(seed: usize) -> Self {
        Self {
            version: pick(&["6.4.3", "6.5.2", "6.6.1"], seed),
            theme: pick(&["astra", "Divi", "twentytwentyfour", "oceanwp"], seed / 3),
            plugins: (0..PLUGINS.len())
                .filter(|bit| (seed >> (bit + 4)) & 1 == 1)
                .map(|bit| PLUGINS[bit])
                .collect(),
        }
    }
}

/// FNV-1a: a hash that is the same in every run, unlike the standard library's.
fn seed(host: &str) -> usize {
    let hash = host.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash >> 8) as usize
}

fn pick(choices: &[&'static str], seed: usize) -> &'static str {
    choices[seed % choices.len()]
}

fn capitalized(label: &str) -> String {
    let mut chars = label.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
