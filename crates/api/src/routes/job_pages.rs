//! `GET …/status/{job_id}/pages`: the pages of a domain as they are recorded, a slice at a time.

use std::time::Duration;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::value::RawValue;
use trawl_persistence::pages::{self, PageView};
use uuid::Uuid;

use super::parse_id;
use crate::error::{ApiError, Resource};
use crate::request::Slice;
use crate::service::Service;
use crate::timestamp::Timestamp;

/// Longest wait for a slice (chosen: as for any other rows).
const LIMIT: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct Pages<'a> {
    job_id: Uuid,
    pages: Vec<Page<'a>>,
    /// What to ask for as `after` to go on; null where no more pages are recorded yet.
    next_after: Option<u32>,
}

/// A page as clients see it.
#[derive(Serialize)]
pub(crate) struct Page<'a> {
    seq: u32,
    url: &'a str,
    final_url: Option<&'a str>,
    status: &'static str,
    depth: u32,
    http_status: Option<u32>,
    body_bytes: u64,
    duration_ms: u32,
    first_byte_ms: Option<u32>,
    etag: Option<&'a str>,
    last_modified: Option<&'a str>,
    error: Option<&'a str>,
    error_code: Option<&'a str>,
    not_fetched: Option<&'a RawValue>,
    facts: Option<&'a RawValue>,
    content: Option<&'a RawValue>,
    recorded_at: Timestamp,
}

impl<'a> Page<'a> {
    /// # Errors
    /// Where what is stored is not JSON, which the database sees to.
    pub(crate) fn of(page: &'a PageView) -> Result<Self, serde_json::Error> {
        let json = |text: &'a Option<String>| text.as_deref().map(serde_json::from_str).transpose();
        let failure = page.failure.as_ref();
        Ok(Self {
            seq: page.seq,
            url: &page.url,
            final_url: page.final_url.as_deref(),
            status: page.state.as_str(),
            depth: page.depth,
            http_status: page.http_status,
            body_bytes: page.body_bytes,
            duration_ms: page.duration_ms,
            first_byte_ms: page.first_byte_ms,
            etag: page.etag.as_deref(),
            last_modified: page.last_modified.as_deref(),
            error: failure.map(|(_, sentence)| sentence.as_str()),
            error_code: failure.map(|(code, _)| code.as_str()),
            not_fetched: json(&page.not_fetched)?,
            facts: json(&page.facts)?,
            content: json(&page.content)?,
            recorded_at: Timestamp(page.recorded_at),
        })
    }
}

pub(super) async fn job_pages(
    service: Data<Service>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = parse_id(Resource::Job, &id)?;
    let Slice { after, limit } = Slice::read(request.query_string())?;
    let pool = service.pool()?;
    let mut pages = service
        .ask("read the pages of a job", LIMIT, async move {
            // One more than asked for tells whether there is more.
            pages::pages_view(&pool, id, after, limit.saturating_add(1)).await
        })
        .await?
        .ok_or(ApiError::NotFound {
            resource: Resource::Job,
            id,
        })?;
    let has_more = pages.len() > limit as usize;
    pages.truncate(limit as usize);
    let answer = Pages {
        job_id: id,
        next_after: pages.last().filter(|_| has_more).map(|page| page.seq),
        pages: pages.iter().map(Page::of).collect::<Result<_, _>>()?,
    };
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(serde_json::to_vec(&answer)?))
}
