//! Why a fetch gave no answer, by kind.
//!
//! Kinds come from error types and `io::ErrorKind`, never from message text, and sentences never
//! quote a library.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use thiserror::Error;
use trawl_domain::failure::{Failure, FailureCode};

use super::resolve::ResolveError;

/// A fetch that gave no usable answer. `Display` is what happened, without the URL.
#[derive(Debug, Error)]
pub(crate) enum FetchError {
    /// No address to connect to.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// Nobody listens.
    #[error("was refused by {peer}")]
    Refused { peer: String },
    /// No connection within the limit.
    #[error("had no connection to {peer} within {} s", limit.as_secs_f64())]
    ConnectTimeout { peer: String, limit: Duration },
    /// No connection for another reason.
    #[error("could not connect to {peer}")]
    Connect {
        peer: String,
        #[source]
        source: reqwest::Error,
    },
    /// A connection without a valid TLS session.
    #[error("had no secure connection to {peer}: {}", reason.as_str())]
    Tls {
        peer: String,
        reason: TlsReason,
        #[source]
        source: reqwest::Error,
    },
    /// No answer within the limit.
    #[error("was not answered within {} s", limit.as_secs_f64())]
    FirstByteTimeout { limit: Duration },
    /// No complete answer within the limit.
    #[error("was not answered to the end within {} s", limit.as_secs_f64())]
    Timeout { limit: Duration },
    /// The connection broke, or spoke no HTTP.
    #[error("broke off before the answer was complete")]
    Broken {
        #[source]
        source: io::Error,
    },
    /// The body does not decompress, or its chunks are malformed.
    #[error("was answered with a body that cannot be decoded")]
    Decode {
        #[source]
        source: io::Error,
    },
    /// The body is larger than the cap.
    #[error("was answered with more than {limit_bytes} bytes")]
    BodyTooLarge { limit_bytes: usize },
}

/// Why there is no TLS session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsReason {
    /// The certificate is not valid for the host, or not at all.
    Certificate,
    /// The server refused to go on.
    Alert,
    /// What answers does not speak TLS, or a TLS of its own.
    Protocol,
}

impl TlsReason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "its certificate is not valid",
            Self::Alert => "it refused the handshake",
            Self::Protocol => "it does not speak TLS there",
        }
    }
}

impl FetchError {
    /// Classes an error of the HTTP client.
    pub(super) fn classify(source: reqwest::Error, peer: String, limits: &Limits) -> Self {
        let is_connect = source.is_connect();
        if let Some(reason) = find_in_chain(&source, tls_reason) {
            return Self::Tls {
                peer,
                reason,
                source,
            };
        }
        if source.is_timeout() {
            return if is_connect {
                Self::ConnectTimeout {
                    peer,
                    limit: limits.connect,
                }
            } else {
                Self::Timeout {
                    limit: limits.fetch,
                }
            };
        }
        if is_connect {
            return match find_in_chain(&source, io_kind) {
                Some(io::ErrorKind::ConnectionRefused) => Self::Refused { peer },
                _ => Self::Connect { peer, source },
            };
        }
        // The client calls every error in a body one of decoding; the kind tells them apart.
        let is_nonsense =
            source.is_decode() && find_in_chain(&source, io_kind).is_some_and(is_nonsense);
        Self::of_body(io::Error::other(source), is_nonsense)
    }

    /// Classes an error of a body: of the client, or of a decoder.
    pub(super) fn classify_body(source: io::Error, peer: String, limits: &Limits) -> Self {
        match source.downcast() {
            Ok(source) => Self::classify(source, peer, limits),
            Err(source) => {
                let is_nonsense = is_nonsense(source.kind());
                Self::of_body(source, is_nonsense)
            }
        }
    }

    fn of_body(source: io::Error, is_nonsense: bool) -> Self {
        if is_nonsense {
            Self::Decode { source }
        } else {
            Self::Broken { source }
        }
    }

    /// The stable code.
    pub(crate) fn code(&self) -> FailureCode {
        match self {
            Self::Resolve(ResolveError::NotFound { .. }) => FailureCode::DnsNotFound,
            Self::Resolve(ResolveError::Lookup { .. } | ResolveError::Timeout { .. }) => {
                FailureCode::DnsFailed
            }
            Self::Resolve(ResolveError::Blocked { .. }) => FailureCode::AddressBlocked,
            Self::Refused { .. } => FailureCode::ConnectRefused,
            Self::ConnectTimeout { .. } => FailureCode::ConnectTimeout,
            Self::Connect { .. } | Self::Broken { .. } => FailureCode::ConnectFailed,
            Self::Tls { .. } => FailureCode::TlsFailed,
            Self::FirstByteTimeout { .. } | Self::Timeout { .. } => FailureCode::FetchTimeout,
            Self::Decode { .. } => FailureCode::DecodeFailed,
            Self::BodyTooLarge { .. } => FailureCode::BodyTooLarge,
        }
    }

    /// Whether what came of the body before it may be used: browsers show it.
    pub(crate) fn leaves_what_came(&self) -> bool {
        matches!(self, Self::Broken { .. } | Self::Decode { .. })
    }

    /// The failure to report for a GET of `url`.
    pub(crate) fn failure(&self, url: &str) -> Failure {
        let sentence = match self {
            Self::Resolve(error) => format!("GET {url} was not sent: {error}"),
            other => format!("GET {url} {other}"),
        };
        Failure::new(self.code(), sentence)
    }
}

/// The limits that an error may have to name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) connect: Duration,
    pub(super) first_byte: Duration,
    pub(super) fetch: Duration,
}

/// Looks through an error and its causes, also where an `io::Error` only wraps the real one.
fn find_in_chain<T>(
    error: &(dyn StdError + 'static),
    find: fn(&(dyn StdError + 'static)) -> Option<T>,
) -> Option<T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = find(error) {
            return Some(found);
        }
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn io_kind(error: &(dyn StdError + 'static)) -> Option<io::ErrorKind> {
    error.downcast_ref::<io::Error>().map(io::Error::kind)
}

/// Whether a body was there and could not be understood, as opposed to one that is not all there.
fn is_nonsense(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, Other};
    matches!(kind, InvalidData | InvalidInput | Other)
}

fn tls_reason(error: &(dyn StdError + 'static)) -> Option<TlsReason> {
    error
        .downcast_ref::<rustls::Error>()
        .map(|error| match error {
            rustls::Error::InvalidCertificate(_)
            | rustls::Error::NoCertificatesPresented
            | rustls::Error::UnsupportedNameType => TlsReason::Certificate,
            rustls::Error::AlertReceived(_) => TlsReason::Alert,
            _ => TlsReason::Protocol,
        })
}
