//! Redirects: how far they are followed, where they may lead, what counts as a duplicate.

use trawl_domain::page::PageState;
use trawl_test_support::farm::{Reply, Site, SiteFarm};

use crate::harness::{crawl, order, paths, run, settings};

#[tokio::test]
async fn the_site_is_the_host_that_the_start_page_moves_to() {
    let farm = SiteFarm::start().await.expect("farm");
    let target = format!("http://www.{}/", farm.domain("shop.test"));
    farm.add_site("shop.test", Site::new(1).with_redirect("/", &target));
    farm.add_site("www.shop.test", Site::new(4));
    let crawled = run(settings(), order(&farm.domain("shop.test"), 10)).await;
    assert_eq!(crawled.fetched(), 4);
    assert_eq!(crawled.pages[0].final_url, Some(target));
    assert_eq!(paths(&farm, "shop.test"), ["/robots.txt", "/"]);
}

#[tokio::test]
async fn the_start_page_may_move_within_its_registrable_domain() {
    let farm = SiteFarm::start().await.expect("farm");
    let target = format!("http://en.{}/", farm.domain("shop.test"));
    farm.add_site("shop.test", Site::new(1).with_redirect("/", &target));
    farm.add_site("en.shop.test", Site::new(2));
    let crawled = run(settings(), order(&farm.domain("shop.test"), 10)).await;
    assert_eq!(crawled.fetched(), 2);
    assert!(crawled.pages[1].url.contains("//en.shop.test"));
}

/// As walls do that ask for consent, and shops that begin a session.
#[tokio::test]
async fn a_site_that_sends_its_visitors_round_for_a_cookie_is_read() {
    let farm = SiteFarm::start().await.expect("farm");
    let wall = Reply::redirect("/").with_header("set-cookie", "seen=1; Path=/");
    farm.add_site("shop.test", Site::new(3).with_wall("seen=1", wall));
    let address = format!("http://{}", farm.domain("shop.test"));
    let crawled = run(settings(), order(&address, 10)).await;
    assert_eq!(crawled.fetched(), 3);
    let asked = paths(&farm, "shop.test");
    assert_eq!(asked[..3], ["/robots.txt", "/", "/"]);
}

#[tokio::test]
async fn a_cookie_that_is_set_again_and_again_ends_like_any_circle() {
    for cookie in ["seen=1", "seen=0; Max-Age=0"] {
        let reply = Reply::redirect("/").with_header("set-cookie", cookie);
        let (farm, crawled) = crawl(Site::new(1).with_reply("/", reply), 1).await;
        assert_eq!(crawled.ending(), ("error", Some("redirect_limit")));
        assert!(paths(&farm, "shop.test").len() <= 3, "{cookie}");
    }
}

#[tokio::test]
async fn what_is_not_ascii_in_a_redirect_is_sent_back_as_it_came() {
    for (location, path) in [
        (&b"/gr\xfc\xdfe"[..], "/gr%FC%DFe"),
        ("/grüße?ä=ß".as_bytes(), "/gr%C3%BC%C3%9Fe?%C3%A4=%C3%9F"),
    ] {
        let farm = SiteFarm::start().await.expect("farm");
        let mut answer = b"HTTP/1.1 301 Moved\r\ncontent-length: 0\r\nlocation: ".to_vec();
        answer.extend_from_slice(location);
        answer.extend_from_slice(b"\r\n\r\n");
        let site = Site::new(1)
            .with_reply("/", Reply::verbatim(answer))
            .with_reply(path, Reply::html("<title>Found</title>"));
        farm.add_site("shop.test", site);
        let address = format!("http://{}", farm.domain("shop.test"));
        let crawled = run(settings(), order(&address, 1)).await;
        assert_eq!(crawled.fetched(), 1, "{path}");
        assert_eq!(paths(&farm, "shop.test"), ["/robots.txt", "/", path]);
    }
}

#[tokio::test]
async fn the_start_page_may_move_to_its_name_under_another_suffix() {
    let farm = SiteFarm::start().await.expect("farm");
    let target = format!("http://www.{}/", farm.domain("shop.example"));
    let moved = Site::new(1).with_redirect("/", &target);
    farm.add_site("shop.test", moved.clone());
    farm.add_site("other.test", moved);
    farm.add_site("www.shop.example", Site::new(2));
    let crawled = run(settings(), order(&farm.domain("shop.test"), 10)).await;
    assert_eq!(crawled.fetched(), 2);
    assert!(crawled.pages[1].url.contains("//www.shop.example"));
    farm.forget_hits();
    let crawled = run(settings(), order(&farm.domain("other.test"), 10)).await;
    assert_eq!(crawled.ending(), ("error", Some("redirect_off_site")));
    assert!(
        crawled.sentence().contains(&target),
        "{}",
        crawled.sentence()
    );
    assert!(farm.hits("www.shop.example").is_empty());
}

#[tokio::test]
async fn another_site_is_never_asked() {
    let farm = SiteFarm::start().await.expect("farm");
    let target = format!("http://{}/", farm.domain("other.test"));
    farm.add_site("shop.test", Site::new(2).with_redirect("/page-1", &target));
    farm.add_site("other.test", Site::new(2));
    let crawled = run(settings(), order(&farm.domain("shop.test"), 10)).await;
    let expected = (
        PageState::Skipped,
        Some("redirect_off_site"),
        Some(target.as_str()),
    );
    assert_eq!(crawled.outcome("/page-1"), expected);
    assert!(farm.hits("other.test").is_empty());
}

#[tokio::test]
async fn a_redirect_to_a_visited_page_is_a_duplicate_and_costs_one_request() {
    let site = Site::new(3)
        .with_redirect("/page-1", "/")
        .with_redirect("/page-2", "/page-1");
    let (farm, crawled) = crawl(site, 10).await;
    assert_eq!(crawled.fetched(), 1);
    assert_eq!(crawled.outcome("/page-1").1, Some("duplicate"));
    assert_eq!(crawled.outcome("/page-2").1, Some("duplicate"));
    assert_eq!(
        paths(&farm, "shop.test"),
        ["/robots.txt", "/", "/page-1", "/page-2"]
    );
}

#[tokio::test]
async fn a_page_that_a_redirect_led_to_is_not_fetched_again() {
    let site = Site::new(3).with_redirect("/page-1", "/page-2");
    let (farm, crawled) = crawl(site, 10).await;
    assert_eq!(crawled.fetched(), 2);
    assert_eq!(
        paths(&farm, "shop.test"),
        ["/robots.txt", "/", "/page-1", "/page-2"]
    );
    let final_url = crawled.pages[1].final_url.as_deref().expect("a redirect");
    assert!(final_url.ends_with("/page-2"));
}

#[tokio::test]
async fn five_redirects_are_followed_and_six_are_not() {
    let chain = |length: usize| {
        (1..=length).fold(Site::new(1), |site, n| {
            let from = if n == 1 {
                "/".to_owned()
            } else {
                format!("/hop-{n}")
            };
            let to = if n == length {
                "/end".to_owned()
            } else {
                format!("/hop-{}", n + 1)
            };
            site.with_redirect(&from, &to)
        })
    };
    let end = Reply::html("<!DOCTYPE html><title>End</title>");
    let (_farm, crawled) = crawl(chain(5).with_reply("/end", end.clone()), 1).await;
    assert_eq!(crawled.fetched(), 1);
    let (farm, crawled) = crawl(chain(6).with_reply("/end", end), 1).await;
    assert_eq!(crawled.ending(), ("error", Some("redirect_limit")));
    assert_eq!(farm.hits("shop.test").len(), 1 + 6);
}

#[tokio::test]
async fn a_circle_of_redirects_is_noticed_at_once() {
    let site = Site::new(1)
        .with_redirect("/", "/a")
        .with_redirect("/a", "/");
    let (farm, crawled) = crawl(site, 1).await;
    assert_eq!(crawled.ending(), ("error", Some("redirect_limit")));
    assert_eq!(farm.hits("shop.test").len(), 3);
}

#[tokio::test]
async fn a_page_that_marks_its_visitors_is_asked_for_as_it_wants() {
    let marked = "/?utm_source=x&sid=0123456789abcdef0123456789";
    let site = Site::new(3).with_redirect("/", marked).with_reply(
        marked,
        Reply::html("<a href='/page-1'>1</a><a href='/'>home</a>"),
    );
    let (farm, crawled) = crawl(site, 10).await;
    assert_eq!(crawled.outcome("/").0, PageState::Fetched);
    assert_eq!(crawled.pages[0].final_url, None, "it is the same page");
    let asked = paths(&farm, "shop.test");
    assert_eq!(asked[..3], ["/robots.txt", "/", marked]);
    assert_eq!(asked.iter().filter(|path| *path == "/").count(), 1);
    assert_eq!(crawled.outcome("/page-1").0, PageState::Fetched);
}
