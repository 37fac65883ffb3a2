//! How long a server asks to be left alone: 429 (RFC 6585, 4), and 503 with `Retry-After`
//! (RFC 9110, 10.2.3 and 15.6.4).

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The wait after a 429 that states none. Chosen: limits are mostly counted by the minute, and half
/// of one lets a sliding count fall.
const WAIT_DEFAULT: Duration = Duration::from_secs(30);

/// Shortest wait, so that a server that asks for none at all is not asked in a tight loop.
const WAIT_MIN: Duration = Duration::from_secs(1);

/// Longest wait. Chosen: a site that asks for more is asked again after an hour, a few times, and
/// then given up; a date far ahead must not keep a batch for ever.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(3600);

/// The wait that an answer asks for, from [`WAIT_MIN`] to [`WAIT_MAX`]; `None` where it asks for none.
///
/// A date is compared with the server's own clock where it tells it, else with `now`.
pub(super) fn wait_asked_for(
    status: StatusCode,
    headers: &HeaderMap,
    now: SystemTime,
) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let server_time = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    let asked = text(RETRY_AFTER).and_then(|value| read(value.trim(), server_time.unwrap_or(now)));
    let wait = match status {
        StatusCode::TOO_MANY_REQUESTS => asked.unwrap_or(WAIT_DEFAULT),
        StatusCode::SERVICE_UNAVAILABLE => asked?,
        _ => return None,
    };
    Some(wait.clamp(WAIT_MIN, WAIT_MAX))
}

fn read(value: &str, now: SystemTime) -> Option<Duration> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds mean a long time all the same.
        return Some(value.parse().map_or(WAIT_MAX, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    // A date that has passed asks for no wait.
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    /// Tue, 24 Nov 2026 08:00:00 GMT.
    const NOW_UNIX_SECONDS: u64 = 1_795_507_200;

    fn asked(status: u16, headers: &[(HeaderName, &str)]) -> Option<u64> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).expect(value)))
            .collect();
        let status = StatusCode::from_u16(status).expect("status");
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW_UNIX_SECONDS);
        wait_asked_for(status, &headers, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_read_and_bounded() {
        for (value, expected) in [
            ("7", 7),
            (" 120 ", 120),
            ("0", 1),
            ("86400", 3600),
            ("99999999999999999999999", 3600),
            ("Tue, 24 Nov 2026 08:00:42 GMT", 42),
            ("Tuesday, 24-Nov-26 08:00:42 GMT", 42),
            ("Tue Nov 24 08:00:42 2026", 42),
            ("Tue, 24 Nov 2026 07:00:00 GMT", 1),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ] {
            assert_eq!(
                asked(429, &[(RETRY_AFTER, value)]),
                Some(expected),
                "{value}"
            );
            assert_eq!(
                asked(503, &[(RETRY_AFTER, value)]),
                Some(expected),
                "{value}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_counts_as_not_stated() {
        for value in [
            "",
            "-1",
            "1.5",
            "soon",
            "7s",
            "Tue, 99 Nov 2026 08:00:42 GMT",
        ] {
            assert_eq!(asked(429, &[(RETRY_AFTER, value)]), Some(30), "{value}");
            assert_eq!(asked(503, &[(RETRY_AFTER, value)]), None, "{value}");
        }
        assert_eq!(asked(429, &[]), Some(30));
    }

    #[test]
    fn only_429_and_503_ask_to_wait() {
        for status in [200, 301, 404, 500, 502] {
            assert_eq!(asked(status, &[(RETRY_AFTER, "7")]), None, "{status}");
        }
    }

    #[test]
    fn a_date_is_read_by_the_clock_of_the_server() {
        let headers = [
            (RETRY_AFTER, "Tue, 24 Nov 2026 06:00:10 GMT"),
            (DATE, "Tue, 24 Nov 2026 06:00:00 GMT"),
        ];
        assert_eq!(asked(503, &headers), Some(10));
    }
}
