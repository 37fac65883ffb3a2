//! The HTTP client of the process, and one answer as it arrives.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use percent_encoding::{CONTROLS, percent_encode};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName,
    HeaderValue, LOCATION,
};
use reqwest::{Client, StatusCode, redirect};
use rustls::ClientConfig;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncBufRead;
use tokio::time::Instant;
use tokio_util::io::StreamReader;
use trawl_domain::fetch_settings::FetchSettings;
use trawl_domain::url_rules::GivenUrl;

use super::body::{self, Body};
use super::cookies::Cookies;
use super::error::{FetchError, Limits};
use super::resolve::{Names, ResolveError, VettedResolver};
use super::{retry_after, tls};
use crate::crawler::CrawlerError;
use crate::step::{BodyHash, VALIDATOR_MAX_BYTES};

/// How long an idle connection is kept. Chosen: longer than the politeness delay, so the pages of
/// a site share a connection, and short, so that finished sites hold no sockets.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Most header lines of an answer. Chosen: some sites send more than a hundred with their policies
/// and cookies; the client bounds their bytes.
const HEADERS_MAX: usize = 1000;

/// What pages are asked for; other types are accepted last, so that servers answer at all.
const ACCEPT_HTML: HeaderValue =
    HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.1");

/// Sends requests; shared by all crawls of a process.
#[derive(Debug)]
pub(crate) struct Fetcher {
    client: Client,
    names: Arc<Names>,
    limits: Limits,
}

impl Fetcher {
    pub(crate) fn new(settings: &FetchSettings) -> Result<Self, CrawlerError> {
        Self::with_tls(settings, tls::client_config()?)
    }

    /// Makes a client that trusts what `tls` says.
    pub(super) fn with_tls(
        settings: &FetchSettings,
        tls: ClientConfig,
    ) -> Result<Self, CrawlerError> {
        let user_agent = HeaderValue::from_str(&settings.user_agent)
            .map_err(|source| CrawlerError::UserAgent { source })?;
        let names = Arc::new(Names::new(
            settings.addresses.clone(),
            settings.static_names.clone(),
        ));
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, ACCEPT_HTML);
        headers.insert(ACCEPT_ENCODING, body::ACCEPTED);
        let client = Client::builder()
            .user_agent(user_agent)
            .default_headers(headers)
            .tls_backend_preconfigured(tls)
            .dns_resolver(VettedResolver(Arc::clone(&names)))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(1)
            .http1_max_headers(HEADERS_MAX)
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .build()
            .map_err(|source| CrawlerError::Client { source })?;
        let limits = Limits {
            connect: settings.connect_timeout,
            first_byte: settings.first_byte_timeout,
            fetch: settings.fetch_timeout,
        };
        Ok(Self {
            client,
            names,
            limits,
        })
    }

    /// Sends a GET and waits for the head of the answer, whose body may have `max_bytes`, coded and
    /// decoded alike.
    ///
    /// The limits of the first byte and of the fetch run from here, the latter to the end of the
    /// body; looking the name up and connecting have limits of their own. Dropping the future or
    /// the answer closes the connection.
    pub(crate) async fn get(&self, url: &GivenUrl, max_bytes: usize) -> Result<Answer, FetchError> {
        self.get_with(url, max_bytes, &Cookies::default()).await
    }

    /// As [`Self::get`], with the cookies that are for `url`.
    pub(crate) async fn get_with(
        &self,
        url: &GivenUrl,
        max_bytes: usize,
        cookies: &Cookies,
    ) -> Result<Answer, FetchError> {
        let host = url.as_url().host().ok_or_else(|| ResolveError::NotFound {
            host: String::new(),
        })?;
        let addresses = self.names.resolve(host).await?;
        let began = Instant::now();
        let limit = self.limits.first_byte.min(self.limits.fetch);
        let mut request = self.client.get(url.as_url().clone());
        if let Some(cookies) = cookies.header(url.as_url()) {
            request = request.header(COOKIE, cookies);
        }
        match tokio::time::timeout(limit, request.send()).await {
            Err(_elapsed) => Err(FetchError::FirstByteTimeout { limit }),
            Ok(Err(source)) => Err(FetchError::classify(source, peer(&addresses), &self.limits)),
            Ok(Ok(response)) => Ok(Answer {
                status: response.status(),
                headers: response.headers().clone(),
                body: Body::of(response, max_bytes),
                max_bytes,
                addresses,
                first_byte: began.elapsed(),
                deadline: began + self.limits.fetch,
                limits: self.limits,
                body_bytes: 0,
                body_hash: Sha256::new(),
            }),
        }
    }
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
    max_bytes: usize,
    addresses: Arc<[IpAddr]>,
    first_byte: Duration,
    deadline: Instant,
    limits: Limits,
    body_bytes: u64,
    body_hash: Sha256,
}

impl Answer {
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The target of a redirect. Servers send more than ASCII here although RFC 9110 allows nothing
    /// else; they get back the very bytes, escaped, whatever charset they are in.
    pub(crate) fn location(&self) -> Option<String> {
        let is_redirect = matches!(self.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        let header = self.headers.get(LOCATION).filter(|_| is_redirect)?;
        Some(percent_encode(header.as_bytes(), CONTROLS).to_string())
    }

    pub(crate) fn content_type(&self) -> Option<&str> {
        self.headers.get(CONTENT_TYPE)?.to_str().ok()
    }

    /// From the sending of the request to the head of the answer, connecting included.
    pub(crate) fn first_byte(&self) -> Duration {
        self.first_byte
    }

    /// A header as sent, unless it is longer than any that is of use.
    pub(crate) fn short_header(&self, name: &HeaderName) -> Option<String> {
        let value = self.headers.get(name)?.to_str().ok()?;
        (value.len() <= VALIDATOR_MAX_BYTES).then(|| value.to_owned())
    }

    /// How long the server asks to be left alone.
    pub(crate) fn wait_asked_for(&self) -> Option<Duration> {
        retry_after::wait_asked_for(self.status, &self.headers, SystemTime::now())
    }

    /// How long a cache may keep the answer (RFC 9111, 5.2.2); `None` where nothing is said.
    pub(crate) fn max_age(&self) -> Option<Duration> {
        let directives = self.headers.get(CACHE_CONTROL)?.to_str().ok()?;
        let mut max_age = None;
        for directive in directives.split(',').map(str::trim) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
                return Some(Duration::ZERO);
            }
            if name.eq_ignore_ascii_case("max-age") {
                let seconds = value.trim_matches('"').parse().ok();
                max_age = seconds.map(Duration::from_secs).or(max_age);
            }
        }
        max_age
    }

    /// All headers that are text.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// Bytes of the body read so far, counted after decompression.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    /// The hash of the body read so far, by which equal bodies are recognized.
    pub(crate) fn body_hash(&self) -> BodyHash {
        let digest = self.body_hash.clone().finalize();
        let mut hash = BodyHash::default();
        for (to, from) in hash.iter_mut().zip(digest) {
            *to = from;
        }
        hash
    }

    /// The next piece of the body, `None` at its end.
    ///
    /// # Errors
    ///
    /// Also where the body goes on after its most bytes were read.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        let timed_out = FetchError::Timeout {
            limit: self.limits.fetch,
        };
        let too_large = FetchError::BodyTooLarge {
            limit_bytes: self.max_bytes,
        };
        // What has arrived in time counts, however late it is taken: it is bounded by its bytes.
        if self.body_bytes > u64::try_from(self.max_bytes).unwrap_or(u64::MAX) {
            return Err(too_large);
        }
        match tokio::time::timeout_at(self.deadline, self.body.chunk()).await {
            Err(_elapsed) => Err(timed_out),
            Ok(Err(source)) if source.kind() == io::ErrorKind::FileTooLarge => Err(too_large),
            Ok(Err(source)) => {
                let peer = peer(&self.addresses);
                Err(FetchError::classify_body(source, peer, &self.limits))
            }
            Ok(Ok(chunk)) => {
                let length = chunk.as_ref().map_or(0, Bytes::len);
                if let Some(chunk) = &chunk {
                    self.body_hash.update(chunk);
                }
                self.body_bytes += u64::try_from(length).unwrap_or(u64::MAX);
                Ok(chunk)
            }
        }
    }
}

impl Answer {
    /// The rest of the body, to be read piece by piece.
    pub(crate) fn into_reader(self) -> impl AsyncBufRead + Send + Unpin {
        let chunks = futures_util::stream::unfold(self, async |mut answer| {
            let chunk = answer.chunk().await.map_err(io::Error::other).transpose()?;
            Some((chunk, answer))
        });
        StreamReader::new(Box::pin(chunks))
    }
}

fn peer(addresses: &[IpAddr]) -> String {
    match addresses {
        [] => "the server".to_owned(),
        [only] => only.to_string(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}
