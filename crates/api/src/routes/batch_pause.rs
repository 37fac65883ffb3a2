//! `POST …/batch/{batch_id}/pause` and `…/resume`: durable, and both idempotent.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::Serialize;
use trawl_persistence::control;
use uuid::Uuid;

use super::{batch_status_url, parse_id};
use crate::error::{ApiError, Resource};
use crate::service::Service;

/// Longest wait for one row (chosen: beyond it clients give up).
const LIMIT: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct Answer {
    batch_id: Uuid,
    status: &'static str,
    paused: bool,
    status_url: String,
}

pub(super) async fn batch_pause(
    service: Data<Service>,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    set_paused(&service, &id, true).await
}

pub(super) async fn batch_resume(
    service: Data<Service>,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let answer = set_paused(&service, &id, false).await?;
    service.wake_worker();
    Ok(answer)
}

async fn set_paused(service: &Service, id: &str, paused: bool) -> Result<HttpResponse, ApiError> {
    let id = parse_id(Resource::Batch, id)?;
    let pool = service.pool()?;
    let found = service
        .ask("pause or resume a batch", LIMIT, async move {
            control::batch_pause(&pool, id, paused).await
        })
        .await?
        .ok_or(ApiError::NotFound {
            resource: Resource::Batch,
            id,
        })?;
    if found.paused != paused {
        return Err(ApiError::BatchNotActive {
            id,
            status: found.state.as_str(),
        });
    }
    Ok(HttpResponse::Ok().json(Answer {
        batch_id: id,
        status: found.state.as_str(),
        paused: found.paused,
        status_url: batch_status_url(id),
    }))
}
