//! Problem details (RFC 9457): the one form of every answer that is not a success.
//!
//! `code` is what clients program against; `detail` is for people and may change. Neither ever
//! carries the text of a driver or a library.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER};
use serde_json::{Map, Value};

use crate::request_id::RequestId;

const MEDIA_TYPE: &str = "application/problem+json";

/// A kind of problem: what is the same each time it occurs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
}

/// More at once than the service can hold.
pub(crate) const BUSY: Kind = Kind {
    status: StatusCode::SERVICE_UNAVAILABLE,
    code: "busy",
    title: "The service is busy",
};

/// One occurrence of a problem.
#[derive(Debug)]
pub(crate) struct Problem {
    kind: Kind,
    detail: String,
    members: Map<String, Value>,
    retry_after: Option<Duration>,
    allow: Option<&'static str>,
}

impl Problem {
    /// A problem of this kind; `detail` is one sentence for the client.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            members: Map::new(),
            retry_after: None,
            allow: None,
        }
    }

    /// Adds a member of its own kind, such as `field` or `limit`.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Says when to try again.
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Says which methods there are.
    pub(crate) fn allow(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.kind.status
    }

    /// The answer to the request with this id.
    pub(crate) fn answer(self, id: &RequestId) -> HttpResponse {
        let Kind {
            status,
            code,
            title,
        } = self.kind;
        let mut document = self.members;
        for (name, value) in [
            ("type", Value::from(format!("urn:trawl:problem:{code}"))),
            ("title", title.into()),
            ("status", status.as_u16().into()),
            ("detail", self.detail.into()),
            ("code", code.into()),
            ("correlation_id", id.to_string().into()),
        ] {
            document.insert(name.to_owned(), value);
        }
        let mut answer = HttpResponse::build(status);
        if let Some(wait) = self.retry_after {
            // Whole seconds, and never the zero that would mean "at once".
            answer.insert_header((RETRY_AFTER, wait.as_secs().max(1).to_string()));
        }
        if let Some(methods) = self.allow {
            answer.insert_header((ALLOW, methods));
        }
        answer
            .content_type(MEDIA_TYPE)
            .body(Value::Object(document).to_string())
    }
}
