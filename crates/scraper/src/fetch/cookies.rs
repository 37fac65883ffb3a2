//! The cookies of one crawl (RFC 6265): kept in memory, sent back as browsers do, gone with the crawl.

use cookie_store::CookieStore;
use reqwest::header::{HeaderValue, SET_COOKIE};
use url::Url;

use super::Answer;

/// Most cookies that are kept. Chosen: twice what browsers keep of one domain at least (RFC 6265, 6.1).
const COOKIES_MAX: usize = 100;

/// Longest `Set-Cookie` that is taken, in bytes (RFC 6265, 6.1).
const COOKIE_MAX_BYTES: usize = 4096;

/// Longest `Cookie` header that is sent, in bytes. Chosen: servers take heads of 8 KiB.
const HEADER_MAX_BYTES: usize = 6 * 1024;

/// The cookies of one crawl.
#[derive(Debug, Default)]
pub(crate) struct Cookies(CookieStore);

impl Cookies {
    /// What to send with a request for `url`.
    pub(super) fn header(&self, url: &Url) -> Option<HeaderValue> {
        let mut header = String::new();
        for (name, value) in self.0.get_request_values(url) {
            let separator = if header.is_empty() { "" } else { "; " };
            let length = separator.len() + name.len() + 1 + value.len();
            if header.len() + length <= HEADER_MAX_BYTES {
                header.extend([separator, name, "=", value]);
            }
        }
        HeaderValue::try_from(header)
            .ok()
            .filter(|header| !header.is_empty())
    }

    /// Takes what an answer from `url` sets. Whether the next request for `url` is another one by it.
    pub(crate) fn take(&mut self, url: &Url, answer: &Answer) -> bool {
        let set: Vec<&str> = answer
            .headers()
            .filter(|(name, value)| *name == SET_COOKIE && value.len() <= COOKIE_MAX_BYTES)
            .map(|(_, value)| value)
            .collect();
        self.set(url, &set)
    }

    fn set(&mut self, url: &Url, cookies: &[&str]) -> bool {
        if cookies.is_empty() {
            return false;
        }
        let before = self.header(url);
        for cookie in cookies {
            if self.0.iter_any().count() < COOKIES_MAX {
                // One that is none, or is for another site, is passed over.
                let _ = self.0.parse(cookie, url);
            }
        }
        self.header(url) != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn sent(cookies: &Cookies, to: &str) -> String {
        let header = cookies.header(&url(to));
        header.map_or_else(String::new, |header| header.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_cookie_is_sent_to_whom_it_is_for() {
        let mut cookies = Cookies::default();
        let site = url("https://www.shop.test/a/b");
        assert!(cookies.set(&site, &["wall=1; Path=/; Secure", "deep=2; Path=/a"]));
        assert!(!cookies.set(&site, &["wall=1; Path=/"]), "known");
        assert!(!cookies.set(&site, &["other=1; Domain=other.test", "", "; ;="]));
        assert!(cookies.set(&site, &["all=3; Domain=shop.test; Path=/"]));
        let mut parts: Vec<String> = sent(&cookies, "https://www.shop.test/a/b")
            .split("; ")
            .map(str::to_owned)
            .collect();
        parts.sort();
        assert_eq!(parts, ["all=3", "deep=2", "wall=1"]);
        assert_eq!(sent(&cookies, "https://blog.shop.test/"), "all=3");
        assert_eq!(sent(&cookies, "https://other.test/"), "");
        assert!(cookies.set(&site, &["wall=; Path=/; Max-Age=0"]), "deleted");
        assert!(!sent(&cookies, "https://www.shop.test/").contains("wall"));
    }

    #[test]
    fn cookies_are_bounded() {
        let mut cookies = Cookies::default();
        let site = url("https://shop.test/");
        for n in 0..1000 {
            cookies.set(&site, &[&format!("c{n}={}", "x".repeat(500))]);
        }
        assert_eq!(cookies.0.iter_any().count(), COOKIES_MAX);
        let length = sent(&cookies, "https://shop.test/").len();
        assert!((5000..=HEADER_MAX_BYTES).contains(&length), "{length}");
    }
}
