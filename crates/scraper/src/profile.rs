//! What all pages of a site together say of it, in the field names that clients know.
//!
//! Merging is a fold over pages in their order, so that a resumed crawl gives the same profile as
//! one that was never interrupted.

mod own;
mod provenance;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::facts::{PageFacts, TechnologyFact, WordPressFacts};
use crate::technology::{Category, rules};
use own::Logos;
pub use provenance::{Provenance, Sourced};
use provenance::{Sources, fitting};

/// Upper bound of a profile as JSON, in bytes; it follows from the limits and is held by a test.
pub const PROFILE_MAX_BYTES: usize = 64 * 1024;

/// Most bytes of the e-mail addresses, and of the phone numbers, of a profile as JSON. Chosen:
/// some hundred of usual length; beyond lies a staff list, which the pages themselves carry.
const CONTACTS_MAX_BYTES: usize = 6 * 1024;

/// Most technologies of a profile. Chosen: well above what a site shows.
const TECHNOLOGIES_MAX: usize = 96;

/// The profile of a site.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Profile {
    /// The title of the start page.
    pub title: Option<String>,
    /// The description of the start page.
    pub description: Option<String>,
    /// The language of the start page.
    pub language: Option<String>,
    /// The URL that the start page calls canonical.
    pub canonical_url: Option<String>,
    /// The icon of the first page that names one.
    pub favicon_url: Option<String>,
    /// The logo that most pages show.
    pub logo_url: Option<String>,
    /// The contacts of all pages.
    pub contact_info: ContactInfo,
    /// The site's own profile at each social network: of a business before a person, then the
    /// surest, that of the most pages and the one named most like the domain.
    pub social_links: BTreeMap<String, String>,
    /// Whether any page is served by WordPress.
    pub is_wordpress: bool,
    /// The version of WordPress, where stated.
    pub wordpress_version: Option<String>,
    /// The theme of WordPress, where recognizable.
    pub wordpress_theme: Option<String>,
    /// Whether any page uses Elementor.
    pub has_elementor: bool,
    /// The version of Elementor, where stated.
    pub elementor_version: Option<String>,
    /// Whether any page uses Divi.
    pub has_divi: bool,
    /// Whether any page uses WooCommerce.
    pub has_woocommerce: bool,
    /// Whether any page uses Contact Form 7.
    pub has_contact_form7: bool,
    /// Whether any page uses Yoast SEO.
    pub has_yoast_seo: bool,
    /// Whether any page uses `WPForms`.
    pub has_wpforms: bool,
    /// What the site is built with, by the groups that clients know.
    pub tech_stack: TechStack,
    /// What the site is built with, the surest first.
    pub technologies: Vec<Technology>,
    /// Contacts and company data with the pages that they are from.
    pub profile: Provenance,
}

/// A technology of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Technology {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub category: Category,
    /// Its version, where any page shows it.
    pub version: Option<String>,
    /// How sure the surest page is, in percent.
    pub confidence: u8,
}

/// The contacts of a site, without those of others that it names: the surest and most frequent
/// first, e-mail addresses at its own domain before all others, then those at free providers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ContactInfo {
    /// E-mail addresses.
    pub email: Vec<String>,
    /// Phone numbers in E.164 form.
    pub phone: Vec<String>,
}

/// What a site is built with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TechStack {
    /// Content management systems, and shop systems that need none.
    pub cms: Vec<String>,
    /// Frameworks and libraries.
    pub frameworks: Vec<String>,
    /// What measures visitors, and what loads it.
    pub analytics: Vec<String>,
    /// What visitors meet: chats, maps, videos, consent, payment, newsletters.
    pub widgets: Vec<String>,
}

/// Folds the facts of pages into a profile.
#[derive(Debug, Default)]
pub(crate) struct ProfileBuilder {
    profile: Profile,
    /// The URL of the start page.
    start: Option<String>,
    logos: Logos,
    sources: Sources,
}

impl ProfileBuilder {
    /// Adds the next fetched page, by the URL that it was found at; the first one is the start
    /// page.
    pub(crate) fn add(&mut self, url: &str, facts: &PageFacts) {
        let profile = &mut self.profile;
        if self.start.is_none() {
            self.start = Some(url.to_owned());
            profile.title.clone_from(&facts.title);
            profile.description.clone_from(&facts.description);
            profile.language.clone_from(&facts.language);
            profile.canonical_url.clone_from(&facts.canonical_url);
        }
        add_technologies(&mut profile.technologies, &facts.technologies);
        fill(&mut profile.favicon_url, &facts.favicon_url);
        if let Some(logo) = &facts.logo_url {
            self.logos.add(logo);
        }
        if let Some(wordpress) = &facts.wordpress {
            add_wordpress(profile, wordpress);
        }
        self.sources.add(url, facts);
    }

    /// The profile of the pages added so far.
    pub(crate) fn build(&self) -> Profile {
        let mut profile = self.profile.clone();
        let emails = self
            .sources
            .emails()
            .filter(|email| email.evidence.is_own());
        let phones = self
            .sources
            .phones()
            .filter(|phone| phone.evidence.is_own());
        let emails = emails.map(|email| email.value.clone());
        let phones = phones.map(|phone| phone.value.clone());
        profile.contact_info = ContactInfo {
            email: fitting(emails, CONTACTS_MAX_BYTES),
            phone: fitting(phones, CONTACTS_MAX_BYTES),
        };
        let start = self.start.as_deref().unwrap_or_default();
        profile.social_links = own::profiles(self.sources.social_profiles(), start);
        profile.logo_url = self.logos.best();
        profile
            .technologies
            .sort_by_key(|technology| std::cmp::Reverse(technology.confidence));
        profile.tech_stack = TechStack::of(&profile.technologies);
        profile.profile = self.sources.provenance();
        profile
    }
}

fn fill<T: Clone>(slot: &mut Option<T>, value: &Option<T>) {
    if slot.is_none() {
        slot.clone_from(value);
    }
}

/// Technologies that the rules have lost since a page was recorded are left out.
fn add_technologies(known: &mut Vec<Technology>, facts: &[TechnologyFact]) {
    for fact in facts {
        if let Some(known) = known.iter_mut().find(|known| known.name == fact.name) {
            known.confidence = known.confidence.max(fact.confidence);
            fill(&mut known.version, &fact.version);
        } else if known.len() < TECHNOLOGIES_MAX
            && let Some(technology) = rules().technology(&fact.name)
        {
            known.push(Technology {
                name: fact.name.clone(),
                category: technology.category,
                version: fact.version.clone(),
                confidence: fact.confidence,
            });
        }
    }
}

impl TechStack {
    fn of(technologies: &[Technology]) -> Self {
        let mut stack = Self::default();
        for technology in technologies {
            let group = match technology.category {
                Category::Cms => &mut stack.cms,
                Category::Shop if needs_cms(&technology.name) => continue,
                Category::Shop => &mut stack.cms,
                Category::Framework => &mut stack.frameworks,
                Category::Analytics | Category::TagManager => &mut stack.analytics,
                Category::Chat
                | Category::Marketing
                | Category::Consent
                | Category::Payment
                | Category::Widget => &mut stack.widgets,
                Category::PageBuilder
                | Category::Plugin
                | Category::Cdn
                | Category::Hosting
                | Category::Server
                | Category::Language => continue,
            };
            group.push(technology.name.clone());
        }
        stack
    }
}

/// Whether a shop system is an extension, as `WooCommerce` is of WordPress.
fn needs_cms(name: &str) -> bool {
    rules()
        .technology(name)
        .is_some_and(|technology| rules().runs_on(technology, Category::Cms))
}

fn add_wordpress(profile: &mut Profile, wordpress: &WordPressFacts) {
    profile.is_wordpress = true;
    fill(&mut profile.wordpress_version, &wordpress.version);
    fill(&mut profile.wordpress_theme, &wordpress.theme);
    fill(&mut profile.elementor_version, &wordpress.elementor_version);
    profile.has_elementor |= wordpress.elementor;
    profile.has_divi |= wordpress.divi;
    profile.has_woocommerce |= wordpress.woocommerce;
    profile.has_contact_form7 |= wordpress.contact_form_7;
    profile.has_yoast_seo |= wordpress.yoast_seo;
    profile.has_wpforms |= wordpress.wpforms;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::contact::{
        CompanyFact, CompanyFactKind, ContactMethod, Email, Evidence, Location, Phone, SocialLink,
    };
    use crate::facts::structured::PostalAddress;

    const PAGE: &str = "https://a.test/";

    fn fact(name: &str, version: Option<&str>, confidence: u8) -> TechnologyFact {
        TechnologyFact {
            name: name.to_owned(),
            version: version.map(str::to_owned),
            confidence,
        }
    }

    fn page(technologies: Vec<TechnologyFact>) -> PageFacts {
        PageFacts {
            technologies,
            ..PageFacts::default()
        }
    }

    #[test]
    fn technologies_are_merged_and_grouped() {
        let mut builder = ProfileBuilder::default();
        builder.add(
            PAGE,
            &page(vec![
                fact("WooCommerce", None, 60),
                fact("WordPress", None, 60),
                fact("jQuery", Some("3.7.1"), 100),
                fact("no longer known", None, 100),
            ]),
        );
        builder.add(
            PAGE,
            &page(vec![
                fact("WordPress", Some("6.5"), 100),
                fact("Matomo", None, 100),
                fact("Tawk.to", None, 100),
            ]),
        );
        let profile = builder.build();
        let found: Vec<_> = profile
            .technologies
            .iter()
            .map(|t| (t.name.as_str(), t.version.as_deref(), t.confidence))
            .collect();
        let expected = [
            ("WordPress", Some("6.5"), 100),
            ("jQuery", Some("3.7.1"), 100),
            ("Matomo", None, 100),
            ("Tawk.to", None, 100),
            ("WooCommerce", None, 60),
        ];
        assert_eq!(found, expected);
        let stack = profile.tech_stack;
        assert_eq!(stack.cms, ["WordPress"]);
        assert_eq!(stack.frameworks, ["jQuery"]);
        assert_eq!(stack.analytics, ["Matomo"]);
        assert_eq!(stack.widgets, ["Tawk.to"]);
    }

    #[test]
    fn shop_systems_that_run_by_themselves_are_the_cms() {
        let mut builder = ProfileBuilder::default();
        builder.add(PAGE, &page(vec![fact("Shopify", None, 100)]));
        assert_eq!(builder.build().tech_stack.cms, ["Shopify"]);
    }

    #[test]
    fn a_profile_of_everything_at_its_limits_is_bounded() {
        let mut builder = ProfileBuilder::default();
        let text = |bytes: usize| Some("\"".repeat(bytes));
        let url = Some("u".repeat(2048));
        let names: Vec<&str> = rules().names().collect();
        let evidence = Evidence::of(ContactMethod::Link);
        for n in 0..20 {
            let versions = names.iter().skip(n * 5);
            let page_url = format!("https://a.test/{n:02}{}", "p".repeat(2000));
            let facts = PageFacts {
                title: text(crate::facts::TITLE_MAX_BYTES),
                description: text(crate::facts::DESCRIPTION_MAX_BYTES),
                canonical_url: url.clone(),
                favicon_url: url.clone(),
                logo_url: url.clone(),
                emails: (0..64)
                    .map(|m| Email {
                        value: format!("{n:03}{m:03}{}", "e".repeat(248)),
                        evidence: evidence.clone(),
                    })
                    .collect(),
                phones: (0..64)
                    .map(|m| Phone {
                        value: format!("+49{n:05}{m:05}"),
                        national: format!("{n:05} {m:05}"),
                        evidence: evidence.clone(),
                    })
                    .collect(),
                social_links: (0..48)
                    .map(|m| SocialLink {
                        network: format!("network{m:02}"),
                        url: "s".repeat(200),
                        evidence: evidence.clone(),
                    })
                    .collect(),
                locations: vec![Location {
                    address: PostalAddress {
                        street: Some(format!("{n:02}{}", "\"".repeat(126))),
                        postal_code: text(128),
                        locality: text(128),
                        region: text(128),
                        country: text(128),
                    },
                    evidence: evidence.clone(),
                }],
                company: vec![CompanyFact {
                    kind: CompanyFactKind::Name,
                    value: format!("{n:02}{}", "\"".repeat(254)),
                    scheme: None,
                    court: text(128),
                    evidence: evidence.clone(),
                }],
                technologies: versions
                    .map(|name| fact(name, Some(&"1".repeat(24)), 100))
                    .collect(),
                ..PageFacts::default()
            };
            builder.add(&page_url, &facts);
        }
        let profile = builder.build();
        assert_eq!(profile.technologies.len(), TECHNOLOGIES_MAX);
        assert!(!profile.profile.emails.is_empty() && !profile.profile.company.is_empty());
        let bytes = serde_json::to_vec(&profile).expect("json").len();
        assert!(bytes <= PROFILE_MAX_BYTES, "{bytes} bytes of profile");
    }
}
