//! Where a URL leads and how it is spoken to: read once, the same for the pool and for the probe.

use std::str::FromStr;
use std::time::Duration;

use rustls::ClientConfig;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::pool::PoolBuildError;
use crate::tls;

/// A database, as a URL names it.
pub(crate) struct Endpoint {
    pub(crate) config: Config,
    /// How TLS connections are made; `None` where none is wanted.
    pub(crate) tls: Option<ClientConfig>,
}

impl Endpoint {
    /// Reads a URL. Connects to nothing.
    ///
    /// # Errors
    /// [`PoolBuildError`] when the URL is malformed or carries `options`, or when TLS cannot be set
    /// up.
    pub(crate) fn of_url(
        url: &str,
        connect_timeout: Duration,
        ca_pem: Option<&[u8]>,
    ) -> Result<Self, PoolBuildError> {
        let mut config =
            Config::from_str(&tls::in_drivers_words(url)).map_err(PoolBuildError::Url)?;
        tls::settle_mode(url, &mut config);
        if config.get_options().is_some() {
            return Err(PoolBuildError::Options);
        }
        config.connect_timeout(connect_timeout);
        if config.get_application_name().is_none() {
            config.application_name("trawl");
        }
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(tls::client_config(ca_pem)?),
        };
        Ok(Self { config, tls })
    }
}
