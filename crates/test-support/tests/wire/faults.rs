//! Connections that break where they were told to.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::timeout;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;
use trawl_test_support::wire::{Effect, Fault, Moment, RequestKind};
use trawl_test_support::{Route, wait_until};

use crate::{BEGIN, Fixture, PATIENCE, insert};

/// Inserts a row in a transaction whose COMMIT meets a fault.
async fn commit_with(fixture: &Fixture, effect: Effect) -> Result<Error> {
    let client = fixture.connect().await?;
    let armed = fixture
        .proxy
        .arm(Fault::new(Moment::Request(RequestKind::Commit), effect));
    client.batch_execute(BEGIN).await?;
    insert(&client, 1).await?;
    let error = client
        .batch_execute("COMMIT")
        .await
        .err()
        .context("a lost answer")?;
    assert_eq!(armed.count(), 1);
    fixture.proxy.report().check()?;
    assert_eq!(fixture.proxy.report().abandoned, 1);
    Ok(error)
}

#[tokio::test]
async fn a_connection_cut_before_commit_leaves_nothing() -> Result<()> {
    for effect in [Effect::CutBefore, Effect::admin_shutdown()] {
        let fixture = Fixture::new(Route::Pooled).await?;
        commit_with(&fixture, effect).await?;
        assert_eq!(fixture.rows().await?, 0);
        fixture.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_connection_cut_after_commit_leaves_everything() -> Result<()> {
    let fixture = Fixture::new(Route::Pooled).await?;
    let error = commit_with(&fixture, Effect::CutAfter).await?;
    assert!(error.is_closed() || error.code().is_none(), "{error:?}");
    assert_eq!(fixture.rows().await?, 1);
    fixture.close().await
}

#[tokio::test]
async fn a_statement_cut_while_it_runs_may_still_take_effect() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let client = fixture.connect().await?;
    let armed = fixture.proxy.arm(Fault::new(
        Moment::Labeled("late".into()),
        Effect::CutDuring,
    ));
    let late = "/* late */ INSERT INTO rows SELECT 1 FROM pg_sleep(0.1)";
    client.execute_typed(late, &[]).await.unwrap_err();
    assert_eq!(armed.count(), 1);
    wait_until(
        "the abandoned statement to take effect",
        PATIENCE,
        async || fixture.rows().await.is_ok_and(|rows| rows == 1),
    )
    .await?;
    fixture.close().await
}

#[tokio::test]
async fn a_black_hole_swallows_the_answer_and_closes_nothing() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let moment = Moment::Request(RequestKind::Commit);
    fixture.proxy.arm(Fault::new(moment, Effect::SilenceAfter));
    let client = fixture.connect().await?;
    client.batch_execute(BEGIN).await?;
    insert(&client, 1).await?;
    let commit = timeout(Duration::from_millis(200), client.batch_execute("COMMIT")).await;
    assert!(commit.is_err(), "an answer came: {commit:?}");
    assert!(!client.is_closed());
    assert_eq!(fixture.rows().await?, 1);
    let admin = fixture.database.admin().await?;
    let others = "SELECT FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid() AND query = 'COMMIT'";
    drop(client);
    assert_eq!(admin.query_typed(others, &[]).await?.len(), 1, "half open");
    fixture.proxy.cut_all();
    wait_until("the cut to reach the server", PATIENCE, async || {
        admin
            .query_typed(others, &[])
            .await
            .is_ok_and(|rows| rows.is_empty())
    })
    .await?;
    fixture.close().await
}

#[tokio::test]
async fn pooler_errors_arrive_with_their_codes() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let armed = fixture
        .proxy
        .arm(Fault::new(Moment::Connect, Effect::too_many_clients()).times(2));
    for _ in 0..2 {
        let error = fixture.connect().await.err().context("a refused session")?;
        let error = error.as_db_error().context("an error of the server")?;
        assert_eq!((error.severity(), error.code().code()), ("FATAL", "XX000"));
        assert!(error.message().starts_with("(EMAXCONN)"));
    }
    let client = fixture.connect().await?;
    assert_eq!(armed.count(), 2);
    fixture
        .proxy
        .arm(Fault::new(Moment::AnyRequest, Effect::checkout_timeout()));
    let error = insert(&client, 1).await.unwrap_err();
    assert!(
        error
            .as_db_error()
            .is_some_and(|e| e.message().starts_with("(ECHECKOUTTIMEOUT)"))
    );
    wait_until("the end of the connection", PATIENCE, async || {
        client.is_closed()
    })
    .await?;
    assert_eq!(fixture.rows().await?, 0);
    fixture.close().await
}

#[tokio::test]
async fn an_injected_error_fails_the_transaction_but_not_the_connection() -> Result<()> {
    for route in Route::ALL {
        let fixture = Fixture::new(route).await?;
        let client = fixture.connect().await?;
        let effect = Effect::Error {
            sqlstate: "57014",
            message: "canceling statement due to somebody else's request".to_owned(),
        };
        fixture
            .proxy
            .arm(Fault::new(Moment::Labeled("insert".into()), effect).after(1));
        client.batch_execute(BEGIN).await?;
        insert(&client, 1).await?;
        let error = insert(&client, 2).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::QUERY_CANCELED));
        assert!(
            error
                .as_db_error()
                .is_some_and(|e| e.message().contains("else's"))
        );
        client.batch_execute("ROLLBACK").await?;
        insert(&client, 3).await?;
        fixture.proxy.report().check()?;
        assert_eq!(fixture.rows().await?, 1);
        fixture.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn refused_sessions_are_refused_until_disarmed() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let armed = fixture
        .proxy
        .arm(Fault::new(Moment::Connect, Effect::CutBefore).always());
    for _ in 0..3 {
        assert!(fixture.connect().await.is_err());
    }
    armed.disarm();
    insert(&fixture.connect().await?, 1).await?;
    assert_eq!(armed.count(), 3);
    fixture.close().await
}

#[tokio::test]
async fn idle_connections_are_cut_and_busy_ones_are_not() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let (idle, busy) = (fixture.connect().await?, fixture.connect().await?);
    busy.batch_execute(BEGIN).await?;
    fixture.proxy.cut_idle();
    wait_until("the idle connection to end", PATIENCE, async || {
        idle.is_closed()
    })
    .await?;
    insert(&busy, 1).await?;
    busy.batch_execute("COMMIT").await?;
    fixture.proxy.silence_all();
    let answer = timeout(Duration::from_millis(100), insert(&busy, 2)).await;
    assert!(answer.is_err(), "an answer came: {answer:?}");
    insert(&fixture.connect().await?, 3).await?;
    fixture.proxy.cut_all();
    wait_until("the silent connection to end", PATIENCE, async || {
        busy.is_closed()
    })
    .await?;
    fixture.close().await
}
