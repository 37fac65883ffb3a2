//! The real binary behind a pooler that is harder than any real one: its clients submit, watch,
//! cancel and ask again as the documentation says, and everything ends as promised.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;
use trawl_test_support::database::TestDatabase;
use trawl_test_support::farm::{Site, SiteFarm};
use trawl_test_support::hostile::{HostilePooler, Hostility};
use trawl_test_support::wait::wait_for;
use uuid::Uuid;

use crate::house::{Answer, Api, PREFIX, migrated, send, trawl};

const BATCHES: usize = 3;
const SITES: usize = 8;
const PAGES: usize = 3;
/// Of everything: each black hole costs a request its whole limit of 15 s, and the process that it
/// hits its lease.
const PATIENCE: Duration = Duration::from_secs(240);

/// Asks until the service has an answer of its own, and takes nothing for one that is not: trouble
/// with the database is 503 with the time to wait, never another error and never a wrong answer.
async fn answered(api: &Api, method: &Method, path: &str, body: &str) -> Answer {
    let began = Instant::now();
    loop {
        let request = api
            .request(method.clone(), &format!("{PREFIX}{path}"))
            .header("content-type", "application/json")
            .body(body.to_owned());
        let answer = timeout(PATIENCE, send(request))
            .await
            .unwrap_or_else(|_elapsed| panic!("no answer to {path}\n{}", api.process.stderr()));
        if answer.status != 503 {
            assert!(
                answer.status < 500,
                "{path}: {answer:?}\n{}",
                api.process.stderr()
            );
            return answer;
        }
        let problem = answer.json();
        let code = problem["code"].as_str().unwrap();
        assert!(
            ["not_ready", "busy", "database_unavailable"].contains(&code),
            "{answer:?}"
        );
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!(wait >= 1, "{answer:?}");
        assert!(began.elapsed() < PATIENCE, "{path}: {answer:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Submits a batch under an id of the client's own, so that it may be sent again and again.
async fn submit(api: &Api, farm: &SiteFarm, name: usize) -> (Uuid, Vec<String>) {
    let hosts: Vec<_> = (0..SITES)
        .map(|site| format!("batch{name}-{site}.test"))
        .collect();
    for host in &hosts {
        farm.add_site(host, Site::new(PAGES + 2));
    }
    let domains: Vec<_> = hosts.iter().map(|host| farm.domain(host)).collect();
    let id = Uuid::now_v7();
    let urls: Vec<_> = domains
        .iter()
        .map(|domain| format!("http://{domain}"))
        .collect();
    let body = json!({
        "batch_id": id, "domains": urls, "max_pages": PAGES, "max_concurrent": 3,
        "metadata": {"client": name, "note": "Grüße, 世界"},
    });
    let answer = answered(api, &Method::POST, "/batch", &body.to_string()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.json()["batch_id"], id.to_string());
    (id, domains)
}

async fn ended(api: &Api, id: Uuid) -> Value {
    wait_for("the batch to end", PATIENCE, async || {
        let path = format!("/batch/{id}/status");
        let status = answered(api, &Method::GET, &path, "").await;
        anyhow::ensure!(status.status == 200, "{status:?}");
        let status = status.json();
        anyhow::ensure!(!status["end_time"].is_null(), "{status:#}");
        Ok(status)
    })
    .await
    .unwrap_or_else(|error| panic!("{error:#}\n{}", api.process.stderr()))
}

/// Submits, looks and compares: every line is of the client's own batch, and complete.
async fn serve_a_client(api: &Api, farm: &SiteFarm, name: usize) {
    let (id, domains) = submit(api, farm, name).await;
    let status = ended(api, id).await;
    assert_eq!(status["status"], "complete", "{status:#}");
    assert_eq!(status["completed_domains"], SITES, "{status:#}");
    assert_eq!(status["metadata"]["client"], name);
    assert_eq!(status["metadata"]["note"], "Grüße, 世界");
    let lines = status["domain_statuses"].as_object().unwrap();
    assert_eq!(lines.len(), SITES, "{status:#}");
    for domain in domains {
        assert_eq!(lines[&domain]["pages_scraped"], PAGES, "{status:#}");
    }
}

/// Submits, pauses, resumes and cancels: what was asked for is what is found.
async fn change_a_mind(api: &Api, farm: &SiteFarm, name: usize) {
    let gate =
        farm.hold_answers_when(move |request| request.host.starts_with(&format!("batch{name}-")));
    let (id, _domains) = submit(api, farm, name).await;
    for (verb, paused) in [("pause", true), ("resume", false)] {
        let answer = answered(api, &Method::POST, &format!("/batch/{id}/{verb}"), "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["paused"], paused, "{answer:?}");
    }
    let answer = answered(api, &Method::POST, &format!("/batch/{id}/cancel"), "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let status = ended(api, id).await;
    gate.release();
    assert_eq!(status["status"], "cancelled", "{status:#}");
    assert_eq!(status["failed_domains"], 0, "{status:#}");
}

async fn assert_rows(database: &TestDatabase) {
    let admin = database.admin().await.unwrap();
    let row = admin
        .query_one(
            "select count(*), count(distinct (job_id, url)) from trawl.pages p \
             join trawl.domain_jobs j on j.id = p.job_id where j.state = 'complete'",
            &[],
        )
        .await
        .unwrap();
    let (pages, distinct): (i64, i64) = (row.get(0), row.get(1));
    assert_eq!(pages, (BATCHES * SITES * PAGES) as i64);
    assert_eq!(distinct, pages, "a page has two rows");
    let audit = trawl(&["audit", "--json"], &database.direct_url());
    let audit = audit.run(PATIENCE).await.unwrap();
    assert_eq!(audit.status.code(), Some(0), "{audit:?}");
}

async fn everything_ends(hostility: Hostility) {
    let database = migrated().await;
    let farm = SiteFarm::start().await.unwrap();
    let pooler = HostilePooler::start(&database.direct_url(), hostility)
        .await
        .unwrap();
    // The faults here are the pooler's; a job that meets many of them has not failed.
    let command = trawl(&["serve"], &pooler.url())
        .env("TRAWL_LEASE_TTL", "5s")
        .env("TRAWL_MAX_ATTEMPTS", "50")
        .env("TRAWL_SHUTDOWN_TIMEOUT", "5s");
    let one = Api::start(&command).await;
    let other = Api::start(&command).await;
    tokio::join!(
        serve_a_client(&one, &farm, 0),
        serve_a_client(&other, &farm, 1),
        serve_a_client(&one, &farm, 2),
        change_a_mind(&other, &farm, BATCHES),
    );
    for api in [one, other] {
        api.process.terminate().unwrap();
        let finished = api.process.wait(PATIENCE).await.unwrap();
        assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    }
    let report = pooler.report();
    eprintln!("{report}");
    // What is sent too early is what gives one client another client's rows.
    assert_eq!(report.astray, [""; 0], "{report}");
    assert_rows(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_notices_poison() {
    everything_ends(Hostility::poison_only().with_seed(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_batch_survives_every_hostility_by_seed_1() {
    everything_ends(Hostility::full(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_batch_survives_every_hostility_by_the_seed_of_the_day() {
    let seed = match std::env::var("TRAWL_TEST_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_unset) => Uuid::now_v7().as_u128() as u64,
    };
    eprintln!("to replay: TRAWL_TEST_SEED={seed}");
    everything_ends(Hostility::full(seed)).await;
}
