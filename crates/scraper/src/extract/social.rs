//! Profiles at social networks, each by its canonical URL.
//!
//! Never what shares, embeds or shows a post: those lead to others' words, or nowhere.

mod networks;

use trawl_domain::url_rules::PageUrl;
use url::Url;

use crate::facts::SOCIAL_LINKS_MAX;
use crate::facts::contact::{ContactMethod, Evidence, SocialLink, add_found};
use networks::{MAKERS, MASTODON_SERVERS, NETWORKS, Network, RESERVED, Shape, TABS};

/// Most bytes of a profile's URL; names are shorter everywhere.
const PROFILE_MAX_BYTES: usize = 200;

/// The network whose links lead to a chat with a number.
const CHAT: &str = "whatsapp";

/// Collects profiles, each once.
#[derive(Debug, Default)]
pub(super) struct SocialLinks {
    found: Vec<SocialLink>,
}

impl SocialLinks {
    /// Takes a link out of the site if it leads to a profile.
    pub(super) fn see(&mut self, url: &PageUrl, method: ContactMethod) {
        self.add(profile(url.as_url()), method);
    }

    /// Takes a link that says to lead to the same person or business (`rel="me"`), which tells
    /// profiles at servers that nobody knows.
    pub(super) fn see_me(&mut self, url: &PageUrl, method: ContactMethod) {
        let url = url.as_url();
        self.add(profile(url).or_else(|| mastodon(url)), method);
    }

    /// Takes the name at X that a page states in its head.
    pub(super) fn see_x_name(&mut self, name: &str) {
        let name = name.trim().trim_start_matches('@');
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let url = is_name.then(|| Url::parse(&format!("https://x.com/{name}")).ok());
        let url = url.flatten();
        self.add(url.and_then(|url| profile(&url)), ContactMethod::Head);
    }

    pub(super) fn take(&mut self) -> Vec<SocialLink> {
        let mut found = std::mem::take(&mut self.found);
        for link in &mut found {
            link.evidence.judge(false);
        }
        found
    }

    fn add(&mut self, profile: Option<(&'static str, String)>, method: ContactMethod) {
        // A chat is no profile; its number is a phone number.
        if let Some((network, url)) = profile.filter(|(network, _)| *network != CHAT) {
            let link = SocialLink {
                network: network.to_owned(),
                url,
                evidence: Evidence::of(method),
            };
            add_found(&mut self.found, link, SOCIAL_LINKS_MAX);
        }
    }
}

/// The number of a link to a chat: `https://wa.me/493012345678`.
pub(super) fn chat_number(url: &PageUrl) -> Option<String> {
    let (network, profile) = profile(url.as_url())?;
    let number = profile.strip_prefix("https://wa.me/")?;
    (network == CHAT).then(|| number.to_owned())
}

/// The network and the canonical URL of a profile.
fn profile(url: &Url) -> Option<(&'static str, String)> {
    let host = url.host_str()?;
    if MASTODON_SERVERS.contains(&host) {
        return mastodon(url);
    }
    NETWORKS
        .iter()
        .filter_map(|network| Some((network, network.subdomain(host)?)))
        .find_map(|(network, subdomain)| {
            let found = network.profile(url, subdomain)?;
            let name = found.rsplit('/').next()?.trim_start_matches('@');
            let is_makers = MAKERS.iter().any(|maker| name.eq_ignore_ascii_case(maker));
            (found.len() <= PROFILE_MAX_BYTES && !is_makers).then_some((network.name, found))
        })
}

fn mastodon(url: &Url) -> Option<(&'static str, String)> {
    let path = Shape::At.path(url)?;
    let found = format!("https://{}/{path}", url.host_str()?);
    (found.len() <= PROFILE_MAX_BYTES).then_some(("mastodon", found))
}

impl Network {
    /// What stands before the host of the network in a host.
    fn subdomain<'a>(&self, host: &'a str) -> Option<&'a str> {
        self.hosts.iter().find_map(|known| {
            let sub = host.strip_suffix(known)?;
            if sub.is_empty() {
                Some(sub)
            } else {
                sub.strip_suffix('.')
            }
        })
    }

    fn profile(&self, url: &Url, subdomain: &str) -> Option<String> {
        self.shapes.iter().find_map(|shape| {
            if let Shape::Subdomain = shape {
                return self.below(subdomain);
            }
            if !is_front(subdomain) {
                return None;
            }
            let path = shape.path(url)?;
            if self.name == CHAT && !path.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            // A number is a video there, not a name.
            if self.name == "vimeo" && path.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            Some(format!("{}{path}", self.canonical))
        })
    }

    /// `name.tumblr.com`.
    fn below(&self, subdomain: &str) -> Option<String> {
        let host = self.hosts.first()?;
        let is_own = ["www", "m", "help", "blog", "assets", "static"].contains(&subdomain);
        (is_name(subdomain) && !subdomain.contains('.') && !is_own)
            .then(|| format!("https://{subdomain}.{host}/"))
    }
}

impl Shape {
    /// The path of the profile in its canonical form, without the first `/`.
    fn path(&self, url: &Url) -> Option<String> {
        let mut parts = url.path().split('/').filter(|part| !part.is_empty());
        let found = match self {
            Self::Name { reserved } => {
                let name = parts.next()?;
                let lower = name.to_ascii_lowercase();
                let is_page = RESERVED.contains(&lower.as_str())
                    || reserved.split(' ').any(|page| page == lower);
                (!is_page && is_name(name)).then(|| name.to_owned())
            }
            Self::At => {
                let part = parts.next()?;
                let name = part
                    .strip_prefix('@')
                    .or_else(|| part.strip_prefix("%40"))?;
                is_name(name).then(|| format!("@{name}"))
            }
            Self::Under { parts: known } => {
                let part = parts.next()?.to_ascii_lowercase();
                let name = parts.next()?;
                (known.contains(&part.as_str()) && is_name(name)).then(|| format!("{part}/{name}"))
            }
            Self::Numbered { parts: known } => {
                let part = parts.next()?.to_ascii_lowercase();
                let (name, number) = (parts.next()?, parts.next()?);
                let is_number = number.bytes().all(|b| b.is_ascii_digit());
                (known.contains(&part.as_str()) && is_number)
                    .then(|| format!("{part}/{name}/{number}"))
            }
            Self::Parameter { path, name } => {
                if url.path() != *path {
                    return None;
                }
                let value = url.query_pairs().find(|(key, _)| key == name)?.1;
                let digits = value.trim().trim_start_matches('+');
                let is_number = digits.len() > 4 && digits.bytes().all(|b| b.is_ascii_digit());
                return is_number.then(|| match *name {
                    "phone" => digits.to_owned(),
                    _ => format!("{}?{name}={digits}", path.trim_start_matches('/')),
                });
            }
            Self::Subdomain => None,
        }?;
        let is_tab = |part: &str| TABS.contains(&part.to_ascii_lowercase().as_str());
        match (parts.next(), parts.next()) {
            (None, _) => Some(found),
            (Some(tab), None) if is_tab(tab) => Some(found),
            _ => None,
        }
    }
}

/// Whether a network answers there as it does at its own host: `www.`, `m.`, `de-de.`.
fn is_front(subdomain: &str) -> bool {
    let is_language = matches!(subdomain.as_bytes(), [_, _] | [_, _, b'-', _, _]);
    is_language || ["", "m", "mobile", "touch", "www"].contains(&subdomain)
}

/// Whether a part of a path can be the name of a profile; escapes stand for letters.
fn is_name(part: &str) -> bool {
    part.len() > 1
        && part.bytes().any(|b| b.is_ascii_alphanumeric())
        && part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'%' | b'+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: Option<(&str, &str)>) {
        let found = profile(&Url::parse(url).expect(url));
        let found = found
            .as_ref()
            .map(|(network, url)| (*network, url.as_str()));
        assert_eq!(found, expected, "{url}");
    }

    #[test]
    fn profiles_have_one_url() {
        for (url, network, canonical) in [
            (
                "http://facebook.com/acme/?ref=x",
                "facebook",
                "https://www.facebook.com/acme",
            ),
            (
                "https://de-de.facebook.com/acme",
                "facebook",
                "https://www.facebook.com/acme",
            ),
            (
                "https://m.facebook.com/acme/about",
                "facebook",
                "https://www.facebook.com/acme",
            ),
            (
                "https://www.facebook.com/pages/Acme/123456",
                "facebook",
                "https://www.facebook.com/pages/Acme/123456",
            ),
            (
                "https://www.facebook.com/profile.php?id=100064&ref=x",
                "facebook",
                "https://www.facebook.com/profile.php?id=100064",
            ),
            (
                "https://www.facebook.com/p/Acme-1000",
                "facebook",
                "https://www.facebook.com/p/Acme-1000",
            ),
            ("https://twitter.com/Acme", "x", "https://x.com/Acme"),
            ("https://mobile.twitter.com/Acme", "x", "https://x.com/Acme"),
            (
                "https://de.linkedin.com/company/acme-gmbh/about/",
                "linkedin",
                "https://www.linkedin.com/company/acme-gmbh",
            ),
            (
                "https://www.tiktok.com/@acme",
                "tiktok",
                "https://www.tiktok.com/@acme",
            ),
            (
                "https://youtube.com/@acme/videos",
                "youtube",
                "https://www.youtube.com/@acme",
            ),
            (
                "https://www.youtube.com/acme",
                "youtube",
                "https://www.youtube.com/acme",
            ),
            (
                "https://www.youtube.com/channel/UC123",
                "youtube",
                "https://www.youtube.com/channel/UC123",
            ),
            (
                "https://instagram.com/acme",
                "instagram",
                "https://www.instagram.com/acme",
            ),
            (
                "https://wa.me/493012345678?text=x",
                "whatsapp",
                "https://wa.me/493012345678",
            ),
            (
                "https://api.whatsapp.com/send?phone=%2B493012345678&text=x",
                "whatsapp",
                "https://wa.me/493012345678",
            ),
            (
                "https://acme.tumblr.com/",
                "tumblr",
                "https://acme.tumblr.com/",
            ),
            (
                "https://mastodon.social/@acme",
                "mastodon",
                "https://mastodon.social/@acme",
            ),
            (
                "https://www.pinterest.de/acme/",
                "pinterest",
                "https://www.pinterest.com/acme",
            ),
            (
                "https://www.xing.com/pages/acme",
                "xing",
                "https://www.xing.com/pages/acme",
            ),
            ("https://t.me/acme", "telegram", "https://t.me/acme"),
            (
                "https://open.spotify.com/artist/1a2b",
                "spotify",
                "https://open.spotify.com/artist/1a2b",
            ),
            (
                "https://www.snapchat.com/add/acme",
                "snapchat",
                "https://www.snapchat.com/add/acme",
            ),
            (
                "https://discord.gg/acme",
                "discord",
                "https://discord.gg/acme",
            ),
            ("https://vk.com/acme", "vk", "https://vk.com/acme"),
            (
                "https://medium.com/@acme",
                "medium",
                "https://medium.com/@acme",
            ),
            (
                "https://bsky.app/profile/acme.com",
                "bluesky",
                "https://bsky.app/profile/acme.com",
            ),
            (
                "https://www.yelp.de/biz/acme-berlin",
                "yelp",
                "https://www.yelp.com/biz/acme-berlin",
            ),
        ] {
            check(url, Some((network, canonical)));
        }
        let mut names: Vec<&str> = NETWORKS.iter().map(|network| network.name).collect();
        names.dedup();
        assert!(names.len() >= 20, "{names:?}");
    }

    #[test]
    fn sharing_posts_and_pages_of_the_network_are_no_profiles() {
        for url in [
            "https://www.facebook.com/sharer/sharer.php?u=x",
            "https://www.facebook.com/sharer.php?u=x",
            "https://www.facebook.com/",
            "https://www.facebook.com/acme/posts/123",
            "https://www.facebook.com/plugins/like.php?href=x",
            "https://www.facebook.com/wix",
            "https://twitter.com/intent/tweet?text=x",
            "https://twitter.com/acme/status/1",
            "https://x.com/share?url=x",
            "https://platform.twitter.com/widgets.js",
            "https://www.linkedin.com/shareArticle?url=x",
            "https://www.linkedin.com/sharing/share-offsite/?url=x",
            "https://www.linkedin.com/posts/acme_1",
            "https://pinterest.com/pin/create/button/?url=x",
            "https://www.youtube.com/watch?v=x",
            "https://www.youtube.com/embed/x",
            "https://www.youtube.com/playlist?list=x",
            "https://www.instagram.com/p/Cxyz/",
            "https://www.instagram.com/acme/p/Cxyz/",
            "https://www.tiktok.com/@acme/video/1",
            "https://notfacebook.com/acme",
            "https://facebook.com.evil.test/acme",
            "https://t.me/share/url?url=x",
            "https://wa.me/?text=x",
            "https://api.whatsapp.com/send?text=x",
            "https://vimeo.com/123456",
            "https://github.com/acme/repo",
            "https://www.reddit.com/submit?url=x",
            "https://www.tumblr.com/share/link?url=x",
            "https://vk.com/share.php?url=x",
            "https://developers.facebook.com/docs",
            "https://business.instagram.com/acme",
            "https://help.x.com/acme",
            "https://vimeo.com/privacy",
            "https://vimeo.com/cookie_policy",
            "https://dribbble.com/terms",
            "https://vk.com/privacy",
            "https://twitter.com/personalization",
            "https://soundcloud.com/terms-of-use",
            "https://www.facebook.com/full_data_use_policy",
            "https://www.facebook.com/adpreferences",
            "https://www.facebook.com/facebook",
            "https://www.youtube.com/account_privacy",
            "https://www.instagram.com/yourusername/",
            "https://www.facebook.com/YourPage",
        ] {
            check(url, None);
        }
    }

    #[test]
    fn a_profile_is_kept_once_whatever_its_case() {
        let mut social = SocialLinks::default();
        let url = |text: &str| PageUrl::parse(text).expect(text);
        social.see(&url("https://www.facebook.com/Acme"), ContactMethod::Link);
        social.see(&url("https://facebook.com/acme/"), ContactMethod::JsonLd);
        social.see_x_name("@acme");
        social.see_x_name("not a name");
        social.see_me(&url("https://social.acme.org/@acme"), ContactMethod::Link);
        social.see(&url("https://social.acme.org/@other"), ContactMethod::Link);
        let found = social.take();
        let urls: Vec<_> = found
            .iter()
            .map(|link| (link.url.as_str(), link.evidence.count))
            .collect();
        let expected = [
            ("https://www.facebook.com/Acme", 2),
            ("https://x.com/acme", 1),
            ("https://social.acme.org/@acme", 1),
        ];
        assert_eq!(urls, expected);
    }

    #[test]
    fn chats_tell_a_number() {
        let number = |url: &str| chat_number(&PageUrl::parse(url).expect(url));
        assert_eq!(
            number("https://wa.me/493012345678").as_deref(),
            Some("493012345678")
        );
        assert_eq!(number("https://www.facebook.com/12345678"), None);
    }
}
