//! Start, use, stop, start again.

use crate::support::{ask, eventually, options, pid_file, server_pid, start};
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::Duration;
use trawl_local_postgres::{LocalPostgres, Stopped};

#[tokio::test]
async fn a_started_server_answers_and_a_stopped_one_is_gone() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let postgres = start(directory.path()).await;
    let url = postgres.url().to_owned();
    for (sql, expected) in [
        ("SELECT current_database()", "trawl"),
        ("SHOW server_encoding", "UTF8"),
        ("SHOW lc_collate", "C"),
        ("SHOW listen_addresses", "127.0.0.1"),
        ("SHOW timezone", "UTC"),
        (
            "SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user",
            "true",
        ),
    ] {
        let sql = if sql == "SHOW lc_collate" {
            "SELECT datcollate FROM pg_database WHERE datname = current_database()"
        } else {
            sql
        };
        assert_eq!(ask(&url, sql).await.expect(sql), expected, "{sql}");
    }
    assert_eq!(postgres.stop().await.expect("stops"), Stopped::Down);
    ask(&url, "SELECT 1").await.expect_err("nobody listens");
    assert!(!pid_file(directory.path()).exists());
}

#[tokio::test]
async fn data_and_url_survive_a_restart() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let data_dir = directory.path();
    let postgres = start(data_dir).await;
    let url = postgres.url().to_owned();
    ask(&url, "CREATE TABLE kept AS SELECT 7 AS n")
        .await
        .expect("create");
    postgres.stop().await.expect("stops");

    let postgres = start(data_dir).await;
    assert_eq!(
        ask(postgres.url(), "SELECT n FROM kept")
            .await
            .expect("kept"),
        "7"
    );
    // The port is taken again unless another process has it by now.
    let password = |url: &str| url.split('@').next().map(str::to_owned);
    assert_eq!(password(postgres.url()), password(&url));
    postgres.stop().await.expect("stops");
}

#[tokio::test]
async fn the_password_is_private_and_asked_for() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let postgres = start(directory.path()).await;
    let file = directory.path().join("postgres.password");
    let metadata = fs::metadata(&file).expect("a password file");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    let password = fs::read_to_string(&file).expect("readable by us");
    assert!(postgres.url().contains(&password));

    let wrong = postgres.url().replace(&password, "wrong");
    let error = ask(&wrong, "SELECT 1").await.expect_err("a wrong password");
    assert_eq!(
        error.code().map(|code| code.code()),
        Some("28P01"),
        "{error}"
    );

    if cfg!(target_os = "linux") {
        let pid = server_pid(directory.path());
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).expect("readable");
        assert!(!String::from_utf8_lossy(&arguments).contains(&password));
        let owner = fs::metadata(format!("/proc/{pid}"))
            .expect("the process")
            .uid();
        assert_ne!(owner, 0, "the server never runs as root");
    }
    postgres.stop().await.expect("stops");
}

#[tokio::test]
async fn the_socket_is_there_where_its_path_is_short() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let postgres = start(directory.path()).await;
    let port = postgres.address().port;
    let socket = postgres
        .socket_dir()
        .expect("a short path")
        .join(format!(".s.PGSQL.{port}"));
    assert!(socket.exists(), "{}", socket.display());
    postgres.stop().await.expect("stops");

    let deep = directory.path().join("d".repeat(100));
    let postgres = start(&deep).await;
    assert_eq!(postgres.socket_dir(), None);
    assert_eq!(
        ask(postgres.url(), "SHOW unix_socket_directories")
            .await
            .expect("answers"),
        ""
    );
    postgres.stop().await.expect("stops");
}

#[tokio::test]
async fn the_last_user_out_stops_the_server() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let first = start(directory.path()).await;
    let second = start(directory.path()).await;
    assert_eq!(first.url(), second.url(), "one server");
    let pid = server_pid(directory.path());

    assert_eq!(first.stop().await.expect("leaves"), Stopped::LeftToOthers);
    assert_eq!(
        ask(second.url(), "SELECT 1").await.expect("still there"),
        "1"
    );
    assert_eq!(server_pid(directory.path()), pid);
    assert_eq!(second.stop().await.expect("stops"), Stopped::Down);
    assert!(!pid_file(directory.path()).exists());
}

#[tokio::test]
async fn users_that_come_at_once_share_one_server() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let (one, two, three) = tokio::join!(
        start(directory.path()),
        start(directory.path()),
        start(directory.path())
    );
    assert_eq!(one.url(), two.url());
    assert_eq!(two.url(), three.url());
    let stopped = [
        one.stop().await.expect("leaves"),
        two.stop().await.expect("leaves"),
        three.stop().await.expect("stops"),
    ];
    assert_eq!(
        stopped,
        [Stopped::LeftToOthers, Stopped::LeftToOthers, Stopped::Down]
    );
}

#[tokio::test]
async fn a_dropped_user_leaves_no_server_behind() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let data_dir = directory.path();
    drop(start(data_dir).await);
    eventually("the server ends", || !pid_file(data_dir).exists()).await;
}

#[tokio::test]
async fn a_user_dropped_while_another_one_leaves_leaves_no_server_behind() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let data_dir = directory.path();
    let postgres = start(data_dir).await;
    // The other one has the gate, and has seen that it is not the last.
    let gate = File::open(data_dir.join("postgres.gate")).expect("a gate");
    gate.lock().expect("free");
    let dropped = tokio::task::spawn_blocking(|| drop(postgres));
    tokio::time::sleep(Duration::from_millis(100)).await;
    gate.unlock().expect("unlocked");
    dropped.await.expect("no panic");
    eventually("the server ends", || !pid_file(data_dir).exists()).await;
}

#[tokio::test]
async fn another_user_keeps_the_settings_of_the_server_in_use() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let first = start(directory.path()).await;
    let mut larger = options(directory.path());
    larger.max_connections = 40;
    let second = LocalPostgres::start(larger.clone()).await.expect("joins");
    assert_eq!(
        ask(second.url(), "SHOW max_connections")
            .await
            .expect("answers"),
        "30"
    );
    first.stop().await.expect("leaves");
    second.stop().await.expect("stops");

    let alone = LocalPostgres::start(larger).await.expect("starts");
    assert_eq!(
        ask(alone.url(), "SHOW max_connections")
            .await
            .expect("answers"),
        "40"
    );
    alone.stop().await.expect("stops");
}
