//! The links of a page that lead into its site.

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use indexmap::map::Entry;
use trawl_domain::url_rules::{PageUrl, PageUrlError, SiteScope};

use super::base::Base;
use crate::not_fetched::{Reason, Refused};
use crate::priority::{LABEL_MAX_BYTES, Topic, topic_of, topic_of_label};
use crate::words::{lower, strip_word};

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

/// No shorter than any of these, in bytes.
const ENDING_MAX_BYTES: usize = 5;

/// Most bytes of what a link says, as it is written. Chosen: four times what is looked at, for
/// entities and the white space of markup.
const LABEL_RAW_MAX_BYTES: usize = 4 * LABEL_MAX_BYTES;

/// A link into the site that is to be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) url: PageUrl,
    /// What the page calls it, if that says who is behind the site.
    pub(crate) named: Option<Topic>,
}

/// Collects links, each once.
#[derive(Debug)]
pub(super) struct Links {
    scope: SiteScope,
    found: IndexMap<PageUrl, Option<Topic>, RandomState>,
    found_bytes: usize,
    refused: Vec<Refused>,
    seen: usize,
    /// Those seen that lead into the site, and those that lead elsewhere.
    counts: (u64, u64),
    /// The link that is open, and what it is called by its title.
    open: Option<Link>,
    /// What the open link says so far.
    label: String,
}

impl Links {
    pub(super) fn new(scope: SiteScope) -> Self {
        Self {
            scope,
            found: IndexMap::default(),
            found_bytes: 0,
            refused: Vec::new(),
            seen: 0,
            counts: (0, 0),
            open: None,
            label: String::new(),
        }
    }

    /// A link begins: it is taken if it leads into the site and is to be followed; gives back where
    /// it leads if that is elsewhere.
    pub(super) fn enter(&mut self, base: &mut Base, href: &str, rel: &str) -> Option<PageUrl> {
        self.leave();
        self.seen += 1;
        // A reference to a place on the page itself is by far the most common of all.
        if self.seen > LINKS_SEEN_MAX || href.is_empty() || href.starts_with('#') {
            return None;
        }
        let url = match base.resolve(href) {
            Ok(url) => url,
            Err(PageUrlError::TooLong) => {
                self.refuse(Reason::TrapLength, href);
                return None;
            }
            Err(_) => return None,
        };
        if !self.scope.contains(url) {
            self.counts.1 += 1;
            self.refuse(Reason::OutOfScope, url.as_str());
            return Some(url.clone());
        }
        self.counts.0 += 1;
        if names_a_file(url) {
            self.refuse(Reason::Type, url.as_str());
        } else if rel
            .split_ascii_whitespace()
            .any(|word| word.eq_ignore_ascii_case("nofollow"))
        {
            self.refuse(Reason::Nofollow, url.as_str());
        } else {
            self.label.clear();
            self.open = Some(Link {
                url: url.clone(),
                named: None,
            });
        }
        None
    }

    /// Whether a link is open that is to be followed.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// A title of the open link, or of a picture in it, which counts where its text says nothing.
    pub(super) fn title(&mut self, title: &str) {
        if let Some(open) = &mut self.open {
            open.named = open.named.or_else(|| topic_of_label(title.trim()));
        }
    }

    /// Visible text, with entities.
    pub(super) fn text(&mut self, text: &str) {
        if self.open.is_some() && self.label.len() <= LABEL_RAW_MAX_BYTES {
            // One byte more than is looked at tells that there is more.
            let room = LABEL_RAW_MAX_BYTES + 1 - self.label.len();
            let kept = text.get(..text.floor_char_boundary(room));
            self.label.push_str(kept.unwrap_or_default());
        }
    }

    /// A link ends.
    pub(super) fn leave(&mut self) {
        let Some(Link { url, named }) = self.open.take() else {
            return;
        };
        let named = self.topic_of_text().or(named);
        let has_room = |bytes: usize| self.found_bytes + url.as_str().len() <= bytes;
        let is_taken = has_room(LINKS_MAX_BYTES)
            || has_room(LINKS_MAX_BYTES + TOPICS_MAX_BYTES)
                && named.or_else(|| topic_of(&url)).is_some();
        match self.found.entry(url) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                *known = known.or(named);
            }
            Entry::Vacant(new) if is_taken => {
                self.found_bytes += new.key().as_str().len();
                new.insert(named);
            }
            Entry::Vacant(new) => {
                let url = new.into_key();
                self.refuse(Reason::Budget, url.as_str());
            }
        }
    }

    fn topic_of_text(&self) -> Option<Topic> {
        if self.label.len() > LABEL_RAW_MAX_BYTES {
            return None;
        }
        topic_of_label(htmlize::unescape(&*self.label).trim())
    }

    /// How many links lead into the site, and how many elsewhere; one to a place on the page
    /// itself is none of both.
    pub(super) fn counts(&self) -> (u64, u64) {
        self.counts
    }

    /// Ends the page: the links to follow, of which there are none where it asks for that, and
    /// those that are not followed.
    pub(super) fn take(&mut self, follows: bool) -> (Vec<Link>, Vec<Refused>) {
        self.leave();
        let mut found = std::mem::take(&mut self.found);
        if !follows {
            for (url, _) in found.drain(..) {
                self.refuse(Reason::Nofollow, url.as_str());
            }
        }
        let links = found.into_iter().map(|(url, named)| Link { url, named });
        (links.collect(), std::mem::take(&mut self.refused))
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
        lower(ending, &mut [0; ENDING_MAX_BYTES])
            .is_some_and(|ending| FILE_ENDINGS.binary_search(&ending).is_ok())
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
        let mut base = Base::new(page.as_url().clone());
        for link in links {
            found.enter(&mut base, link, "");
        }
        let (links, _) = found.take(true);
        links.iter().map(|link| link.url.to_string()).collect()
    }

    #[test]
    fn the_list_of_endings_is_sorted() {
        assert!(FILE_ENDINGS.is_sorted());
        assert!(
            FILE_ENDINGS
                .iter()
                .all(|ending| ending.len() <= ENDING_MAX_BYTES)
        );
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
        let mut base = Base::new(page.as_url().clone());
        let long = format!("/{}", "x".repeat(3000));
        for (href, rel) in [
            ("http://b.test/", ""),
            ("/a.pdf", ""),
            ("/b", "NoFollow noopener"),
            (&long, ""),
            ("/c", "noopener"),
        ] {
            links.enter(&mut base, href, rel);
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
        let mut base = Base::new(page.as_url().clone());
        for n in 0..100_000 {
            links.enter(&mut base, &format!("/{n}/{}", "x".repeat(100)), "");
        }
        assert!(links.found_bytes <= LINKS_MAX_BYTES);
        assert!(links.refused.len() <= REFUSED_MAX);

        // A footer is still seen, and is bounded as well.
        links.seen = 0;
        for n in 0..10_000 {
            links.enter(&mut base, &format!("/{n}/impressum"), "");
            links.enter(&mut base, &format!("/{n}/id"), "");
            links.text("Kontakt");
        }
        let (found, _) = links.take(true);
        for expected in ["/0/impressum", "/0/id"] {
            let is_it = |link: &Link| link.url.as_str().ends_with(expected);
            assert!(found.iter().any(is_it), "{expected}");
        }
        assert!(links.found_bytes <= LINKS_MAX_BYTES + TOPICS_MAX_BYTES);
    }

    #[test]
    fn a_link_is_called_by_its_text_or_its_title_wherever_it_stands() {
        let page = PageUrl::parse("http://a.test/").expect("page");
        let mut links = Links::new(SiteScope::of(&page));
        let mut base = Base::new(page.as_url().clone());
        let mut link = |href: &str, title: &str, text: &[&str]| {
            links.enter(&mut base, href, "");
            links.title(title);
            text.iter().for_each(|text| links.text(text));
            links.leave();
            links.text("Impressum");
        };
        let wide = format!("{}Kontakt", " ".repeat(LABEL_RAW_MAX_BYTES));
        for (href, title, text) in [
            ("/1", "", &["\n  &Uuml;ber", " ", "uns\n"][..]),
            ("/2", "Kontakt", &["›"]),
            ("/3", "Kontakt", &["Impressum"]),
            ("/4", "", &["mehr"]),
            ("/5", "", &[&wide]),
            ("/6", "", &["x", &wide[1..], "Kontakt"]),
            ("/4", "", &["Team"]),
            ("/1", "", &["Kontakt"]),
        ] {
            link(href, title, text);
        }
        let (found, _) = links.take(true);
        let topics: Vec<_> = found.iter().map(|link| link.named).collect();
        use Topic::{About, Contact, Imprint, Team};
        assert_eq!(
            topics,
            [
                Some(About),
                Some(Contact),
                Some(Imprint),
                Some(Team),
                None,
                None
            ]
        );
    }
}
