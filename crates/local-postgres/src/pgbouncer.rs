//! A private `PgBouncer` in transaction mode, for tests.
//!
//! It serves every database of the server behind it, so that each test can have its own, and it
//! knows no named statements even where its version could keep track of them: the strictest judge
//! of what is sent through it.

use crate::account::ServerAccount;
use crate::apt;
use crate::binaries;
use crate::client::{ServerAddress, ask};
use crate::error::LocalPostgresError;
use crate::launch::clean_environment;
use crate::layout::{open_log, write_private};
use crate::output::tail_of_file;
use crate::port;
use crate::postmaster::signal;
use crate::wait::Deadline;
use nix::sys::signal::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// From the start of the process to the first answer of the server behind it.
const READY_LIMIT: Duration = Duration::from_secs(30);

/// From SIGTERM, which drops all connections, to the end of the process.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Idle server connections are closed after this, so that a test's database can be dropped and
/// hundreds of them do not fill the server. Chosen, not measured.
const SERVER_IDLE_SECONDS: u32 = 5;

/// How often a port may turn out to be taken between its choice and its use.
const PORT_TRIES: u32 = 5;

/// The first version that can keep track of named statements (`PgBouncer` 1.21 release notes).
const TRACKS_STATEMENTS_SINCE: (u32, u32) = (1, 21);

/// What to run, where, and before which server.
#[derive(Debug, Clone)]
pub struct PgBouncerOptions {
    /// A directory of its own for configuration and log; created where it is missing.
    pub dir: PathBuf,
    /// The server behind it; clients log in with the same role and password.
    pub server: ServerAddress,
    /// Server connections per database.
    pub default_pool_size: u32,
    /// Client connections in all.
    pub max_client_conn: u32,
}

/// A running pooler, ended with this value.
#[derive(Debug)]
pub struct PgBouncer {
    address: ServerAddress,
    options: PgBouncerOptions,
    program: PathBuf,
    account: ServerAccount,
    child: Child,
}

impl PgBouncer {
    /// Starts a pooler on a free loopback port, installing its package where that needs no
    /// question (root on Debian).
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError`], also when the server behind it does not answer through it.
    pub async fn start(options: PgBouncerOptions) -> Result<Self, LocalPostgresError> {
        let program = find_or_install().await?;
        let version = binaries::version_of(&program).await.unwrap_or_default();
        let account = ServerAccount::detect()?;
        let directory = &options.dir;
        fs::create_dir_all(directory).map_err(LocalPostgresError::files("create", directory))?;
        if !account.can_enter(directory, &program).await? {
            account.grant_passage(directory)?;
        }
        if !account.can_enter(directory, &program).await? {
            return Err(LocalPostgresError::AccountRefused {
                account: format!("{account:?}"),
                action: "enter",
                path: directory.clone(),
                source: None,
            });
        }
        let users = directory.join("pgbouncer.users");
        write_private(&users, &user_line(&options.server))?;
        account.own(&users)?;

        for _try in 0..PORT_TRIES {
            let port = port::free()?;
            let configuration = configuration_file(directory);
            write_private(
                &configuration,
                &configuration_text(&options, &users, port, version),
            )?;
            account.own(&configuration)?;
            let child = spawn(&program, &account, directory)?;
            let address = ServerAddress {
                host: "127.0.0.1".to_owned(),
                port,
                ..options.server.clone()
            };
            let (program, account) = (program.clone(), account.clone());
            let mut pooler = Self {
                address,
                options: options.clone(),
                program,
                account,
                child,
            };
            if pooler.ready().await? {
                return Ok(pooler);
            }
            if port::is_free(port) {
                return Err(pooler.ended());
            }
        }
        Err(LocalPostgresError::TimedOut {
            what: "a port that stays free".to_owned(),
            limit: Duration::ZERO,
            source: None,
        })
    }

    /// The connection URL of a database through the pooler.
    pub fn url(&self, database: &str) -> String {
        self.address.url(database)
    }

    /// The connection URL of the pooler's own console, where `SHOW POOLS` and the like work.
    pub fn console_url(&self) -> String {
        self.address.url("pgbouncer")
    }

    /// Where the pooler listens and whom to log in as.
    pub fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// Ends the pooler, dropping all connections, and starts it again on the same port.
    ///
    /// # Errors
    ///
    /// As [`PgBouncer::start`].
    pub async fn restart(&mut self) -> Result<(), LocalPostgresError> {
        self.end().await?;
        self.child = spawn(&self.program, &self.account, &self.options.dir)?;
        if self.ready().await? {
            Ok(())
        } else {
            Err(self.ended())
        }
    }

    /// Ends the pooler, dropping all connections.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::Signal`].
    pub async fn stop(mut self) -> Result<(), LocalPostgresError> {
        self.end().await
    }

    async fn end(&mut self) -> Result<(), LocalPostgresError> {
        if let Some(pid) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            signal(pid, Signal::SIGTERM)?;
        }
        if tokio::time::timeout(STOP_LIMIT, self.child.wait())
            .await
            .is_err()
        {
            self.child.kill().await.map_err(LocalPostgresError::files(
                "end the process of",
                &self.program,
            ))?;
        }
        Ok(())
    }

    /// Waits for an answer of the server through the pooler; `false` when the pooler ended.
    async fn ready(&mut self) -> Result<bool, LocalPostgresError> {
        let deadline = Deadline::after(READY_LIMIT);
        loop {
            // A database that every server has, whichever ones the tests will use.
            let refusal = match ask(&self.address, "postgres", "SELECT 1").await {
                Ok(_one) => return Ok(true),
                Err(error) => error.into_source(),
            };
            if matches!(self.child.try_wait(), Ok(Some(_status))) {
                return Ok(false);
            }
            if !deadline.next_look().await {
                return Err(LocalPostgresError::TimedOut {
                    what: "the first answer through PgBouncer".to_owned(),
                    limit: deadline.limit(),
                    source: refusal,
                });
            }
        }
    }

    fn ended(&self) -> LocalPostgresError {
        let log = log_file(&self.options.dir);
        let output = tail_of_file(&log);
        LocalPostgresError::ServerEnded {
            server: "PgBouncer",
            log,
            output,
        }
    }
}

async fn find_or_install() -> Result<PathBuf, LocalPostgresError> {
    if let Some(program) = binaries::find_pgbouncer() {
        return Ok(program);
    }
    if apt::is_possible() {
        apt::install("pgbouncer").await?;
        apt::disable_service("pgbouncer").await?;
    }
    binaries::find_pgbouncer().ok_or(LocalPostgresError::ProgramMissing {
        program: "PgBouncer",
        debian: "pgbouncer",
        rhel: "pgbouncer",
        homebrew: "pgbouncer",
    })
}

fn spawn(
    program: &Path,
    account: &ServerAccount,
    directory: &Path,
) -> Result<Child, LocalPostgresError> {
    let path = log_file(directory);
    let log = open_log(&path)?;
    let second = log
        .try_clone()
        .map_err(LocalPostgresError::files("share", &path))?;
    let mut command = Command::new(program);
    command.arg(configuration_file(directory));
    clean_environment(&mut command);
    account.apply(&mut command);
    command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(second)
        .process_group(0)
        .kill_on_drop(true);
    command.spawn().map_err(|source| LocalPostgresError::Spawn {
        program: program.to_path_buf(),
        source,
    })
}

/// The password stands in a private file, since `PgBouncer` needs it in clear to log in to the
/// server with SCRAM.
fn user_line(server: &ServerAddress) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    format!("{} {}\n", quoted(&server.user), quoted(&server.password))
}

fn configuration_text(
    options: &PgBouncerOptions,
    users: &Path,
    port: u16,
    version: (u32, u32),
) -> String {
    let PgBouncerOptions {
        dir: _,
        server,
        default_pool_size,
        max_client_conn,
    } = options;
    let ServerAddress {
        host,
        port: server_port,
        user,
        password: _,
    } = server;
    let users = users.display();
    let mut text = format!(
        "[databases]\n\
         * = host={host} port={server_port}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = scram-sha-256\n\
         auth_file = {users}\n\
         admin_users = {user}\n\
         pool_mode = transaction\n\
         default_pool_size = {default_pool_size}\n\
         max_client_conn = {max_client_conn}\n\
         server_idle_timeout = {SERVER_IDLE_SECONDS}\n\
         log_connections = 0\n\
         log_disconnections = 0\n"
    );
    if version >= TRACKS_STATEMENTS_SINCE {
        text.push_str("max_prepared_statements = 0\n");
    }
    text
}

fn configuration_file(directory: &Path) -> PathBuf {
    directory.join("pgbouncer.ini")
}

fn log_file(directory: &Path) -> PathBuf {
    directory.join("pgbouncer.log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_statements_are_refused_by_every_version() {
        let options = PgBouncerOptions {
            dir: "/run/pooler".into(),
            server: ServerAddress {
                host: "127.0.0.1".into(),
                port: 5432,
                user: "trawl".into(),
                password: "secret".into(),
            },
            default_pool_size: 2,
            max_client_conn: 500,
        };
        let text = |version| configuration_text(&options, Path::new("/users"), 6432, version);
        assert!(text((1, 24)).contains("max_prepared_statements = 0"));
        // Version 1.18 ends at a parameter that it does not know.
        assert!(!text((1, 18)).contains("max_prepared_statements"));
        assert!(!text((1, 18)).contains("secret"));
    }
}
