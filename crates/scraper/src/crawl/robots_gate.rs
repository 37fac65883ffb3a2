//! Keeps a crawl from asking for what robots.txt closes; fetches it once for every origin.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;
use trawl_domain::failure::{Failure, FailureCode};
use trawl_domain::url_rules::{GivenUrl, PageUrl};

use super::turns::{Pause, Turns};
use super::visit::{Outcome, Reach};
use crate::crawler::Shared;
use crate::fetch::{Answer, FetchError};
use crate::robots::{Known, ROBOTS_MAX_BYTES, ROBOTS_MAX_REDIRECTS, RobotsRules};
use crate::step::Snooze;

/// Longest time that rules are kept (RFC 9309, 2.4), also where the answer says nothing of it.
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 3600);

/// Shortest time that rules are kept, whatever the answer says. Chosen: a crawl of a few pages.
const LIFETIME_MIN: Duration = Duration::from_secs(60);

/// How long it is remembered that there is no robots.txt. Chosen: far less than rules, since whoever
/// writes their first one means it.
const ABSENCE_LIFETIME: Duration = Duration::from_secs(3600);

/// How long an origin stays closed within a crawl because its robots.txt could not be had. Another
/// attempt at the site asks again.
const CLOSED_LIFETIME: Duration = Duration::from_secs(60);

/// Most origins that one crawl remembers. Chosen: a site has four, and one with subdomains some more;
/// what is forgotten is in the cache of the process.
const ORIGINS_MAX: usize = 256;

/// The rules of every origin of one crawl, as they become known.
#[derive(Debug, Default)]
pub(super) struct RobotsGate {
    by_origin: HashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    robots: Robots,
    expires_at: Instant,
}

/// What robots.txt of one origin says.
#[derive(Debug)]
enum Robots {
    /// It was read, or there is none.
    Rules(Arc<RobotsRules>),
    /// It could not be had, which closes the origin for now (RFC 9309, 2.3.1.4).
    Closed(Failure),
    /// The origin could not even be connected to, which says more than that.
    Unconnected { failure: Failure, reach: Reach },
}

/// Why a URL is not asked for.
#[derive(Debug)]
pub(super) enum Refusal {
    /// This is what becomes of its page.
    Outcome(Outcome),
    /// Not now.
    Pause(Box<Pause>),
}

impl RobotsGate {
    /// Lets a URL pass, or says why not.
    pub(super) async fn admit(
        &mut self,
        url: &GivenUrl,
        shared: &Shared,
        turns: &mut Turns,
    ) -> Result<(), Box<Refusal>> {
        let origin = url.as_url().origin().ascii_serialization();
        let now = Instant::now();
        if let Some(entry) = self.by_origin.get(&origin)
            && entry.expires_at > now
        {
            return entry.robots.judge(url);
        }
        let entry = match shared.robots.get(&origin, now) {
            Some(known) => Entry {
                robots: Robots::Rules(known.rules),
                expires_at: known.expires_at,
            },
            None => {
                let before = turns.held();
                let fetched = fetch(&origin, url, shared, turns).await;
                turns.let_go_since(&before, url).await;
                fetched.map_err(|pause| Box::new(Refusal::Pause(pause)))?
            }
        };
        if let Robots::Rules(rules) = &entry.robots {
            turns.pace.respect(rules.crawl_delay());
            let known = Known {
                rules: Arc::clone(rules),
                expires_at: entry.expires_at,
            };
            shared.robots.insert(&origin, known, now);
        }
        let verdict = entry.robots.judge(url);
        if self.by_origin.len() >= ORIGINS_MAX {
            self.by_origin.clear();
        }
        self.by_origin.insert(origin, entry);
        verdict
    }

    /// The sitemaps that robots.txt of a page's origin names.
    ///
    /// # Errors
    ///
    /// Not now.
    pub(super) async fn sitemaps(
        &mut self,
        page: &PageUrl,
        shared: &Shared,
        turns: &mut Turns,
    ) -> Result<Vec<PageUrl>, Box<Pause>> {
        if let Err(refusal) = self.admit(page, shared, turns).await {
            match *refusal {
                Refusal::Pause(pause) => return Err(pause),
                // Whether the page itself is allowed does not matter here.
                Refusal::Outcome(_) => {}
            }
        }
        let origin = page.as_url().origin().ascii_serialization();
        Ok(
            match self.by_origin.get(&origin).map(|entry| &entry.robots) {
                Some(Robots::Rules(rules)) => rules
                    .sitemaps()
                    .iter()
                    .filter_map(|url| PageUrl::resolve(page.as_url(), url).ok())
                    .collect(),
                Some(Robots::Closed(_) | Robots::Unconnected { .. }) | None => Vec::new(),
            },
        )
    }
}

impl Robots {
    fn judge(&self, url: &GivenUrl) -> Result<(), Box<Refusal>> {
        let outcome = match self {
            Self::Rules(rules) if rules.allows(url) => return Ok(()),
            Self::Rules(_) => Outcome::Skipped(Failure::new(
                FailureCode::RobotsDisallowed,
                format!("GET {url} was not sent: robots.txt disallows it"),
            )),
            Self::Closed(failure) => Outcome::Failed {
                failure: failure.clone(),
                reach: Reach::Server,
            },
            Self::Unconnected { failure, reach } => Outcome::Failed {
                failure: failure.clone(),
                reach: *reach,
            },
        };
        Err(Box::new(Refusal::Outcome(outcome)))
    }
}

/// RFC 9309, 2.3: 2xx is read, 4xx means that there is none, 5xx and silence close the origin. 429,
/// and 503 with a time, ask for a wait instead.
async fn fetch(
    origin: &str,
    page: &GivenUrl,
    shared: &Shared,
    turns: &mut Turns,
) -> Result<Entry, Box<Pause>> {
    let closed = |reason: String| {
        let failure = Failure::new(FailureCode::RobotsUnavailable, reason);
        Ok(entry(Robots::Closed(failure), CLOSED_LIFETIME))
    };
    let none = || Ok(entry(Robots::Rules(Arc::default()), ABSENCE_LIFETIME));
    let Ok(mut url) = PageUrl::parse(&format!("{origin}/robots.txt")) else {
        return closed(format!("{origin} has no robots.txt URL"));
    };
    for redirects in 0..=ROBOTS_MAX_REDIRECTS {
        let _fetching = turns.start(&url).await?;
        let mut answer = match shared.fetcher.get(&url, ROBOTS_MAX_BYTES).await {
            Ok(answer) => answer,
            Err(error) if redirects == 0 && Reach::of(&error) <= Reach::Handshake => {
                let robots = Robots::Unconnected {
                    failure: error.failure(page.as_str()),
                    reach: Reach::of(&error),
                };
                return Ok(entry(robots, CLOSED_LIFETIME));
            }
            Err(error) => return closed(error.failure(url.as_str()).sentence),
        };
        if let Some(wait) = answer.wait_asked_for() {
            return Err(Box::new(Pause::Snooze(Snooze {
                host_key: url.host_key().to_owned(),
                wait,
                failure: status_failure(&url, answer.status().as_u16()),
                http_status: answer.status().as_u16(),
            })));
        }
        if let Some(location) = answer.location() {
            match PageUrl::resolve(url.as_url(), &location) {
                Ok(next) => url = next,
                Err(_) => return none(),
            }
            continue;
        }
        return match answer.status().as_u16() {
            200..=299 => match read(&mut answer).await {
                Ok(body) => {
                    let rules = RobotsRules::parse(&body, &shared.product_token);
                    debug!(origin, sitemaps = rules.sitemaps().len(), "read robots.txt");
                    let lifetime = answer.max_age().unwrap_or(LIFETIME_MAX);
                    let lifetime = lifetime.clamp(LIFETIME_MIN, LIFETIME_MAX);
                    Ok(entry(Robots::Rules(Arc::new(rules)), lifetime))
                }
                Err(error) => closed(error.failure(url.as_str()).sentence),
            },
            status @ 500.. => closed(format!("GET {url} was answered with {status}")),
            _ => none(),
        };
    }
    none()
}

fn entry(robots: Robots, lifetime: Duration) -> Entry {
    Entry {
        robots,
        expires_at: Instant::now() + lifetime,
    }
}

/// The failure of a request that was answered with a status that is no content.
pub(super) fn status_failure(url: &GivenUrl, status: u16) -> Failure {
    let code = match status {
        // Those that lead somewhere were followed.
        301 | 302 | 303 | 307 | 308 => FailureCode::RedirectLimit,
        429 => FailureCode::TooManyRequests,
        400..=499 => FailureCode::HttpClientError,
        500..=599 => FailureCode::HttpServerError,
        _ => FailureCode::HttpUnexpectedStatus,
    };
    Failure::new(code, format!("GET {url} was answered with {status}"))
}

async fn read(answer: &mut Answer) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        let room = ROBOTS_MAX_BYTES.saturating_sub(body.len());
        body.extend(chunk.iter().take(room));
        if body.len() >= ROBOTS_MAX_BYTES {
            break;
        }
    }
    Ok(body)
}
