//! `cargo xtask tidy`: rules of the house that no compiler checks.
//!
//! Each rule is a pure function from what it reads to a list of findings, proved on a bad example;
//! this module only reads the workspace and prints. It changes nothing.

mod docs;
mod edges;
mod links;
mod manifests;
mod size;
mod sql;
mod workspace;

use anyhow::{Result, bail};
use workspace::Workspace;

/// Checks every rule and prints each finding.
pub(crate) async fn check() -> Result<()> {
    let workspace = Workspace::read().await?;
    let mut findings = edges::check(&workspace.packages);
    findings.extend(manifests::check(&workspace.manifests()?));
    findings.extend(docs::check(&workspace.crate_roots()?));
    findings.extend(sql::check(&workspace.files(is_pooled_sql)?));
    findings.extend(links::check(
        &workspace.files(|path| path.ends_with(".md"))?,
        |path| workspace.root.join(path).exists(),
    ));
    findings.extend(size::check(&workspace.files(|path| path.ends_with(".rs"))?));

    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => bail!("1 finding"),
        count => bail!("{count} findings"),
    }
}

/// The statements that go through a pooler.
fn is_pooled_sql(path: &str) -> bool {
    let places = ["crates/persistence/sql/", "migrations/"];
    path.ends_with(".sql") && places.iter().any(|place| path.starts_with(place))
}
