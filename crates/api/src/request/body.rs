//! Reads a body into memory, within limits of size and time.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::RequestError;

/// The most bytes of a body: 10 MiB.
pub(crate) const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// The most bytes that are read and forgotten so that a client that sends too much still reads its
/// answer: one that is cut off while it writes often reports a broken connection instead (chosen).
const DISCARDED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Limit of the time in which a body must arrive: 10 MiB at 1.4 Mbit/s (chosen).
const ARRIVAL_LIMIT: Duration = Duration::from_secs(60);

/// Up to so many bytes, a body is held without asking for room: 64 KiB, as much as a connection
/// buffers anyway (chosen).
const SMALL_BODY_BYTES_MAX: usize = 64 * 1024;

/// Larger bodies that a process holds at once at most: 160 MiB in all (chosen).
const LARGE_BODIES_MAX: usize = 16;

/// The room that large bodies share.
pub(crate) struct BodyRoom(Arc<Semaphore>);

impl Default for BodyRoom {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LARGE_BODIES_MAX)))
    }
}

impl BodyRoom {
    /// Room for the body of this request, if it needs and finds any.
    fn claim(&self, request: &HttpRequest) -> Result<Option<OwnedSemaphorePermit>, RequestError> {
        let announced = announced_bytes(request);
        let is_small =
            announced <= SMALL_BODY_BYTES_MAX && !request.headers().contains_key(TRANSFER_ENCODING);
        // What is too large is not held.
        if is_small || announced > BODY_BYTES_MAX {
            return Ok(None);
        }
        let claimed = Arc::clone(&self.0).try_acquire_owned();
        claimed.map(Some).map_err(|_full| RequestError::BodiesBusy)
    }
}

/// A body, whole, with the room that it takes.
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// Reads the body of a request.
///
/// # Errors
/// [`RequestError`] when it is too large, too slow or incomplete, or when too many large ones are
/// held already.
pub(crate) async fn read_body(
    request: &HttpRequest,
    payload: Payload,
    room: &BodyRoom,
) -> Result<Body, RequestError> {
    let announced = announced_bytes(request);
    let room = room.claim(request);
    // Without room it is read and forgotten, as what is too large.
    let kept_max = room.as_ref().map_or(0, |_room| BODY_BYTES_MAX);
    let bytes = tokio::time::timeout(ARRIVAL_LIMIT, collect(announced, kept_max, payload))
        .await
        .map_err(|_elapsed| RequestError::BodyTimeout {
            limit: ARRIVAL_LIMIT,
        })?;
    let _room = room?;
    Ok(Body {
        bytes: bytes?,
        _room,
    })
}

/// Refuses media types that a web page of any origin may send without asking the browser's leave,
/// so that no page can submit batches to a service on the visitor's machine. A missing type passes:
/// hand-written clients often send none.
///
/// # Errors
/// [`RequestError::MediaType`].
pub(crate) fn check_media_type(request: &HttpRequest) -> Result<(), RequestError> {
    let Some(declared) = request.headers().get(CONTENT_TYPE) else {
        return Ok(());
    };
    let essence = declared
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
    {
        Ok(())
    } else {
        Err(RequestError::MediaType)
    }
}

fn announced_bytes(request: &HttpRequest) -> usize {
    request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok())
        .unwrap_or(0)
}

async fn collect(
    announced: usize,
    kept_max: usize,
    mut payload: Payload,
) -> Result<Bytes, RequestError> {
    let mut body = BytesMut::new();
    let mut received = 0_usize;
    if announced <= kept_max {
        body.reserve(announced);
    }
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(RequestError::BodyBroken)?;
        received = received.saturating_add(chunk.len());
        if received.max(announced) <= kept_max {
            body.extend_from_slice(&chunk);
        } else if received.max(announced) <= DISCARDED_BYTES_MAX {
            body = BytesMut::new();
        } else {
            break;
        }
    }
    if received.max(announced) > kept_max {
        return Err(RequestError::BodyTooLarge);
    }
    Ok(body.freeze())
}
