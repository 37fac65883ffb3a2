//! The server process of a cluster: its pid file, whether it lives, and signals to it.
//!
//! `postmaster.pid` is PostgreSQL's own lock on a cluster. It outlives a killed server, and its
//! process number may by then belong to somebody else, so it is never believed without a look at
//! the process itself.

use crate::error::LocalPostgresError;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// No process has this number (Linux allows 2^22 at most, other systems less).
const NO_PROCESS: i32 = i32::MAX;

/// What `postmaster.pid` says (PostgreSQL source, `pidfile.h`: process on line 1, port on line 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PidFile {
    /// The process that wrote it.
    pub(crate) pid: i32,
    /// The port it listens on; absent while the server has not got that far.
    pub(crate) port: Option<u16>,
}

impl PidFile {
    /// Reads the pid file of a cluster; `None` when there is none, or an empty one.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Files`] when it exists and cannot be read.
    pub(crate) fn read(cluster: &Path) -> Result<Option<Self>, LocalPostgresError> {
        let path = path_in(cluster);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LocalPostgresError::files("read", &path)(error)),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim);
        let pid = lines.next()?.parse().ok().filter(|pid| *pid > 0)?;
        let port = lines.nth(2).and_then(|line| line.parse().ok());
        Some(Self { pid, port })
    }
}

/// Makes a stale pid file harmless when its process number has passed to another process.
///
/// PostgreSQL would refuse to start as long as that stranger lives. The file itself stays, since
/// its shared-memory key is how PostgreSQL notices that children of the dead server still run.
///
/// # Errors
///
/// [`LocalPostgresError::Files`].
pub(crate) fn disown_stale(cluster: &Path, stale: PidFile) -> Result<(), LocalPostgresError> {
    if !exists(stale.pid) {
        return Ok(());
    }
    let path = path_in(cluster);
    let failed = || LocalPostgresError::files("correct the stale", &path);
    let text = fs::read_to_string(&path).map_err(failed())?;
    let rest = text.split_once('\n').map_or("", |(_pid, rest)| rest);
    fs::write(&path, format!("{NO_PROCESS}\n{rest}")).map_err(failed())
}

/// Removes the lock file of a stale server's Unix socket, which PostgreSQL believes as readily.
///
/// # Errors
///
/// [`LocalPostgresError::Files`].
pub(crate) fn remove_stale_socket(cluster: &Path, port: u16) -> Result<(), LocalPostgresError> {
    let path = cluster.join(format!(".s.PGSQL.{port}.lock"));
    match fs::remove_file(&path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(LocalPostgresError::files("remove the stale", &path)(error)),
    }
}

/// Whether this process is the live server of this cluster.
///
/// Servers are started with the cluster's path as an argument, which any user may read; a dead
/// process that nobody has waited for shows no arguments. (The working directory would tell too,
/// but root in a container may not read that of another account's process.)
pub(crate) fn is_server_of(pid: i32, cluster: &Path) -> bool {
    if Path::new("/proc/self/cmdline").exists() {
        let Ok(arguments) = fs::read(format!("/proc/{pid}/cmdline")) else {
            return false;
        };
        let wanted = cluster.as_os_str().as_encoded_bytes();
        return arguments
            .split(|byte| *byte == 0)
            .any(|argument| argument == wanted);
    }
    let output = Command::new("ps")
        .args(["-o", "args=", "-p", &pid.to_string()])
        .output();
    output.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).contains(&*cluster.to_string_lossy())
    })
}

/// Sends a signal; a process that has just ended is no error.
///
/// # Errors
///
/// [`LocalPostgresError::Signal`].
pub(crate) fn signal(pid: i32, signal: Signal) -> Result<(), LocalPostgresError> {
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(source) => Err(LocalPostgresError::Signal { pid, source }),
    }
}

/// A process that may not be signaled exists all the same.
fn exists(pid: i32) -> bool {
    !matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH))
}

fn path_in(cluster: &Path) -> PathBuf {
    cluster.join("postmaster.pid")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str =
        "1234\n/data/postgres\n1790000000\n54321\n/data\n127.0.0.1\n 77 88\nready\n";

    #[test]
    fn pid_files_are_read_at_every_stage_of_writing() {
        for (text, expected) in [
            ("", None),
            ("garbage\n", None),
            ("-5\n", None),
            (
                "1234\n",
                Some(PidFile {
                    pid: 1234,
                    port: None,
                }),
            ),
            (
                WHOLE,
                Some(PidFile {
                    pid: 1234,
                    port: Some(54321),
                }),
            ),
        ] {
            assert_eq!(PidFile::parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_process_number_taken_by_another_process_is_disowned_and_the_rest_kept() {
        let cluster = tempfile::tempdir().expect("temporary directory");
        let own = i32::try_from(std::process::id()).expect("a process number");
        let stale = format!("{own}\n{}", WHOLE.split_once('\n').expect("lines").1);
        fs::write(cluster.path().join("postmaster.pid"), stale).expect("write");

        assert!(!is_server_of(own, cluster.path()), "this test is no server");
        let found = PidFile::read(cluster.path())
            .expect("readable")
            .expect("there");
        disown_stale(cluster.path(), found).expect("disown");

        let after = fs::read_to_string(cluster.path().join("postmaster.pid")).expect("read");
        assert_eq!(after, WHOLE.replacen("1234", &NO_PROCESS.to_string(), 1));
    }

    #[test]
    fn no_process_is_never_alive() {
        assert!(!exists(NO_PROCESS));
        assert!(!is_server_of(NO_PROCESS, Path::new("/")));
    }
}
