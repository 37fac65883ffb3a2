//! Batches and scans of a farm of sites, end to end.

use serde_json::{Value, json};
use trawl_test_support::farm::{Site, SiteFarm};
use trawl_test_support::wait::wait_for;

use crate::house::{Api, PATIENCE, PREFIX, anonymous, migrated, trawl};

#[tokio::test]
async fn a_batch_moves_from_pending_to_complete_and_counts_what_was_served() {
    let database = migrated().await;
    let farm = SiteFarm::start().await.unwrap();
    let mut hosts = farm.add_numbered_sites(3, 4);
    farm.add_site("empty.test", Site::new(0));
    hosts.push("empty.test".to_owned());
    let gate = farm.hold_answers();
    let api = Api::start(&trawl(&["serve"], &database.url())).await;
    api.ready().await;

    let domains: Vec<String> = hosts
        .iter()
        .map(|host| format!("http://{}", farm.domain(host)))
        .collect();
    let id = api
        .accepted(&json!({"domains": domains, "max_pages": 3, "max_concurrent": 2}))
        .await;
    let running = wait_for("the batch to run", PATIENCE, async || {
        let status = api.batch(&id).await;
        anyhow::ensure!(status["status"] == "running", "{status:#}");
        Ok(status)
    })
    .await
    .unwrap();
    assert_eq!(running["progress"], 0.0);
    assert_eq!(running["end_time"], Value::Null);
    assert!(running["processing_time"].as_f64().unwrap() >= 0.0);

    gate.release();
    let ended = wait_for("the batch to end", PATIENCE, async || {
        let status = api.batch(&id).await;
        anyhow::ensure!(!status["end_time"].is_null(), "{status:#}");
        Ok(status)
    })
    .await
    .unwrap();
    let complete = json!({"job_id": "ID", "status": "complete", "pages_scraped": 3, "error": null});
    let failure = &ended["domain_statuses"][farm.domain("empty.test")];
    assert_eq!(failure["status"], "failed");
    assert_eq!(failure["error_code"], "http_client_error");
    let reason = failure["error"].as_str().unwrap();
    assert!(reason.contains("404"), "{reason}");
    let mut lines = json!({farm.domain("empty.test"): anonymous(failure.clone())});
    for host in hosts.iter().filter(|host| *host != "empty.test") {
        lines[farm.domain(host)] = complete.clone();
    }
    assert_eq!(
        anonymous(ended.clone()),
        json!({
            "batch_id": "ID",
            "status": "partial",
            "total_domains": 4,
            "completed_domains": 3,
            "failed_domains": 1,
            "progress": 100.0,
            "created_at": "TIME",
            "updated_at": "TIME",
            "start_time": "TIME",
            "end_time": "TIME",
            "processing_time": "SECONDS",
            "paused": false,
            "deadline_at": null,
            "expires_at": "TIME",
            "retry_of": null,
            "options": {},
            "domain_statuses": lines,
            "error": "1 of 4 sites failed; domain_statuses has the reason of each.",
            "metadata": {"domain_statuses": lines},
        })
    );
    for host in hosts.iter().filter(|host| *host != "empty.test") {
        assert_eq!(farm.page_hits(host), 3, "{host}");
    }
}

#[tokio::test]
async fn a_scan_ends_with_the_profile_of_its_site() {
    let database = migrated().await;
    let farm = SiteFarm::start().await.unwrap();
    farm.add_site("shop.test", Site::new(5).with_wordpress());
    let api = Api::start(&trawl(&["serve"], &database.url())).await;
    api.ready().await;
    let body = json!({
        "base_url": format!("http://{}", farm.domain("shop.test")),
        "max_pages": 2,
        "options": {"formats": ["text", "links"]},
    });
    let accepted = api.post("/scan", body.to_string()).await.json();
    let path = format!("{PREFIX}/status/{}", accepted["job_id"].as_str().unwrap());
    let ended = wait_for("the scan to end", PATIENCE, async || {
        let status = api.get(&path).await.json();
        anyhow::ensure!(!status["end_time"].is_null(), "{status:#}");
        Ok(status)
    })
    .await
    .unwrap();
    assert_eq!(ended["status"], "complete", "{ended:#}");
    assert_eq!(ended["progress"], 100.0);
    assert_eq!(ended["pages_scraped"], 2);
    let batch = ended["batch_id"].as_str().unwrap();
    let batch = api.get(&format!("{PREFIX}/batch/{batch}/status")).await;
    assert_eq!(batch.json()["options"], body["options"]);
    assert_eq!(ended["result"]["is_wordpress"], true, "{ended:#}");
    assert_eq!(ended["stop_reason"], "max_pages", "{ended:#}");
    let crawl = &ended["result"]["crawl"];
    assert_eq!(crawl["stop_reason"], "max_pages", "{ended:#}");
    assert_eq!(crawl["pages"]["fetched"], 2, "{ended:#}");

    let first = api.get(&format!("{path}/pages?limit=1")).await.json();
    let start = &first["pages"][0];
    assert_eq!(start["status"], "fetched", "{first:#}");
    assert_eq!(start["depth"], 0);
    assert_eq!(start["http_status"], 200);
    assert_eq!(start["facts"]["title"], ended["result"]["title"]);
    let content = &start["content"];
    let text = content["text"].as_str().unwrap();
    assert!(text.split_whitespace().count() > 3, "{content:#}");
    assert_eq!(content["markdown"], Value::Null, "{content:#}");
    assert!(content["links"][0]["url"].is_string(), "{content:#}");
    assert_eq!(first["next_after"], 0);
    let rest = api.get(&format!("{path}/pages?after=0")).await.json();
    assert_eq!(rest["pages"].as_array().unwrap().len(), 1, "{rest:#}");
    assert_eq!(rest["pages"][0]["depth"], 1);
    assert_eq!(rest["next_after"], Value::Null);
    let beyond = api.get(&format!("{path}/pages?after=1")).await.json();
    assert_eq!(beyond["pages"], json!([]));
    api.get(&format!("{path}/pages?limit=0"))
        .await
        .assert_problem(422, "invalid_field");
    let unknown = format!("{PREFIX}/status/{}/pages", uuid::Uuid::now_v7());
    api.get(&unknown).await.assert_problem(404, "job_not_found");
}

#[tokio::test]
async fn the_options_of_a_scan_reach_its_crawl() {
    let database = migrated().await;
    let farm = SiteFarm::start().await.unwrap();
    farm.add_site("deep.test", Site::new(5));
    let api = Api::start(&trawl(&["serve"], &database.url())).await;
    api.ready().await;
    let site = format!("http://{}", farm.domain("deep.test"));
    let body = json!({"base_url": site, "options": {"max_depth": 0}});
    let accepted = api.post("/scan", body.to_string()).await.json();
    let path = format!("{PREFIX}/status/{}", accepted["job_id"].as_str().unwrap());
    let ended = wait_for("the scan to end", PATIENCE, async || {
        let status = api.get(&path).await.json();
        anyhow::ensure!(!status["end_time"].is_null(), "{status:#}");
        Ok(status)
    })
    .await
    .unwrap();
    assert_eq!(ended["pages_scraped"], 1, "{ended:#}");
    assert_eq!(farm.page_hits("deep.test"), 1);
}

#[tokio::test]
async fn a_scan_from_the_command_line_answers_on_stdout_and_leaves_nothing_running() {
    let database = migrated().await;
    let farm = SiteFarm::start().await.unwrap();
    farm.add_site("shop.test", Site::new(5));
    let site = format!("http://{}", farm.domain("shop.test"));
    let command = trawl(&["scan", &site, "--max-pages", "3"], &database.url());
    let finished = command.run(PATIENCE).await.unwrap();
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    let result: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(result["status"], "complete");
    assert_eq!(result["pages_scraped"], 3);
    assert_eq!(result["domain"], farm.domain("shop.test"));
    assert_eq!(farm.page_hits("shop.test"), 3);
    let progress = format!(
        "{}: complete, 3 of at most 3 pages",
        farm.domain("shop.test")
    );
    assert!(finished.stderr.contains(&progress), "{}", finished.stderr);
}

#[tokio::test]
async fn a_scan_that_fails_says_why_and_exits_with_1() {
    let database = migrated().await;
    let farm = SiteFarm::start().await.unwrap();
    farm.add_site("gone.test", Site::new(0));
    let closed = Site::new(1).with_robots("User-agent: *\nDisallow: /\n");
    farm.add_site("closed.test", closed);
    for (host, code, stop_reason) in [
        ("gone.test", "http_client_error", "error"),
        ("closed.test", "robots_disallowed", "robots"),
    ] {
        let site = format!("http://{}", farm.domain(host));
        let command = trawl(&["scan", &site], &database.url());
        let finished = command.run(PATIENCE).await.unwrap();
        assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
        let result: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(result["status"], "failed", "{result:#}");
        assert_eq!(result["error_code"], code, "{result:#}");
        assert_eq!(result["stop_reason"], stop_reason, "{result:#}");
        assert!(!result["error"].as_str().unwrap().is_empty());
    }
    assert_eq!(farm.page_hits("closed.test"), 0);
}

#[tokio::test]
async fn an_interrupted_scan_hands_its_site_back() {
    let database = migrated().await;
    let farm = SiteFarm::start().await.unwrap();
    farm.add_site("slow.test", Site::new(5));
    let gate = farm.hold_answers();
    let site = format!("http://{}", farm.domain("slow.test"));
    let command = trawl(&["scan", &site], &database.url()).env("TRAWL_SHUTDOWN_TIMEOUT", "2s");
    let process = command.spawn().unwrap();
    wait_for("the crawl to begin", PATIENCE, async || {
        anyhow::ensure!(!farm.held_hosts().is_empty(), "{}", process.stderr());
        Ok(())
    })
    .await
    .unwrap();
    process.terminate().unwrap();
    let finished = process.wait(PATIENCE).await.unwrap();
    gate.release();
    assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
    assert_eq!(finished.stdout, "");
    let admin = database.admin().await.unwrap();
    let row = admin
        .query_one("select state, attempt from trawl.domain_jobs", &[])
        .await
        .unwrap();
    assert_eq!(
        (row.get::<_, &str>(0), row.get::<_, i32>(1)),
        ("pending", 0)
    );
}
