//! The networks, and how the URLs of their profiles are made.
//!
//! By what their own pages link to, as seen on the web up to 2025; paths of the networks' own
//! pages are those that could be taken for a name.

/// A network: its name here, its hosts, where profiles live, and how their URLs begin.
pub(super) struct Network {
    pub(super) name: &'static str,
    /// Hosts; they answer at `www.`, `m.`, `de.` and more.
    pub(super) hosts: &'static [&'static str],
    pub(super) shapes: &'static [Shape],
    /// What stands before the path of a profile in its canonical URL.
    pub(super) canonical: &'static str,
}

/// How the path of a profile is made.
pub(super) enum Shape {
    /// `/name`, unless the name is one of these words: pages of the network itself.
    Name { reserved: &'static str },
    /// `/@name`.
    At,
    /// One of these first parts, then the name; both are kept.
    Under { parts: &'static [&'static str] },
    /// One of these first parts, a name for people, then the number of the profile; all are kept.
    Numbered { parts: &'static [&'static str] },
    /// This path with this parameter, whose value is digits.
    Parameter {
        path: &'static str,
        name: &'static str,
    },
    /// The host of the profile is one below that of the network: `name.tumblr.com`.
    Subdomain,
}

use Shape::{At, Name, Numbered, Parameter, Subdomain, Under};

/// Pages that most networks have, which privacy policies link to, and the names that templates put
/// where the site's own belongs.
pub(super) const RESERVED: &[&str] = &[
    "about",
    "account",
    "adpreferences",
    "ads",
    "careers",
    "community",
    "contact",
    "cookie-policy",
    "cookie_policy",
    "cookies",
    "developers",
    "help",
    "jobs",
    "legal",
    "login",
    "policies",
    "policy",
    "press",
    "privacy",
    "privacy-policy",
    "privacy_policy",
    "search",
    "security",
    "settings",
    "signup",
    "support",
    "terms",
    "terms-of-use",
    "tos",
    "username",
    "yourcompany",
    "yourname",
    "yourpage",
    "yourusername",
];

pub(super) const NETWORKS: &[Network] = &[
    Network {
        name: "bandcamp",
        hosts: &["bandcamp.com"],
        shapes: &[Subdomain],
        canonical: "https://bandcamp.com/",
    },
    Network {
        name: "behance",
        hosts: &["behance.net"],
        shapes: &[Name {
            reserved: "assets blog gallery galleries hire joblist live search",
        }],
        canonical: "https://www.behance.net/",
    },
    Network {
        name: "bluesky",
        hosts: &["bsky.app"],
        shapes: &[Under {
            parts: &["profile"],
        }],
        canonical: "https://bsky.app/",
    },
    Network {
        name: "discord",
        hosts: &["discord.gg"],
        shapes: &[Name { reserved: "" }],
        canonical: "https://discord.gg/",
    },
    Network {
        name: "discord",
        hosts: &["discord.com", "discordapp.com"],
        shapes: &[Under { parts: &["invite"] }],
        canonical: "https://discord.com/",
    },
    Network {
        name: "dribbble",
        hosts: &["dribbble.com"],
        shapes: &[Name {
            reserved: "about designers hiring jobs search session shots signup stories tags",
        }],
        canonical: "https://dribbble.com/",
    },
    Network {
        name: "facebook",
        hosts: &["facebook.com", "fb.com", "fb.me"],
        shapes: &[
            Parameter {
                path: "/profile.php",
                name: "id",
            },
            Numbered {
                parts: &["pages", "people"],
            },
            Under {
                parts: &["groups", "p"],
            },
            Name {
                reserved: "ads business dialog events facebook full_data_use_policy games gaming groups hashtag help home.php l.php \
                    legal login login.php marketplace media messages mobile p pages people \
                    permalink.php photo photo.php photos plugins policies policy.php posts \
                    privacy profile.php recover reel rsrc.php settings share share.php sharer sharer.php \
                    story.php terms terms.php tr video.php watch",
            },
        ],
        canonical: "https://www.facebook.com/",
    },
    Network {
        name: "flickr",
        hosts: &["flickr.com"],
        shapes: &[Under {
            parts: &["people", "photos"],
        }],
        canonical: "https://www.flickr.com/",
    },
    Network {
        name: "github",
        hosts: &["github.com"],
        shapes: &[Name {
            reserved: "about apps collections contact customer-stories enterprise explore \
                    features issues login marketplace orgs pricing search security \
                    settings site sponsors topics trending",
        }],
        canonical: "https://github.com/",
    },
    Network {
        name: "gitlab",
        hosts: &["gitlab.com"],
        shapes: &[Name {
            reserved: "explore groups help projects users",
        }],
        canonical: "https://gitlab.com/",
    },
    Network {
        name: "houzz",
        hosts: &[
            "houzz.com",
            "houzz.de",
            "houzz.co.uk",
            "houzz.fr",
            "houzz.it",
            "houzz.es",
        ],
        shapes: &[Under {
            parts: &["pro", "user"],
        }],
        canonical: "https://www.houzz.com/",
    },
    Network {
        name: "instagram",
        hosts: &["instagram.com", "instagr.am"],
        shapes: &[Name {
            reserved: "about accounts developer direct embed.js explore legal p reel reels \
                    share stories tv web",
        }],
        canonical: "https://www.instagram.com/",
    },
    Network {
        name: "linkedin",
        hosts: &["linkedin.com"],
        shapes: &[Under {
            parts: &["company", "in", "school", "showcase"],
        }],
        canonical: "https://www.linkedin.com/",
    },
    Network {
        name: "medium",
        hosts: &["medium.com"],
        shapes: &[At],
        canonical: "https://medium.com/",
    },
    Network {
        name: "ok",
        hosts: &["ok.ru", "odnoklassniki.ru"],
        shapes: &[
            Under {
                parts: &["group", "profile"],
            },
            Name {
                reserved: "dk game help music offer video widget",
            },
        ],
        canonical: "https://ok.ru/",
    },
    Network {
        name: "patreon",
        hosts: &["patreon.com"],
        shapes: &[Name {
            reserved: "c home join login posts search signup",
        }],
        canonical: "https://www.patreon.com/",
    },
    Network {
        name: "pinterest",
        hosts: &[
            "pinterest.com",
            "pinterest.at",
            "pinterest.ca",
            "pinterest.ch",
            "pinterest.co.uk",
            "pinterest.com.au",
            "pinterest.com.mx",
            "pinterest.de",
            "pinterest.dk",
            "pinterest.es",
            "pinterest.fr",
            "pinterest.ie",
            "pinterest.it",
            "pinterest.jp",
            "pinterest.nz",
            "pinterest.pt",
            "pinterest.se",
        ],
        shapes: &[Name {
            reserved: "about business ideas pin search today",
        }],
        canonical: "https://www.pinterest.com/",
    },
    Network {
        name: "reddit",
        hosts: &["reddit.com"],
        shapes: &[Under {
            parts: &["r", "u", "user"],
        }],
        canonical: "https://www.reddit.com/",
    },
    Network {
        name: "snapchat",
        hosts: &["snapchat.com"],
        shapes: &[Under { parts: &["add"] }],
        canonical: "https://www.snapchat.com/",
    },
    Network {
        name: "soundcloud",
        hosts: &["soundcloud.com"],
        shapes: &[Name {
            reserved: "discover pages player search stream terms-of-use upload you",
        }],
        canonical: "https://soundcloud.com/",
    },
    Network {
        name: "spotify",
        hosts: &["open.spotify.com"],
        shapes: &[Under {
            parts: &["artist", "show", "user"],
        }],
        canonical: "https://open.spotify.com/",
    },
    Network {
        name: "telegram",
        hosts: &["t.me", "telegram.me"],
        shapes: &[Name {
            reserved: "addstickers c iv joinchat proxy s share",
        }],
        canonical: "https://t.me/",
    },
    Network {
        name: "threads",
        hosts: &["threads.net", "threads.com"],
        shapes: &[At],
        canonical: "https://www.threads.net/",
    },
    Network {
        name: "tiktok",
        hosts: &["tiktok.com"],
        shapes: &[At],
        canonical: "https://www.tiktok.com/",
    },
    Network {
        name: "tumblr",
        hosts: &["tumblr.com"],
        shapes: &[
            Subdomain,
            Name {
                reserved: "about dashboard explore login register search share tagged widgets",
            },
        ],
        canonical: "https://www.tumblr.com/",
    },
    Network {
        name: "twitch",
        hosts: &["twitch.tv"],
        shapes: &[Name {
            reserved: "directory downloads p videos",
        }],
        canonical: "https://www.twitch.tv/",
    },
    Network {
        name: "vimeo",
        hosts: &["vimeo.com"],
        shapes: &[Name {
            reserved: "about blog categories channels features groups help ondemand search \
                    showcase upgrade watch",
        }],
        canonical: "https://vimeo.com/",
    },
    Network {
        name: "vk",
        hosts: &["vk.com", "vk.ru", "vkontakte.ru"],
        shapes: &[Name {
            reserved: "about apps dev feed im js login search share.php widget_community.php",
        }],
        canonical: "https://vk.com/",
    },
    Network {
        name: "weibo",
        hosts: &["weibo.com"],
        shapes: &[
            Under { parts: &["u"] },
            Name {
                reserved: "login p share signup u",
            },
        ],
        canonical: "https://weibo.com/",
    },
    Network {
        name: "whatsapp",
        hosts: &["wa.me"],
        shapes: &[Name {
            reserved: "message qr",
        }],
        canonical: "https://wa.me/",
    },
    Network {
        name: "whatsapp",
        hosts: &["api.whatsapp.com", "web.whatsapp.com", "whatsapp.com"],
        shapes: &[
            Parameter {
                path: "/send",
                name: "phone",
            },
            Parameter {
                path: "/send/",
                name: "phone",
            },
        ],
        canonical: "https://wa.me/",
    },
    Network {
        name: "x",
        hosts: &["x.com", "twitter.com"],
        shapes: &[Name {
            reserved: "about compose download en explore hashtag home i intent login messages \
                    personalization privacy search settings share signup tos widgets widgets.js",
        }],
        canonical: "https://x.com/",
    },
    Network {
        name: "xing",
        hosts: &["xing.com"],
        shapes: &[Under {
            parts: &["companies", "pages", "profile"],
        }],
        canonical: "https://www.xing.com/",
    },
    Network {
        name: "yelp",
        hosts: &[
            "yelp.com",
            "yelp.de",
            "yelp.fr",
            "yelp.co.uk",
            "yelp.it",
            "yelp.es",
        ],
        shapes: &[Under { parts: &["biz"] }],
        canonical: "https://www.yelp.com/",
    },
    Network {
        name: "youtube",
        hosts: &["youtube.com"],
        shapes: &[
            At,
            Under {
                parts: &["c", "channel", "user"],
            },
            Name {
                reserved: "about account account_privacy ads c channel creators embed feed gaming hashtag \
                    howyoutubeworks iframe_api kids live live_chat music playlist post \
                    premium redirect results shorts static t user v watch",
            },
        ],
        canonical: "https://www.youtube.com/",
    },
];

/// Servers of Mastodon that many use; of others only links that say `rel="me"` are taken.
pub(super) const MASTODON_SERVERS: &[&str] = &[
    "chaos.social",
    "fosstodon.org",
    "hachyderm.io",
    "mas.to",
    "masto.ai",
    "mastodon.art",
    "mastodon.cloud",
    "mastodon.green",
    "mastodon.nl",
    "mastodon.online",
    "mastodon.social",
    "mastodon.world",
    "mstdn.jp",
    "mstdn.social",
    "norden.social",
    "pawoo.net",
    "piaille.fr",
    "social.bund.de",
    "social.tchncs.de",
    "techhub.social",
    "toot.community",
    "troet.cafe",
];

/// Pages of a profile that may follow its name, besides it; others are posts.
pub(super) const TABS: &[&str] = &[
    "about",
    "community",
    "events",
    "featured",
    "followers",
    "home",
    "info",
    "jobs",
    "likes",
    "live",
    "media",
    "mycompany",
    "people",
    "photos",
    "playlists",
    "posts",
    "reviews",
    "services",
    "shop",
    "streams",
    "tagged",
    "timeline",
    "videos",
    "with_replies",
    "_created",
    "_saved",
];

/// Profiles of the makers of sites, which their templates link to.
pub(super) const MAKERS: &[&str] = &[
    "elementor",
    "ghost",
    "godaddy",
    "ionos",
    "jimdo",
    "joomla",
    "shopify",
    "squarespace",
    "webflow",
    "weebly",
    "wix",
    "wordpress",
    "wordpressdotcom",
];
