//! Whether an answer is a page, and its extraction while it arrives.

use trawl_domain::crawl_options::Formats;
use trawl_domain::failure::{Failure, FailureCode};
use trawl_domain::url_rules::{GivenUrl, SiteScope};

use super::robots_gate::status_failure;
use super::visit::{Outcome, Reach};
use crate::extract::{Extracted, Extractor, MediaType};
use crate::fetch::Answer;

/// Most bytes looked at to find out whether a body is HTML. Chosen: twice what browsers look at, for
/// comments before the root.
const SNIFF_MAX_BYTES: usize = 1024;

/// What an answer gave.
pub(super) enum Read {
    /// All that there was to read.
    Whole(Outcome),
    /// A page up to where it broke off or could not be decoded any further, and why.
    Cut(Box<Extracted>, Failure),
}

/// Judges an answer by status and type, and extracts it while it arrives.
pub(super) async fn read(
    url: &GivenUrl,
    scope: SiteScope,
    formats: Formats,
    product: &str,
    answer: &mut Answer,
) -> Read {
    let status = answer.status();
    if !status.is_success() {
        return Read::Whole(Outcome::Failed {
            failure: status_failure(url, status.as_u16()),
            reach: Reach::Answer,
        });
    }
    let media_type = MediaType::parse(answer.content_type());
    let not_html = || {
        let sentence = format!("GET {url} was answered with something other than HTML");
        Read::Whole(Outcome::Skipped(Failure::new(
            FailureCode::NotHtml,
            sentence,
        )))
    };
    if media_type.is_other() {
        return not_html();
    }
    let mut extractor = Extractor::new(url, scope, media_type.charset(), formats);
    if media_type.is_xhtml() {
        extractor.expect_xhtml();
    }
    extractor.crawl_as(product);
    for (name, value) in answer.headers() {
        extractor.header(name, value);
    }
    // `None` once it is known to be HTML.
    let mut head = Some(Vec::new());
    let cut = loop {
        let chunk = match answer.chunk().await {
            Err(error) if error.leaves_what_came() && answer.body_bytes() > 0 => break Some(error),
            Err(error) => return Read::Whole(Outcome::failed(&error, url)),
            Ok(None) => break None,
            Ok(Some(chunk)) => chunk,
        };
        let Some(mut begun) = head.take() else {
            extractor.write(&chunk);
            continue;
        };
        begun.extend_from_slice(&chunk);
        if begun.len() < SNIFF_MAX_BYTES {
            head = Some(begun);
            continue;
        }
        if !media_type.is_html(&begun) {
            return not_html();
        }
        extractor.write(&begun);
    };
    if let Some(begun) = head {
        if !media_type.is_html(&begun) {
            return not_html();
        }
        extractor.write(&begun);
    }
    let mut page = Box::new(extractor.finish());
    match cut {
        None => Read::Whole(Outcome::Fetched(page)),
        Some(error) if page.says_nothing() => Read::Whole(Outcome::failed(&error, url)),
        Some(error) => {
            page.facts.is_cut = true;
            Read::Cut(page, error.failure(url.as_str()))
        }
    }
}
