//! What the tests share: options, one question to a server, and waiting for a condition.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio_postgres::{NoTls, SimpleQueryMessage};
use trawl_local_postgres::{Durability, LocalPostgres, PostgresOptions};

/// As long as one process waits for another one's first start: on a machine with eight times as much
/// work as cores, that alone took more than a minute.
pub(crate) const LIMIT: Duration = Duration::from_secs(240);

/// The variable that turns the test `hold` into a process that keeps a server.
const HOLD: &str = "TRAWL_TEST_HOLD";

pub(crate) fn options(data_dir: &Path) -> PostgresOptions {
    PostgresOptions {
        data_dir: data_dir.to_path_buf(),
        durability: Durability::Disposable,
        max_connections: 30,
    }
}

pub(crate) async fn start(data_dir: &Path) -> LocalPostgres {
    LocalPostgres::start(options(data_dir))
        .await
        .expect("the server starts")
}

/// The first column of the first row.
pub(crate) async fn ask(url: &str, sql: &str) -> Result<String, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let answer = client.simple_query(sql).await;
    drop(client);
    connection.await.expect("the connection does not panic")?;
    let column = answer?.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(column.unwrap_or_default())
}

pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, work).await {
        Ok(done) => done,
        Err(_elapsed) => panic!("not within {LIMIT:?}: {what}"),
    }
}

pub(crate) fn pid_file(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres").join("postmaster.pid")
}

/// The process of the server, from its own pid file.
pub(crate) fn server_pid(data_dir: &Path) -> i32 {
    let text = std::fs::read_to_string(pid_file(data_dir)).expect("a pid file");
    text.lines()
        .next()
        .expect("a line")
        .parse()
        .expect("a process number")
}

/// Another process that uses the server of a data directory until it is killed.
pub(crate) struct Holder {
    child: Child,
    pub(crate) url: String,
}

impl Holder {
    pub(crate) async fn start(data_dir: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "support::hold", "--nocapture"])
            .env(HOLD, data_dir)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("this program runs again");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let url = within("the other process has a server", async {
            loop {
                let line = lines
                    .next_line()
                    .await
                    .expect("readable")
                    .expect("a line with the URL");
                if let Some((_before, url)) = line.split_once("serving ") {
                    return url.to_owned();
                }
            }
        })
        .await;
        Self { child, url }
    }

    /// Ends it without any chance to clean up.
    pub(crate) async fn crash(mut self) {
        self.child.kill().await.expect("killed");
    }
}

/// Not a test by itself: the process behind [`Holder`].
#[tokio::test]
async fn hold() {
    let Some(data_dir) = std::env::var_os(HOLD) else {
        return;
    };
    let postgres = start(Path::new(&data_dir)).await;
    println!("serving {}", postgres.url());
    std::future::pending::<()>().await;
}
