//! What the rules look at: packages as cargo sees them, files as git sees them.

use crate::run::{cargo, output_of};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// Dependencies are those of the platform that Trawl is deployed on: others (the browser, say)
/// bring crates that are never built here.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// A package of the workspace or one that it depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) is_member: bool,
    /// Names of what it needs to be built and run: not what only its tests need.
    pub(super) dependencies: Vec<String>,
}

/// A file and its text.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// Relative to the root of the workspace.
    pub(super) path: String,
    pub(super) text: String,
}

/// The workspace as it lies on disk, uncommitted files included, ignored ones not.
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) root: PathBuf,
    pub(super) packages: Vec<Package>,
    manifest_paths: Vec<PathBuf>,
    root_paths: Vec<PathBuf>,
    file_paths: Vec<String>,
}

impl Workspace {
    pub(super) async fn read() -> Result<Self> {
        let mut metadata = cargo();
        metadata.args([
            "metadata",
            "--format-version",
            "1",
            "--filter-platform",
            PLATFORM,
        ]);
        let metadata: Value = serde_json::from_str(&output_of(metadata).await?)
            .context("cannot read what cargo metadata printed")?;
        let root = metadata["workspace_root"]
            .as_str()
            .context("cargo named no workspace root")?;
        let root = PathBuf::from(root);

        let mut list = Command::new("git");
        list.args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ]);
        list.current_dir(&root);
        let listed = output_of(list).await?;
        let mut file_paths: Vec<String> = listed
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(str::to_owned)
            .collect();
        // Deleted files stay listed until the deletion is committed.
        file_paths.retain(|path| root.join(path).is_file());

        let members = member_packages(&metadata);
        let paths = |pointer: &str| -> Vec<PathBuf> {
            let texts = members
                .iter()
                .filter_map(|package| package[pointer].as_str());
            texts.map(PathBuf::from).collect()
        };
        let targets = members
            .iter()
            .filter_map(|package| package["targets"].as_array())
            .flatten();
        let root_paths = targets
            .filter(|target| is_library_or_binary(target))
            .filter_map(|target| target["src_path"].as_str().map(PathBuf::from))
            .collect();
        Ok(Self {
            packages: packages(&metadata),
            manifest_paths: paths("manifest_path"),
            root_paths,
            root,
            file_paths,
        })
    }

    /// The manifests of all members.
    pub(super) fn manifests(&self) -> Result<Vec<File>> {
        self.manifest_paths
            .iter()
            .map(|path| self.file(path))
            .collect()
    }

    /// The first file of each library and binary.
    pub(super) fn crate_roots(&self) -> Result<Vec<File>> {
        self.root_paths.iter().map(|path| self.file(path)).collect()
    }

    /// Files chosen by their path.
    pub(super) fn files(&self, chosen: impl Fn(&str) -> bool) -> Result<Vec<File>> {
        let paths = self.file_paths.iter().filter(|path| chosen(path));
        paths.map(|path| self.file(&self.root.join(path))).collect()
    }

    fn file(&self, path: &Path) -> Result<File> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let path = path
            .strip_prefix(&self.root)
            .unwrap_or(path)
            .display()
            .to_string();
        Ok(File { path, text })
    }
}

fn is_library_or_binary(target: &Value) -> bool {
    let kinds = target["kind"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    kinds.into_iter().any(|kind| kind == "lib" || kind == "bin")
}

fn member_packages(metadata: &Value) -> Vec<&Value> {
    let members: Vec<&Value> = metadata["workspace_members"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter(|package| members.contains(&&package["id"]))
        .collect()
}

/// The dependency graph, from the resolution that builds use.
fn packages(metadata: &Value) -> Vec<Package> {
    let members: Vec<&Value> = metadata["workspace_members"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let all = metadata["packages"].as_array().into_iter().flatten();
    let name_of = |id: &Value| {
        all.clone()
            .find(|package| &package["id"] == id)
            .and_then(|package| package["name"].as_str())
    };
    let nodes = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten();
    nodes
        .map(|node| {
            let edges = node["deps"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|edge| {
                    let kinds = edge["dep_kinds"].as_array().into_iter().flatten();
                    kinds.into_iter().any(|kind| kind["kind"] != "dev")
                });
            Package {
                name: name_of(&node["id"]).unwrap_or_default().to_owned(),
                is_member: members.contains(&&node["id"]),
                dependencies: edges
                    .filter_map(|edge| name_of(&edge["pkg"]))
                    .map(str::to_owned)
                    .collect(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_tests_need_is_no_dependency() {
        let metadata = serde_json::json!({
            "workspace_members": ["a 1"],
            "packages": [
                {"id": "a 1", "name": "a"}, {"id": "b 1", "name": "b"}, {"id": "c 1", "name": "c"},
            ],
            "resolve": {"nodes": [{"id": "a 1", "deps": [
                {"pkg": "b 1", "dep_kinds": [{"kind": null}]},
                {"pkg": "c 1", "dep_kinds": [{"kind": "dev"}]},
            ]}]},
        });
        let expected = Package {
            name: "a".into(),
            is_member: true,
            dependencies: vec!["b".into()],
        };
        assert_eq!(packages(&metadata), [expected]);
    }
}
