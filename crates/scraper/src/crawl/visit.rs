//! One page from its URL to its facts: robots.txt, redirects, status, type, body.
//!
//! Every request of a crawl is made here, each after the politeness delay and each only where
//! robots.txt of its origin allows it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ETAG, LAST_MODIFIED};
use tracing::debug;
use trawl_domain::failure::Failure;
use trawl_domain::url_rules::{PageUrl, SiteScope};

use super::page;
use super::redirect::{self, HopVerdict, Next};
use super::robots_gate::RobotsGate;
use crate::crawler::Shared;
use crate::extract::Extracted;
use crate::fetch::FetchError;
use crate::pace::Pace;

/// Makes the requests of one crawl.
#[derive(Debug)]
pub(super) struct Visitor {
    shared: Arc<Shared>,
    pace: Pace,
    gate: RobotsGate,
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
    pub(super) outcome: Outcome,
}

#[derive(Debug)]
pub(super) enum Outcome {
    Fetched(Box<Extracted>),
    Failed { failure: Failure, reach: Reach },
    Skipped(Failure),
}

impl Outcome {
    pub(super) fn failed(error: &FetchError, url: &PageUrl) -> Self {
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

/// What is measured over all requests for one page.
#[derive(Debug, Default)]
struct Trace {
    http_status: Option<u16>,
    body_bytes: u64,
    duration: Duration,
    first_byte: Option<Duration>,
    etag: Option<String>,
    last_modified: Option<String>,
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
    /// Waits for `delay` between fetches where that is longer than the operator's own.
    pub(super) fn new(shared: Arc<Shared>, delay: Duration) -> Self {
        let pace = Pace::new(shared.politeness_delay.max(delay));
        Self {
            shared,
            pace,
            gate: RobotsGate::default(),
        }
    }

    /// Asks for a page and follows its redirects as far as `judge` allows.
    ///
    /// Links are collected within `scope`, or within the site that the redirects lead to.
    pub(super) async fn visit(
        &mut self,
        url: &PageUrl,
        scope: Option<&SiteScope>,
        judge: &(dyn Fn(&PageUrl) -> HopVerdict + Sync),
    ) -> Visit {
        let mut trace = Trace::default();
        let mut seen = vec![url.clone()];
        let mut led_to = None;
        let mut target = url.clone();
        let outcome = loop {
            match self.hop(&target, scope, &mut trace).await {
                Hop::End(outcome) => break outcome,
                Hop::Redirect(location) => match redirect::next(&target, &location, &seen, judge) {
                    Next::Follow(next) => {
                        seen.push(next.clone());
                        led_to = Some(next.clone());
                        target = next;
                    }
                    Next::Stop {
                        led_to: next,
                        outcome,
                    } => {
                        led_to = next.or(led_to);
                        break outcome;
                    }
                },
            }
        };
        debug!(
            url = without_query(url),
            http_status = trace.http_status,
            duration_ms = trace.duration.as_millis(),
            "visited a page"
        );
        Visit {
            final_url: led_to.filter(|led_to| led_to != url),
            http_status: trace.http_status,
            body_bytes: trace.body_bytes,
            duration: trace.duration,
            first_byte: trace.first_byte,
            etag: trace.etag,
            last_modified: trace.last_modified,
            outcome: if seen.len() > 1 {
                outcome.after_an_answer()
            } else {
                outcome
            },
        }
    }

    /// One request and what its answer means.
    async fn hop(&mut self, url: &PageUrl, scope: Option<&SiteScope>, trace: &mut Trace) -> Hop {
        if let Err(outcome) = self.gate.admit(url, &self.shared, &mut self.pace).await {
            return Hop::End(*outcome);
        }
        let max_body_bytes = self.shared.max_body_bytes;
        let fetching = self.pace.start().await;
        let hop = match self.shared.fetcher.get(url).await {
            Err(error) => Hop::End(Outcome::failed(&error, url)),
            Ok(mut answer) => {
                trace.http_status = Some(answer.status().as_u16());
                trace.first_byte = Some(answer.first_byte());
                trace.etag = answer.short_header(&ETAG);
                trace.last_modified = answer.short_header(&LAST_MODIFIED);
                let hop = match answer.location() {
                    Some(location) => Hop::Redirect(location.to_owned()),
                    None => Hop::End(page::read(url, scope, &mut answer, max_body_bytes).await),
                };
                trace.body_bytes = answer.body_bytes();
                hop
            }
        };
        trace.duration += fetching.elapsed();
        hop
    }
}

enum Hop {
    Redirect(String),
    End(Outcome),
}

/// Query strings may carry personal data and are never logged.
fn without_query(url: &PageUrl) -> &str {
    url.as_str().split('?').next().unwrap_or_default()
}
