//! What all crawls of a process share: one HTTP client, its settings, and the identity.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use trawl_domain::fetch_settings::FetchSettings;

use crate::crawl::Crawl;
use crate::fetch::{Fetcher, TlsSetupError};
use crate::robots::{self, RobotsCache};
use crate::step::CrawlOrder;

/// Begins crawls. Clones share one client.
#[derive(Debug, Clone)]
pub struct Crawler {
    shared: Arc<Shared>,
}

/// What a crawl needs of its crawler.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) fetcher: Fetcher,
    pub(crate) politeness_delay: Duration,
    pub(crate) max_body_bytes: usize,
    pub(crate) robots: RobotsCache,
    /// The product name by which robots.txt and pages may speak to the crawler.
    pub(crate) product_token: String,
}

/// A crawler that cannot be made of its settings.
#[derive(Debug, Error)]
pub enum CrawlerError {
    /// The user agent cannot be sent in a header.
    #[error("the user agent contains characters that no header can carry")]
    UserAgent {
        /// The cause.
        #[source]
        source: reqwest::header::InvalidHeaderValue,
    },
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be built")]
    Client {
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
}

impl Crawler {
    /// Makes a crawler.
    ///
    /// # Errors
    ///
    /// See [`CrawlerError`].
    pub fn new(settings: FetchSettings) -> Result<Self, CrawlerError> {
        let fetcher = Fetcher::new(&settings)?;
        let product_token = robots::product_token(&settings.user_agent).to_owned();
        let FetchSettings {
            politeness_delay,
            max_body_bytes,
            ..
        } = settings;
        let shared = Shared {
            fetcher,
            politeness_delay,
            max_body_bytes,
            robots: RobotsCache::default(),
            product_token,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Begins the crawl of one site; [`Crawl::replay`] resumes an earlier one.
    ///
    /// Nothing is fetched before the first [`Crawl::next`].
    pub fn begin(&self, order: CrawlOrder) -> Crawl {
        Crawl::new(Arc::clone(&self.shared), order)
    }
}
