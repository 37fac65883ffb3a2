//! What stands behind a connection URL, measured: PostgreSQL itself or a pooler, in which mode, how
//! far away, how well protected.
//!
//! Uses connections of its own beside the pool, each with a deadline, and closes them. It writes
//! nothing, and the two names that it uses for a moment (a setting, a statement) end in a random
//! word, so no other client can meet them. For `trawl doctor` alone: work goes through
//! [`crate::scope`].

mod error;
mod facts;
mod pooler;
mod sharing;
mod startup;
mod wire;

use std::sync::Arc;
use std::time::Duration;

pub use error::ProbeError;
pub use facts::{Clock, Encryption, OwnLeg, Server};
pub use pooler::{Pooler, PoolerLimits};

use crate::endpoint::Endpoint;
use crate::pool::PoolBuildError;
use crate::tls;
use sharing::Sharing;
use startup::Wishes;
use wire::Wire;

/// How server connections are given to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A client keeps its server connection: PostgreSQL itself, or a pooler in session mode.
    Session,
    /// A client has one for a transaction.
    Transaction,
    /// A client has one for a statement, and no transactions at all.
    Statement,
}

/// What a trial said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// The trial could not tell.
    Unknown,
}

impl Answer {
    fn of(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }
}

/// The names that the trials use for a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces {
    /// A setting; afterwards it is empty where it was, as PostgreSQL forgets none altogether.
    pub setting: String,
    /// A named statement.
    pub statement: String,
}

impl Traces {
    fn random() -> Self {
        let word: u64 = rand::random();
        Self {
            setting: format!("trawl_doctor.probe_{word:016x}"),
            statement: format!("trawl_doctor_probe_{word:016x}"),
        }
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurements {
    /// Host and port, or the socket, that was connected to.
    pub address: String,
    /// The server at the end of the way.
    pub server: Server,
    /// What stands before it; `None` where nothing does.
    pub pooler: Option<Pooler>,
    /// How server connections are shared.
    pub mode: Mode,
    /// Whether another client sees what one sets for its session.
    pub settings_leak: Answer,
    /// Whether a named statement can be called in a later transaction.
    pub named_statements: Answer,
    /// Whether the trials could clear away what they left; what they leave otherwise is harmless.
    pub is_clean: bool,
    /// The names they used.
    pub traces: Traces,
    /// A statement and its answer, the median of several.
    pub round_trip: Duration,
    /// The clocks of the two machines.
    pub clock: Clock,
    /// Who can listen in.
    pub encryption: Encryption,
}

/// Where to look, and for how long.
pub struct Probe {
    endpoint: Endpoint,
    limit: Duration,
}

impl Probe {
    /// Reads the URL. Connects to nothing.
    ///
    /// `limit` is the time for each connection and for each answer.
    ///
    /// # Errors
    /// As [`crate::pool::Pool::new`].
    pub fn new(
        url: &str,
        ca_pem: Option<&Arc<[u8]>>,
        limit: Duration,
    ) -> Result<Self, PoolBuildError> {
        let endpoint = Endpoint::of_url(url, limit, ca_pem.map(|pem| pem.as_ref()))?;
        Ok(Self { endpoint, limit })
    }

    /// Whether the way to the server, or the pooler before it, does not leave this machine.
    pub fn is_local(&self) -> bool {
        self.endpoint.config.get_hosts().iter().all(tls::is_local)
    }

    /// Connects once and answers what the server says of itself.
    ///
    /// # Errors
    /// [`ProbeError`]. Nothing is tried twice: ten refused passwords block the address at Supavisor.
    pub async fn server(&self) -> Result<Server, ProbeError> {
        let mut wire = self.open().await?;
        let (server, _encryption) = facts::read(&mut wire).await?;
        wire.close().await;
        Ok(server)
    }

    /// Measures everything.
    ///
    /// # Errors
    /// As [`Self::server`].
    ///
    /// # Cancel safety
    /// May be dropped at any point: its connections are cut, and the server rolls back. The setting
    /// and the statement of that moment may stay behind under their random names.
    pub async fn measure(&self) -> Result<Measurements, ProbeError> {
        let mut one = self.open().await?;
        // In a transaction with limits of its own, since those that another client left behind
        // would end it.
        let has_begun = match sharing::begin(&mut one).await {
            Err(error) if sharing::refuses_transactions(&error) => {
                one = self.open().await?;
                false
            }
            process => process.map(|_process| true)?,
        };
        let (server, encryption) = facts::read(&mut one).await?;
        let (round_trip, clock) = facts::time(&mut one).await?;
        if has_begun {
            sharing::commit(&mut one).await?;
        }
        let is_pooled = one.key_process.to_string() != server.process;
        let mut other = self.open().await?;
        let traces = Traces::random();
        let sharing = sharing::find_out(&mut one, &mut other, &traces).await;
        let address = one.address.clone();
        one.close().await;
        other.close().await;
        let Sharing {
            mode,
            settings_leak,
            named_statements,
            is_clean,
        } = sharing?;
        let pooler = if is_pooled || mode != Mode::Session {
            Some(pooler::identify(&self.endpoint, &server, self.limit).await)
        } else {
            None
        };
        Ok(Measurements {
            address,
            server,
            pooler,
            mode,
            settings_leak,
            named_statements,
            is_clean,
            traces,
            round_trip,
            clock,
            encryption,
        })
    }

    async fn open(&self) -> Result<Wire, ProbeError> {
        Wire::open(&self.endpoint, Wishes::default(), self.limit).await
    }
}
