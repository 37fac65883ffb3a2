use super::*;

fn page(text: &str) -> PageUrl {
    PageUrl::parse(text).expect(text)
}

fn offer_all(frontier: &mut Frontier, urls: &[&str], depth: u32, origin: Origin) -> Vec<Offer> {
    let offer =
        |url: &&str| frontier.offer(page(&format!("http://a.test{url}")), depth, origin, None);
    urls.iter().map(offer).collect()
}

fn drain(frontier: &mut Frontier) -> Vec<String> {
    let mut order = Vec::new();
    while let Some(next) = frontier.next() {
        frontier.mark_visited(&next.url);
        frontier.finish();
        order.push(next.url.as_url()[url::Position::BeforePath..].to_owned());
    }
    order
}

#[test]
fn urls_leave_breadth_first_and_each_once() {
    let mut frontier = Frontier::new(10, false);
    frontier.mark_visited(&page("http://a.test/"));
    offer_all(&mut frontier, &["/deep"], 2, Origin::Link);
    let offers = offer_all(&mut frontier, &["/b", "/", "/c", "/b"], 1, Origin::Link);
    use Offer::{Admitted, Known};
    assert_eq!(offers, [Admitted, Known, Admitted, Known]);
    let twin = frontier.offer(page("https://www.a.test/b"), 2, Origin::Link, None);
    assert_eq!(twin, Known);
    assert_eq!(drain(&mut frontier), ["/b", "/c", "/deep"]);
}

#[test]
fn what_says_who_is_behind_a_site_comes_first_and_not_without_end() {
    let mut frontier = Frontier::new(10, false);
    let urls = [
        "/a",
        "/privacy",
        "/b",
        "/team",
        "/impressum",
        "/about",
        "/kontakt",
    ];
    offer_all(&mut frontier, &urls, 1, Origin::Link);
    offer_all(&mut frontier, &["/en/contact"], 2, Origin::Sitemap);
    assert_eq!(
        drain(&mut frontier),
        [
            "/kontakt",
            "/en/contact",
            "/about",
            "/impressum",
            "/team",
            "/privacy",
            "/a",
            "/b"
        ]
    );
    let mut frontier = Frontier::new(10, false);
    offer_all(&mut frontier, &["/a"], 1, Origin::Link);
    let shops: Vec<String> = (0..6).map(|n| format!("/{n}/contact")).collect();
    let shops: Vec<&str> = shops.iter().map(String::as_str).collect();
    offer_all(&mut frontier, &shops, 1, Origin::Link);
    assert_eq!(drain(&mut frontier)[4], "/a");
}

#[test]
fn a_full_frontier_takes_what_comes_first_and_no_more() {
    let mut frontier = Frontier::new(1, false);
    for n in 0..200 {
        offer_all(&mut frontier, &[&format!("/{n}")], 1, Origin::Link);
    }
    let offers: Vec<Offer> = (0..6)
        .flat_map(|n| offer_all(&mut frontier, &[&format!("/{n}/contact")], 1, Origin::Link))
        .collect();
    let refused = Offer::Refused(Reason::Budget);
    assert_eq!(offers[..4], [Offer::First(Topic::Contact); 4]);
    assert_eq!(offers[4..], [refused; 2]);
    assert_eq!(drain(&mut frontier)[..2], ["/0/contact", "/1/contact"]);
}

#[test]
fn what_a_link_says_counts_like_what_a_url_says() {
    let mut frontier = Frontier::new(1, false);
    let offer = |frontier: &mut Frontier, path: &str, depth, origin, named| {
        frontier.offer(page(&format!("http://a.test{path}")), depth, origin, named)
    };
    let link = Origin::Link;
    use Topic::{Contact, Imprint, Legal};
    offer(&mut frontier, "/s", 1, Origin::Sitemap, None);
    for n in 0..200 {
        offer(&mut frontier, &format!("/p?id={n}"), 1, link, None);
    }
    for n in 0..20 {
        offer(&mut frontier, &format!("/f{n}"), 1, link, None);
    }
    for (path, named, expected) in [
        ("/s", Some(Imprint), Offer::First(Imprint)),
        // Of what waited in its place; of what waited for all others.
        ("/p?id=5", Some(Legal), Offer::First(Legal)),
        ("/p?id=50", Some(Contact), Offer::First(Contact)),
        ("/p?id=50", Some(Imprint), Offer::Known),
        ("/p?id=51", None, Offer::Known),
        // There is no room for others.
        ("/x", None, Offer::Refused(Reason::Budget)),
        ("/x", Some(Contact), Offer::First(Contact)),
        // The URL says more than the link.
        ("/kontakt", Some(Legal), Offer::First(Contact)),
        ("/y", Some(Contact), Offer::First(Contact)),
        ("/z", Some(Contact), Offer::Refused(Reason::Budget)),
        ("/p?id=52", Some(Contact), Offer::Known),
    ] {
        let offered = offer(&mut frontier, path, 3, link, named);
        assert_eq!(offered, expected, "{path}");
    }
    assert_eq!(frontier.places.len(), frontier.waiting.len());
    assert_eq!(
        drain(&mut frontier)[..7],
        [
            "/p?id=50", "/x", "/kontakt", "/y", "/s", "/p?id=5", "/p?id=0"
        ]
    );
    assert_eq!((frontier.waiting_bytes, frontier.places.len()), (0, 0));
}

#[test]
fn sitemaps_do_not_fill_it() {
    let mut frontier = Frontier::new(1, false);
    let offered = |frontier: &mut Frontier, origin, prefix: &str| {
        let urls = (0..200).map(|n| format!("/{prefix}{n}"));
        urls.filter(|url| offer_all(frontier, &[url], 1, origin) == [Offer::Admitted])
            .count()
    };
    assert_eq!(offered(&mut frontier, Origin::Sitemap, "s"), 72);
    assert_eq!(frontier.room(Origin::Sitemap), 0);
    assert_eq!(offered(&mut frontier, Origin::Link, "l"), 38);
}

#[test]
fn a_link_moves_forward_what_only_a_sitemap_had_named() {
    let mut frontier = Frontier::new(10, false);
    offer_all(&mut frontier, &["/s1", "/s2", "/s3"], 1, Origin::Sitemap);
    let offers = offer_all(&mut frontier, &["/l1", "/s2", "/s2"], 3, Origin::Link);
    assert_eq!(offers, [Offer::Admitted, Offer::Admitted, Offer::Known]);
    assert_eq!(frontier.admitted, 4);
    assert_eq!(drain(&mut frontier), ["/l1", "/s2", "/s1", "/s3"]);
    assert_eq!(frontier.waiting_bytes, 0);
}

#[test]
fn a_url_that_a_redirect_led_to_is_not_asked_for_again() {
    let mut frontier = Frontier::new(10, false);
    offer_all(&mut frontier, &["/0", "/1", "/2"], 1, Origin::Link);
    frontier.mark_visited(&page("http://a.test/1"));
    assert_eq!(frontier.collapsed_and_waiting(), (1, 2));
    assert_eq!(drain(&mut frontier), ["/0", "/2"]);
    assert_eq!(frontier.collapsed_and_waiting(), (1, 0));
}

#[test]
fn queries_are_one_page_where_they_are_ignored() {
    let mut frontier = Frontier::new(10, true);
    offer_all(&mut frontier, &["/a", "/a?b=1", "/c?d"], 1, Origin::Link);
    assert!(frontier.is_known(&page("http://a.test/c")));
    assert_eq!(drain(&mut frontier).len(), 2);
}

#[test]
fn the_many_queries_of_one_path_wait_for_all_others() {
    let mut frontier = Frontier::new(50, false);
    let queries: Vec<String> = (0..20).map(|n| format!("/list?n={n}")).collect();
    let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
    offer_all(&mut frontier, &queries, 1, Origin::Link);
    offer_all(&mut frontier, &["/b"], 3, Origin::Link);
    offer_all(&mut frontier, &["/s"], 1, Origin::Sitemap);
    let order = drain(&mut frontier);
    assert_eq!(order[12..14], ["/b", "/s"]);
    assert_eq!(order.len(), 22);
}

#[test]
fn what_a_crawl_admits_is_bounded() {
    let mut frontier = Frontier::new(1, false);
    let mut admitted = 0;
    for n in 0..1000 {
        let url = page(&format!("http://a.test/{n}"));
        match frontier.offer(url, 1, Origin::Link, None) {
            Offer::Admitted => admitted += 1,
            other => assert_eq!(other, Offer::Refused(Reason::Budget)),
        }
    }
    assert_eq!((admitted, frontier.room(Origin::Link)), (110, 0));

    let mut frontier = Frontier::new(100_000, false);
    for n in 0..20_000 {
        let url = page(&format!("http://a.test/{n}/{}", "x".repeat(900)));
        frontier.offer(url, 1, Origin::Link, None);
        assert!(frontier.waiting_bytes <= WAITING_MAX_BYTES);
    }
    assert!(frontier.waiting.len() < 10_000);
}

#[test]
fn the_bytes_that_wait_are_those_of_the_urls_that_wait() {
    let mut frontier = Frontier::new(10, false);
    for path in ["/a", "/b"] {
        let url = page(&format!("http://www.a.test{path}"));
        frontier.offer(url, 1, Origin::Sitemap, None);
        let twin = page(&format!("https://a.test{path}"));
        assert_eq!(frontier.offer(twin, 1, Origin::Link, None), Offer::Admitted);
    }
    let waiting = frontier.waiting.values();
    let bytes: usize = waiting.map(|waiting| waiting.url.len()).sum();
    assert_eq!(frontier.waiting_bytes, bytes);
    drain(&mut frontier);
    assert_eq!(frontier.waiting_bytes, 0);
}
