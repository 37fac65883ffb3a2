//! Whether WordPress serves a page, and what shows of its version, theme and plugins.

use crate::facts::WordPressFacts;

/// Most bytes of a version or of the name of a theme.
const NAME_MAX_BYTES: usize = 64;

/// Scripts of WordPress itself whose `ver` parameter is its own version; those of the libraries
/// that it carries have theirs.
const CORE_SCRIPTS: &[&str] = &[
    "/wp-includes/js/wp-emoji-release.min.js",
    "/wp-includes/js/wp-embed.min.js",
    "/wp-includes/css/dist/block-library/style.min.css",
    "/wp-includes/css/dashicons.min.css",
];

/// Collects the traces.
#[derive(Debug, Default)]
pub(super) struct WordPress {
    is_seen: bool,
    version_of_generator: Option<String>,
    version_of_scripts: Option<String>,
    facts: WordPressFacts,
}

impl WordPress {
    /// `<meta name="generator">`, of which plugins add their own.
    pub(super) fn see_generator(&mut self, content: &str) {
        let (product, rest) = content
            .trim()
            .split_once(' ')
            .unwrap_or((content.trim(), ""));
        let version = || rest.split([' ', ';', ',']).find_map(version);
        match product.to_ascii_lowercase().as_str() {
            "wordpress" => {
                self.is_seen = true;
                set(&mut self.version_of_generator, version());
            }
            "elementor" => {
                self.facts.elementor = true;
                set(&mut self.facts.elementor_version, version());
            }
            "woocommerce" => self.facts.woocommerce = true,
            "divi" | "extra" if rest.starts_with('v') => self.facts.divi = true,
            _ => {}
        }
    }

    /// The URL of a script, a style sheet or an image.
    pub(super) fn see_url(&mut self, url: &str) {
        if let Some((_, rest)) = url.split_once("/wp-content/") {
            self.is_seen = true;
            if let Some(theme) = rest.strip_prefix("themes/") {
                self.see_theme(theme);
            } else if let Some(plugin) = rest.strip_prefix("plugins/") {
                self.see_plugin(plugin);
            }
        } else if url.contains("/wp-includes/") {
            self.is_seen = true;
            if CORE_SCRIPTS.iter().any(|script| url.contains(script)) {
                set(&mut self.version_of_scripts, version_parameter(url));
            }
        }
    }

    /// The `class` of any element.
    pub(super) fn see_class(&mut self, class: &str) {
        for name in class.split_ascii_whitespace() {
            let facts = &mut self.facts;
            match name {
                "wpcf7" | "wpcf7-form" => facts.contact_form_7 = true,
                "woocommerce" | "woocommerce-page" | "woocommerce-no-js" | "woocommerce-js" => {
                    facts.woocommerce = true;
                }
                "wpforms-container" | "wpforms-form" => facts.wpforms = true,
                "yoast-schema-graph" => facts.yoast_seo = true,
                "et_divi_theme"
                | "et_divi_builder"
                | "et_pb_section"
                | "et_pb_pagebuilder_layout" => {
                    facts.divi = true;
                }
                "elementor" | "elementor-element" | "elementor-default" | "elementor-page" => {
                    facts.elementor = true;
                }
                _ => {}
            }
        }
    }

    pub(super) fn see_comment(&mut self, text: &str) {
        if text.contains("optimized with the Yoast SEO") {
            self.facts.yoast_seo = true;
        }
    }

    /// The link by which WordPress announces its API.
    pub(super) fn see_api_link(&mut self) {
        self.is_seen = true;
    }

    /// What was found; traces of plugins alone are enough, as they run nowhere else.
    pub(super) fn take(&mut self) -> Option<WordPressFacts> {
        let mut facts = std::mem::take(&mut self.facts);
        let has_plugin = facts.elementor
            || facts.divi
            || facts.woocommerce
            || facts.contact_form_7
            || facts.yoast_seo
            || facts.wpforms;
        if !self.is_seen && !has_plugin {
            return None;
        }
        facts.version = self
            .version_of_generator
            .take()
            .or(self.version_of_scripts.take());
        Some(facts)
    }

    fn see_theme(&mut self, rest: &str) {
        let Some((name, _)) = rest.split_once('/') else {
            return;
        };
        if !is_folder(name) {
            return;
        }
        self.facts.divi |= name.eq_ignore_ascii_case("divi");
        // The theme itself is named before its child: `divi`, then `divi-child`. The first wins.
        set(&mut self.facts.theme, Some(name.to_owned()));
    }

    fn see_plugin(&mut self, rest: &str) {
        let (name, file) = rest.split_once('/').unwrap_or((rest, ""));
        match name {
            "elementor" => {
                self.facts.elementor = true;
                // Its libraries are in a folder of their own and have their own versions.
                if !file.contains("/lib/") {
                    set(&mut self.facts.elementor_version, version_parameter(file));
                }
            }
            "elementor-pro" => self.facts.elementor = true,
            "divi-builder" => self.facts.divi = true,
            "woocommerce" => self.facts.woocommerce = true,
            "contact-form-7" => self.facts.contact_form_7 = true,
            "wordpress-seo" | "wordpress-seo-premium" => self.facts.yoast_seo = true,
            "wpforms" | "wpforms-lite" => self.facts.wpforms = true,
            _ => {}
        }
    }
}

fn set(slot: &mut Option<String>, value: Option<String>) {
    if slot.is_none() {
        *slot = value;
    }
}

fn is_folder(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_MAX_BYTES
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// The `ver` parameter of a URL.
fn version_parameter(url: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    query
        .split('&')
        .find_map(|piece| piece.strip_prefix("ver="))
        .and_then(version)
}

/// A version as software has it: `6.4.2`, `8.0-beta1`.
fn version(text: &str) -> Option<String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let is_version = text.starts_with(|c: char| c.is_ascii_digit())
        && text.contains('.')
        && text.len() <= NAME_MAX_BYTES
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    is_version.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(see: impl FnOnce(&mut WordPress)) -> Option<WordPressFacts> {
        let mut wordpress = WordPress::default();
        see(&mut wordpress);
        wordpress.take()
    }

    #[test]
    fn other_sites_are_not_of_wordpress() {
        assert_eq!(facts(|_| {}), None);
        assert_eq!(facts(|w| w.see_generator("TYPO3 CMS")), None);
        assert_eq!(facts(|w| w.see_url("/assets/wordpress.png")), None);
        assert_eq!(facts(|w| w.see_class("content elementary")), None);
    }

    #[test]
    fn the_version_is_of_the_generator_else_of_core_scripts() {
        let version = |see: fn(&mut WordPress)| facts(see).and_then(|facts| facts.version);
        assert_eq!(
            version(|w| w.see_generator("WordPress 6.4.2")).as_deref(),
            Some("6.4.2")
        );
        assert_eq!(version(|w| w.see_generator("WordPress")), None);
        let core = |w: &mut WordPress| {
            w.see_url("/wp-includes/js/jquery/jquery.min.js?ver=3.7.1");
            w.see_url("/wp-includes/css/dist/block-library/style.min.css?x=1&ver=6.5");
        };
        assert_eq!(version(core).as_deref(), Some("6.5"));
    }

    #[test]
    fn theme_and_plugins_are_known_by_their_folders() {
        let found = facts(|w| {
            w.see_url("https://a.test/wp-content/themes/astra/style.css?ver=4.1");
            w.see_url("/wp-content/themes/other/x.css");
            w.see_url("/wp-content/plugins/elementor/assets/lib/x/x.css?ver=5.30.0");
            w.see_url("/wp-content/plugins/elementor/assets/css/frontend.min.css?ver=3.18.3");
            w.see_url("/wp-content/plugins/contact-form-7/includes/css/styles.css?ver=5.8");
            w.see_url("/wp-content/plugins/wpforms-lite/x.css");
        });
        let expected = WordPressFacts {
            theme: Some("astra".into()),
            elementor: true,
            elementor_version: Some("3.18.3".into()),
            contact_form_7: true,
            wpforms: true,
            ..WordPressFacts::default()
        };
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn plugins_are_known_by_their_marks() {
        let found = facts(|w| {
            w.see_generator("Elementor 3.18.3; features: e_dom_optimization");
            w.see_generator("WooCommerce 8.4.0");
            w.see_class("et_pb_section et_section_regular");
            w.see_comment(" This site is optimized with the Yoast SEO plugin v22.5 ");
        });
        let found = found.expect("traces");
        assert_eq!(found.elementor_version.as_deref(), Some("3.18.3"));
        assert!(found.elementor && found.woocommerce && found.divi && found.yoast_seo);
        assert!(!found.wpforms && !found.contact_form_7);
    }
}
