//! Why a probe has no answer.

use std::io;
use std::time::Duration;

use thiserror::Error;
use tokio_postgres::error::SqlState;

use crate::class::{self, ErrorClass};
use crate::tls::TlsRefusal;

/// Why a probe has no answer.
#[derive(Debug, Error)]
pub enum ProbeError {
    /// Nobody listens at the address, or the way there is barred.
    #[error("cannot connect to {address}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The connection could not be encrypted, or the server not be trusted.
    #[error("cannot connect to {address}: {refusal}")]
    Tls {
        /// Host and port.
        address: String,
        /// What is wrong, and what to do.
        refusal: TlsRefusal,
    },
    /// The server, or a pooler before it, said no.
    #[error("{message} ({code})")]
    Refused {
        /// Its SQLSTATE.
        code: String,
        /// What it said.
        message: String,
    },
    /// No answer in time.
    #[error("no answer within {limit:?} to {request}")]
    Silent {
        /// What was asked.
        request: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The connection broke.
    #[error("the connection broke during {request}")]
    Lost {
        /// What was asked.
        request: &'static str,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The server asks for a kind of login that Trawl does not have.
    #[error("the server asks for a login other than by password")]
    UnsupportedLogin,
    /// The server asks for a password and the URL has none.
    #[error("the server asks for a password and the URL has none")]
    PasswordMissing,
    /// The answer was not what PostgreSQL says.
    #[error("the answer to {request} is not PostgreSQL's: {what}")]
    Unexpected {
        /// What was asked.
        request: &'static str,
        /// What is odd about it.
        what: String,
    },
}

impl ProbeError {
    /// What may be done about it; the same classes as those of a scope.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Refused { code, message } => {
                class::of_answer(&SqlState::from_code(code), message)
            }
            Self::Tls { .. }
            | Self::UnsupportedLogin
            | Self::PasswordMissing
            | Self::Unexpected { .. } => ErrorClass::Permanent,
            Self::Unreachable { .. } | Self::Silent { .. } | Self::Lost { .. } => {
                ErrorClass::Retryable
            }
        }
    }

    /// Supavisor's own code in the answer, such as `ENOTFOUND`.
    pub fn pooler_code(&self) -> Option<&str> {
        match self {
            Self::Refused { message, .. } => class::pooler_code(message),
            _ => None,
        }
    }

    /// The SQLSTATE of the answer.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}
