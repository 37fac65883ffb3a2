//! The end of a process: in good order, within its limit, with the right code.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use trawl_test_support::wait::wait_until;

use crate::house::{Api, PATIENCE, migrated, request_under_way, trawl};
use crate::relay::Relay;

#[tokio::test]
async fn sigterm_ends_an_idle_service_with_0_and_closes_its_port() {
    let database = migrated().await;
    let api = Api::start(&trawl(&["serve"], &database.url())).await;
    api.ready().await;
    let address = api.url.strip_prefix("http://").unwrap().to_owned();
    api.process.terminate().unwrap();
    let finished = api.process.wait(PATIENCE).await.unwrap();
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_request_under_way_gets_its_answer() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let body = r#"{"domains": ["a.test"]}"#;
    let (address, mut connection) = request_under_way(&api, body.len()).await;
    let (first, rest) = body.split_at(5);
    connection.write_all(first.as_bytes()).await.unwrap();

    api.process.terminate().unwrap();
    wait_until("the port to close", PATIENCE, async || {
        TcpStream::connect(&address).await.is_err()
    })
    .await
    .unwrap();
    connection.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let finished = api.process.wait(PATIENCE).await.unwrap();
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
}

#[tokio::test]
async fn sigterm_ends_a_service_that_waits_for_its_database() {
    let database = migrated().await;
    let relay = Relay::closed(&database.url()).await;
    let api = Api::start(&trawl(&["serve"], relay.url())).await;
    api.health_status(503).await;
    api.process.terminate().unwrap();
    let finished = api.process.wait(PATIENCE).await.unwrap();
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_the_end_up_for_ever() {
    let database = migrated().await;
    let command =
        trawl(&["serve", "--no-worker"], &database.url()).env("TRAWL_SHUTDOWN_TIMEOUT", "1s");
    let api = Api::start(&command).await;
    api.ready().await;
    let _endless = request_under_way(&api, 100).await;
    api.process.terminate().unwrap();
    let finished = api.process.wait(Duration::from_secs(30)).await.unwrap();
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
}

#[tokio::test]
async fn a_second_signal_ends_the_process_at_once() {
    let database = migrated().await;
    let command =
        trawl(&["serve", "--no-worker"], &database.url()).env("TRAWL_SHUTDOWN_TIMEOUT", "10m");
    let mut api = Api::start(&command).await;
    api.ready().await;
    // Holds the first, graceful stop up.
    let _endless = request_under_way(&api, 100).await;
    api.process.terminate().unwrap();
    api.process
        .wait_for_stderr("the first signal", PATIENCE, |text| {
            text.contains("a second signal").then_some(())
        })
        .await
        .unwrap();
    api.process.terminate().unwrap();
    let finished = api.process.wait(Duration::from_secs(30)).await.unwrap();
    assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
}

#[tokio::test]
async fn a_port_that_is_taken_is_one_clear_line_and_exit_1() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let taken = api.url.strip_prefix("http://").unwrap();
    let finished = trawl(&["serve"], &database.url())
        .env("TRAWL_BIND", taken)
        .run(PATIENCE)
        .await
        .unwrap();
    assert_eq!(finished.status.code(), Some(1));
    let last = finished.stderr.lines().last().unwrap();
    assert!(
        last.starts_with("trawl: cannot listen on") && last.contains(taken),
        "{last}"
    );
    // The other service is not disturbed.
    let answer = crate::house::send(api.request(Method::GET, "/health")).await;
    assert_eq!(answer.json()["status"], json!("OK"));
}
