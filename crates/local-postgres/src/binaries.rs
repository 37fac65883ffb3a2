//! Finds installed server programs: in `PATH`, then in the usual places, newest version first.
//!
//! Debian and RHEL keep `postgres` out of `PATH` on purpose, one directory a major version.

use crate::error::LocalPostgresError;
use crate::output::run;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The oldest major version that is accepted: the oldest one that upstream still maintained when
/// this was written (the PostgreSQL versioning page, 2026).
const OLDEST_MAJOR: u32 = 14;

/// Directories of server programs, with one `*` where a version or name stands.
const USUAL_PLACES: [&str; 8] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/bin",
    "/usr/local/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/opt/homebrew/bin",
    "/usr/local/pgsql/bin",
];

/// Where `PgBouncer` is installed when `PATH` lacks the system directories.
const SYSTEM_DIRECTORIES: [&str; 4] = [
    "/usr/sbin",
    "/usr/local/sbin",
    "/opt/homebrew/bin",
    "/usr/bin",
];

/// The programs of one installed PostgreSQL server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerPrograms {
    /// The server.
    pub(crate) postgres: PathBuf,
    /// The program that creates clusters.
    pub(crate) initdb: PathBuf,
    /// The major version.
    pub(crate) major: u32,
}

/// Every usable installation: those in `PATH` in its order, then the others, newest first.
pub(crate) async fn find_servers() -> Vec<ServerPrograms> {
    let mut found = examine_all(path_directories()).await;
    let mut others = examine_all(USUAL_PLACES.iter().flat_map(|place| expand(place))).await;
    others.sort_by_key(|programs| std::cmp::Reverse(programs.major));
    for programs in others {
        if !found.contains(&programs) {
            found.push(programs);
        }
    }
    found
}

/// Picks an installation: the preferred one for a new cluster, one of the same major version for
/// an existing one, since the format of a cluster is that of its major version.
///
/// # Errors
///
/// [`LocalPostgresError::ProgramMissing`] or [`LocalPostgresError::VersionMissing`].
pub(crate) fn pick(
    found: &[ServerPrograms],
    existing: Option<(u32, &Path)>,
) -> Result<ServerPrograms, LocalPostgresError> {
    let missing = LocalPostgresError::ProgramMissing {
        program: "PostgreSQL",
        debian: "postgresql",
        rhel: "postgresql-server",
        homebrew: "postgresql@17",
    };
    let first = found.first().ok_or(missing)?;
    match existing {
        None => Ok(first.clone()),
        Some((wanted, path)) => found
            .iter()
            .find(|programs| programs.major == wanted)
            .cloned()
            .ok_or_else(|| {
                let majors: Vec<String> = found.iter().map(|p| p.major.to_string()).collect();
                LocalPostgresError::VersionMissing {
                    path: path.to_path_buf(),
                    wanted,
                    found: majors.join(", "),
                }
            }),
    }
}

/// The `PgBouncer` program, if one is installed.
pub(crate) fn find_pgbouncer() -> Option<PathBuf> {
    path_directories()
        .chain(SYSTEM_DIRECTORIES.iter().map(PathBuf::from))
        .map(|directory| directory.join("pgbouncer"))
        .find(|program| program.is_file())
}

/// The major and minor version in what a program says to `--version`.
pub(crate) async fn version_of(program: &Path) -> Option<(u32, u32)> {
    let mut command = Command::new(program);
    command.arg("--version");
    let finished = run(command).await.ok()?;
    if finished.success {
        parse_version(&finished.text)
    } else {
        None
    }
}

fn path_directories() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).collect::<Vec<_>>().into_iter()
}

async fn examine_all(directories: impl Iterator<Item = PathBuf>) -> Vec<ServerPrograms> {
    let mut found = Vec::new();
    for directory in directories {
        if let Some(programs) = examine(&directory).await
            && !found.contains(&programs)
        {
            found.push(programs);
        }
    }
    found
}

/// Links are followed, so a link in `PATH` and its target count as one installation.
async fn examine(directory: &Path) -> Option<ServerPrograms> {
    let postgres = fs::canonicalize(directory.join("postgres")).ok()?;
    let initdb = fs::canonicalize(directory.join("initdb")).ok()?;
    let (major, _minor) = version_of(&postgres).await?;
    (major >= OLDEST_MAJOR).then_some(ServerPrograms {
        postgres,
        initdb,
        major,
    })
}

/// The first word that begins with a digit: `postgres (PostgreSQL) 15.18 (Debian…`,
/// `postgres (PostgreSQL) 19beta1`, `PgBouncer 1.18.0`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let word = text
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut numbers = word.split(|c: char| !c.is_ascii_digit());
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0);
    Some((major, minor))
}

/// The existing directories that a place with at most one `*` stands for.
fn expand(place: &str) -> Vec<PathBuf> {
    let Some((before, after)) = place.split_once('*') else {
        return vec![PathBuf::from(place)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = fs::read_dir(if parent.is_empty() { "/" } else { parent }) else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| {
            let mut path = entry.path().into_os_string();
            path.push(after);
            PathBuf::from(path)
        })
        .filter(|path| path.is_dir())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(major: u32) -> ServerPrograms {
        ServerPrograms {
            postgres: "p".into(),
            initdb: "i".into(),
            major,
        }
    }

    #[test]
    fn versions_are_read_from_what_programs_print() {
        for (text, expected) in [
            (
                "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)",
                Some((15, 18)),
            ),
            ("postgres (PostgreSQL) 19beta1", Some((19, 0))),
            ("PgBouncer 1.18.0\nlibevent 2.1.12-stable", Some((1, 18))),
            ("no number", None),
        ] {
            assert_eq!(parse_version(text), expected, "{text}");
        }
    }

    #[test]
    fn an_existing_cluster_gets_its_own_major_version() {
        let found = [programs(17), programs(15)];
        let cluster = Path::new("/data/postgres");
        assert_eq!(pick(&found, None).expect("newest").major, 17);
        assert_eq!(pick(&found, Some((15, cluster))).expect("same").major, 15);
        let error = pick(&found, Some((16, cluster))).expect_err("not installed");
        assert!(error.to_string().contains("PostgreSQL 16"), "{error}");
        assert!(error.to_string().contains("17, 15"), "{error}");
    }

    #[test]
    fn a_missing_server_names_the_three_ways_out() {
        let text = pick(&[], None).expect_err("none").to_string();
        for way in [
            "apt-get install postgresql",
            "docker compose",
            "DATABASE_URL",
        ] {
            assert!(text.contains(way), "{way} in {text}");
        }
    }

    #[test]
    fn a_star_stands_for_existing_directories() {
        let root = tempfile::tempdir().expect("temporary directory");
        for version in ["pgsql-15", "pgsql-16", "other-17"] {
            fs::create_dir_all(root.path().join(version).join("bin")).expect("directory");
        }
        let mut found = expand(&format!("{}/pgsql-*/bin", root.path().display()));
        found.sort();
        let expected: Vec<_> = ["pgsql-15", "pgsql-16"]
            .iter()
            .map(|v| root.path().join(v).join("bin"))
            .collect();
        assert_eq!(found, expected);
    }
}
