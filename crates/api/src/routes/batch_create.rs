//! `POST …/batch`: accepts a batch, all of it or nothing.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use uuid::Uuid;

use super::{batch_status_url, submit};
use crate::error::ApiError;
use crate::request::{InvalidDomain, Submission};
use crate::service::Service;
use crate::timestamp::Timestamp;

#[derive(Serialize)]
struct Accepted<'a> {
    batch_id: Uuid,
    status_url: &'a str,
    job_count: usize,
    created_at: Timestamp,
    invalid_domains: &'a [InvalidDomain],
    duplicate_domains: &'a [String],
}

pub(super) async fn batch_create(
    service: Data<Service>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let stored = submit::submit(&service, &request, payload, Submission::of_batch).await?;
    let submission = &stored.submission;
    let status_url = batch_status_url(submission.batch);
    let accepted = Accepted {
        batch_id: submission.batch,
        status_url: &status_url,
        job_count: submission.job_count(),
        created_at: Timestamp(stored.created_at),
        invalid_domains: &submission.invalid,
        duplicate_domains: &submission.duplicates,
    };
    let answer = serde_json::to_vec(&accepted)?;
    Ok(HttpResponse::Accepted()
        .insert_header((LOCATION, status_url))
        .content_type("application/json")
        .body(answer))
}
