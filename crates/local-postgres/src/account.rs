//! Whom servers are run as.
//!
//! PostgreSQL and `PgBouncer` refuse root, so root drops to an unprivileged account for them.
//! Nothing here changes the identity of the calling process.

use crate::error::LocalPostgresError;
use crate::output::run;
use nix::unistd::{Gid, Uid, User};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use tokio::process::Command;

/// Tried in this order. `postgres` comes with the server's package; `nobody` is everywhere.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

/// The identity that server processes get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServerAccount {
    /// The caller's own: the caller is not root.
    Own,
    /// Another one: the caller is root.
    Dropped {
        /// For messages.
        name: String,
        /// User.
        uid: u32,
        /// Group.
        gid: u32,
    },
}

impl ServerAccount {
    /// The account to create new clusters with.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::AccountMissing`] for root on a system without a suitable account.
    pub(crate) fn detect() -> Result<Self, LocalPostgresError> {
        if !Uid::effective().is_root() {
            return Ok(Self::Own);
        }
        ACCOUNTS
            .iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self::Dropped {
                name: user.name,
                uid: user.uid.as_raw(),
                gid: user.gid.as_raw(),
            })
            .ok_or(LocalPostgresError::AccountMissing)
    }

    /// The account to serve an existing cluster with: for root, whoever owns it, since PostgreSQL
    /// insists on that and the preferred account may have changed since.
    ///
    /// # Errors
    ///
    /// Those of [`ServerAccount::detect`], and the failure to read the directory.
    pub(crate) fn of_cluster(cluster: &Path) -> Result<Self, LocalPostgresError> {
        let detected = Self::detect()?;
        let metadata = fs::metadata(cluster).map_err(LocalPostgresError::files("read", cluster))?;
        match detected {
            Self::Dropped { .. } if metadata.uid() != 0 => {
                let (uid, gid) = (metadata.uid(), metadata.gid());
                let name = User::from_uid(Uid::from_raw(uid)).ok().flatten();
                let name = name.map_or_else(|| format!("uid {uid}"), |user| user.name);
                Ok(Self::Dropped { name, uid, gid })
            }
            Self::Own | Self::Dropped { .. } => Ok(detected),
        }
    }

    /// Makes a command run as this account.
    pub(crate) fn apply(&self, command: &mut Command) {
        match self {
            Self::Own => {}
            Self::Dropped { uid, gid, .. } => {
                command.gid(*gid).uid(*uid);
            }
        }
    }

    /// Hands a file or directory over to this account.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Files`].
    pub(crate) fn own(&self, path: &Path) -> Result<(), LocalPostgresError> {
        match self {
            Self::Own => Ok(()),
            Self::Dropped { uid, gid, .. } => chown(path, Some(*uid), Some(*gid))
                .map_err(LocalPostgresError::files("change the owner of", path)),
        }
    }

    /// Whether the account can work inside a directory.
    ///
    /// Finds out by doing it rather than by reading mode bits, so access lists and mount options
    /// count as well. A directory that is one's own needs no such test.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::AccountRefused`] when the account cannot even run `program` at the
    /// root of the file system, which no choice of directory helps against.
    pub(crate) async fn can_enter(
        &self,
        directory: &Path,
        program: &Path,
    ) -> Result<bool, LocalPostgresError> {
        let name = match self {
            Self::Own => return Ok(true),
            Self::Dropped { name, .. } => name,
        };
        let attempt = async |directory: &Path| {
            let mut command = Command::new(program);
            command.arg("--version").current_dir(directory);
            self.apply(&mut command);
            run(command).await
        };
        let refused = |source: Option<io::Error>| LocalPostgresError::AccountRefused {
            account: name.clone(),
            action: "run",
            path: program.to_path_buf(),
            source,
        };
        match attempt(Path::new("/")).await {
            Ok(output) if output.success => {}
            Ok(_) => return Err(refused(None)),
            Err(LocalPostgresError::Spawn { source, .. }) => return Err(refused(Some(source))),
            Err(other) => return Err(other),
        }
        match attempt(directory).await {
            Ok(output) => Ok(output.success),
            Err(LocalPostgresError::Spawn { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Lets the account pass through a directory of ours without reading it: its group, execute.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Files`].
    pub(crate) fn grant_passage(&self, directory: &Path) -> Result<(), LocalPostgresError> {
        let gid = match self {
            Self::Own => return Ok(()),
            Self::Dropped { gid, .. } => Gid::from_raw(*gid),
        };
        let failed = LocalPostgresError::files("open for the server's group", directory);
        chown(directory, None, Some(gid.as_raw()))
            .and_then(|()| fs::metadata(directory))
            .and_then(|metadata| {
                let mode = metadata.permissions().mode() | 0o010;
                fs::set_permissions(directory, Permissions::from_mode(mode))
            })
            .map_err(failed)
    }
}
