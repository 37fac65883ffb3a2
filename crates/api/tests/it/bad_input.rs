//! What is refused, and in which words.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::{Answer, Api, PREFIX, migrated, send};

/// Posts a batch that must be refused, and answers the problem.
async fn refused(api: &Api, body: &str, status: u16, code: &str) -> Value {
    let answer = api.post("/batch", body.to_owned()).await;
    assert_eq!(answer.status, status, "{body}: {answer:?}");
    answer.assert_problem(status, code)
}

#[tokio::test]
async fn ids_are_malformed_or_unknown() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let unknown = Uuid::now_v7();
    for (path, status, code) in [
        ("/batch/42/status".to_owned(), 400, "malformed_id"),
        ("/status/not-an-id".to_owned(), 400, "malformed_id"),
        (format!("/batch/{unknown}/status"), 404, "batch_not_found"),
        (format!("/status/{unknown}"), 404, "job_not_found"),
        ("/nothing".to_owned(), 404, "route_not_found"),
    ] {
        let answer = api.get(&format!("{PREFIX}{path}")).await;
        answer.assert_problem(status, code);
    }
    api.get("/nothing")
        .await
        .assert_problem(404, "route_not_found");
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_one() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    for (method, path, allow) in [
        (Method::GET, "/batch", "POST"),
        (Method::DELETE, "/scan", "POST"),
        (Method::POST, "/health", "GET, HEAD"),
    ] {
        let answer = send(api.request(method, &format!("{PREFIX}{path}"))).await;
        answer.assert_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allow);
    }
    let head = send(api.request(Method::HEAD, "/health")).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}

#[tokio::test]
async fn a_body_that_is_not_json_is_400_and_a_wrong_field_is_422_by_name() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    for body in [
        "",
        "domains",
        r#"{"domains": ["a.test"]"#,
        r#"{} {}"#,
        "{\"a\":\"\u{1}\"}",
    ] {
        let problem = refused(&api, body, 400, "invalid_json").await;
        assert!(problem["line"].is_number(), "{problem:#}");
    }
    let answer = api
        .post("/batch", vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}'])
        .await;
    answer.assert_problem(400, "invalid_json");
    refused(&api, "[]", 422, "invalid_field").await;

    for (fields, code, field) in [
        (r#""max_pages": "five""#, "invalid_field", "max_pages"),
        (r#""max_pages": 1.5"#, "invalid_field", "max_pages"),
        (r#""max_concurrent": []"#, "invalid_field", "max_concurrent"),
        (r#""batch_id": "42""#, "invalid_field", "batch_id"),
        (r#""batch_id": 42"#, "invalid_field", "batch_id"),
        (r#""metadata": []"#, "invalid_field", "metadata"),
        (r#""options": true"#, "invalid_field", "options"),
        (
            r#""options": {"depth": 3}"#,
            "unsupported_option",
            "options.depth",
        ),
        (r#""domain": ["a.test"]"#, "unknown_field", "domain"),
        (
            r#""max_pages": 1, "max_pages": 2"#,
            "repeated_field",
            "max_pages",
        ),
    ] {
        let body = format!(r#"{{"domains": ["a.test"], {fields}}}"#);
        let problem = refused(&api, &body, 422, code).await;
        assert_eq!(problem["field"], field, "{problem:#}");
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .contains(field.rsplit('.').next().unwrap())
        );
    }
    for (domains, field) in [
        (r#"{"domains": "a.test"}"#, "domains"),
        (r#"{"domains": {"0": "a.test"}}"#, "domains"),
        (r#"{"domains": ["a.test", 5]}"#, "domains[1]"),
    ] {
        let problem = refused(&api, domains, 422, "invalid_field").await;
        assert_eq!(problem["field"], field);
    }
}

#[tokio::test]
async fn nesting_without_end_is_refused_like_anything_else() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let (open, close) = ("[".repeat(30_000), "]".repeat(30_000));
    for (field, code) in [
        ("metadata", "invalid_field"),
        ("domains", "invalid_field"),
        ("max_pages", "invalid_field"),
        ("options", "invalid_field"),
        ("other", "unknown_field"),
    ] {
        refused(&api, &format!(r#"{{"{field}": {open}{close}}}"#), 422, code).await;
    }
    let nested = format!(r#"{{"domains": ["a.test"], "metadata": {{"a": {open}{close}}}}}"#);
    let problem = refused(&api, &nested, 422, "invalid_field").await;
    assert_eq!(problem["field"], "metadata");
    refused(&api, &open, 400, "invalid_json").await;
}

#[tokio::test]
async fn a_list_of_domains_has_its_rules() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let problem = refused(&api, "{}", 422, "missing_field").await;
    assert_eq!(problem["field"], "domains");
    refused(&api, r#"{"domains": null}"#, 422, "missing_field").await;
    refused(&api, r#"{"domains": []}"#, 422, "no_domains").await;
    let problem = refused(
        &api,
        r#"{"domains": ["nodot", "ftp://a.test"]}"#,
        422,
        "no_valid_domain",
    )
    .await;
    assert_eq!(
        problem["invalid_domains"],
        json!([
            {"domain": "nodot", "reason": "has no dot, so it is not a full domain name"},
            {"domain": "ftp://a.test", "reason": "has a scheme other than http and https"},
        ])
    );
    let body = json!({"domains": vec!["a.test"; 100_001]}).to_string();
    let problem = refused(&api, &body, 422, "too_many_domains").await;
    assert_eq!(problem["limit"], 100_000);
}

#[tokio::test]
async fn numbers_have_ranges_and_the_edges_are_in() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    for (field, max) in [("max_pages", 10_000), ("max_concurrent", 1_000)] {
        for value in ["0", "-1", &(max + 1).to_string(), "99999999999999999999"] {
            let body = format!(r#"{{"domains": ["a.test"], "{field}": {value}}}"#);
            let problem = refused(&api, &body, 422, "out_of_range").await;
            assert_eq!(
                (&problem["field"], &problem["minimum"], &problem["maximum"]),
                (&json!(field), &json!(1), &json!(max))
            );
        }
        for value in [1, max] {
            api.accepted(&json!({"domains": ["a.test"], field: value}))
                .await;
        }
    }
}

#[tokio::test]
async fn a_body_or_metadata_beyond_its_limit_is_refused() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let padding = " ".repeat(10 * 1024 * 1024);
    let problem = refused(&api, &format!("{{}}{padding}"), 413, "body_too_large").await;
    assert_eq!(problem["limit"], 10 * 1024 * 1024);

    let metadata = json!({"a": "x".repeat(64 * 1024)});
    let body = json!({"domains": ["a.test"], "metadata": metadata}).to_string();
    refused(&api, &body, 422, "metadata_too_large").await;
}

#[tokio::test]
async fn a_form_cannot_submit() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let body = r#"{"domains": ["a.test"]}"#;
    let post = |media_type: Option<&str>| {
        let request = api.request(Method::POST, &format!("{PREFIX}/batch"));
        let request = match media_type {
            Some(media_type) => request.header("content-type", media_type),
            None => request,
        };
        send(request.body(body))
    };
    for media_type in ["text/plain", "application/x-www-form-urlencoded"] {
        let answer: Answer = post(Some(media_type)).await;
        answer.assert_problem(415, "unsupported_media_type");
    }
    for media_type in [None, Some("application/json; charset=utf-8")] {
        assert_eq!(post(media_type).await.status, 202);
    }
}

#[tokio::test]
async fn a_scan_has_its_rules() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    for (body, code, field) in [
        ("{}", "missing_field", "base_url"),
        (r#"{"base_url": 5}"#, "invalid_field", "base_url"),
        (
            r#"{"base_url": "mailto:a@b.test"}"#,
            "invalid_field",
            "base_url",
        ),
        (
            r#"{"base_url": "a.test", "max_pages": 0}"#,
            "out_of_range",
            "max_pages",
        ),
        (
            r#"{"base_url": "a.test", "domains": []}"#,
            "unknown_field",
            "domains",
        ),
    ] {
        let problem = api.post("/scan", body).await.assert_problem(422, code);
        assert_eq!(problem["field"], field, "{body}");
    }
}

#[tokio::test]
async fn a_harmless_request_id_is_kept_and_another_replaced() {
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let with = |id: &'static str| {
        send(
            api.request(Method::GET, "/nothing")
                .header("x-request-id", id),
        )
    };
    let kept = with("order-7").await;
    assert_eq!(kept.header("x-request-id"), "order-7");
    kept.assert_problem(404, "route_not_found");
    let replaced = with("<b>").await;
    assert!(Uuid::try_parse(replaced.header("x-request-id")).is_ok());
}
