//! The limits of a scope: they bite, they are its own, and they end with it.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use trawl_persistence::class::ErrorClass;
use trawl_persistence::scope::{Access, Commit, ScopeSettings, SessionScope};
use trawl_test_support::{wait_for, wait_until};

use crate::database::{Db, discarded};
use crate::scope::{COUNT, INSERT, PATIENCE, RAISE, SEEN, SLEEP, create_notes, notes, sqlstate};

both_routes!(
    a_statement_is_stopped_by_the_limit_of_its_scope,
    async |db| {
        let settings = ScopeSettings {
            statement_timeout: Duration::from_millis(100),
            ..ScopeSettings::SHORT
        };
        let mut scope = SessionScope::begin(&db.pool, settings).await?;
        let error = scope.query(&SLEEP, &[]).await.unwrap_err();
        assert_eq!(
            sqlstate(&error),
            Some(SqlState::QUERY_CANCELED),
            "{error:?}"
        );
        assert_eq!(error.class(), ErrorClass::Retryable);
        scope.rollback().await?;
        Ok(())
    }
);

both_routes!(
    a_wait_for_a_lock_is_stopped_by_the_limit_of_its_scope,
    async |db| {
        create_notes(db).await?;
        for step in [
            "insert into trawl.notes (id) values (1)",
            "begin",
            "update trawl.notes set id = 1",
        ] {
            db.admin.batch_execute(step).await?;
        }
        let settings = ScopeSettings {
            lock_timeout: Duration::from_millis(100),
            ..ScopeSettings::SHORT
        };
        let mut scope = SessionScope::begin(&db.pool, settings).await?;
        let error = scope.query(&RAISE, &[(&1, Type::INT4)]).await.unwrap_err();
        assert_eq!(
            sqlstate(&error),
            Some(SqlState::LOCK_NOT_AVAILABLE),
            "{error:?}"
        );
        assert_eq!(error.class(), ErrorClass::Retryable);
        scope.rollback().await?;
        db.admin.batch_execute("rollback").await?;
        Ok(())
    }
);

both_routes!(
    a_silent_scope_loses_its_transaction_and_says_so,
    async |db| {
        create_notes(db).await?;
        let settings = ScopeSettings {
            idle_timeout: Duration::from_millis(100),
            ..ScopeSettings::SHORT
        };
        let mut scope = SessionScope::begin(&db.pool, settings).await?;
        wait_until("the server to end the transaction", PATIENCE, async || {
            open_transactions(db).await.is_ok_and(|open| open == 0)
        })
        .await?;
        let error = scope.query(&INSERT, &[(&1, Type::INT4)]).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Retryable, "{error:?}");
        assert!(matches!(scope.commit().await, Commit::RolledBack(_)));
        assert_eq!((notes(db).await?, discarded(&db.pool)), (0, 1));
        Ok(())
    }
);

async fn open_transactions(db: &Db) -> Result<i64> {
    db.value(
        "select count(*) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()
           and (xact_start is not null or state in ('active', 'idle in transaction'))",
        &[],
    )
    .await
}

both_routes!(the_limits_of_a_scope_end_with_it, async |db| {
    let settings = ScopeSettings {
        access: Access::ReadWrite,
        statement_timeout: Duration::from_millis(61_001),
        lock_timeout: Duration::from_millis(62_001),
        idle_timeout: Duration::from_millis(63_001),
    };
    let limits = |row: &tokio_postgres::Row| -> Result<[String; 3]> {
        Ok([row.try_get(1)?, row.try_get(2)?, row.try_get(3)?])
    };
    let own = ["61001ms", "62001ms", "63001ms"];
    let mut scope = SessionScope::begin(&db.pool, settings).await?;
    let rows = scope.query(&SEEN, &[]).await?;
    let backend: i32 = rows[0].try_get(0)?;
    assert_eq!(limits(&rows[0])?, own);
    scope.commit().await.confirmed()?;
    let after = wait_for("the same backend to serve again", PATIENCE, async || {
        let rows = SessionScope::once(&db.pool, &SEEN, &[]).await?;
        ensure!(rows[0].try_get::<_, i32>(0)? == backend, "another backend");
        limits(&rows[0])
    })
    .await?;
    // What is there instead may be another client's.
    assert!(
        after.iter().zip(own).all(|(after, own)| after != own),
        "{after:?}"
    );
    Ok(())
});

both_routes!(
    a_snapshot_scope_sees_one_moment_and_cannot_write,
    async |db| {
        create_notes(db).await?;
        let settings = ScopeSettings {
            access: Access::Snapshot,
            ..ScopeSettings::SHORT
        };
        let mut scope = SessionScope::begin(&db.pool, settings).await?;
        scope.query(&COUNT, &[]).await?;
        db.admin
            .batch_execute("insert into trawl.notes (id) values (1)")
            .await?;
        let seen: i64 = scope.query(&COUNT, &[]).await?[0].try_get(0)?;
        assert_eq!(seen, 0);
        let error = scope.query(&INSERT, &[(&2, Type::INT4)]).await.unwrap_err();
        assert_eq!(sqlstate(&error), Some(SqlState::READ_ONLY_SQL_TRANSACTION));
        scope.rollback().await?;
        Ok(())
    }
);
