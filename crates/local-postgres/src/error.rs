//! What can go wrong between "start a server" and its first answer.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A private server could not be provided, used or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalPostgresError {
    /// A file or directory operation failed.
    #[error("cannot {action} {}", path.display())]
    Files {
        /// The operation, as a verb phrase.
        action: &'static str,
        /// What it was attempted on.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// The directory holds something that is not a cluster made by Trawl.
    #[error("{} cannot be used as the private PostgreSQL cluster: {reason}", path.display())]
    NotACluster {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// No server binaries were found, and they could not be installed without a question.
    #[error(
        "no {program} server program was found in PATH or the usual places; either install the \
         package (Debian: apt-get install {debian}; RHEL: dnf install {rhel}; macOS: brew install \
         {homebrew}), or run everything with `docker compose -f docker/compose.yaml up`, or point \
         DATABASE_URL at a server that already runs"
    )]
    ProgramMissing {
        /// What was looked for.
        program: &'static str,
        /// The Debian package.
        debian: &'static str,
        /// The RHEL package.
        rhel: &'static str,
        /// The Homebrew formula.
        homebrew: &'static str,
    },
    /// The cluster was made by a major version that is not installed.
    #[error(
        "the cluster {} was made by PostgreSQL {wanted}, and only these are installed: {found}; \
         install version {wanted} or choose another data directory",
        path.display()
    )]
    VersionMissing {
        /// The cluster.
        path: PathBuf,
        /// The major version that made it.
        wanted: u32,
        /// The major versions found.
        found: String,
    },
    /// Running as root, and there is no account to drop to.
    #[error(
        "PostgreSQL refuses to run as root, and neither of the accounts `postgres` and `nobody` \
         exists; run Trawl as an ordinary user, or create one of them"
    )]
    AccountMissing,
    /// The account that servers run as cannot use a program or directory.
    #[error("the account {account}, which PostgreSQL is run as, cannot {action} {}", path.display())]
    AccountRefused {
        /// The account's name.
        account: String,
        /// What it cannot do, as a verb phrase.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// The operating system's answer, where there was one.
        #[source]
        source: Option<io::Error>,
    },
    /// A program could not be started.
    #[error("cannot run {}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// A program ran and reported failure.
    #[error("{} failed: {output}", program.display())]
    ProgramFailed {
        /// The program.
        program: PathBuf,
        /// The end of what it printed.
        output: String,
    },
    /// A server ended before it could be used.
    #[error("{server} ended before it was ready; the end of {}: {output}", log.display())]
    ServerEnded {
        /// Which server.
        server: &'static str,
        /// Its log file.
        log: PathBuf,
        /// The end of the log.
        output: String,
    },
    /// A server did not do something in time.
    #[error("{what} did not happen within {} s", limit.as_secs())]
    TimedOut {
        /// The event waited for.
        what: String,
        /// How long it was waited for.
        limit: Duration,
        /// The last refusal, where there was one.
        #[source]
        source: Option<tokio_postgres::Error>,
    },
    /// The server refused a statement or a connection.
    #[error("cannot {action}")]
    Database {
        /// The operation, as a verb phrase.
        action: &'static str,
        /// The driver's error.
        #[source]
        source: tokio_postgres::Error,
    },
    /// A signal could not be sent to the server.
    #[error("cannot signal the server process {pid}")]
    Signal {
        /// The process.
        pid: i32,
        /// The operating system's answer.
        #[source]
        source: nix::Error,
    },
}

impl LocalPostgresError {
    /// Wraps an I/O error with the operation and its object.
    pub(crate) fn files(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Files {
            action,
            path,
            source,
        }
    }
}
