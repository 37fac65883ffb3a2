//! A batch of a hundred thousand domains, in one request.

use serde_json::json;

use crate::house::{Api, migrated};

#[tokio::test]
async fn a_hundred_thousand_domains_are_accepted_at_once_and_shown_at_once() {
    const COUNT: usize = 100_000;
    let database = migrated().await;
    let api = Api::quiet(&database).await;
    let domains: Vec<String> = (0..COUNT)
        .map(|number| format!("https://site-{number}.example-{}.test/start", number % 97))
        .collect();
    let id = api.accepted(&json!({"domains": domains})).await;
    let status = api.batch(&id).await;
    assert_eq!(status["total_domains"], COUNT);
    assert_eq!(status["status"], "pending");
    let lines = status["domain_statuses"].as_object().unwrap();
    assert_eq!(lines.len(), COUNT);
    assert_eq!(
        status["metadata"]["domain_statuses"],
        status["domain_statuses"]
    );

    // The body is 4.5 MB and the answer 27 MB, so a service that held either a few times over would
    // need more than this. Measured: 57 MiB (debug build, 2026-11-24).
    let peak_kib = peak_memory_kib(api.process.id());
    assert!(peak_kib < 120 * 1024, "{peak_kib} KiB at the peak");
}

/// The largest resident size so far, as Linux counts it; 0 elsewhere.
fn peak_memory_kib(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
