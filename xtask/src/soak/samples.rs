//! What is looked at, and how it is looked at: the process from outside, the tables from a direct
//! connection, the pooler from its console.

use crate::provision::TestServers;
use anyhow::{Context, Result};
use std::fmt;
use std::fs;
use std::time::Duration;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// Live and dead rows and sizes of every table of Trawl.
const RELATIONS: &str = "\
select relname, pg_table_size(relid), pg_indexes_size(relid), n_live_tup, n_dead_tup \
from pg_stat_user_tables where schemaname = 'trawl' order by relname";

/// Server connections of the pooler: all in this database but the one that asks.
const BACKENDS: &str = "\
select count(*) from pg_stat_activity \
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'";

const LIVE_BATCHES: &str = "select count(*) from trawl.batches where ended_at is null";

/// One table.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    name: String,
    table_bytes: f64,
    index_bytes: f64,
    live_rows: f64,
    dead_rows: f64,
}

/// One moment.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) at: Duration,
    pub(super) rss_mib: f64,
    pub(super) files: f64,
    pub(super) threads: f64,
    pub(super) clients: f64,
    pub(super) backends: f64,
    pub(super) live_batches: f64,
    pub(super) pages: f64,
    pub(super) submitted: u64,
    pub(super) relations: Vec<Relation>,
}

/// Takes samples.
pub(super) struct Sampler {
    process: i32,
    database: Client,
    console: Client,
}

impl Sampler {
    pub(super) async fn open(servers: &TestServers, process: i32) -> Result<Self> {
        let (before, _database) = servers
            .pooled_url
            .rsplit_once('/')
            .context("the pooler's URL has no database")?;
        Ok(Self {
            process,
            database: connect(&servers.direct_url).await?,
            console: connect(&format!("{before}/pgbouncer")).await?,
        })
    }

    /// Looks at everything; `pages` is how many were served since the last look.
    pub(super) async fn take(
        &mut self,
        at: Duration,
        pages: usize,
        submitted: u64,
    ) -> Result<Sample> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process))
            .context("trawl has ended")?;
        let files = fs::read_dir(format!("/proc/{}/fd", self.process))
            .context("cannot count the open files")?
            .count();
        let lists = rows(&self.console, "show lists").await?;
        let clients = lists
            .iter()
            .find(|row| row.first().is_some_and(|name| name == "used_clients"))
            .and_then(|row| row.get(1)?.parse::<f64>().ok())
            .context("the pooler does not count its clients")?;
        Ok(Sample {
            at,
            rss_mib: status_number(&status, "VmRSS:")? / 1024.0,
            files: to_number(files),
            threads: status_number(&status, "Threads:")?,
            // Without this one.
            clients: clients - 1.0,
            backends: self.number(BACKENDS).await?,
            live_batches: self.number(LIVE_BATCHES).await?,
            pages: to_number(pages),
            submitted,
            relations: self.relations().await?,
        })
    }

    async fn number(&self, sql: &str) -> Result<f64> {
        let rows = rows(&self.database, sql).await?;
        let text = rows.first().and_then(|row| row.first());
        text.and_then(|text| text.parse().ok())
            .with_context(|| format!("no number from {sql}"))
    }

    async fn relations(&self) -> Result<Vec<Relation>> {
        let rows = rows(&self.database, RELATIONS).await?;
        let relation = |row: &Vec<String>| {
            let number = |index: usize| row.get(index)?.parse().ok();
            Some(Relation {
                name: row.first()?.clone(),
                table_bytes: number(1)?,
                index_bytes: number(2)?,
                live_rows: number(3)?,
                dead_rows: number(4)?,
            })
        };
        rows.iter()
            .map(|row| relation(row).with_context(|| format!("odd figures {row:?}")))
            .collect()
    }
}

impl Sample {
    pub(super) fn table_mib(&self) -> f64 {
        self.sum(|relation| relation.table_bytes) / MIB
    }

    pub(super) fn index_mib(&self) -> f64 {
        self.sum(|relation| relation.index_bytes) / MIB
    }

    pub(super) fn live_rows(&self) -> f64 {
        self.sum(|relation| relation.live_rows)
    }

    pub(super) fn dead_rows(&self) -> f64 {
        self.sum(|relation| relation.dead_rows)
    }

    fn sum(&self, of: impl Fn(&Relation) -> f64) -> f64 {
        self.relations.iter().map(of).sum()
    }

    /// The names of the columns.
    pub(super) fn header() -> &'static str {
        "minute   RSS MiB  files  threads  clients  backends  tables MiB  indexes MiB  \
         rows live  rows dead  live batches  submitted  pages"
    }
}

const MIB: f64 = 1_048_576.0;

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at,
            rss_mib,
            files,
            threads,
            clients,
            backends,
            live_batches,
            pages,
            submitted,
            relations: _,
        } = self;
        write!(
            f,
            "{:6.1}  {rss_mib:8.1}  {files:5}  {threads:7}  {clients:7}  {backends:8}  {:10.2}  \
             {:11.2}  {:9}  {:9}  {live_batches:12}  {submitted:9}  {pages:5}",
            at.as_secs_f64() / 60.0,
            self.table_mib(),
            self.index_mib(),
            self.live_rows(),
            self.dead_rows(),
        )
    }
}

/// Each table at the end of the warm-up and at the end of the run.
pub(super) fn relations(samples: &[Sample], warm_up: Duration) -> String {
    let warm = samples.iter().find(|sample| sample.at >= warm_up);
    let (Some(warm), Some(last)) = (warm, samples.last()) else {
        return String::new();
    };
    let mut text = String::from(
        "after warm-up and at the end:\n\
         table                    MiB            indexes MiB    rows live          rows dead\n",
    );
    for (before, after) in warm.relations.iter().zip(&last.relations) {
        text.push_str(&format!(
            "{:<18}  {:6.2} {:6.2}  {:6.2} {:6.2}  {:8} {:8}  {:8} {:8}\n",
            after.name,
            before.table_bytes / MIB,
            after.table_bytes / MIB,
            before.index_bytes / MIB,
            after.index_bytes / MIB,
            before.live_rows,
            after.live_rows,
            before.dead_rows,
            after.dead_rows,
        ));
    }
    text
}

fn status_number(status: &str, name: &str) -> Result<f64> {
    let line = status.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .with_context(|| format!("the process status has no {name}"))
}

/// Exact below 2^32, which no count here comes near.
fn to_number(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .context("cannot connect to take samples")?;
    // Ends with its client; a failure is that of the next question.
    drop(tokio::spawn(connection));
    Ok(client)
}

async fn rows(client: &Client, sql: &str) -> Result<Vec<Vec<String>>> {
    let messages = client.simple_query(sql).await.context(sql.to_owned())?;
    let row = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => Some(
            (0..row.len())
                .map(|column| row.get(column).unwrap_or_default().to_owned())
                .collect(),
        ),
        _ => None,
    };
    Ok(messages.iter().filter_map(row).collect())
}
