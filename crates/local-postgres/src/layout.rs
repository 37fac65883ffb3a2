//! What lies where in a data directory.
//!
//! ```text
//! DATA_DIR/postgres            the cluster, or a link to it (see `cluster`)
//! DATA_DIR/postgres.password   the role's password, readable by us alone
//! DATA_DIR/postgres.log        the server's log since its last start; .log.1 is the one before
//! DATA_DIR/postgres.port       the port of the last start, taken again where it is free
//! DATA_DIR/postgres.gate       lock file, see `locks`
//! DATA_DIR/postgres.users      lock file, see `locks`
//! ```

use crate::error::LocalPostgresError;
use rand::distr::{Alphanumeric, SampleString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Characters of a password: 32 of 62 kinds are 190 bits.
const PASSWORD_CHARACTERS: usize = 32;

/// The paths of one data directory, which exists.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Creates the data directory where it is missing.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Files`], also when the path is that of a file.
    pub(crate) fn open(data_dir: &Path) -> Result<Self, LocalPostgresError> {
        fs::create_dir_all(data_dir).map_err(LocalPostgresError::files(
            "create the data directory",
            data_dir,
        ))?;
        let root = fs::canonicalize(data_dir).map_err(LocalPostgresError::files(
            "resolve the data directory",
            data_dir,
        ))?;
        Ok(Self { root })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn cluster(&self) -> PathBuf {
        self.root.join("postgres")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("postgres.log")
    }

    pub(crate) fn gate(&self) -> PathBuf {
        self.root.join("postgres.gate")
    }

    pub(crate) fn users(&self) -> PathBuf {
        self.root.join("postgres.users")
    }

    fn password_file(&self) -> PathBuf {
        self.root.join("postgres.password")
    }

    fn port_file(&self) -> PathBuf {
        self.root.join("postgres.port")
    }

    /// The stored password, if there is one.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Files`].
    pub(crate) fn password(&self) -> Result<Option<String>, LocalPostgresError> {
        let path = self.password_file();
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned()).filter(|password| !password.is_empty())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LocalPostgresError::files("read", &path)(error)),
        }
    }

    /// Draws and stores a password.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Files`].
    pub(crate) fn create_password(&self) -> Result<String, LocalPostgresError> {
        let password = Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_CHARACTERS);
        write_private(&self.password_file(), &password)?;
        Ok(password)
    }

    /// The port of the last start, so that clients of a restarted server find it again.
    pub(crate) fn last_port(&self) -> Option<u16> {
        fs::read_to_string(self.port_file())
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// Remembers the port of this start.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Files`].
    pub(crate) fn remember_port(&self, port: u16) -> Result<(), LocalPostgresError> {
        let path = self.port_file();
        fs::write(&path, format!("{port}\n")).map_err(LocalPostgresError::files("write", &path))
    }

    /// A fresh log file; the one before is kept beside it, so logs do not grow for ever.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Files`].
    pub(crate) fn rotate_log(&self) -> Result<File, LocalPostgresError> {
        let path = self.log();
        match fs::rename(&path, self.root.join("postgres.log.1")) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(LocalPostgresError::files("rotate", &path)(error)),
        }
        open_log(&path)
    }
}

/// Opens a log file for appending.
///
/// # Errors
///
/// [`LocalPostgresError::Files`].
pub(crate) fn open_log(path: &Path) -> Result<File, LocalPostgresError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(LocalPostgresError::files("open the log", path))
}

/// Writes a file that only its owner can read, replacing one of that name.
///
/// # Errors
///
/// [`LocalPostgresError::Files`].
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), LocalPostgresError> {
    let write = || {
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(text.as_bytes())
    };
    write().map_err(LocalPostgresError::files("write", path))
}
