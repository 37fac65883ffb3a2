//! `GET …/batch/{batch_id}/status`: a batch and all its domains.
//!
//! The domains of a large batch are written once, while their rows arrive, and sent twice: as
//! `domain_statuses` and as the mirror of it in `metadata` that clients know.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::web::{Bytes, Data, Path};
use futures_util::stream;
use serde::Serialize;
use serde_json::{Map, Value};
use trawl_domain::batch::{BatchCounts, BatchState};
use trawl_domain::crawl_options::Formats;
use trawl_domain::job::JobState;
use trawl_persistence::batches::{self, BatchView, JobLine};
use uuid::Uuid;

use super::parse_id;
use crate::error::{ApiError, Resource};
use crate::request::own_metadata;
use crate::service::Service;
use crate::timestamp::Timestamp;

/// Longest wait for the rows of a batch: a hundred thousand of them take a second or more, and the
/// limits of the statement come first.
const LIMIT: Duration = Duration::from_secs(30);

/// Bytes handed to a connection at once: more would be copied to its buffer whole.
const PIECE_BYTES: usize = 64 * 1024;

/// What comes before the domains.
#[derive(Serialize)]
struct Head {
    batch_id: Uuid,
    status: &'static str,
    total_domains: u32,
    completed_domains: u32,
    failed_domains: u32,
    progress: f64,
    created_at: Timestamp,
    updated_at: Timestamp,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    processing_time: Option<f64>,
    paused: bool,
    deadline_at: Option<Timestamp>,
    /// When the batch and its pages are deleted; null while it has not ended.
    expires_at: Option<Timestamp>,
    retry_of: Option<Uuid>,
    /// What was asked of each crawl; what is at its default is left out.
    options: Map<String, Value>,
}

/// One entry of `domain_statuses`.
#[derive(Serialize)]
struct DomainStatus<'a> {
    job_id: Uuid,
    status: &'static str,
    pages_scraped: u32,
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'a str>,
}

pub(super) async fn batch_status(
    service: Data<Service>,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = parse_id(Resource::Batch, &id)?;
    let pool = service.pool()?;
    let (batch, domains) = service
        .ask("read the status of a batch", LIMIT, async move {
            batches::batch_status(&pool, id, Domains::default, Domains::add).await
        })
        .await?
        .ok_or(ApiError::NotFound {
            resource: Resource::Batch,
            id,
        })?;
    let parts = parts(id, &batch, domains, service.retention())?;
    let length: usize = parts.iter().map(Bytes::len).sum();
    let pieces = parts.into_iter().flat_map(pieces).map(Ok::<_, ApiError>);
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(SizedStream::new(length as u64, stream::iter(pieces))))
}

/// The answer in the order in which it is sent. The domains stand in it twice and in memory once.
fn parts(
    id: Uuid,
    batch: &BatchView,
    domains: Domains,
    retention: time::Duration,
) -> Result<[Bytes; 5], ApiError> {
    let mut head = serde_json::to_vec(&Head::of(id, batch, retention)?)?;
    head.pop();
    head.extend_from_slice(b",\"domain_statuses\":");
    let domains = domains.finish()?;
    let error = serde_json::to_string(&batch_error(batch.state, batch.counts))?;
    let own = own_metadata(&batch.metadata);
    let middle = format!(",\"error\":{error},\"metadata\":{{{own}\"domain_statuses\":");
    Ok([
        head.into(),
        domains.clone(),
        middle.into(),
        domains,
        Bytes::from_static(b"}}"),
    ])
}

fn pieces(mut bytes: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || {
        let length = bytes.len().min(PIECE_BYTES);
        (length > 0).then(|| bytes.split_to(length))
    })
}

impl Head {
    fn of(
        id: Uuid,
        batch: &BatchView,
        retention: time::Duration,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            batch_id: id,
            status: batch.state.as_str(),
            total_domains: batch.counts.total,
            completed_domains: batch.counts.completed,
            failed_domains: batch.counts.failed,
            progress: batch.counts.progress_percent(),
            created_at: Timestamp(batch.created_at),
            updated_at: Timestamp(batch.updated_at),
            start_time: batch.started_at.map(Timestamp),
            end_time: batch.ended_at.map(Timestamp),
            processing_time: batch.processing_seconds,
            paused: batch.paused,
            deadline_at: batch.deadline_at.map(Timestamp),
            expires_at: batch
                .ended_at
                .map(|ended| Timestamp(ended.saturating_add(retention))),
            retry_of: batch.retry_of,
            options: options_as_asked(&batch.options)?,
        })
    }
}

/// The options of a crawl in the words of a request, which lists its formats.
fn options_as_asked(stored: &str) -> Result<Map<String, Value>, serde_json::Error> {
    let mut options: Map<String, Value> = serde_json::from_str(stored)?;
    if let Some(formats) = options.get_mut("formats") {
        *formats = serde_json::from_value::<Formats>(formats.take())?
            .words()
            .collect();
    }
    Ok(options)
}

/// The JSON text of `domain_statuses`, as far as its rows have come.
#[derive(Default)]
struct Domains {
    text: Vec<u8>,
    error: Option<serde_json::Error>,
}

impl Domains {
    fn add(&mut self, job: JobLine<'_>) {
        // A job that waits for another attempt has a failure as well, which is not its ending.
        let failure = job.failure.filter(|_| job.state == JobState::Failed);
        let status = DomainStatus {
            job_id: job.id,
            status: job.state.as_str(),
            pages_scraped: job.pages_scraped,
            error: failure.map(|(_, sentence)| sentence),
            error_code: failure.map(|(code, _)| code),
        };
        self.text
            .push(if self.text.is_empty() { b'{' } else { b',' });
        let written = serde_json::to_writer(&mut self.text, job.domain).and_then(|()| {
            self.text.push(b':');
            serde_json::to_writer(&mut self.text, &status)
        });
        if let Err(error) = written {
            self.error.get_or_insert(error);
        }
    }

    fn finish(mut self) -> Result<Bytes, ApiError> {
        if let Some(error) = self.error {
            return Err(error.into());
        }
        if self.text.is_empty() {
            self.text.push(b'{');
        }
        self.text.push(b'}');
        Ok(self.text.into())
    }
}

/// One sentence for a batch that failed or is partial.
fn batch_error(state: BatchState, counts: BatchCounts) -> Option<String> {
    let BatchCounts {
        total,
        failed,
        cancelled,
        ..
    } = counts;
    match state {
        BatchState::Failed if total == 1 => {
            Some("The site failed; domain_statuses has the reason.".to_owned())
        }
        BatchState::Failed | BatchState::Partial if cancelled == 0 => Some(format!(
            "{failed} of {total} sites failed; domain_statuses has the reason of each."
        )),
        BatchState::Failed | BatchState::Partial => Some(format!(
            "{failed} of {total} sites failed and {cancelled} were cancelled; domain_statuses has \
             the reason of each."
        )),
        BatchState::Pending
        | BatchState::Running
        | BatchState::Cancelling
        | BatchState::Complete
        | BatchState::Cancelled => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_batch_with_failures_has_an_error() {
        let error = |state, completed, failed, cancelled| {
            batch_error(
                state,
                BatchCounts {
                    total: completed + failed + cancelled,
                    completed,
                    failed,
                    cancelled,
                },
            )
        };
        for (found, expected) in [
            (error(BatchState::Complete, 2, 0, 0), None),
            (error(BatchState::Running, 1, 1, 0), None),
            (error(BatchState::Cancelled, 0, 1, 1), None),
            (
                error(BatchState::Failed, 0, 1, 0),
                Some("The site failed; domain_statuses has the reason."),
            ),
            (
                error(BatchState::Partial, 3, 2, 0),
                Some("2 of 5 sites failed; domain_statuses has the reason of each."),
            ),
            (
                error(BatchState::Partial, 3, 1, 1),
                Some(
                    "1 of 5 sites failed and 1 were cancelled; domain_statuses has the reason of \
                     each.",
                ),
            ),
        ] {
            assert_eq!(found.as_deref(), expected);
        }
    }

    #[test]
    fn a_large_part_is_sent_in_pieces_and_whole() {
        let part = Bytes::from(vec![7; PIECE_BYTES * 2 + 1]);
        let lengths: Vec<_> = pieces(part).map(|piece| piece.len()).collect();
        assert_eq!(lengths, [PIECE_BYTES, PIECE_BYTES, 1]);
        assert_eq!(pieces(Bytes::new()).count(), 0);
    }
}
