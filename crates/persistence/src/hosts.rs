//! Hosts beside the one that a job was submitted with: a crawl takes each before it asks it.
//!
//! A host that was taken is free again when its job ends, however it ends; nothing has to be undone.

use std::time::Duration;

use tokio_postgres::types::Type;

use crate::error::ScopeError;
use crate::pool::Pool;
use crate::row::{get, get_word};
use crate::scope::{Param, SessionScope, Statement};
use crate::workers::JobLease;

/// What came of an attempt to take a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostTake {
    /// The job may ask it until it ends.
    Taken,
    /// Another job has it, or is about to.
    Held {
        /// How long that job has been at work.
        since: Duration,
    },
    /// It asked to be left alone.
    Snoozed {
        /// For how much longer.
        left: Duration,
    },
    /// The job is not held by this lease any more.
    Stale,
}

const TAKE: Statement = Statement::repeatable("host_take", include_str!("../sql/host_take.sql"));
const RELEASE: Statement =
    Statement::repeatable("host_release", include_str!("../sql/host_release.sql"));

/// Takes a host for a running job, unless a running job has it. Taking what the job has is no error.
///
/// `host_key` as [`trawl_domain::site::SiteAddress::host_key`] writes it.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn host_take(
    pool: &Pool,
    lease: JobLease,
    host_key: &str,
) -> Result<HostTake, ScopeError> {
    let rows = SessionScope::once(pool, &TAKE, &params(&lease, &host_key)).await?;
    let Some(row) = rows.first() else {
        return Ok(HostTake::Stale);
    };
    let ms: Option<i64> = get(&TAKE, row, 1)?;
    let ms = u64::try_from(ms.unwrap_or_default()).unwrap_or_default();
    let duration = Duration::from_millis(ms);
    get_word(&TAKE, row, 0, |word| match word {
        "taken" => Some(HostTake::Taken),
        "held" => Some(HostTake::Held { since: duration }),
        "snoozed" => Some(HostTake::Snoozed { left: duration }),
        "stale" => Some(HostTake::Stale),
        _ => None,
    })
}

/// Lets a host go before its job ends. Letting go of what the job does not have changes nothing.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn host_release(pool: &Pool, lease: JobLease, host_key: &str) -> Result<(), ScopeError> {
    SessionScope::once(pool, &RELEASE, &params(&lease, &host_key))
        .await
        .map(drop)
}

fn params<'a>(lease: &'a JobLease, host_key: &'a &'a str) -> [Param<'a>; 3] {
    [
        (&lease.job, Type::UUID),
        (&lease.token.0, Type::INT8),
        (host_key, Type::TEXT),
    ]
}
