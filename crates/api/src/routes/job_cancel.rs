//! `POST …/status/{job_id}/cancel`: ends one domain early.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::Serialize;
use trawl_persistence::control;
use uuid::Uuid;

use super::{job_status_url, parse_id};
use crate::error::{ApiError, Resource};
use crate::service::Service;

/// Longest wait for one row (chosen: beyond it clients give up).
const LIMIT: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct Cancelled {
    job_id: Uuid,
    found_status: &'static str,
    status: &'static str,
    /// A running job is stopped by its worker at the next heartbeat.
    cancel_requested: bool,
    status_url: String,
}

pub(super) async fn job_cancel(
    service: Data<Service>,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = parse_id(Resource::Job, &id)?;
    let pool = service.pool()?;
    let changed = service
        .ask("cancel a job", LIMIT, async move {
            control::job_cancel(&pool, id).await
        })
        .await?
        .ok_or(ApiError::NotFound {
            resource: Resource::Job,
            id,
        })?;
    Ok(HttpResponse::Ok().json(Cancelled {
        job_id: id,
        found_status: changed.found.as_str(),
        status: changed.now.as_str(),
        cancel_requested: !changed.found.is_terminal(),
        status_url: job_status_url(id),
    }))
}
