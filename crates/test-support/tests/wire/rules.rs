//! Clients that do as they should, and clients that do not.

use std::future::Future;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use trawl_test_support::wire::{Event, Rule};
use trawl_test_support::{Route, wait_until};

use crate::{BEGIN, Fixture, PATIENCE, fail, insert};

/// Polls a future once, so that it has sent what it sends, and drops it.
fn start_and_drop(future: impl Future) {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(future.as_mut().poll(&mut context), Poll::Pending));
}

#[tokio::test]
async fn a_correct_client_breaks_no_rule_by_either_route() -> Result<()> {
    for route in Route::ALL {
        let fixture = Fixture::new(route).await?;
        let client = fixture.connect().await?;
        insert(&client, 1).await?;
        client.batch_execute(BEGIN).await?;
        client
            .query_typed("SELECT set_config('lock_timeout', '1s', true)", &[])
            .await?;
        insert(&client, 2).await?;
        client.batch_execute("COMMIT").await?;
        client.batch_execute(BEGIN).await?;
        assert_eq!(fail(&client).await, Some(SqlState::DIVISION_BY_ZERO));
        client.batch_execute("ROLLBACK").await?;
        insert(&client, 3).await?;

        let report = fixture.proxy.report();
        report.check()?;
        assert_eq!(report.connections, 1);
        assert_eq!(report.requests, 9);
        assert_eq!(report.transactions, 2);
        assert_eq!(report.autocommitted, 2);
        assert_eq!(report.early_rollbacks, 1);
        assert_eq!(report.statements["insert"], 3);
        assert_eq!(report.statements["COMMIT"], 1);
        assert_eq!(report.errors["22012"], 1);
        assert!(report.largest_request_bytes < 200 && report.request_bytes > 300);
        assert!(fixture.proxy.log().iter().any(|entry| matches!(
            &entry.event,
            Event::Sent { tag: 'P', detail, .. } if detail == "insert"
        )));
        drop(client);
        wait_until("the end of the session", PATIENCE, async || {
            fixture
                .proxy
                .log()
                .iter()
                .any(|entry| entry.event == Event::Ended)
        })
        .await?;
        assert_eq!(fixture.proxy.report().abandoned, 0);
        assert_eq!(fixture.rows().await?, 3);
        fixture.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn named_statements_are_found() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let client = fixture.connect().await?;
    fixture
        .proxy
        .hold_ready_for_query(Duration::from_millis(200), Duration::ZERO);
    client.query("SELECT 1", &[]).await?;
    // The driver does not wait for the end of the preparation either.
    fixture.assert_broken(&[Rule::NamedObject, Rule::EarlyBytes]);
    assert_eq!(fixture.proxy.report().count(Rule::NamedObject), 3);
    fixture.close().await
}

#[tokio::test]
async fn pipelining_is_found() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let client = fixture.connect().await?;
    let (one, two) = tokio::join!(insert(&client, 1), insert(&client, 2));
    one?;
    two?;
    fixture.assert_broken(&[Rule::EarlyBytes]);
    assert_eq!(fixture.proxy.report().count(Rule::EarlyBytes), 5);
    fixture.close().await
}

#[tokio::test]
async fn a_statement_right_after_an_error_is_found() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let client = fixture.connect().await?;
    assert!(fail(&client).await.is_some());
    insert(&client, 1).await?;
    fixture.assert_broken(&[Rule::EarlyBytes]);
    fixture.close().await
}

#[tokio::test]
async fn a_statement_right_after_a_failed_commit_is_found() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let client = fixture.connect().await?;
    client.batch_execute(BEGIN).await?;
    insert(&client, 1).await?;
    insert(&client, 1).await?;
    let error = client.batch_execute("COMMIT").await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::UNIQUE_VIOLATION));
    fixture.proxy.report().check()?;
    client.batch_execute("ROLLBACK").await?;
    fixture.assert_broken(&[Rule::EarlyBytes]);
    fixture.close().await
}

#[tokio::test]
async fn a_statement_in_a_failed_transaction_is_found() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let client = fixture.connect().await?;
    client.batch_execute(BEGIN).await?;
    assert!(fail(&client).await.is_some());
    client.batch_execute("COMMIT").await?;
    fixture.assert_broken(&[Rule::EarlyBytes]);
    fixture.close().await
}

#[tokio::test]
async fn a_dropped_future_is_found_when_its_connection_is_used_again() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let client = fixture.connect().await?;
    start_and_drop(insert(&client, 1));
    insert(&client, 2).await?;
    fixture.assert_broken(&[Rule::EarlyBytes]);
    fixture.close().await
}

#[tokio::test]
async fn a_dropped_transaction_is_found_when_its_connection_is_used_again() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let mut client = fixture.connect().await?;
    drop(client.transaction().await?);
    insert(&client, 1).await?;
    fixture.assert_broken(&[Rule::EarlyBytes, Rule::SimpleQuery]);
    fixture.close().await
}

#[tokio::test]
async fn session_state_is_found() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let client = fixture.connect().await?;
    for sql in [
        "SET lock_timeout = '1s'",
        "SELECT set_config('lock_timeout', '1s', false)",
        "SELECT pg_try_advisory_lock(1)",
        "CREATE TEMP TABLE mine (number int)",
        "LISTEN jobs",
        "DISCARD ALL",
    ] {
        fixture.proxy.reset();
        client.execute_typed(sql, &[]).await?;
        fixture.assert_broken(&[Rule::SessionState]);
    }
    fixture.close().await
}

#[tokio::test]
async fn simple_queries_other_than_transaction_control_are_found() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let client = fixture.connect().await?;
    for sql in [
        "SELECT 1",
        "",
        "BEGIN",
        "SET LOCAL lock_timeout = 1; COMMIT",
    ] {
        fixture.proxy.reset();
        client.batch_execute(sql).await?;
        fixture.assert_broken(&[Rule::SimpleQuery]);
    }
    fixture.close().await
}

#[tokio::test]
async fn a_large_request_is_found() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let client = fixture.connect().await?;
    for (length, is_allowed) in [(199_000, true), (200_001, false)] {
        let text = "x".repeat(length);
        let rows = client
            .query_typed("/* large */ SELECT length($1)", &[(&text, Type::TEXT)])
            .await?;
        assert_eq!(usize::try_from(rows[0].get::<_, i32>(0))?, length);
        let report = fixture.proxy.report();
        assert_eq!(report.check().is_ok(), is_allowed);
        assert_eq!(report.largest_request, "large");
        assert!((length..length + 200).contains(&report.largest_request_bytes));
    }
    fixture.assert_broken(&[Rule::OversizedRequest]);
    fixture.close().await
}

#[tokio::test]
async fn a_cancel_request_is_found_and_passed_on() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let client = fixture.connect().await?;
    let cancel = client.cancel_token();
    let sleeping = client.query_typed("SELECT pg_sleep(60)", &[]);
    let canceling = async {
        let admin = fixture.database.admin().await?;
        wait_until("the statement to run", PATIENCE, async || {
            let running = admin
                .query_typed(
                    "SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'",
                    &[],
                )
                .await;
            running.is_ok_and(|rows| rows.len() == 1)
        })
        .await?;
        anyhow::Ok(cancel.cancel_query(NoTls).await?)
    };
    let (slept, canceled) = tokio::join!(sleeping, canceling);
    canceled?;
    assert_eq!(slept.unwrap_err().code(), Some(&SqlState::QUERY_CANCELED));
    fixture.assert_broken(&[Rule::CancelRequest]);
    fixture.close().await
}

#[tokio::test]
async fn startup_options_are_found() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    let mut config: tokio_postgres::Config = fixture.proxy.url().parse()?;
    config.options("-c lock_timeout=1s");
    let (_client, _connection) = config.connect(NoTls).await?;
    fixture.assert_broken(&[Rule::StartupOptions]);
    fixture.close().await
}

#[tokio::test]
async fn a_single_byte_before_ready_for_query_is_found() -> Result<()> {
    let fixture = Fixture::new(Route::Direct).await?;
    // The driver authenticates; then it is left aside, and its socket used by hand.
    let socket = TcpStream::connect(fixture.proxy.address())
        .await?
        .into_std()?;
    let mut stream = TcpStream::from_std(socket.try_clone()?)?;
    let config: tokio_postgres::Config = fixture.proxy.url().parse()?;
    let _unused = config
        .connect_raw(TcpStream::from_std(socket)?, NoTls)
        .await?;
    fixture
        .proxy
        .hold_ready_for_query(Duration::from_millis(500), Duration::ZERO);
    let rollback = b"Q\0\0\0\x0dROLLBACK\0";
    stream.write_all(rollback).await?;
    // The answer's first message: the request is done, its ReadyForQuery is not here yet.
    assert_eq!(read_frame(&mut stream).await?, b'N');
    stream.write_all(&rollback[..1]).await?;
    read_to_ready(&mut stream).await?;
    fixture.assert_broken(&[Rule::EarlyBytes]);
    stream.write_all(&rollback[1..]).await?;
    read_to_ready(&mut stream).await?;
    assert_eq!(fixture.proxy.report().requests, 2);
    fixture.close().await
}

/// Reads one message of the server and returns its tag.
async fn read_frame(stream: &mut TcpStream) -> Result<u8> {
    let tag = timeout(PATIENCE, stream.read_u8()).await??;
    let length = usize::try_from(stream.read_u32().await?)?;
    stream.read_exact(&mut vec![0; length - 4]).await?;
    Ok(tag)
}

async fn read_to_ready(stream: &mut TcpStream) -> Result<()> {
    while read_frame(stream).await? != b'Z' {}
    Ok(())
}

#[tokio::test]
async fn many_clients_lose_nothing_on_the_way() -> Result<()> {
    let fixture = Fixture::new(Route::Pooled).await?;
    fixture
        .proxy
        .hold_ready_for_query(Duration::ZERO, Duration::ZERO);
    let clients = (0..20).map(|number: i32| {
        let fixture = &fixture;
        async move {
            let client = fixture.connect().await?;
            for step in 0..20 {
                client.batch_execute(BEGIN).await?;
                insert(&client, number * 20 + step).await?;
                client.batch_execute("COMMIT").await?;
            }
            anyhow::Ok(())
        }
    });
    futures_util::future::try_join_all(clients).await?;
    let report = fixture.proxy.report();
    report.check()?;
    assert_eq!((report.transactions, report.requests), (400, 1200));
    assert_eq!(fixture.rows().await?, 400);
    fixture.close().await
}
