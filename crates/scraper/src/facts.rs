//! What one page says of its site.
//!
//! Every value is clean (no control characters, bounded) and the whole is bounded as well: no
//! page, however hostile, makes facts that serialize to more than [`FACTS_MAX_BYTES`].

pub mod contact;
pub mod content;
pub mod structured;

use serde::{Deserialize, Serialize};

use contact::{CompanyFact, Email, Location, Phone, SocialLink};
use structured::StructuredItem;

/// Upper bound of the facts of one page as JSON, in bytes. It follows from the limits below and
/// is held by a test; stated so that writers can size their statements.
pub const FACTS_MAX_BYTES: usize = 48 * 1024;

/// Most bytes of a title. Chosen: search engines show about 70 characters.
pub const TITLE_MAX_BYTES: usize = 512;

/// Most bytes of a description. Chosen: a few times what search engines show.
pub const DESCRIPTION_MAX_BYTES: usize = 2048;

/// Most e-mail addresses, and most phone numbers, of one page. Chosen: staff lists fit.
pub const CONTACTS_MAX: usize = 64;

/// Most social profiles of one page. Chosen: more than any footer shows.
pub const SOCIAL_LINKS_MAX: usize = 24;

/// Most postal addresses of one page. Chosen: the branches of a small chain.
pub const LOCATIONS_MAX: usize = 8;

/// Most that one page tells of the business itself. Chosen: a week of opening hours, two names
/// and all numbers of an imprint.
pub const COMPANY_FACTS_MAX: usize = 24;

/// Most technologies of one page. Chosen: twice what rich pages show.
pub const TECHNOLOGIES_MAX: usize = 48;

/// Most headings of the first three levels kept of one page. Chosen: the outline of a long article.
pub const HEADINGS_MAX: usize = 24;

/// Most bytes of a heading, and of the title of a feed.
pub const HEADING_MAX_BYTES: usize = 192;

/// Most icons of one page. Chosen: all sizes that generators of icons make for one kind of device.
pub const ICONS_MAX: usize = 8;

/// The facts of one page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PageFacts {
    /// The text of the `title` element, else `og:title`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The description meant for search engines, else `og:description`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The language tag, as BCP 47 writes it (`de`, `pt-BR`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Where the language is known from; present exactly if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language_source: Option<LanguageSource>,
    /// The words of the main text.
    #[serde(skip_serializing_if = "is_zero")]
    pub word_count: u64,
    /// The URL that the page calls canonical.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canonical_url: Option<String>,
    /// The best icon that the page names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub favicon_url: Option<String>,
    /// The image most likely to be the logo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// E-mail addresses in the order found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Email>,
    /// Phone numbers, in the order found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<Phone>,
    /// Profiles at social networks, in the order found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub social_links: Vec<SocialLink>,
    /// Postal addresses, in the order found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    /// What the page says of the business itself: names, numbers, opening hours.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub company: Vec<CompanyFact>,
    /// Present if the page is served by WordPress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wordpress: Option<WordPressFacts>,
    /// What the page is built with, the surest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub technologies: Vec<TechnologyFact>,
    /// What the page asks of robots, in its head and in the headers of its answer.
    #[serde(skip_serializing_if = "RobotsDirectives::is_empty")]
    pub robots: RobotsDirectives,
    /// The headings of the first three levels, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headings: Vec<Heading>,
    /// The icons that the page names, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub icons: Vec<Icon>,
    /// How often the page links into its site, of the first 20,000 links.
    #[serde(skip_serializing_if = "is_zero")]
    pub internal_links: u64,
    /// How often it links elsewhere, of the first 20,000 links.
    #[serde(skip_serializing_if = "is_zero")]
    pub external_links: u64,
    /// The card for networks that follow the Open Graph protocol.
    #[serde(skip_serializing_if = "OpenGraph::is_empty")]
    pub open_graph: OpenGraph,
    /// The card for X.
    #[serde(skip_serializing_if = "TwitterCard::is_empty")]
    pub twitter_card: TwitterCard,
    /// The feeds that the page names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<Feed>,
    /// The page in other languages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternates: Vec<Alternate>,
    /// What the page states for machines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub structured: Vec<StructuredItem>,
    /// The page broke off, or could not be decoded to its end; this is what came before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

impl PageFacts {
    /// Leaves out what is least missed until the facts take at most [`FACTS_MAX_BYTES`]. The
    /// rest fits by its own limits; only a page that uses all of them at once gets here.
    pub(crate) fn fit(&mut self) {
        let leave_out: [fn(&mut Self); 8] = [
            |facts| facts.icons.clear(),
            |facts| facts.headings.clear(),
            |facts| facts.alternates.clear(),
            |facts| facts.structured.clear(),
            |facts| facts.open_graph = OpenGraph::default(),
            |facts| facts.twitter_card = TwitterCard::default(),
            |facts| facts.locations.clear(),
            |facts| facts.emails.truncate(CONTACTS_MAX / 2),
        ];
        for leave_out in leave_out {
            let bytes = serde_json::to_vec(self).map_or(usize::MAX, |json| json.len());
            if bytes <= FACTS_MAX_BYTES {
                return;
            }
            leave_out(self);
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Where the language of a page is known from, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LanguageSource {
    /// The attribute `lang` of the page.
    Attribute,
    /// Its `<meta http-equiv="content-language">`.
    Meta,
    /// The header `Content-Language` of its answer.
    Header,
    /// Its text.
    Text,
}

/// What a page asks of robots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RobotsDirectives {
    /// Not to be shown in search results. The page is read all the same: nothing is indexed here.
    pub noindex: bool,
    /// Its links are not to be followed; they are not.
    pub nofollow: bool,
    /// No copy of it is to be shown.
    pub noarchive: bool,
    /// No text of it is to be shown in search results.
    pub nosnippet: bool,
}

impl RobotsDirectives {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The Open Graph card of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpenGraph {
    /// `og:title`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `og:description`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `og:type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `og:url`, absolute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The first `og:image`, absolute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// `og:site_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_name: Option<String>,
    /// `og:locale`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

impl OpenGraph {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The card of a page for X.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TwitterCard {
    /// `twitter:card`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// `twitter:site`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// `twitter:creator`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// `twitter:title`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `twitter:description`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `twitter:image`, absolute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

impl TwitterCard {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A heading of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// From 1 to 3.
    pub level: u8,
    /// What it says.
    pub text: String,
}

/// An icon that a page names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Icon {
    /// Its absolute URL.
    pub url: String,
    /// Its sizes as stated: `32x32`, `any` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sizes: Option<String>,
    /// It is meant for the home screens of phones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_touch: bool,
}

/// A feed that a page names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Its absolute URL.
    pub url: String,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A page in another language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternate {
    /// The language tag, or `x-default`.
    pub language: String,
    /// Its absolute URL.
    pub url: String,
}

/// A technology that a page shows, or that one implies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TechnologyFact {
    /// Its name in the rules.
    pub name: String,
    /// Its version, where shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How sure that is, in percent.
    pub confidence: u8,
}

/// What a page served by WordPress shows of its making.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WordPressFacts {
    /// The version that the generator tag or core scripts name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The folder of the theme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
    /// Elementor is at work.
    pub elementor: bool,
    /// The version of Elementor, where stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elementor_version: Option<String>,
    /// The Divi theme or builder is at work.
    pub divi: bool,
    /// WooCommerce is at work.
    pub woocommerce: bool,
    /// Contact Form 7 is at work.
    pub contact_form_7: bool,
    /// Yoast SEO is at work.
    pub yoast_seo: bool,
    /// `WPForms` is at work.
    pub wpforms: bool,
}
