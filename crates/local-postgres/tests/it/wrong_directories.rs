//! Directories that cannot be used are refused with a reason, and left as they were.

use crate::support::{options, start};
use std::fs;
use std::path::Path;
use trawl_local_postgres::{LocalPostgres, LocalPostgresError};

async fn refusal(data_dir: &Path) -> LocalPostgresError {
    LocalPostgres::start(options(data_dir))
        .await
        .expect_err("refused")
}

#[tokio::test]
async fn a_file_is_no_data_directory() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let file = directory.path().join("file");
    fs::write(&file, "text").expect("write");
    let error = refusal(&file).await;
    assert!(matches!(error, LocalPostgresError::Files { .. }), "{error}");
    assert!(error.to_string().contains("data directory"), "{error}");
}

#[tokio::test]
async fn what_is_no_cluster_is_refused_and_kept() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let cluster = directory.path().join("postgres");
    fs::create_dir(&cluster).expect("create");
    fs::write(cluster.join("thesis.txt"), "years of work").expect("write");
    let error = refusal(directory.path()).await;
    assert!(
        matches!(error, LocalPostgresError::NotACluster { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("PG_VERSION"), "{error}");
    assert_eq!(
        fs::read_to_string(cluster.join("thesis.txt")).expect("kept"),
        "years of work"
    );
}

#[tokio::test]
async fn a_cluster_without_its_password_is_refused() {
    let directory = tempfile::tempdir().expect("temporary directory");
    start(directory.path()).await.stop().await.expect("stops");
    fs::remove_file(directory.path().join("postgres.password")).expect("remove");
    let error = refusal(directory.path()).await;
    assert!(error.to_string().contains("postgres.password"), "{error}");
}

#[tokio::test]
async fn a_cluster_of_a_version_that_is_not_installed_is_refused() {
    let directory = tempfile::tempdir().expect("temporary directory");
    start(directory.path()).await.stop().await.expect("stops");
    fs::write(directory.path().join("postgres").join("PG_VERSION"), "9\n").expect("write");
    let error = refusal(directory.path()).await;
    assert!(
        matches!(error, LocalPostgresError::VersionMissing { wanted: 9, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_link_to_nowhere_is_refused() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let gone = directory.path().join("gone");
    std::os::unix::fs::symlink(&gone, directory.path().join("postgres")).expect("link");
    let error = refusal(directory.path()).await;
    assert!(error.to_string().contains("link"), "{error}");
}

#[tokio::test]
async fn a_running_server_with_another_password_is_refused_at_once() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let postgres = start(directory.path()).await;
    let file = directory.path().join("postgres.password");
    let password = fs::read_to_string(&file).expect("readable");
    fs::write(&file, "another").expect("write");
    let error = refusal(directory.path()).await;
    assert!(
        matches!(error, LocalPostgresError::Database { .. }),
        "{error}"
    );
    fs::write(&file, password).expect("write");
    postgres.stop().await.expect("stops");
}
