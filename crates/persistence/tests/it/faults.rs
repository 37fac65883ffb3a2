//! Connections that break at the worst moment: every call ends with the right class, nothing is
//! lost and nothing happens twice.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio_postgres::types::Type;
use trawl_persistence::batches::Submitted;
use trawl_persistence::class::ErrorClass;
use trawl_persistence::control::{batch_cancel, batch_pause, job_cancel};
use trawl_persistence::error::{Phase, ScopeError};
use trawl_persistence::health::ping;
use trawl_persistence::jobs::{job_claim, job_finish, job_hand_back, job_status};
use trawl_persistence::pages::{page_record, pages_of_job};
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_persistence::scope::{Commit, ScopeSettings, SessionScope, Statement};
use trawl_persistence::workers::worker_heartbeat;
use trawl_test_support::wait_until;
use trawl_test_support::wire::{Effect, Fault, Moment, RequestKind, WireProxy};
use uuid::Uuid;

use crate::database::{CLIENTS, Db, Route, discarded};
use crate::fixtures::{Submission, assert_promises_kept, complete, page, worker};

const CUTS: [Effect; 3] = [Effect::CutBefore, Effect::CutDuring, Effect::CutAfter];

async fn faulty(db: &Db) -> Result<(WireProxy, Pool)> {
    let proxy = WireProxy::start(&db.url()).await?;
    let pool = Pool::new(&proxy.url(), PoolOptions::with_size(CLIENTS))?;
    Ok((proxy, pool))
}

/// The requests of a call are known by the first words of their SQL file.
fn at(label: &str) -> Moment {
    Moment::Labeled(label.to_owned())
}

async fn stored_jobs(db: &Db, batch: Uuid) -> Result<i64> {
    db.value(
        "select count(*) from trawl.domain_jobs where batch_id = $1",
        &[(&batch, Type::UUID)],
    )
    .await
}

both_routes!(a_submission_cut_anywhere_is_stored_once, async |db| {
    let (proxy, pool) = faulty(db).await?;
    let moments = [
        Moment::Connect,
        Moment::Request(RequestKind::Begin),
        at("Inserts a batch;"),
        at("Inserts a slice"),
        Moment::Request(RequestKind::Commit),
    ];
    for moment in moments {
        for effect in CUTS {
            // A new connection each time, so that connecting is a moment, too.
            let pool = Pool::new(&proxy.url(), PoolOptions::with_size(1))?;
            let armed = proxy.arm(Fault::new(moment.clone(), effect.clone()));
            let batch = Submission::sized("cut", 10);
            let submitted = batch.send(&pool).await?;
            assert_eq!(armed.count(), 1, "{effect:?} at {moment:?} did not happen");
            assert_eq!(
                stored_jobs(db, batch.id).await?,
                10,
                "{effect:?} at {moment:?}"
            );
            match (&moment, &effect) {
                // It had been stored, and only its answer was lost.
                (Moment::Request(RequestKind::Commit), Effect::CutAfter) => {
                    assert!(
                        matches!(submitted, Submitted::Replayed { .. }),
                        "{submitted:?}"
                    );
                }
                (Moment::Request(RequestKind::Commit), Effect::CutDuring) => {}
                _ => assert!(
                    matches!(submitted, Submitted::Accepted { .. }),
                    "{submitted:?}"
                ),
            }
        }
    }
    assert_promises_kept(&pool).await
});

both_routes!(
    a_claim_whose_answer_is_lost_is_found_by_the_heartbeat,
    async |db| {
        let (proxy, pool) = faulty(db).await?;
        let me = worker(&pool).await?;
        let batch = Submission::sized("orphaned", 5).accepted(&pool).await?;
        proxy.arm(Fault::new(at("Takes up to"), Effect::CutAfter));
        let error = job_claim(&pool, me, 5, None).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::OutcomeUnknown, "{error:?}");
        // Not tried again, or it would have claimed more than was wanted.
        let beat = worker_heartbeat(&pool, me, &[], Duration::ZERO).await?;
        assert_eq!(beat.orphans.len(), 5);
        assert_eq!(job_hand_back(&pool, &beat.orphans).await?.len(), 5);
        let again = job_claim(&pool, me, 5, None).await?;
        assert!(
            again
                .iter()
                .all(|job| job.batch == batch.id && job.attempt == 1)
        );
        assert_promises_kept(&pool).await
    }
);

both_routes!(a_record_or_a_finish_cut_anywhere_counts_once, async |db| {
    let (proxy, pool) = faulty(db).await?;
    let me = worker(&pool).await?;
    for effect in CUTS {
        Submission::sized(&format!("cut-{effect:?}"), 1)
            .accepted(&pool)
            .await?;
        let lease = job_claim(&pool, me, 1, None).await?[0].lease;
        let recording = proxy.arm(Fault::new(at("Records pages"), effect.clone()));
        let held = page_record(&pool, &[page(lease, 0), page(lease, 1)]).await?;
        assert_eq!(held, [lease.job], "{effect:?}");
        let finishing = proxy.arm(Fault::new(at("Ends, re-queues"), effect.clone()));
        job_finish(&pool, &[complete(lease)]).await?;
        assert_eq!((recording.count(), finishing.count()), (1, 1));
        let view = job_status(&pool, lease.job)
            .await?
            .context("the job is there")?;
        assert_eq!(
            (view.pages_scraped, view.state.as_str()),
            (2, "complete"),
            "{effect:?}"
        );
        assert_eq!(pages_of_job(&pool, lease.job, None, 10_000).await?.len(), 2);
    }
    assert_promises_kept(&pool).await
});

both_routes!(what_a_busy_pooler_refuses_is_tried_again, async |db| {
    let (proxy, pool) = faulty(db).await?;
    let me = worker(&pool).await?;
    Submission::sized("refused", 6)
        .at_once(6)
        .accepted(&pool)
        .await?;
    for refusal in [
        Effect::checkout_timeout(),
        Effect::Fatal {
            sqlstate: "XX000",
            message: "(ECHECKOUTRETRIES) failed to check out a connection".to_owned(),
        },
    ] {
        // A claim is not repeatable: this refusal says that it was never begun.
        let armed = proxy.arm(Fault::new(at("Takes up to"), refusal).times(2));
        assert_eq!(job_claim(&pool, me, 1, None).await?.len(), 1);
        assert_eq!(armed.count(), 2);
    }
    let armed = proxy.arm(Fault::new(Moment::Connect, Effect::too_many_clients()).times(2));
    let crowded = Pool::new(&proxy.url(), PoolOptions::with_size(1))?;
    ping(&crowded).await?;
    assert_eq!(armed.count(), 2);
    Ok(())
});

both_routes!(what_cannot_get_better_is_not_tried_again, async |db| {
    for (sqlstate, message, class) in [
        (
            "28P01",
            "password authentication failed",
            ErrorClass::Permanent,
        ),
        (
            "XX000",
            "(ENOTFOUND) tenant/user app.nope not found",
            ErrorClass::Permanent,
        ),
        (
            "XX000",
            "(ECIRCUITBREAKER) too many failures",
            ErrorClass::RetryLater,
        ),
    ] {
        let refusal = Effect::Fatal {
            sqlstate,
            message: message.to_owned(),
        };
        let (proxy, pool) = faulty(db).await?;
        let armed = proxy.arm(Fault::new(Moment::Connect, refusal).always());
        let error = ping(&pool).await.unwrap_err();
        assert_eq!(error.class(), class, "{message}");
        // Nor by whoever comes next: ten refused passwords block everybody at Supavisor.
        for _caller in 0..3 {
            let error = ping(&pool).await.unwrap_err();
            assert!(matches!(error, ScopeError::Refused { .. }), "{error:?}");
        }
        assert_eq!(armed.count(), 1, "{message}");
    }
    Ok(())
});

both_routes!(
    a_refused_connection_leaves_those_that_are_there,
    async |db| {
        let (proxy, pool) = faulty(db).await?;
        ping(&pool).await?;
        let refusal = Effect::Fatal {
            sqlstate: "28P01",
            message: "password authentication failed".to_owned(),
        };
        let armed = proxy.arm(Fault::new(Moment::Connect, refusal).always());
        let mut first = SessionScope::begin(&pool, ScopeSettings::SHORT).await?;
        let error = ping(&pool).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Permanent);
        const ONE: Statement = Statement::repeatable("one", "select 1");
        first.query(&ONE, &[]).await?;
        first.rollback().await?;
        ping(&pool).await?;
        assert_eq!(armed.count(), 1);
        assert!(pool.refused_for().is_some());
        Ok(())
    }
);

both_routes!(
    a_server_that_goes_is_unknown_after_a_commit_and_not_before,
    async |db| {
        const WRITE: Statement = Statement::once_only("write", "create table trawl.written ()");
        let (proxy, pool) = faulty(db).await?;
        for (kind, class) in [
            (RequestKind::Begin, ErrorClass::Retryable),
            (RequestKind::Statement, ErrorClass::Retryable),
            (RequestKind::Commit, ErrorClass::OutcomeUnknown),
        ] {
            let armed = proxy.arm(Fault::new(Moment::Request(kind), Effect::admin_shutdown()));
            let outcome = async {
                let mut scope = SessionScope::begin(&pool, ScopeSettings::SHORT).await?;
                scope.query(&WRITE, &[]).await?;
                scope.commit().await.confirmed()
            };
            assert_eq!(outcome.await.unwrap_err().class(), class, "{kind:?}");
            assert_eq!(armed.count(), 1);
        }
        // A lone statement may have been committed before the server's last word.
        proxy.arm(Fault::new(at("create table"), Effect::admin_shutdown()));
        let error = SessionScope::once(&pool, &WRITE, &[]).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::OutcomeUnknown);
        Ok(())
    }
);

both_routes!(
    an_answer_that_never_comes_ends_at_the_deadline,
    async |db| {
        const WRITE: Statement = Statement::once_only("write", "create table trawl.written ()");
        let settings = ScopeSettings {
            statement_timeout: Duration::from_millis(1),
            ..ScopeSettings::SHORT
        };
        let (proxy, pool) = faulty(db).await?;
        let mut scope = SessionScope::begin(&pool, ScopeSettings::SHORT).await?;
        scope.query(&WRITE, &[]).await?;
        scope.rollback().await?;
        let silent_statement = async {
            let mut scope = SessionScope::begin(&pool, settings).await?;
            proxy.arm(Fault::new(at("create table"), Effect::SilenceBefore));
            let error = scope.query(&WRITE, &[]).await.unwrap_err();
            ensure!(
                matches!(
                    error,
                    ScopeError::Deadline {
                        phase: Phase::InTransaction,
                        ..
                    }
                ),
                "{error:?}"
            );
            ensure!(error.class() == ErrorClass::Retryable);
            let commit = scope.commit().await;
            ensure!(matches!(commit, Commit::RolledBack(_)), "{commit:?}");
            anyhow::Ok(())
        };
        let silent_commit = async {
            let scope = SessionScope::begin(&pool, settings).await?;
            proxy.arm(Fault::new(
                Moment::Request(RequestKind::Commit),
                Effect::SilenceAfter,
            ));
            let commit = scope.commit().await;
            ensure!(
                matches!(
                    commit,
                    Commit::Unknown(ScopeError::Deadline {
                        phase: Phase::Commit,
                        ..
                    })
                ),
                "{commit:?}"
            );
            anyhow::Ok(())
        };
        let (statement, commit) = tokio::join!(silent_statement, silent_commit);
        statement?;
        commit?;
        let status = pool.status();
        assert_eq!((discarded(&pool), status.size - status.idle), (2, 0));
        Ok(())
    }
);

#[tokio::test]
async fn a_backend_does_not_wait_for_a_stranger_for_ever() -> Result<()> {
    let db = Db::migrated(Route::Direct).await?;
    let me = worker(&db.pool).await?;
    let batch = Submission::sized("locked", 1).accepted(&db.pool).await?;
    let lease = job_claim(&db.pool, me, 1, None).await?[0].lease;
    let stranger = db.another_admin().await?;
    stranger
        .batch_execute("begin; select 1 from trawl.batches for update; select 1 from trawl.domain_jobs for update")
        .await?;
    // Given up by their clients at once, which leaves the backends to themselves.
    let patience = Duration::from_millis(500);
    for _ in 0..3 {
        let pool = db.pool_with(PoolOptions::with_size(5))?;
        let (ended, pages) = ([complete(lease)], [page(lease, 0)]);
        let calls = async {
            tokio::join!(
                job_finish(&pool, &ended),
                page_record(&pool, &pages),
                batch_cancel(&pool, batch.id),
                job_cancel(&pool, lease.job),
                batch_pause(&pool, batch.id, true),
            )
        };
        ensure!(tokio::time::timeout(patience, calls).await.is_err());
    }
    wait_until("nobody to wait", Duration::from_secs(20), async || {
        db.value::<i64>(
            "select count(*) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'",
            &[],
        )
        .await
        .is_ok_and(|waiting| waiting == 0)
    })
    .await?;
    stranger.batch_execute("rollback").await?;
    assert_promises_kept(&db.pool).await
}

both_routes!(connections_closed_while_idle_are_replaced, async |db| {
    let (proxy, pool) = faulty(db).await?;
    let me = worker(&pool).await?;
    Submission::sized("idle", 4).accepted(&pool).await?;
    for _ in 0..4 {
        proxy.cut_idle();
        wait_until("the cut to arrive", Duration::from_secs(20), async || {
            // A statement that must not be repeated shows that the closed one was not even tried.
            let entries = proxy.log();
            let ended = entries
                .iter()
                .filter(|entry| matches!(entry.event, trawl_test_support::wire::Event::Ended));
            ended.count() == proxy.report().connections
        })
        .await?;
        tokio::task::yield_now().await;
        assert_eq!(job_claim(&pool, me, 1, None).await?.len(), 1);
    }
    assert_eq!(discarded(&pool), 0);
    Ok(())
});
