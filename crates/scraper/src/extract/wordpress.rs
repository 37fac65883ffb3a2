//! What clients ask of WordPress by name: told from the technologies, except for the theme.
//!
//! The rules know WordPress and its plugins; here is only which of them becomes which field.

use crate::facts::{TechnologyFact, WordPressFacts};

/// Most bytes of the name of a theme.
const NAME_MAX_BYTES: usize = 64;

/// The name of the theme: the first that is loaded, as a theme comes before its child.
#[derive(Debug, Default)]
pub(super) struct Theme(Option<String>);

impl Theme {
    /// The URL of a script, a style sheet or an image.
    pub(super) fn see_url(&mut self, url: &str) {
        if self.0.is_none()
            && let Some((_, rest)) = url.split_once("/wp-content/themes/")
            && let Some((name, _)) = rest.split_once('/')
            && is_folder(name)
        {
            self.0 = Some(name.to_owned());
        }
    }

    /// The facts of a page on which these technologies were found.
    pub(super) fn facts(&mut self, technologies: &[TechnologyFact]) -> Option<WordPressFacts> {
        let found = |name: &str| technologies.iter().find(|fact| fact.name == name);
        let version = |name: &str| found(name).and_then(|fact| fact.version.clone());
        found("WordPress").map(|_| WordPressFacts {
            version: version("WordPress"),
            theme: self.0.take(),
            elementor: found("Elementor").is_some(),
            elementor_version: version("Elementor"),
            divi: found("Divi").is_some(),
            woocommerce: found("WooCommerce").is_some(),
            contact_form_7: found("Contact Form 7").is_some(),
            yoast_seo: found("Yoast SEO").is_some(),
            wpforms: found("WPForms").is_some(),
        })
    }
}

fn is_folder(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_MAX_BYTES
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::technology::{Detector, Kind, rules};

    fn facts(inputs: &[(Kind, &str)]) -> Option<WordPressFacts> {
        let mut detector = Detector::new(rules());
        let mut theme = Theme::default();
        for (kind, input) in inputs {
            detector.see(*kind, input);
            if *kind == Kind::Url {
                theme.see_url(input);
            }
        }
        theme.facts(&detector.finish())
    }

    #[test]
    fn other_sites_are_not_of_wordpress() {
        assert_eq!(facts(&[]), None);
        assert_eq!(facts(&[(Kind::Meta, "generator: TYPO3 CMS")]), None);
        assert_eq!(facts(&[(Kind::Url, "/assets/wordpress.png")]), None);
        assert_eq!(facts(&[(Kind::Class, "content elementary")]), None);
    }

    #[test]
    fn the_version_is_of_the_generator_else_of_core_scripts() {
        let version = |inputs: &[(Kind, &str)]| facts(inputs).and_then(|facts| facts.version);
        let generator = (Kind::Meta, "generator: WordPress 6.4.2");
        let jquery = (Kind::Url, "/wp-includes/js/jquery/jquery.min.js?ver=3.7.1");
        let core = (
            Kind::Url,
            "/wp-includes/css/dist/block-library/style.min.css?x=1&ver=6.5",
        );
        assert_eq!(version(&[core, generator]).as_deref(), Some("6.4.2"));
        assert_eq!(version(&[(Kind::Meta, "generator: WordPress")]), None);
        assert_eq!(version(&[jquery]), None);
        assert_eq!(version(&[jquery, core]).as_deref(), Some("6.5"));
    }

    #[test]
    fn theme_and_plugins_are_known_by_their_folders() {
        let found = facts(
            &[
                "https://a.test/wp-content/themes/astra/style.css?ver=4.1",
                "/wp-content/themes/other/x.css",
                "/wp-content/plugins/elementor/assets/lib/x/x.css?ver=5.30.0",
                "/wp-content/plugins/elementor/assets/css/frontend.min.css?ver=3.18.3",
                "/wp-content/plugins/contact-form-7/includes/css/styles.css?ver=5.8",
                "/wp-content/plugins/wpforms-lite/x.css",
            ]
            .map(|url| (Kind::Url, url)),
        );
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
        let found = facts(&[
            (
                Kind::Meta,
                "generator: Elementor 3.18.3; features: e_dom_optimization",
            ),
            (Kind::Meta, "generator: WooCommerce 8.4.0"),
            (Kind::Class, "et_pb_section et_section_regular"),
            (
                Kind::Comment,
                " This site is optimized with the Yoast SEO plugin v22.5 ",
            ),
        ]);
        let found = found.expect("traces");
        assert_eq!(found.elementor_version.as_deref(), Some("3.18.3"));
        assert!(found.elementor && found.woocommerce && found.divi && found.yoast_seo);
        assert!(!found.wpforms && !found.contact_form_7);
    }
}
