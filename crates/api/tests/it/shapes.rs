//! Answers compared whole, with ids and times replaced.

use serde_json::json;
use uuid::Uuid;

use crate::house::{Api, PREFIX, anonymous, migrated};

#[tokio::test]
async fn a_batch_is_accepted_and_shown() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let body = json!({
        "domains": ["https://One.test/start", "bad", "two.test:8080", "one.TEST", "bücher.test"],
        "max_pages": 7,
        "metadata": {"customer": "c-1", "nested": {"a": [1, 2.50]}},
        "options": {"max_depth": 2, "sitemap": "include"},
    });
    let answer = api.post("/batch", body.to_string()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let accepted = answer.json();
    assert_eq!(answer.header("location"), accepted["status_url"]);
    assert_eq!(
        anonymous(accepted.clone()),
        json!({
            "batch_id": "ID",
            "status_url": "/api/v3/batch_page_scraper/batch/ID/status",
            "job_count": 3,
            "created_at": "TIME",
            "invalid_domains": [
                {"domain": "bad", "reason": "has no dot, so it is not a full domain name"},
            ],
            "duplicate_domains": ["one.TEST"],
        })
    );

    let answer = api.get(accepted["status_url"].as_str().unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-length"),
        answer.text.len().to_string()
    );
    let line = json!({"job_id": "ID", "status": "pending", "pages_scraped": 0, "error": null});
    let lines = json!({"one.test": line, "two.test:8080": line, "xn--bcher-kva.test": line});
    assert_eq!(
        anonymous(answer.json()),
        json!({
            "batch_id": "ID",
            "status": "pending",
            "total_domains": 3,
            "completed_domains": 0,
            "failed_domains": 0,
            "progress": 0.0,
            "created_at": "TIME",
            "updated_at": "TIME",
            "start_time": null,
            "end_time": null,
            "processing_time": null,
            "paused": false,
            "deadline_at": null,
            "expires_at": null,
            "retry_of": null,
            "options": {"max_depth": 2},
            "domain_statuses": lines,
            "error": null,
            "metadata": {
                "customer": "c-1",
                "nested": {"a": [1, 2.50]},
                "domain_statuses": lines,
            },
        })
    );
}

#[tokio::test]
async fn a_scan_is_accepted_and_shown() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let answer = api
        .post("/scan", r#"{"base_url": "https://shop.test/start"}"#)
        .await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let accepted = answer.json();
    assert_eq!(
        anonymous(accepted.clone()),
        json!({
            "job_id": "ID",
            "status_url": "/api/v3/batch_page_scraper/status/ID",
            "created_at": "TIME",
        })
    );
    let answer = api.get(accepted["status_url"].as_str().unwrap()).await;
    assert_eq!(
        anonymous(answer.json()),
        json!({
            "job_id": "ID",
            "batch_id": "ID",
            "status": "pending",
            "progress": 0.0,
            "domain": "shop.test",
            "pages_scraped": 0,
            "created_at": "TIME",
            "updated_at": "TIME",
            "start_time": null,
            "end_time": null,
            "result": null,
            "stop_reason": null,
            "error": null,
            "error_code": null,
            "cancel_requested": false,
            "retry_of": null,
            "attempt": 0,
            "waits_until": null,
            "waits_for": null,
            "attempts": [],
            "metadata": {},
        })
    );
}

#[tokio::test]
async fn a_repeated_submission_is_answered_alike_and_a_different_one_refused() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let id = Uuid::now_v7();
    let body =
        json!({"batch_id": id, "domains": ["a.test", "b.test"], "metadata": {"x": 1, "y": 2}});
    let first = api.post("/batch", body.to_string()).await;
    assert_eq!(first.status, 202);
    assert_eq!(first.json()["batch_id"], id.to_string());

    // Another spelling of the same content.
    let again = format!(
        r#"{{"max_pages": 50, "domains": ["A.test", "b.test."],
            "metadata": {{ "y": 2, "x": 1 }}, "options": null, "batch_id": "{}"}}"#,
        id.to_string().to_uppercase()
    );
    let second = api.post("/batch", again).await;
    assert_eq!(second.status, 202, "{second:?}");
    assert_eq!(second.text, first.text);

    for (field, other) in [
        ("domains", json!(["a.test"])),
        ("domains", json!(["http://a.test", "b.test"])),
        ("max_pages", json!(49)),
        ("max_concurrent", json!(6)),
        ("metadata", json!({"x": 1})),
    ] {
        let mut different = body.clone();
        different[field] = other;
        let answer = api.post("/batch", different.to_string()).await;
        answer.assert_problem(409, "batch_id_conflict");
    }
    assert_eq!(api.batch(&id.to_string()).await["total_domains"], 2);
}

#[tokio::test]
async fn the_mirror_of_an_earlier_answer_can_be_sent_back_as_metadata() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let id = api
        .accepted(&json!({"domains": ["a.test"], "metadata": {"domain_statuses": {"old": 1}, "k": "\u{0}"}}))
        .await;
    let status = api.batch(&id).await;
    assert_eq!(
        status["metadata"]["domain_statuses"],
        status["domain_statuses"]
    );
    assert_eq!(status["metadata"]["k"], "\u{0}");
}

#[tokio::test]
async fn the_root_says_what_this_is_and_health_is_at_both_places() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let page = api.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text.contains("Trawl") && page.text.contains(PREFIX));

    let ok = |message: &str| json!({"status": "OK", "message": message});
    for path in ["/health".to_owned(), format!("{PREFIX}/health")] {
        let answer = api.get(&path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            anonymous(answer.json()),
            json!({
                "status": "OK",
                "message": "The service is ready.",
                "timestamp": "TIME",
                "version": env!("CARGO_PKG_VERSION"),
                "checks": {
                    "database": ok("The database answers."),
                    "migrations": ok("All migrations are applied."),
                },
            })
        );
    }
}
