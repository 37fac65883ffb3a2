//! Reviewed text that what was found is compared with.
//!
//! `TRAWL_UPDATE_SNAPSHOTS=1` writes it anew; nothing else ever does.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

const UPDATE_VARIABLE: &str = "TRAWL_UPDATE_SNAPSHOTS";

/// Compares `found` with the file `name` beside the tests.
pub(crate) fn compare(name: &str, found: &str) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it")
        .join(name);
    if std::env::var_os(UPDATE_VARIABLE).is_some() {
        return std::fs::write(&path, found).context("write the snapshot");
    }
    let expected = std::fs::read_to_string(&path).with_context(|| format!("read {name}"))?;
    if let Some((line, (found, expected))) = (1..)
        .zip(found.lines().zip(expected.lines()))
        .find(|(_, (found, expected))| found != expected)
    {
        bail!(
            "line {line} of {name} differs\n   found: {found}\nexpected: {expected}\n\
             where that is meant, run again with {UPDATE_VARIABLE}=1"
        );
    }
    ensure!(
        found.lines().count() == expected.lines().count(),
        "{name} has other lines at its end"
    );
    Ok(())
}
