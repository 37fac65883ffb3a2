//! Which links of a page get into a crawl, and why the others do not.

use trawl_domain::crawl_options::{CrawlOptions, SitemapUse};
use trawl_domain::url_rules::PageUrl;

use super::Progress;
use crate::extract::{Link, names_a_file};
use crate::frontier::{Offer, Origin};
use crate::not_fetched::{NotFetched, Reason, Refused};
use crate::step::{DISCOVERED_MAX_BYTES, Discovered, TOPIC_MAX_BYTES, listed_bytes};
use crate::traps::sign_of_a_trap;

impl Progress {
    /// Lets in the links of a page at `depth`, and gives back those that are new, in the order in
    /// which they got in: what comes first takes its part of the bytes before all others, wherever
    /// on the page it stands.
    pub(super) fn follow(
        &mut self,
        links: Vec<Link>,
        depth: u32,
        not_fetched: &mut NotFetched,
    ) -> Discovered {
        let mut followed = Discovered::default();
        if self.options.sitemap == SitemapUse::Only {
            return followed;
        }
        let depth = depth.saturating_add(1);
        let is_too_deep = self.options.max_depth.is_some_and(|max| depth > max);
        let mut others = Vec::new();
        let mut bytes = 0;
        for Link { url, named } in links {
            let Some(url) = self.consider(url, not_fetched) else {
                continue;
            };
            let link = Link { url, named };
            if is_too_deep {
                self.refuse(Reason::TooDeep, &link.url, not_fetched);
            } else if self.frontier.first_for(&link.url, named).is_some() {
                bytes += self.let_in(link, depth, bytes, &mut followed, not_fetched);
            } else {
                others.push(link);
            }
        }
        for link in others {
            bytes += self.let_in(link, depth, bytes, &mut followed, not_fetched);
        }
        followed
    }

    /// Lets in one link, and gives back the bytes that it takes beside those of the links before.
    fn let_in(
        &mut self,
        Link { url, named }: Link,
        depth: u32,
        bytes_before: usize,
        followed: &mut Discovered,
        not_fetched: &mut NotFetched,
    ) -> usize {
        let text = url.as_str().to_owned();
        let bytes = listed_bytes(&text) + named.map_or(0, |_| TOPIC_MAX_BYTES);
        if bytes_before + bytes > DISCOVERED_MAX_BYTES {
            self.refuse(Reason::Budget, &url, not_fetched);
            return 0;
        }
        match self.frontier.offer(url, depth, Origin::Link, named) {
            Offer::Admitted => {}
            Offer::First(topic) => {
                // What its URL says need not be recorded.
                if named.is_some() {
                    followed.topics.insert(followed.links.len(), topic);
                }
            }
            Offer::Known => return 0,
            Offer::Refused(reason) => {
                self.decided
                    .count(Refused::new(reason, &text.as_str()), not_fetched);
                return 0;
            }
        }
        followed.links.push(text);
        bytes
    }

    /// The form in which a URL is asked for, unless it is known for sure that it is not to be.
    pub(in crate::crawl) fn consider(
        &mut self,
        url: PageUrl,
        not_fetched: &mut NotFetched,
    ) -> Option<PageUrl> {
        let url = if self.options.ignore_query {
            url.without_query()
        } else {
            url
        };
        let reason = if !self
            .scope
            .as_ref()
            .is_some_and(|scope| scope.contains(&url))
        {
            Some(Reason::OutOfScope)
        } else if names_a_file(&url) {
            Some(Reason::Type)
        } else if self.is_excluded(&url) && !self.frontier.is_visited(&url) {
            Some(Reason::Excluded)
        } else {
            sign_of_a_trap(&url)
        };
        match reason {
            None => Some(url),
            Some(reason) => {
                self.refuse(reason, &url, not_fetched);
                None
            }
        }
    }

    pub(super) fn is_excluded(&self, url: &PageUrl) -> bool {
        let path = url.as_url().path();
        let CrawlOptions {
            include_paths,
            exclude_paths,
            ..
        } = &self.options;
        exclude_paths.matches(path) || !include_paths.is_empty() && !include_paths.matches(path)
    }

    fn refuse(&mut self, reason: Reason, url: &PageUrl, not_fetched: &mut NotFetched) {
        if !self.frontier.is_known(url) {
            self.decided
                .count(Refused::new(reason, &url.as_str()), not_fetched);
        }
    }
}
