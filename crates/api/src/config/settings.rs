//! The settings by subject. The doc comment of each field is its line in `--help`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use trawl_domain::fetch_settings::{
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_FETCH_TIMEOUT, DEFAULT_FIRST_BYTE_TIMEOUT,
    DEFAULT_MAX_BODY_BYTES, DEFAULT_POLITENESS_DELAY, DEFAULT_USER_AGENT, FetchSettings,
};
use trawl_domain::lease::LeaseTerms;
use trawl_domain::network::{AddressPolicy, StaticNames};
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_worker::worker::WorkerOptions;
use uuid::Uuid;

use super::refusal::Refusal;
use super::values::{self, CaFile, HumanDuration, LogFilter};

/// Where the API listens.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "API")]
pub struct HttpArgs {
    /// Address and port of the API; port 0 takes a free one
    #[arg(long, env = "TRAWL_BIND", hide_env_values = true, value_name = "ADDRESS",
          default_value = "127.0.0.1:8000", value_parser = values::address)]
    pub bind: SocketAddr,
    /// Domains that may wait or run at most before submissions are refused with 429, 1 to 100000000
    #[arg(long, env = "TRAWL_MAX_QUEUED", hide_env_values = true, value_name = "DOMAINS",
          default_value = "1000000", value_parser = values::number::<1, 100_000_000>)]
    max_queued: usize,
}

impl HttpArgs {
    /// Domains that may wait or run at most.
    pub fn queue_limit(&self) -> u32 {
        u32::try_from(self.max_queued).unwrap_or(u32::MAX)
    }
}

/// Which database, and how much of it.
#[derive(Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// Connection URL of PostgreSQL or of a transaction-mode pooler; unset: a private PostgreSQL
    /// under `TRAWL_DATA_DIR`
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// Connection URL for migrations that avoids the pooler; unset: `DATABASE_URL`
    #[arg(
        long,
        env = "DATABASE_DIRECT_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    database_direct_url: Option<String>,
    /// File with root certificates, in PEM form, to trust for the database beside the system's
    #[arg(
        long,
        env = "TRAWL_DATABASE_CA",
        hide_env_values = true,
        value_name = "FILE",
        value_parser = values::ca_file
    )]
    database_ca: Option<CaFile>,
    /// Directory of the private PostgreSQL
    #[arg(
        long,
        env = "TRAWL_DATA_DIR",
        hide_env_values = true,
        value_name = "DIRECTORY",
        default_value = ".trawl",
        value_parser = values::directory
    )]
    pub data_dir: PathBuf,
    /// Connections to the database that this process opens at most, 1 to 1000
    #[arg(long, env = "TRAWL_DB_POOL_SIZE", hide_env_values = true, value_name = "CONNECTIONS",
          default_value = "8", value_parser = values::number::<1, 1000>)]
    pub db_pool_size: usize,
}

/// How a worker works.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Worker")]
pub struct CrawlArgs {
    /// Domains crawled at once by this process, 1 to 4096
    #[arg(long, env = "TRAWL_WORKER_CONCURRENCY", hide_env_values = true, value_name = "DOMAINS",
          default_value = "64", value_parser = values::number::<1, 4096>)]
    worker_concurrency: usize,
    /// Least time from the end of one fetch to the next from the same host, 0s to 10m
    #[arg(long, env = "TRAWL_POLITENESS_DELAY", hide_env_values = true, value_name = "DURATION",
          default_value_t = HumanDuration(DEFAULT_POLITENESS_DELAY),
          value_parser = values::duration::<0, 600_000>)]
    politeness_delay: HumanDuration,
    /// Limit of one connection attempt, TLS handshake included, 10ms to 5m
    #[arg(long, env = "TRAWL_CONNECT_TIMEOUT", hide_env_values = true, value_name = "DURATION",
          default_value_t = HumanDuration(DEFAULT_CONNECT_TIMEOUT),
          value_parser = values::duration::<10, 300_000>)]
    connect_timeout: HumanDuration,
    /// Limit of one request up to the first byte of its answer, connecting included, 10ms to 10m
    #[arg(long, env = "TRAWL_FIRST_BYTE_TIMEOUT", hide_env_values = true, value_name = "DURATION",
          default_value_t = HumanDuration(DEFAULT_FIRST_BYTE_TIMEOUT),
          value_parser = values::duration::<10, 600_000>)]
    first_byte_timeout: HumanDuration,
    /// Limit of one request up to the last byte of its answer, 10ms to 10m
    #[arg(long, env = "TRAWL_FETCH_TIMEOUT", hide_env_values = true, value_name = "DURATION",
          default_value_t = HumanDuration(DEFAULT_FETCH_TIMEOUT),
          value_parser = values::duration::<10, 600_000>)]
    fetch_timeout: HumanDuration,
    /// Bytes of one body at most, after decompression, 1024 to 268435456
    #[arg(long, env = "TRAWL_MAX_BODY_BYTES", hide_env_values = true, value_name = "BYTES",
          default_value_t = DEFAULT_MAX_BODY_BYTES,
          value_parser = values::number::<1024, 268_435_456>)]
    max_body_bytes: usize,
    /// Identity of fetches; robots.txt rules are matched against its product name
    #[arg(long, env = "TRAWL_USER_AGENT", hide_env_values = true, value_name = "TEXT",
          default_value = DEFAULT_USER_AGENT, value_parser = values::user_agent)]
    user_agent: String,
    /// Networks that may be fetched from although they are not globally routable, comma-separated,
    /// such as 10.0.0.0/8; unset: none
    #[arg(
        long,
        env = "TRAWL_ALLOW_NETWORKS",
        hide_env_values = true,
        value_name = "NETWORKS"
    )]
    allow_networks: Option<AddressPolicy>,
    /// Names with addresses that are not asked of the resolver, comma-separated, such as
    /// *.test=127.0.0.1; unset: none
    #[arg(
        long,
        env = "TRAWL_RESOLVE",
        hide_env_values = true,
        value_name = "NAMES"
    )]
    resolve: Option<StaticNames>,
    /// Time after a worker's last heartbeat at which others take its domains, 1s to 1h
    #[arg(long, env = "TRAWL_LEASE_TTL", hide_env_values = true, value_name = "DURATION",
          default_value = "30s", value_parser = values::lease)]
    lease_ttl: LeaseTerms,
    /// Attempts at one domain before it counts as failed, 1 to 100
    #[arg(long, env = "TRAWL_MAX_ATTEMPTS", hide_env_values = true, value_name = "ATTEMPTS",
          default_value = "3", value_parser = values::number::<1, 100>)]
    max_attempts: usize,
    /// Time that one attempt at a domain may take, 1s to 7d
    #[arg(long, env = "TRAWL_JOB_DEADLINE", hide_env_values = true, value_name = "DURATION",
          default_value = "1h", value_parser = values::duration::<1000, 604_800_000>)]
    job_deadline: HumanDuration,
    /// Age at which batches that have ended are deleted with their pages, 1m to 100years
    #[arg(long, env = "TRAWL_RETENTION", hide_env_values = true, value_name = "DURATION",
          default_value = "30d", value_parser = values::duration::<60_000, 3_155_760_000_000>)]
    retention: HumanDuration,
}

/// How long the end may take.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Shutdown")]
pub struct ShutdownArgs {
    /// Time to finish requests and hand back work after the first signal, 1s to 10m
    #[arg(long, env = "TRAWL_SHUTDOWN_TIMEOUT", hide_env_values = true, value_name = "DURATION",
          default_value = "20s", value_parser = values::duration::<1000, 600_000>)]
    shutdown_timeout: HumanDuration,
}

/// What is logged, to stderr.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// Filter of log lines: a level (error, warn, info, debug, trace, off), or one for each target
    #[arg(
        long,
        env = "TRAWL_LOG",
        hide_env_values = true,
        value_name = "FILTER",
        default_value = "info"
    )]
    pub log: LogFilter,
    /// Form of log lines: text or json
    #[arg(
        long,
        env = "TRAWL_LOG_FORMAT",
        hide_env_values = true,
        value_name = "FORMAT",
        default_value = "text",
        value_enum,
        hide_possible_values = true
    )]
    pub log_format: LogFormat,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl DatabaseArgs {
    /// The URL of the database; `None` asks for the private PostgreSQL. An empty variable counts as
    /// unset, since compose files cannot leave one out.
    pub fn url(&self) -> Option<&str> {
        self.database_url.as_deref().filter(|url| !url.is_empty())
    }

    /// The URL for migrations, where it differs from the other.
    pub fn direct_url(&self) -> Option<&str> {
        self.database_direct_url
            .as_deref()
            .filter(|url| !url.is_empty())
    }

    /// Limits of the pool.
    pub fn pool_options(&self) -> PoolOptions {
        self.with_size(self.db_pool_size)
    }

    /// Limits of a pool of another size, to the same database.
    pub fn with_size(&self, size: usize) -> PoolOptions {
        PoolOptions {
            ca_pem: self.ca_pem().map(Arc::clone),
            ..PoolOptions::with_size(size)
        }
    }

    /// Root certificates to trust beside the system's, in PEM form.
    pub fn ca_pem(&self) -> Option<&Arc<[u8]>> {
        self.database_ca.as_ref().map(|file| &file.0)
    }

    /// Checks the URLs. Done here and not while the command line is read, since what is said of a
    /// wrong one must not contain its password.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        for (variable, url) in [
            ("DATABASE_URL (--database-url)", self.url()),
            (
                "DATABASE_DIRECT_URL (--database-direct-url)",
                self.direct_url(),
            ),
        ] {
            let Some(url) = url else { continue };
            if let Err(error) = Pool::new(url, self.with_size(1)) {
                return Err(Refusal::of_url(variable, url, &error));
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for DatabaseArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the URLs, which carry passwords.
        f.debug_struct("DatabaseArgs")
            .field("data_dir", &self.data_dir)
            .field("db_pool_size", &self.db_pool_size)
            .finish_non_exhaustive()
    }
}

impl CrawlArgs {
    /// What a worker has to be told; with `only_batch` it works on nothing else.
    pub fn worker_options(
        &self,
        shutdown: ShutdownArgs,
        only_batch: Option<Uuid>,
    ) -> WorkerOptions {
        WorkerOptions {
            concurrency: u32::try_from(self.worker_concurrency).unwrap_or(u32::MAX),
            lease: self.lease_ttl,
            max_attempts: u32::try_from(self.max_attempts).unwrap_or(u32::MAX),
            job_deadline: self.job_deadline.0,
            retention: Some(self.retention.0),
            shutdown_timeout: shutdown.limit(),
            fetch: self.fetch_settings(),
            only_batch,
        }
    }

    /// How long batches that have ended are kept.
    pub fn retention(&self) -> Duration {
        self.retention.0
    }

    fn fetch_settings(&self) -> FetchSettings {
        FetchSettings {
            user_agent: self.user_agent.clone(),
            politeness_delay: self.politeness_delay.0,
            connect_timeout: self.connect_timeout.0,
            first_byte_timeout: self.first_byte_timeout.0,
            fetch_timeout: self.fetch_timeout.0,
            max_body_bytes: self.max_body_bytes,
            addresses: self
                .allow_networks
                .clone()
                .unwrap_or_else(AddressPolicy::public_only),
            static_names: self.resolve.clone().unwrap_or_else(StaticNames::none),
        }
    }
}

impl ShutdownArgs {
    /// Time to finish requests and hand back work after the first signal.
    pub fn limit(self) -> Duration {
        self.shutdown_timeout.0
    }
}
