//! What a scope promises when nobody interferes: what it commits, what an error leaves, how long
//! anything may take, and what becomes of its connection.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::sync::Barrier;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use trawl_persistence::class::ErrorClass;
use trawl_persistence::error::ScopeError;
use trawl_persistence::pool::{Pool, PoolBuildError, PoolOptions};
use trawl_persistence::scope::{Commit, REQUEST_BYTES_MAX, ScopeSettings, SessionScope, Statement};
use trawl_test_support::wait_until;

use crate::database::{Db, discarded};

pub(crate) const INSERT: Statement =
    Statement::once_only("note_insert", "insert into trawl.notes (id) values ($1)");
pub(crate) const COUNT: Statement =
    Statement::repeatable("note_count", "select count(*) from trawl.notes");
pub(crate) const RAISE: Statement = Statement::once_only(
    "note_raise",
    "update trawl.notes set amount = amount + 1 where id = $1",
);
pub(crate) const SLEEP: Statement = Statement::repeatable("sleep", "select pg_sleep(600)::text");
pub(crate) const SEEN: Statement = Statement::repeatable(
    "seen",
    "select pg_backend_pid(), current_setting('statement_timeout'), \
     current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')",
);

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn create_notes(db: &Db) -> Result<()> {
    db.admin
        .batch_execute(
            "create table trawl.notes (id integer primary key, amount integer not null default 0)",
        )
        .await?;
    Ok(())
}

pub(crate) async fn notes(db: &Db) -> Result<i64> {
    db.value("select count(*) from trawl.notes", &[]).await
}

pub(crate) fn sqlstate(error: &ScopeError) -> Option<SqlState> {
    match error {
        ScopeError::Statement { source, .. } => source.code().cloned(),
        _ => None,
    }
}

both_routes!(
    what_a_scope_commits_is_there_and_was_seen_by_itself,
    async |db| {
        create_notes(db).await?;
        let mut scope = SessionScope::begin(&db.pool, ScopeSettings::SHORT).await?;
        scope.query(&INSERT, &[(&1, Type::INT4)]).await?;
        let own: i64 = scope.query(&COUNT, &[]).await?[0].try_get(0)?;
        assert_eq!((own, notes(db).await?), (1, 0));
        assert!(matches!(scope.commit().await, Commit::Committed));
        assert_eq!(notes(db).await?, 1);
        let status = db.pool.status();
        assert_eq!((status.size, status.idle, discarded(&db.pool)), (1, 1, 0));
        Ok(())
    }
);

both_routes!(what_a_scope_rolls_back_is_not_there, async |db| {
    create_notes(db).await?;
    let mut scope = SessionScope::begin(&db.pool, ScopeSettings::SHORT).await?;
    scope.query(&INSERT, &[(&1, Type::INT4)]).await?;
    scope.rollback().await?;
    assert_eq!(notes(db).await?, 0);
    let status = db.pool.status();
    assert_eq!((status.size, status.idle, discarded(&db.pool)), (1, 1, 0));
    Ok(())
});

both_routes!(after_an_error_only_the_rollback_is_left, async |db| {
    create_notes(db).await?;
    let mut scope = SessionScope::begin(&db.pool, ScopeSettings::SHORT).await?;
    scope.query(&INSERT, &[(&1, Type::INT4)]).await?;
    let duplicate = scope.query(&INSERT, &[(&1, Type::INT4)]).await.unwrap_err();
    assert_eq!(duplicate.class(), ErrorClass::Conflict);
    let next = scope.query(&COUNT, &[]).await.unwrap_err();
    assert!(
        matches!(
            next,
            ScopeError::Poisoned {
                statement: "note_count"
            }
        ),
        "{next}"
    );
    let commit = scope.commit().await;
    assert!(
        matches!(commit, Commit::RolledBack(ScopeError::Poisoned { .. })),
        "{commit:?}"
    );
    assert_eq!(notes(db).await?, 0);
    // The rollback was answered, so the connection is as good as new.
    let status = db.pool.status();
    assert_eq!((status.size, status.idle, discarded(&db.pool)), (1, 1, 0));
    Ok(())
});

both_routes!(
    an_error_of_a_lone_statement_costs_its_connection,
    async |db| {
        create_notes(db).await?;
        SessionScope::once(&db.pool, &INSERT, &[(&1, Type::INT4)]).await?;
        assert_eq!(discarded(&db.pool), 0);
        let duplicate = SessionScope::once(&db.pool, &INSERT, &[(&1, Type::INT4)])
            .await
            .unwrap_err();
        assert_eq!(duplicate.class(), ErrorClass::Conflict);
        let status = db.pool.status();
        assert_eq!((status.size, discarded(&db.pool)), (0, 1));
        SessionScope::once(&db.pool, &INSERT, &[(&2, Type::INT4)]).await?;
        assert_eq!(notes(db).await?, 2);
        Ok(())
    }
);

both_routes!(
    many_clients_share_few_backends_without_mixing_answers,
    async |db| {
        create_notes(db).await?;
        let tasks = (0..40_i32).map(|number| {
            let pool = db.pool.clone();
            tokio::spawn(async move {
                for round in 0..10 {
                    let id = number * 100 + round;
                    SessionScope::run(&pool, ScopeSettings::SHORT, async move |scope| {
                        scope.query(&INSERT, &[(&id, Type::INT4)]).await?;
                        scope.query(&RAISE, &[(&id, Type::INT4)]).await.map(drop)
                    })
                    .await?;
                    let echo = Statement::repeatable("echo", "select $1 + 1");
                    let rows = SessionScope::once(&pool, &echo, &[(&id, Type::INT4)]).await?;
                    let answer: i32 = rows[0].try_get(0)?;
                    ensure!(answer == id + 1, "asked {id}, answered {answer}");
                }
                Ok(())
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await??;
        }
        assert_eq!(notes(db).await?, 400);
        assert_eq!(discarded(&db.pool), 0);
        Ok(())
    }
);

both_routes!(
    a_deadlock_between_two_scopes_is_retried_and_both_succeed,
    async |db| {
        create_notes(db).await?;
        db.admin
            .batch_execute("insert into trawl.notes (id) values (1), (2)")
            .await?;
        let both_hold_one = Barrier::new(2);
        let tries = AtomicU32::new(0);
        let raise = async |first: i32, second: i32| {
            let mut met = false;
            SessionScope::run(&db.pool, ScopeSettings::SHORT, async |scope| {
                tries.fetch_add(1, Ordering::Relaxed);
                scope.query(&RAISE, &[(&first, Type::INT4)]).await?;
                if !std::mem::replace(&mut met, true) {
                    both_hold_one.wait().await;
                }
                scope
                    .query(&RAISE, &[(&second, Type::INT4)])
                    .await
                    .map(drop)
            })
            .await
        };
        let (one, other) = tokio::join!(raise(1, 2), raise(2, 1));
        one?;
        other?;
        // Once more for each time that the one which starts over takes its first row before the other
        // has woken up: the row of an aborted transaction belongs to whoever comes first.
        let tries = tries.load(Ordering::Relaxed);
        assert!(tries >= 3, "one of the two had to start over: {tries}");
        let amounts: Vec<i32> = db.column("select amount from trawl.notes", &[]).await?;
        assert_eq!(amounts, [2, 2]);
        Ok(())
    }
);

both_routes!(
    a_serialization_failure_at_commit_rolls_back_and_is_retried,
    async |db| {
        create_notes(db).await?;
        // A sequence is not rolled back, so only the first COMMIT fails.
        db.admin
            .batch_execute(
                "create sequence trawl.tries;
             create function trawl.fail_once() returns trigger language plpgsql as $$ begin
                 if nextval('trawl.tries') = 1 then
                     raise exception 'not serializable' using errcode = '40001';
                 end if;
                 return null;
             end $$;
             create constraint trigger notes_fail_once after insert on trawl.notes
                 deferrable initially deferred
                 for each row execute function trawl.fail_once()",
            )
            .await?;
        let mut tries = 0;
        SessionScope::run(&db.pool, ScopeSettings::SHORT, async |scope| {
            tries += 1;
            scope
                .query(&INSERT, &[(&tries, Type::INT4)])
                .await
                .map(drop)
        })
        .await?;
        let ids: Vec<i32> = db.column("select id from trawl.notes", &[]).await?;
        assert_eq!(ids, [2]);
        // A failed COMMIT leaves no transaction whose rollback could be awaited.
        assert_eq!(discarded(&db.pool), 1);
        Ok(())
    }
);

both_routes!(
    a_commit_whose_answer_is_lost_is_unknown_and_never_retried,
    async |db| {
        create_notes(db).await?;
        db.admin
            .batch_execute(
                "create function trawl.linger() returns trigger language plpgsql as $$ begin
                 perform pg_sleep(600);
                 return null;
             end $$;
             create constraint trigger notes_linger after insert on trawl.notes
                 deferrable initially deferred
                 for each row execute function trawl.linger()",
            )
            .await?;
        let mut tries = 0;
        let settings = ScopeSettings {
            statement_timeout: Duration::from_secs(20),
            ..ScopeSettings::SHORT
        };
        let work = SessionScope::run(&db.pool, settings, async |scope| {
            tries += 1;
            scope.query(&INSERT, &[(&1, Type::INT4)]).await.map(drop)
        });
        let cut = wait_until("the COMMIT to be cut", PATIENCE, async || {
            let cut: Result<i64> = db
                .value(
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity
                 where datname = current_database() and query = 'COMMIT' and state = 'active'",
                    &[],
                )
                .await;
            cut.is_ok_and(|cut| cut == 1)
        });
        let (outcome, cut) = tokio::join!(work, cut);
        cut?;
        assert_eq!(outcome.unwrap_err().class(), ErrorClass::OutcomeUnknown);
        assert_eq!(tries, 1);
        assert_eq!(discarded(&db.pool), 1);
        Ok(())
    }
);

both_routes!(
    a_scope_whose_backend_ends_is_retried_as_a_whole,
    async |db| {
        create_notes(db).await?;
        let mut tries = 0;
        SessionScope::run(&db.pool, ScopeSettings::SHORT, async |scope| {
            tries += 1;
            scope.query(&INSERT, &[(&tries, Type::INT4)]).await?;
            if tries == 1 {
                let pid: i32 = scope.query(&SEEN, &[]).await?[0].try_get(0).unwrap();
                db.value::<bool>(
                    "select pg_terminate_backend($1, 10000)",
                    &[(&pid, Type::INT4)],
                )
                .await
                .unwrap();
            }
            scope.query(&COUNT, &[]).await.map(drop)
        })
        .await?;
        let ids: Vec<i32> = db.column("select id from trawl.notes", &[]).await?;
        assert_eq!((tries, ids), (2, vec![2]));
        Ok(())
    }
);

both_routes!(
    a_running_statement_whose_backend_ends_may_be_retried,
    async |db| {
        create_notes(db).await?;
        let mut scope = SessionScope::begin(&db.pool, ScopeSettings::SHORT).await?;
        let sleep = scope.query(&SLEEP, &[]);
        let cut = wait_until("the statement to be cut", PATIENCE, async || {
            db.value::<i64>(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity
             where datname = current_database() and query like '%pg_sleep(600)::text'
               and state = 'active'",
                &[],
            )
            .await
            .is_ok_and(|cut| cut == 1)
        });
        let (outcome, cut) = tokio::join!(sleep, cut);
        cut?;
        let error = outcome.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Retryable, "{error:?}");
        assert!(matches!(scope.commit().await, Commit::RolledBack(_)));
        assert_eq!(discarded(&db.pool), 1);
        Ok(())
    }
);

both_routes!(
    a_request_above_the_limit_is_refused_and_costs_no_connection,
    async |db| {
        const LENGTH: Statement = Statement::repeatable("length", "select length($1)");
        let fitting = "x".repeat(REQUEST_BYTES_MAX - LENGTH_SQL.len());
        let mut scope = SessionScope::begin(&db.pool, ScopeSettings::SHORT).await?;
        scope.query(&LENGTH, &[(&fitting, Type::TEXT)]).await?;
        let larger = format!("{fitting}x");
        let error = scope
            .query(&LENGTH, &[(&larger, Type::TEXT)])
            .await
            .unwrap_err();
        assert!(
            matches!(error, ScopeError::RequestTooLarge { bytes, limit, .. } if bytes == limit + 1),
            "{error:?}"
        );
        // Nothing was sent, so the server does not know of a failure and the rollback is answered.
        scope.rollback().await?;
        let error = SessionScope::once(&db.pool, &LENGTH, &[(&larger, Type::TEXT)])
            .await
            .unwrap_err();
        assert_eq!(error.class(), ErrorClass::Bug);
        let status = db.pool.status();
        assert_eq!((status.size, status.idle, discarded(&db.pool)), (1, 1, 0));
        Ok(())
    }
);
const LENGTH_SQL: &str = "select length($1)";

both_routes!(a_large_result_is_read_to_its_end, async |db| {
    const SERIES: Statement = Statement::repeatable("series", "select generate_series(1, 200000)");
    let (count, sum) = SessionScope::once_fold(
        &db.pool,
        &SERIES,
        &[],
        || (0_u32, 0_i64),
        |(count, sum), row| {
            *count += 1;
            *sum += i64::from(row.get::<_, i32>(0));
        },
    )
    .await?;
    assert_eq!((count, sum), (200_000, 20_000_100_000));
    let status = db.pool.status();
    assert_eq!((status.size, status.idle, discarded(&db.pool)), (1, 1, 0));
    Ok(())
});

both_routes!(
    a_panic_between_two_rows_costs_the_connection_and_nothing_else,
    async |db| {
        const SERIES: Statement =
            Statement::repeatable("series", "select generate_series(1, 200000)");
        let pool = db.pool.clone();
        let panicked = tokio::spawn(async move {
            SessionScope::once_fold(
                &pool,
                &SERIES,
                &[],
                || (),
                |(), row| assert!(row.get::<_, i32>(0) < 5, "the reader gives up"),
            )
            .await
        });
        assert!(panicked.await.unwrap_err().is_panic());
        let status = db.pool.status();
        assert_eq!((status.size, discarded(&db.pool)), (0, 1));
        SessionScope::once(&db.pool, &SEEN, &[]).await?;
        Ok(())
    }
);

both_routes!(
    a_pool_in_use_is_reported_busy_after_the_acquire_limit,
    async |db| {
        let options = PoolOptions {
            acquire_timeout: Duration::from_millis(50),
            ..PoolOptions::with_size(2)
        };
        let pool = db.pool_with(options)?;
        let first = SessionScope::begin(&pool, ScopeSettings::SHORT).await?;
        let second = SessionScope::begin(&pool, ScopeSettings::SHORT).await?;
        let status = pool.status();
        assert_eq!((status.max_size, status.size, status.idle), (2, 2, 0));
        for error in [
            SessionScope::begin(&pool, ScopeSettings::SHORT).await.err(),
            SessionScope::once(&pool, &SEEN, &[]).await.err(),
        ] {
            assert!(
                matches!(error, Some(ScopeError::PoolBusy { limit }) if limit.as_millis() == 50),
                "{error:?}"
            );
        }
        first.rollback().await?;
        SessionScope::once(&pool, &SEEN, &[]).await?;
        second.rollback().await?;
        let status = pool.status();
        assert_eq!((status.size, status.idle, status.waiting), (2, 2, 0));
        Ok(())
    }
);

both_routes!(an_old_connection_is_replaced, async |db| {
    let options = PoolOptions {
        max_age: Duration::ZERO,
        ..PoolOptions::with_size(1)
    };
    let pool = db.pool_with(options)?;
    for _ in 0..3 {
        SessionScope::once(&pool, &SEEN, &[]).await?;
    }
    let status = pool.status();
    assert_eq!((status.size, status.idle, discarded(&db.pool)), (1, 1, 0));
    Ok(())
});

#[test]
fn a_url_with_options_is_refused() {
    let refused = Pool::new(
        "postgres://trawl@localhost/trawl?options=-c%20statement_timeout%3D1",
        PoolOptions::with_size(1),
    );
    assert!(matches!(refused, Err(PoolBuildError::Options)));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_worth_another_try() {
    // Port 1 is reserved and nobody listens there.
    let pool = Pool::new(
        "postgres://trawl@127.0.0.1:1/trawl",
        PoolOptions::with_size(1),
    )
    .unwrap();
    let error = SessionScope::once(&pool, &SEEN, &[]).await.unwrap_err();
    assert!(matches!(error, ScopeError::Connect(_)), "{error:?}");
    assert_eq!(error.class(), ErrorClass::Retryable);
}
