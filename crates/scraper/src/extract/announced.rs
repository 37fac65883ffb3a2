//! What a page announces besides title and description: cards for social networks, directives
//! for robots, feeds, translations, headings.

use url::Url;

use super::head::{absolute, language_tag};
use super::tag::Attributes;
use super::text::{BoundedText, clean};
use crate::facts::{
    Alternate, Feed, HEADING_MAX_BYTES, HEADINGS_MAX, Heading, OpenGraph, RobotsDirectives,
    TwitterCard,
};

/// Most bytes of a URL and of a text of a card.
const URL_MAX_BYTES: usize = 512;
const TEXT_MAX_BYTES: usize = 512;

/// Most feeds and most translations of a page. Chosen: the languages of the European Union.
const FEEDS_MAX: usize = 4;
const ALTERNATES_MAX: usize = 24;

/// Media types of feeds.
const FEED_TYPES: &[&str] = &[
    "application/atom+xml",
    "application/feed+json",
    "application/rss+xml",
];

/// Collects the announcements.
#[derive(Debug, Default)]
pub(super) struct Announced {
    pub(super) open_graph: OpenGraph,
    pub(super) twitter_card: TwitterCard,
    pub(super) robots: RobotsDirectives,
    pub(super) feeds: Vec<Feed>,
    pub(super) alternates: Vec<Alternate>,
    pub(super) headings: Vec<Heading>,
    /// The heading that is open.
    heading: Option<(u8, BoundedText)>,
    /// The product name of the crawler, to which directives may speak.
    product: String,
}

impl Announced {
    /// Takes directives for this product as its own.
    pub(super) fn crawl_as(&mut self, product: &str) {
        product.clone_into(&mut self.product);
    }

    /// A header of the answer.
    ///
    /// A robot that it names, as in `googlebot: nofollow`, is who all that follows is for.
    pub(super) fn see_header(&mut self, name: &str, value: &str) {
        if !name.eq_ignore_ascii_case("x-robots-tag") {
            return;
        }
        let mut is_for_us = true;
        for piece in value.split(',') {
            let mut directive = piece;
            if let Some((robot, rest)) = piece.split_once(':')
                && is_robot(robot.trim())
            {
                is_for_us = self.is_us(robot.trim());
                directive = rest;
            }
            if is_for_us {
                self.see_directives(directive);
            }
        }
    }

    fn is_us(&self, robot: &str) -> bool {
        !robot.is_empty() && robot.eq_ignore_ascii_case(&self.product)
    }

    /// A `<meta>`, its name in lower case.
    pub(super) fn see_meta(&mut self, name: &str, content: &str, base: &Url) {
        if name == "robots" || self.is_us(name) {
            return self.see_directives(content);
        }
        let og = &mut self.open_graph;
        let twitter = &mut self.twitter_card;
        let slot = match name {
            "og:image" | "og:image:url" | "og:image:secure_url" => {
                return set(&mut og.image, bounded_url(base, content));
            }
            "og:url" => return set(&mut og.url, bounded_url(base, content)),
            "twitter:image" | "twitter:image:src" => {
                return set(&mut twitter.image, bounded_url(base, content));
            }
            "og:title" => &mut og.title,
            "og:description" => &mut og.description,
            "og:type" => &mut og.kind,
            "og:site_name" => &mut og.site_name,
            "og:locale" => &mut og.locale,
            "twitter:card" => &mut twitter.card,
            "twitter:site" => &mut twitter.site,
            "twitter:creator" => &mut twitter.creator,
            "twitter:title" => &mut twitter.title,
            "twitter:description" => &mut twitter.description,
            _ => return,
        };
        set(slot, clean(content, TEXT_MAX_BYTES));
    }

    /// A `<link>`.
    pub(super) fn see_link(
        &mut self,
        rel: &str,
        href: &str,
        attributes: &Attributes<'_>,
        base: &Url,
    ) {
        let has_rel = |word: &str| rel.split_whitespace().any(|r| r.eq_ignore_ascii_case(word));
        if !has_rel("alternate") || has_rel("stylesheet") {
            return;
        }
        if let Some(language) = attributes.get("hreflang") {
            let language = match language.trim() {
                any if any.eq_ignore_ascii_case("x-default") => Some("x-default".to_owned()),
                tag => language_tag(tag),
            };
            if self.alternates.len() < ALTERNATES_MAX
                && let Some(language) = language
                && let Some(url) = bounded_url(base, href)
            {
                self.alternates.push(Alternate { language, url });
            }
        } else if let Some(media_type) = attributes.get("type")
            && FEED_TYPES.contains(&media_type.trim().to_ascii_lowercase().as_str())
            && self.feeds.len() < FEEDS_MAX
            && let Some(url) = bounded_url(base, href)
        {
            let title = attributes.get("title");
            let title = title.and_then(|title| clean(&title, HEADING_MAX_BYTES));
            self.feeds.push(Feed { url, title });
        }
    }

    /// A heading of one of the first three levels begins.
    pub(super) fn enter_heading(&mut self, level: u8) {
        self.leave_heading();
        self.heading = Some((level, BoundedText::default()));
    }

    pub(super) fn heading_text(&mut self, text: &str) {
        if let Some((_, heading)) = &mut self.heading {
            // Entities may take several bytes for one.
            heading.push(text, 4 * HEADING_MAX_BYTES);
        }
    }

    pub(super) fn leave_heading(&mut self) {
        if let Some((level, heading)) = self.heading.take()
            && self.headings.len() < HEADINGS_MAX
            && let Some(text) = clean(heading.as_str(), HEADING_MAX_BYTES)
        {
            self.headings.push(Heading { level, text });
        }
    }

    fn see_directives(&mut self, list: &str) {
        for directive in list.split(',') {
            let robots = &mut self.robots;
            match directive.trim().to_ascii_lowercase().as_str() {
                "noindex" => robots.noindex = true,
                "nofollow" => robots.nofollow = true,
                "none" => {
                    robots.noindex = true;
                    robots.nofollow = true;
                }
                "noarchive" | "nocache" => robots.noarchive = true,
                "nosnippet" => robots.nosnippet = true,
                _ => {}
            }
        }
    }
}

/// Whether what stands before a colon names a robot: the few directives with a value have a colon as
/// well, and so have times of the day.
fn is_robot(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name != "unavailable_after" && !name.starts_with("max-") && !name.contains(' ')
}

fn bounded_url(base: &Url, href: &str) -> Option<String> {
    absolute(base, href).filter(|url| url.len() <= URL_MAX_BYTES)
}

fn set(slot: &mut Option<String>, value: Option<String>) {
    if slot.is_none() {
        *slot = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_for_everyone_unless_they_name_another_robot() {
        let nofollow = |value: &str| {
            let mut announced = Announced::default();
            announced.crawl_as("Trawl");
            announced.see_header("X-Robots-Tag", value);
            announced.robots.nofollow
        };
        for value in [
            "nofollow",
            "noindex, NoFollow",
            "none",
            "max-snippet: 3, nofollow",
            "unavailable_after: Fri, 25 Jun 2027 15:00:00 GMT, nofollow",
            "trawl: nofollow",
            "TRAWL : noindex, none",
            "googlebot: noindex, trawl: nofollow",
        ] {
            assert!(nofollow(value), "{value}");
        }
        for value in [
            "",
            "noindex",
            "googlebot: nofollow",
            "other: none, noindex",
            "other: noindex, nofollow",
            "trawler: nofollow",
            ": nofollow",
            "trawl: noindex, googlebot: nofollow",
        ] {
            assert!(!nofollow(value), "{value}");
        }
    }

    #[test]
    fn a_page_may_speak_to_us_by_name() {
        let base = Url::parse("http://a.test/").expect("base");
        for (product, is_for_us) in [("Trawl", true), ("Trawler", false), ("", false)] {
            let mut announced = Announced::default();
            announced.crawl_as(product);
            announced.see_meta("trawl", "nofollow", &base);
            announced.see_meta("", "nofollow", &base);
            assert_eq!(announced.robots.nofollow, is_for_us, "{product}");
        }
    }
}
