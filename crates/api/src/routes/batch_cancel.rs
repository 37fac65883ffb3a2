//! `POST …/batch/{batch_id}/cancel`, also `DELETE …/batch/{batch_id}`: ends a batch early.
//!
//! Idempotent: the answer tells the state found, whatever it was. Domains that were never attempted
//! are cancelled at once; running ones are stopped by their workers at the next heartbeat.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::Serialize;
use trawl_persistence::control;
use uuid::Uuid;

use super::{batch_status_url, parse_id};
use crate::error::{ApiError, Resource};
use crate::service::Service;

/// Longest wait (chosen: a hundred thousand waiting domains take seconds).
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Cancelled {
    batch_id: Uuid,
    found_status: &'static str,
    status: &'static str,
    status_url: String,
}

pub(super) async fn batch_cancel(
    service: Data<Service>,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = parse_id(Resource::Batch, &id)?;
    let pool = service.pool()?;
    let changed = service
        .ask("cancel a batch", LIMIT, async move {
            control::batch_cancel(&pool, id).await
        })
        .await?
        .ok_or(ApiError::NotFound {
            resource: Resource::Batch,
            id,
        })?;
    Ok(HttpResponse::Ok().json(Cancelled {
        batch_id: id,
        found_status: changed.found.as_str(),
        status: changed.now.as_str(),
        status_url: batch_status_url(id),
    }))
}
