//! kill -9 in the middle of a batch.

use std::collections::HashSet;

use trawl_test_support::wait::wait_until;

use crate::house::{House, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_every_site_ends_complete_once_and_recorded_pages_are_not_fetched_again() {
    const SITES: usize = 50;
    const PAGES: usize = 6;
    let house = House::build().await;
    let hosts = house.farm.add_numbered_sites(SITES, PAGES);
    // Some pages of every site wait, so that the kill meets a batch in its middle.
    let gate = house
        .farm
        .hold_answers_when(|request| request.path.contains('4'));
    let url = house.database.pooled_url();
    let (first, address) = house.trawl(&["serve"], &url).start(PATIENCE).await.unwrap();
    let batch = house.submit(&address, &hosts, PAGES, 30).await;
    wait_until("a good part to be recorded", PATIENCE, async || {
        house.pages_recorded().await >= 60 && house.farm.held_hosts().len() >= 10
    })
    .await
    .unwrap();
    first.kill().unwrap();
    first.wait(PATIENCE).await.unwrap();

    let admin = house.database.admin().await.unwrap();
    let recorded: HashSet<(String, String)> = admin
        .query(
            "select j.host_key, regexp_replace(p.url, '^[a-z]+://[^/]+', '') \
             from trawl.pages p join trawl.domain_jobs j on j.id = p.job_id",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    assert!(recorded.len() >= 60);
    house.farm.forget_hits();
    gate.release();

    let (second, address) = house.trawl(&["serve"], &url).start(PATIENCE).await.unwrap();
    let status = house.ended(&address, &batch).await;
    house.assert_complete(&status, SITES, PAGES).await;
    for host in &hosts {
        for hit in house.farm.hits(host).iter().filter(|hit| hit.is_page()) {
            let page = (host.clone(), hit.path.clone());
            assert!(!recorded.contains(&page), "{page:?} was fetched again");
        }
    }
    assert_eq!(house.farm.duplicate_pages(), []);
    assert_eq!(house.pages_recorded().await, (SITES * PAGES) as i64);
    second.terminate().unwrap();
    assert!(second.wait(PATIENCE).await.unwrap().status.success());
}
