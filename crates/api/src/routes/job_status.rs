//! `GET …/status/{job_id}`: one domain of a batch, or a scan, with its result.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::Serialize;
use serde_json::value::RawValue;
use trawl_domain::failure::FailureCode;
use trawl_domain::job::JobState;
use trawl_persistence::jobs::{self, AttemptView, JobView};
use uuid::Uuid;

use super::parse_id;
use crate::error::{ApiError, Resource};
use crate::service::Service;
use crate::timestamp::Timestamp;

/// Longest wait for one row (chosen: beyond it clients give up).
const LIMIT: Duration = Duration::from_secs(10);

/// The status of a job as clients see it.
#[derive(Serialize)]
pub(crate) struct JobStatus<'a, J> {
    job_id: Uuid,
    batch_id: Uuid,
    status: &'static str,
    progress: f64,
    domain: &'a str,
    pages_scraped: u32,
    created_at: Timestamp,
    updated_at: Timestamp,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    result: Option<J>,
    stop_reason: Option<&'a str>,
    error: Option<&'a str>,
    error_code: Option<&'a str>,
    cancel_requested: bool,
    retry_of: Option<Uuid>,
    /// How often it was begun, the attempt under way included.
    attempt: u32,
    /// When it is begun at the earliest, where that is still to come, and why not now.
    waits_until: Option<Timestamp>,
    waits_for: Option<&'a str>,
    /// The attempts that have ended.
    attempts: Vec<Attempt<'a>>,
    metadata: J,
}

/// One attempt that has ended.
#[derive(Serialize)]
struct Attempt<'a> {
    attempt: u32,
    /// The state it left the job in: pending where another attempt followed.
    outcome: &'static str,
    start_time: Timestamp,
    end_time: Timestamp,
    error: Option<&'a str>,
    error_code: Option<&'a str>,
}

impl<'a> Attempt<'a> {
    fn of(attempt: &'a AttemptView) -> Self {
        let failure = attempt.failure.as_ref();
        Self {
            attempt: attempt.attempt,
            outcome: attempt.outcome.as_str(),
            start_time: Timestamp(attempt.started_at),
            end_time: Timestamp(attempt.ended_at),
            error: failure.map(|(_, sentence)| sentence.as_str()),
            error_code: failure.map(|(code, _)| code.as_str()),
        }
    }
}

/// Why no further page of the domain is fetched; a crawl that ended by itself has said it.
fn stop_reason(job: &JobView) -> Option<&str> {
    let code = job.failure.as_ref().map(|(code, _)| code.as_str());
    match job.state {
        JobState::Pending | JobState::Running => None,
        JobState::Complete => job.stop_reason.as_deref(),
        JobState::Cancelled => Some("cancelled"),
        JobState::Failed => Some(match code.and_then(FailureCode::from_word) {
            Some(FailureCode::RobotsDisallowed | FailureCode::RobotsUnavailable) => "robots",
            _ => "error",
        }),
    }
}

impl<'a, J> JobStatus<'a, J> {
    /// The status of a job; `read` makes JSON of the stored texts.
    ///
    /// # Errors
    /// That of `read`.
    pub(crate) fn of<E>(
        job: &'a JobView,
        attempts: &'a [AttemptView],
        read: impl Fn(&'a str) -> Result<J, E>,
    ) -> Result<Self, E> {
        // A job that waits for another attempt has a failure as well, which is not its ending.
        let failure = job
            .failure
            .as_ref()
            .filter(|_| job.state == JobState::Failed);
        let waits_for = job.failure.as_ref().filter(|_| job.waits_until.is_some());
        Ok(Self {
            job_id: job.id,
            batch_id: job.batch,
            status: job.state.as_str(),
            progress: progress_percent(job),
            domain: &job.domain,
            pages_scraped: job.pages_scraped,
            created_at: Timestamp(job.created_at),
            updated_at: Timestamp(job.updated_at),
            start_time: job.started_at.map(Timestamp),
            end_time: job.ended_at.map(Timestamp),
            result: job.result.as_deref().map(&read).transpose()?,
            stop_reason: stop_reason(job),
            error: failure.map(|(_, sentence)| sentence.as_str()),
            error_code: failure.map(|(code, _)| code.as_str()),
            cancel_requested: job.cancel_requested,
            retry_of: job.retry_of,
            attempt: job.attempt,
            waits_until: job.waits_until.map(Timestamp),
            waits_for: waits_for.map(|(_, sentence)| sentence.as_str()),
            attempts: attempts.iter().map(Attempt::of).collect(),
            metadata: read(&job.metadata)?,
        })
    }
}

/// Pages fetched of those asked for. How many a site has is known at its end only, so an open job
/// never shows 100.
fn progress_percent(job: &JobView) -> f64 {
    if job.state.is_terminal() {
        return 100.0;
    }
    let pages = f64::from(job.pages_scraped) * 100.0;
    (pages / f64::from(job.max_pages.max(1))).min(99.0)
}

pub(super) async fn job_status(
    service: Data<Service>,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = parse_id(Resource::Job, &id)?;
    let pool = service.pool()?;
    let (job, attempts) = service
        .ask("read the status of a job", LIMIT, async move {
            // The history is append-only, so what is read after the job never contradicts it.
            let Some(job) = jobs::job_status(&pool, id).await? else {
                return Ok(None);
            };
            let attempts = jobs::job_attempts(&pool, id).await?;
            Ok(Some((job, attempts)))
        })
        .await?
        .ok_or(ApiError::NotFound {
            resource: Resource::Job,
            id,
        })?;
    let status = JobStatus::of(&job, &attempts, serde_json::from_str::<&RawValue>)?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(serde_json::to_vec(&status)?))
}
