//! Keeps a crawl from asking for what robots.txt closes; fetches it once for every origin.

use std::collections::HashMap;

use trawl_domain::failure::{Failure, FailureCode};
use trawl_domain::url_rules::PageUrl;

use super::visit::{Outcome, Reach};
use crate::crawler::Shared;
use crate::fetch::{Answer, FetchError};
use crate::pace::Pace;
use crate::robots::{ROBOTS_MAX_BYTES, ROBOTS_MAX_REDIRECTS, RobotsRules};

/// The rules of every origin of one crawl, as they become known.
#[derive(Debug, Default)]
pub(super) struct RobotsGate {
    /// A site has at most four origins, plus those that its start page redirects through.
    by_origin: HashMap<String, Robots>,
}

/// What robots.txt of one origin says.
#[derive(Debug)]
enum Robots {
    /// It was read, or there is none.
    Rules(RobotsRules),
    /// It could not be had, which closes the origin for now (RFC 9309, 2.3.1.4).
    Closed(Failure),
    /// The origin could not even be connected to, which says more than that.
    Unconnected { failure: Failure, reach: Reach },
}

impl RobotsGate {
    /// Lets a URL pass, or says what becomes of its page.
    pub(super) async fn admit(
        &mut self,
        url: &PageUrl,
        shared: &Shared,
        pace: &mut Pace,
    ) -> Result<(), Box<Outcome>> {
        let origin = url.as_url().origin().ascii_serialization();
        if let Some(robots) = self.by_origin.get(&origin) {
            return robots.judge(url);
        }
        let robots = fetch(&origin, url, shared, pace).await;
        if let Robots::Rules(rules) = &robots {
            pace.respect(rules.crawl_delay());
        }
        let verdict = robots.judge(url);
        self.by_origin.insert(origin, robots);
        verdict
    }
}

impl Robots {
    fn judge(&self, url: &PageUrl) -> Result<(), Box<Outcome>> {
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
        Err(Box::new(outcome))
    }
}

/// RFC 9309, 2.3: 2xx is read, 4xx means that there is none, 5xx and silence close the
/// origin. 429 is counted with 5xx: it says that now is the wrong time.
async fn fetch(origin: &str, page: &PageUrl, shared: &Shared, pace: &mut Pace) -> Robots {
    let closed =
        |reason: String| Robots::Closed(Failure::new(FailureCode::RobotsUnavailable, reason));
    let Ok(mut url) = PageUrl::parse(&format!("{origin}/robots.txt")) else {
        return closed(format!("{origin} has no robots.txt URL"));
    };
    for redirects in 0..=ROBOTS_MAX_REDIRECTS {
        let _fetching = pace.start().await;
        let mut answer = match shared.fetcher.get(&url).await {
            Ok(answer) => answer,
            Err(error) if redirects == 0 && Reach::of(&error) <= Reach::Handshake => {
                let failure = error.failure(page.as_str());
                return Robots::Unconnected {
                    failure,
                    reach: Reach::of(&error),
                };
            }
            Err(error) => return closed(error.failure(url.as_str()).sentence),
        };
        if let Some(location) = answer.location() {
            match PageUrl::resolve(url.as_url(), location) {
                Ok(next) => url = next,
                Err(_) => return Robots::Rules(RobotsRules::open()),
            }
            continue;
        }
        return match answer.status().as_u16() {
            200..=299 => match read(&mut answer).await {
                Ok(body) => Robots::Rules(RobotsRules::parse(&body, &shared.product_token)),
                Err(error) => closed(error.failure(url.as_str()).sentence),
            },
            status @ (429 | 500..) => closed(format!("GET {url} was answered with {status}")),
            _ => Robots::Rules(RobotsRules::open()),
        };
    }
    Robots::Rules(RobotsRules::open())
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
