//! Whether an answer is a page, and its extraction while it arrives.

use trawl_domain::crawl_options::Formats;
use trawl_domain::failure::{Failure, FailureCode};
use trawl_domain::url_rules::{PageUrl, SiteScope};

use super::robots_gate::status_failure;
use super::visit::{Outcome, Reach};
use crate::extract::{Extractor, MediaType};
use crate::fetch::{Answer, FetchError};

/// Most bytes looked at to find out whether a body of unstated type is HTML.
const SNIFF_MAX_BYTES: usize = 1024;

/// Judges an answer by status and type, and extracts it while it arrives.
pub(super) async fn read(
    url: &PageUrl,
    scope: Option<&SiteScope>,
    formats: Formats,
    answer: &mut Answer,
    max_body_bytes: usize,
) -> Outcome {
    let status = answer.status();
    if !status.is_success() {
        return Outcome::Failed {
            failure: status_failure(url, status.as_u16()),
            reach: Reach::Answer,
        };
    }
    let media_type = MediaType::parse(answer.content_type());
    let not_html = || {
        let sentence = format!("GET {url} was answered with something other than HTML");
        Outcome::Skipped(Failure::new(FailureCode::NotHtml, sentence))
    };
    if media_type.is_other() {
        return not_html();
    }
    let scope = scope.cloned().unwrap_or_else(|| SiteScope::of(url));
    let mut extractor = Extractor::new(url, scope, media_type.charset(), formats);
    for (name, value) in answer.headers() {
        extractor.header(name, value);
    }
    let mut head = Vec::new();
    let mut is_html = media_type.is_html();
    loop {
        let chunk = match answer.chunk().await {
            Err(error) => return Outcome::failed(&error, url),
            Ok(None) => break,
            Ok(Some(chunk)) => chunk,
        };
        if answer.body_bytes() > u64::try_from(max_body_bytes).unwrap_or(u64::MAX) {
            let too_large = FetchError::BodyTooLarge {
                limit_bytes: max_body_bytes,
            };
            return Outcome::failed(&too_large, url);
        }
        if !is_html {
            head.extend_from_slice(&chunk);
            if head.len() < SNIFF_MAX_BYTES {
                continue;
            }
            if !MediaType::looks_like_html(&head) {
                return not_html();
            }
            is_html = true;
            extractor.write(&head);
            continue;
        }
        extractor.write(&chunk);
    }
    if !is_html {
        if !MediaType::looks_like_html(&head) {
            return not_html();
        }
        extractor.write(&head);
    }
    Outcome::Fetched(Box::new(extractor.finish()))
}
