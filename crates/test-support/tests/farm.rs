//! The site farm serves what it was told to serve and accounts for it truthfully.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use trawl_test_support::farm::{Reply, Site, SiteFarm, StalledListener, TlsHello};
use trawl_test_support::wait_until;

const PATIENCE: Duration = Duration::from_secs(10);

/// Sends raw bytes and reads to the end of the connection.
async fn talk(farm: &SiteFarm, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(farm.address()).await?;
    stream.write_all(bytes).await?;
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await??;
    Ok(answer)
}

/// Fetches on a connection of its own.
async fn get(farm: &SiteFarm, host: &str, path: &str) -> Result<String> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: self-test\r\nConnection: close\r\n\r\n",
        farm.domain(host)
    );
    Ok(String::from_utf8(talk(farm, request.as_bytes()).await?)?)
}

#[tokio::test]
async fn sites_are_told_apart_by_host_and_every_request_is_recorded() -> Result<()> {
    let farm = SiteFarm::start().await?;
    farm.add_site("plain.test", Site::new(3));
    farm.add_site("blog.test", Site::new(3).with_wordpress());
    let plain = get(&farm, "plain.test", "/").await?;
    let blog = get(&farm, "Blog.TEST", "/page-2").await?;
    let facts = farm.facts("plain.test").context("a site")?;
    for expected in [
        &facts.name,
        &facts.email,
        &facts.phone,
        &facts.social_links[2],
    ] {
        assert!(plain.contains(expected.as_str()), "{expected} in {plain}");
    }
    let wordpress = farm
        .facts("blog.test")
        .and_then(|facts| facts.wordpress)
        .context("facts")?;
    assert!(blog.contains(&format!("WordPress {}", wordpress.version)));
    assert!(!plain.contains("WordPress"));
    for path in [
        "/robots.txt",
        "/favicon.ico",
        "/page-3",
        "/page-1",
        "/page-1",
    ] {
        get(&farm, "plain.test", path).await.ok();
    }
    assert!(
        get(&farm, "nowhere.test", "/")
            .await?
            .starts_with("HTTP/1.1 404 ")
    );

    let statuses: Vec<_> = farm
        .hits("plain.test")
        .into_iter()
        .map(|hit| {
            assert_eq!(hit.user_agent.as_deref(), Some("self-test"));
            assert!(hit.ended.is_some_and(|ended| ended >= hit.started));
            (hit.path, hit.status)
        })
        .collect();
    let expected = [
        ("/", 200),
        ("/robots.txt", 200),
        ("/favicon.ico", 200),
        ("/page-3", 404),
        ("/page-1", 200),
        ("/page-1", 200),
    ];
    assert_eq!(
        statuses,
        expected.map(|(path, status)| (path.to_owned(), Some(status)))
    );
    assert_eq!(farm.page_hits("plain.test"), 4);
    assert_eq!(farm.page_hits_by_host()["blog.test"], 1);
    assert_eq!(farm.page_hits("nowhere.test"), 1);
    assert_eq!(
        farm.duplicate_pages(),
        [("plain.test".to_owned(), "/page-1".to_owned(), 2)]
    );
    farm.forget_hits();
    assert!(farm.hits("plain.test").is_empty());
    Ok(())
}

#[tokio::test]
async fn a_connection_serves_several_requests_and_head_has_no_body() -> Result<()> {
    let farm = SiteFarm::start().await?;
    farm.add_site("site.test", Site::new(2));
    let answers = talk(
        &farm,
        b"HEAD / HTTP/1.1\r\nHost: site.test\r\n\r\n\
          GET /style.css HTTP/1.1\r\nHost: site.test\r\n\r\n\
          GET /missing HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n",
    )
    .await?;
    let answers = String::from_utf8(answers)?;
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 3, "{answers}");
    assert!(!answers.contains("</html>"));
    assert!(answers.contains("margin: 2em"));
    Ok(())
}

#[tokio::test]
async fn prescribed_replies_arrive_as_prescribed() -> Result<()> {
    let farm = SiteFarm::start().await?;
    let site = Site::new(1)
        .with_robots("User-agent: *\nDisallow: /\n")
        .with_status("/gone", 410)
        .with_redirect("/old?q=1", "/page-1")
        .with_reply("/pdf", Reply::of_type("application/pdf", "%PDF-"))
        .with_reply(
            "/slow",
            Reply::trickled("hello", 2, Duration::from_millis(1)),
        )
        .with_reply(
            "/parts",
            Reply::chunked(vec![Bytes::from("a"), Bytes::new()], Duration::ZERO),
        )
        .with_reply("/huge", Reply::huge(300_000))
        .with_reply("/short", Reply::cut_short("<p>half"))
        .with_reply("/raw", Reply::verbatim("SMTP 220 hello\r\n"))
        .with_reply("/closed", Reply::closed())
        .with_reply("/untyped", Reply::html("x").without_header("content-type"));
    farm.add_site("site.test", site);
    for (path, start, end) in [
        (
            "/robots.txt",
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain",
            "Disallow: /\n",
        ),
        ("/gone", "HTTP/1.1 410 ", "</h1>\n"),
        ("/old?q=1", "HTTP/1.1 302 Found\r\n", "</h1>\n"),
        (
            "/pdf",
            "HTTP/1.1 200 OK\r\ncontent-type: application/pdf\r\n",
            "%PDF-",
        ),
        (
            "/slow",
            "HTTP/1.1 200 ",
            "\r\n\r\n2\r\nhe\r\n2\r\nll\r\n1\r\no\r\n0\r\n\r\n",
        ),
        ("/parts", "HTTP/1.1 200 ", "\r\n\r\n1\r\na\r\n0\r\n\r\n"),
        (
            "/short",
            "HTTP/1.1 200 ",
            "content-length: 8\r\nconnection: close\r\n\r\n<p>half",
        ),
        ("/raw", "SMTP 220 ", " hello\r\n"),
        ("/closed", "", ""),
        ("/untyped", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n", "x"),
    ] {
        let answer = get(&farm, "site.test", path).await?;
        assert!(
            answer.starts_with(start) && answer.ends_with(end),
            "{path}: {answer:?}"
        );
        if path == "/closed" {
            assert_eq!(answer, "");
        }
    }
    let huge = get(&farm, "site.test", "/huge").await?;
    let (_head, body) = huge.split_once("\r\n\r\n").context("a head")?;
    assert_eq!(body.len(), 300_000);
    let whole: Vec<_> = farm
        .hits("site.test")
        .iter()
        .map(|hit| hit.status.is_some())
        .collect();
    let expected = [
        true, true, true, true, true, true, false, false, false, true, true,
    ];
    assert_eq!(whole, expected);
    Ok(())
}

#[tokio::test]
async fn a_silent_site_ends_with_the_client() -> Result<()> {
    let farm = SiteFarm::start().await?;
    farm.add_site(
        "mute.test",
        Site::new(1).with_reply_to_all(Reply::silence()),
    );
    farm.add_site(
        "stuck.test",
        Site::new(1).with_reply("/", Reply::stalled("<p>")),
    );
    for host in ["mute.test", "stuck.test"] {
        let mut stream = TcpStream::connect(farm.address()).await?;
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        wait_until("the request to arrive", PATIENCE, async || {
            farm.hits(host).len() == 1
        })
        .await?;
        assert!(farm.hits(host)[0].ended.is_none());
        drop(stream);
        wait_until("the farm to notice", PATIENCE, async || {
            farm.hits(host)[0].ended.is_some()
        })
        .await?;
        assert_eq!(farm.hits(host)[0].status, None);
    }
    Ok(())
}

#[tokio::test]
async fn a_gate_shows_how_many_sites_are_crawled_at_once() -> Result<()> {
    let farm = SiteFarm::start().await?;
    let hosts = farm.add_numbered_sites(4, 2);
    let gate = farm.hold_answers_when(|request| request.path != "/robots.txt");
    assert!(
        get(&farm, &hosts[0], "/robots.txt")
            .await?
            .contains("User-agent")
    );
    let expected: BTreeSet<_> = hosts[..3].iter().cloned().collect();
    let crawl = async {
        let (one, two, three, again) = tokio::join!(
            get(&farm, &hosts[0], "/"),
            get(&farm, &hosts[1], "/"),
            get(&farm, &hosts[2], "/"),
            get(&farm, &hosts[2], "/page-1"),
        );
        [one, two, three, again]
            .into_iter()
            .collect::<Result<Vec<_>>>()
    };
    let watch = async {
        wait_until("three hosts and four requests", PATIENCE, async || {
            farm.held_hosts() == expected && farm.hits(&hosts[2]).len() == 2
        })
        .await?;
        gate.release();
        anyhow::Ok(())
    };
    let (pages, watched) = tokio::join!(crawl, watch);
    watched?;
    assert_eq!(pages?.len(), 4);
    assert!(farm.held_hosts().is_empty());
    get(&farm, &hosts[3], "/").await?;
    let peaks = farm.peaks();
    assert_eq!(
        (
            peaks.hosts_in_flight,
            peaks.requests_to_one_host,
            peaks.hosts_under_way
        ),
        (3, 2, 3)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sequential_fetches_never_seem_to_overlap() -> Result<()> {
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: first.test\r\n\r\n";
    let farm = SiteFarm::start().await?;
    for host in ["first.test", "other.test"] {
        farm.add_site(host, Site::new(1).with_reply("/", Reply::html("<p>!")));
    }
    let requests = [
        REQUEST.to_vec(),
        String::from_utf8_lossy(REQUEST)
            .replace("first", "other")
            .into(),
    ];
    let mut streams = [
        TcpStream::connect(farm.address()).await?,
        TcpStream::connect(farm.address()).await?,
    ];
    // Kept alive, so that a client has its answer before the farm has anything else to do.
    for turn in 0..2_000 {
        streams[turn % 2].write_all(&requests[turn % 2]).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"<p>!") {
            streams[turn % 2].read_buf(&mut answer).await?;
        }
    }
    assert_eq!(farm.peaks().hosts_in_flight, 1);
    assert_eq!(
        farm.page_hits("first.test") + farm.page_hits("other.test"),
        2_000
    );
    Ok(())
}

#[tokio::test]
async fn tls_on_the_plain_port_and_nonsense_are_refused() -> Result<()> {
    let farm = SiteFarm::start().await?;
    let hello = [22, 3, 1, 0, 5, 1, 0, 0, 1, 3];
    assert!(talk(&farm, &hello).await?.starts_with(b"HTTP/1.1 400 "));
    farm.on_tls_hello(TlsHello::Close);
    assert!(
        talk(&farm, &hello)
            .await
            .is_ok_and(|answer| answer.is_empty())
    );
    farm.on_tls_hello(TlsHello::Silence);
    let silence = timeout(Duration::from_millis(50), talk(&farm, &hello)).await;
    assert!(silence.is_err());
    assert_eq!(farm.tls_hellos(), 3);
    for nonsense in [
        "hello\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        assert!(
            talk(&farm, nonsense.as_bytes())
                .await?
                .starts_with(b"HTTP/1.1 400 ")
        );
    }
    Ok(())
}

#[tokio::test]
async fn stalled_ports_stall() -> Result<()> {
    let full = StalledListener::full().await?;
    let connect = timeout(
        Duration::from_millis(200),
        TcpStream::connect(full.address()),
    )
    .await;
    assert!(connect.is_err());
    let silent = StalledListener::silent().await?;
    let mut stream = TcpStream::connect(("127.0.0.1", silent.port())).await?;
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
    let answer = timeout(Duration::from_millis(50), stream.read_u8()).await;
    assert!(answer.is_err());
    Ok(())
}

#[tokio::test]
async fn a_dropped_farm_cuts_its_connections() -> Result<()> {
    let farm = SiteFarm::start().await?;
    farm.add_site(
        "mute.test",
        Site::new(1).with_reply_to_all(Reply::silence()),
    );
    let address = farm.address();
    let mut stream = TcpStream::connect(address).await?;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: mute.test\r\n\r\n")
        .await?;
    wait_until("the request to arrive", PATIENCE, async || {
        farm.hits("mute.test").len() == 1
    })
    .await?;
    drop(farm);
    timeout(PATIENCE, stream.read_u8()).await?.unwrap_err();
    assert!(TcpStream::connect(address).await.is_err());
    Ok(())
}
