//! The database suites against containers: PostgreSQL with Supavisor, then with `PgBouncer`.
//!
//! Needs a Docker engine with the compose plugin, and says so where either is missing. Whatever it
//! brought up it takes down, on an interrupt as well.

use crate::provision::{DIRECT_URL, POOLED_URL};
use crate::report::Report;
use crate::run::{cargo, output_of, run};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// Role, password and database in docker/compose.test.yaml.
const LOGIN: &str = "trawl:trawl-test";
const DATABASE: &str = "trawl";

/// The crates whose tests need nothing but a database.
const SUITES: [&str; 2] = ["trawl-persistence", "trawl-worker"];

/// A pooler of docker/compose.test.yaml.
struct Pooler {
    service: &'static str,
    port: u16,
    /// `role:password` as this pooler wants it: Supavisor names the tenant in the role.
    login: &'static str,
}

const POOLERS: [Pooler; 2] = [
    Pooler {
        service: "supavisor",
        port: 6543,
        login: "trawl.trawl:trawl-test",
    },
    Pooler {
        service: "pgbouncer",
        port: 6432,
        login: LOGIN,
    },
];

/// Containers that are up, or on their way.
#[derive(Debug)]
pub(crate) struct Containers {
    /// Of this run alone, so that two runs do not share containers.
    project: String,
    file: PathBuf,
}

impl Containers {
    /// Finds out whether containers can be had; starts none.
    pub(crate) async fn prepare() -> Result<Self> {
        let mut engine = Command::new("docker");
        engine.args(["version", "--format", "{{.Server.Version}}"]);
        output_of(engine)
            .await
            .context("`--containers` needs a Docker engine, and none answers here")?;
        let mut compose = Command::new("docker");
        compose.args(["compose", "version"]);
        output_of(compose)
            .await
            .context("`--containers` needs Docker's compose plugin, which is missing here")?;
        let file = Path::new("docker").join("compose.test.yaml");
        if !file.is_file() {
            bail!(
                "{} is missing: run this from the root of the repository",
                file.display()
            );
        }
        Ok(Self {
            project: format!("trawl-test-{}", std::process::id()),
            file,
        })
    }

    /// Starts them and runs the suites against each pooler.
    pub(crate) async fn test(&self, arguments: &[String], report: &mut Report) {
        let mut is_up = false;
        let up = async {
            run(self.compose(&["up", "--detach", "--build", "--wait"])).await?;
            is_up = true;
            Ok(())
        };
        report.step("containers", up).await;
        for pooler in &POOLERS {
            let name = format!("database suites, {}", pooler.service);
            if is_up {
                report.step(&name, self.test_with(pooler, arguments)).await;
            } else {
                report.not_run(&name, "no containers");
            }
        }
    }

    /// Removes them and their data.
    pub(crate) async fn remove(&self) -> Result<()> {
        run(self.compose(&["down", "--volumes", "--remove-orphans", "--timeout", "5"])).await
    }

    async fn test_with(&self, pooler: &Pooler, arguments: &[String]) -> Result<()> {
        let direct = self.address("postgres", 5432).await?;
        let pooled = self.address(pooler.service, pooler.port).await?;
        let mut command = cargo();
        command.args(["test", "--no-fail-fast"]);
        for suite in SUITES {
            command.args(["--package", suite]);
        }
        command.args(arguments);
        command.env(
            DIRECT_URL,
            format!("postgres://{LOGIN}@{direct}/{DATABASE}"),
        );
        command.env(
            POOLED_URL,
            format!("postgres://{}@{pooled}/{DATABASE}", pooler.login),
        );
        run(command).await
    }

    /// Where a service's port was published.
    async fn address(&self, service: &str, port: u16) -> Result<String> {
        let printed = output_of(self.compose(&["port", service, &port.to_string()])).await?;
        let address = printed.trim();
        if address.is_empty() {
            bail!("port {port} of {service} is not published");
        }
        Ok(address.to_owned())
    }

    fn compose(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.arg("compose").arg("--file").arg(&self.file);
        command
            .args(["--project-name", &self.project])
            .args(arguments);
        command
    }
}
