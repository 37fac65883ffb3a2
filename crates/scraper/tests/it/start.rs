//! The start page: which scheme is tried, what a failure costs and how it is told.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use trawl_test_support::farm::{Reply, Site, SiteFarm, StalledListener, TlsHello};

use crate::harness::{crawl, order, paths, run, settings};

#[tokio::test]
async fn http_is_tried_where_the_port_does_not_speak_tls() {
    for hello in [TlsHello::BadRequest, TlsHello::Close, TlsHello::Silence] {
        let farm = SiteFarm::start().await.expect("farm");
        farm.on_tls_hello(hello);
        farm.add_site("shop.test", Site::new(1));
        let began = Instant::now();
        let crawled = run(settings(), order(&farm.domain("shop.test"), 1)).await;
        assert_eq!(crawled.fetched(), 1, "{hello:?}");
        assert!(crawled.pages[0].url.starts_with("http://"), "{hello:?}");
        assert_eq!(farm.tls_hellos(), 1, "{hello:?}");
        // Generous: what matters is that it is far below the fetch limit of 5 s.
        assert!(began.elapsed() < Duration::from_secs(3), "{hello:?}");
    }
}

#[tokio::test]
async fn a_scheme_that_was_named_is_tried_first() {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", Site::new(1));
    let address = format!("http://{}/", farm.domain("shop.test"));
    let crawled = run(settings(), order(&address, 1)).await;
    assert_eq!(crawled.fetched(), 1);
    assert_eq!(farm.tls_hellos(), 0);
}

#[tokio::test]
async fn a_refused_connection_is_told_for_both_schemes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let port = listener.local_addr().expect("address").port();
    drop(listener);
    let crawled = run(settings(), order(&format!("shop.test:{port}"), 1)).await;
    assert_eq!(crawled.ending(), ("error", Some("connect_refused")));
    assert_eq!(
        crawled.sentence(),
        format!(
            "GET https://shop.test:{port}/ was refused by 127.0.0.1; \
             GET http://shop.test:{port}/ was refused by 127.0.0.1"
        )
    );
    assert!(crawled.pages.is_empty());
}

#[tokio::test]
async fn a_server_that_never_accepts_costs_two_connect_limits() {
    let stalled = StalledListener::full().await.expect("listener");
    let began = Instant::now();
    let crawled = run(
        settings(),
        order(&format!("shop.test:{}", stalled.port()), 1),
    )
    .await;
    assert_eq!(crawled.ending(), ("error", Some("connect_timeout")));
    assert!(
        crawled
            .sentence()
            .contains("had no connection to 127.0.0.1 within 0.3 s")
    );
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_start_page_that_fails_fails_the_site_and_yields_no_page() {
    for (reply, code) in [
        (Reply::status(404), "http_client_error"),
        (Reply::status(429), "too_many_requests"),
        (Reply::status(500), "http_server_error"),
        (Reply::status(304), "http_unexpected_status"),
        (Reply::of_type("image/png", "x"), "not_html"),
        (
            Reply::redirect("https://elsewhere.example/"),
            "redirect_off_site",
        ),
        (Reply::redirect("mailto:x"), "redirect_limit"),
        (Reply::status(302), "redirect_limit"),
        (Reply::closed(), "connect_failed"),
        (Reply::verbatim("nonsense\r\n\r\n"), "connect_failed"),
        (Reply::huge(1_000_000), "body_too_large"),
    ] {
        let (_farm, crawled) = crawl(Site::new(1).with_reply("/", reply), 1).await;
        assert_eq!(crawled.ending(), ("error", Some(code)));
        assert!(crawled.pages.is_empty());
        assert!(
            crawled.sentence().starts_with("GET http://shop.test:"),
            "{}",
            crawled.sentence()
        );
    }
}

#[tokio::test]
async fn an_answer_that_never_ends_is_given_up_at_the_fetch_limit() {
    for reply in [Reply::silence(), Reply::stalled("<p>x")] {
        let farm = SiteFarm::start().await.expect("farm");
        farm.add_site("shop.test", Site::new(1).with_reply("/", reply));
        let mut settings = settings();
        settings.fetch_timeout = Duration::from_millis(200);
        let crawled = run(settings, order(&farm.domain("shop.test"), 1)).await;
        assert_eq!(crawled.ending(), ("error", Some("fetch_timeout")));
        assert_eq!(paths(&farm, "shop.test"), ["/robots.txt", "/"]);
    }
}

#[tokio::test]
async fn a_path_that_was_asked_for_is_the_start_page() {
    let farm = SiteFarm::start().await.expect("farm");
    farm.add_site("shop.test", Site::new(3));
    let address = format!("{}/page-2", farm.domain("shop.test"));
    let crawled = run(settings(), order(&address, 1)).await;
    assert!(crawled.pages[0].url.ends_with("/page-2"));
}
