//! Several processes on one database.

use trawl_test_support::wait::wait_until;

use crate::house::{House, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_a_batch_within_its_limit_and_crawl_no_site_twice() {
    const SITES: usize = 24;
    let house = House::build().await;
    let hosts = house.farm.add_numbered_sites(SITES, 3);
    let url = house.database.pooled_url();
    let (api, address) = house
        .trawl(&["serve", "--no-worker"], &url)
        .start(PATIENCE)
        .await
        .unwrap();
    let workers = [
        house
            .trawl(&["worker"], &url)
            .env("TRAWL_WORKER_CONCURRENCY", "2")
            .spawn()
            .unwrap(),
        house
            .trawl(&["worker"], &url)
            .env("TRAWL_WORKER_CONCURRENCY", "2")
            .spawn()
            .unwrap(),
    ];
    // Each process has two slots, so three sites at once need both.
    let gate = house.farm.hold_answers();
    let batch = house.submit(&address, &hosts, 3, 3).await;
    wait_until("three sites to wait", PATIENCE, async || {
        house.farm.held_hosts().len() == 3
    })
    .await
    .unwrap();
    let admin = house.database.admin().await.unwrap();
    let owners: i64 = admin
        .query_one(
            "select count(distinct worker_id) from trawl.domain_jobs where state = 'running'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(owners, 2, "both processes work");
    gate.release();
    let status = house.ended(&address, &batch).await;
    house.assert_complete(&status, SITES, 3).await;
    assert_eq!(house.farm.peaks().hosts_under_way, 3);
    assert_eq!(house.farm.duplicate_pages(), []);
    for (host, pages) in house.farm.page_hits_by_host() {
        assert_eq!(pages, 3, "{host}");
    }
    for process in workers.into_iter().chain([api]) {
        process.terminate().unwrap();
        let finished = process.wait(PATIENCE).await.unwrap();
        assert!(finished.status.success(), "{}", finished.stderr);
    }
}
