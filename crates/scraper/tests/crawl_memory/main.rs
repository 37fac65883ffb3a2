//! However large a site is, its crawl stays within its memory.
//!
//! A program of its own, with one test: the allocator counts for all threads, the server's included.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use peak_alloc::PeakAlloc;
use trawl_domain::crawl_options::{CrawlOptions, SitemapUse};
use trawl_domain::fetch_settings::FetchSettings;
use trawl_domain::site::SiteAddress;
use trawl_scraper::crawler::Crawler;
use trawl_scraper::hosts::AllFree;
use trawl_scraper::step::{CrawlOrder, Step, StopReason};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Most memory that one crawl takes, in bytes: what `docs/crawling.md` says.
const BUDGET_BYTES: usize = 32 * 1024 * 1024;

/// A site without an end: every page names `links` others that no page named before.
#[derive(Debug, Clone, Copy)]
struct Endless {
    links: usize,
    /// Bytes by which their paths are longer than they have to be.
    padding: usize,
}

impl Endless {
    /// Serves the site for the rest of the process, and answers its port.
    fn serve(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let port = listener.local_addr().expect("address").port();
        std::thread::spawn(move || {
            for (number, connection) in listener.incoming().flatten().enumerate() {
                // A crawl keeps one connection, so that no page is made up twice.
                let _ = self.answer(connection, number);
            }
        });
        port
    }

    fn answer(self, mut connection: TcpStream, connections: usize) -> std::io::Result<()> {
        let mut requests = BufReader::new(connection.try_clone()?);
        let (mut line, mut page, mut answered) = (String::new(), String::new(), 0);
        loop {
            line.clear();
            if requests.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if !line.trim().is_empty() {
                continue;
            }
            page.clear();
            let _ = write!(page, "<!DOCTYPE html><title>{answered}</title>");
            for link in 0..self.links {
                let padding = self.padding;
                let _ = write!(
                    page,
                    "<a href=/{connections}-{answered}-{link}{0:p<padding$}>x</a>",
                    ""
                );
            }
            answered += 1;
            let length = page.len();
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {length}");
            connection.write_all(format!("{head}\r\n\r\n{page}").as_bytes())?;
        }
    }

    /// The memory that a crawl of `max_pages` pages takes at most.
    fn peak_bytes(self, max_pages: u32) -> usize {
        let port = self.serve();
        let crawler = Crawler::new(settings()).expect("crawler");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("runtime");
        ALLOCATOR.reset_peak_usage();
        let before = ALLOCATOR.current_usage();
        let order = CrawlOrder {
            site: SiteAddress::parse(&format!("http://endless.test:{port}")).expect("site"),
            max_pages,
            options: CrawlOptions {
                sitemap: SitemapUse::Skip,
                ..CrawlOptions::default()
            },
            snoozes: 0,
            deadline: None,
            hosts: Arc::new(AllFree),
        };
        let mut crawl = crawler.begin(order);
        let end = loop {
            match runtime.block_on(crawl.next()) {
                Step::End(end) => break end,
                Step::Page(_) | Step::Snooze(_) | Step::Busy(_) => {}
            }
        };
        assert_eq!(end.summary.stop_reason, StopReason::MaxPages);
        assert_eq!(end.summary.pages.fetched, max_pages);
        ALLOCATOR.peak_usage().saturating_sub(before)
    }
}

fn settings() -> FetchSettings {
    FetchSettings {
        user_agent: "TrawlTest/1.0".to_owned(),
        politeness_delay: Duration::ZERO,
        connect_timeout: Duration::from_secs(5),
        first_byte_timeout: Duration::from_secs(20),
        fetch_timeout: Duration::from_secs(20),
        max_body_bytes: 3 * 1024 * 1024,
        addresses: "127.0.0.0/8".parse().expect("networks"),
        static_names: "*.test=127.0.0.1".parse().expect("names"),
    }
}

#[test]
fn no_crawl_takes_more_memory_than_the_budget() {
    let site = |links, padding| Endless { links, padding };
    // What is made once, such as the automata of the rules, is no crawl's.
    site(20, 0).peak_bytes(5);
    let mut peaks = Vec::new();
    for (site, max_pages) in [
        (site(3_000, 0), 50),
        (site(20, 0), 200),
        (site(20, 0), 4_000),
        (site(20, 900), 200),
        // Enough for the URLs that wait to be as many bytes as may wait.
        (site(20, 900), 1_500),
    ] {
        let peak = site.peak_bytes(max_pages);
        println!("{max_pages} pages of {site:?}: {peak} bytes");
        peaks.push((peak, max_pages, site));
    }
    for peak in peaks {
        assert!(peak.0 <= BUDGET_BYTES, "{peak:?}");
    }
}
