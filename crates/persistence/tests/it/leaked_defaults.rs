//! Session defaults that another client of the pooler left behind, or that the server was given:
//! nothing Trawl does may depend on them.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio_postgres::NoTls;
use tokio_postgres::types::Type;
use trawl_persistence::scope::{ScopeSettings, SessionScope, Statement};
use trawl_test_support::wait_until;

use crate::database::{Db, Route};
use crate::path_of_a_batch::every_call_in_order;

const DEFAULTS: [(&str, &str); 8] = [
    ("default_transaction_read_only", "on"),
    ("default_transaction_isolation", "serializable"),
    ("statement_timeout", "1ms"),
    ("lock_timeout", "1ms"),
    ("search_path", ""),
    ("TimeZone", "Asia/Kathmandu"),
    ("DateStyle", "SQL, DMY"),
    ("bytea_output", "escape"),
];

/// Makes every backend that the pool can meet one with these defaults.
async fn poison(db: &Db, defaults: &[(&str, &str)]) -> Result<()> {
    match db.route() {
        // A new session takes them from its database.
        Route::Direct => {
            for (name, value) in defaults {
                let sql = format!(
                    "do $$ begin execute format('alter database %I set {name} = %L', \
                     current_database(), '{value}'); end $$"
                );
                db.admin.batch_execute(&sql).await?;
            }
        }
        // Two rude clients at once hold both backends of the pooler.
        Route::Pooled => {
            let mut rude = Vec::new();
            for _ in 0..2 {
                let (client, connection) = tokio_postgres::connect(&db.url(), NoTls).await?;
                tokio::spawn(connection);
                client.batch_execute("begin").await?;
                rude.push(client);
            }
            for client in rude {
                for (name, value) in defaults {
                    client
                        .batch_execute(&format!("set session {name} = '{value}'"))
                        .await?;
                }
                client.batch_execute("commit").await?;
            }
        }
    }
    Ok(())
}

both_routes!(every_call_works_under_hostile_defaults, async |db| {
    poison(db, &DEFAULTS).await?;
    every_call_in_order(&db.pool).await
});

both_routes!(a_scope_does_not_inherit_a_default, async |db| {
    const SEEN: Statement = Statement::repeatable(
        "seen",
        "select current_setting('transaction_read_only'), \
         current_setting('transaction_isolation'), current_setting('statement_timeout'), \
         current_setting('default_transaction_read_only')",
    );
    poison(db, &DEFAULTS).await?;
    let rows = SessionScope::run(&db.pool, ScopeSettings::SHORT, async |scope| {
        scope.query(&SEEN, &[]).await
    })
    .await?;
    let seen: Vec<&str> = (0..4).map(|index| rows[0].get(index)).collect();
    // The last one proves that the backend was poisoned indeed.
    assert_eq!(seen, ["off", "read committed", "10s", "on"]);
    Ok(())
});

both_routes!(a_lone_statement_falls_back_to_a_transaction, async |db| {
    const WRITE: Statement =
        Statement::once_only("note_insert", "insert into trawl.notes values ($1)");
    db.admin
        .batch_execute("create table trawl.notes (id integer)")
        .await?;
    for (name, value) in DEFAULTS {
        poison(db, &[(name, value)]).await?;
    }
    for number in 0..5 {
        SessionScope::once(&db.pool, &WRITE, &[(&number, Type::INT4)]).await?;
    }
    let written: i64 = db.value("select count(*) from trawl.notes", &[]).await?;
    assert_eq!(written, 5);
    Ok(())
});

both_routes!(
    a_leaked_lock_limit_does_not_fail_a_lone_statement,
    async |db| {
        const WAIT: Statement =
            Statement::once_only("note_wait", "update trawl.notes set id = id + 1");
        db.admin
            .batch_execute("create table trawl.notes as select 1 as id")
            .await?;
        poison(db, &[("lock_timeout", "10ms")]).await?;
        let holder = db.another_admin().await?;
        holder.batch_execute("begin").await?;
        holder.batch_execute("lock table trawl.notes").await?;
        let (outcome, released) = tokio::join!(SessionScope::once(&db.pool, &WAIT, &[]), async {
            // Released only once the fallback waits for the lock, under its own limit.
            wait_until(
                "a transaction to wait",
                Duration::from_secs(20),
                async || {
                    db.value::<bool>(
                        "select exists (select from pg_stat_activity
                     where datname = current_database() and wait_event_type = 'Lock'
                       and xact_start < query_start)",
                        &[],
                    )
                    .await
                    .is_ok_and(|waits| waits)
                },
            )
            .await?;
            holder.batch_execute("commit").await?;
            anyhow::Ok(())
        });
        released?;
        outcome?;
        Ok(())
    }
);

both_routes!(a_poisoned_backend_is_shown_to_be_poisoned, async |db| {
    poison(db, &DEFAULTS[..1]).await?;
    let (stranger, connection) = tokio_postgres::connect(&db.url(), NoTls).await?;
    tokio::spawn(connection);
    let refused = stranger
        .batch_execute("create table trawl.never (id integer)")
        .await;
    ensure!(refused.is_err(), "the write should have been refused");
    Ok(())
});
