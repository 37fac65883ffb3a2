//! One id for each request: in its log lines, in its answer, in the problem that it meets.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::error::ApiError;

/// Accepted from clients and set on every answer.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id accepted from a client, in bytes (chosen: two UUIDs and a separator fit).
const CLIENT_ID_MAX_BYTES: usize = 128;

/// The id of a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// The client's own id where it is harmless in logs and headers, else a new one.
    fn of(headers: &HeaderMap) -> Self {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        let sent = headers
            .get(&X_REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|id| (1..=CLIENT_ID_MAX_BYTES).contains(&id.len()) && id.chars().all(is_plain));
        match sent {
            Some(id) => Self(id.into()),
            None => Self(Uuid::now_v7().to_string().into()),
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Gives a request its id, turns its error into a problem document, and logs how it ended.
///
/// # Errors
/// None of its own: errors of handlers become answers.
pub(crate) async fn correlate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = RequestId::of(request.headers());
    let began = Instant::now();
    // The route's pattern and not the path: no query string and no client text in the log.
    let span = tracing::info_span!("request", request.id = %id, method = %request.method());
    let answered = next.call(request).instrument(span.clone()).await?;
    let _entered = span.enter();
    let mut answer = answered.map_into_boxed_body();
    let problem = answer
        .response()
        .error()
        .map(|error| match error.as_error::<ApiError>() {
            Some(error) => error.answer(&id),
            None => ApiError::of_framework(error).answer(&id),
        });
    if let Some(problem) = problem {
        answer = answer.into_response(problem);
    }
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        answer.headers_mut().insert(X_REQUEST_ID, value);
    }
    tracing::debug!(
        route = answer.request().match_pattern().unwrap_or_default(),
        status = answer.status().as_u16(),
        duration_ms = began.elapsed().as_millis(),
        "answered"
    );
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(sent: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_static(sent));
        RequestId::of(&headers).to_string()
    }

    #[test]
    fn only_a_harmless_id_is_taken_over() {
        assert_eq!(id_for("checkout-7:a.b_c"), "checkout-7:a.b_c");
        for sent in ["", "a b", "<script>", "\"", "a,b"] {
            assert_ne!(id_for(sent), sent);
        }
        let long: &'static str = Box::leak("x".repeat(CLIENT_ID_MAX_BYTES + 1).into_boxed_str());
        assert_ne!(id_for(long), long);
    }
}
