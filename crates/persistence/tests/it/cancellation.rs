//! Futures that are dropped at every point where they wait: whatever they were doing, no
//! transaction stays open, no slot of the pool is lost and no connection with an unread answer is
//! used again.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio_postgres::types::Type;
use trawl_persistence::error::ScopeError;
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_persistence::scope::{Commit, Param, ScopeSettings, SessionScope, Statement};
use trawl_test_support::wait_for;

use crate::database::{Db, discarded};

const INSERT: Statement =
    Statement::once_only("note_insert", "insert into trawl.notes (id) values ($1)");
const IDS: Statement = Statement::repeatable("note_ids", "select id from trawl.notes order by id");

/// More than any operation here waits; an operation that needs more does not end.
const POLLS_MAX: usize = 200;

/// A pool with one slot fewer than would hide a lost one: every round of a test uses it anew.
const SLOTS: usize = 2;

/// Polls `future` that many times and drops it; answers what it answered, if it came so far.
async fn drop_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Tries `attempt` with 0, 1, 2 … polls until it ends by itself, and looks for traces after each.
///
/// An attempt answers whether it ended by itself. `id` tells it what to write.
async fn dropped_at_every_point(
    db: &Db,
    mut attempt: impl AsyncFnMut(&Pool, usize, i32) -> Result<bool>,
) -> Result<()> {
    db.admin
        .batch_execute("create table trawl.notes (id integer primary key)")
        .await?;
    let options = PoolOptions {
        acquire_timeout: Duration::from_secs(2),
        ..PoolOptions::with_size(SLOTS)
    };
    let pool = db.pool_with(options)?;
    for polls in 0..POLLS_MAX {
        let ended = attempt(&pool, polls, i32::try_from(polls)?).await?;
        no_trace_is_left(db, &pool, polls).await?;
        if ended {
            ensure!(polls > 1, "an operation on a server has to wait for it");
            return Ok(());
        }
    }
    anyhow::bail!("not done after {POLLS_MAX} polls")
}

async fn no_trace_is_left(db: &Db, pool: &Pool, polls: usize) -> Result<()> {
    let status = pool.status();
    ensure!(
        status.size == status.idle && status.waiting == 0,
        "a slot is lost after {polls} polls: {status:?}"
    );
    wait_for(
        "all transactions to end",
        Duration::from_secs(20),
        async || {
            let busy: Vec<String> = db
                .column(
                    "select state || ': ' || query from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid()
                   and backend_type = 'client backend' and state <> 'idle'",
                    &[],
                )
                .await?;
            ensure!(busy.is_empty(), "after {polls} polls: {busy:?}");
            Ok(())
        },
    )
    .await?;
    // The next scopes work, all slots at once, and each reads the answer to its own question.
    let own = |id: i32| async move {
        let mut scope = SessionScope::begin(pool, ScopeSettings::SHORT).await?;
        scope.query(&INSERT, &[(&id, Type::INT4)]).await?;
        let rows = scope.query(&IDS, &[]).await?;
        scope.rollback().await?;
        Ok::<_, ScopeError>(rows.iter().any(|row| row.get::<_, i32>(0) == id))
    };
    let (first, second) = tokio::join!(own(-1), own(-2));
    ensure!(first? && second?, "a scope does not see its own row");
    Ok(())
}

async fn has_note(db: &Db, id: i32) -> Result<bool> {
    db.value(
        "select exists (select from trawl.notes where id = $1)",
        &[(&id, Type::INT4)],
    )
    .await
}

async fn begin_and_insert(pool: &Pool, id: i32) -> Result<SessionScope, ScopeError> {
    let mut scope = SessionScope::begin(pool, ScopeSettings::SHORT).await?;
    scope.query(&INSERT, &[(&id, Type::INT4)]).await?;
    Ok(scope)
}

/// How many connections were discarded while `operation` ran.
async fn discarded_by<T>(pool: &Pool, operation: impl Future<Output = T>) -> (T, u64) {
    let before = discarded(pool);
    let answer = operation.await;
    (answer, discarded(pool) - before)
}

both_routes!(a_dropped_begin_leaves_no_trace, async |db| {
    dropped_at_every_point(db, async |pool, polls, _id| {
        let begin = SessionScope::begin(pool, ScopeSettings::SHORT);
        let (begun, discarded) = discarded_by(pool, drop_after(polls, begin)).await;
        // Dropped before there was a connection, there is none to discard.
        assert!(discarded <= 1);
        let Some(scope) = begun else {
            return Ok(false);
        };
        scope?.rollback().await?;
        Ok(true)
    })
    .await
});

both_routes!(
    a_scope_dropped_between_its_statements_leaves_no_trace,
    async |db| {
        let mut rounds = 0..3;
        dropped_at_every_point(db, async |pool, _polls, id| {
            let scope = begin_and_insert(pool, id).await?;
            let ((), discarded) = discarded_by(pool, async { drop(scope) }).await;
            assert_eq!(discarded, 1);
            assert!(!has_note(db, id).await?);
            Ok(rounds.next().is_none())
        })
        .await
    }
);

both_routes!(a_dropped_statement_leaves_no_trace, async |db| {
    dropped_at_every_point(db, async |pool, polls, id| {
        let mut scope = begin_and_insert(pool, id).await?;
        let answer = drop_after(polls, scope.query(&IDS, &[])).await;
        // Nobody may go on with a scope one of whose statements was dropped.
        if answer.is_none() && polls > 0 {
            let next = scope.query(&IDS, &[]).await.unwrap_err();
            assert!(matches!(next, ScopeError::Poisoned { .. }), "{next}");
        }
        let ((), discarded) = discarded_by(pool, async { drop(scope) }).await;
        assert_eq!(discarded, 1);
        assert!(!has_note(db, id).await?);
        Ok(answer.is_some())
    })
    .await
});

both_routes!(
    a_scope_with_a_dropped_statement_sends_nothing_more,
    async |db| {
        dropped_at_every_point(db, async |pool, polls, id| {
            let mut scope = begin_and_insert(pool, id).await?;
            let answer = drop_after(polls, scope.query(&IDS, &[])).await;
            if answer.is_some() || polls == 0 {
                scope.rollback().await?;
                return Ok(answer.is_some());
            }
            let (commit, discarded) = discarded_by(pool, scope.commit()).await;
            assert!(matches!(commit, Commit::RolledBack(_)), "{commit:?}");
            assert_eq!(discarded, 1);
            assert!(!has_note(db, id).await?);
            Ok(false)
        })
        .await
    }
);

both_routes!(
    a_dropped_commit_took_effect_or_not_and_leaves_no_trace,
    async |db| {
        dropped_at_every_point(db, async |pool, polls, id| {
            let scope = begin_and_insert(pool, id).await?;
            let (commit, discarded) = discarded_by(pool, drop_after(polls, scope.commit())).await;
            match commit {
                None => {
                    assert_eq!(discarded, 1);
                    Ok(false)
                }
                Some(commit) => {
                    commit.confirmed()?;
                    assert_eq!(discarded, 0);
                    assert!(has_note(db, id).await?);
                    Ok(true)
                }
            }
        })
        .await
    }
);

both_routes!(a_dropped_rollback_leaves_no_trace, async |db| {
    dropped_at_every_point(db, async |pool, polls, id| {
        let scope = begin_and_insert(pool, id).await?;
        let (rollback, discarded) = discarded_by(pool, drop_after(polls, scope.rollback())).await;
        assert!(!has_note(db, id).await?);
        assert_eq!(discarded, u64::from(rollback.is_none()));
        rollback.transpose()?;
        Ok(discarded == 0)
    })
    .await
});

both_routes!(a_dropped_lone_statement_leaves_no_trace, async |db| {
    dropped_at_every_point(db, async |pool, polls, id| {
        let params: [Param<'_>; 1] = [(&id, Type::INT4)];
        let once = SessionScope::once(pool, &INSERT, &params);
        let (answer, discarded) = discarded_by(pool, drop_after(polls, once)).await;
        assert!(discarded <= 1);
        let ended = answer.transpose()?.is_some();
        if ended {
            assert_eq!(discarded, 0);
            assert!(has_note(db, id).await?);
        }
        Ok(ended)
    })
    .await
});

both_routes!(a_dropped_run_leaves_no_trace, async |db| {
    dropped_at_every_point(db, async |pool, polls, id| {
        let run = SessionScope::run(pool, ScopeSettings::SHORT, async |scope| {
            scope.query(&INSERT, &[(&id, Type::INT4)]).await?;
            scope.query(&IDS, &[]).await.map(|rows| rows.len())
        });
        let (answer, discarded) = discarded_by(pool, drop_after(polls, run)).await;
        assert!(discarded <= 1);
        let ended = answer.transpose()?.is_some();
        if ended {
            assert_eq!(discarded, 0);
            assert!(has_note(db, id).await?);
        }
        Ok(ended)
    })
    .await
});
