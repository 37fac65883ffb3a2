//! Values that are refused, the texts that are asked for, and the log.

use trawl_persistence::migrate::MIGRATIONS;
use trawl_test_support::database::{Route, TestDatabase};
use trawl_test_support::process::TrawlCommand;

use crate::house::{Api, PATIENCE, migrated, trawl};

/// Runs `serve` with one variable and answers the one line with which it must refuse.
async fn refusal(variable: &str, value: &str) -> String {
    let finished = TrawlCommand::new(["serve"])
        .unwrap()
        .env(variable, value)
        .run(PATIENCE)
        .await
        .unwrap();
    assert_eq!(finished.status.code(), Some(2), "{variable}={value}");
    assert_eq!(finished.stdout, "");
    let (line, rest) = finished.stderr.split_once('\n').unwrap();
    assert_eq!(rest, "", "{variable}={value}");
    line.to_owned()
}

#[tokio::test]
async fn a_bad_value_is_exit_2_and_one_line_with_variable_value_and_rule() {
    for (variable, value, allowed) in [
        (
            "DATABASE_URL",
            "mysql://u@h/db",
            "postgres://user:password@host:port/database",
        ),
        (
            "DATABASE_URL",
            "postgres://u@h/db?options=-csearch_path%3Dx",
            "must not carry `options`",
        ),
        (
            "DATABASE_DIRECT_URL",
            "postgres://u@h:port/db",
            "postgres://user",
        ),
        ("TRAWL_DATA_DIR", "", "the path of a directory"),
        ("TRAWL_BIND", "localhost", "an IP address and a port"),
        ("TRAWL_DB_POOL_SIZE", "0", "from 1 to 1000"),
        ("TRAWL_WORKER_CONCURRENCY", "many", "from 1 to 4096"),
        ("TRAWL_POLITENESS_DELAY", "250", "such as 250ms, 20s or 5m"),
        ("TRAWL_CONNECT_TIMEOUT", "0s", "from 10ms to 5m"),
        ("TRAWL_FETCH_TIMEOUT", "1h", "from 10ms to 10m"),
        ("TRAWL_MAX_BODY_BYTES", "5MiB", "from 1024 to 268435456"),
        ("TRAWL_USER_AGENT", "Träwl", "visible ASCII"),
        ("TRAWL_ALLOW_NETWORKS", "10.0.0.0/33", "10.0.0.0/8"),
        ("TRAWL_RESOLVE", "*.test", "name=address"),
        ("TRAWL_LEASE_TTL", "0s", "from 1s to 1h"),
        ("TRAWL_MAX_ATTEMPTS", "-1", "from 1 to 100"),
        ("TRAWL_SHUTDOWN_TIMEOUT", "soon", "from 1s to 10m"),
        ("TRAWL_LOG", "a=b=c", "a filter"),
        ("TRAWL_LOG_FORMAT", "xml", "text or json"),
    ] {
        let line = refusal(variable, value).await;
        for part in [variable, value, allowed] {
            assert!(line.contains(part), "{part} is not in: {line}");
        }
    }
}

#[tokio::test]
async fn a_refused_url_does_not_show_its_password() {
    let line = refusal(
        "DATABASE_URL",
        "postgres://user:hunter2@h/db?pgbouncer=true",
    )
    .await;
    assert!(
        !line.contains("hunter2") && line.contains("pgbouncer"),
        "{line}"
    );
}

#[tokio::test]
async fn flags_and_commands_are_checked_as_well() {
    for arguments in [
        &["--bind", "x"][..],
        &["serve", "--nope"],
        &["nope"],
        &["scan"],
        &["scan", "nodot"],
        &["scan", "a.test", "--max-pages", "0"],
    ] {
        let finished = TrawlCommand::new(arguments)
            .unwrap()
            .run(PATIENCE)
            .await
            .unwrap();
        assert_eq!(finished.status.code(), Some(2), "{arguments:?}");
        assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    }
}

#[tokio::test]
async fn a_bad_option_of_a_scan_is_told_with_the_rule_that_a_request_is_told() {
    let many = ["--include-path", "/a"].repeat(33);
    for (flags, line) in [
        (
            &["--deadline-s", "0"][..],
            "--deadline-s is \"0\": must be a whole number from 1 to 2592000",
        ),
        (
            &["--max-depth", "101"],
            "--max-depth is \"101\": must be a whole number from 0 to 100",
        ),
        (
            &["--delay-ms", "1s"],
            "--delay-ms is \"1s\": must be a whole number from 0 to 60000",
        ),
        (
            &["--max-duration-s", "86401"],
            "--max-duration-s is \"86401\": must be a whole number from 1 to 86400",
        ),
        (
            &["--max-bytes", "0"],
            "--max-bytes is \"0\": must be a whole number from 1 to 10485760000",
        ),
        (
            &["--sitemap", "never"],
            "--sitemap is \"never\": must be one of include, skip, only",
        ),
        (
            &["--formats", "text,html"],
            "--formats is \"text,html\": must be a list of metadata, text, markdown, links",
        ),
        (
            &["--exclude-path", "/["],
            "--exclude-path must hold globs, unlike \"/[\"",
        ),
        (
            &many,
            "--include-path must hold at most 32 patterns, not 33",
        ),
    ] {
        let arguments = [&["scan", "a.test"], flags].concat();
        let finished = TrawlCommand::new(arguments)
            .unwrap()
            .run(PATIENCE)
            .await
            .unwrap();
        assert_eq!(finished.status.code(), Some(2), "{flags:?}");
        assert_eq!(finished.stderr, format!("trawl: {line}\n"), "{flags:?}");
        assert_eq!(finished.stdout, "", "{flags:?}");
    }
}

#[tokio::test]
async fn help_and_version_are_answers() {
    for (argument, part) in [
        ("--help", "TRAWL_BIND"),
        ("--version", env!("CARGO_PKG_VERSION")),
    ] {
        let finished = TrawlCommand::new([argument])
            .unwrap()
            .run(PATIENCE)
            .await
            .unwrap();
        assert_eq!(finished.status.code(), Some(0));
        assert!(finished.stdout.contains(part), "{}", finished.stdout);
    }
}

#[tokio::test]
async fn a_variable_that_no_version_has_is_pointed_out() {
    let database = migrated().await;
    let command = trawl(&["serve", "--no-worker"], &database.url())
        .env("TRAWL_WORKER_CONCURENCY", "3")
        .env("TRAWL_LOG_FORMAT", "json");
    let api = Api::start(&command).await;
    let log = api.process.stderr();
    let warning = log
        .lines()
        .find(|line| line.contains("TRAWL_WORKER_CONCURENCY"))
        .unwrap();
    let warning: serde_json::Value = serde_json::from_str(warning).unwrap();
    assert_eq!(warning["level"], "WARN");
    assert_eq!(api.process.stdout(), "");
}

#[tokio::test]
async fn migrate_brings_an_empty_database_up_to_date_and_says_so_again() {
    let database = TestDatabase::create(Route::Pooled).await.unwrap();
    for applied in [MIGRATIONS.len(), 0] {
        let command = trawl(&["migrate"], &database.url());
        let finished = command.run(PATIENCE).await.unwrap();
        assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
        let said = format!("up to date applied={applied}");
        assert!(finished.stderr.contains(&said), "{}", finished.stderr);
    }
}
