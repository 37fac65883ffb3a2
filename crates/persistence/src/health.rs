//! A real round trip to the database.

use crate::error::ScopeError;
use crate::pool::Pool;
use crate::scope::{SessionScope, Statement};

const PING: Statement = Statement::repeatable("ping", "select 1");

/// Asks the server for an answer.
///
/// # Errors
/// [`ScopeError`] when there is none.
pub async fn ping(pool: &Pool) -> Result<(), ScopeError> {
    SessionScope::once(pool, &PING, &[]).await.map(drop)
}
