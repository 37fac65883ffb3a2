//! What goes into a crawl and what comes out of it.
//!
//! Plain data: whoever drives a crawl stores it, and hands it back to resume an interrupted one.

use std::time::Duration;

use trawl_domain::crawl_options::CrawlOptions;
use trawl_domain::failure::Failure;
use trawl_domain::page::PageState;
use trawl_domain::site::SiteAddress;

use crate::facts::PageFacts;
use crate::facts::content::PageContent;
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
    /// How often the site asked for a wait since its last page, in earlier attempts.
    pub snoozes: u32,
    /// The pages that earlier, interrupted attempts recorded, in the order they were yielded.
    pub recorded: Vec<RecordedPage>,
}

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
    /// See [`CrawledPage::discovered`].
    pub discovered: Vec<String>,
    /// See [`CrawledPage::facts`].
    pub facts: Option<PageFacts>,
}

/// One step of a crawl.
#[derive(Debug)]
pub enum Step {
    /// A page has ended.
    Page(Box<CrawledPage>),
    /// The site asks to be left alone for a while. Nothing is lost: the next step, now or of a crawl
    /// that is resumed later, asks for the same page.
    Snooze(Box<Snooze>),
    /// The crawl has ended; every further step says so again.
    End(Box<CrawlEnd>),
}

/// A site that asks to be left alone, by 429 or by 503 with `Retry-After`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snooze {
    /// For how long: at most an hour.
    pub wait: Duration,
    /// What became of the request: why the site fails if nobody waits.
    pub failure: Failure,
}

/// A delay between fetches that robots.txt asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrawlDelay {
    /// As robots.txt has it.
    pub asked: Duration,
    /// As it was kept: at most 30 s.
    pub honored: Duration,
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
    /// The canonical URLs that this page was the first of the crawl to name, in their order, as
    /// far as they entered the frontier. At most 64 KiB of text.
    pub discovered: Vec<String>,
    /// What was extracted; present exactly if the page was fetched.
    pub facts: Option<PageFacts>,
    /// What else was asked for by [`CrawlOptions::formats`]; present exactly if the page was
    /// fetched and something was asked for.
    pub content: Option<PageContent>,
}

/// The end of a crawl.
#[derive(Debug, Clone, PartialEq)]
pub struct CrawlEnd {
    /// Why no further page is fetched.
    pub stop_reason: StopReason,
    /// Set exactly if the start page could not be had, which fails the site.
    pub failure: Option<Failure>,
    /// The longest `Crawl-delay` of the site's robots.txt.
    pub crawl_delay: Option<CrawlDelay>,
    /// What all pages together say of the site, recorded ones included.
    pub profile: Profile,
}

/// Why a crawl ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// Every URL that was found has been dealt with.
    FrontierExhausted,
    /// The page budget is used up.
    MaxPages,
    /// So many URLs failed or were skipped that asking for more is not worth the site's time.
    MaxRequests,
    /// robots.txt keeps the start page from being fetched, or could not be had.
    Robots,
    /// The start page could not be had, or the site stopped answering, or it did nothing but ask
    /// for waits.
    Error,
}

impl StopReason {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::FrontierExhausted,
        Self::MaxPages,
        Self::MaxRequests,
        Self::Robots,
        Self::Error,
    ];

    /// The word used in answers, rows and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FrontierExhausted => "frontier_exhausted",
            Self::MaxPages => "max_pages",
            Self::MaxRequests => "max_requests",
            Self::Robots => "robots",
            Self::Error => "error",
        }
    }
}
