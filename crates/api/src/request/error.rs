//! Why a request was refused, and the rule that it broke.

use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use serde_json::Value;
use thiserror::Error;
use trawl_domain::limits::{DOMAINS_MAX, LimitError, METADATA_BYTES_MAX};

use super::body::BODY_BYTES_MAX;
use super::domains::InvalidDomain;
use super::options::Options;
use crate::problem::{BUSY, Kind, Problem};

/// Most invalid domains named in a refusal; an acceptance names them all.
const INVALID_NAMED_MAX: usize = 100;

/// A rule that a request broke.
#[derive(Debug, Error)]
pub(crate) enum RequestError {
    #[error("the body has more than {BODY_BYTES_MAX} bytes")]
    BodyTooLarge,
    #[error("the body did not arrive within {limit:?}")]
    BodyTimeout { limit: Duration },
    #[error("too many large bodies are held already")]
    BodiesBusy,
    #[error("the body broke off")]
    BodyBroken(#[source] PayloadError),
    #[error("the content type is not JSON")]
    MediaType,
    #[error("the body is not JSON: line {line}, column {column}")]
    InvalidJson { line: usize, column: usize },
    #[error("the body is not a JSON object")]
    NotAnObject,
    #[error("unknown field {field:?}")]
    UnknownField {
        field: String,
        known: &'static [&'static str],
    },
    #[error("field {field} is there twice")]
    RepeatedField { field: String },
    #[error("field {field} is missing")]
    MissingField { field: &'static str },
    #[error("field {field} {rule}")]
    InvalidField { field: String, rule: String },
    #[error("a number is out of range")]
    OutOfRange(#[source] LimitError),
    #[error("option {name:?} is not supported")]
    UnsupportedOption { name: String },
    #[error("the metadata has {bytes} bytes, more than {METADATA_BYTES_MAX}")]
    MetadataTooLarge { bytes: usize },
    #[error("the list of domains is empty")]
    NoDomains,
    #[error("there are {found} domains, more than {DOMAINS_MAX}")]
    TooManyDomains { found: usize },
    #[error("none of {} domains is valid", invalid.len())]
    NoValidDomain { invalid: Vec<InvalidDomain> },
}

impl RequestError {
    /// A field that breaks a rule; the rule follows the field's name in a sentence.
    pub(super) fn field(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self::InvalidField {
            field: field.into(),
            rule: rule.into(),
        }
    }

    /// What the client is told.
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::BodyTooLarge => Problem::new(
                BODY_TOO_LARGE,
                format!("The body must not be larger than {BODY_BYTES_MAX} bytes."),
            )
            .with("limit", BODY_BYTES_MAX),
            Self::BodyTimeout { limit } => Problem::new(
                BODY_TIMEOUT,
                format!("The body did not arrive within {} s.", limit.as_secs()),
            ),
            Self::BodiesBusy => Problem::new(
                BUSY,
                "Too many large requests arrive at once; try the same request again.",
            )
            .retry_after(BODIES_BUSY_WAIT),
            Self::BodyBroken(_) => Problem::new(BODY_BROKEN, "The body broke off before its end."),
            Self::MediaType => Problem::new(
                UNSUPPORTED_MEDIA_TYPE,
                "The Content-Type of the body must be application/json.",
            ),
            Self::InvalidJson { line, column } => Problem::new(
                INVALID_JSON,
                format!("The body is not valid JSON at line {line}, column {column}."),
            )
            .with("line", *line)
            .with("column", *column),
            Self::NotAnObject => Problem::new(INVALID_FIELD, "The body must be a JSON object."),
            Self::UnknownField { field, known } => Problem::new(
                UNKNOWN_FIELD,
                format!(
                    "There is no field {field:?}; known are {}.",
                    known.join(", ")
                ),
            )
            .with("field", field.as_str())
            .with("known_fields", *known),
            Self::RepeatedField { field } => {
                Problem::new(REPEATED_FIELD, format!("{field} must not be given twice."))
                    .with("field", field.as_str())
            }
            Self::MissingField { field } => {
                Problem::new(MISSING_FIELD, format!("{field} is missing.")).with("field", *field)
            }
            Self::InvalidField { field, rule } => {
                Problem::new(INVALID_FIELD, format!("{field} {rule}."))
                    .with("field", field.as_str())
            }
            Self::OutOfRange(LimitError { name, min, max, .. }) => Problem::new(
                OUT_OF_RANGE,
                format!("{name} must be a whole number from {min} to {max}."),
            )
            .with("field", *name)
            .with("minimum", *min)
            .with("maximum", *max),
            Self::UnsupportedOption { name } => Problem::new(
                UNSUPPORTED_OPTION,
                format!(
                    "There is no option {name:?}; known are {}.",
                    Options::NAMES.join(", ")
                ),
            )
            .with("field", format!("options.{name}"))
            .with("known_options", Options::NAMES),
            Self::MetadataTooLarge { bytes } => Problem::new(
                METADATA_TOO_LARGE,
                format!(
                    "metadata has {bytes} bytes and must not have more than {METADATA_BYTES_MAX}."
                ),
            )
            .with("field", "metadata")
            .with("limit", METADATA_BYTES_MAX),
            Self::NoDomains => Problem::new(NO_DOMAINS, "domains must name at least one domain.")
                .with("field", "domains"),
            Self::TooManyDomains { found } => Problem::new(
                TOO_MANY_DOMAINS,
                format!("domains has {found} entries and must not have more than {DOMAINS_MAX}."),
            )
            .with("field", "domains")
            .with("limit", DOMAINS_MAX),
            Self::NoValidDomain { invalid } => no_valid_domain(invalid),
        }
    }
}

fn no_valid_domain(invalid: &[InvalidDomain]) -> Problem {
    let named: Vec<Value> = invalid
        .iter()
        .take(INVALID_NAMED_MAX)
        .map(|invalid| serde_json::json!({"domain": invalid.domain, "reason": invalid.reason}))
        .collect();
    Problem::new(
        NO_VALID_DOMAIN,
        format!("None of the {} domains is valid.", invalid.len()),
    )
    .with("field", "domains")
    .with("invalid_count", invalid.len())
    .with("invalid_domains", named)
}

const BODY_TOO_LARGE: Kind = Kind {
    status: StatusCode::PAYLOAD_TOO_LARGE,
    code: "body_too_large",
    title: "The body is too large",
};
const BODY_TIMEOUT: Kind = Kind {
    status: StatusCode::REQUEST_TIMEOUT,
    code: "body_timeout",
    title: "The body did not arrive in time",
};
/// For a large body to arrive and be stored (chosen).
const BODIES_BUSY_WAIT: Duration = Duration::from_secs(5);
const BODY_BROKEN: Kind = Kind {
    status: StatusCode::BAD_REQUEST,
    code: "body_incomplete",
    title: "The body is incomplete",
};
const UNSUPPORTED_MEDIA_TYPE: Kind = Kind {
    status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
    code: "unsupported_media_type",
    title: "The body is not declared as JSON",
};
const INVALID_JSON: Kind = Kind {
    status: StatusCode::BAD_REQUEST,
    code: "invalid_json",
    title: "The body is not JSON",
};
const UNKNOWN_FIELD: Kind = of_content("unknown_field", "The body has an unknown field");
const REPEATED_FIELD: Kind = of_content("repeated_field", "The body repeats a field");
const MISSING_FIELD: Kind = of_content("missing_field", "The body lacks a field");
const INVALID_FIELD: Kind = of_content("invalid_field", "A field has a wrong value");
const OUT_OF_RANGE: Kind = of_content("out_of_range", "A number is out of range");
const UNSUPPORTED_OPTION: Kind = of_content("unsupported_option", "An option is not supported");
const METADATA_TOO_LARGE: Kind = of_content("metadata_too_large", "The metadata is too large");
const NO_DOMAINS: Kind = of_content("no_domains", "There is no domain");
const TOO_MANY_DOMAINS: Kind = of_content("too_many_domains", "There are too many domains");
const NO_VALID_DOMAIN: Kind = of_content("no_valid_domain", "No domain is valid");

/// JSON that is well formed and says what is not allowed.
const fn of_content(code: &'static str, title: &'static str) -> Kind {
    Kind {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        code,
        title,
    }
}
