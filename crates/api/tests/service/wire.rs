//! What a whole batch sends to the pooler, read by a proxy that holds every `ReadyForQuery` back.

use std::time::Duration;

use serde_json::json;
use trawl_test_support::wire::{WireProxy, WireReport};

use crate::house::{House, PATIENCE};

fn count(report: &WireReport, function: &str) -> usize {
    report
        .statements
        .iter()
        .filter(|(label, _)| label.contains(function))
        .map(|(_, count)| count)
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_sends_nothing_that_a_transaction_mode_pooler_cannot_serve() {
    const SITES: usize = 40;
    const PAGES: usize = 10;
    let house = House::build().await;
    let hosts = house.farm.add_numbered_sites(SITES, PAGES);
    let proxy = WireProxy::start(&house.database.pooled_url())
        .await
        .unwrap();
    proxy.hold_ready_for_query(Duration::from_millis(3), Duration::from_millis(20));
    let command = house
        .trawl(&["serve"], &proxy.url())
        // Everything goes through the proxy, the look at the migrations included.
        .env("DATABASE_DIRECT_URL", proxy.url());
    let (service, address) = command.start(PATIENCE).await.unwrap();
    let batch = house.submit(&address, &hosts, PAGES, SITES).await;
    let status = house.ended(&address, &batch).await;
    house.assert_complete(&status, SITES, PAGES).await;
    assert_eq!(
        house.farm.page_hits_by_host().values().sum::<usize>(),
        SITES * PAGES
    );
    service.terminate().unwrap();
    assert!(service.wait(PATIENCE).await.unwrap().status.success());

    let report = proxy.report();
    report.check().unwrap();
    assert_eq!(
        report.abandoned, 0,
        "no connection was left inside a transaction or a request"
    );
    let pages = SITES * PAGES;
    println!(
        "{pages} pages of {SITES} sites: {} requests in all, {} explicit transactions, \
         {:.3} record statements a page, {:.3} claim statements and {:.3} finish statements a site, \
         largest request {} bytes ({})",
        report.requests,
        report.transactions,
        count(&report, "Records pages") as f64 / pages as f64,
        count(&report, "Takes up to") as f64 / SITES as f64,
        count(&report, "Ends or re-queues") as f64 / SITES as f64,
        report.largest_request_bytes,
        report.largest_request,
    );
    for (statement, times) in &report.statements {
        println!("{times:6} {statement}");
    }
    assert!(
        count(&report, "Records pages") < pages,
        "pages are recorded in groups: {:#?}",
        report.statements
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_100_000_domains_stays_below_the_request_limit() {
    let house = House::build().await;
    let proxy = WireProxy::start(&house.database.pooled_url())
        .await
        .unwrap();
    proxy.hold_ready_for_query(Duration::from_millis(1), Duration::from_millis(20));
    let (service, address) = house
        .trawl(&["serve", "--no-worker"], &proxy.url())
        .start(PATIENCE)
        .await
        .unwrap();
    let hosts: Vec<String> = (0..100_000)
        .map(|number| format!("site-{number:06}.test"))
        .collect();
    let batch = house.submit(&address, &hosts, 5, 5).await;
    let status = house.status(&address, &batch).await.unwrap();
    assert_eq!(status["total_domains"], 100_000);
    assert_eq!(status["status"], "pending");
    let domains = status["domain_statuses"].as_object().unwrap();
    assert_eq!(domains.len(), 100_000);
    assert_eq!(
        status["metadata"]["domain_statuses"],
        status["domain_statuses"]
    );
    assert_eq!(
        domains[&house.farm.domain("site-099999.test")]["status"],
        json!("pending")
    );
    service.terminate().unwrap();
    assert!(service.wait(PATIENCE).await.unwrap().status.success());

    let report = proxy.report();
    report.check().unwrap();
    println!(
        "100,000 domains: {} requests, the largest {} bytes",
        report.requests, report.largest_request_bytes
    );
    assert!(report.largest_request_bytes <= 200_000);
}
