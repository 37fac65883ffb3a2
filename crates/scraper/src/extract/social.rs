//! Profiles at social networks, each by its canonical URL.

use trawl_domain::url_rules::PageUrl;

use crate::facts::{SOCIAL_LINKS_MAX, SocialLink};

/// Most bytes of a profile's URL; names are shorter everywhere.
const PROFILE_MAX_BYTES: usize = 200;

/// A network: its name here, its hosts, where profiles live, and how their URLs begin.
struct Network {
    name: &'static str,
    hosts: &'static [&'static str],
    shape: Shape,
    /// What stands before the name of a profile in its canonical URL.
    canonical: &'static str,
}

/// How the path of a profile is made.
enum Shape {
    /// `/name`, unless the name is one of these pages of the network itself.
    Name { reserved: &'static [&'static str] },
    /// `/@name`.
    At,
    /// One of these first parts, then the name; both are kept.
    Under { parts: &'static [&'static str] },
}

const NETWORKS: &[Network] = &[
    Network {
        name: "bluesky",
        hosts: &["bsky.app"],
        shape: Shape::Under {
            parts: &["profile"],
        },
        canonical: "https://bsky.app/",
    },
    Network {
        name: "facebook",
        hosts: &["facebook.com", "fb.com", "fb.me"],
        shape: Shape::Name {
            reserved: &[
                "ads",
                "business",
                "dialog",
                "events",
                "groups",
                "hashtag",
                "help",
                "home.php",
                "l.php",
                "login",
                "marketplace",
                "media",
                "messages",
                "pages",
                "people",
                "photo",
                "photo.php",
                "photos",
                "plugins",
                "policies",
                "policy.php",
                "posts",
                "privacy",
                "profile.php",
                "settings",
                "share",
                "share.php",
                "sharer",
                "sharer.php",
                "story.php",
                "terms",
                "terms.php",
                "tr",
                "video.php",
                "watch",
            ],
        },
        canonical: "https://www.facebook.com/",
    },
    Network {
        name: "github",
        hosts: &["github.com"],
        shape: Shape::Name {
            reserved: &[
                "about",
                "apps",
                "collections",
                "contact",
                "customer-stories",
                "enterprise",
                "explore",
                "features",
                "issues",
                "login",
                "marketplace",
                "orgs",
                "pricing",
                "search",
                "security",
                "settings",
                "site",
                "sponsors",
                "topics",
                "trending",
            ],
        },
        canonical: "https://github.com/",
    },
    Network {
        name: "instagram",
        hosts: &["instagram.com", "instagr.am"],
        shape: Shape::Name {
            reserved: &[
                "about",
                "accounts",
                "developer",
                "direct",
                "explore",
                "legal",
                "p",
                "reel",
                "reels",
                "share",
                "stories",
                "tv",
            ],
        },
        canonical: "https://www.instagram.com/",
    },
    Network {
        name: "linkedin",
        hosts: &["linkedin.com"],
        shape: Shape::Under {
            parts: &["company", "in", "school", "showcase"],
        },
        canonical: "https://www.linkedin.com/",
    },
    Network {
        name: "pinterest",
        hosts: &[
            "pinterest.com",
            "pinterest.de",
            "pinterest.co.uk",
            "pinterest.fr",
        ],
        shape: Shape::Name {
            reserved: &["about", "business", "ideas", "pin", "search", "today"],
        },
        canonical: "https://www.pinterest.com/",
    },
    Network {
        name: "reddit",
        hosts: &["reddit.com"],
        shape: Shape::Under {
            parts: &["r", "u", "user"],
        },
        canonical: "https://www.reddit.com/",
    },
    Network {
        name: "telegram",
        hosts: &["t.me", "telegram.me"],
        shape: Shape::Name {
            reserved: &["addstickers", "iv", "joinchat", "s", "share"],
        },
        canonical: "https://t.me/",
    },
    Network {
        name: "threads",
        hosts: &["threads.net", "threads.com"],
        shape: Shape::At,
        canonical: "https://www.threads.net/",
    },
    Network {
        name: "tiktok",
        hosts: &["tiktok.com"],
        shape: Shape::At,
        canonical: "https://www.tiktok.com/",
    },
    Network {
        name: "twitch",
        hosts: &["twitch.tv"],
        shape: Shape::Name {
            reserved: &["directory", "downloads", "p", "videos"],
        },
        canonical: "https://www.twitch.tv/",
    },
    Network {
        name: "vimeo",
        hosts: &["vimeo.com"],
        shape: Shape::Name {
            reserved: &[
                "about",
                "blog",
                "categories",
                "channels",
                "groups",
                "upgrade",
                "watch",
            ],
        },
        canonical: "https://vimeo.com/",
    },
    Network {
        name: "x",
        hosts: &["x.com", "twitter.com"],
        shape: Shape::Name {
            reserved: &[
                "about", "compose", "explore", "hashtag", "home", "i", "intent", "login",
                "messages", "privacy", "search", "settings", "share", "tos", "widgets",
            ],
        },
        canonical: "https://x.com/",
    },
    Network {
        name: "xing",
        hosts: &["xing.com"],
        shape: Shape::Under {
            parts: &["companies", "pages", "profile"],
        },
        canonical: "https://www.xing.com/",
    },
    Network {
        name: "youtube",
        hosts: &["youtube.com"],
        shape: Shape::At,
        canonical: "https://www.youtube.com/",
    },
    Network {
        name: "youtube",
        hosts: &["youtube.com"],
        shape: Shape::Under {
            parts: &["c", "channel", "user"],
        },
        canonical: "https://www.youtube.com/",
    },
];

/// Collects profiles, each once.
#[derive(Debug, Default)]
pub(super) struct SocialLinks {
    found: Vec<SocialLink>,
}

impl SocialLinks {
    /// Takes a link out of the site if it leads to a profile.
    pub(super) fn see(&mut self, url: &PageUrl) {
        if let Some(link) = profile(url)
            && self.found.len() < SOCIAL_LINKS_MAX
            && !self.found.contains(&link)
        {
            self.found.push(link);
        }
    }

    pub(super) fn take(&mut self) -> Vec<SocialLink> {
        std::mem::take(&mut self.found)
    }
}

fn profile(url: &PageUrl) -> Option<SocialLink> {
    let host = url.as_url().host_str()?;
    NETWORKS
        .iter()
        .filter(|network| network.has_host(host))
        .find_map(|network| {
            let path = network.shape.profile_path(url.as_url().path())?;
            let url = format!("{}{path}", network.canonical);
            (url.len() <= PROFILE_MAX_BYTES).then(|| SocialLink {
                network: network.name.to_owned(),
                url,
            })
        })
}

impl Network {
    /// Networks answer at `www.`, `m.`, `de.` and many more.
    fn has_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|known| {
            host.strip_suffix(known)
                .is_some_and(|sub| sub.is_empty() || (sub.ends_with('.') && sub.len() <= 5))
        })
    }
}

impl Shape {
    /// The path of the profile in its canonical form, without the first `/`.
    fn profile_path(&self, path: &str) -> Option<String> {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let first = parts.next()?;
        match self {
            Self::Name { reserved } => {
                let name = first.to_ascii_lowercase();
                let is_page = reserved.contains(&name.as_str());
                (!is_page && is_name(first) && first != "_").then(|| first.to_owned())
            }
            Self::At => {
                let name = first
                    .strip_prefix('@')
                    .or_else(|| first.strip_prefix("%40"))?;
                is_name(name).then(|| format!("@{name}"))
            }
            Self::Under { parts: known } => {
                let part = first.to_ascii_lowercase();
                let name = parts.next()?;
                (known.contains(&part.as_str()) && is_name(name)).then(|| format!("{part}/{name}"))
            }
        }
    }
}

/// Whether a part of a path can be the name of a profile; escapes stand for letters.
fn is_name(part: &str) -> bool {
    part.len() > 1
        && part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'%'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: Option<(&str, &str)>) {
        let found = profile(&PageUrl::parse(url).expect(url));
        let found = found
            .as_ref()
            .map(|link| (link.network.as_str(), link.url.as_str()));
        assert_eq!(found, expected, "{url}");
    }

    #[test]
    fn profiles_have_one_url() {
        check(
            "http://facebook.com/acme/?ref=x",
            Some(("facebook", "https://www.facebook.com/acme")),
        );
        check("https://de-de.facebook.com/acme", None);
        check(
            "https://m.facebook.com/acme/about",
            Some(("facebook", "https://www.facebook.com/acme")),
        );
        check(
            "https://twitter.com/Acme",
            Some(("x", "https://x.com/Acme")),
        );
        check(
            "https://www.x.com/acme/status/1",
            Some(("x", "https://x.com/acme")),
        );
        check(
            "https://de.linkedin.com/company/acme-gmbh/about/",
            Some(("linkedin", "https://www.linkedin.com/company/acme-gmbh")),
        );
        check(
            "https://www.tiktok.com/@acme",
            Some(("tiktok", "https://www.tiktok.com/@acme")),
        );
        check(
            "https://youtube.com/@acme",
            Some(("youtube", "https://www.youtube.com/@acme")),
        );
        check(
            "https://www.youtube.com/channel/UC123",
            Some(("youtube", "https://www.youtube.com/channel/UC123")),
        );
        check(
            "https://instagram.com/acme",
            Some(("instagram", "https://www.instagram.com/acme")),
        );
    }

    #[test]
    fn sharing_and_pages_of_the_network_are_no_profiles() {
        for url in [
            "https://www.facebook.com/sharer/sharer.php?u=x",
            "https://www.facebook.com/",
            "https://twitter.com/intent/tweet?text=x",
            "https://x.com/share?url=x",
            "https://www.linkedin.com/shareArticle?url=x",
            "https://www.linkedin.com/sharing/share-offsite/?url=x",
            "https://pinterest.com/pin/create/button/?url=x",
            "https://www.youtube.com/watch?v=x",
            "https://www.youtube.com/embed/x",
            "https://www.instagram.com/p/Cxyz/",
            "https://notfacebook.com/acme",
            "https://facebook.com.evil.test/acme",
            "https://t.me/share/url?url=x",
        ] {
            check(url, None);
        }
    }
}
