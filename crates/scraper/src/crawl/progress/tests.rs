//! Crawls of made-up sites, without a network: interrupted anywhere, they go on as they would have.

use std::collections::VecDeque;

use proptest::prelude::*;
use trawl_domain::failure::{Failure, FailureCode};
use trawl_domain::path_globs::PathGlobs;

use super::*;
use crate::crawl::visit::Reach;
use crate::extract::{Extracted, Link};

/// One page of a made-up site.
#[derive(Debug, Clone)]
struct Node {
    path: String,
    kind: Kind,
    links: Vec<(usize, Option<Topic>)>,
    canonical: Option<usize>,
    body: u8,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Page,
    Redirect(usize),
    Broken,
    Closed,
}

#[derive(Debug, Clone)]
struct World {
    nodes: Vec<Node>,
    sitemap: Vec<usize>,
}

impl World {
    fn url(&self, node: usize) -> PageUrl {
        let path = &self.nodes[node % self.nodes.len()].path;
        PageUrl::parse(&format!("http://a.test{path}")).expect("url")
    }

    fn node(&self, url: &PageUrl) -> &Node {
        let is_it = |n: &usize| self.url(*n) == *url;
        let is_it_without_query = |n: &usize| self.url(*n).without_query() == *url;
        let found = (0..self.nodes.len())
            .find(is_it)
            .or_else(|| (0..self.nodes.len()).find(is_it_without_query));
        &self.nodes[found.expect("a known URL")]
    }

    fn visit(&self, url: &PageUrl, progress: &Progress) -> Visit {
        let mut final_url = None;
        let mut node = self.node(url);
        let mut outcome = None;
        if let Kind::Redirect(target) = node.kind {
            let target = self.url(target);
            node = self.node(&target);
            outcome = match progress.judge(url, &target) {
                HopVerdict::Follow => None,
                _ => Some(Outcome::Skipped(failure(FailureCode::Duplicate))),
            };
            final_url = Some(target);
        }
        let outcome = outcome.unwrap_or_else(|| match node.kind {
            Kind::Page => Outcome::Fetched(Box::new(Extracted {
                facts: PageFacts {
                    canonical_url: node.canonical.map(|node| self.url(node).to_string()),
                    ..PageFacts::default()
                },
                links: node
                    .links
                    .iter()
                    .map(|(node, named)| Link {
                        url: self.url(*node),
                        named: *named,
                    })
                    .collect(),
                refused: Vec::new(),
                content: None,
            })),
            Kind::Closed => Outcome::Skipped(failure(FailureCode::RobotsDisallowed)),
            Kind::Redirect(_) | Kind::Broken => Outcome::Failed {
                failure: failure(FailureCode::HttpServerError),
                reach: Reach::Answer,
            },
        });
        Visit {
            final_url: final_url.filter(|target| target != url),
            http_status: None,
            body_bytes: 1000,
            duration: Duration::from_millis(10),
            first_byte: None,
            etag: None,
            last_modified: None,
            body_hash: Some([node.body; 16]),
            outcome,
        }
    }

    /// The rest of a crawl after the pages of an earlier one.
    fn crawl(&self, order: &Order, recorded: &[CrawledPage]) -> (Vec<CrawledPage>, CrawlSummary) {
        let mut progress = Progress::new(order.max_pages, order.options.clone());
        for page in recorded {
            progress.replay(&record(page));
        }
        let mut pages = Vec::new();
        let mut found: Option<VecDeque<PageUrl>> = None;
        let mut not_fetched = NotFetched::default();
        let stop_reason = loop {
            let mut page = None;
            if progress.scope().is_none() {
                let start = self.url(0);
                let visit = self.visit(&start, &progress);
                page = Some(progress.take_start(start, visit));
            }
            if progress.wants_sitemaps() && found.is_none() {
                let named = self.sitemap.iter().map(|node| self.url(*node));
                let considered: Vec<PageUrl> = named
                    .filter_map(|url| progress.consider(url, &mut not_fetched))
                    .collect();
                found = Some(
                    considered
                        .into_iter()
                        .filter(|url| progress.is_new(url))
                        .collect(),
                );
            }
            if page.is_none() {
                if let Some(spent) = progress.spent() {
                    break spent;
                }
                let Some(next) = progress.next() else {
                    break progress.exhausted();
                };
                let visit = self.visit(&next.url, &progress);
                page = Some(progress.take(next, visit));
            }
            let mut page = page.expect("a page");
            if progress.wants_sitemaps() {
                let found = Found {
                    urls: found.as_mut().expect("read"),
                    files: 1,
                    not_fetched: std::mem::take(&mut not_fetched),
                };
                progress.share(&mut page, found, false);
            }
            pages.push(page);
        };
        (pages, progress.summary(stop_reason, None))
    }
}

#[derive(Debug, Clone)]
struct Order {
    max_pages: u32,
    options: CrawlOptions,
}

fn failure(code: FailureCode) -> Failure {
    Failure::new(code, "")
}

fn record(page: &CrawledPage) -> RecordedPage {
    RecordedPage {
        url: page.url.clone(),
        final_url: page.final_url.clone(),
        state: page.state,
        depth: page.depth,
        body_bytes: page.body_bytes,
        duration: page.duration,
        since_last: Duration::ZERO,
        body_hash: page.body_hash,
        discovered: page.discovered.clone(),
        not_fetched: page.not_fetched.clone(),
        facts: page.facts.clone(),
    }
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let path = prop_oneof![
        4 => "/[a-d]{1,2}",
        2 => "/x/[a-c]\\?n=[0-9]{1,2}",
        1 => "/(contact|about|team|impressum|en/kontakt)",
        1 => "/cal/20[0-9]{2}/[1-9]",
        1 => "/long/[a-f]{2}".prop_map(|path| format!("{path}/{}", "y".repeat(900))),
    ];
    let kind = prop_oneof![
        8 => Just(Kind::Page),
        2 => (0..60_usize).prop_map(Kind::Redirect),
        1 => Just(Kind::Broken),
        1 => Just(Kind::Closed),
    ];
    let topics = [Topic::Contact, Topic::About, Topic::Imprint, Topic::Legal];
    let named = prop::option::weighted(0.2, prop::sample::select(topics.to_vec()));
    let links = prop::collection::vec((0..200_usize, named), 0..12);
    let canonical = prop::option::weighted(0.2, 0..200_usize);
    let node = (path, kind, links, canonical, any::<u8>()).prop_map(
        |(path, kind, links, canonical, body)| Node {
            path,
            kind,
            links,
            canonical,
            body,
        },
    );
    prop::collection::vec(node, 1..200).prop_map(|mut nodes| {
        nodes[0].path = "/".to_owned();
        nodes[0].kind = Kind::Page;
        nodes
    })
}

fn orders() -> impl Strategy<Value = Order> {
    let sitemap = prop::sample::select(&SitemapUse::ALL[..]);
    let max_bytes = prop::option::weighted(0.2, 1..40_000_u64);
    let max_depth = prop::option::weighted(0.3, 0..4_u32);
    (
        2..40_u32,
        sitemap,
        any::<bool>(),
        any::<bool>(),
        max_bytes,
        max_depth,
    )
        .prop_map(
            |(max_pages, sitemap, ignore_query, excludes, max_bytes, max_depth)| {
                let excluded = if excludes {
                    vec!["/a*".to_owned()]
                } else {
                    Vec::new()
                };
                Order {
                    max_pages,
                    options: CrawlOptions {
                        sitemap,
                        ignore_query,
                        max_bytes,
                        max_depth,
                        exclude_paths: PathGlobs::new(excluded).expect("globs"),
                        ..CrawlOptions::default()
                    },
                }
            },
        )
}

/// Without what is counted once more after an interruption.
fn essence(pages: &[CrawledPage]) -> Vec<CrawledPage> {
    let uncounted = |page: &CrawledPage| CrawledPage {
        not_fetched: NotFetched::default(),
        ..page.clone()
    };
    pages.iter().map(uncounted).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_crawl_interrupted_anywhere_goes_on_as_it_would_have(
        nodes in nodes(),
        order in orders(),
        sitemap in prop::collection::vec(0..200_usize, 0..150),
        cut in any::<prop::sample::Index>(),
    ) {
        let world = World { nodes, sitemap };
        let (whole, summary) = world.crawl(&order, &[]);
        let (before, after) = whole.split_at(cut.index(whole.len() + 1));
        let (rest, resumed) = world.crawl(&order, before);
        prop_assert_eq!(essence(&rest), essence(after));
        prop_assert_eq!(resumed.pages, summary.pages);
        prop_assert_eq!(resumed.body_bytes, summary.body_bytes);
        prop_assert_eq!(resumed.stop_reason, summary.stop_reason);
        if !before.is_empty() {
            prop_assert_eq!(resumed.sitemaps, summary.sitemaps);
        }
    }

    #[test]
    fn no_page_is_asked_for_twice_and_no_budget_is_exceeded(
        nodes in nodes(),
        order in orders(),
        sitemap in prop::collection::vec(0..200_usize, 0..150),
    ) {
        let world = World { nodes, sitemap };
        let (pages, summary) = world.crawl(&order, &[]);
        let urls: HashSet<&String> = pages.iter().map(|page| &page.url).collect();
        prop_assert_eq!(urls.len(), pages.len());
        prop_assert!(summary.pages.fetched <= order.max_pages);
        let max_depth = order.options.max_depth.unwrap_or(u32::MAX);
        prop_assert!(pages.iter().all(|page| page.depth <= max_depth));
        let max_bytes = order.options.max_bytes.unwrap_or(u64::MAX);
        prop_assert!(summary.body_bytes.saturating_sub(1000) < max_bytes);
    }
}
