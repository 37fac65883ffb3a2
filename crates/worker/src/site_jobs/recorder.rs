//! Writes the pages of all running jobs in groups, so that commits are not per page.
//!
//! The channel is bounded: while the database is slow, crawls wait instead of filling the memory.
//! A job whose token is stale is told that its lease is lost.

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use trawl_domain::backoff::Backoff;
use trawl_domain::failure::{Failure, FailureCode};
use trawl_domain::page::PageState;
use trawl_persistence::class::ErrorClass;
use trawl_persistence::pages::{PageRecord, RECORD_BYTES_MAX, page_record};
use trawl_persistence::pool::Pool;
use trawl_persistence::workers::JobLease;

use crate::core::chain::Chain;
use crate::core::held::Held;
use crate::core::task::Stop;

/// Pages waiting to be written at most, of all jobs together.
const WAITING_MAX: usize = 256;
/// Pages in one group at most.
const GROUP_MAX: usize = 128;
/// How long a page waits for company: also the most that a crash loses (chosen: at 200 pages a
/// second it makes groups of 20).
const LINGER: Duration = Duration::from_millis(100);
const RETRY: Backoff = Backoff {
    base: Duration::from_millis(200),
    cap: Duration::from_secs(5),
};

enum Message {
    Page(Box<PageRecord>),
    /// Answered when everything sent before it is written or refused.
    Flushed(oneshot::Sender<()>),
}

/// The sending side, shared by all jobs of the process.
#[derive(Clone)]
pub(crate) struct Recorder(mpsc::Sender<Message>);

impl Recorder {
    /// A recorder and the loop that does its work until the last sender is gone.
    pub(crate) fn new(
        pool: Pool,
        held: Held<JobLease>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        (Self(sender), run(pool, held, receiver))
    }

    /// Hands a page over; waits while too many are waiting.
    pub(crate) async fn record(&self, page: PageRecord) {
        // The loop ends only after every sender, so this cannot fail while it can be called.
        let _ = self.0.send(Message::Page(Box::new(page))).await;
    }

    /// Waits until everything handed over so far is written, or refused because its lease is lost.
    pub(crate) async fn flushed(&self) {
        let (done, is_done) = oneshot::channel();
        if self.0.send(Message::Flushed(done)).await.is_ok() {
            let _ = is_done.await;
        }
    }
}

async fn run(pool: Pool, held: Held<JobLease>, mut messages: mpsc::Receiver<Message>) {
    while let Some(first) = messages.recv().await {
        let mut group = Group::default();
        group.push(first);
        let linger = tokio::time::sleep(LINGER);
        tokio::pin!(linger);
        while !group.is_full() {
            tokio::select! {
                () = &mut linger => break,
                received = messages.recv() => match received {
                    Some(message) => group.push(message),
                    None => break,
                },
            }
        }
        write(&pool, &held, group.pages).await;
        for waiting in group.waiting {
            let _ = waiting.send(());
        }
    }
}

#[derive(Default)]
struct Group {
    pages: Vec<PageRecord>,
    bytes: usize,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Group {
    fn push(&mut self, message: Message) {
        match message {
            Message::Page(page) => {
                self.bytes += page.bytes();
                self.pages.push(*page);
            }
            Message::Flushed(waiting) => self.waiting.push(waiting),
        }
    }

    fn is_full(&self) -> bool {
        self.pages.len() >= GROUP_MAX || self.bytes >= RECORD_BYTES_MAX
    }
}

/// Writes pages, however often it takes. A group that the database refuses as wrong is split, so
/// that one bad page cannot hold up the others.
async fn write(pool: &Pool, held: &Held<JobLease>, mut pages: Vec<PageRecord>) {
    if write_until_answered(pool, held, &pages).await.is_ok() {
        return;
    }
    for page in &mut pages {
        if write_until_answered(pool, held, std::slice::from_ref(page))
            .await
            .is_ok()
        {
            continue;
        }
        without_content(page);
        if write_until_answered(pool, held, std::slice::from_ref(page))
            .await
            .is_err()
        {
            tracing::error!(job.id = %page.lease.job, url = page.url, "a page could not be stored");
        }
    }
}

/// A page that the database refused, as a failed page that it takes.
fn without_content(page: &mut PageRecord) {
    page.state = PageState::Failed;
    page.facts = None;
    page.content = None;
    page.discovered = "{}".to_owned();
    page.failure = Some(Failure::new(
        FailureCode::Internal,
        "The page could not be stored; the log of the service says why.",
    ));
}

/// Tries again while that can help; `Err` when the database refuses the pages themselves.
async fn write_until_answered(
    pool: &Pool,
    held: &Held<JobLease>,
    pages: &[PageRecord],
) -> Result<(), ()> {
    if pages.is_empty() {
        return Ok(());
    }
    let mut failures = 0;
    loop {
        let error = match page_record(pool, pages).await {
            Ok(current) => {
                stop_lost(held, pages, &current.into_iter().collect());
                return Ok(());
            }
            Err(error) => error,
        };
        match error.class() {
            ErrorClass::Bug | ErrorClass::Conflict => {
                tracing::error!(count = pages.len(), error = %Chain(&error), "the database refuses pages");
                return Err(());
            }
            ErrorClass::Retryable
            | ErrorClass::RetryLater
            | ErrorClass::OutcomeUnknown
            | ErrorClass::Permanent => {
                failures += 1;
                tracing::warn!(
                    count = pages.len(),
                    failures,
                    error = %Chain(&error),
                    "cannot record pages yet; trying again"
                );
                tokio::time::sleep(RETRY.delay(failures, rand::random())).await;
            }
        }
    }
}

/// Tells the jobs that the database no longer counts as ours.
fn stop_lost(held: &Held<JobLease>, pages: &[PageRecord], current: &HashSet<uuid::Uuid>) {
    let lost: HashSet<JobLease> = pages
        .iter()
        .map(|page| page.lease)
        .filter(|lease| !current.contains(&lease.job))
        .collect();
    if !lost.is_empty() {
        tracing::warn!(
            count = lost.len(),
            "leases were lost: nothing was written for them"
        );
        held.stop_where(Stop::Lost, |lease| lost.contains(lease));
    }
}
