//! One page from its URL to its facts: robots.txt, redirects, status, type, body.
//!
//! Every request of a crawl is made here, each after the politeness delay and each only where
//! robots.txt of its origin allows it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ETAG, LAST_MODIFIED};
use tokio::time::sleep;
use tracing::debug;
use trawl_domain::backoff::Backoff;
use trawl_domain::crawl_options::{CrawlOptions, Formats};
use trawl_domain::failure::{Failure, FailureCode};
use trawl_domain::url_rules::{GivenUrl, PageUrl, SiteScope};

use super::page::{self, Read};
use super::redirect::{self, HopVerdict, Next, REDIRECTS_MAX, Trail};
use super::robots_gate::{Refusal, RobotsGate, status_failure};
use super::turns::{Pause, Turns};
use crate::crawler::Shared;
use crate::extract::Extracted;
use crate::fetch::{Answer, Cookies, FetchError};
use crate::hosts::Hosts;
use crate::pace::Pace;
use crate::sitemap::{self, Entry};
use crate::step::{BodyHash, CrawlDelay, Snooze};

/// Most such waits for one request.
pub(super) const WAITS_HERE_MAX: u32 = 3;

/// Most times that a request is made again after a hiccup.
const RETRIES_MAX: u32 = 2;

/// The waits before: 0.5 s and 1 s. Chosen: a restarted server is back, and a site that is down costs
/// little, since only the first of its pages in a row is asked for again. Without jitter, because
/// nobody else asks this host.
const RETRY: Backoff = Backoff {
    base: Duration::from_millis(500),
    cap: Duration::from_secs(1),
};

/// Makes the requests of one crawl.
#[derive(Debug)]
pub(super) struct Visitor {
    shared: Arc<Shared>,
    turns: Turns,
    gate: RobotsGate,
    cookies: Cookies,
    /// The last page was answered well, so that a failure now may be a hiccup.
    is_well: bool,
    /// What is kept of each page beside its facts.
    formats: Formats,
    include_subdomains: bool,
}

/// What asking for one page gave.
#[derive(Debug)]
pub(super) struct Visit {
    /// Where redirects led, unless that is the URL asked for; also where they led to no content.
    pub(super) final_url: Option<PageUrl>,
    pub(super) http_status: Option<u16>,
    pub(super) body_bytes: u64,
    pub(super) duration: Duration,
    pub(super) first_byte: Option<Duration>,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    pub(super) body_hash: Option<BodyHash>,
    pub(super) outcome: Outcome,
}

impl Visit {
    /// A page that the site does not give, however long it is waited for.
    pub(super) fn waited_for_in_vain(snooze: Snooze) -> Self {
        Self {
            final_url: None,
            http_status: Some(snooze.http_status),
            body_bytes: 0,
            duration: Duration::ZERO,
            first_byte: None,
            etag: None,
            last_modified: None,
            body_hash: None,
            outcome: Outcome::Failed {
                failure: snooze.failure,
                reach: Reach::Answer,
            },
        }
    }
}

#[derive(Debug)]
pub(super) enum Outcome {
    Fetched(Box<Extracted>),
    Failed { failure: Failure, reach: Reach },
    Skipped(Failure),
}

impl Outcome {
    pub(super) fn failed(error: &FetchError, url: &GivenUrl) -> Self {
        Self::Failed {
            failure: error.failure(url.as_str()),
            reach: Reach::of(error),
        }
    }

    /// Behind a redirect, a failure to reach the next host is no silence of the site.
    fn after_an_answer(self) -> Self {
        match self {
            Self::Failed { failure, .. } => Self::Failed {
                failure,
                reach: Reach::Answer,
            },
            Self::Fetched(_) | Self::Skipped(_) => self,
        }
    }
}

/// What could not be had when a sitemap was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missed {
    /// An answer of the server.
    Server,
    /// This file.
    File,
}

/// What is measured over all requests for one page.
#[derive(Debug, Default)]
struct Trace {
    http_status: Option<u16>,
    body_bytes: u64,
    duration: Duration,
    first_byte: Option<Duration>,
    etag: Option<String>,
    last_modified: Option<String>,
    body_hash: Option<BodyHash>,
}

/// How far a failed request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// To the name, which gave no address to connect to.
    Name,
    /// To the address, where no connection was made.
    Port,
    /// To a connection without TLS.
    Handshake,
    /// To a server that did not complete its answer.
    Server,
    /// To an answer.
    Answer,
}

impl Reach {
    pub(super) fn of(error: &FetchError) -> Self {
        match error {
            FetchError::Resolve(_) => Self::Name,
            FetchError::Refused { .. }
            | FetchError::ConnectTimeout { .. }
            | FetchError::Connect { .. } => Self::Port,
            FetchError::Tls { .. } => Self::Handshake,
            FetchError::FirstByteTimeout { .. }
            | FetchError::Timeout { .. }
            | FetchError::Broken { .. } => Self::Server,
            FetchError::Decode { .. } | FetchError::BodyTooLarge { .. } => Self::Answer,
        }
    }
}

impl Visitor {
    /// Waits between fetches for the longer of what the client and the operator state.
    pub(super) fn new(
        shared: Arc<Shared>,
        options: &CrawlOptions,
        own_host: &str,
        hosts: Arc<dyn Hosts>,
    ) -> Self {
        let pace = Pace::new(shared.politeness_delay.max(options.delay()));
        Self {
            shared,
            turns: Turns::new(pace, own_host, hosts),
            gate: RobotsGate::default(),
            cookies: Cookies::default(),
            is_well: false,
            formats: options.formats,
            include_subdomains: options.include_subdomains,
        }
    }

    /// The longest delay that a robots.txt of the crawl asked for.
    pub(super) fn crawl_delay(&self) -> Option<CrawlDelay> {
        self.turns.pace.crawl_delay()
    }

    /// Asks for a page and follows its redirects as far as `judge` allows.
    ///
    /// Links are collected within `scope`, or within the site that the redirects lead to. An error is
    /// no end of the page.
    pub(super) async fn visit(
        &mut self,
        url: &PageUrl,
        scope: Option<&SiteScope>,
        judge: &(dyn Fn(&PageUrl) -> HopVerdict + Sync),
    ) -> Result<Visit, Box<Pause>> {
        let mut trace = Trace::default();
        let mut target = GivenUrl::from(url.clone());
        let mut trail = Trail::from(target.clone());
        let mut led_to = None;
        let outcome = loop {
            match self.patient_hop(&target, scope, &mut trace).await {
                Hop::Pause(pause) => return Err(pause),
                Hop::End(outcome) => break outcome,
                Hop::Cut(page, _) => break Outcome::Fetched(page),
                Hop::Redirect {
                    location,
                    is_marked,
                } => {
                    if is_marked {
                        trail.forget();
                    }
                    match redirect::next(&target, &location, &trail, judge) {
                        Next::Follow {
                            target: next,
                            known_as,
                        } => {
                            trail.follow(next.clone());
                            led_to = Some(known_as);
                            target = next;
                        }
                        Next::Stop {
                            led_to: next,
                            outcome,
                        } => {
                            led_to = next.or(led_to);
                            break outcome;
                        }
                    }
                }
            }
        };
        debug!(
            url = without_query(url),
            http_status = trace.http_status,
            duration_ms = trace.duration.as_millis(),
            "visited a page"
        );
        Ok(Visit {
            final_url: led_to.filter(|led_to| led_to != url),
            http_status: trace.http_status,
            body_bytes: trace.body_bytes,
            duration: trace.duration,
            first_byte: trace.first_byte,
            etag: trace.etag,
            last_modified: trace.last_modified,
            body_hash: trace.body_hash,
            outcome: if trail.redirects() > 0 {
                outcome.after_an_answer()
            } else {
                outcome
            },
        })
    }

    /// One request, made again where that may help: after a short wait that the site asked for, and
    /// after a hiccup of a site that answered well before, or in the middle of a page. A start page
    /// that does not begin is not asked for again here: the next attempt at the site does that.
    async fn patient_hop(
        &mut self,
        url: &GivenUrl,
        scope: Option<&SiteScope>,
        trace: &mut Trace,
    ) -> Hop {
        let mut waits = 0;
        let mut retries = 0;
        loop {
            let hop = self.hop(url, scope, trace).await;
            match &hop {
                Hop::Pause(pause)
                    if let Some(wait) = pause.short()
                        && waits < WAITS_HERE_MAX =>
                {
                    waits += 1;
                    sleep(wait).await;
                    continue;
                }
                Hop::End(Outcome::Failed { failure, .. }) if is_hiccup(failure.code) => {
                    if self.is_well && retries < RETRIES_MAX {
                        retries += 1;
                        sleep(RETRY.ceiling(retries)).await;
                        continue;
                    }
                    self.is_well = false;
                }
                Hop::Cut(_, failure) if is_hiccup(failure.code) && retries < RETRIES_MAX => {
                    retries += 1;
                    sleep(RETRY.ceiling(retries)).await;
                    continue;
                }
                Hop::End(Outcome::Fetched(_)) => self.is_well = true,
                Hop::Pause(_) | Hop::Redirect { .. } | Hop::Cut(..) | Hop::End(_) => {}
            }
            return hop;
        }
    }

    /// The sitemaps that robots.txt of a page's origin names.
    pub(super) async fn named_sitemaps(
        &mut self,
        page: &PageUrl,
    ) -> Result<Vec<PageUrl>, Box<Pause>> {
        self.gate
            .sitemaps(page, &self.shared, &mut self.turns)
            .await
    }

    /// Which hosts are held beside the crawl's own.
    pub(super) fn held(&self) -> Vec<String> {
        self.turns.held()
    }

    /// See [`Turns::let_go_since`].
    pub(super) async fn let_go_since(&mut self, before: &[String], page: &PageUrl) {
        self.turns.let_go_since(before, page).await;
    }

    /// Reads a sitemap; after a hiccup again, where the server `is_well`. `found` may be told what was
    /// told before.
    ///
    /// # Errors
    ///
    /// The server wants to be left alone first.
    pub(super) async fn read_sitemap(
        &mut self,
        url: &PageUrl,
        is_well: bool,
        is_near: &(dyn Fn(&PageUrl) -> bool + Sync),
        max_bytes: usize,
        found: &mut (dyn FnMut(Entry<'_>) -> ControlFlow<()> + Send),
    ) -> Result<Result<sitemap::Read, Missed>, Box<Pause>> {
        let mut retries = 0;
        loop {
            let read = self.try_sitemap(url, is_near, max_bytes, found).await?;
            if read.is_ok() || !is_well || retries >= RETRIES_MAX {
                return Ok(read);
            }
            retries += 1;
            sleep(RETRY.ceiling(retries)).await;
        }
    }

    /// Reads a sitemap, after redirects to what `is_near` alone.
    async fn try_sitemap(
        &mut self,
        url: &PageUrl,
        is_near: &(dyn Fn(&PageUrl) -> bool + Sync),
        max_bytes: usize,
        found: &mut (dyn FnMut(Entry<'_>) -> ControlFlow<()> + Send),
    ) -> Result<Result<sitemap::Read, Missed>, Box<Pause>> {
        let nothing = Ok(Ok(sitemap::Read::default()));
        let mut url = url.clone();
        for _ in 0..=REDIRECTS_MAX {
            let admitted = self.gate.admit(&url, &self.shared, &mut self.turns).await;
            if let Err(refusal) = admitted {
                return match *refusal {
                    Refusal::Pause(pause) => Err(pause),
                    Refusal::Outcome(Outcome::Failed { .. }) => Ok(Err(Missed::Server)),
                    Refusal::Outcome(Outcome::Fetched(_) | Outcome::Skipped(_)) => nothing,
                };
            }
            let _fetching = self.turns.start(&url).await?;
            let Ok(answer) = self.shared.fetcher.get(&url, max_bytes).await else {
                return Ok(Err(Missed::Server));
            };
            if let Some(pause) = snooze_of(&url, &answer) {
                return Err(pause);
            }
            if let Some(location) = answer.location() {
                match PageUrl::resolve(url.as_url(), &location) {
                    Ok(next) if is_near(&next) => url = next,
                    _ => return nothing,
                }
                continue;
            }
            if answer.status().is_server_error() {
                return Ok(Err(Missed::File));
            }
            if !answer.status().is_success() {
                return nothing;
            }
            let read = sitemap::read(answer.into_reader(), max_bytes, found).await;
            return Ok(Ok(read));
        }
        nothing
    }

    /// One request and what its answer means.
    async fn hop(&mut self, url: &GivenUrl, scope: Option<&SiteScope>, trace: &mut Trace) -> Hop {
        if let Err(refusal) = self.gate.admit(url, &self.shared, &mut self.turns).await {
            return match *refusal {
                Refusal::Outcome(outcome) => Hop::End(outcome),
                Refusal::Pause(pause) => Hop::Pause(pause),
            };
        }
        let max_body_bytes = self.shared.max_body_bytes;
        let site = || SiteScope::of(url).with_subdomains(self.include_subdomains);
        let scope = scope.cloned().unwrap_or_else(site);
        let fetching = match self.turns.start(url).await {
            Ok(fetching) => fetching,
            Err(pause) => return Hop::Pause(pause),
        };
        let fetcher = &self.shared.fetcher;
        let hop = match fetcher.get_with(url, max_body_bytes, &self.cookies).await {
            Err(error) => Hop::End(Outcome::failed(&error, url)),
            Ok(mut answer) => {
                let is_marked = self.cookies.take(url.as_url(), &answer);
                trace.http_status = Some(answer.status().as_u16());
                trace.first_byte = Some(answer.first_byte());
                trace.etag = answer.short_header(&ETAG);
                trace.last_modified = answer.short_header(&LAST_MODIFIED);
                let hop = match (snooze_of(url, &answer), answer.location()) {
                    (Some(pause), _) => Hop::Pause(pause),
                    (None, Some(location)) => Hop::Redirect {
                        location,
                        is_marked,
                    },
                    (None, None) => {
                        let product = &self.shared.product_token;
                        match page::read(url, scope, self.formats, product, &mut answer).await {
                            Read::Whole(outcome) => Hop::End(outcome),
                            Read::Cut(page, failure) => Hop::Cut(page, failure),
                        }
                    }
                };
                trace.body_bytes = answer.body_bytes();
                trace.body_hash = Some(answer.body_hash());
                hop
            }
        };
        trace.duration += fetching.elapsed();
        hop
    }
}

enum Hop {
    /// Not now; nothing is decided.
    Pause(Box<Pause>),
    /// To somewhere, and whether asking for the same again is another request, by its cookies.
    Redirect {
        location: String,
        is_marked: bool,
    },
    /// What came of a page, and why not all of it.
    Cut(Box<Extracted>, Failure),
    End(Outcome),
}

/// The wait that an answer asks for.
fn snooze_of(url: &GivenUrl, answer: &Answer) -> Option<Box<Pause>> {
    let http_status = answer.status().as_u16();
    Some(Box::new(Pause::Snooze(Snooze {
        host_key: url.host_key().to_owned(),
        wait: answer.wait_asked_for()?,
        failure: status_failure(url, http_status),
        http_status,
    })))
}

/// Whether a failure may be gone in a moment.
fn is_hiccup(code: FailureCode) -> bool {
    matches!(
        code,
        FailureCode::DnsFailed
            | FailureCode::ConnectRefused
            | FailureCode::ConnectTimeout
            | FailureCode::ConnectFailed
            | FailureCode::FetchTimeout
            | FailureCode::HttpServerError
    )
}

/// Query strings may carry personal data and are never logged.
fn without_query(url: &PageUrl) -> &str {
    url.as_str().split('?').next().unwrap_or_default()
}
