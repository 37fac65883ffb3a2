//! What goes into a crawl and what comes out of it.
//!
//! Plain data, but for the way to other hosts: whoever drives a crawl stores it, and hands it back to
//! resume an interrupted one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};
use tokio::time::Instant;
use trawl_domain::crawl_options::CrawlOptions;
use trawl_domain::failure::Failure;
use trawl_domain::page::PageState;
use trawl_domain::site::SiteAddress;

use crate::facts::PageFacts;
use crate::facts::content::PageContent;
use crate::hosts::Hosts;
use crate::not_fetched::NotFetched;
use crate::priority::Topic;
use crate::profile::Profile;

/// One site to crawl.
#[derive(Debug, Clone)]
pub struct CrawlOrder {
    /// The site.
    pub site: SiteAddress,
    /// How many pages may end as [`PageState::Fetched`], those of earlier attempts included.
    pub max_pages: u32,
    /// What the client asked of the crawl.
    pub options: CrawlOptions,
    /// What [`Crawl::snoozes`](crate::crawl::Crawl::snoozes) said when the site asked for a wait
    /// last, in earlier attempts; else 0.
    pub snoozes: u32,
    /// When the crawl ends at the latest, with what it has by then.
    pub deadline: Option<Instant>,
    /// Through which the crawl takes each host beside that of the site.
    pub hosts: Arc<dyn Hosts>,
}

/// The first half of the SHA-256 of a body, decoded.
pub type BodyHash = [u8; 16];

/// A page as an earlier attempt recorded it: what is needed to go on after it.
#[derive(Debug, Clone)]
pub struct RecordedPage {
    /// See [`CrawledPage::url`].
    pub url: String,
    /// See [`CrawledPage::final_url`].
    pub final_url: Option<String>,
    /// See [`CrawledPage::state`].
    pub state: PageState,
    /// See [`CrawledPage::depth`].
    pub depth: u32,
    /// See [`CrawledPage::body_bytes`].
    pub body_bytes: u64,
    /// See [`CrawledPage::duration`].
    pub duration: Duration,
    /// From the recording of the page before to that of this one; none for the first page.
    pub since_last: Duration,
    /// See [`CrawledPage::body_hash`].
    pub body_hash: Option<BodyHash>,
    /// See [`CrawledPage::discovered`].
    pub discovered: Discovered,
    /// See [`CrawledPage::not_fetched`].
    pub not_fetched: NotFetched,
    /// See [`CrawledPage::facts`].
    pub facts: Option<PageFacts>,
}

/// Most bytes of JSON that the URLs take which one page may discover. Chosen: with the facts and the
/// content of a page at their limits, it can still be stored by one request.
pub const DISCOVERED_MAX_BYTES: usize = 60 * 1024;

/// The bytes that a text takes in a list of texts written as JSON: its quotes, a comma, and what is
/// escaped (RFC 8259, 7).
pub(crate) fn listed_bytes(text: &str) -> usize {
    let escape = |byte: u8| match byte {
        b'"' | b'\\' => 1,
        ..b' ' => 5,
        _ => 0,
    };
    text.len() + 3 + text.bytes().map(escape).sum::<usize>()
}

/// Most bytes that the topic of a link takes as JSON.
pub(crate) const TOPIC_MAX_BYTES: usize = r#""12345":"contact","#.len();

/// What is needed to go on after a page, beside what it says: the canonical URLs that entered the
/// frontier with it, in their order, and the waits before it. At most
/// [`DISCOVERED_MAX_BYTES`] of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Discovered {
    /// Those that this page was the first of the crawl to link to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// What the page calls those of them that come first for it, by their place in
    /// [`links`](Self::links).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub topics: BTreeMap<usize, Topic>,
    /// How often the site was waited for before this page, since one was fetched last.
    #[serde(skip_serializing_if = "is_zero")]
    pub waits: u32,
    /// What sitemaps named, where some of that is recorded with this page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sitemap: Option<SitemapShare>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Discovered {
    /// The bytes that the links take as JSON.
    pub(crate) fn link_bytes(&self) -> usize {
        let links: usize = self.links.iter().map(|url| listed_bytes(url)).sum();
        links + self.topics.len() * TOPIC_MAX_BYTES
    }
}

/// What of the sitemaps of a site is recorded with one page: a page can take only so much.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SitemapShare {
    /// How many sitemaps were read; stated with the first share.
    pub files: u32,
    /// The URLs.
    pub urls: Vec<String>,
    /// Whether another page takes more.
    pub more: bool,
}

/// One step of a crawl.
#[derive(Debug)]
pub enum Step {
    /// A page has ended.
    Page(Box<CrawledPage>),
    /// The site asks to be left alone for a while. Nothing is lost: the next step, now or of a crawl
    /// that is resumed later, asks for the same page.
    Snooze(Box<Snooze>),
    /// A host that the crawl needs is not to be had. Nothing is lost, as with a snooze; and no site
    /// asked for it.
    Busy(Box<Busy>),
    /// The crawl has ended; every further step says so again.
    End(Box<CrawlEnd>),
}

/// A host that asks to be left alone, by 429 or by 503 with `Retry-After`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snooze {
    /// The host that asked, as [`SiteAddress::host_key`] writes it.
    pub host_key: String,
    /// For how long: at most an hour.
    pub wait: Duration,
    /// What became of the request: why the page fails if nobody waits.
    pub failure: Failure,
    /// The status of the answer that asked for it.
    pub http_status: u16,
}

/// A host that belongs to another crawl, or that is to be left alone as one of these found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy {
    /// The host, as [`SiteAddress::host_key`] writes it.
    pub host_key: String,
    /// For how long it had better be left alone, as [`Take::Busy`] said.
    ///
    /// [`Take::Busy`]: crate::hosts::Take::Busy
    pub wait: Duration,
}

/// A delay between fetches that robots.txt asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CrawlDelay {
    /// As robots.txt has it.
    #[serde(rename = "asked_s", serialize_with = "seconds")]
    pub asked: Duration,
    /// As it was kept: at most 30 s.
    #[serde(rename = "honored_s", serialize_with = "seconds")]
    pub honored: Duration,
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

/// Longest `ETag` and `Last-Modified` that are kept, in bytes. Chosen: servers send at most a hash
/// of 64 digits; a date has 29.
pub const VALIDATOR_MAX_BYTES: usize = 256;

/// One URL and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct CrawledPage {
    /// The canonical URL that was asked for.
    pub url: String,
    /// Where redirects led, unless that is `url`.
    pub final_url: Option<String>,
    /// Fetched, failed or skipped; never queued.
    pub state: PageState,
    /// Links from the start page, which has depth 0.
    pub depth: u32,
    /// The status of the last answer, where there was one.
    pub http_status: Option<u16>,
    /// Bytes of the body that were read, counted after decompression.
    pub body_bytes: u64,
    /// From the first request of this page to its last byte, without the waits before requests.
    pub duration: Duration,
    /// From the last request of this page to the head of its answer, where there was one.
    pub first_byte: Option<Duration>,
    /// The `ETag` of the answer, as sent, for a conditional request. At most
    /// [`VALIDATOR_MAX_BYTES`]; a longer one is no use to anybody.
    pub etag: Option<String>,
    /// The `Last-Modified` of the answer, as sent. At most [`VALIDATOR_MAX_BYTES`].
    pub last_modified: Option<String>,
    /// Why the page failed or was skipped.
    pub failure: Option<Failure>,
    /// The hash of the body; present exactly if the page was fetched.
    pub body_hash: Option<BodyHash>,
    /// What entered the frontier with this page.
    pub discovered: Discovered,
    /// The URLs that were considered with this page and are not fetched, itself included. Each is
    /// counted once in a crawl, or once more after an interruption.
    pub not_fetched: NotFetched,
    /// What was extracted; present exactly if the page was fetched.
    pub facts: Option<PageFacts>,
    /// What else was asked for by [`CrawlOptions::formats`]; present exactly if the page was
    /// fetched and something was asked for.
    pub content: Option<PageContent>,
}

/// The end of a crawl.
#[derive(Debug, Clone, PartialEq)]
pub struct CrawlEnd {
    /// Set exactly if the start page could not be had, which fails the site.
    pub failure: Option<Failure>,
    /// What all pages together say of the site, recorded ones included.
    pub profile: Profile,
    /// How the crawl went, recorded pages included.
    pub summary: CrawlSummary,
}

/// How a crawl went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CrawlSummary {
    /// Why no further page is fetched.
    pub stop_reason: StopReason,
    /// The pages by what became of them.
    pub pages: PageCounts,
    /// Bytes of all bodies, decoded.
    pub body_bytes: u64,
    /// The URLs that were considered and not fetched.
    pub not_fetched: NotFetched,
    /// What sitemaps gave; absent where they were not asked for.
    pub sitemaps: Option<SitemapCounts>,
    /// The longest `Crawl-delay` of the site's robots.txt, as far as this attempt read it.
    pub crawl_delay: Option<CrawlDelay>,
}

/// Pages by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PageCounts {
    /// Fetched and extracted.
    pub fetched: u32,
    /// Could not be had.
    pub failed: u32,
    /// Deliberately not fetched or not kept.
    pub skipped: u32,
}

/// What the sitemaps of a site gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SitemapCounts {
    /// Sitemaps that were read.
    pub files: u32,
    /// URLs that they were the first to name, as far as these entered the frontier.
    pub urls: u32,
}

/// Why a crawl ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// Every URL that was found has been dealt with.
    FrontierExhausted,
    /// The page budget is used up, or as many URLs as come with it: ten for each page and a
    /// hundred.
    MaxPages,
    /// The time that the client or the operator gave is over.
    MaxDuration,
    /// The bytes that the client gave are used up.
    MaxBytes,
    /// robots.txt keeps the start page from being fetched, or could not be had.
    Robots,
    /// The start page could not be had, or the site stopped answering, or it did nothing but ask
    /// for waits.
    Error,
}

impl StopReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::FrontierExhausted,
        Self::MaxPages,
        Self::MaxDuration,
        Self::MaxBytes,
        Self::Robots,
        Self::Error,
    ];

    /// The word used in answers, rows and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FrontierExhausted => "frontier_exhausted",
            Self::MaxPages => "max_pages",
            Self::MaxDuration => "max_duration",
            Self::MaxBytes => "max_bytes",
            Self::Robots => "robots",
            Self::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_discovered_comes_back_from_its_text_and_so_does_what_had_no_topics() {
        let before = r#"{"links":["http://a.test/1"]}"#;
        let mut discovered: Discovered = serde_json::from_str(before).unwrap();
        assert_eq!(discovered.links, ["http://a.test/1"]);
        assert_eq!(serde_json::to_string(&discovered).unwrap(), before);
        discovered.topics.insert(0, Topic::Imprint);
        let text = serde_json::to_string(&discovered).unwrap();
        assert!(text.ends_with(r#""topics":{"0":"imprint"}}"#), "{text}");
        assert!(text.len() <= discovered.link_bytes() + r#"{"links":[],"topics":{}}"#.len());
        assert_eq!(
            serde_json::from_str::<Discovered>(&text).unwrap(),
            discovered
        );
    }
}
