//! Reads a body into memory, within limits of size and time.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt as _;

use super::error::RequestError;

/// The most bytes of a body: 10 MiB.
pub(crate) const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// The most bytes that are read and forgotten so that a client that sends too much still reads its
/// answer: one that is cut off while it writes often reports a broken connection instead (chosen).
const DISCARDED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Limit of the time in which a body must arrive: 10 MiB at 1.4 Mbit/s (chosen).
const ARRIVAL_LIMIT: Duration = Duration::from_secs(60);

/// The body of a request, whole.
///
/// # Errors
/// [`RequestError`] when it is too large, too slow or incomplete.
pub(crate) async fn read_body(
    request: &HttpRequest,
    payload: Payload,
) -> Result<Bytes, RequestError> {
    tokio::time::timeout(ARRIVAL_LIMIT, collect(announced_bytes(request), payload))
        .await
        .map_err(|_elapsed| RequestError::BodyTimeout {
            limit: ARRIVAL_LIMIT,
        })?
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

async fn collect(announced: usize, mut payload: Payload) -> Result<Bytes, RequestError> {
    let mut body = BytesMut::new();
    let mut received = 0_usize;
    if announced <= BODY_BYTES_MAX {
        body.reserve(announced);
    }
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(RequestError::BodyBroken)?;
        received = received.saturating_add(chunk.len());
        if received.max(announced) <= BODY_BYTES_MAX {
            body.extend_from_slice(&chunk);
        } else if received.max(announced) <= DISCARDED_BYTES_MAX {
            body = BytesMut::new();
        } else {
            break;
        }
    }
    if received.max(announced) > BODY_BYTES_MAX {
        return Err(RequestError::BodyTooLarge);
    }
    Ok(body.freeze())
}
