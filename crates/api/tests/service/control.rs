//! Cancel, pause, resume and retry over HTTP, with the real binary.

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use trawl_test_support::farm::{Reply, Site};
use trawl_test_support::wait::{wait_for, wait_until};
use uuid::Uuid;

use crate::house::{House, PATIENCE};

/// The fields of an answer without those that differ between runs.
fn essence(mut answer: Value) -> Value {
    for field in [
        "batch_id",
        "job_id",
        "status_url",
        "created_at",
        "correlation_id",
        "retry_of",
    ] {
        if let Some(fields) = answer.as_object_mut() {
            fields.remove(field);
        }
    }
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_paused_resumed_and_cancelled_and_each_answer_tells_the_state_found() {
    let house = House::build().await;
    let hosts = house.farm.add_numbered_sites(12, 2);
    let gate = house
        .farm
        .hold_answers_when(|request| request.path != "/robots.txt");
    let url = house.database.pooled_url();
    let (service, address) = house.trawl(&["serve"], &url).start(PATIENCE).await.unwrap();
    let batch = house.submit(&address, &hosts, 2, 3).await;
    wait_until("sites to wait", PATIENCE, async || {
        house.farm.held_hosts().len() == 3
    })
    .await
    .unwrap();
    let call = async |call: &str| {
        house
            .post(&address, &format!("/batch/{batch}/{call}"), "")
            .await
    };

    let (code, paused) = call("pause").await;
    assert_eq!(
        (code, essence(paused)),
        (200, json!({ "status": "running", "paused": true }))
    );
    wait_for(
        "the running sites to be handed back",
        PATIENCE,
        async || {
            let status = house.status(&address, &batch).await?;
            let domains = status["domain_statuses"].as_object().unwrap();
            anyhow::ensure!(
                domains.values().all(|line| line["status"] == "pending"),
                "{status:#}"
            );
            anyhow::ensure!(status["paused"] == true);
            Ok(())
        },
    )
    .await
    .unwrap();
    let (code, resumed) = call("resume").await;
    assert_eq!(
        (code, essence(resumed)),
        (200, json!({ "status": "running", "paused": false }))
    );
    let (code, refused) = call("retry").await;
    assert_eq!(
        (code, &refused["code"]),
        (409, &json!("batch_not_ended")),
        "{refused}"
    );

    let (code, cancelled) = call("cancel").await;
    assert_eq!(code, 200);
    assert_eq!(cancelled["found_status"], "running", "{cancelled}");
    let status = house.ended(&address, &batch).await;
    assert_eq!(status["status"], "cancelled");
    assert_eq!(status["failed_domains"], 0);
    assert!(status["expires_at"].is_string(), "{status:#}");
    let (code, again) = house.delete(&address, &format!("/batch/{batch}")).await;
    assert_eq!(
        (code, essence(again)),
        (
            200,
            json!({ "found_status": "cancelled", "status": "cancelled" })
        )
    );
    let (code, refused) = call("pause").await;
    assert_eq!((code, &refused["code"]), (409, &json!("batch_not_active")));
    let (code, refused) = call("retry").await;
    assert_eq!((code, &refused["code"]), (409, &json!("nothing_failed")));
    drop(gate);
    service.terminate().unwrap();
    assert!(service.wait(PATIENCE).await.unwrap().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_a_new_batch_of_what_failed_and_the_same_retry_once() {
    let house = House::build().await;
    house.farm.add_site("good.test", Site::new(2));
    house
        .farm
        .add_site("bad.test", Site::new(2).with_status("/", 404));
    let url = house.database.pooled_url();
    let (service, address) = house.trawl(&["serve"], &url).start(PATIENCE).await.unwrap();
    let hosts = ["good.test".to_owned(), "bad.test".to_owned()];
    let batch = house.submit(&address, &hosts, 2, 2).await;
    let status = house.ended(&address, &batch).await;
    assert_eq!(status["status"], "partial");

    house.farm.add_site("bad.test", Site::new(2));
    let new = Uuid::now_v7().to_string();
    let path = format!("/batch/{batch}/retry");
    let body = json!({ "batch_id": new }).to_string();
    let (code, first) = house.post(&address, &path, &body).await;
    assert_eq!(
        (code, &first["batch_id"], &first["job_count"]),
        (202, &json!(new), &json!(1))
    );
    let (code, second) = house.post(&address, &path, &body).await;
    assert_eq!((code, second), (202, first));
    let status = house.ended(&address, &new).await;
    house.assert_complete(&status, 1, 2).await;
    assert_eq!(status["retry_of"], json!(batch));
    assert_eq!(house.farm.page_hits("good.test"), 2);

    let taken = json!({ "batch_id": batch }).to_string();
    let (code, refused) = house.post(&address, &path, &taken).await;
    assert_eq!((code, &refused["code"]), (409, &json!("batch_id_conflict")));
    let (code, refused) = house.post(&address, &path, r#"{"force": true}"#).await;
    assert_eq!(code, 422, "{refused}");
    assert!(
        refused["detail"].as_str().unwrap().contains("force"),
        "{refused}"
    );
    for call in ["cancel", "pause", "resume", "retry"] {
        let unknown = format!("/batch/{}/{call}", Uuid::now_v7());
        let (code, missing) = house.post(&address, &unknown, "").await;
        assert_eq!(
            (code, &missing["code"]),
            (404, &json!("batch_not_found")),
            "{call}"
        );
        let (code, malformed) = house.post(&address, &format!("/batch/x/{call}"), "").await;
        assert_eq!(
            (code, &malformed["code"]),
            (400, &json!("malformed_id")),
            "{call}"
        );
    }
    service.terminate().unwrap();
    assert!(service.wait(PATIENCE).await.unwrap().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_site_asked_for_a_wait_says_until_when() {
    let house = House::build().await;
    let busy = Reply::status(429).with_header("Retry-After", "1800");
    house
        .farm
        .add_site("busy.test", Site::new(2).with_reply("/page-1", busy));
    let url = house.database.pooled_url();
    let (service, address) = house.trawl(&["serve"], &url).start(PATIENCE).await.unwrap();
    let began = OffsetDateTime::now_utc();
    let batch = house
        .submit(&address, &["busy.test".to_owned()], 2, 1)
        .await;
    let status = house.status(&address, &batch).await.unwrap();
    let job = status["domain_statuses"][house.farm.domain("busy.test")]["job_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let job = wait_for("the wait to be told", PATIENCE, async || {
        let job = house.get(&address, &format!("/status/{job}")).await?;
        anyhow::ensure!(!job["waits_until"].is_null(), "{job:#}");
        Ok(job)
    })
    .await
    .unwrap();
    assert_eq!(
        (&job["status"], &job["attempt"], &job["pages_scraped"]),
        (&json!("pending"), &json!(0), &json!(1)),
    );
    let until = OffsetDateTime::parse(job["waits_until"].as_str().unwrap(), &Rfc3339).unwrap();
    let now = OffsetDateTime::now_utc();
    assert!(until > began + Duration::from_secs(1800) && until < now + Duration::from_secs(1800));
    let why = job["waits_for"].as_str().unwrap();
    assert!(why.contains("/page-1 was answered with 429"), "{why}");
    service.terminate().unwrap();
    assert!(service.wait(PATIENCE).await.unwrap().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_cancelled_alone_and_its_attempts_are_told() {
    let house = House::build().await;
    house.farm.add_site("hangs.test", Site::new(1));
    let _gate = house.farm.hold_answers();
    let url = house.database.pooled_url();
    let (service, address) = house.trawl(&["serve"], &url).start(PATIENCE).await.unwrap();
    let batch = house
        .submit(&address, &["hangs.test".to_owned()], 1, 1)
        .await;
    wait_until("the site to wait", PATIENCE, async || {
        house.farm.held_hosts().len() == 1
    })
    .await
    .unwrap();
    let status = house.status(&address, &batch).await.unwrap();
    let job = status["domain_statuses"][house.farm.domain("hangs.test")]["job_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (code, answer) = house
        .post(&address, &format!("/status/{job}/cancel"), "")
        .await;
    assert_eq!(
        (code, essence(answer)),
        (
            200,
            json!({ "found_status": "running", "status": "running", "cancel_requested": true })
        )
    );
    let status = house.ended(&address, &batch).await;
    assert_eq!(status["status"], "cancelled");
    let job = house
        .get(&address, &format!("/status/{job}"))
        .await
        .unwrap();
    assert_eq!(job["status"], "cancelled");
    assert_eq!(job["stop_reason"], "cancelled", "{job:#}");
    assert_eq!(job["attempts"][0]["outcome"], "cancelled", "{job:#}");
    service.terminate().unwrap();
    assert!(service.wait(PATIENCE).await.unwrap().status.success());
}
