//! Root and ordinary users.

use crate::support::{ask, start};
use nix::unistd::{Uid, User};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::Command;

#[tokio::test]
async fn a_data_directory_behind_a_closed_door_works_for_root() {
    if !Uid::effective().is_root() {
        // An ordinary user's server is the user, and enters wherever the user does.
        return;
    }
    let closed = tempfile::tempdir().expect("temporary directory");
    fs::set_permissions(closed.path(), Permissions::from_mode(0o700)).expect("closed");
    let data_dir = closed.path().join("inner").join("data");
    let postgres = start(&data_dir).await;
    assert_eq!(ask(postgres.url(), "SELECT 1").await.expect("answers"), "1");

    let mode = fs::metadata(closed.path())
        .expect("readable")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700, "what is not ours stays closed");
    let link = data_dir.join("postgres");
    let cluster = fs::canonicalize(&link).expect("a link to the cluster");
    assert!(!cluster.starts_with(closed.path()), "{}", cluster.display());
    assert_ne!(fs::metadata(&cluster).expect("readable").uid(), 0);

    postgres.stop().await.expect("stops");
    assert!(
        !cluster.exists(),
        "a disposable cluster elsewhere is removed"
    );
    let postgres = start(&data_dir).await;
    assert_eq!(ask(postgres.url(), "SELECT 1").await.expect("answers"), "1");
    postgres.stop().await.expect("stops");
}

/// Runs the lives, the crashes and the pooler again as `nobody`, where root runs this one; an
/// ordinary user is the proof already. What is left out does not depend on the account.
#[test]
fn an_ordinary_user_needs_no_root() {
    if !Uid::effective().is_root() {
        return;
    }
    let nobody = User::from_name("nobody")
        .expect("readable")
        .expect("an account");
    let directory = tempfile::tempdir().expect("temporary directory");
    // The program may lie where only root can go.
    let program = directory.path().join("it");
    fs::copy(std::env::current_exe().expect("this program"), &program).expect("copy");
    let temporary = directory.path().join("tmp");
    fs::create_dir(&temporary).expect("create");
    chown(
        &temporary,
        Some(nobody.uid.as_raw()),
        Some(nobody.gid.as_raw()),
    )
    .expect("chown");
    for path in [directory.path(), &program] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("opened");
    }
    let output = {
        use std::os::unix::process::CommandExt;
        Command::new(&program)
            .args(["life::", "crashes::", "pooler::", "support::hold"])
            .env("TMPDIR", &temporary)
            .current_dir(&temporary)
            .gid(nobody.gid.as_raw())
            .uid(nobody.uid.as_raw())
            .output()
            .expect("runs as nobody")
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        said.contains("life::data_and_url_survive_a_restart ... ok"),
        "{said}"
    );
}
