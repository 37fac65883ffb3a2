//! The files of a server: opens a cluster that exists, or creates one with `initdb`.
//!
//! A cluster appears under its name only when it is whole, so a crash in the middle of `initdb`
//! leaves a partial directory that the next start replaces.
//!
//! For root the cluster belongs to an unprivileged account, which must be able to reach it.
//! Where a parent directory keeps that account out (root's own home, say), the cluster lies under
//! [`FALLBACK_HOME`] and the data directory holds a link to it.

use crate::account::ServerAccount;
use crate::binaries::ServerPrograms;
use crate::error::LocalPostgresError;
use crate::layout::{Layout, write_private};
use crate::output::run_checked;
use crate::server::Durability;
use rand::distr::{Alphanumeric, SampleString};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The role and the database of Trawl.
pub(crate) const ROLE: &str = "trawl";

/// How the names of clusters that are not whole yet begin.
const PARTIAL: &str = "postgres.partial-";

/// Where clusters of root lie whose data directory the server's account cannot reach.
const FALLBACK_HOME: &str = "/var/lib/trawl";

/// A whole cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// Its real path, free of links: the one that the server is started with.
    pub(crate) path: PathBuf,
    /// The major version that made it.
    pub(crate) major: u32,
    /// The role's password.
    pub(crate) password: String,
}

impl Cluster {
    /// Opens the cluster of a data directory; `None` when there is none yet.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::NotACluster`] when something else is in its place.
    pub(crate) fn open(layout: &Layout) -> Result<Option<Self>, LocalPostgresError> {
        let entry = layout.cluster();
        if fs::symlink_metadata(&entry).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        {
            return Ok(None);
        }
        let refuse = |reason: String| LocalPostgresError::NotACluster {
            path: entry.clone(),
            reason,
        };
        let path = match fs::canonicalize(&entry) {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let reason = "it is a link to a directory that is gone; remove the link to begin \
                              with an empty database";
                return Err(refuse(reason.to_owned()));
            }
            Err(error) => return Err(LocalPostgresError::files("resolve", &entry)(error)),
        };
        let version_file = path.join("PG_VERSION");
        let version = match fs::read_to_string(&version_file) {
            Ok(version) => version,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(refuse("it has no PG_VERSION file".to_owned()));
            }
            Err(error) => return Err(LocalPostgresError::files("read", &version_file)(error)),
        };
        let major = version
            .trim()
            .parse()
            .map_err(|_not_a_number| refuse(format!("PG_VERSION says {:?}", version.trim())))?;
        let password = layout.password()?.ok_or_else(|| {
            refuse("its password file postgres.password is missing beside it".to_owned())
        })?;
        Ok(Some(Self {
            path,
            major,
            password,
        }))
    }

    /// Creates the cluster of a data directory that has none.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError`] of every kind but those of a running server.
    pub(crate) async fn create(
        layout: &Layout,
        programs: &ServerPrograms,
        durability: Durability,
    ) -> Result<Self, LocalPostgresError> {
        let account = ServerAccount::detect()?;
        let home = choose_home(layout, &account, programs).await?;
        let password = match layout.password()? {
            Some(password) => password,
            None => layout.create_password()?,
        };
        remove_partial(&home);
        // A new name each time: a program left over from an attempt that was cut short may still
        // be writing under the old one.
        let partial = home.join(format!("{PARTIAL}{}", random_name()));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&partial)
            .map_err(LocalPostgresError::files("create", &partial))?;
        account.own(&partial)?;
        initialize(&partial, &account, programs, &password, durability).await?;

        let path = home.join("postgres");
        fs::rename(&partial, &path).map_err(LocalPostgresError::files("rename", &partial))?;
        let entry = layout.cluster();
        if path != entry {
            symlink(&path, &entry).map_err(LocalPostgresError::files("create the link", &entry))?;
            tracing::info!(
                cluster = %path.display(),
                "the server's account cannot enter the data directory, so the cluster lies elsewhere"
            );
        }
        Ok(Self {
            path,
            major: programs.major,
            password,
        })
    }

    /// Removes a cluster that lies elsewhere, for a data directory that will be thrown away.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Files`].
    pub(crate) fn remove_fallback(layout: &Layout, path: &Path) -> Result<(), LocalPostgresError> {
        let Some(home) = path.parent().filter(|home| home.starts_with(FALLBACK_HOME)) else {
            return Ok(());
        };
        let link = layout.cluster();
        fs::remove_file(&link).map_err(LocalPostgresError::files("remove", &link))?;
        fs::remove_dir_all(home).map_err(LocalPostgresError::files("remove", home))
    }
}

/// The directory to create the cluster in, which the account can enter.
async fn choose_home(
    layout: &Layout,
    account: &ServerAccount,
    programs: &ServerPrograms,
) -> Result<PathBuf, LocalPostgresError> {
    let root = layout.root();
    if account.can_enter(root, &programs.postgres).await? {
        return Ok(root.to_path_buf());
    }
    account.grant_passage(root)?;
    if account.can_enter(root, &programs.postgres).await? {
        return Ok(root.to_path_buf());
    }
    let parent = Path::new(FALLBACK_HOME);
    fs::create_dir_all(parent).map_err(LocalPostgresError::files("create", parent))?;
    let home = parent.join(random_name());
    fs::create_dir(&home).map_err(LocalPostgresError::files("create", &home))?;
    for directory in [parent, &home] {
        fs::set_permissions(directory, Permissions::from_mode(0o711))
            .map_err(LocalPostgresError::files("open", directory))?;
    }
    if account.can_enter(&home, &programs.postgres).await? {
        return Ok(home);
    }
    Err(LocalPostgresError::AccountRefused {
        account: format!("{account:?}"),
        action: "enter either the data directory or",
        path: home,
        source: None,
    })
}

/// Removes what attempts that were cut short have left; what cannot be removed is in nobody's way.
fn remove_partial(home: &Path) {
    let Ok(entries) = fs::read_dir(home) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        if !entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(PARTIAL.as_bytes())
        {
            continue;
        }
        let path = entry.path();
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        if let Err(error) = removed {
            tracing::debug!(path = %path.display(), %error, "a partial cluster stays");
        }
    }
}

fn random_name() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), 16)
}

async fn initialize(
    partial: &Path,
    account: &ServerAccount,
    programs: &ServerPrograms,
    password: &str,
    durability: Durability,
) -> Result<(), LocalPostgresError> {
    // The account may not read our own password file, so it gets a copy for the moment.
    let mut password_file = partial.to_path_buf().into_os_string();
    password_file.push("-password");
    let password_file = PathBuf::from(password_file);
    write_private(&password_file, password)?;
    account.own(&password_file)?;

    let mut command = Command::new(&programs.initdb);
    command
        .arg("--pgdata")
        .arg(partial)
        .arg("--pwfile")
        .arg(&password_file);
    command.args(["--username", ROLE, "--auth", "scram-sha-256"]);
    command.args(["--encoding", "UTF8", "--locale", "C", "--no-instructions"]);
    match durability {
        Durability::Durable => {}
        Durability::Disposable => {
            command.arg("--no-sync");
        }
    }
    account.apply(&mut command);
    command.current_dir("/");
    let outcome = run_checked(command).await;
    let removed = fs::remove_file(&password_file)
        .map_err(LocalPostgresError::files("remove", &password_file));
    outcome?;
    removed
}
