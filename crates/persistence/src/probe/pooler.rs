//! Which pooler it is, by what only that one says.

use std::time::Duration;

use super::error::ProbeError;
use super::facts::Server;
use super::startup::Wishes;
use super::wire::{Rows, Wire};
use crate::endpoint::Endpoint;

/// Supavisor gives its server connections this name, whatever the client's is (measured).
const SUPAVISOR: &str = "Supavisor";

/// No server has such a setting, and `PgBouncer` refuses a startup parameter that it does not know
/// before anything reaches a server.
const UNKNOWN_PARAMETER: (&str, &str) = ("trawl_doctor", "1");

/// `PgBouncer`'s console is a database of this name.
const CONSOLE: &str = "pgbouncer";

/// The pooler before the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pooler {
    /// Supabase's.
    Supavisor,
    /// `PgBouncer`.
    PgBouncer {
        /// As its console says, where that is open to the URL's role.
        version: Option<String>,
        /// As above.
        limits: Option<PoolerLimits>,
    },
    /// One that does not say its name.
    Unnamed,
}

/// How much a pooler gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolerLimits {
    /// Client connections in all.
    pub clients_max: u32,
    /// Client connections now, ours among them.
    pub clients: u32,
    /// Server connections for one user and database.
    pub pool_size: u32,
}

/// Tells which one it is.
pub(super) async fn identify(endpoint: &Endpoint, server: &Server, limit: Duration) -> Pooler {
    if server.application_name == SUPAVISOR {
        return Pooler::Supavisor;
    }
    let wishes = Wishes {
        parameter: Some(UNKNOWN_PARAMETER),
        ..Wishes::default()
    };
    match Wire::open(endpoint, wishes, limit).await {
        Err(ProbeError::Refused { code, message })
            if code == "08P01" && message.contains("unsupported startup parameter") =>
        {
            let (version, limits) = ask_console(endpoint, limit).await.unwrap_or_default();
            Pooler::PgBouncer { version, limits }
        }
        Err(_other) => Pooler::Unnamed,
        Ok(wire) => {
            wire.close().await;
            Pooler::Unnamed
        }
    }
}

/// What the console says, where the role may ask it.
async fn ask_console(
    endpoint: &Endpoint,
    limit: Duration,
) -> Result<(Option<String>, Option<PoolerLimits>), ProbeError> {
    let wishes = Wishes {
        database: Some(CONSOLE),
        ..Wishes::default()
    };
    let mut wire = Wire::open(endpoint, wishes, limit).await?;
    let request = "the questions to the pooler";
    let version = wire.query(request, "show version").await?;
    let config = wire.query(request, "show config").await?;
    let lists = wire.query(request, "show lists").await?;
    wire.close().await;
    let version = version.into_iter().flatten().flatten().next();
    let limits = number(&config, "max_client_conn")
        .zip(number(&lists, "used_clients"))
        .zip(number(&config, "default_pool_size"))
        .map(|((clients_max, clients), pool_size)| PoolerLimits {
            clients_max,
            clients,
            pool_size,
        });
    Ok((version, limits))
}

/// The number in the row that begins with `key`.
fn number(rows: &Rows, key: &str) -> Option<u32> {
    let row = rows
        .iter()
        .find(|row| row.first().and_then(Option::as_deref) == Some(key))?;
    row.get(1)?.as_deref()?.parse().ok()
}
