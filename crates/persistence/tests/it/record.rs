//! Recording pages: once each, whatever they contain, for the holder of the job alone.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use trawl_domain::lease::FencingToken;
use trawl_domain::page::PageState;
use trawl_persistence::jobs::{EndedJob, Ending, job_claim, job_finish, job_hand_back, job_status};
use trawl_persistence::pages::{PageRecord, page_record, pages_of_job, pages_view};
use trawl_persistence::workers::JobLease;
use uuid::Uuid;

use crate::database::Db;
use crate::fixtures::{Submission, assert_promises_kept, failure, page, retry, worker};

/// What PostgreSQL refuses in text, what JSON and SQL give a meaning to, and what UTF-8 can hold.
const NASTY: &str =
    "NUL \0, backslashes \\ \\u0000 \\\\, quotes ' \" $1 {} (,), \u{202e}, \u{10ffff}, é";

async fn one_claimed(db: &Db, site: &str) -> Result<JobLease> {
    Submission::of([site]).accepted(&db.pool).await?;
    let worker = worker(&db.pool).await?;
    Ok(job_claim(&db.pool, worker, 1, None).await?[0].lease)
}

async fn counted(db: &Db, job: Uuid) -> Result<u32> {
    let view = job_status(&db.pool, job)
        .await?
        .context("the job is there")?;
    Ok(view.pages_scraped)
}

both_routes!(
    recording_again_writes_and_counts_nothing_twice,
    async |db| {
        let lease = one_claimed(db, "again.test").await?;
        let mut pages: Vec<_> = (0..5).map(|seq| page(lease, seq)).collect();
        pages[3].state = PageState::Failed;
        pages[3].failure = Some(failure());
        pages[4].state = PageState::Skipped;
        // Once, twice, and overlapping with what is new.
        for known in [3, 5, 5] {
            assert_eq!(page_record(&db.pool, &pages[..known]).await?, [lease.job]);
        }
        // The same page twice in one call.
        page_record(&db.pool, &[page(lease, 5), page(lease, 5)]).await?;
        assert_eq!(counted(db, lease.job).await?, 4);
        let stored = pages_of_job(&db.pool, lease.job, None, 10_000).await?;
        assert_eq!(stored.len(), 6);
        assert_eq!(stored[3].state, PageState::Failed);
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(no_text_can_keep_a_page_from_being_recorded, async |db| {
    let lease = one_claimed(db, "nasty.test").await?;
    let json_string = NASTY
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\0', "\\u0000");
    let mut failure = failure();
    failure.sentence = NASTY.to_owned();
    let nasty = PageRecord {
        url: format!("https://nasty.test/{NASTY}"),
        final_url: Some(NASTY.to_owned()),
        failure: Some(failure.clone()),
        discovered: format!("[\"{json_string}\"]"),
        facts: Some(format!("{{\"title\": \"{json_string}\"}}")),
        ..page(lease, 0)
    };
    assert_eq!(page_record(&db.pool, &[nasty]).await?, [lease.job]);
    let stored = pages_of_job(&db.pool, lease.job, None, 10_000).await?;
    let readable = NASTY.replace('\0', "\u{fffd}");
    assert_eq!(stored[0].url, format!("https://nasty.test/{readable}"));
    assert_eq!(stored[0].final_url.as_deref(), Some(readable.as_str()));
    let titles: Vec<String> = db
        .column("select facts ->> 'title' from trawl.pages", &[])
        .await?;
    assert_eq!(titles, [readable.as_str()]);
    let discovered: Vec<String> = db
        .column("select discovered ->> 0 from trawl.pages", &[])
        .await?;
    assert_eq!(discovered, [readable.as_str()]);

    let ended = EndedJob {
        lease,
        ending: Ending::Complete {
            stop_reason: "frontier_empty",
            result: format!("{{\"title\": \"{json_string}\"}}"),
        },
    };
    assert_eq!(job_finish(&db.pool, &[ended]).await?.len(), 1);
    let lease = one_claimed(db, "nastier.test").await?;
    let ended = EndedJob {
        lease,
        ending: Ending::Failed(failure),
    };
    assert_eq!(job_finish(&db.pool, &[ended]).await?.len(), 1);
    let view = job_status(&db.pool, lease.job)
        .await?
        .context("the job is there")?;
    assert_eq!(view.failure.context("a reason")?.1, readable);
    assert_promises_kept(&db.pool).await
});

both_routes!(
    large_facts_and_thousands_of_small_pages_fit_their_requests,
    async |db| {
        let lease = one_claimed(db, "large.test").await?;
        let facts = format!("{{\"text\": \"{}\"}}", "\\u0000a".repeat(64 * 1024 / 7));
        let large = (0..8).map(|seq| PageRecord {
            facts: Some(facts.clone()),
            ..page(lease, seq)
        });
        let small = (8..5_000).map(|seq| PageRecord {
            url: format!("https://a.b/{seq}"),
            state: PageState::Skipped,
            ..page(lease, seq)
        });
        // Text grows when NULs are replaced.
        let swelling = (5_000..5_400).map(|seq| PageRecord {
            final_url: Some("\0".repeat(900)),
            state: PageState::Skipped,
            ..page(lease, seq)
        });
        let pages: Vec<_> = large.chain(small).chain(swelling).collect();
        let held = page_record(&db.pool, &pages).await?;
        assert_eq!(
            held.into_iter().collect::<HashSet<_>>(),
            HashSet::from([lease.job])
        );
        assert_eq!(counted(db, lease.job).await?, 8);
        assert_eq!(
            pages_of_job(&db.pool, lease.job, None, 10_000).await?.len(),
            5_400
        );
        let slice = pages_of_job(&db.pool, lease.job, Some(4_999), 3).await?;
        let places: Vec<u32> = slice.iter().map(|page| page.seq).collect();
        assert_eq!(places, [5_000, 5_001, 5_002]);
        let end = pages_of_job(&db.pool, lease.job, Some(5_399), 3).await?;
        assert!(end.is_empty());
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(of_several_jobs_the_fenced_one_gets_nothing, async |db| {
    let leases = [
        one_claimed(db, "first.test").await?,
        one_claimed(db, "second.test").await?,
        one_claimed(db, "third.test").await?,
    ];
    job_hand_back(&db.pool, &leases[1..2]).await?;
    let pages: Vec<_> = leases
        .iter()
        .flat_map(|lease| [page(*lease, 0), page(*lease, 1)])
        .collect();
    let held: HashSet<_> = page_record(&db.pool, &pages).await?.into_iter().collect();
    assert_eq!(held, HashSet::from([leases[0].job, leases[2].job]));
    for (lease, pages) in leases.iter().zip([2, 0, 2]) {
        assert_eq!(counted(db, lease.job).await?, pages);
        assert_eq!(
            pages_of_job(&db.pool, lease.job, None, 10_000).await?.len(),
            usize::try_from(pages)?
        );
    }
    assert_promises_kept(&db.pool).await
});

both_routes!(
    of_two_claims_of_one_job_only_the_newer_records,
    async |db| {
        let old = one_claimed(db, "twice.test").await?;
        job_finish(&db.pool, &[retry(old)]).await?;
        let worker = worker(&db.pool).await?;
        let new = job_claim(&db.pool, worker, 1, None).await?[0].lease;
        assert_eq!(old.job, new.job);
        // A worker that got the job again may still have pages of its first claim to record.
        let held = page_record(&db.pool, &[page(old, 0), page(new, 1), page(old, 2)]).await?;
        assert_eq!(held, [new.job]);
        let stored = pages_of_job(&db.pool, new.job, None, 10_000).await?;
        let urls: Vec<_> = stored.iter().map(|page| page.url.as_str()).collect();
        assert_eq!(urls, ["https://site.test/1"]);
        let tokens: Vec<i64> = db.column("select token from trawl.pages", &[]).await?;
        assert_eq!(
            tokens.into_iter().map(FencingToken).collect::<Vec<_>>(),
            [new.token]
        );
        assert_promises_kept(&db.pool).await
    }
);

both_routes!(a_job_resumes_with_what_was_recorded, async |db| {
    let first = one_claimed(db, "resumed.test").await?;
    let mut pages: Vec<_> = (0..3).map(|seq| page(first, seq)).collect();
    pages[1].discovered = r#"{"links": ["https://resumed.test/later"]}"#.to_owned();
    pages[2].state = PageState::Failed;
    page_record(&db.pool, &pages).await?;
    job_hand_back(&db.pool, &[first]).await?;
    let worker = worker(&db.pool).await?;
    let again = job_claim(&db.pool, worker, 1, None).await?;
    assert_eq!(again[0].pages_recorded, 3);
    let stored = pages_of_job(&db.pool, first.job, None, 10_000).await?;
    let urls: Vec<_> = stored.iter().map(|page| page.url.as_str()).collect();
    let expected: Vec<_> = pages.iter().map(|page| page.url.as_str()).collect();
    assert_eq!(urls, expected);
    assert_eq!(stored[1].discovered, pages[1].discovered);
    assert_eq!((stored[2].state, stored[2].depth), (PageState::Failed, 1));
    Ok(())
});

both_routes!(clients_read_all_that_a_page_keeps_in_slices, async |db| {
    let lease = one_claimed(db, "kept.test").await?;
    let whole = PageRecord {
        final_url: Some("https://kept.test/there".to_owned()),
        first_byte: Some(Duration::from_millis(7)),
        etag: Some("W/\"1\0\"".to_owned()),
        last_modified: Some("Tue, 24 Nov 2026 10:00:00 GMT".to_owned()),
        body_hash: Some([7; 16]),
        not_fetched: Some(r#"{"out_of_scope": 3}"#.to_owned()),
        facts: Some(r#"{"title": "T"}"#.to_owned()),
        content: Some(r#"{"text": "a\u0000b"}"#.to_owned()),
        ..page(lease, 1)
    };
    let failed = PageRecord {
        state: PageState::Failed,
        http_status: None,
        failure: Some(failure()),
        ..page(lease, 2)
    };
    page_record(&db.pool, &[page(lease, 0), whole.clone(), failed]).await?;
    let slice = async |after, limit| {
        let pages = pages_view(&db.pool, lease.job, after, limit).await?;
        pages.context("the job is there")
    };
    let places = |pages: &[trawl_persistence::pages::PageView]| {
        pages.iter().map(|page| page.seq).collect::<Vec<_>>()
    };
    assert_eq!(places(&slice(None, 2).await?), [0, 1]);
    assert_eq!(places(&slice(Some(2), 2).await?), [0_u32; 0]);
    let pages = slice(Some(0), 5).await?;
    assert_eq!(places(&pages), [1, 2]);
    let read = &pages[0];
    assert_eq!((&read.url, &read.final_url), (&whole.url, &whole.final_url));
    assert_eq!((read.first_byte_ms, read.duration_ms), (Some(7), 5));
    assert_eq!(read.etag.as_deref(), Some("W/\"1\u{fffd}\""));
    assert_eq!(read.last_modified, whole.last_modified);
    assert_eq!(read.not_fetched, whole.not_fetched);
    assert_eq!(read.facts, whole.facts);
    assert_eq!(read.content.as_deref(), Some("{\"text\": \"a\u{fffd}b\"}"));
    assert_eq!(
        pages[1].failure.as_ref().context("a reason")?.0,
        "dns_not_found"
    );
    assert_eq!(
        (pages[1].http_status, pages[1].state),
        (None, PageState::Failed)
    );

    let stored = &pages_of_job(&db.pool, lease.job, None, 10_000).await?[1];
    assert_eq!(
        (stored.body_hash, stored.body_bytes),
        (whole.body_hash, 1_000)
    );
    assert_eq!(stored.not_fetched, whole.not_fetched);
    assert!(
        pages_view(&db.pool, Uuid::now_v7(), None, 1)
            .await?
            .is_none()
    );
    Ok(())
});

both_routes!(what_an_older_build_discovered_is_read, async |db| {
    Submission::sized("older", 1).accepted(&db.pool).await?;
    let me = worker(&db.pool).await?;
    let lease = job_claim(&db.pool, me, 1, None).await?[0].lease;
    let pages = [
        r#"["https://a.test/"]"#,
        r#"{"links": ["https://b.test/"]}"#,
    ]
    .into_iter()
    .zip(0..)
    .map(|(discovered, seq)| PageRecord {
        discovered: discovered.to_owned(),
        ..page(lease, seq)
    })
    .collect::<Vec<_>>();
    page_record(&db.pool, &pages).await?;
    let read: Vec<_> = pages_of_job(&db.pool, lease.job, None, 10)
        .await?
        .into_iter()
        .map(|page| page.discovered)
        .collect();
    assert_eq!(
        read,
        [
            r#"{"links": ["https://a.test/"]}"#,
            r#"{"links": ["https://b.test/"]}"#
        ]
    );
    Ok(())
});
