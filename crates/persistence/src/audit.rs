//! The audit: the promises of the service as one query over the rows themselves.

use crate::error::ScopeError;
use crate::pool::Pool;
use crate::row::get;
use crate::scope::{SessionScope, Statement};

/// One promise and how many rows break it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// The promise, in words.
    pub promise: String,
    /// Rows that break it; zero when it is kept.
    pub broken: i64,
}

const AUDIT: Statement = Statement::repeatable("audit", include_str!("../sql/audit.sql"));

/// Checks every promise in one snapshot.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn audit(pool: &Pool) -> Result<Vec<AuditLine>, ScopeError> {
    let rows = SessionScope::once(pool, &AUDIT, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(AuditLine {
                promise: get(&AUDIT, row, 0)?,
                broken: get(&AUDIT, row, 1)?,
            })
        })
        .collect()
}
