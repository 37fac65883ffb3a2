//! Installs a package with `apt-get`, where that needs no question: for root on Debian.
//!
//! The packages of servers start a service of their own. Here they must not: neither now, since
//! Trawl only wants the programs, nor at the next boot. What is changed on the system to that end
//! is changed for the moment of the installation only, and never where the system's owner has put
//! something in the same place.

use crate::error::LocalPostgresError;
use crate::output::{Finished, run_within, tail};
use nix::unistd::Uid;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

/// A slow mirror and a busy machine.
const APT_LIMIT: Duration = Duration::from_secs(900);

const APT_GET: &str = "/usr/bin/apt-get";

/// Tells Debian's package scripts to start nothing (Debian policy, `invoke-rc.d`: 101 forbids).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Tells `postgresql-common` to create no cluster with the server package.
const CREATE_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/zz-trawl.conf";

/// Whether packages can be installed without a question.
pub(crate) fn is_possible() -> bool {
    Uid::effective().is_root()
        && Path::new("/etc/debian_version").exists()
        && Path::new(APT_GET).exists()
}

/// Installs a package, fetching the package lists first where that is needed.
///
/// # Errors
///
/// [`LocalPostgresError::ProgramFailed`] with the end of what `apt-get` said.
pub(crate) async fn install(package: &'static str) -> Result<(), LocalPostgresError> {
    tracing::info!(package, "installing with apt-get");
    let _policy = Temporary::create(POLICY, "#!/bin/sh\nexit 101\n", 0o755)?;
    let _no_cluster = Temporary::create(CREATE_CLUSTER, "create_main_cluster = false\n", 0o644)?;
    let arguments = ["install", "--yes", "--no-install-recommends", package];
    if apt_get(&arguments).await?.success {
        return Ok(());
    }
    // The usual reason is a machine that has never fetched its package lists.
    apt_get(&["update"]).await?;
    let second = apt_get(&arguments).await?;
    if second.success {
        return Ok(());
    }
    Err(LocalPostgresError::ProgramFailed {
        program: PathBuf::from(format!("{APT_GET} install {package}")),
        output: tail(&second.text),
    })
}

/// Keeps an installed service from being started at the next boot.
///
/// # Errors
///
/// [`LocalPostgresError`] when the program for it cannot be run at all.
pub(crate) async fn disable_service(service: &str) -> Result<(), LocalPostgresError> {
    let mut command = Command::new("/usr/sbin/update-rc.d");
    command.args([service, "disable"]);
    let finished = run_within(command, APT_LIMIT).await?;
    if !finished.success {
        tracing::warn!(
            service,
            said = tail(&finished.text),
            "the service stays enabled"
        );
    }
    Ok(())
}

async fn apt_get(arguments: &[&str]) -> Result<Finished, LocalPostgresError> {
    let mut command = Command::new(APT_GET);
    command
        .args(["--quiet", "--option", "DPkg::Lock::Timeout=300"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run_within(command, APT_LIMIT).await
}

/// A file that exists while this value does, and is left alone if it existed before.
struct Temporary {
    path: Option<PathBuf>,
}

impl Temporary {
    fn create(path: &str, text: &str, mode: u32) -> Result<Self, LocalPostgresError> {
        let path = Path::new(path);
        let create = || {
            fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(path)?;
            file.write_all(text.as_bytes())
        };
        match create() {
            Ok(()) => Ok(Self {
                path: Some(path.to_path_buf()),
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Self { path: None }),
            Err(error) => Err(LocalPostgresError::files("write", path)(error)),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.path
            && let Err(error) = fs::remove_file(path)
        {
            tracing::warn!(path = %path.display(), %error, "cannot remove a temporary file");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_there_is_left_alone() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join("deep").join("policy");
        let name = path.to_str().expect("a plain path");
        let ours = Temporary::create(name, "ours", 0o644).expect("create");
        let theirs = Temporary::create(name, "second", 0o644).expect("left alone");
        drop(theirs);
        assert_eq!(fs::read_to_string(&path).expect("still there"), "ours");
        drop(ours);
        assert!(!path.exists());
    }
}
