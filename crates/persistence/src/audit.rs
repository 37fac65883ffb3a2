//! The audit: the promises of the service as one query over the rows themselves.

use std::time::Duration;

use tokio_postgres::Row;

use crate::error::ScopeError;
use crate::pool::Pool;
use crate::row::get;
use crate::scope::{Access, ScopeSettings, SessionScope, Statement};

/// One promise and how many rows break it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// The promise, in words.
    pub promise: String,
    /// Rows that break it; zero when it is kept.
    pub broken: i64,
}

const AUDIT: Statement = Statement::repeatable("audit", include_str!("../sql/audit.sql"));

/// Checks every promise in one snapshot, within the time of a short statement.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn audit(pool: &Pool) -> Result<Vec<AuditLine>, ScopeError> {
    lines(&SessionScope::once(pool, &AUDIT, &[]).await?)
}

/// As [`audit`], within `limit`: every row is read, so millions of them take a while. Tried once.
///
/// # Errors
/// [`ScopeError`] of the transaction.
pub async fn audit_within(pool: &Pool, limit: Duration) -> Result<Vec<AuditLine>, ScopeError> {
    let settings = ScopeSettings {
        access: Access::Snapshot,
        statement_timeout: limit,
        ..ScopeSettings::SHORT
    };
    let mut scope = SessionScope::begin(pool, settings).await?;
    let found = scope.query(&AUDIT, &[]).await;
    lines(&scope.finish(found).await?)
}

fn lines(rows: &[Row]) -> Result<Vec<AuditLine>, ScopeError> {
    rows.iter()
        .map(|row| {
            Ok(AuditLine {
                promise: get(&AUDIT, row, 0)?,
                broken: get(&AUDIT, row, 1)?,
            })
        })
        .collect()
}
