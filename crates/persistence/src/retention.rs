//! What time does to batches and hosts: deadlines and snoozes pass, and what has ended is deleted some
//! day.
//!
//! Each call does one slice and answers how much it did; the maintenance of any worker calls it
//! until there is nothing left.

use std::time::Duration;

use tokio_postgres::types::Type;

use crate::control::SLICE_JOBS;
use crate::error::ScopeError;
use crate::pool::Pool;
use crate::row::get_count;
use crate::scope::{SessionScope, Statement};

/// Rows of one table that one statement deletes at most.
const SLICE_ROWS: i32 = 2_000;

const SWEEP: Statement =
    Statement::repeatable("batch_sweep", include_str!("../sql/batch_sweep.sql"));
const EXPIRE: Statement =
    Statement::repeatable("batch_expire", include_str!("../sql/batch_expire.sql"));

const FORGET_HOSTS: Statement =
    Statement::repeatable("host_forget", include_str!("../sql/host_forget.sql"));

const FORGET_HELD: Statement =
    Statement::repeatable("held_forget", include_str!("../sql/held_forget.sql"));

/// Forgets hosts whose snooze has passed.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn host_forget(pool: &Pool) -> Result<(), ScopeError> {
    SessionScope::once(pool, &FORGET_HOSTS, &[]).await?;
    Ok(())
}

/// Forgets a slice of the hosts that no running job holds any more.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn held_forget(pool: &Pool) -> Result<(), ScopeError> {
    SessionScope::once(pool, &FORGET_HELD, &[]).await?;
    Ok(())
}

/// Ends a slice of the waiting jobs of batches that are being cancelled or past their deadline.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn batch_sweep(pool: &Pool) -> Result<u32, ScopeError> {
    let rows = SessionScope::once(pool, &SWEEP, &[(&SLICE_JOBS, Type::INT4)]).await?;
    rows.first().map_or(Ok(0), |row| get_count(&SWEEP, row, 0))
}

/// Deletes a slice of what ended longer than `age` ago.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn batch_expire(pool: &Pool, age: Duration) -> Result<u32, ScopeError> {
    let seconds = age.as_secs_f64();
    let params = [
        (&seconds as _, Type::FLOAT8),
        (&SLICE_ROWS as _, Type::INT4),
    ];
    let rows = SessionScope::once(pool, &EXPIRE, &params).await?;
    rows.first().map_or(Ok(0), |row| get_count(&EXPIRE, row, 0))
}
