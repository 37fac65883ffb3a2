//! What one site is made of: how many pages, and where it departs from an ordinary site.

use std::collections::HashMap;
use std::time::Duration;

use super::facts::SiteFacts;
use super::page::{self, PATH_PREFIX};
use super::reply::Reply;

/// How many new pages each page links to. Small, so that a site of any size is several levels deep
/// and breadth first differs from depth first.
pub(super) const FAN_OUT: usize = 5;

/// The description of a site; see [`super::SiteFarm::add_site`].
///
/// Page 0 is the home page, and page `n` is linked from page `(n - 1) / 5`, so a crawler reaches
/// all of them breadth first from the home page.
#[derive(Clone, Debug)]
pub struct Site {
    pages: usize,
    latency: Duration,
    is_wordpress: bool,
    page_bytes: usize,
    robots: Option<String>,
    replies: HashMap<String, Reply>,
    reply_to_all: Option<Reply>,
    wall: Option<(String, Reply)>,
}

impl Site {
    /// An ordinary site of `pages` pages, the home page among them, that allows all robots.
    pub fn new(pages: usize) -> Self {
        Self {
            pages,
            latency: Duration::ZERO,
            is_wordpress: false,
            page_bytes: 0,
            robots: Some("User-agent: *\nDisallow:\n".to_owned()),
            replies: HashMap::new(),
            reply_to_all: None,
            wall: None,
        }
    }

    /// Looks like a WordPress site: generator, theme, some plugins.
    #[must_use]
    pub fn with_wordpress(mut self) -> Self {
        self.is_wordpress = true;
        self
    }

    /// Takes this long before each answer.
    #[must_use]
    pub fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Pads every generated page with text to at least this many bytes.
    #[must_use]
    pub fn with_page_bytes(mut self, bytes: usize) -> Self {
        self.page_bytes = bytes;
        self
    }

    /// Serves `text` as robots.txt.
    #[must_use]
    pub fn with_robots(mut self, text: &str) -> Self {
        self.robots = Some(text.to_owned());
        self
    }

    /// Has no robots.txt: 404.
    #[must_use]
    pub fn without_robots(mut self) -> Self {
        self.robots = None;
        self
    }

    /// Answers `path` (with its query, if any) with `reply`, whether or not a page is there.
    #[must_use]
    pub fn with_reply(mut self, path: &str, reply: Reply) -> Self {
        self.replies.insert(path.to_owned(), reply);
        self
    }

    /// Answers `path` with an error page of this status.
    #[must_use]
    pub fn with_status(self, path: &str, status: u16) -> Self {
        self.with_reply(path, Reply::status(status))
    }

    /// Redirects `path` to `location` with 302.
    #[must_use]
    pub fn with_redirect(self, path: &str, location: &str) -> Self {
        self.with_reply(path, Reply::redirect(location))
    }

    /// Answers everything with `reply`, robots.txt included, except the paths that have a reply
    /// of their own.
    #[must_use]
    pub fn with_reply_to_all(mut self, reply: Reply) -> Self {
        self.reply_to_all = Some(reply);
        self
    }

    /// Answers `reply` to whoever asks for a page without this cookie, `name=value`.
    #[must_use]
    pub fn with_wall(mut self, cookie: &str, reply: Reply) -> Self {
        self.wall = Some((cookie.to_owned(), reply));
        self
    }

    /// The path of page `number`.
    pub fn path(number: usize) -> String {
        if number == 0 {
            "/".to_owned()
        } else {
            format!("{PATH_PREFIX}{number}")
        }
    }

    /// How many pages the site has.
    pub fn pages(&self) -> usize {
        self.pages
    }

    pub(super) fn latency(&self) -> Duration {
        self.latency
    }

    pub(super) fn is_wordpress(&self) -> bool {
        self.is_wordpress
    }

    pub(super) fn page_bytes(&self) -> usize {
        self.page_bytes
    }

    /// The answer to a request for `path` of this site under the name `host`, with these cookies.
    pub(super) fn reply(&self, host: &str, path: &str, cookies: Option<&str>) -> Reply {
        if let Some((cookie, reply)) = &self.wall
            && path != "/robots.txt"
            && !cookies.is_some_and(|sent| sent.split("; ").any(|sent| sent == cookie))
        {
            return reply.clone();
        }
        if let Some(reply) = self.replies.get(path).or(self.reply_to_all.as_ref()) {
            return reply.clone();
        }
        match path {
            "/robots.txt" => match &self.robots {
                Some(text) => Reply::of_type("text/plain; charset=utf-8", text.clone()),
                None => Reply::status(404),
            },
            "/favicon.ico" => Reply::of_type("image/gif", page::TRANSPARENT_PIXEL),
            "/logo.svg" => Reply::of_type("image/svg+xml", page::LOGO),
            "/style.css" => Reply::of_type("text/css; charset=utf-8", "body { margin: 2em }\n"),
            _ => match self.page_number(path) {
                Some(number) => Reply::html(page::render(&SiteFacts::of(host, self), self, number)),
                None => Reply::status(404),
            },
        }
    }

    fn page_number(&self, path: &str) -> Option<usize> {
        let number = match path {
            "/" => 0,
            _ => path.strip_prefix(PATH_PREFIX)?.parse().ok()?,
        };
        // The canonical path only: `/page-01` is not a second address of page 1.
        (number < self.pages && Self::path(number) == path).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, VecDeque};

    use super::*;

    #[test]
    fn every_page_is_reached_breadth_first_and_no_other() {
        for pages in [1, 2, 6, 7, 31, 100] {
            let site = Site::new(pages);
            let facts = SiteFacts::of("site.test", &site);
            let mut seen = BTreeSet::from([0]);
            let mut frontier = VecDeque::from([0]);
            let mut order = Vec::new();
            while let Some(number) = frontier.pop_front() {
                order.push(number);
                let html = page::render(&facts, &site, number);
                for link in html
                    .split("href=\"")
                    .skip(1)
                    .filter_map(|rest| rest.split('"').next())
                {
                    if let Some(found) = site.page_number(link)
                        && seen.insert(found)
                    {
                        frontier.push_back(found);
                    }
                    assert!(
                        !link.starts_with(PATH_PREFIX) || site.page_number(link).is_some(),
                        "dead link {link}"
                    );
                }
            }
            assert_eq!(order, (0..pages).collect::<Vec<_>>());
        }
    }

    #[test]
    fn only_canonical_paths_are_pages() {
        let site = Site::new(3);
        assert_eq!(site.page_number("/page-2"), Some(2));
        for path in [
            "/page-3", "/page-02", "/page-", "/page-+1", "/page-0", "/other",
        ] {
            assert_eq!(site.page_number(path), None, "{path}");
        }
    }
}
