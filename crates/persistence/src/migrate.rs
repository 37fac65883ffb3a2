//! The migration runner: forward only, each file once, in order, in a transaction of its own.
//!
//! Works through a transaction-mode pooler as well as directly: two runners at once are kept apart
//! by an advisory *transaction* lock, and history is a table. A file that was applied may never be
//! edited: its checksum is compared at every run.

use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio_postgres::types::Type;

use crate::error::ScopeError;
use crate::pool::Pool;
use crate::row::get;
use crate::scope::{ScopeSettings, SessionScope, Statement};

/// One migration file.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number, from 1, without gaps.
    pub version: i32,
    /// The file's name.
    pub name: &'static str,
    sql: &'static str,
}

macro_rules! migration {
    ($version:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../../migrations/", $name)),
        }
    };
}

/// Every migration, in order.
pub const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_tables.sql"),
    migration!(2, "0002_claim.sql"),
    migration!(3, "0003_record.sql"),
    migration!(4, "0004_finish.sql"),
    migration!(5, "0005_control.sql"),
    migration!(6, "0006_options.sql"),
    migration!(7, "0007_hosts.sql"),
    migration!(8, "0008_guard.sql"),
    migration!(9, "0009_retries.sql"),
    migration!(10, "0010_bounds.sql"),
    migration!(11, "0011_held_hosts.sql"),
];

impl Migration {
    /// SHA-256 of the file, in hexadecimal.
    pub fn checksum(&self) -> String {
        Sha256::digest(self.sql.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// One word for all migrations together: the same as long as no file changes. 32 hexadecimal digits.
pub fn fingerprint() -> String {
    let mut hash = Sha256::new();
    for migration in MIGRATIONS {
        hash.update(migration.sql.as_bytes());
    }
    hash.finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Why migrations were not applied.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// The database refused or was not reachable.
    #[error("cannot {step}")]
    Scope {
        /// What was attempted.
        step: &'static str,
        /// What happened.
        #[source]
        source: ScopeError,
    },
    /// A file was edited after it had been applied.
    #[error("migration {name} was edited after it was applied (its checksum differs)")]
    Edited {
        /// The file.
        name: &'static str,
    },
    /// The database knows migrations that this binary does not.
    #[error("the database is at migration {found}, newer than this binary's {known}")]
    Newer {
        /// The newest version applied.
        found: i32,
        /// The newest version this binary knows.
        known: i32,
    },
    /// The database lacks migrations that this binary needs.
    #[error(
        "migrations are missing, from {missing} on; run `cargo xtask migrate up` or start `trawl serve`"
    )]
    Missing {
        /// The first missing file.
        missing: &'static str,
    },
}

/// What is known of one migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// The file's name.
    pub name: &'static str,
    /// Whether it was applied.
    pub applied: bool,
}

/// Any number serves; it is the same in every version, or two runners would not see each other.
const RUNNER_LOCK: i64 = 7_238_001;

const LOCK: Statement =
    Statement::repeatable("migrate_lock", "select pg_advisory_xact_lock($1)::text");

const HISTORY_TABLE: &str = "\
create schema if not exists trawl;
create table if not exists trawl.schema_migrations (
    version    integer primary key,
    name       text not null,
    checksum   text not null,
    applied_at timestamptz not null default clock_timestamp()
)";

const HAS_HISTORY: Statement = Statement::repeatable(
    "migrate_has_history",
    "select to_regclass('trawl.schema_migrations') is not null",
);

const HISTORY: Statement = Statement::repeatable(
    "migrate_history",
    "select version, checksum from trawl.schema_migrations order by version",
);

const RECORD: Statement = Statement::once_only(
    "migrate_record",
    "insert into trawl.schema_migrations (version, name, checksum) values ($1, $2, $3)",
);

/// Applies what is missing and answers the names of what it applied.
///
/// # Errors
/// [`MigrateError`]; what was applied before the error stays applied.
///
/// # Concurrency
/// Takes an advisory transaction lock for each migration; a second runner waits, then finds it done.
pub async fn up(pool: &Pool) -> Result<Vec<&'static str>, MigrateError> {
    // Looked at first: a start on a database that lacks nothing takes no lock and runs no script.
    if first_missing(&read_history(pool).await?)?.is_none() {
        return Ok(Vec::new());
    }
    let mut applied = Vec::new();
    while let Some(name) = SessionScope::run(pool, ScopeSettings::MIGRATION, apply_next)
        .await
        .map_err(scope_error("apply the next migration"))??
    {
        tracing::info!(migration = name, "applied");
        applied.push(name);
    }
    Ok(applied)
}

/// Applies the first missing migration, if any.
async fn apply_next(
    scope: &mut SessionScope,
) -> Result<Result<Option<&'static str>, MigrateError>, ScopeError> {
    scope.query(&LOCK, &[(&RUNNER_LOCK, Type::INT8)]).await?;
    scope
        .run_script("migrate_history_table", HISTORY_TABLE)
        .await?;
    let next = match first_missing(&history(scope).await?) {
        Ok(Some(next)) => next,
        Ok(None) => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error)),
    };
    scope.run_script(next.name, next.sql).await?;
    scope
        .query(
            &RECORD,
            &[
                (&next.version, Type::INT4),
                (&next.name, Type::TEXT),
                (&next.checksum(), Type::TEXT),
            ],
        )
        .await?;
    Ok(Ok(Some(next.name)))
}

/// What was applied and what was not.
///
/// # Errors
/// [`MigrateError`] when the database is not reachable, or its history is not this binary's.
pub async fn status(pool: &Pool) -> Result<Vec<MigrationStatus>, MigrateError> {
    let applied = read_history(pool).await?;
    let missing = first_missing(&applied)?.map_or(i32::MAX, |migration| migration.version);
    Ok(MIGRATIONS
        .iter()
        .map(|migration| MigrationStatus {
            name: migration.name,
            applied: migration.version < missing,
        })
        .collect())
}

/// Checks that the database is exactly at this binary's version.
///
/// # Errors
/// [`MigrateError::Missing`], [`MigrateError::Newer`], [`MigrateError::Edited`], or the database's.
pub async fn verify(pool: &Pool) -> Result<(), MigrateError> {
    match first_missing(&read_history(pool).await?)? {
        None => Ok(()),
        Some(migration) => Err(MigrateError::Missing {
            missing: migration.name,
        }),
    }
}

type Applied = Vec<(i32, String)>;

async fn read_history(pool: &Pool) -> Result<Applied, MigrateError> {
    SessionScope::run(pool, ScopeSettings::SHORT, async |scope| {
        let rows = scope.query(&HAS_HISTORY, &[]).await?;
        let exists = rows
            .first()
            .map_or(Ok(false), |row| get(&HAS_HISTORY, row, 0))?;
        if exists {
            history(scope).await
        } else {
            Ok(Vec::new())
        }
    })
    .await
    .map_err(scope_error("read the history of migrations"))
}

async fn history(scope: &mut SessionScope) -> Result<Applied, ScopeError> {
    let rows = scope.query(&HISTORY, &[]).await?;
    rows.iter()
        .map(|row| Ok((get(&HISTORY, row, 0)?, get(&HISTORY, row, 1)?)))
        .collect()
}

/// The first migration that was not applied, after comparing those that were.
fn first_missing(applied: &[(i32, String)]) -> Result<Option<&'static Migration>, MigrateError> {
    let known = MIGRATIONS.last().map_or(0, |migration| migration.version);
    if let Some((found, _)) = applied.iter().find(|(version, _)| *version > known) {
        return Err(MigrateError::Newer {
            found: *found,
            known,
        });
    }
    for migration in MIGRATIONS {
        match applied
            .iter()
            .find(|(version, _)| *version == migration.version)
        {
            None => return Ok(Some(migration)),
            Some((_, checksum)) if *checksum != migration.checksum() => {
                return Err(MigrateError::Edited {
                    name: migration.name,
                });
            }
            Some(_) => {}
        }
    }
    Ok(None)
}

fn scope_error(step: &'static str) -> impl FnOnce(ScopeError) -> MigrateError {
    move |source| MigrateError::Scope { step, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_follow_each_other_and_agree_with_the_names() {
        for (expected, migration) in (1..).zip(MIGRATIONS) {
            assert_eq!(migration.version, expected);
            assert!(
                migration.name.starts_with(&format!("{expected:04}_")),
                "{}",
                migration.name
            );
        }
    }
}
