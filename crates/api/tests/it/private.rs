//! Without `DATABASE_URL`: a private PostgreSQL that comes and goes with the process.

use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use trawl_test_support::farm::{Site, SiteFarm};
use trawl_test_support::process::TrawlCommand;
use trawl_test_support::wait::wait_until;

use crate::house::{Api, PATIENCE};

fn private(arguments: &[&str], data: &Path) -> TrawlCommand {
    TrawlCommand::new(arguments)
        .unwrap()
        .env("TRAWL_DATA_DIR", data)
        .env("TRAWL_BIND", "127.0.0.1:0")
        .env("TRAWL_RESOLVE", "*.test=127.0.0.1")
        .env("TRAWL_ALLOW_NETWORKS", "127.0.0.0/8")
        .env("TRAWL_POLITENESS_DELAY", "0ms")
}

#[tokio::test]
async fn the_private_database_serves_a_scan_beside_a_service_and_stops_last() {
    let data = tempfile::tempdir().unwrap();
    let farm = SiteFarm::start().await.unwrap();
    farm.add_site("shop.test", Site::new(2));
    let site = format!("http://{}", farm.domain("shop.test"));

    let api = Api::start(&private(&["serve", "--no-worker"], data.path())).await;
    api.ready().await;
    let finished = private(&["scan", &site], data.path())
        .run(PATIENCE)
        .await
        .unwrap();
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    let result: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(result["pages_scraped"], 2);
    assert!(
        finished.stderr.contains("left to other processes"),
        "{}",
        finished.stderr
    );
    // The service has not lost its database.
    api.ready().await;

    api.process.terminate().unwrap();
    let finished = api.process.wait(PATIENCE).await.unwrap();
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    assert!(
        finished
            .stderr
            .contains("the private PostgreSQL has stopped"),
        "{}",
        finished.stderr
    );
    assert!(!postmaster(data.path()).exists());
}

#[tokio::test]
async fn the_private_database_stops_too_when_the_work_cannot_begin() {
    let data = tempfile::tempdir().unwrap();
    let migrated = private(&["migrate"], data.path());
    let finished = migrated.run(PATIENCE).await.unwrap();
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    assert!(!postmaster(data.path()).exists());

    // Migrations go to a server that is not there, while the private one runs.
    let migrated = private(&["migrate"], data.path())
        .env("DATABASE_DIRECT_URL", "postgres://nobody@127.0.0.1:1/none");
    let finished = migrated.run(PATIENCE).await.unwrap();
    assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
    let last = finished.stderr.lines().last().unwrap();
    assert!(
        last.starts_with("trawl: cannot read the history of migrations"),
        "{last}"
    );
    assert!(!postmaster(data.path()).exists());
}

#[tokio::test]
async fn a_private_database_that_is_killed_is_started_again() {
    let data = tempfile::tempdir().unwrap();
    let api = Api::start(&private(&["serve", "--no-worker"], data.path())).await;
    api.ready().await;
    let id = api.accepted(&json!({"domains": ["a.test"]})).await;

    let pid = std::fs::read_to_string(postmaster(data.path())).unwrap();
    let pid = Pid::from_raw(pid.lines().next().unwrap().parse().unwrap());
    kill(pid, Signal::SIGKILL).unwrap();
    wait_until("another server", PATIENCE, async || {
        api.process.stderr().contains("the private PostgreSQL runs")
    })
    .await
    .unwrap();
    api.ready().await;
    assert_eq!(api.batch(&id).await["total_domains"], 1);

    api.process.terminate().unwrap();
    let finished = api.process.wait(PATIENCE).await.unwrap();
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    assert!(!postmaster(data.path()).exists());
}

#[tokio::test]
async fn a_private_database_that_cannot_be_had_is_one_clear_line_and_exit_1() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let command = private(&["serve"], &file.path().join("data"));
    let finished = command.run(PATIENCE).await.unwrap();
    assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
    let last = finished.stderr.lines().last().unwrap();
    assert!(
        last.starts_with("trawl: start the private PostgreSQL: cannot"),
        "{last}"
    );
}

/// Exists while a server runs.
fn postmaster(data: &Path) -> std::path::PathBuf {
    data.join("postgres").join("postmaster.pid")
}
