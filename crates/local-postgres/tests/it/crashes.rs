//! The server dies, its user dies, or both, and the next start has to cope.

use crate::support::{Holder, ask, eventually, options, pid_file, server_pid, start};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use trawl_local_postgres::{LocalPostgres, Stopped};

fn kill_server(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("the server can be killed");
}

#[tokio::test]
async fn a_server_that_was_killed_is_replaced_and_keeps_its_data() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let data_dir = directory.path();
    let first = start(data_dir).await;
    ask(first.url(), "CREATE TABLE kept AS SELECT 7 AS n")
        .await
        .expect("create");
    // A connection in use keeps a child of the dead server alive for a moment.
    let (client, connection) = tokio_postgres::connect(first.url(), tokio_postgres::NoTls)
        .await
        .expect("connect");
    let connection = tokio::spawn(connection);

    let killed = server_pid(data_dir);
    kill_server(killed);
    let second = start(data_dir).await;
    assert_ne!(server_pid(data_dir), killed);
    assert_eq!(second.url(), first.url(), "clients find it where it was");
    assert_eq!(
        ask(second.url(), "SELECT n FROM kept").await.expect("kept"),
        "7"
    );

    drop(client);
    let _ended_with_the_server = connection.await.expect("no panic");
    assert_eq!(first.stop().await.expect("leaves"), Stopped::LeftToOthers);
    assert_eq!(second.stop().await.expect("stops"), Stopped::Down);
}

#[tokio::test]
async fn a_server_whose_user_crashed_is_found_reused_and_stopped() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let data_dir = directory.path();
    let holder = Holder::start(data_dir).await;
    let url = holder.url.clone();
    let pid = server_pid(data_dir);
    holder.crash().await;
    assert_eq!(
        ask(&url, "SELECT 1")
            .await
            .expect("the server outlives its user"),
        "1"
    );

    let heir = start(data_dir).await;
    assert_eq!(heir.url(), url);
    assert_eq!(server_pid(data_dir), pid);
    assert_eq!(heir.stop().await.expect("stops"), Stopped::Down);
    assert!(!pid_file(data_dir).exists());
}

#[tokio::test]
async fn a_borrower_does_not_stop_the_server_of_a_live_process() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let data_dir = directory.path();
    let holder = Holder::start(data_dir).await;
    let borrower = start(data_dir).await;
    assert_eq!(borrower.url(), holder.url);
    assert_eq!(
        borrower.stop().await.expect("leaves"),
        Stopped::LeftToOthers
    );
    assert_eq!(
        ask(&holder.url, "SELECT 1").await.expect("still there"),
        "1"
    );

    holder.crash().await;
    let last = start(data_dir).await;
    assert_eq!(last.stop().await.expect("stops"), Stopped::Down);
}

#[tokio::test]
async fn an_inherited_server_is_restarted_with_the_settings_asked_for() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let data_dir = directory.path();
    Holder::start(data_dir).await.crash().await;
    let mut larger = options(data_dir);
    larger.max_connections = 40;
    let heir = LocalPostgres::start(larger).await.expect("starts");
    assert_eq!(
        ask(heir.url(), "SHOW max_connections")
            .await
            .expect("answers"),
        "40"
    );
    assert_eq!(heir.stop().await.expect("stops"), Stopped::Down);
}

#[tokio::test]
async fn server_and_user_die_together() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let data_dir = directory.path();
    let holder = Holder::start(data_dir).await;
    kill_server(server_pid(data_dir));
    holder.crash().await;
    let heir = start(data_dir).await;
    assert_eq!(ask(heir.url(), "SELECT 1").await.expect("answers"), "1");
    assert_eq!(heir.stop().await.expect("stops"), Stopped::Down);
}

#[tokio::test]
async fn a_pid_file_whose_process_number_was_reused_stops_nobody() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let data_dir = directory.path();
    let first = start(data_dir).await;
    let killed = server_pid(data_dir);
    kill_server(killed);

    // As after a reboot: the number in the file now belongs to a process that is no server.
    let text = fs::read_to_string(pid_file(data_dir)).expect("left behind");
    let own = std::process::id().to_string();
    fs::write(
        pid_file(data_dir),
        text.replacen(&killed.to_string(), &own, 1),
    )
    .expect("write");

    let second = start(data_dir).await;
    assert_eq!(ask(second.url(), "SELECT 1").await.expect("answers"), "1");
    first.stop().await.expect("leaves");
    second.stop().await.expect("stops");
}

#[tokio::test]
async fn a_creation_that_was_cut_short_is_begun_again() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let partial = directory.path().join("postgres.partial-of-another-day");
    fs::create_dir(&partial).expect("create");
    fs::write(partial.join("PG_VERSION"), "15\n").expect("write");
    let postgres = start(directory.path()).await;
    assert_eq!(ask(postgres.url(), "SELECT 1").await.expect("answers"), "1");
    assert!(!partial.exists());
    postgres.stop().await.expect("stops");
    eventually("the server ends", || !pid_file(directory.path()).exists()).await;
}
