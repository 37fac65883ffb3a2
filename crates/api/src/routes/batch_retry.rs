//! `POST …/batch/{batch_id}/retry`: a new batch of the domains that failed.
//!
//! The body may be empty, or name the new batch's id: then the same request twice is one retry.

use std::time::Duration;

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use trawl_persistence::control::{self, Retried};
use uuid::Uuid;

use super::{batch_status_url, parse_id};
use crate::error::{ApiError, Resource};
use crate::request::{read_body, retry_id};
use crate::service::Service;
use crate::timestamp::Timestamp;

/// Longest wait (chosen: a hundred thousand domains take seconds).
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Accepted {
    batch_id: Uuid,
    retry_of: Uuid,
    job_count: u32,
    status_url: String,
    created_at: Timestamp,
}

pub(super) async fn batch_retry(
    service: Data<Service>,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let id = parse_id(Resource::Batch, &id)?;
    let body = read_body(&request, payload, service.body_room()).await?;
    let new = retry_id(&body.bytes)?;
    let pool = service.pool()?;
    let queue_limit = service.queue_limit();
    let retried = service
        .ask("retry a batch", LIMIT, async move {
            control::batch_retry(&pool, id, new, queue_limit).await
        })
        .await?
        .ok_or(ApiError::NotFound {
            resource: Resource::Batch,
            id,
        })?;
    match retried {
        Retried::Accepted { total, created_at } => {
            service.wake_worker();
            Ok(HttpResponse::Accepted().json(Accepted {
                batch_id: new,
                retry_of: id,
                job_count: total,
                status_url: batch_status_url(new),
                created_at: Timestamp(created_at),
            }))
        }
        Retried::Refused { state } if state.is_terminal() => Err(ApiError::NothingFailed { id }),
        Retried::Refused { state } => Err(ApiError::BatchNotEnded {
            id,
            status: state.as_str(),
        }),
        Retried::QueueFull => Err(ApiError::QueueFull { limit: queue_limit }),
        Retried::Conflict => Err(ApiError::BatchIdConflict { id: new }),
    }
}
