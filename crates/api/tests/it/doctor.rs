//! `trawl doctor` and `trawl audit`: what they say of a database in order, of one that is not, and
//! of none at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use trawl_persistence::migrate::MIGRATIONS;
use trawl_test_support::database::{Route, TestDatabase};
use trawl_test_support::hostile::{Deed, HostilePooler, Hostility};
use trawl_test_support::process::Finished;

use crate::house::{Api, PATIENCE, migrated, trawl};

async fn run(arguments: &[&str], url: &str) -> Finished {
    trawl(arguments, url).run(PATIENCE).await.unwrap()
}

/// The document of a run that ended with this exit code.
async fn document(arguments: &[&str], url: &str, code: i32) -> Value {
    let finished = run(arguments, url).await;
    assert_eq!(finished.status.code(), Some(code), "{finished:?}");
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

#[track_caller]
fn finding<'d>(document: &'d Value, name: &str) -> &'d Value {
    let findings = document["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["name"] == name);
    found.unwrap_or_else(|| panic!("no finding {name}: {document:#}"))
}

#[tokio::test]
async fn a_database_in_order_is_exit_0_by_both_routes() {
    let database = migrated().await;
    for (url, pooler, mode, leak, survive) in [
        (database.direct_url(), "none", "session", false, true),
        (
            database.pooled_url(),
            "pgbouncer",
            "transaction",
            true,
            false,
        ),
    ] {
        let document = document(&["doctor", "--json"], &url, 0).await;
        assert_eq!(document["state"], "ok", "{document:#}");
        assert_eq!(finding(&document, "pooler")["facts"]["kind"], pooler);
        assert_eq!(finding(&document, "pooler")["facts"]["mode"], mode);
        let leaks = &finding(&document, "session_settings")["facts"]["leak"];
        assert_eq!(*leaks, leak, "{document:#}");
        let survives = &finding(&document, "named_statements")["facts"]["survive"];
        assert_eq!(*survives, survive, "{document:#}");
        let names: Vec<_> = document["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["name"].as_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "connection",
                "server",
                "pooler",
                "session_settings",
                "named_statements",
                "round_trip",
                "encryption",
                "pool_size",
                "clock",
                "migrations",
                "queue",
                "audit",
            ]
        );
        let finished = run(&["doctor"], &url).await;
        assert_eq!(finished.status.code(), Some(0), "{finished:?}");
        assert!(
            finished.stdout.ends_with("Everything is in order.\n"),
            "{finished:?}"
        );
    }
}

/// A pooler that refuses or drops what has a name is described, not taken for a broken one.
#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_without_named_statements_is_in_order() {
    let database = migrated().await;
    for seed in 1..=3 {
        let hostility = Hostility::poison_only().with_seed(seed);
        let pooler = HostilePooler::start(&database.direct_url(), hostility)
            .await
            .unwrap();
        let document = document(&["doctor", "--json"], &pooler.url(), 0).await;
        assert_eq!(finding(&document, "connection")["state"], "ok");
        assert_eq!(finding(&document, "pooler")["facts"]["mode"], "transaction");
        let survive = &finding(&document, "named_statements")["facts"]["survive"];
        assert_eq!(*survive, false, "{document:#}");
        assert_eq!(finding(&document, "audit")["state"], "ok");
        let report = pooler.report();
        assert!(report.count(Deed::RefuseNamed) > 0, "{report}");
        assert_eq!(report.astray, [""; 0], "{report}");
    }
}

#[tokio::test]
async fn a_direct_url_to_another_database_fails() {
    let [database, other] = [migrated().await, migrated().await];
    for (direct, code, state) in [
        (database.direct_url(), 0, "ok"),
        (other.direct_url(), 1, "fail"),
    ] {
        let finished = trawl(&["doctor", "--json"], &database.pooled_url())
            .env("DATABASE_DIRECT_URL", direct)
            .run(PATIENCE)
            .await
            .unwrap();
        assert_eq!(finished.status.code(), Some(code), "{finished:?}");
        let document: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(finding(&document, "direct_url")["state"], state);
    }
}

#[tokio::test]
async fn missing_migrations_are_named_and_not_applied() {
    let database = TestDatabase::create(Route::Pooled).await.unwrap();
    for _look in 0..2 {
        let document = document(&["doctor", "--json"], &database.url(), 1).await;
        let migrations = finding(&document, "migrations");
        assert_eq!(migrations["state"], "fail");
        let missing = migrations["facts"]["missing"].as_array().unwrap();
        assert_eq!(missing.len(), MIGRATIONS.len());
        assert!(
            migrations["advice"]
                .as_str()
                .unwrap()
                .contains("trawl migrate")
        );
    }
    let audit = run(&["audit"], &database.url()).await;
    assert_eq!(audit.status.code(), Some(1), "{audit:?}");
}

#[tokio::test]
async fn a_broken_promise_is_exit_1_and_named() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let batch = api
        .accepted(&json!({"domains": ["a.test", "b.test"]}))
        .await;

    let kept = document(&["audit", "--json"], &database.url(), 0).await;
    assert_eq!(kept["kept"], true);
    let waiting = document(&["doctor", "--json"], &database.url(), 1).await;
    let queue = finding(&waiting, "queue");
    assert_eq!(
        (&queue["state"], &queue["facts"]["due"]),
        (&json!("warn"), &json!(2))
    );
    assert!(
        queue["advice"]
            .as_str()
            .unwrap()
            .contains("start `trawl worker`"),
        "{queue}"
    );

    let admin = database.admin().await.unwrap();
    let damage = format!("update trawl.batches set completed = 1 where id = '{batch}'");
    admin.batch_execute(&damage).await.unwrap();

    let broken = document(&["audit", "--json"], &database.url(), 1).await;
    assert_eq!(broken["kept"], false);
    let promises = broken["promises"].as_array().unwrap();
    let promise = |promise: &&Value| promise["promise"] == "counters equal rows";
    assert_eq!(promises.iter().find(promise).unwrap()["broken"], 1);

    let text = run(&["audit"], &database.url()).await;
    assert_eq!(text.status.code(), Some(1));
    assert!(
        text.stdout.contains("BROKEN  counters equal rows: 1 row\n"),
        "{}",
        text.stdout
    );

    let document = document(&["doctor", "--json"], &database.url(), 1).await;
    let audit = finding(&document, "audit");
    assert_eq!(audit["state"], "fail");
    let found = audit["found"].as_str().unwrap();
    assert!(found.contains("\"counters equal rows\" (1 row)"), "{found}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_one_finding() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("postgres://trawl:hunter2@127.0.0.1:{port}/trawl");
    let document = document(&["doctor", "--json"], &url, 1).await;
    let connection = finding(&document, "connection");
    assert_eq!(connection["state"], "fail");
    assert!(
        connection["advice"]
            .as_str()
            .unwrap()
            .contains("nothing listens there")
    );
    assert_eq!(document["findings"].as_array().unwrap().len(), 1);
    assert!(!document.to_string().contains("hunter2"));
}

/// A server that refuses everybody with this answer; counts who asked.
async fn refusing(code: &'static str, message: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "postgres://trawl:wrong@{}/trawl",
        listener.local_addr().unwrap()
    );
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut stream, _peer) = listener.accept().await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let mut startup = [0; 1024];
            let _read = stream.read(&mut startup).await;
            let fields = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
            let length = u32::try_from(fields.len() + 4).unwrap();
            let answer = [b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat();
            let _written = stream.write_all(&answer).await;
        }
    });
    (url, asked)
}

#[tokio::test]
async fn a_refusal_is_told_with_what_to_do_and_not_tried_again() {
    for (code, message, known_as, advice) in [
        (
            "XX000",
            "(ENOTFOUND) tenant/user trawl not found",
            "ENOTFOUND",
            "role.tenant",
        ),
        (
            "XX000",
            "(ECIRCUITBREAKER) too many authentication failures",
            "ECIRCUITBREAKER",
            "two minutes",
        ),
        (
            "28P01",
            "password authentication failed for user \"trawl\"",
            "28P01",
            "tried once and not again",
        ),
    ] {
        let (url, asked) = refusing(code, message).await;
        let document = document(&["doctor", "--json"], &url, 1).await;
        let connection = finding(&document, "connection");
        assert_eq!(connection["facts"]["code"], known_as);
        assert!(connection["found"].as_str().unwrap().contains(message));
        let said = connection["advice"].as_str().unwrap();
        assert!(said.contains(advice), "{said}");
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{message}");
    }
}

#[tokio::test]
async fn a_url_that_cannot_be_used_is_exit_2() {
    for command in ["doctor", "audit"] {
        let finished = run(&[command], "mysql://u@h/db").await;
        assert_eq!(finished.status.code(), Some(2), "{finished:?}");
        assert_eq!(finished.stdout, "");
    }
}
