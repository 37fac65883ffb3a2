//! The command line and the environment: every setting, read and checked before anything starts.
//!
//! Each setting is a flag and a variable, and each command takes only the settings that it uses.
//! A value that cannot be used is refused with one line ([`Refusal::Invalid`]), never repaired.
//! `docs/configuration.md` has the same table as `--help`; a test holds them equal.

mod refusal;
mod scan_options;
mod settings;
mod values;

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand};

pub use refusal::Refusal;
pub use scan_options::ScanOptionArgs;
pub use settings::{CrawlArgs, DatabaseArgs, HttpArgs, LogArgs, LogFormat, ShutdownArgs};
pub use values::{HumanDuration, LogFilter};

use trawl_domain::limits::MaxPages;
use trawl_domain::site::SiteAddress;

/// Scrapes batches of web sites and keeps count of every one of them in PostgreSQL.
///
/// Without a command: `serve`.
#[derive(Debug, Parser)]
#[command(name = "trawl", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; `serve` where nothing is said.
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    serve: ServeArgs,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the API, and a worker beside it.
    Serve(ServeArgs),
    /// Runs a worker without the API.
    Worker(WorkerArgs),
    /// Applies the migrations that the database lacks, and ends.
    Migrate(MigrateArgs),
    /// Says what stands behind the database URL, and whether everything is in order there.
    Doctor(DoctorArgs),
    /// Checks every promise of the service over the rows themselves.
    Audit(AuditArgs),
    /// Scrapes one site, writes its result as JSON to stdout, and ends.
    Scan(ScanArgs),
}

/// Settings of `serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// Serves the API alone; other processes do the work.
    #[arg(long)]
    pub no_worker: bool,
    /// Of the API.
    #[command(flatten)]
    pub http: HttpArgs,
    /// Of the database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Of the worker.
    #[command(flatten)]
    pub crawl: CrawlArgs,
    /// Of the end.
    #[command(flatten)]
    pub shutdown: ShutdownArgs,
    /// Of the log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Settings of `worker`.
#[derive(Debug, clap::Args)]
pub struct WorkerArgs {
    /// Of the database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Of the worker.
    #[command(flatten)]
    pub crawl: CrawlArgs,
    /// Of the end.
    #[command(flatten)]
    pub shutdown: ShutdownArgs,
    /// Of the log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Settings of `migrate`.
#[derive(Debug, clap::Args)]
pub struct MigrateArgs {
    /// Of the database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Of the log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Settings of `doctor`.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// Writes the findings as one JSON document.
    #[arg(long)]
    pub json: bool,
    /// Of the database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Of the log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Settings of `audit`.
#[derive(Debug, clap::Args)]
pub struct AuditArgs {
    /// Writes the promises as one JSON document.
    #[arg(long)]
    pub json: bool,
    /// Of the database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Of the log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Settings of `scan`.
#[derive(Debug, clap::Args)]
pub struct ScanArgs {
    /// The site: example.com, example.com:8080 or <https://example.com/path>.
    #[arg(value_name = "DOMAIN", value_parser = values::site)]
    pub domain: SiteAddress,
    /// Pages to fetch at most, 1 to 10000.
    #[arg(long, value_name = "PAGES", value_parser = values::max_pages, default_value = "50")]
    pub max_pages: MaxPages,
    /// Of its crawl.
    #[command(flatten)]
    pub options: ScanOptionArgs,
    /// Of the database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Of the worker.
    #[command(flatten)]
    pub crawl: CrawlArgs,
    /// Of the end.
    #[command(flatten)]
    pub shutdown: ShutdownArgs,
    /// Of the log.
    #[command(flatten)]
    pub log: LogArgs,
}

impl Cli {
    /// Reads the command line, and the environment for what it leaves open.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for a value, name or combination that is not allowed, and
    /// [`Refusal::Asked`] where the answer is a text, such as `--help`.
    pub fn read(
        line: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Command, Refusal> {
        let cli = Self::try_parse_from(line)
            .map_err(|error| Refusal::of_clap(&error, &Self::command()))?;
        let command = cli.command.unwrap_or(Command::Serve(cli.serve));
        command.database().check()?;
        if let Command::Scan(scan) = &command {
            scan.options.check()?;
        }
        Ok(command)
    }

    /// The variables of the environment that look like settings of Trawl and are none: slips, or
    /// settings of another version.
    pub fn unknown_variables(names: impl IntoIterator<Item = OsString>) -> Vec<String> {
        let command = Self::command();
        let known: Vec<_> = command
            .get_arguments()
            .filter_map(clap::Arg::get_env)
            .collect();
        names
            .into_iter()
            .filter(|name| !known.contains(&name.as_os_str()))
            .filter_map(|name| name.into_string().ok())
            // Of the test suites, which start this binary.
            .filter(|name| name.starts_with("TRAWL_") && !name.starts_with("TRAWL_TEST_"))
            .collect()
    }
}

impl Command {
    /// The settings of the log, which every command has.
    pub fn log(&self) -> &LogArgs {
        match self {
            Self::Serve(args) => &args.log,
            Self::Worker(args) => &args.log,
            Self::Migrate(args) => &args.log,
            Self::Doctor(args) => &args.log,
            Self::Audit(args) => &args.log,
            Self::Scan(args) => &args.log,
        }
    }

    fn database(&self) -> &DatabaseArgs {
        match self {
            Self::Serve(args) => &args.database,
            Self::Worker(args) => &args.database,
            Self::Migrate(args) => &args.database,
            Self::Doctor(args) => &args.database,
            Self::Audit(args) => &args.database,
            Self::Scan(args) => &args.database,
        }
    }
}

#[cfg(test)]
mod tests;
