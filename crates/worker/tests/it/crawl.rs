//! Batches from their submission to their end.

use std::collections::BTreeMap;
use std::time::Duration;

use trawl_domain::batch::BatchState;
use trawl_test_support::database::Route;
use trawl_test_support::farm::{Reply, Site};
use trawl_test_support::wait::wait_until;

use crate::house::{House, PATIENCE, options};

async fn a_batch_completes(route: Route) {
    let house = House::build(route).await;
    let hosts = house.farm.add_numbered_sites(20, 4);
    let worker = house.start_worker(options());
    let batch = house.submit(&hosts, 3, 8).await;
    let view = house.ended(batch).await;
    house.assert_all_complete(batch, 20, 3).await;
    assert!(view.started_at.unwrap() <= view.ended_at.unwrap());
    assert!(view.processing_seconds.unwrap() >= 0.0);
    let fetched: BTreeMap<String, usize> = house.farm.page_hits_by_host();
    assert_eq!(fetched.len(), 20);
    assert!(fetched.values().all(|pages| *pages == 3), "{fetched:?}");
    assert_eq!(house.farm.duplicate_pages(), []);
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_completes_directly() {
    a_batch_completes(Route::Direct).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_completes_through_the_pooler() {
    a_batch_completes(Route::Pooled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn max_concurrent_sites_are_crawled_at_once_and_no_more_by_two_workers() {
    let house = House::build(Route::Pooled).await;
    let hosts = house.farm.add_numbered_sites(12, 2);
    let gate = house.farm.hold_answers();
    let workers = [house.start_worker(options()), house.start_worker(options())];
    let batch = house.submit(&hosts, 2, 3).await;
    wait_until("three sites to wait", PATIENCE, async || {
        house.farm.held_hosts().len() == 3
    })
    .await
    .unwrap();
    // The claims go on meanwhile; whatever they would take shows up before the batch ends.
    gate.release();
    house.ended(batch).await;
    assert_eq!(house.farm.peaks().hosts_under_way, 3);
    house.assert_all_complete(batch, 12, 2).await;
    assert_eq!(house.farm.duplicate_pages(), []);
    for worker in workers {
        worker.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_host_in_many_batches_is_crawled_once_at_a_time() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site(
        "busy.test",
        Site::new(2).with_latency(Duration::from_millis(20)),
    );
    let workers = [house.start_worker(options()), house.start_worker(options())];
    let mut batches = Vec::new();
    for _ in 0..5 {
        batches.push(house.submit(&["busy.test".to_owned()], 2, 5).await);
    }
    for batch in batches {
        house.ended(batch).await;
        house.assert_all_complete(batch, 1, 2).await;
    }
    assert_eq!(house.farm.peaks().requests_to_one_host, 1);
    assert_eq!(house.farm.page_hits("busy.test"), 10);
    for worker in workers {
        worker.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_cannot_be_had_fails_with_its_reason_and_the_batch_is_partial() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site("good.test", Site::new(1));
    house
        .farm
        .add_site("gone.test", Site::new(1).with_status("/", 404));
    let worker = house.start_worker(options());
    let batch = house
        .submit(&["good.test".to_owned(), "gone.test".to_owned()], 5, 5)
        .await;
    let view = house.ended(batch).await;
    assert_eq!(view.state, BatchState::Partial);
    assert_eq!((view.counts.completed, view.counts.failed), (1, 1));
    let admin = house.database.admin().await.unwrap();
    let row = admin
        .query_one(
            "select error_code, error from trawl.domain_jobs where state = 'failed'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, String>(0), "http_client_error");
    assert!(
        row.get::<_, String>(1).contains("404"),
        "{}",
        row.get::<_, String>(1)
    );
    house.assert_audit().await;
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_lost_and_no_row_refused_for_what_a_page_contains() {
    let house = House::build(Route::Pooled).await;
    let title = "<!DOCTYPE html><title>Found</title>";
    let organization = r#"<script type="application/ld+json">
        {"@type":"Organization","name":"a\u0000b \ud800 c","email":"info@hostile.test"}</script>"#;
    let links: String = (0..100_000)
        .map(|n| format!("<a href=/beyond/{n}>x</a>"))
        .collect();
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("/nul", format!("{title}\0<p>\0info@nul.test\0").into_bytes()),
        ("/nul-in-attributes", format!("{title}<meta name=description content='a\0b'><a href='/x\0y'>\0</a>").into_bytes()),
        ("/nul-reference", "<title>Found&#0;&#x0;</title><h1>a&#0;b</h1>".into()),
        ("/nul-in-json", format!("{title}{organization}").into_bytes()),
        ("/lone-surrogate", [title.as_bytes(), b"<h1>\xed\xa0\x80</h1><p>&#xD800;"].concat()),
        ("/invalid-utf-8", [title.as_bytes(), b"<meta charset=utf-8><h1>\xff\xfe\xc3</h1>"].concat()),
        ("/megabyte-title", format!("<title>Found {}</title>", "é\0".repeat(250_000)).into_bytes()),
        ("/many-links", format!("{title}{links}").into_bytes()),
        ("/deep", format!("{title}{}", "<div><b>".repeat(100_000)).into_bytes()),
        ("/unclosed", format!("{title}<p><a href='/q><i \"><td").into_bytes()),
        ("/utf-16", "<!DOCTYPE html><title>Found</title>\u{0}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("/xhtml", b"<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>Found</title></head></html>".to_vec()),
    ];
    let start: String = bodies
        .iter()
        .map(|(path, _)| format!("<a href={path}>x</a>"))
        .collect();
    let mut site = Site::new(1).with_reply("/", Reply::html(format!("{title}{start}")));
    for (path, body) in &bodies {
        let reply = Reply::of_type("text/html", body.clone()).with_header("ETag", "\"a\tb\"");
        site = site.with_reply(path, reply);
    }
    house.farm.add_site("hostile.test", site);
    let mut options = options();
    options.fetch.max_body_bytes = 8 * 1024 * 1024;
    let worker = house.start_worker(options);
    let pages = bodies.len() + 1;
    let batch = house
        .submit(
            &["hostile.test".to_owned()],
            i64::try_from(pages).unwrap(),
            1,
        )
        .await;
    house.ended(batch).await;
    let admin = house.database.admin().await.unwrap();
    let sql = "select url, state, coalesce(facts->>'title', ''), coalesce(error, '')
               from trawl.pages order by seq";
    let rows = admin.query(sql, &[]).await.unwrap();
    let found: BTreeMap<String, (String, String, String)> = rows
        .iter()
        .map(|row| (row.get(0), (row.get(1), row.get(2), row.get(3))))
        .collect();
    for (path, _) in &bodies {
        let (_, (state, title, error)) = found
            .iter()
            .find(|(url, _)| url.ends_with(path))
            .unwrap_or_else(|| panic!("{path} of {found:?}"));
        assert_eq!(state, "fetched", "{path}: {error}");
        assert!(title.starts_with("Found"), "{path}: {title}");
    }
    house
        .assert_all_complete(batch, 1, u32::try_from(pages).unwrap())
        .await;
    worker.drain().await;
}

/// A page whose links, facts and content are all as large as they can be, and of letters that JSON
/// has to escape.
fn page_at_every_limit() -> String {
    let mut page = String::from("<!DOCTYPE html><title>Found</title>");
    for n in 0..80 {
        page.push_str(&format!("<a href='/?{}{n}'>x</a>", "\\".repeat(980)));
    }
    for n in 0..400 {
        let (local, label) = (format!("{n}{}", "z".repeat(58)), "b".repeat(60));
        page.push_str(&format!(
            "<a href='mailto:{local}@{label}.{label}.{label}.de'>x</a>
             <a href='https://www.facebook.com/{n}{}'>x</a>",
            "c".repeat(150)
        ));
    }
    let quotes = "\\&quot;".repeat(600);
    for name in ["title", "description", "type", "site_name", "locale"] {
        page.push_str(&format!(
            "<meta property=og:{name} content='{quotes}'><meta name=twitter:{name} content='{quotes}'>"
        ));
    }
    for n in 0..100 {
        page.push_str(&format!(
            "<link rel=alternate hreflang=de href='/{n}{0}'><h3>{quotes}</h3>\
             <script type=application/ld+json>{{\"@type\":\"Hotel\",\"name\":\"{n}{0}\"}}</script>",
            "x".repeat(300)
        ));
    }
    for n in 0..1400 {
        page.push_str(&format!(
            "<p>Our \"bread\" number {n} is baked <a href='/t{n}'>every day {n}</a> with flour.</p>"
        ));
    }
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_at_every_limit_is_stored() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site(
        "limits.test",
        Site::new(1).with_reply("/", Reply::html(page_at_every_limit())),
    );
    let batch = house.submit(&["limits.test".to_owned()], 2, 1).await;
    let admin = house.database.admin().await.unwrap();
    admin
        .batch_execute(
            r#"update trawl.batches
               set options = '{"formats": {"text": true, "markdown": true, "links": true}, "max_depth": 1}'"#,
        )
        .await
        .unwrap();
    let mut options = options();
    options.fetch.max_body_bytes = 8 * 1024 * 1024;
    let worker = house.start_worker(options);
    house.ended(batch).await;
    let row = admin
        .query_one(
            "select state, coalesce(error, ''), length(discovered::text), length(facts::text),
                    length(content::text)
             from trawl.pages where depth = 0",
            &[],
        )
        .await
        .unwrap();
    let (state, error): (String, String) = (row.get(0), row.get(1));
    assert_eq!((state.as_str(), error.as_str()), ("fetched", ""));
    let sizes: Vec<i32> = (2..5).map(|column| row.get(column)).collect();
    assert!(
        sizes[0] > 55_000 && sizes[1] > 30_000 && sizes[2] > 60_000,
        "{sizes:?}"
    );
    worker.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_politeness_delay_holds_between_the_jobs_of_one_host() {
    const DELAY: Duration = Duration::from_millis(300);
    let house = House::build(Route::Pooled).await;
    house.farm.add_site("polite.test", Site::new(1));
    let mut options = options();
    options.fetch.politeness_delay = DELAY;
    let workers = [
        house.start_worker(options.clone()),
        house.start_worker(options),
    ];
    let mut batches = Vec::new();
    for _ in 0..4 {
        batches.push(house.submit(&["polite.test".to_owned()], 1, 1).await);
    }
    for batch in batches {
        house.ended(batch).await;
    }
    let hits = house.farm.hits("polite.test");
    assert!(hits.len() >= 5, "{hits:?}");
    for pair in hits.windows(2) {
        // The server sees the end of an answer a moment before the client does.
        let waited = pair[1].started - pair[0].ended.unwrap();
        assert!(waited + Duration::from_millis(5) >= DELAY, "{pair:?}");
    }
    for worker in workers {
        worker.drain().await;
    }
}
