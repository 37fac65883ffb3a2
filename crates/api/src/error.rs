//! Every way in which a request can end without what it asked for.
//!
//! `Display` and the causes are for the operator's log; the client gets [`ApiError::problem`], which
//! is made of neither. Logged once, where the answer is built, with the whole chain.

use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use thiserror::Error;
use tokio::task::JoinError;
use trawl_persistence::class::ErrorClass;
use trawl_persistence::error::ScopeError;
use trawl_worker::core::chain::Chain;
use uuid::Uuid;

use crate::problem::{BUSY, Kind, Problem};
use crate::request::RequestError;
use crate::request_id::RequestId;
use crate::service::Stage;

/// When to try again after trouble that passes by itself (chosen: a pooler restarts in seconds).
const SOON: Duration = Duration::from_secs(2);

/// When to try again while the queue is full (chosen: crawls take minutes).
const LATER: Duration = Duration::from_secs(30);

/// What is looked up by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    Batch,
    Job,
}

/// Why a request did not get what it asked for.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    #[error("the request was refused")]
    Request(#[from] RequestError),
    #[error("the {resource} id in the path is no UUID")]
    MalformedId { resource: Resource },
    #[error("there is no {resource} {id}")]
    NotFound { resource: Resource, id: Uuid },
    #[error("there is no such route")]
    RouteNotFound,
    #[error("the route does not have this method")]
    MethodNotAllowed { allow: &'static str },
    #[error("batch {id} exists with other content or is being deleted")]
    BatchIdConflict { id: Uuid },
    #[error("batch {id} is {status}, so it can be neither paused nor resumed")]
    BatchNotActive { id: Uuid, status: &'static str },
    #[error("batch {id} is {status}, so it cannot be retried yet")]
    BatchNotEnded { id: Uuid, status: &'static str },
    #[error("nothing of batch {id} failed")]
    NothingFailed { id: Uuid },
    #[error("more than {limit} domains would wait")]
    QueueFull { limit: u32 },
    #[error("not ready: {reason}")]
    NotReady {
        reason: &'static str,
        retry_after: Option<Duration>,
    },
    #[error("cannot {operation}")]
    Database {
        operation: &'static str,
        #[source]
        source: ScopeError,
    },
    #[error("every connection was in use when a request was to {operation}")]
    Busy { operation: &'static str },
    #[error("could not {operation} within {limit:?}")]
    Overdue {
        operation: &'static str,
        limit: Duration,
    },
    #[error("the task that was to {operation} ended early")]
    Task {
        operation: &'static str,
        #[source]
        source: JoinError,
    },
    #[error("cannot write the answer as JSON")]
    Encode(#[from] serde_json::Error),
    #[error("the HTTP server refused the request: {text}")]
    Framework { status: StatusCode, text: String },
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Batch => "batch",
            Self::Job => "job",
        })
    }
}

impl ApiError {
    /// An error that a handler did not raise.
    pub(crate) fn of_framework(error: &actix_web::Error) -> Self {
        Self::Framework {
            status: error.as_response_error().status_code(),
            text: error.to_string(),
        }
    }

    /// The answer to the request with this id; logs the error.
    pub(crate) fn answer(&self, id: &RequestId) -> HttpResponse {
        let problem = self.problem();
        let chain = Chain(self);
        let status = problem.status();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            tracing::warn!(status = status.as_u16(), "{chain}");
        } else if status.is_server_error() {
            tracing::error!(status = status.as_u16(), "{chain}");
        } else {
            tracing::debug!(status = status.as_u16(), "{chain}");
        }
        problem.answer(id)
    }

    /// What the client is told.
    fn problem(&self) -> Problem {
        match self {
            Self::Request(error) => error.problem(),
            Self::MalformedId { resource } => Problem::new(
                MALFORMED_ID,
                format!("The {resource} id in the path must be a UUID."),
            ),
            Self::NotFound { resource, id } => Problem::new(
                match resource {
                    Resource::Batch => BATCH_NOT_FOUND,
                    Resource::Job => JOB_NOT_FOUND,
                },
                format!("There is no {resource} with the id {id}."),
            ),
            Self::RouteNotFound => Problem::new(ROUTE_NOT_FOUND, "There is nothing at this path."),
            Self::MethodNotAllowed { allow } => Problem::new(
                METHOD_NOT_ALLOWED,
                format!("This path can be asked with {allow} only."),
            )
            .allow(allow),
            Self::BatchIdConflict { id } => Problem::new(
                BATCH_ID_CONFLICT,
                format!("The batch id {id} is taken, by a submission with other content or by one that is being deleted."),
            )
            .with("field", "batch_id"),
            Self::BatchNotActive { id, status } => Problem::new(
                BATCH_NOT_ACTIVE,
                format!("The batch {id} is {status}; only a pending or running one can be paused or resumed."),
            )
            .with("status_found", *status),
            Self::BatchNotEnded { id, status } => Problem::new(
                BATCH_NOT_ENDED,
                format!("The batch {id} is {status}; what failed can be retried once it has ended."),
            )
            .with("status_found", *status),
            Self::NothingFailed { id } => Problem::new(
                NOTHING_FAILED,
                format!("No domain of the batch {id} failed, so there is nothing to retry."),
            ),
            Self::QueueFull { limit } => Problem::new(
                QUEUE_FULL,
                format!("With this request more than {limit} domains would wait or run; send it again later, or submit smaller parts."),
            )
            .with("limit", *limit)
            .retry_after(LATER),
            Self::NotReady {
                reason,
                retry_after,
            } => Problem::new(NOT_READY, *reason).retry_after(retry_after.unwrap_or(SOON)),
            Self::Database { source, .. } => of_class(source),
            Self::Busy { .. } => Problem::new(
                BUSY,
                "Every connection to the database is in use; try the same request again.",
            )
            .retry_after(SOON),
            Self::Overdue { .. } => unavailable(SOON),
            Self::Task { .. } | Self::Encode(_) => internal(),
            Self::Framework { status, .. } => of_status(*status),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.problem().status()
    }
}

fn of_class(error: &ScopeError) -> Problem {
    if let Some(wait) = error.refused_for() {
        return Problem::new(NOT_READY, Stage::Refused.sentence()).retry_after(wait);
    }
    match error.class() {
        ErrorClass::Retryable | ErrorClass::RetryLater | ErrorClass::OutcomeUnknown => {
            unavailable(SOON)
        }
        ErrorClass::Conflict | ErrorClass::Permanent | ErrorClass::Bug => internal(),
    }
}

fn unavailable(wait: Duration) -> Problem {
    Problem::new(
        DATABASE_UNAVAILABLE,
        "The database does not answer at the moment; try the same request again.",
    )
    .retry_after(wait)
}

fn internal() -> Problem {
    Problem::new(
        INTERNAL_ERROR,
        "The request met an error of the service; its log has more under the correlation id.",
    )
}

fn of_status(status: StatusCode) -> Problem {
    if status.is_client_error() {
        Problem::new(
            Kind {
                status,
                ..BAD_REQUEST
            },
            "The request cannot be understood.",
        )
    } else {
        internal()
    }
}

const MALFORMED_ID: Kind = Kind {
    status: StatusCode::BAD_REQUEST,
    code: "malformed_id",
    title: "The id is malformed",
};
const BAD_REQUEST: Kind = Kind {
    status: StatusCode::BAD_REQUEST,
    code: "bad_request",
    title: "The request is malformed",
};
const BATCH_NOT_FOUND: Kind = Kind {
    status: StatusCode::NOT_FOUND,
    code: "batch_not_found",
    title: "No such batch",
};
const JOB_NOT_FOUND: Kind = Kind {
    status: StatusCode::NOT_FOUND,
    code: "job_not_found",
    title: "No such job",
};
const ROUTE_NOT_FOUND: Kind = Kind {
    status: StatusCode::NOT_FOUND,
    code: "route_not_found",
    title: "No such path",
};
const METHOD_NOT_ALLOWED: Kind = Kind {
    status: StatusCode::METHOD_NOT_ALLOWED,
    code: "method_not_allowed",
    title: "Method not allowed",
};
const BATCH_ID_CONFLICT: Kind = Kind {
    status: StatusCode::CONFLICT,
    code: "batch_id_conflict",
    title: "The batch id is taken",
};
const BATCH_NOT_ACTIVE: Kind = Kind {
    status: StatusCode::CONFLICT,
    code: "batch_not_active",
    title: "The batch is not active",
};
const BATCH_NOT_ENDED: Kind = Kind {
    status: StatusCode::CONFLICT,
    code: "batch_not_ended",
    title: "The batch has not ended",
};
const NOTHING_FAILED: Kind = Kind {
    status: StatusCode::CONFLICT,
    code: "nothing_failed",
    title: "Nothing failed",
};
const QUEUE_FULL: Kind = Kind {
    status: StatusCode::TOO_MANY_REQUESTS,
    code: "queue_full",
    title: "The queue is full",
};
const NOT_READY: Kind = Kind {
    status: StatusCode::SERVICE_UNAVAILABLE,
    code: "not_ready",
    title: "The service is not ready",
};
const DATABASE_UNAVAILABLE: Kind = Kind {
    status: StatusCode::SERVICE_UNAVAILABLE,
    code: "database_unavailable",
    title: "The database is unavailable",
};
const INTERNAL_ERROR: Kind = Kind {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    code: "internal_error",
    title: "Internal error",
};
