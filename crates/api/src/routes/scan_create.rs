//! `POST …/scan`: accepts a single site, which is a batch of one.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use uuid::Uuid;

use super::{job_status_url, submit};
use crate::error::ApiError;
use crate::request::Submission;
use crate::service::Service;
use crate::timestamp::Timestamp;

#[derive(Serialize)]
struct Accepted<'a> {
    job_id: Uuid,
    status_url: &'a str,
    created_at: Timestamp,
}

pub(super) async fn scan_create(
    service: Data<Service>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let stored = submit::submit(&service, &request, payload, Submission::of_scan_request).await?;
    let job_id = stored.submission.first_job;
    let status_url = job_status_url(job_id);
    let answer = serde_json::to_vec(&Accepted {
        job_id,
        status_url: &status_url,
        created_at: Timestamp(stored.created_at),
    })?;
    Ok(HttpResponse::Accepted()
        .insert_header((LOCATION, status_url))
        .content_type("application/json")
        .body(answer))
}
