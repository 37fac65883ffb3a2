//! Why a domain job or a page ended without its content.
//!
//! The code is the stable word that clients program against; the sentence is for people.
//! [`FailureCode::disposition`] is the only place that decides whether another attempt can help.

use std::fmt;

/// A failure as users see it: a stable code and one human sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The stable code.
    pub code: FailureCode,
    /// One sentence: what was attempted, on what, and what happened.
    pub sentence: String,
}

impl Failure {
    /// Joins a code and its sentence.
    pub fn new(code: FailureCode, sentence: impl Into<String>) -> Self {
        Self {
            code,
            sentence: sentence.into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.sentence)
    }
}

/// What to do with a job after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Another attempt may succeed.
    Retry,
    /// Another attempt would meet the same answer.
    GiveUp,
}

macro_rules! failure_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal => $disposition:ident,)+) => {
        /// The stable failure codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum FailureCode { $($(#[$doc])* $name,)+ }

        impl FailureCode {
            /// Every code, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word used in answers, rows and logs.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// Whether another attempt can help.
            pub fn disposition(self) -> Disposition {
                match self { $(Self::$name => Disposition::$disposition,)+ }
            }

            /// The code a stored word stands for.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == word)
            }
        }
    };
}

failure_codes! {
    /// The name server says that the name does not exist.
    DnsNotFound = "dns_not_found" => Retry,
    /// The name could not be looked up.
    DnsFailed = "dns_failed" => Retry,
    /// Nobody listens at the address.
    ConnectRefused = "connect_refused" => Retry,
    /// No connection within the connect limit.
    ConnectTimeout = "connect_timeout" => Retry,
    /// The connection failed or broke for another reason.
    ConnectFailed = "connect_failed" => Retry,
    /// The TLS handshake failed.
    TlsFailed = "tls_failed" => Retry,
    /// The answer did not end within the fetch limit.
    FetchTimeout = "fetch_timeout" => Retry,
    /// The server answered 4xx (429 apart).
    HttpClientError = "http_client_error" => GiveUp,
    /// The server answered 5xx.
    HttpServerError = "http_server_error" => Retry,
    /// The server answered 429.
    TooManyRequests = "too_many_requests" => Retry,
    /// A status that is no answer to a GET (1xx, 304 and the like).
    HttpUnexpectedStatus = "http_unexpected_status" => GiveUp,
    /// More redirects than the limit, or a redirect without a usable target.
    RedirectLimit = "redirect_limit" => GiveUp,
    /// The redirect leads out of the site.
    RedirectOffSite = "redirect_off_site" => GiveUp,
    /// The redirect leads to a page that was visited before.
    Duplicate = "duplicate" => GiveUp,
    /// The redirect leads to a page that the options of the batch exclude.
    Excluded = "excluded" => GiveUp,
    /// The body is larger than the limit.
    BodyTooLarge = "body_too_large" => GiveUp,
    /// The body is not HTML.
    NotHtml = "not_html" => GiveUp,
    /// The body could not be decoded or parsed.
    DecodeFailed = "decode_failed" => GiveUp,
    /// robots.txt disallows the URL.
    RobotsDisallowed = "robots_disallowed" => GiveUp,
    /// robots.txt could not be fetched, so everything is disallowed for now (RFC 9309, 2.3.1.4).
    RobotsUnavailable = "robots_unavailable" => Retry,
    /// The address is not globally routable and not allowed by the operator.
    AddressBlocked = "address_blocked" => GiveUp,
    /// The worker that held the job stopped renewing its lease.
    WorkerLost = "worker_lost" => Retry,
    /// The work panicked: a defect of Trawl, recorded instead of lost.
    WorkPanicked = "work_panicked" => Retry,
    /// The work met an error of Trawl itself.
    Internal = "internal" => Retry,
    /// The site, or its batch, was not done within its deadline.
    DeadlineExceeded = "deadline_exceeded" => GiveUp,
    /// The batch or the job was cancelled.
    Cancelled = "cancelled" => GiveUp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_has_its_own_word_and_reads_back() {
        let words: HashSet<_> = FailureCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), FailureCode::ALL.len());
        for code in FailureCode::ALL {
            assert_eq!(FailureCode::from_word(code.as_str()), Some(*code));
        }
        assert_eq!(FailureCode::from_word("nonsense"), None);
    }
}
