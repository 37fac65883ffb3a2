//! Which crate may depend on which. Test dependencies are free.

use super::workspace::Package;
use std::collections::{BTreeSet, HashMap};

/// How far a rule looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// What the crate itself names.
    Direct,
    /// Everything that gets built with it.
    Whole,
}

/// Beginnings of the names of crates that are asynchronous, speak HTTP or speak SQL.
const IO_CRATES: [&str; 16] = [
    "actix", "async-", "axum", "deadpool", "diesel", "futures", "h2", "http", "hyper", "postgres",
    "reqwest", "rusqlite", "sqlx", "tokio", "tonic", "tower",
];

/// From, not to, how far, and why: the design's "dependencies point one way".
const FORBIDDEN: [(&str, &str, Reach, &str); 4] = [
    (
        "trawl-scraper",
        "trawl-persistence",
        Reach::Whole,
        "fetching knows no database",
    ),
    (
        "trawl-persistence",
        "trawl-scraper",
        Reach::Whole,
        "storing knows no fetching",
    ),
    (
        "trawl-persistence",
        "trawl-worker",
        Reach::Whole,
        "storing knows no work",
    ),
    (
        "trawl-api",
        "trawl-scraper",
        Reach::Direct,
        "the API reaches sites through the worker only",
    ),
];

/// The only members that may need test support outside their tests.
const TEST_ONLY: [&str; 2] = ["trawl-test-support", "xtask"];

/// The forbidden edges that exist.
pub(super) fn check(packages: &[Package]) -> Vec<String> {
    let graph: HashMap<&str, &Package> = packages.iter().map(|p| (p.name.as_str(), p)).collect();
    let mut findings = Vec::new();
    for (from, to, reach, why) in FORBIDDEN {
        if reached(&graph, from, reach).contains(to) {
            findings.push(format!("{from} depends on {to}: {why}"));
        }
    }
    for name in reached(&graph, "trawl-domain", Reach::Whole) {
        if IO_CRATES.iter().any(|start| name.starts_with(start)) {
            findings.push(format!(
                "trawl-domain depends on {name}: its rules are pure"
            ));
        }
    }
    for package in packages.iter().filter(|package| package.is_member) {
        let name = package.name.as_str();
        if !TEST_ONLY.contains(&name)
            && reached(&graph, name, Reach::Whole).contains("trawl-test-support")
        {
            findings.push(format!(
                "{name} depends on trawl-test-support outside its tests"
            ));
        }
    }
    findings
}

fn reached<'a>(
    graph: &HashMap<&'a str, &'a Package>,
    from: &str,
    reach: Reach,
) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = vec![from];
    while let Some(package) = open.pop().and_then(|name| graph.get(name)) {
        for dependency in &package.dependencies {
            if seen.insert(dependency.as_str()) && reach == Reach::Whole {
                open.push(dependency);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, dependencies: &[&str]) -> Package {
        let dependencies = dependencies.iter().map(|name| (*name).to_owned()).collect();
        Package {
            name: name.to_owned(),
            is_member: true,
            dependencies,
        }
    }

    fn check_one(packages: &[Package], expected: &str) {
        let findings = check(packages);
        assert!(
            findings.iter().any(|f| f.starts_with(expected)),
            "{expected} in {findings:?}"
        );
        assert_eq!(findings.len(), 1, "{findings:?}");
    }

    #[test]
    fn the_design_has_no_findings() {
        let packages = [
            member("trawl-domain", &["url"]),
            member("trawl-persistence", &["trawl-domain", "tokio"]),
            member("trawl-scraper", &["trawl-domain", "tokio"]),
            member("trawl-worker", &["trawl-persistence", "trawl-scraper"]),
            member("trawl-api", &["trawl-worker", "trawl-persistence"]),
            member("xtask", &["trawl-test-support"]),
        ];
        assert_eq!(check(&packages), Vec::<String>::new());
    }

    #[test]
    fn each_forbidden_edge_is_found() {
        for (packages, expected) in [
            (
                vec![
                    member("trawl-scraper", &["x"]),
                    member("x", &["trawl-persistence"]),
                ],
                "trawl-scraper depends on trawl-persistence",
            ),
            (
                vec![member("trawl-api", &["trawl-scraper"])],
                "trawl-api depends on trawl-scraper",
            ),
            (
                vec![
                    member("trawl-domain", &["x"]),
                    member("x", &["tokio-postgres"]),
                ],
                "trawl-domain depends on tokio-postgres",
            ),
            (
                vec![member("trawl-worker", &["trawl-test-support"])],
                "trawl-worker depends on trawl-test-support",
            ),
        ] {
            check_one(&packages, expected);
        }
    }
}
