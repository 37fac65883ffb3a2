//! Pages: recording them in groups, and reading them back, to resume a job and for clients.

use std::time::Duration;

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
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
    /// JSON text: an object of the in-scope URLs that it was the first of its job to show.
    pub discovered: String,
    /// JSON text: what was extracted.
    pub facts: Option<String>,
    /// From the last request to the head of its answer.
    pub first_byte: Option<Duration>,
    /// `ETag` of the answer, as sent.
    pub etag: Option<String>,
    /// `Last-Modified` of the answer, as sent.
    pub last_modified: Option<String>,
    /// First 16 bytes of the SHA-256 of the decoded body.
    pub body_hash: Option<[u8; 16]>,
    /// JSON text: an object of how many URLs it named that are never fetched, by reason.
    pub not_fetched: Option<String>,
    /// JSON text: the formats that were asked for.
    pub content: Option<String>,
}

impl PageRecord {
    /// The most bytes this record takes in a request.
    pub fn bytes(&self) -> usize {
        // A length of 4 bytes for each of its 21 values, and the values of a fixed size.
        const FIXED: usize = 21 * 4 + 91;
        let text = |text: &Option<String>| text.as_deref().map_or(0, cleaned_bytes);
        let json = |json: &Option<String>| json.as_ref().map_or(0, String::len);
        FIXED
            + cleaned_bytes(&self.url)
            + text(&self.final_url)
            + text(&self.etag)
            + text(&self.last_modified)
            + self.failure.as_ref().map_or(0, |failure| {
                cleaned_bytes(&failure.sentence) + failure.code.as_str().len()
            })
            + self.discovered.len()
            + json(&self.facts)
            + json(&self.not_fetched)
            + json(&self.content)
    }
}

/// The most bytes of records in one request.
pub const RECORD_BYTES_MAX: usize = REQUEST_BYTES_MAX - 4_000;

const RECORD: Statement =
    Statement::repeatable("page_record", include_str!("../sql/page_record.sql"));
const OF_JOB: Statement =
    Statement::repeatable("pages_of_job", include_str!("../sql/pages_of_job.sql"));
const VIEW: Statement = Statement::repeatable("pages_view", include_str!("../sql/pages_view.sql"));

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
            &column(pages, |page| millis(page.duration)) as _,
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
        (
            &column(pages, |page| page.first_byte.map(millis)) as _,
            Type::INT4_ARRAY,
        ),
        (
            &column(pages, |page| page.etag.as_deref().map(clean)) as _,
            Type::TEXT_ARRAY,
        ),
        (
            &column(pages, |page| page.last_modified.as_deref().map(clean)) as _,
            Type::TEXT_ARRAY,
        ),
        (
            &column(pages, |page| {
                page.body_hash.as_ref().map(<[u8; 16]>::as_slice)
            }) as _,
            Type::BYTEA_ARRAY,
        ),
        (
            &column(pages, |page| page.not_fetched.as_deref().map(clean_json)) as _,
            Type::TEXT_ARRAY,
        ),
        (
            &column(pages, |page| page.content.as_deref().map(clean_json)) as _,
            Type::TEXT_ARRAY,
        ),
    ];
    let rows = SessionScope::once(pool, &RECORD, &params).await?;
    rows.iter().map(|row| get(&RECORD, row, 0)).collect()
}

fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
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
    /// Its place in the job.
    pub seq: u32,
    /// Canonical URL, as asked for.
    pub url: String,
    /// URL after redirects, where different.
    pub final_url: Option<String>,
    /// What became of it.
    pub state: PageState,
    /// Links from the start page.
    pub depth: u32,
    /// See [`PageRecord::discovered`].
    pub discovered: String,
    /// JSON text: what was extracted.
    pub facts: Option<String>,
    /// See [`PageRecord::body_bytes`].
    pub body_bytes: u64,
    /// See [`PageRecord::duration`].
    pub duration: Duration,
    /// See [`PageRecord::body_hash`].
    pub body_hash: Option<[u8; 16]>,
    /// See [`PageRecord::not_fetched`].
    pub not_fetched: Option<String>,
    /// When it was recorded.
    pub recorded_at: OffsetDateTime,
}

/// Up to `limit` recorded pages of a job in their order, after the one in place `after`.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn pages_of_job(
    pool: &Pool,
    job: Uuid,
    after: Option<u32>,
    limit: u32,
) -> Result<Vec<StoredPage>, ScopeError> {
    let params = [
        (&job as _, Type::UUID),
        (&place(after) as _, Type::INT4),
        (&i64::from(limit) as _, Type::INT8),
    ];
    let rows = SessionScope::once(pool, &OF_JOB, &params).await?;
    rows.iter().map(read_stored).collect()
}

/// The place after which a slice begins; the first page has 0.
fn place(after: Option<u32>) -> i32 {
    after.map_or(-1, |seq| i32::try_from(seq).unwrap_or(i32::MAX))
}

fn read_stored(row: &Row) -> Result<StoredPage, ScopeError> {
    Ok(StoredPage {
        url: get(&OF_JOB, row, 0)?,
        final_url: get(&OF_JOB, row, 1)?,
        state: get_word(&OF_JOB, row, 2, PageState::from_word)?,
        depth: get_count(&OF_JOB, row, 3)?,
        discovered: get(&OF_JOB, row, 4)?,
        facts: get(&OF_JOB, row, 5)?,
        body_bytes: get_bytes(&OF_JOB, row, 6)?,
        body_hash: get::<Option<&[u8]>>(&OF_JOB, row, 7)?.and_then(|hash| hash.try_into().ok()),
        not_fetched: get(&OF_JOB, row, 8)?,
        duration: Duration::from_millis(u64::from(get_count(&OF_JOB, row, 9)?)),
        seq: get_count(&OF_JOB, row, 10)?,
        recorded_at: get(&OF_JOB, row, 11)?,
    })
}

/// A page as clients read it.
#[derive(Debug, Clone)]
pub struct PageView {
    /// Its place in the job, from 0.
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
    pub http_status: Option<u32>,
    /// Decoded bytes of the body.
    pub body_bytes: u64,
    /// From the first request to the last byte, in milliseconds.
    pub duration_ms: u32,
    /// From the last request to the head of its answer, in milliseconds.
    pub first_byte_ms: Option<u32>,
    /// `ETag` of the answer.
    pub etag: Option<String>,
    /// `Last-Modified` of the answer.
    pub last_modified: Option<String>,
    /// Stable code and sentence of why it has no content.
    pub failure: Option<(String, String)>,
    /// JSON text: see [`PageRecord::not_fetched`].
    pub not_fetched: Option<String>,
    /// JSON text: what was extracted.
    pub facts: Option<String>,
    /// JSON text: see [`PageRecord::content`].
    pub content: Option<String>,
    /// When it was recorded.
    pub recorded_at: OffsetDateTime,
}

/// Up to `limit` pages of a job in their order, after the one in place `after`; `None` where there
/// is no such job.
///
/// # Errors
/// [`ScopeError`] of the statement.
pub async fn pages_view(
    pool: &Pool,
    job: Uuid,
    after: Option<u32>,
    limit: u32,
) -> Result<Option<Vec<PageView>>, ScopeError> {
    let params = [
        (&job as _, Type::UUID),
        (&place(after) as _, Type::INT4),
        (&i64::from(limit) as _, Type::INT8),
    ];
    let rows = SessionScope::once(pool, &VIEW, &params).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut pages = Vec::with_capacity(rows.len());
    for row in &rows {
        if get::<Option<i32>>(&VIEW, row, 0)?.is_some() {
            pages.push(read_page(row)?);
        }
    }
    Ok(Some(pages))
}

fn read_page(row: &Row) -> Result<PageView, ScopeError> {
    let code: Option<String> = get(&VIEW, row, 11)?;
    let sentence: Option<String> = get(&VIEW, row, 12)?;
    let count =
        |index| Ok(get::<Option<i32>>(&VIEW, row, index)?.map(|n| u32::try_from(n).unwrap_or(0)));
    Ok(PageView {
        seq: get_count(&VIEW, row, 0)?,
        url: get(&VIEW, row, 1)?,
        final_url: get(&VIEW, row, 2)?,
        state: get_word(&VIEW, row, 3, PageState::from_word)?,
        depth: get_count(&VIEW, row, 4)?,
        http_status: count(5)?,
        body_bytes: get_bytes(&VIEW, row, 6)?,
        duration_ms: get_count(&VIEW, row, 7)?,
        first_byte_ms: count(8)?,
        etag: get(&VIEW, row, 9)?,
        last_modified: get(&VIEW, row, 10)?,
        failure: code.zip(sentence),
        not_fetched: get(&VIEW, row, 13)?,
        facts: get(&VIEW, row, 14)?,
        content: get(&VIEW, row, 15)?,
        recorded_at: get(&VIEW, row, 16)?,
    })
}

fn get_bytes(statement: &Statement, row: &Row, index: usize) -> Result<u64, ScopeError> {
    let bytes: i64 = get(statement, row, index)?;
    Ok(u64::try_from(bytes).unwrap_or(0))
}
