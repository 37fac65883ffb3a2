//! The result of a scan on stdout: one JSON document, the status of the job.
//!
//! Where the pages are wanted it has them too, a line each, as `GET …/status/{job_id}/pages` has
//! them. They are read a slice at a time and never in memory together.

use std::io::{self, Write};

use anyhow::Context as _;
use serde_json::Value;
use trawl_persistence::jobs::{JobView, job_attempts};
use trawl_persistence::pages::{PageView, pages_view};
use trawl_persistence::pool::Pool;

use super::patiently;
use crate::routes::job_pages::Page;
use crate::routes::job_status::JobStatus;

/// Pages read at once: as many as the API answers where nobody says how many.
const SLICE_PAGES: u32 = 25;

/// How a pretty document ends.
const END: &[u8] = b"\n}";

/// Writes the result of a job that has ended.
pub(super) async fn write(pool: &Pool, job: &JobView, wants_pages: bool) -> anyhow::Result<()> {
    let id = job.id;
    let attempts = patiently("the attempts at the scan", async || {
        job_attempts(pool, id).await
    })
    .await?;
    let status = JobStatus::of(job, &attempts, serde_json::from_str::<Value>)?;
    let document = serde_json::to_vec_pretty(&status)?;
    put(document.strip_suffix(END).unwrap_or(&document))?;
    if wants_pages {
        put(b",\n  \"pages\": [")?;
        let mut after = None;
        loop {
            let pages = patiently("the pages of the scan", async || {
                pages_view(pool, id, after, SLICE_PAGES).await
            });
            let pages = pages.await?.unwrap_or_default();
            let Some(last) = pages.last() else { break };
            put(&lines(&pages, after.is_none())?)?;
            after = Some(last.seq);
        }
        put(b"\n  ]")?;
    }
    put(END)?;
    put(b"\n")
}

/// Pages as the next elements of a list, which may be the first.
fn lines(pages: &[PageView], begins: bool) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut separator: &[u8] = if begins { b"\n    " } else { b",\n    " };
    for page in pages {
        text.extend_from_slice(separator);
        serde_json::to_writer(&mut text, &Page::of(page)?)?;
        separator = b",\n    ";
    }
    Ok(text)
}

fn put(text: &[u8]) -> anyhow::Result<()> {
    io::stdout()
        .write_all(text)
        .context("write the result to stdout")
}
