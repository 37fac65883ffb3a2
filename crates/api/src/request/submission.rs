//! A submission: what a client asks for, checked and normalized.

use std::iter;
use std::time::Duration;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use trawl_domain::limits::{LimitError, MaxConcurrent, MaxPages};
use trawl_domain::site::SiteAddress;
use trawl_persistence::batches::{BatchKind, NewBatch, NewJob};
use uuid::Uuid;

use super::domains::{Domains, InvalidDomain};
use super::error::RequestError;
use super::fields::Fields;
use super::metadata::Metadata;
use super::options::Options;

const BATCH_FIELDS: &[&str] = &[
    "domains",
    "max_pages",
    "max_concurrent",
    "batch_id",
    "metadata",
    "options",
];

const SCAN_FIELDS: &[&str] = &["base_url", "max_pages", "options"];

/// What a client asks for. A scan is a batch of one domain.
#[derive(Debug)]
pub(crate) struct Submission {
    /// The batch's id: the client's own, or a new one.
    pub(crate) batch: Uuid,
    /// Entries that were not accepted.
    pub(crate) invalid: Vec<InvalidDomain>,
    /// Entries for a site that an earlier entry named.
    pub(crate) duplicates: Vec<String>,
    kind: BatchKind,
    max_pages: MaxPages,
    max_concurrent: MaxConcurrent,
    deadline: Option<Duration>,
    /// JSON text: what is asked of each crawl.
    options: String,
    metadata: String,
    request_hash: [u8; 32],
    jobs: Vec<NewJob>,
    /// The only job of a scan, the first of a batch.
    pub(crate) first_job: Uuid,
}

impl Submission {
    /// Reads the body of `POST …/batch`.
    ///
    /// # Errors
    /// [`RequestError`] naming the field and the rule.
    pub(crate) fn of_batch(body: &[u8]) -> Result<Self, RequestError> {
        let fields = Fields::read(body, BATCH_FIELDS)?;
        let batch = batch_id(fields.get("batch_id"))?.unwrap_or_else(Uuid::now_v7);
        let max_pages = max_pages(&fields)?;
        let max_concurrent = limit(
            fields.get("max_concurrent"),
            MaxConcurrent::DEFAULT,
            MaxConcurrent::new,
        )?;
        let options = Options::read(fields.get("options"))?;
        let metadata = Metadata::read(fields.get("metadata"))?;
        let domains = Domains::read(fields.get("domains"))?;
        let mut submission = Self::new(
            BatchKind::Batch,
            batch,
            max_pages,
            max_concurrent,
            options,
            &metadata,
            domains.sites,
        );
        submission.invalid = domains.invalid;
        submission.duplicates = domains.duplicates;
        Ok(submission)
    }

    /// Reads the body of `POST …/scan`.
    ///
    /// # Errors
    /// [`RequestError`] naming the field and the rule.
    pub(crate) fn of_scan_request(body: &[u8]) -> Result<Self, RequestError> {
        const FIELD: &str = "base_url";
        let fields = Fields::read(body, SCAN_FIELDS)?;
        let max_pages = max_pages(&fields)?;
        let written = fields
            .get(FIELD)
            .ok_or(RequestError::MissingField { field: FIELD })?;
        let text: String = serde_json::from_str(written.get())
            .map_err(|_other_type| RequestError::field(FIELD, "must be a string"))?;
        let site = SiteAddress::parse(&text)
            .map_err(|reason| RequestError::field(FIELD, reason.to_string()))?;
        let options = Options::read(fields.get("options"))?;
        Ok(Self::of_scan(site, max_pages, options))
    }

    /// A scan of one site: a batch of one.
    pub(crate) fn of_scan(site: SiteAddress, max_pages: MaxPages, options: Options) -> Self {
        Self::new(
            BatchKind::Scan,
            Uuid::now_v7(),
            max_pages,
            MaxConcurrent::ONE,
            options,
            &Metadata::none(),
            vec![site],
        )
    }

    fn new(
        kind: BatchKind,
        batch: Uuid,
        max_pages: MaxPages,
        max_concurrent: MaxConcurrent,
        options: Options,
        metadata: &Metadata<'_>,
        sites: Vec<SiteAddress>,
    ) -> Self {
        let request_hash = hash(kind, max_pages, max_concurrent, &options, metadata, &sites);
        let first_job = Uuid::now_v7();
        let ids = iter::once(first_job).chain(iter::repeat_with(Uuid::now_v7));
        let jobs = sites
            .into_iter()
            .zip(ids)
            .map(|(site, id)| NewJob { id, site })
            .collect();
        Self {
            batch,
            invalid: Vec::new(),
            duplicates: Vec::new(),
            kind,
            max_pages,
            max_concurrent,
            deadline: options.deadline,
            options: options.crawl_json(),
            metadata: metadata.text.to_owned(),
            request_hash,
            first_job,
            jobs,
        }
    }

    /// What to store.
    pub(crate) fn to_store(&self, queue_limit: u32) -> NewBatch<'_> {
        NewBatch {
            id: self.batch,
            kind: self.kind,
            max_pages: self.max_pages,
            max_concurrent: self.max_concurrent,
            deadline: self.deadline,
            options: &self.options,
            queue_limit,
            request_hash: self.request_hash,
            metadata: &self.metadata,
            jobs: &self.jobs,
        }
    }

    /// How many jobs it comes to.
    pub(crate) fn job_count(&self) -> usize {
        self.jobs.len()
    }
}

/// Tells a repeated submission from a different one under the same id: the same for every spelling
/// of the same content.
fn hash(
    kind: BatchKind,
    max_pages: MaxPages,
    max_concurrent: MaxConcurrent,
    options: &Options,
    metadata: &Metadata<'_>,
    sites: &[SiteAddress],
) -> [u8; 32] {
    let mut hash = Sha256::new();
    // A line each: none of these texts can contain a line break.
    for line in [
        "trawl request 1",
        kind.as_str(),
        &max_pages.get().to_string(),
        &max_concurrent.get().to_string(),
        &options.normalized(),
        &metadata.normalized,
    ] {
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    for site in sites {
        hash.update(site.start_url().as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().into()
}

fn max_pages(fields: &Fields<'_>) -> Result<MaxPages, RequestError> {
    limit(fields.get("max_pages"), MaxPages::DEFAULT, MaxPages::new)
}

/// Reads a number within its range; whatever else stands there breaks the same rule.
fn limit<T>(
    value: Option<&RawValue>,
    default: T,
    check: impl Fn(i64) -> Result<T, LimitError>,
) -> Result<T, RequestError> {
    let Some(value) = value else {
        return Ok(default);
    };
    let text = value.get();
    let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    match text.parse() {
        Ok(number) => check(number).map_err(RequestError::OutOfRange),
        // A whole number beyond 64 bits is as far out of range as the least one within them.
        Err(_other) if is_number && !text.contains(['.', 'e', 'E']) => {
            check(i64::MIN).map_err(RequestError::OutOfRange)
        }
        Err(_other) => match check(i64::MIN) {
            Ok(value) => Ok(value),
            Err(LimitError { name, min, max, .. }) => Err(RequestError::field(
                name,
                format!("must be a whole number from {min} to {max}"),
            )),
        },
    }
}

/// The id of the batch that a retry makes: the client's own, or a new one. The body may be empty.
///
/// # Errors
/// [`RequestError`] naming the field and the rule.
pub(crate) fn retry_id(body: &[u8]) -> Result<Uuid, RequestError> {
    if body.is_empty() {
        return Ok(Uuid::now_v7());
    }
    let fields = Fields::read(body, &["batch_id"])?;
    Ok(batch_id(fields.get("batch_id"))?.unwrap_or_else(Uuid::now_v7))
}

fn batch_id(value: Option<&RawValue>) -> Result<Option<Uuid>, RequestError> {
    value
        .map(|value| {
            serde_json::from_str::<Uuid>(value.get())
                .map_err(|_other| RequestError::field("batch_id", "must be a UUID"))
        })
        .transpose()
}
