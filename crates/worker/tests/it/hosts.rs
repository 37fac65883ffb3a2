//! Jobs that come to hosts which other jobs crawl: no host is asked by two at once, and all come to
//! their end.

use std::time::{Duration, Instant};

use trawl_domain::batch::BatchState;
use trawl_test_support::database::Route;
use trawl_test_support::farm::{Hit, Reply, Site};
use trawl_test_support::wait::wait_until;
use trawl_worker::worker::WorkerOptions;
use uuid::Uuid;

use crate::house::{House, PATIENCE, RunningWorker, fetch_settings, options};

const DELAY: Duration = Duration::from_millis(200);

/// Two workers, as of two processes, that wait between two fetches of a host.
fn polite_workers(house: &House) -> [RunningWorker; 2] {
    [(); 2].map(|()| {
        let mut fetch = fetch_settings();
        fetch.politeness_delay = DELAY;
        house.start_worker(WorkerOptions { fetch, ..options() })
    })
}

/// A page of its own that links to these URLs.
fn page(title: &str, links: &[String]) -> Reply {
    let links: String = links
        .iter()
        .map(|href| format!("<a href=\"{href}\">{href}</a>"))
        .collect();
    Reply::html(format!("<!DOCTYPE html><title>{title}</title>{links}"))
}

fn url(house: &House, host: &str, path: &str) -> String {
    format!("http://{}{path}", house.farm.domain(host))
}

/// That no two requests to a host were under way at once, nor came sooner than the delay allows.
fn assert_asked_politely(house: &House, host: &str) {
    let mut hits = house.farm.hits(host);
    hits.sort_by_key(|hit| hit.started);
    for pair in hits.windows(2) {
        let ended = pair[0].ended.unwrap();
        let gap = pair[1].started.checked_duration_since(ended);
        assert!(gap.is_some_and(|gap| gap >= DELAY), "{host}: {pair:?}");
    }
}

/// How often a path of a host was asked for.
fn asked(house: &House, host: &str, path: &str) -> usize {
    let hits = house.farm.hits(host);
    hits.iter().filter(|hit| hit.path == path).count()
}

async fn wait_for_hit(house: &House, host: &str, path: &str) {
    wait_until("a request", PATIENCE, async || asked(house, host, path) > 0)
        .await
        .unwrap();
}

async fn all_complete(house: &House, batches: &[Uuid]) {
    for batch in batches {
        let view = house.ended(*batch).await;
        assert_eq!(
            view.state,
            BatchState::Complete,
            "{:?}",
            house.lines(*batch).await
        );
    }
    house.assert_audit().await;
    let admin = house.database.admin().await.unwrap();
    let attempts: i32 = admin
        .query_one("select max(attempt) from trawl.domain_jobs", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(attempts, 1, "a wait for a host uses no attempt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_a_host_that_another_job_crawls_waits_for_it() {
    let house = House::build(Route::Pooled).await;
    house.farm.add_site("one.test", Site::new(5));
    let site = Site::new(1).with_redirect("/", &url(&house, "one.test", "/"));
    house.farm.add_site("shop.one.test", site);
    let workers = polite_workers(&house);
    let direct = house.submit(&["one.test".to_owned()], 5, 5).await;
    wait_for_hit(&house, "one.test", "/").await;
    let redirected = house.submit(&["shop.one.test".to_owned()], 5, 5).await;
    all_complete(&house, &[direct, redirected]).await;
    assert_eq!(house.lines(redirected).await[0].2, 5);
    // It came while the other was at it, and was given back.
    assert!(asked(&house, "shop.one.test", "/") > 1);
    assert_eq!(asked(&house, "one.test", "/"), 2);
    assert_asked_politely(&house, "one.test");
    assert_asked_politely(&house, "shop.one.test");
    for worker in workers {
        worker.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_with_its_subdomains_and_a_job_of_one_of_them_take_turns() {
    let house = House::build(Route::Pooled).await;
    let blog = ["/a", "/b", "/c"].map(|path| url(&house, "blog.one.test", path));
    let posts = blog.iter().zip(["/a", "/b", "/c"]);
    let site = posts.fold(Site::new(1), |site, (_, path)| {
        site.with_reply(path, page(path, &[]))
    });
    let site = site.with_reply("/", page("blog", &blog));
    house.farm.add_site("blog.one.test", site);
    let site = Site::new(1).with_reply("/", page("one", &blog));
    house.farm.add_site("one.test", site);
    let workers = polite_workers(&house);
    let of_blog = house.submit(&["blog.one.test".to_owned()], 9, 5).await;
    wait_for_hit(&house, "blog.one.test", "/").await;
    let of_all = house
        .submit_with(&["one.test"], |batch| {
            batch.options = r#"{"include_subdomains": true}"#;
        })
        .await;
    all_complete(&house, &[of_blog, of_all]).await;
    assert_eq!(house.lines(of_blog).await[0].2, 4);
    assert_eq!(house.lines(of_all).await[0].2, 4);
    // What was had before the wait was not asked for again.
    assert_eq!(asked(&house, "one.test", "/"), 1);
    assert_eq!(asked(&house, "blog.one.test", "/a"), 2);
    assert_asked_politely(&house, "blog.one.test");
    for worker in workers {
        worker.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_want_each_others_hosts_both_end() {
    let house = House::build(Route::Pooled).await;
    for (host, other) in [("a.one.test", "b.one.test"), ("b.one.test", "a.one.test")] {
        let site = Site::new(1)
            .with_redirect("/", &url(&house, other, "/landing"))
            .with_reply("/landing", page(host, &[]));
        house.farm.add_site(host, site);
    }
    // Both have begun before either knows where it leads.
    let gate = house.farm.hold_answers_when(|request| request.path == "/");
    let workers = polite_workers(&house);
    let hosts = ["a.one.test", "b.one.test"].map(str::to_owned);
    let batch = house.submit(&hosts, 3, 5).await;
    wait_until("both to be asked", PATIENCE, async || {
        house.farm.held_hosts().len() == 2
    })
    .await
    .unwrap();
    gate.release();
    all_complete(&house, &[batch]).await;
    let asked = hosts.map(|host| {
        assert_asked_politely(&house, &host);
        asked(&house, &host, "/")
    });
    assert!(asked.iter().all(|asked| *asked > 1), "{asked:?}");
    for worker in workers {
        worker.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_a_redirects_target_asks_for_holds_for_jobs_of_the_target() {
    const WAIT: Duration = Duration::from_secs(6);
    let house = House::build(Route::Pooled).await;
    let busy = Reply::status(429).with_header("Retry-After", &WAIT.as_secs().to_string());
    house
        .farm
        .add_site("one.test", Site::new(2).with_reply("/", busy));
    let site = Site::new(1).with_redirect("/", &url(&house, "one.test", "/"));
    house.farm.add_site("shop.one.test", site);
    let workers = polite_workers(&house);
    let redirected = house.submit(&["shop.one.test".to_owned()], 2, 5).await;
    let admin = house.database.admin().await.unwrap();
    let snoozed = async || -> Vec<String> {
        let rows = admin.query("select host_key from trawl.hosts", &[]).await;
        rows.unwrap().iter().map(|row| row.get(0)).collect()
    };
    wait_until("a snooze", PATIENCE, async || !snoozed().await.is_empty())
        .await
        .unwrap();
    assert_eq!(snoozed().await, ["one.test"]);
    let hits: Vec<Hit> = house.farm.hits("one.test");
    let asked_to_wait: Instant = hits.last().and_then(|hit| hit.ended).unwrap();
    house.farm.add_site("one.test", Site::new(2));
    let direct = house.submit(&["one.test".to_owned()], 2, 5).await;
    all_complete(&house, &[redirected, direct]).await;
    let later = house.farm.hits("one.test").split_off(hits.len());
    assert_eq!(later.iter().filter(|hit| hit.path == "/").count(), 2);
    for hit in later {
        let waited = hit.started - asked_to_wait;
        assert!(waited >= WAIT, "{} after {waited:?}", hit.path);
    }
    for worker in workers {
        worker.drain().await;
    }
}
