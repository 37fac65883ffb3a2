//! What both ways of submitting share: check the body, store everything or nothing, wake the worker.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::Payload;
use time::OffsetDateTime;
use trawl_persistence::batches::{Submitted, batch_submit};

use crate::error::ApiError;
use crate::request::{Body, RequestError, Submission, check_media_type, read_body};
use crate::service::Service;

/// Longest wait for a submission to be stored: a hundred thousand domains take seconds (chosen).
const LIMIT: Duration = Duration::from_secs(60);

/// A submission that is stored, and since when.
pub(super) struct Stored {
    pub(super) submission: Arc<Submission>,
    pub(super) created_at: OffsetDateTime,
}

/// Reads, checks and stores a submission.
pub(super) async fn submit(
    service: &Service,
    request: &HttpRequest,
    payload: Payload,
    read: fn(&[u8]) -> Result<Submission, RequestError>,
) -> Result<Stored, ApiError> {
    let body = read_body(request, payload, service.body_room()).await?;
    // The body goes with the closure: nothing of it is held while the rows are written.
    let parse = move |body: Body| read(&body.bytes);
    let submission = Arc::new(
        service
            .compute("read the submission", move || parse(body))
            .await?,
    );
    check_media_type(request)?;
    let pool = service.pool()?;
    let stored = Arc::clone(&submission);
    let queue_limit = service.queue_limit();
    let submitted = service
        .ask("store the submission", LIMIT, async move {
            batch_submit(&pool, &stored.to_store(queue_limit)).await
        })
        .await?;
    let created_at = match submitted {
        Submitted::Accepted { created_at } => {
            service.wake_worker();
            created_at
        }
        Submitted::Replayed { created_at, .. } => created_at,
        Submitted::QueueFull => return Err(ApiError::QueueFull { limit: queue_limit }),
        Submitted::Conflict => {
            return Err(ApiError::BatchIdConflict {
                id: submission.batch,
            });
        }
    };
    Ok(Stored {
        submission,
        created_at,
    })
}
