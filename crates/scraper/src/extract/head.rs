//! What a page says of itself in its head: title, description, language, canonical URL, icon.

use trawl_domain::url_rules::PageUrl;
use url::Url;

use super::tag::Attributes;
use super::text::{BoundedText, clean};
use crate::facts::{DESCRIPTION_MAX_BYTES, ICONS_MAX, Icon, LanguageSource, TITLE_MAX_BYTES};

/// Most bytes of markup kept of a title: entities may take several bytes for one.
const RAW_TITLE_MAX_BYTES: usize = 4 * TITLE_MAX_BYTES;

/// Most bytes of a language tag (RFC 5646, 4.4.1, advises to allow 35).
const LANGUAGE_MAX_BYTES: usize = 35;

/// Most bytes of the URL of an icon that is listed, and of its sizes.
const ICON_URL_MAX_BYTES: usize = 512;
const SIZES_MAX_BYTES: usize = 64;

/// Collects the facts of the head.
#[derive(Debug, Default)]
pub(super) struct Head {
    title: BoundedText,
    is_in_title: bool,
    og_title: Option<String>,
    description: Option<String>,
    og_description: Option<String>,
    language: Option<String>,
    content_language: Option<String>,
    header_language: Option<String>,
    canonical_url: Option<String>,
    best_icon: Option<RankedIcon>,
    icons: Vec<Icon>,
}

#[derive(Debug)]
struct RankedIcon {
    rank: u32,
    url: String,
}

/// The facts of the head.
#[derive(Debug, Default)]
pub(super) struct HeadFacts {
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) language: Option<(String, LanguageSource)>,
    pub(super) canonical_url: Option<String>,
    pub(super) favicon_url: Option<String>,
    pub(super) icons: Vec<Icon>,
}

impl Head {
    /// A header of the answer. One that names several languages says nothing of the page.
    pub(super) fn see_header(&mut self, name: &str, value: &str) {
        if name.eq_ignore_ascii_case("content-language") {
            self.header_language = language_tag(value);
        }
    }

    pub(super) fn see_html(&mut self, attributes: &Attributes<'_>) {
        for name in ["lang", "xml:lang"] {
            if self.language.is_none() {
                self.language = attributes.get(name).as_deref().and_then(language_tag);
            }
        }
    }

    /// A `title` begins; only the first one with text counts.
    pub(super) fn enter_title(&mut self) {
        self.is_in_title = clean(self.title.as_str(), TITLE_MAX_BYTES).is_none();
        if self.is_in_title {
            self.title = BoundedText::default();
        }
    }

    pub(super) fn leave_title(&mut self) {
        self.is_in_title = false;
    }

    pub(super) fn title_text(&mut self, text: &str) {
        if self.is_in_title {
            self.title.push(text, RAW_TITLE_MAX_BYTES);
        }
    }

    pub(super) fn see_meta(&mut self, name: &str, content: &str) {
        let (slot, max_bytes) = match name {
            "description" => (&mut self.description, DESCRIPTION_MAX_BYTES),
            "og:description" => (&mut self.og_description, DESCRIPTION_MAX_BYTES),
            "og:title" => (&mut self.og_title, TITLE_MAX_BYTES),
            "content-language" => {
                if self.content_language.is_none() {
                    self.content_language = content.split(',').next().and_then(language_tag);
                }
                return;
            }
            _ => return,
        };
        if slot.is_none() {
            *slot = clean(content, max_bytes);
        }
    }

    pub(super) fn see_link(
        &mut self,
        rel: &str,
        href: &str,
        attributes: &Attributes<'_>,
        base: &Url,
    ) {
        let has_rel = |word: &str| rel.split_whitespace().any(|r| r.eq_ignore_ascii_case(word));
        if has_rel("canonical") && self.canonical_url.is_none() {
            self.canonical_url = absolute(base, href);
        }
        let is_touch = has_rel("apple-touch-icon") || has_rel("apple-touch-icon-precomposed");
        if !is_touch && !has_rel("icon") {
            return;
        }
        let Some(url) = absolute(base, href) else {
            return;
        };
        let sizes = attributes.get("sizes");
        // The larger the better, a scalable one best, up to what is meant for lists of sites.
        let rank = if has_rel("icon") {
            10_000 + sizes.as_deref().map_or(16, icon_size)
        } else {
            1
        };
        if self.icons.len() < ICONS_MAX && url.len() <= ICON_URL_MAX_BYTES {
            self.icons.push(Icon {
                url: url.clone(),
                sizes: sizes.and_then(|sizes| clean(&sizes, SIZES_MAX_BYTES)),
                is_touch: !has_rel("icon"),
            });
        }
        if self.best_icon.as_ref().is_none_or(|best| best.rank < rank) {
            self.best_icon = Some(RankedIcon { rank, url });
        }
    }

    pub(super) fn finish(&mut self) -> HeadFacts {
        let languages = [
            (self.language.take(), LanguageSource::Attribute),
            (self.content_language.take(), LanguageSource::Meta),
            (self.header_language.take(), LanguageSource::Header),
        ];
        HeadFacts {
            title: clean(self.title.as_str(), TITLE_MAX_BYTES).or(self.og_title.take()),
            description: self.description.take().or(self.og_description.take()),
            language: languages
                .into_iter()
                .find_map(|(language, source)| Some((language?, source))),
            canonical_url: self.canonical_url.take(),
            favicon_url: self.best_icon.take().map(|icon| icon.url),
            icons: std::mem::take(&mut self.icons),
        }
    }
}

/// An absolute http or https URL of bounded length.
pub(super) fn absolute(base: &Url, href: &str) -> Option<String> {
    let href = href.trim();
    if href.is_empty() {
        return None;
    }
    PageUrl::resolve(base, href).ok().map(|url| url.to_string())
}

fn icon_size(sizes: &str) -> u32 {
    let size_of = |size: &str| match size.split_once(['x', 'X']) {
        Some((width, _)) => width.parse().unwrap_or(0).min(192),
        None if size.eq_ignore_ascii_case("any") => 193,
        None => 0,
    };
    sizes.split_whitespace().map(size_of).max().unwrap_or(0)
}

/// A language tag in the customary case: `de`, `pt-BR`, `zh-Hant`.
pub(super) fn language_tag(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > LANGUAGE_MAX_BYTES {
        return None;
    }
    let mut tag = String::with_capacity(text.len());
    for (position, part) in text.split(['-', '_']).enumerate() {
        let is_valid = (1..=8).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric())
            && (position > 0 || (part.len() > 1 && part.bytes().all(|b| b.is_ascii_alphabetic())));
        if !is_valid {
            return None;
        }
        if position > 0 {
            tag.push('-');
        }
        let lower = part.to_ascii_lowercase();
        match (position, part.len()) {
            (0, _) => tag.push_str(&lower),
            (_, 2) => tag.push_str(&lower.to_ascii_uppercase()),
            (_, 4) => {
                let (first, rest) = lower.split_at(1);
                tag.push_str(&first.to_ascii_uppercase());
                tag.push_str(rest);
            }
            _ => tag.push_str(&lower),
        }
    }
    Some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_tags_have_one_spelling_or_are_refused() {
        for (text, tag) in [
            ("DE", "de"),
            ("pt_br", "pt-BR"),
            ("zh-hant-tw", "zh-Hant-TW"),
            (" en-us ", "en-US"),
        ] {
            assert_eq!(language_tag(text).as_deref(), Some(tag), "{text}");
        }
        for text in [
            "",
            "e",
            "de--at",
            "<b>",
            "1a",
            "english language",
            "{{lang}}",
            "ü",
        ] {
            assert_eq!(language_tag(text), None, "{text}");
        }
    }

    #[test]
    fn icons_are_ranked_by_their_size() {
        assert!(icon_size("32x32") > icon_size("16x16"));
        assert_eq!(icon_size("16x16 48x48"), 48);
        assert_eq!(icon_size("512x512"), 192);
        assert!(icon_size("any") > icon_size("512x512"));
        assert_eq!(icon_size("nonsense"), 0);
    }
}
