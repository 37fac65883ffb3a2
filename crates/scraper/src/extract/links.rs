//! The links of a page that lead into its site.

use foldhash::fast::RandomState;
use indexmap::IndexSet;
use trawl_domain::url_rules::{PageUrl, PageUrlError, SiteScope};
use url::Url;

use crate::not_fetched::{Reason, Refused};
use crate::priority::topic_of;
use crate::words::strip_word;

/// Most links kept of one page, in bytes of their URLs. Chosen: twice what the frontier takes
/// from one page, as some of them will be known.
const LINKS_MAX_BYTES: usize = 128 * 1024;

/// Most bytes of links on top of those, to pages that say who is behind the site: they stand at the
/// end of pages. Chosen: eight of the longest URLs.
const TOPICS_MAX_BYTES: usize = 16 * 1024;

/// Most links looked at. Chosen: beyond any page made for people.
const LINKS_SEEN_MAX: usize = 20_000;

/// Most links remembered as not followed. Chosen: a page of more is no page that people read.
const REFUSED_MAX: usize = 4096;

/// Endings of paths that are no HTML page on any server, and would cost a request to learn it.
const FILE_ENDINGS: &[&str] = &[
    "7z", "aac", "apk", "avi", "avif", "bmp", "bz2", "css", "csv", "deb", "dmg", "doc", "docx",
    "eot", "eps", "epub", "exe", "flac", "flv", "gif", "gz", "ico", "ics", "iso", "jar", "jpeg",
    "jpg", "js", "json", "m4a", "m4v", "mid", "mkv", "mov", "mp3", "mp4", "mpeg", "mpg", "msi",
    "odp", "ods", "odt", "ogg", "ogv", "otf", "pdf", "png", "ppt", "pptx", "ps", "psd", "rar",
    "rpm", "rss", "rtf", "svg", "swf", "tar", "tgz", "tif", "tiff", "ttf", "vcf", "wav", "webm",
    "webp", "wma", "wmv", "woff", "woff2", "xls", "xlsx", "xml", "xz", "zip",
];

/// Collects links, each once.
#[derive(Debug)]
pub(super) struct Links {
    scope: SiteScope,
    found: IndexSet<PageUrl, RandomState>,
    found_bytes: usize,
    refused: Vec<Refused>,
    seen: usize,
    /// Those seen that lead into the site, and those that lead elsewhere.
    counts: (u64, u64),
}

impl Links {
    pub(super) fn new(scope: SiteScope) -> Self {
        Self {
            scope,
            found: IndexSet::default(),
            found_bytes: 0,
            refused: Vec::new(),
            seen: 0,
            counts: (0, 0),
        }
    }

    /// Takes a link if it leads into the site and is to be followed; gives back where it leads if
    /// that is elsewhere.
    pub(super) fn add(&mut self, base: &Url, href: &str, rel: &str) -> Option<PageUrl> {
        self.seen += 1;
        // A reference to a place on the page itself is by far the most common of all.
        if self.seen > LINKS_SEEN_MAX || href.is_empty() || href.starts_with('#') {
            return None;
        }
        let url = match PageUrl::resolve(base, href) {
            Ok(url) => url,
            Err(PageUrlError::TooLong) => {
                self.refuse(Reason::TrapLength, href);
                return None;
            }
            Err(_) => return None,
        };
        if !self.scope.contains(&url) {
            self.counts.1 += 1;
            self.refuse(Reason::OutOfScope, url.as_str());
            return Some(url);
        }
        self.counts.0 += 1;
        let length = url.as_str().len();
        if names_a_file(&url) {
            self.refuse(Reason::Type, url.as_str());
        } else if rel
            .split_ascii_whitespace()
            .any(|word| word.eq_ignore_ascii_case("nofollow"))
        {
            self.refuse(Reason::Nofollow, url.as_str());
        } else if self.found_bytes + length > LINKS_MAX_BYTES
            && (self.found_bytes + length > LINKS_MAX_BYTES + TOPICS_MAX_BYTES
                || topic_of(&url).is_none())
        {
            self.refuse(Reason::Budget, url.as_str());
        } else if self.found.insert(url) {
            self.found_bytes += length;
        }
        None
    }

    /// How many links lead into the site, and how many elsewhere; one to a place on the page
    /// itself is none of both.
    pub(super) fn counts(&self) -> (u64, u64) {
        self.counts
    }

    /// Ends the page: the links to follow, of which there are none where it asks for that, and
    /// those that are not followed.
    pub(super) fn take(&mut self, follows: bool) -> (Vec<PageUrl>, Vec<Refused>) {
        let mut found = std::mem::take(&mut self.found);
        if !follows {
            for url in found.drain(..) {
                self.refuse(Reason::Nofollow, url.as_str());
            }
        }
        (
            found.into_iter().collect(),
            std::mem::take(&mut self.refused),
        )
    }

    fn refuse(&mut self, reason: Reason, url: &str) {
        if self.refused.len() < REFUSED_MAX {
            self.refused.push(Refused::new(reason, &url));
        }
    }
}

/// Whether a URL names what is no HTML page on any server.
pub(crate) fn names_a_file(url: &PageUrl) -> bool {
    let path = url.as_url().path();
    let sign = path.bytes().rposition(|byte| matches!(byte, b'/' | b'.'));
    let ending = sign.and_then(|at| path.get(at..)?.strip_prefix('.'));
    ending.is_some_and(|ending| {
        let ending = ending.to_ascii_lowercase();
        FILE_ENDINGS.binary_search(&ending.as_str()).is_ok()
    })
}

/// The URL of `<meta http-equiv="refresh" content="0; url=…">`.
pub(super) fn refresh_target(content: &str) -> Option<&str> {
    let (_, target) = content.split_once([';', ','])?;
    let target = target.trim();
    let target = strip_word(target, "url")
        .and_then(|rest| rest.trim_start().strip_prefix('='))
        .unwrap_or(target)
        .trim();
    Some(target.trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(links: &[&str]) -> Vec<String> {
        let page = PageUrl::parse("http://a.test/dir/page").expect("page");
        let mut found = Links::new(SiteScope::of(&page));
        for link in links {
            found.add(page.as_url(), link, "");
        }
        found.take(true).0.iter().map(PageUrl::to_string).collect()
    }

    #[test]
    fn the_list_of_endings_is_sorted() {
        assert!(FILE_ENDINGS.is_sorted());
    }

    #[test]
    fn links_into_the_site_are_kept_once_and_in_order() {
        assert_eq!(
            collect(&[
                "b",
                "/c?d",
                "b#e",
                "//www.a.test/f",
                "http://b.test/",
                "mailto:x@a.test"
            ]),
            [
                "http://a.test/dir/b",
                "http://a.test/c?d",
                "http://www.a.test/f"
            ]
        );
    }

    #[test]
    fn what_is_not_followed_is_told_with_its_reason() {
        let page = PageUrl::parse("http://a.test/dir/page").expect("page");
        let mut links = Links::new(SiteScope::of(&page));
        let long = format!("/{}", "x".repeat(3000));
        for (href, rel) in [
            ("http://b.test/", ""),
            ("/a.pdf", ""),
            ("/b", "NoFollow noopener"),
            (&long, ""),
            ("/c", "noopener"),
        ] {
            links.add(page.as_url(), href, rel);
        }
        let (found, refused) = links.take(false);
        assert!(found.is_empty());
        let reasons: Vec<Reason> = refused.iter().map(|refused| refused.reason).collect();
        use Reason::{Nofollow, OutOfScope, TrapLength, Type};
        assert_eq!(reasons, [OutOfScope, Type, Nofollow, TrapLength, Nofollow]);
    }

    #[test]
    fn files_are_not_asked_for() {
        assert_eq!(
            collect(&["/a.PDF", "/b.jpg?x", "/c.html", "/d.php/e.zip", "/v1.2"]).len(),
            2
        );
    }

    #[test]
    fn a_page_of_links_without_end_is_bounded() {
        let page = PageUrl::parse("http://a.test/").expect("page");
        let mut links = Links::new(SiteScope::of(&page));
        for n in 0..100_000 {
            links.add(page.as_url(), &format!("/{n}/{}", "x".repeat(100)), "");
        }
        assert!(links.found_bytes <= LINKS_MAX_BYTES);
        assert!(links.refused.len() <= REFUSED_MAX);

        // A footer is still seen, and is bounded as well.
        links.seen = 0;
        for n in 0..10_000 {
            links.add(page.as_url(), &format!("/{n}/impressum"), "");
        }
        let (found, _) = links.take(true);
        assert!(
            found
                .iter()
                .any(|url| url.as_str().ends_with("/0/impressum"))
        );
        assert!(links.found_bytes <= LINKS_MAX_BYTES + TOPICS_MAX_BYTES);
    }
}
