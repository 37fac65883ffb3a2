//! The start page: which scheme answers, and which host the site turns out to be.

use trawl_domain::failure::{Failure, FailureCode};
use trawl_domain::url_rules::PageUrl;

use super::redirect::HopVerdict;
use super::turns::Pause;
use super::visit::{Outcome, Reach};
use super::{Crawl, Phase, within};
use crate::registrable::{is_same_name, is_same_site};
use crate::step::StopReason;

impl Crawl {
    /// Tries the candidates in their order; where none has a page, the crawl has ended.
    ///
    /// Another candidate is tried only if nobody spoke HTTP at the one before.
    ///
    /// # Errors
    ///
    /// Not now.
    pub(super) async fn start(&mut self) -> Result<(), Box<Pause>> {
        let candidates: Vec<PageUrl> = self
            .site
            .start_candidates()
            .into_iter()
            .filter_map(|url| PageUrl::from_url(url).ok())
            .collect();
        let mut failures = Vec::new();
        for url in candidates {
            // Not anywhere: thousands of domains that were given up lead to the seller of them all.
            let judge = |target: &PageUrl| {
                let (from, to) = (host_of(&url), host_of(target));
                if is_same_site(from, to) || is_same_name(from, to) {
                    HopVerdict::Follow
                } else {
                    HopVerdict::OffSite
                }
            };
            let visit = self.visitor.visit(&url, None, &judge);
            let Some(visit) = within(self.deadline, visit).await else {
                let sentence = format!("GET {url} gave no page within the time for the site");
                let failure = Failure::new(FailureCode::DeadlineExceeded, sentence);
                self.phase = Phase::Ended(StopReason::MaxDuration, Some(failure));
                return Ok(());
            };
            let visit = visit?;
            match &visit.outcome {
                Outcome::Fetched(_) => {
                    let page = self.progress.take_start(url, visit);
                    self.waits.fetched();
                    self.phase = Phase::Sitemaps(Some(Box::new(page)));
                    return Ok(());
                }
                Outcome::Skipped(failure) => failures.push((Reach::Answer, failure.clone())),
                Outcome::Failed { failure, reach } => failures.push((*reach, failure.clone())),
            }
            let tries_next = matches!(
                visit.outcome,
                Outcome::Failed {
                    reach: Reach::Port | Reach::Handshake,
                    ..
                }
            );
            if !tries_next {
                break;
            }
        }
        let failure = combine(failures);
        let stop_reason = match failure.code {
            FailureCode::RobotsDisallowed | FailureCode::RobotsUnavailable => StopReason::Robots,
            _ => StopReason::Error,
        };
        self.phase = Phase::Ended(stop_reason, Some(failure));
        Ok(())
    }
}

fn host_of(url: &PageUrl) -> &str {
    url.as_url().host_str().unwrap_or_default()
}

/// The failure of the candidate that got furthest; where none got to HTTP, all are told.
fn combine(failures: Vec<(Reach, Failure)>) -> Failure {
    let Some((reach, best)) = failures.iter().max_by_key(|(reach, _)| *reach).cloned() else {
        return Failure::new(FailureCode::Internal, "the site has no URL to start from");
    };
    if reach >= Reach::Server {
        return best;
    }
    let sentences: Vec<String> = failures
        .into_iter()
        .map(|(_, failure)| failure.sentence)
        .collect();
    Failure::new(best.code, sentences.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_candidate_that_got_furthest_is_reported() {
        let failure = |code, text: &str| Failure::new(code, text);
        let tls = (Reach::Handshake, failure(FailureCode::TlsFailed, "a"));
        let refused = (Reach::Port, failure(FailureCode::ConnectRefused, "b"));
        let not_found = (Reach::Answer, failure(FailureCode::HttpClientError, "c"));
        assert_eq!(combine(vec![tls.clone(), not_found]).sentence, "c");
        assert_eq!(
            combine(vec![tls, refused]),
            failure(FailureCode::TlsFailed, "a; b")
        );
        assert_eq!(combine(vec![]).code, FailureCode::Internal);
    }
}
