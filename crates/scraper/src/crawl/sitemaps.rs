//! The sitemaps of one site: where they are, which are read, and what of them can be of use.
//!
//! Asked for as pages are: after robots.txt, at the pace of the crawl, from vetted addresses. They
//! are of the site, or of a host that its robots.txt names for them; what they name counts within the
//! site alone. A server that does not answer for one, asked again where it is the site's own, is not
//! asked for its others.

use std::collections::{HashSet, VecDeque};
use std::ops::ControlFlow;

use tokio::time::sleep;
use trawl_domain::url_rules::{PageUrl, SiteScope};

use super::progress::Progress;
use super::turns::Pause;
use super::visit::{Missed, Visitor, WAITS_HERE_MAX};
use crate::frontier::{FIRST_PER_TOPIC, WAITING_MAX_BYTES};
use crate::not_fetched::NotFetched;
use crate::priority::Topic;
use crate::sitemap::Entry;

/// Most sitemaps that are asked for, indexes included. Chosen: at the usual pace they take seconds;
/// the protocol allows each 50,000 URLs, far more than any budget.
const FILES_MAX: usize = 32;

/// Levels of indexes. The protocol allows one; some plugins nest them once more.
const INDEX_LEVELS_MAX: u32 = 2;

/// Most bytes of one sitemap, decoded (sitemaps.org protocol 0.9: 50 MB).
const FILE_MAX_BYTES: usize = 50 * 1024 * 1024;

/// Most bytes of all sitemaps of a site, decoded. Chosen: a second of parsing.
const ALL_MAX_BYTES: usize = 128 * 1024 * 1024;

/// URLs that are looked at once there is no more room, for those that come first. Chosen: all pages
/// of a site that people wrote; a shop's products stand in sitemaps of their own.
const BEYOND_MAX: u32 = 10_000;

/// The sitemaps of one site.
#[derive(Debug)]
pub(super) struct Sitemaps {
    /// Not yet asked for, with their level below an index; `None` before it is known where to ask.
    queue: Option<VecDeque<(PageUrl, u32)>>,
    asked: HashSet<PageUrl>,
    bytes_left: usize,
    files: u32,
    /// What of the rest comes first, to be recorded before it.
    first: VecDeque<PageUrl>,
    first_of_topics: [u32; Topic::COUNT],
    found: VecDeque<PageUrl>,
    /// How many were looked at when there was no more room.
    beyond: u32,
    found_keys: HashSet<u64>,
    found_bytes: usize,
    not_fetched: NotFetched,
}

impl Default for Sitemaps {
    fn default() -> Self {
        Self {
            queue: None,
            asked: HashSet::new(),
            bytes_left: ALL_MAX_BYTES,
            files: 0,
            first: VecDeque::new(),
            first_of_topics: [0; Topic::COUNT],
            found: VecDeque::new(),
            beyond: 0,
            found_keys: HashSet::new(),
            found_bytes: 0,
            not_fetched: NotFetched::default(),
        }
    }
}

/// What was found and is still to be recorded.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) urls: &'a mut VecDeque<PageUrl>,
    pub(super) files: u32,
    /// What was turned down since this was asked last.
    pub(super) not_fetched: NotFetched,
}

impl Sitemaps {
    /// Reads sitemaps until all are read, or as much is found as the crawl can take. Short waits that
    /// the site asks for are waited out.
    ///
    /// # Errors
    ///
    /// Not now. What was found counts, and the next call goes on.
    ///
    /// # Cancel safety
    ///
    /// A reading that is abandoned continues with the file that it was at.
    pub(super) async fn read(
        &mut self,
        visitor: &mut Visitor,
        progress: &mut Progress,
    ) -> Result<(), Box<Pause>> {
        let Some(start_page) = progress.start_page().cloned() else {
            return Ok(());
        };
        let before = visitor.held();
        let mut waits = 0;
        let read = loop {
            match self.read_on(&start_page, visitor, progress).await {
                Err(pause)
                    if let Some(wait) = pause.short()
                        && waits < WAITS_HERE_MAX =>
                {
                    waits += 1;
                    sleep(wait).await;
                }
                read => break read,
            }
        };
        visitor.let_go_since(&before, &start_page).await;
        read
    }

    async fn read_on(
        &mut self,
        start_page: &PageUrl,
        visitor: &mut Visitor,
        progress: &mut Progress,
    ) -> Result<(), Box<Pause>> {
        let Some(scope) = progress.scope().cloned() else {
            return Ok(());
        };
        if self.queue.is_none() {
            let mut named = visitor.named_sitemaps(start_page).await?;
            if named.is_empty() {
                named.extend(PageUrl::resolve(start_page.as_url(), "/sitemap.xml").ok());
            }
            self.queue = Some(VecDeque::new());
            for url in named {
                self.enqueue(url, 0);
            }
        }
        while self.bytes_left > 0
            && let Some((url, level)) = self.queue.as_ref().and_then(|queue| queue.front().cloned())
        {
            let is_of_use = self.has_room(progress) || self.looks_further() && names_pages(&url);
            if !is_of_use {
                self.queue.get_or_insert_default().pop_front();
                continue;
            }
            let max_bytes = FILE_MAX_BYTES.min(self.bytes_left);
            let mut deeper = Vec::new();
            let host = SiteScope::of(&url);
            let is_near = |other: &PageUrl| scope.contains(other) || host.contains(other);
            let is_own = scope.contains(&url);
            let read = visitor
                .read_sitemap(
                    &url,
                    is_own,
                    &is_near,
                    max_bytes,
                    &mut |entry| match entry {
                        Entry::Page(url) => self.find(url, progress),
                        Entry::Sitemap(url) => {
                            let url = PageUrl::parse(url).ok();
                            deeper.extend(url.filter(|url| is_near(url)));
                            more_if(deeper.len() < FILES_MAX)
                        }
                    },
                )
                .await?;
            if level < INDEX_LEVELS_MAX {
                for url in deeper {
                    self.enqueue(url, level + 1);
                }
            }
            let queue = self.queue.get_or_insert_default();
            queue.pop_front();
            match read {
                Ok(read) => {
                    self.bytes_left = self.bytes_left.saturating_sub(read.bytes);
                    self.files = self.files.saturating_add(u32::from(read.is_sitemap));
                }
                Err(Missed::File) => {}
                Err(Missed::Server) => {
                    let origin = url.as_url().origin();
                    queue.retain(|(other, _)| other.as_url().origin() != origin);
                }
            }
        }
        Ok(())
    }

    /// Leaves those alone that are not yet read.
    pub(super) fn give_up(&mut self) {
        self.queue = Some(VecDeque::new());
    }

    fn enqueue(&mut self, url: PageUrl, level: u32) {
        if self.asked.len() < FILES_MAX && self.asked.insert(url.clone()) {
            let queue = self.queue.get_or_insert_default();
            queue.push_back((url, level));
        }
    }

    /// Whether more URLs would be admitted, whatever they name.
    fn has_room(&self, progress: &Progress) -> bool {
        self.first.len() + self.found.len() < progress.sitemap_room()
            && self.found_bytes < WAITING_MAX_BYTES
    }

    /// Whether URLs that come first are looked for among those for which there is no room.
    fn looks_further(&self) -> bool {
        self.beyond < BEYOND_MAX
            && self
                .first_of_topics
                .iter()
                .any(|count| *count < FIRST_PER_TOPIC)
    }

    /// The topic for which a URL comes first, unless enough were found of it.
    fn first_for(&self, url: &PageUrl, progress: &Progress) -> Option<Topic> {
        let topic = progress.first_for(url)?;
        let count = self.first_of_topics.get(topic.index())?;
        (*count < FIRST_PER_TOPIC).then_some(topic)
    }

    fn find(&mut self, url: &str, progress: &mut Progress) -> ControlFlow<()> {
        let has_room = self.has_room(progress);
        self.beyond = self.beyond.saturating_add(u32::from(!has_room));
        let url = PageUrl::parse(url).ok();
        let url = url.filter(|url| has_room || self.first_for(url, progress).is_some());
        if let Some(url) = url.and_then(|url| progress.consider(url, &mut self.not_fetched))
            && progress.is_new(&url)
            && self.found_keys.insert(progress.key(&url))
        {
            self.found_bytes += url.as_str().len();
            match self.first_for(&url, progress) {
                Some(topic) => {
                    if let Some(count) = self.first_of_topics.get_mut(topic.index()) {
                        *count += 1;
                    }
                    self.first.push_back(url);
                }
                None => self.found.push_back(url),
            }
        }
        more_if(self.has_room(progress) || self.looks_further())
    }

    /// The URLs that were found and are still to be recorded.
    pub(super) fn urls(&mut self) -> &mut VecDeque<PageUrl> {
        while let Some(url) = self.first.pop_back() {
            self.found.push_front(url);
        }
        &mut self.found
    }

    /// What was found and is still to be recorded.
    pub(super) fn found(&mut self) -> Found<'_> {
        self.urls();
        Found {
            urls: &mut self.found,
            files: self.files,
            not_fetched: std::mem::take(&mut self.not_fetched),
        }
    }
}

/// Whether a sitemap is called one of pages, as those of the usual content management systems are:
/// what a site says of itself stands there, and not among its posts and products.
fn names_pages(sitemap: &PageUrl) -> bool {
    let url = sitemap.as_url();
    let file = url.path().rsplit('/').next().unwrap_or_default();
    let is_of_pages = |name: &str| name.to_ascii_lowercase().contains("page");
    is_of_pages(file) || url.query().is_some_and(is_of_pages)
}

fn more_if(has_room: bool) -> ControlFlow<()> {
    if has_room {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}
