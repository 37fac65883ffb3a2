//! Starts the server process of a cluster, finds one that runs already, and ends either.
//!
//! The caller holds the gate (see `locks`) throughout.

use crate::account::ServerAccount;
use crate::binaries::ServerPrograms;
use crate::client::{ServerAddress, ask};
use crate::cluster::{Cluster, ROLE};
use crate::error::LocalPostgresError;
use crate::layout::Layout;
use crate::output::tail_of_file;
use crate::port;
use crate::postmaster::{PidFile, disown_stale, is_server_of, remove_stale_socket, signal};
use crate::server::{Durability, PostgresOptions};
use crate::wait::Deadline;
use nix::sys::signal::Signal;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio_postgres::error::SqlState;

/// From the start of the process to the first answer; covers recovery after a crash. Chosen, not
/// measured: an idle machine needs 0.1 s.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// A fast shutdown rolls transactions back and writes a checkpoint.
const FAST_SHUTDOWN_LIMIT: Duration = Duration::from_secs(20);

/// An immediate shutdown only ends processes; the next start recovers.
const IMMEDIATE_SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// Between two starts where the first one found its port taken, or children of a killed server.
const RELAUNCH_PAUSE: Duration = Duration::from_millis(200);

/// What `sockaddr_un` holds on Linux, with the closing zero byte left out (`unix(7)`).
const SOCKET_PATH_BYTES: usize = 107;

/// Which database every server has.
const MAINTENANCE_DATABASE: &str = "postgres";

/// A server that answers.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: ServerAddress,
    /// The process, where this process started it.
    pub(crate) child: Option<Child>,
}

/// Finds the live server of a cluster, waiting for one that is just starting or stopping.
///
/// # Errors
///
/// [`LocalPostgresError::TimedOut`] for a live server that does not answer, and unreadable files.
pub(crate) async fn find_running(cluster: &Cluster) -> Result<Option<Running>, LocalPostgresError> {
    let deadline = Deadline::after(READY_LIMIT);
    loop {
        let Some(pid_file) = PidFile::read(&cluster.path)? else {
            return Ok(None);
        };
        let mut refusal = None;
        if let Some(port) = pid_file.port {
            let address = address(cluster, port);
            match ask(&address, MAINTENANCE_DATABASE, "SHOW data_directory").await {
                Ok(answer) if answer.iter().any(|path| Path::new(path) == cluster.path) => {
                    return Ok(Some(Running {
                        address,
                        child: None,
                    }));
                }
                Ok(_another_cluster) => {}
                Err(error) => refusal = error.into_source(),
            }
        }
        if !is_server_of(pid_file.pid, &cluster.path) {
            return Ok(None);
        }
        if let Some(source) = refusal.take_if(|error| is_final(error)) {
            let action = "log in to the running server";
            return Err(LocalPostgresError::Database { action, source });
        }
        if !deadline.next_look().await {
            return Err(LocalPostgresError::TimedOut {
                what: format!("an answer of the running server process {}", pid_file.pid),
                limit: deadline.limit(),
                source: refusal,
            });
        }
    }
}

/// Whether a live server will say the same next time.
fn is_final(refusal: &tokio_postgres::Error) -> bool {
    refusal.code() == Some(&SqlState::INVALID_PASSWORD)
}

/// Starts the server of a cluster that has no live one.
///
/// # Errors
///
/// [`LocalPostgresError::ServerEnded`] with the end of its log, or
/// [`LocalPostgresError::TimedOut`].
///
/// # Cancel safety
///
/// A server that was started and not yet handed over is told to stop.
pub(crate) async fn launch(
    cluster: &Cluster,
    layout: &Layout,
    programs: &ServerPrograms,
    options: &PostgresOptions,
) -> Result<Running, LocalPostgresError> {
    let leftover = PidFile::read(&cluster.path)?;
    if let Some(stale) = leftover {
        disown_stale(&cluster.path, stale)?;
        if let Some(port) = stale.port {
            remove_stale_socket(&cluster.path, port)?;
        }
    }
    let account = ServerAccount::of_cluster(&cluster.path)?;
    let deadline = Deadline::after(READY_LIMIT);
    let last_port = layout.last_port();
    layout.rotate_log()?;
    loop {
        // Clients of a server that has come back expect it where it was.
        let port = match last_port.filter(|port| port::is_free(*port)) {
            Some(port) => port,
            None => port::free()?,
        };
        let child = spawn(cluster, layout, programs, &account, options, port)?;
        let mut fresh = Fresh { child: Some(child) };
        if fresh.ready(&address(cluster, port), deadline).await? {
            layout.remember_port(port)?;
            return Ok(Running {
                address: address(cluster, port),
                child: fresh.child.take(),
            });
        }
        // Either condition passes by itself: another port, or the death of the children.
        let passing = leftover.is_some() || !port::is_free(port);
        if !passing || !deadline.next_look().await {
            let log = layout.log();
            let output = tail_of_file(&log);
            return Err(LocalPostgresError::ServerEnded {
                server: "PostgreSQL",
                log,
                output,
            });
        }
        tokio::time::sleep(RELAUNCH_PAUSE).await;
    }
}

/// Stops the live server of a cluster, if there is one: fast, then by the deadline at once.
///
/// # Errors
///
/// [`LocalPostgresError::TimedOut`] when it outlives even that.
pub(crate) async fn shut_down(
    cluster: &Path,
    mut child: Option<Child>,
) -> Result<(), LocalPostgresError> {
    for (how, limit) in [
        (Signal::SIGINT, FAST_SHUTDOWN_LIMIT),
        (Signal::SIGQUIT, IMMEDIATE_SHUTDOWN_LIMIT),
    ] {
        let deadline = Deadline::after(limit);
        let Some(pid_file) = PidFile::read(cluster)? else {
            break;
        };
        if !is_server_of(pid_file.pid, cluster) {
            break;
        }
        signal(pid_file.pid, how)?;
        while is_server_of(pid_file.pid, cluster) {
            if !deadline.next_look().await {
                break;
            }
        }
    }
    match PidFile::read(cluster)? {
        Some(pid_file) if is_server_of(pid_file.pid, cluster) => {
            Err(LocalPostgresError::TimedOut {
                what: format!("the end of the server process {}", pid_file.pid),
                limit: FAST_SHUTDOWN_LIMIT + IMMEDIATE_SHUTDOWN_LIMIT,
                source: None,
            })
        }
        _ => {
            if let Some(child) = &mut child {
                // Ended already; this only takes its exit status off the process table.
                let _status = tokio::time::timeout(IMMEDIATE_SHUTDOWN_LIMIT, child.wait()).await;
            }
            Ok(())
        }
    }
}

/// Tells the live server of a cluster to stop and does not wait for it.
pub(crate) fn request_shut_down(cluster: &Path) {
    if let Ok(Some(pid_file)) = PidFile::read(cluster)
        && is_server_of(pid_file.pid, cluster)
        && let Err(error) = signal(pid_file.pid, Signal::SIGINT)
    {
        tracing::warn!(%error, "the private PostgreSQL keeps running");
    }
}

/// The directory of the server's Unix socket: the cluster itself, which only the server's account
/// and root may enter; none where the path would be too long, or is one that a list cannot hold.
pub(crate) fn socket_directory(cluster: &Path) -> Option<PathBuf> {
    let bytes = cluster.as_os_str().as_encoded_bytes();
    let longest = bytes.len() + "/.s.PGSQL.65535".len();
    let plain = !bytes.iter().any(|byte| b",\"'\\".contains(byte));
    (longest <= SOCKET_PATH_BYTES && plain).then(|| cluster.to_path_buf())
}

/// Removes what would change the behavior of PostgreSQL programs from their environment.
pub(crate) fn clean_environment(command: &mut Command) {
    for (name, _value) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PG") {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C");
}

fn address(cluster: &Cluster, port: u16) -> ServerAddress {
    ServerAddress {
        host: "127.0.0.1".to_owned(),
        port,
        user: ROLE.to_owned(),
        password: cluster.password.clone(),
    }
}

fn spawn(
    cluster: &Cluster,
    layout: &Layout,
    programs: &ServerPrograms,
    account: &ServerAccount,
    options: &PostgresOptions,
    port: u16,
) -> Result<Child, LocalPostgresError> {
    let log = crate::layout::open_log(&layout.log())?;
    let second = log
        .try_clone()
        .map_err(LocalPostgresError::files("share", &layout.log()))?;
    let mut command = Command::new(&programs.postgres);
    command
        .arg("-D")
        .arg(&cluster.path)
        .arg("-p")
        .arg(port.to_string());
    for setting in settings(&cluster.path, options) {
        command.arg("-c").arg(setting);
    }
    clean_environment(&mut command);
    account.apply(&mut command);
    command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(second)
        // Ctrl-C in a terminal must reach Trawl alone: it stops the server when it has drained.
        .process_group(0);
    command.spawn().map_err(|source| LocalPostgresError::Spawn {
        program: programs.postgres.clone(),
        source,
    })
}

/// Given on the command line, so that a cluster has no state of its own beside its data.
fn settings(cluster: &Path, options: &PostgresOptions) -> Vec<OsString> {
    let mut settings: Vec<OsString> = vec![
        "cluster_name=trawl".into(),
        "listen_addresses=127.0.0.1".into(),
        "unix_socket_permissions=0700".into(),
        format!("max_connections={}", options.max_connections).into(),
        "timezone=UTC".into(),
        "log_timezone=UTC".into(),
        "log_destination=stderr".into(),
        "logging_collector=off".into(),
        "log_line_prefix=%m [%p] %u@%d ".into(),
    ];
    let mut socket = OsString::from("unix_socket_directories=");
    socket.push(socket_directory(cluster).unwrap_or_default());
    settings.push(socket);
    match options.durability {
        Durability::Durable => {}
        Durability::Disposable => {
            // Not `synchronous_commit=off`: that would lose commits with the server alone.
            settings.extend(["fsync=off", "full_page_writes=off"].map(OsString::from));
        }
    }
    settings
}

/// A server process that nobody answers for yet; told to stop when it is given up.
struct Fresh {
    child: Option<Child>,
}

impl Fresh {
    /// Waits for the first answer; `false` when the process ended instead.
    async fn ready(
        &mut self,
        address: &ServerAddress,
        deadline: Deadline,
    ) -> Result<bool, LocalPostgresError> {
        loop {
            let refusal = match ask(address, MAINTENANCE_DATABASE, "SELECT 1").await {
                Ok(_one) => return Ok(self.is_alive()),
                Err(error) => error.into_source(),
            };
            if !self.is_alive() {
                return Ok(false);
            }
            if !deadline.next_look().await {
                return Err(LocalPostgresError::TimedOut {
                    what: "the first answer of PostgreSQL".to_owned(),
                    limit: deadline.limit(),
                    source: refusal,
                });
            }
        }
    }

    /// An exit status that cannot be had counts as life: the deadline ends the wait then.
    fn is_alive(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| !matches!(child.try_wait(), Ok(Some(_status))))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let pid = self
            .child
            .as_ref()
            .and_then(Child::id)
            .and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = pid
            && let Err(error) = signal(pid, Signal::SIGINT)
        {
            tracing::warn!(%error, "a server that was just started keeps running");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_has_no_socket() {
        let short = PathBuf::from("/data/postgres");
        assert_eq!(socket_directory(&short), Some(short.clone()));
        assert_eq!(
            socket_directory(&PathBuf::from(format!("/{}", "d".repeat(92)))),
            None
        );
        assert_eq!(socket_directory(Path::new("/data,more/postgres")), None);
    }
}
