//! Pages: recording them in groups, and reading them back to resume a job.

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use trawl_domain::failure::Failure;
use trawl_domain::page::PageState;
use uuid::Uuid;

use crate::error::ScopeError;
use crate::pool::Pool;
use crate::row::{get, get_count, get_word};
use crate::scope::{REQUEST_BYTES_MAX, SessionScope, Statement};
use crate::text::{clean, clean_json, cleaned_bytes};
use crate::workers::JobLease;

/// One ended page of a claimed job.
#[derive(Debug, Clone)]
pub struct PageRecord {
    /// The job and its token.
    pub lease: JobLease,
    /// Order within the job, from 0.
    pub seq: u32,
    /// Canonical URL, as asked for.
    pub url: String,
    /// URL after redirects, where different.
    pub final_url: Option<String>,
    /// What became of it.
    pub state: PageState,
    /// Links from the start page.
    pub depth: u32,
    /// Status of the last answer.
    pub http_status: Option<u16>,
    /// Decoded bytes of the body.
    pub body_bytes: u64,
    /// From the first request to the last byte.
    pub duration: Duration,
    /// Why it has no content.
    pub failure: Option<Failure>,
    /// JSON text: an array of the in-scope URLs that it was the first of its job to show.
    pub discovered: String,
    /// JSON text: what was extracted.
    pub facts: Option<String>,
}

impl PageRecord {
    /// The most bytes this record takes in a request.
    pub fn bytes(&self) -> usize {
        // A length of 4 bytes for each of its 15 values, and the values of a fixed size.
        const FIXED: usize = 15 * 4 + 71;
        FIXED
            + cleaned_bytes(&self.url)
            + self.final_url.as_deref().map_or(0, cleaned_bytes)
            + self.failure.as_ref().map_or(0, |failure| {
                cleaned_bytes(&failure.sentence) + failure.code.as_str().len()
            })
            + self.discovered.len()
            + self.facts.as_ref().map_or(0, String::len)
    }
}

/// The most bytes of records in one request.
pub const RECORD_BYTES_MAX: usize = REQUEST_BYTES_MAX - 4_000;

const RECORD: Statement =
    Statement::repeatable("page_record", include_str!("../sql/page_record.sql"));
const OF_JOB: Statement =
    Statement::repeatable("pages_of_job", include_str!("../sql/pages_of_job.sql"));

/// Records pages of any number of jobs, in as few requests as their bytes allow, fenced.
///
/// Answers the jobs whose claim is still good; for any other nothing was written, and its worker
/// must drop it. Repeating the call writes and counts nothing twice.
///
/// # Errors
/// [`ScopeError`] of the first request that failed; the call may be repeated whole.
pub async fn page_record(pool: &Pool, pages: &[PageRecord]) -> Result<Vec<Uuid>, ScopeError> {
    let mut held = Vec::new();
    for slice in crate::slices::by_bytes(pages, RECORD_BYTES_MAX, PageRecord::bytes) {
        held.extend(record_slice(pool, slice).await?);
    }
    Ok(held)
}

async fn record_slice(pool: &Pool, pages: &[PageRecord]) -> Result<Vec<Uuid>, ScopeError> {
    fn column<'p, T>(pages: &'p [PageRecord], value: impl Fn(&'p PageRecord) -> T) -> Vec<T> {
        pages.iter().map(value).collect()
    }
    let params = [
        (&column(pages, |page| page.lease.job) as _, Type::UUID_ARRAY),
        (
            &column(pages, |page| page.lease.token.0) as _,
            Type::INT8_ARRAY,
        ),
        (
            &column(pages, |page| url_key(&page.url)) as _,
            Type::BYTEA_ARRAY,
        ),
        (
            &column(pages, |page| page.seq.cast_signed()) as _,
            Type::INT4_ARRAY,
        ),
        (
            &column(pages, |page| clean(&page.url)) as _,
            Type::TEXT_ARRAY,
        ),
        (
            &column(pages, |page| page.final_url.as_deref().map(clean)) as _,
            Type::TEXT_ARRAY,
        ),
        (
            &column(pages, |page| page.state.as_str()) as _,
            Type::TEXT_ARRAY,
        ),
        (
            &column(pages, |page| page.depth.cast_signed()) as _,
            Type::INT4_ARRAY,
        ),
        (
            &column(pages, |page| page.http_status.map(i32::from)) as _,
            Type::INT4_ARRAY,
        ),
        (
            &column(pages, |page| {
                i64::try_from(page.body_bytes).unwrap_or(i64::MAX)
            }) as _,
            Type::INT8_ARRAY,
        ),
        (
            &column(pages, |page| {
                i32::try_from(page.duration.as_millis()).unwrap_or(i32::MAX)
            }) as _,
            Type::INT4_ARRAY,
        ),
        (
            &column(pages, |page| {
                page.failure.as_ref().map(|failure| failure.code.as_str())
            }) as _,
            Type::TEXT_ARRAY,
        ),
        (
            &column(pages, |page| {
                page.failure
                    .as_ref()
                    .map(|failure| clean(&failure.sentence))
            }) as _,
            Type::TEXT_ARRAY,
        ),
        (
            &column(pages, |page| clean_json(&page.discovered)) as _,
            Type::TEXT_ARRAY,
        ),
        (
            &column(pages, |page| page.facts.as_deref().map(clean_json)) as _,
            Type::TEXT_ARRAY,
        ),
    ];
    let rows = SessionScope::once(pool, &RECORD, &params).await?;
    rows.iter().map(|row| get(&RECORD, row, 0)).collect()
}

/// The key of a URL within its job: the first 16 bytes of its SHA-256, so that a long URL does not
/// make a long index entry.
fn url_key(url: &str) -> Vec<u8> {
    Sha256::digest(url.as_bytes())
        .iter()
        .take(16)
        .copied()
        .collect()
}

/// A page as an earlier claim of the job recorded it.
#[derive(Debug, Clone)]
pub struct StoredPage {
    /// Canonical URL, as asked for.
    pub url: String,
    /// URL after redirects, where different.
    pub final_url: Option<String>,
    /// What became of it.
    pub state: PageState,
    /// Links from the start page.
    pub depth: u32,
    /// JSON text: an array of URLs.
    pub discovered: String,
    /// JSON text: what was extracted.
    pub facts: Option<String>,
}

/// The recorded pages of a job, in their order.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn pages_of_job(pool: &Pool, job: Uuid) -> Result<Vec<StoredPage>, ScopeError> {
    let rows = SessionScope::once(pool, &OF_JOB, &[(&job, Type::UUID)]).await?;
    rows.iter().map(read_stored).collect()
}

fn read_stored(row: &Row) -> Result<StoredPage, ScopeError> {
    Ok(StoredPage {
        url: get(&OF_JOB, row, 0)?,
        final_url: get(&OF_JOB, row, 1)?,
        state: get_word(&OF_JOB, row, 2, PageState::from_word)?,
        depth: get_count(&OF_JOB, row, 3)?,
        discovered: get(&OF_JOB, row, 4)?,
        facts: get(&OF_JOB, row, 5)?,
    })
}
