//! The options of `trawl scan`: each flag does what the option of a request does.

use std::time::Duration;

use serde_json::Value;
use trawl_test_support::database::TestDatabase;
use trawl_test_support::farm::{Hit, Reply, Site, SiteFarm};
use trawl_test_support::process::TrawlCommand;

use crate::house::{PATIENCE, migrated, trawl};

const HOST: &str = "shop.test";
const BELOW: &str = "blog.shop.test";

/// A site with a page for each option.
fn add_shop(farm: &SiteFarm) {
    let page = |name: &str, links: &[&str]| {
        let links: String = links
            .iter()
            .map(|link| format!("<a href=\"{link}\">{name}</a> "))
            .collect();
        Reply::html(format!(
            "<title>{name}</title><main><h1>{name}</h1><p>All of {name} is here. {links}</main>"
        ))
    };
    let below = format!("http://{}/", farm.domain(BELOW));
    let hidden = format!("http://{}/hidden", farm.domain(HOST));
    let start = [
        "/a",
        "/news/1",
        "/news/tag/2",
        "/list?by=1",
        "/list?by=2",
        &below,
    ];
    let site = Site::new(0)
        .with_reply("/", page("start", &start))
        .with_reply("/a", page("a", &["/deep"]))
        .with_reply("/deep", page("deep", &[]))
        .with_reply("/news/1", page("news", &[]))
        .with_reply("/news/tag/2", page("tag", &[]))
        .with_reply("/list", page("list", &[]))
        .with_reply("/list?by=1", page("list by one", &[]))
        .with_reply("/list?by=2", page("list by two", &[]))
        .with_reply("/hidden", page("hidden", &[]))
        .with_reply(
            "/sitemap.xml",
            Reply::of_type(
                "application/xml",
                format!("<urlset><url><loc>{hidden}</loc></url></urlset>"),
            ),
        );
    farm.add_site(HOST, site);
    farm.add_site(BELOW, Site::new(0).with_reply("/", page("below", &[])));
}

fn command(farm: &SiteFarm, database: &TestDatabase, flags: &[&str]) -> TrawlCommand {
    let site = format!("http://{}", farm.domain(HOST));
    let arguments = [&["scan", &site], flags].concat();
    trawl(&arguments, &database.url())
}

/// The result of a scan with these flags, which is complete.
async fn scan(farm: &SiteFarm, database: &TestDatabase, flags: &[&str]) -> Value {
    farm.forget_hits();
    let finished = command(farm, database, flags).run(PATIENCE).await.unwrap();
    let code = finished.status.code();
    assert_eq!(code, Some(0), "{flags:?}: {}", finished.stderr);
    serde_json::from_str(&finished.stdout).unwrap()
}

/// The pages of a host that were asked for, sorted.
fn asked(farm: &SiteFarm, host: &str) -> Vec<String> {
    let hits = farm.hits(host);
    let pages = hits.into_iter().filter(Hit::is_page);
    let mut paths: Vec<_> = pages.map(|hit| hit.path).collect();
    paths.sort();
    paths
}

#[tokio::test]
async fn the_flags_of_a_scan_say_which_pages_are_fetched() {
    let database = migrated().await;
    let farm = SiteFarm::start().await.unwrap();
    add_shop(&farm);
    let all = [
        "/",
        "/a",
        "/deep",
        "/hidden",
        "/list?by=1",
        "/list?by=2",
        "/news/1",
        "/news/tag/2",
    ];
    let without = |left_out: &[&str]| -> Vec<&str> {
        let kept = all.into_iter().filter(|path| !left_out.contains(path));
        kept.collect()
    };
    let mut ignored = without(&["/list?by=1", "/list?by=2"]);
    ignored.insert(4, "/list");
    for (flags, expected) in [
        (&[][..], without(&[])),
        (
            &["--include-path", "/news/**", "--include-path", "/{a,deep}"],
            vec!["/", "/a", "/deep", "/news/1", "/news/tag/2"],
        ),
        (
            &[
                "--include-path",
                "/news/**",
                "--exclude-path",
                "/news/tag/*",
            ],
            vec!["/", "/news/1"],
        ),
        (&["--max-depth", "1"], without(&["/deep"])),
        (&["--sitemap", "skip"], without(&["/hidden"])),
        (&["--sitemap", "only"], vec!["/", "/hidden"]),
        (&["--ignore-query"], ignored),
    ] {
        let result = scan(&farm, &database, flags).await;
        assert_eq!(asked(&farm, HOST), expected, "{flags:?}");
        assert_eq!(result["pages_scraped"], expected.len(), "{flags:?}");
        assert_eq!(asked(&farm, BELOW), [""; 0], "{flags:?}");
        assert_eq!(result["pages"], Value::Null, "{flags:?}");
    }
    scan(&farm, &database, &["--include-subdomains"]).await;
    assert_eq!(asked(&farm, BELOW), ["/"]);
}

#[tokio::test]
async fn the_flags_of_a_scan_say_when_it_ends_and_how_fast_it_is() {
    let database = migrated().await;
    let farm = SiteFarm::start().await.unwrap();
    add_shop(&farm);
    let result = scan(&farm, &database, &["--max-bytes", "1"]).await;
    assert_eq!(result["stop_reason"], "max_bytes", "{result:#}");
    assert_eq!(asked(&farm, HOST), ["/"]);

    let flags = ["--delay-ms", "300", "--max-pages", "2", "--sitemap", "skip"];
    scan(&farm, &database, &flags).await;
    let hits = farm.hits(HOST);
    let [robots, start, second] = hits.as_slice() else {
        panic!("{hits:?}");
    };
    for (before, next) in [(robots, start), (start, second)] {
        let pause = next.started - before.ended.unwrap();
        assert!(pause >= Duration::from_millis(300), "{pause:?}");
    }

    let gate = farm.hold_answers_when(|request| request.path == "/a");
    let result = scan(&farm, &database, &["--max-duration-s", "1"]).await;
    assert_eq!(result["stop_reason"], "max_duration", "{result:#}");

    let result = scan(&farm, &database, &["--deadline-s", "3"]).await;
    assert_eq!(result["stop_reason"], "max_duration", "{result:#}");
    assert_eq!(result["pages_scraped"], 1, "{result:#}");
    gate.release();

    let gate = farm.hold_answers_when(|request| request.path == "/");
    let late = command(&farm, &database, &["--deadline-s", "1"]);
    let finished = late.run(PATIENCE).await.unwrap();
    gate.release();
    assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
    let result: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(result["error_code"], "deadline_exceeded", "{result:#}");
}

#[tokio::test]
async fn the_formats_of_a_scan_are_told_with_its_pages() {
    let database = migrated().await;
    let farm = SiteFarm::start().await.unwrap();
    // More than are read at once.
    farm.add_site("long.test", Site::new(30));
    let site = format!("http://{}", farm.domain("long.test"));
    let arguments = ["scan", &site, "--formats", "markdown, links"];
    let finished = trawl(&arguments, &database.url())
        .run(PATIENCE)
        .await
        .unwrap();
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    let result: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(result["pages_scraped"], 30, "{result:#}");
    let pages = result["pages"].as_array().unwrap();
    let places: Vec<_> = pages
        .iter()
        .map(|page| page["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(places, (0..30).collect::<Vec<_>>());
    for page in pages {
        let content = &page["content"];
        assert!(
            content["markdown"].as_str().unwrap().contains("# "),
            "{page:#}"
        );
        assert!(content["links"][0]["url"].is_string(), "{page:#}");
        assert_eq!(content["text"], Value::Null, "{page:#}");
        assert!(page["facts"]["title"].is_string(), "{page:#}");
        // A page takes a line, so that tools that read lines find it.
        assert!(finished.stdout.lines().any(|line| {
            let line = line.trim().trim_end_matches(',');
            serde_json::from_str::<Value>(line).is_ok_and(|found| found == *page)
        }));
    }

    add_shop(&farm);
    let result = scan(
        &farm,
        &database,
        &["--formats", "metadata", "--max-depth", "0"],
    )
    .await;
    let page = &result["pages"][0];
    assert_eq!(page["facts"]["title"], "start", "{result:#}");
    assert_eq!(page["content"], Value::Null, "{result:#}");
}
