//! `cargo xtask mutations`: breaks one promise after the other in a copy, and demands that tests notice.
//!
//! Each mutation is a small edit of the last commit. It has to build, and at least one of its tests
//! has to fail; without any edit all of them have to pass. An edit whose place is gone fails too, so
//! that the list follows the code.

use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::process::Command;

use crate::mutations::list::{MUTATIONS, Mutation, Place};
use crate::provision::{DIRECT_URL, POOLED_URL, TestServers};
use crate::run::{cargo, run};

mod list;

/// A defect may make its tests wait for what never comes (chosen: they take seconds without it).
const TESTS_LIMIT: Duration = Duration::from_secs(300);

/// Which mutations to try.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only those whose name contains this.
    name: Option<String>,
}

/// Tries each mutation and prints which tests it turned red.
pub(crate) async fn run_mutations(options: Options) -> Result<ExitCode> {
    let wanted: Vec<_> = MUTATIONS
        .iter()
        .filter(|mutation| {
            let name = options.name.as_deref().unwrap_or_default();
            mutation.name.contains(name)
        })
        .collect();
    if wanted.is_empty() {
        bail!("no mutation has that name");
    }
    let copy = Copy::of_last_commit().await?;
    let servers = TestServers::provide().await?;
    let outcome = tokio::select! {
        outcome = try_all(&copy, &servers, &wanted) => outcome,
        stopped = crate::run::interrupt() => stopped.and_then(|()| bail!("interrupted")),
    };
    servers.stop().await?;
    outcome
}

async fn try_all(copy: &Copy, servers: &TestServers, wanted: &[&Mutation]) -> Result<ExitCode> {
    for mutation in wanted {
        let red = copy.red_tests(mutation, servers).await?;
        if !red.is_empty() {
            bail!("without any mutation these fail: {}", list_of(&red));
        }
    }
    let mut survivors = 0;
    let mut lines = Vec::new();
    for mutation in wanted {
        copy.edit(mutation)?;
        let red = copy.red_tests(mutation, servers).await;
        copy.restore(mutation)?;
        let red = red.with_context(|| format!("cannot try: {}", mutation.name))?;
        if red.is_empty() {
            survivors += 1;
        }
        lines.push((mutation.name, red));
    }
    for (name, red) in lines {
        let verdict = if red.is_empty() {
            "NOT NOTICED".to_owned()
        } else {
            list_of(&red)
        };
        println!("{name}: {verdict}");
    }
    Ok(if survivors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn list_of(tests: &BTreeSet<String>) -> String {
    tests.iter().cloned().collect::<Vec<_>>().join(", ")
}

/// A clone with a target directory of its own: cargo would take the crates of one copy for those
/// of the other in a shared one.
struct Copy {
    tree: PathBuf,
    target: PathBuf,
}

impl Copy {
    async fn of_last_commit() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask lies in the workspace")?;
        let home = root.join("target/mutations");
        let tree = home.join("tree");
        if tree.exists() {
            fs::remove_dir_all(&tree).context("cannot remove the copy of an earlier run")?;
        }
        fs::create_dir_all(&home).context("cannot make a folder for the copy")?;
        let mut clone = Command::new("git");
        clone.args(["clone", "--quiet"]).arg(root).arg(&tree);
        run(clone).await?;
        Ok(Self {
            tree,
            target: home.join("target"),
        })
    }

    fn edit(&self, mutation: &Mutation) -> Result<()> {
        let (path, from) = self.place(mutation.place)?;
        let mut text = fs::read_to_string(&path)?;
        for (old, new) in mutation.edits {
            let at = text
                .get(from..)
                .and_then(|tail| tail.find(old))
                .with_context(|| format!("{}: {} has no {old:?}", mutation.name, path.display()))?;
            text.replace_range(from + at..from + at + old.len(), new);
        }
        fs::write(&path, text)?;
        Ok(())
    }

    fn restore(&self, mutation: &Mutation) -> Result<()> {
        let (path, _from) = self.place(mutation.place)?;
        let status = std::process::Command::new("git")
            .args(["checkout", "--quiet", "--"])
            .arg(&path)
            .current_dir(&self.tree)
            .status()
            .context("cannot run git checkout")?;
        if !status.success() {
            bail!("git checkout of {}: {status}", path.display());
        }
        Ok(())
    }

    /// The file of a place, and the byte from which on to look.
    fn place(&self, place: Place) -> Result<(PathBuf, usize)> {
        match place {
            Place::File(path) => Ok((self.tree.join(path), 0)),
            Place::Function(name) => {
                let mut migrations = fs::read_dir(self.tree.join("migrations"))?
                    .map(|entry| Ok(entry?.path()))
                    .collect::<Result<Vec<_>>>()?;
                migrations.sort_unstable();
                let head = format!("create function trawl.{name}_v");
                for path in migrations.into_iter().rev() {
                    if let Some(at) = fs::read_to_string(&path)?.rfind(&head) {
                        return Ok((path, at));
                    }
                }
                bail!("no migration creates a function trawl.{name}_v…")
            }
        }
    }

    /// Which of the mutation's tests fail now.
    async fn red_tests(
        &self,
        mutation: &Mutation,
        servers: &TestServers,
    ) -> Result<BTreeSet<String>> {
        let test = || {
            let mut command = cargo();
            command
                .args([
                    "test",
                    "--quiet",
                    "--package",
                    mutation.package,
                    "--test",
                    "it",
                ])
                .current_dir(&self.tree)
                .env("CARGO_TARGET_DIR", &self.target)
                .env(DIRECT_URL, &servers.direct_url)
                .env(POOLED_URL, &servers.pooled_url);
            command
        };
        let mut build = test();
        build.arg("--no-run");
        run(build).await?;

        println!("== {}", mutation.name);
        let mut tests = test();
        tests.args(["--no-fail-fast", "--"]).args(mutation.tests);
        tests.process_group(0).kill_on_drop(true);
        let output = tokio::time::timeout(TESTS_LIMIT, tests.output())
            .await
            .with_context(|| format!("the tests did not end within {TESTS_LIMIT:?}"))?
            .context("cannot run the tests")?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let red = failures(&printed);
        if output.status.success() != red.is_empty() {
            bail!("the tests ended with {}: {printed}", output.status);
        }
        if red.is_empty() && printed.contains("ok. 0 passed") {
            bail!("no test has one of the names {:?}", mutation.tests);
        }
        Ok(red)
    }
}

/// The names that libtest lists under `failures:`, once each.
fn failures(printed: &str) -> BTreeSet<String> {
    printed
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|name| name.contains("::") && !name.contains(char::is_whitespace))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::failures;

    #[test]
    fn failures_are_read_from_the_list_at_the_end() {
        let printed = "\
running 2 tests\n\n\
failures:\n\n---- a::b stdout ----\n    at some::place.rs: said\n\n\n\
failures:\n    a::b\n    c::d::direct\n\n\
test result: FAILED. 0 passed; 2 failed; 0 ignored\n";
        let names: Vec<_> = failures(printed).into_iter().collect();
        assert_eq!(names, ["a::b", "c::d::direct"]);
        assert!(failures("test result: ok. 2 passed; 0 failed\n").is_empty());
    }
}
