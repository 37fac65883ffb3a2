//! Which hosts a crawl takes, and when; and that it asks none that it has not.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use trawl_scraper::crawl::Crawl;
use trawl_scraper::crawler::Crawler;
use trawl_scraper::hosts::{Hosts, Take};
use trawl_scraper::step::{Busy, Step};
use trawl_test_support::farm::{Reply, Site, SiteFarm};

use crate::harness::{linking, order, settings};

/// Gives every host away but the busy ones, and writes it down.
#[derive(Debug, Default)]
struct Register {
    log: Mutex<Vec<String>>,
    busy: Mutex<HashMap<String, Duration>>,
}

impl Register {
    fn busy(host: &str, wait: Duration) -> Arc<Self> {
        let register = Self::default();
        register
            .busy
            .lock()
            .expect("busy")
            .insert(host.to_owned(), wait);
        Arc::new(register)
    }

    fn write(&self, line: String) {
        self.log.lock().expect("log").push(line);
    }

    /// What was taken (`+`) and released (`-`).
    fn log(&self) -> Vec<String> {
        self.log.lock().expect("log").clone()
    }

    fn free_all(&self) {
        self.busy.lock().expect("busy").clear();
    }
}

impl Hosts for Register {
    fn take<'a>(&'a self, host_key: &'a str) -> BoxFuture<'a, Take> {
        async move {
            match self.busy.lock().expect("busy").get(host_key) {
                Some(wait) => Take::Busy { wait: *wait },
                None => {
                    self.write(format!("+{host_key}"));
                    Take::Taken
                }
            }
        }
        .boxed()
    }

    fn release<'a>(&'a self, host_key: &'a str) -> BoxFuture<'a, ()> {
        async move { self.write(format!("-{host_key}")) }.boxed()
    }
}

/// A crawl of a host of the farm with its subdomains.
fn begin(farm: &SiteFarm, host: &str, hosts: &Arc<Register>) -> Crawl {
    let mut order = order(&format!("http://{}", farm.domain(host)), 10);
    order.options.include_subdomains = true;
    order.hosts = Arc::<Register>::clone(hosts);
    Crawler::new(settings()).expect("crawler").begin(order)
}

/// The pages until the next step that is none, and that step.
async fn pages(crawl: &mut Crawl) -> (Vec<String>, Step) {
    let mut urls = Vec::new();
    loop {
        match crawl.next().await {
            Step::Page(page) => urls.push(page.final_url.unwrap_or(page.url)),
            step => return (urls, step),
        }
    }
}

async fn busy(crawl: &mut Crawl) -> Busy {
    match pages(crawl).await {
        (_, Step::Busy(busy)) => *busy,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_host_is_taken_once_and_what_others_may_share_is_let_go() {
    let farm = SiteFarm::start().await.expect("farm");
    let url = |host: &str, path: &str| format!("http://{}{path}", farm.domain(host));
    let links = [
        url("www.one.test", "/twin"),
        url("blog.one.test", "/post"),
        url("shop.one.test", "/again"),
    ];
    let robots = format!("Sitemap: {}", url("cdn.test", "/one.xml"));
    let one = Site::new(1)
        .with_robots(&robots)
        .with_reply("/", linking(&links.each_ref().map(String::as_str)));
    farm.add_site("one.test", one);
    farm.add_site("www.one.test", Site::new(1));
    farm.add_site("cdn.test", Site::new(1));
    let shop = Site::new(1).with_redirect("/", &url("one.test", "/"));
    farm.add_site("shop.one.test", shop);
    let blog = Site::new(1).with_redirect("/robots.txt", &url("other.test", "/robots.txt"));
    farm.add_site("blog.one.test", blog);
    farm.add_site("other.test", Site::new(1));
    let hosts = Arc::new(Register::default());
    let mut crawl = begin(&farm, "shop.one.test", &hosts);
    let (_, end) = pages(&mut crawl).await;
    assert!(matches!(end, Step::End(_)), "{end:?}");
    let expected = [
        "+one.test",
        "+cdn.test",
        "-cdn.test",
        "+blog.one.test",
        "+other.test",
        "-other.test",
    ];
    assert_eq!(hosts.log(), expected);
    for host in ["www.one.test", "cdn.test", "blog.one.test", "other.test"] {
        assert!(!farm.hits(host).is_empty(), "{host} was asked");
    }
}

#[tokio::test]
async fn a_busy_host_is_not_asked_and_costs_nothing() {
    const WAIT: Duration = Duration::from_secs(3);
    for host in ["one.test", "blog.one.test", "cdn.test", "other.test"] {
        let farm = SiteFarm::start().await.expect("farm");
        let url = |host: &str, path: &str| format!("http://{}{path}", farm.domain(host));
        let robots = format!("Sitemap: {}", url("cdn.test", "/one.xml"));
        let one = Site::new(1)
            .with_robots(&robots)
            .with_reply("/", linking(&[&url("blog.one.test", "/post")]));
        farm.add_site("one.test", one);
        farm.add_site("cdn.test", Site::new(1));
        let shop = Site::new(1).with_redirect("/", &url("one.test", "/"));
        farm.add_site("shop.one.test", shop);
        let blog = Site::new(1)
            .with_redirect("/robots.txt", &url("other.test", "/robots.txt"))
            .with_reply("/post", linking(&[]));
        farm.add_site("blog.one.test", blog);
        farm.add_site("other.test", Site::new(1));
        let hosts = Register::busy(host, WAIT);
        let mut crawl = begin(&farm, "shop.one.test", &hosts);
        // However often it is tried.
        for _ in 0..12 {
            let busy = busy(&mut crawl).await;
            assert_eq!((busy.host_key.as_str(), busy.wait), (host, WAIT));
        }
        assert!(farm.hits(host).is_empty(), "{host} was asked");
        assert_eq!(crawl.snoozes(), 0, "{host} asked for no wait");
        hosts.free_all();
        let (urls, end) = pages(&mut crawl).await;
        assert!(matches!(end, Step::End(_)), "{end:?}");
        assert_eq!(urls.last(), Some(&url("blog.one.test", "/post")), "{host}");
        assert!(!farm.hits(host).is_empty(), "{host} was asked");
    }
}

#[tokio::test]
async fn a_host_that_was_taken_is_asked_after_the_delay_and_its_wait_is_its_own() {
    const DELAY: Duration = Duration::from_millis(300);
    let farm = SiteFarm::start().await.expect("farm");
    let target = format!("http://{}/", farm.domain("one.test"));
    farm.add_site(
        "shop.one.test",
        Site::new(1).with_redirect("/", &target).without_robots(),
    );
    let wait = Reply::status(429).with_header("Retry-After", "60");
    farm.add_site("one.test", Site::new(1).with_reply("/", wait));
    let mut settings = settings();
    settings.politeness_delay = DELAY;
    let mut order = order(&format!("http://{}", farm.domain("shop.one.test")), 1);
    let taken_at = Arc::new(TakenAt::default());
    order.hosts = Arc::<TakenAt>::clone(&taken_at);
    let mut crawl = Crawler::new(settings).expect("crawler").begin(order);
    let snooze = match crawl.next().await {
        Step::Snooze(snooze) => *snooze,
        other => panic!("{other:?}"),
    };
    assert_eq!(snooze.host_key, "one.test");
    let taken = taken_at.0.lock().expect("time").expect("it was taken");
    let asked = farm.hits("one.test")[0].started;
    assert!(asked - taken >= DELAY, "{:?}", asked - taken);
}

/// When the first host was taken, which took a while.
#[derive(Debug, Default)]
struct TakenAt(Mutex<Option<Instant>>);

impl Hosts for TakenAt {
    fn take<'a>(&'a self, _host_key: &'a str) -> BoxFuture<'a, Take> {
        async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let now = Instant::now();
            self.0.lock().expect("time").get_or_insert(now);
            Take::Taken
        }
        .boxed()
    }

    fn release<'a>(&'a self, _host_key: &'a str) -> BoxFuture<'a, ()> {
        async {}.boxed()
    }
}
