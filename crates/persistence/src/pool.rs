//! The connections of this process to the pooler, and the guard that decides whether one may be
//! used again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, PoolError, RecyclingMethod, Runtime,
    TimeoutType,
};
use thiserror::Error;
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::endpoint::Endpoint;
use crate::error::ScopeError;
use crate::refusal::{Gate, IsTrial};
use crate::tls::TlsError;

/// Limits of a pool. Every wait has one.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Client connections this process opens at most.
    pub size: usize,
    /// Longest wait for a free connection; below every pooler's own checkout limit (Supavisor: 60 s).
    pub acquire_timeout: Duration,
    /// Longest wait for a new connection.
    pub connect_timeout: Duration,
    /// Age at which a connection is replaced, so that a pooler behind a name can move.
    pub max_age: Duration,
    /// Root certificates to trust beside the system's, in PEM form.
    pub ca_pem: Option<Arc<[u8]>>,
}

impl PoolOptions {
    /// Options with the default limits (chosen) and this size.
    pub fn with_size(size: usize) -> Self {
        Self {
            size,
            acquire_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            max_age: Duration::from_secs(20 * 60),
            ca_pem: None,
        }
    }
}

/// Why a pool could not be made.
#[derive(Debug, Error)]
pub enum PoolBuildError {
    /// The URL is no PostgreSQL connection string.
    #[error("the database URL is not valid")]
    Url(#[source] tokio_postgres::Error),
    /// The URL carries `options`, which poolers refuse or ignore.
    #[error(
        "the database URL must not carry `options`: PgBouncer refuses it and Supavisor ignores it"
    )]
    Options,
    /// TLS was asked for and cannot be set up.
    #[error("the database connection cannot be encrypted")]
    Tls(#[from] TlsError),
    /// The pool's own parameters do not fit.
    #[error("the pool cannot be built")]
    Build(#[source] deadpool_postgres::BuildError),
}

/// How the connections of a pool ended, since the start of the process.
#[derive(Debug, Default)]
struct Counters {
    discarded: AtomicU64,
    leaked: AtomicU64,
}

/// A bounded set of connections. Cheap to clone; all clones share the connections.
#[derive(Clone)]
pub struct Pool {
    inner: deadpool_postgres::Pool,
    counters: Arc<Counters>,
    gate: Arc<Gate>,
    options: PoolOptions,
}

/// A moment's view of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStatus {
    /// Connections the pool may open.
    pub max_size: usize,
    /// Connections open now.
    pub size: usize,
    /// Of these, not in use.
    pub idle: usize,
    /// Callers waiting for one.
    pub waiting: usize,
    /// Connections thrown away because their last request did not end in success.
    pub discarded: u64,
    /// Of these, where another client's leaked default refused a statement, which then ran in a
    /// transaction of its own.
    pub leaked: u64,
}

impl Pool {
    /// Makes a pool for `url`. Opens no connection yet.
    ///
    /// # Errors
    /// [`PoolBuildError`] when the URL is malformed or carries `options`, or when TLS cannot be set
    /// up.
    pub fn new(url: &str, options: PoolOptions) -> Result<Self, PoolBuildError> {
        let Endpoint { config, tls } =
            Endpoint::of_url(url, options.connect_timeout, options.ca_pem.as_deref())?;
        // `Clean` would run RESET ALL on whatever backend the pooler gives: see docs.
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = match tls {
            None => Manager::from_config(config, NoTls, recycling),
            Some(tls) => Manager::from_config(config, MakeRustlsConnect::new(tls), recycling),
        };
        let max_age = options.max_age;
        let inner = deadpool_postgres::Pool::builder(manager)
            .max_size(options.size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.acquire_timeout))
            .create_timeout(Some(options.connect_timeout))
            .recycle_timeout(Some(Duration::from_secs(2)))
            .pre_recycle(Hook::sync_fn(move |_, metrics| {
                if metrics.created.elapsed() > max_age {
                    return Err(HookError::message("the connection has reached its age"));
                }
                Ok(())
            }))
            .build()
            .map_err(PoolBuildError::Build)?;
        Ok(Self {
            inner,
            counters: Arc::default(),
            gate: Arc::default(),
            options,
        })
    }

    /// What the pool looks like now.
    pub fn status(&self) -> PoolStatus {
        let status = self.inner.status();
        PoolStatus {
            max_size: status.max_size,
            size: status.size,
            idle: status.available,
            waiting: status.waiting,
            discarded: self.counters.discarded.load(Ordering::Relaxed),
            leaked: self.counters.leaked.load(Ordering::Relaxed),
        }
    }

    /// Counts a statement that another client's leaked default refused.
    pub(crate) fn met_leaked_default(&self) {
        self.counters.leaked.fetch_add(1, Ordering::Relaxed);
    }

    /// Closes idle connections and refuses further scopes.
    pub fn close(&self) {
        self.inner.close();
    }

    /// How long no connection is asked for yet, since the database refused this service.
    pub fn refused_for(&self) -> Option<Duration> {
        self.gate.closed_for(Instant::now())
    }

    pub(crate) async fn checkout(&self) -> Result<Connection, ScopeError> {
        // Connections that are there go on working.
        let trial = if self.inner.status().available > 0 {
            IsTrial::default()
        } else {
            let admitted = self.gate.admit(Instant::now());
            admitted.map_err(|left| ScopeError::Refused { left })?
        };
        let got = self.inner.get().await;
        let got = got.map_err(|error| self.checkout_error(error));
        self.gate.settle(trial, got.as_ref().err(), Instant::now());
        let object = got?;
        Ok(Connection {
            object: Some(object),
            ready: true,
            unanswered: false,
            counters: Arc::clone(&self.counters),
        })
    }

    fn checkout_error(&self, error: PoolError) -> ScopeError {
        match error {
            PoolError::Backend(source) => ScopeError::of_connect(source),
            PoolError::Timeout(TimeoutType::Create) => ScopeError::ConnectDeadline {
                limit: self.options.connect_timeout,
            },
            PoolError::Timeout(TimeoutType::Wait | TimeoutType::Recycle)
            | PoolError::Closed
            | PoolError::NoRuntimeSpecified
            | PoolError::PostCreateHook(_) => ScopeError::PoolBusy {
                limit: self.options.acquire_timeout,
            },
        }
    }
}

/// One checked-out connection.
///
/// It goes back to the pool only when its last request ended in success, since only then has the
/// driver seen the server ready again. The driver reports an error *before* that, and a pooler may
/// give what is sent in the gap to another client's backend. In every other case — an error, a
/// deadline, a dropped future, a panic — dropping this guard aborts the connection's task, and
/// nothing more is sent.
pub(crate) struct Connection {
    object: Option<Object>,
    /// The last request succeeded and no transaction is open behind it.
    ready: bool,
    /// A request was sent and its answer not seen: nothing may be sent behind it.
    unanswered: bool,
    counters: Arc<Counters>,
}

impl Connection {
    /// Runs one request. The connection counts as not ready until it has succeeded.
    ///
    /// `None` when there was no answer within `limit`, or when an earlier request is still
    /// unanswered: then nothing is sent.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the connection not ready; it will be discarded.
    pub(crate) async fn request<T>(
        &mut self,
        limit: Duration,
        operation: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<T, tokio_postgres::Error>,
    ) -> Option<Result<T, tokio_postgres::Error>> {
        let object = self.object.as_ref().filter(|_| !self.unanswered)?;
        self.ready = false;
        self.unanswered = true;
        let answer = tokio::time::timeout(limit, operation(object)).await.ok()?;
        self.unanswered = false;
        self.ready = answer.is_ok();
        Some(answer)
    }

    /// Gives up the connection on drop, although its last request succeeded: a transaction is open.
    pub(crate) fn set_open_transaction(&mut self) {
        self.ready = false;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(object) = self.object.take()
            && !self.ready
        {
            self.counters.discarded.fetch_add(1, Ordering::Relaxed);
            tracing::debug!("discarding a database connection whose last request did not succeed");
            drop(Object::take(object));
        }
    }
}
