//! Where a redirect leads, and whether it is followed.

use trawl_domain::failure::{Failure, FailureCode};
use trawl_domain::url_rules::{GivenUrl, PageUrl};

use super::visit::{Outcome, Reach};

/// Most redirects followed for one page. Chosen: browsers allow twenty, no sound site needs five.
pub(super) const REDIRECTS_MAX: usize = 5;

/// What to do with the target of a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HopVerdict {
    /// Ask for it.
    Follow,
    /// It belongs to another site.
    OffSite,
    /// It was visited before, as another page.
    Visited,
    /// The client does not want it.
    Excluded,
}

/// What comes after a redirect.
#[derive(Debug)]
pub(super) enum Next {
    /// This URL is asked for, as the server gave it; by its canonical form it is known.
    Follow { target: GivenUrl, known_as: PageUrl },
    /// Nothing; this is where it would have led, and what becomes of the page.
    Stop {
        led_to: Option<PageUrl>,
        outcome: Outcome,
    },
}

/// The way of one page through redirects.
#[derive(Debug)]
pub(super) struct Trail {
    /// The URLs as they were asked for, since a cookie was last set.
    seen: Vec<GivenUrl>,
    redirects: usize,
}

impl Trail {
    /// Begins at the URL that is asked for.
    pub(super) fn from(first: GivenUrl) -> Self {
        Self {
            seen: vec![first],
            redirects: 0,
        }
    }

    /// Goes on to the target of a redirect.
    pub(super) fn follow(&mut self, target: GivenUrl) {
        self.seen.push(target);
        self.redirects += 1;
    }

    /// With a new cookie, asking for the same is no circle: some sites send back only who brings it.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
    }

    /// How many redirects were followed.
    pub(super) fn redirects(&self) -> usize {
        self.redirects
    }
}

/// Judges a redirect from `from`, the end of the `trail` so far.
pub(super) fn next(
    from: &GivenUrl,
    location: &str,
    trail: &Trail,
    judge: &(dyn Fn(&PageUrl) -> HopVerdict + Sync),
) -> Next {
    let failed = |led_to, sentence| Next::Stop {
        led_to,
        outcome: Outcome::Failed {
            failure: Failure::new(FailureCode::RedirectLimit, sentence),
            reach: Reach::Answer,
        },
    };
    let given = GivenUrl::resolve(from.as_url(), location)
        .and_then(|target| Ok((target.clone().into_canonical()?, target)));
    let Ok((next, target)) = given else {
        return failed(
            None,
            format!(
                "GET {from} was redirected to what is no URL of a page, {}",
                shown(location)
            ),
        );
    };
    if trail.seen.contains(&target) {
        return failed(Some(next), format!("GET {from} was redirected in a circle"));
    }
    if trail.redirects >= REDIRECTS_MAX {
        let sentence = format!("GET {from} was redirected more than {REDIRECTS_MAX} times");
        return failed(Some(next), sentence);
    }
    let (code, sentence) = match judge(&next) {
        HopVerdict::Follow => {
            return Next::Follow {
                target,
                known_as: next,
            };
        }
        HopVerdict::OffSite => (
            FailureCode::RedirectOffSite,
            format!("GET {from} was redirected to another site, {next}"),
        ),
        HopVerdict::Visited => (
            FailureCode::Duplicate,
            format!("GET {from} was redirected to {next}, which was visited before"),
        ),
        HopVerdict::Excluded => (
            FailureCode::Excluded,
            format!("GET {from} was redirected to {next}, which the options exclude"),
        ),
    };
    let outcome = Outcome::Skipped(Failure::new(code, sentence));
    Next::Stop {
        led_to: Some(next),
        outcome,
    }
}

/// Longest part of a `Location` that is told, in characters. Chosen: a line.
const SHOWN_MAX_CHARS: usize = 120;

/// A `Location` without its query, which may carry personal data.
fn shown(location: &str) -> String {
    let place = location.split(['?', '#']).next().unwrap_or_default();
    place.chars().take(SHOWN_MAX_CHARS).collect()
}
