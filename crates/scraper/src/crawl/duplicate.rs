//! Pages that were fetched before, under another URL.

use trawl_domain::failure::{Failure, FailureCode};
use trawl_domain::url_rules::PageUrl;

/// How a page is one that was fetched before.
#[derive(Debug)]
pub(super) enum Duplicate {
    /// Its body is the same.
    Body,
    /// It calls that page canonical.
    Canonical(PageUrl),
}

impl Duplicate {
    /// The failure to report for the page at `at`.
    pub(super) fn failure(&self, at: &PageUrl) -> Failure {
        let sentence = match self {
            Self::Body => format!("GET {at} was answered with the body of a page fetched before"),
            Self::Canonical(canonical) => {
                format!("GET {at} was answered with a version of {canonical}, fetched before")
            }
        };
        Failure::new(FailureCode::Duplicate, sentence)
    }
}
