//! The runner, with a task that keeps its units in memory: what it guarantees for any kind of work.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use trawl_domain::failure::{Failure, FailureCode};
use trawl_persistence::error::ScopeError;
use trawl_test_support::wait::wait_until;
use trawl_worker::core::held::Held;
use trawl_worker::core::runner::{DrainLimits, Runner};
use trawl_worker::core::task::{Ended, Outcome, Stop, Task};

const PATIENCE: Duration = Duration::from_secs(20);

/// What a unit does when it is worked on.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Succeed,
    Fail,
    Panic,
    /// Never ends by itself.
    Hang,
}

#[derive(Default)]
struct Shelf {
    waiting: Mutex<VecDeque<(usize, Deed)>>,
    running: AtomicUsize,
    peak: AtomicUsize,
    ended: Mutex<Vec<(usize, String)>>,
    refused_starts: AtomicUsize,
    refused_finishes: AtomicUsize,
    /// The unit whose success the store refuses as wrong.
    unstorable: Option<usize>,
}

struct Unit(usize, Deed);

fn refused(statement: &'static str) -> ScopeError {
    ScopeError::PoolBusy {
        limit: Duration::from_secs(statement.len() as u64),
    }
}

/// Counts a unit as running for as long as it lives.
struct Running<'s>(&'s AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Task for Shelf {
    type Item = Unit;
    type Key = usize;
    type Output = ();
    const NAME: &'static str = "shelf";

    fn key(unit: &Unit) -> usize {
        unit.0
    }

    async fn start(&self, want: u32) -> Result<Vec<Unit>, ScopeError> {
        if self.refused_starts.load(Ordering::SeqCst) > 0 {
            self.refused_starts.fetch_sub(1, Ordering::SeqCst);
            return Err(refused("start"));
        }
        let mut waiting = self.waiting.lock().unwrap();
        let take = waiting.len().min(want as usize);
        Ok(waiting
            .drain(..take)
            .map(|(number, deed)| Unit(number, deed))
            .collect())
    }

    async fn work(&self, unit: &Unit) -> Result<(), Failure> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(running, Ordering::SeqCst);
        let _running = Running(&self.running);
        tokio::task::yield_now().await;
        match unit.1 {
            Deed::Succeed => Ok(()),
            Deed::Fail => Err(Failure::new(FailureCode::ConnectRefused, "refused")),
            Deed::Panic => panic!("on purpose"),
            Deed::Hang => std::future::pending().await,
        }
    }

    async fn finish(&self, ended: &[Ended<Self>]) -> Result<(), ScopeError> {
        if self.refused_finishes.load(Ordering::SeqCst) > 0 {
            self.refused_finishes.fetch_sub(1, Ordering::SeqCst);
            return Err(refused("finish"));
        }
        let wrong = |one: &Ended<Self>| {
            Some(one.item.0) == self.unstorable && matches!(one.outcome, Outcome::Done(()))
        };
        if ended.iter().any(wrong) {
            return Err(ScopeError::UnknownWord {
                statement: "finish",
                word: "odd".to_owned(),
            });
        }
        let mut written = self.ended.lock().unwrap();
        for one in ended {
            let word = match &one.outcome {
                Outcome::Done(()) => "done".to_owned(),
                Outcome::Failed(failure) => failure.code.as_str().to_owned(),
                Outcome::Stopped(stop) => format!("{stop:?}"),
            };
            written.push((one.item.0, word));
        }
        Ok(())
    }
}

impl Shelf {
    fn with(deeds: impl IntoIterator<Item = Deed>) -> Self {
        let waiting = deeds.into_iter().enumerate().collect();
        Self {
            waiting: Mutex::new(waiting),
            ..Self::default()
        }
    }

    fn ended(&self) -> Vec<(usize, String)> {
        let mut ended = self.ended.lock().unwrap().clone();
        ended.sort();
        ended
    }
}

const LIMITS: DrainLimits = DrainLimits {
    grace: Duration::from_millis(50),
    total: Duration::from_secs(20),
};

/// Runs the shelf until `enough`, drains, and answers what was written.
async fn run_until(
    shelf: Shelf,
    capacity: u32,
    enough: impl Fn(&Shelf) -> bool,
) -> (Arc<Shelf>, Vec<(usize, String)>) {
    let shelf = Arc::new(shelf);
    let stop = CancellationToken::new();
    let runner = Runner::new(Arc::clone(&shelf), Held::default(), capacity);
    let running = tokio::spawn(runner.run(stop.clone(), LIMITS));
    wait_until("the shelf to be worked off", PATIENCE, async || {
        enough(&shelf)
    })
    .await
    .unwrap();
    stop.cancel();
    running.await.unwrap().unwrap();
    let ended = shelf.ended();
    (shelf, ended)
}

fn words(ended: &[(usize, String)]) -> Vec<&str> {
    ended.iter().map(|(_, word)| word.as_str()).collect()
}

#[tokio::test]
async fn a_success_a_failure_and_a_panic_are_all_written_once() {
    let shelf = Shelf::with([Deed::Succeed, Deed::Fail, Deed::Panic, Deed::Succeed]);
    let (_, ended) = run_until(shelf, 2, |shelf| shelf.ended().len() == 4).await;
    assert_eq!(
        words(&ended),
        ["done", "connect_refused", "work_panicked", "done"]
    );
}

#[tokio::test]
async fn the_slots_are_never_exceeded_and_all_used() {
    let shelf = Shelf::with(std::iter::repeat_n(Deed::Succeed, 500));
    let (shelf, ended) = run_until(shelf, 7, |shelf| shelf.ended().len() == 500).await;
    assert_eq!(ended.len(), 500);
    assert_eq!(shelf.peak.load(Ordering::SeqCst), 7);
}

#[tokio::test]
async fn errors_of_start_and_finish_are_tried_again_until_they_pass() {
    let shelf = Shelf::with([Deed::Succeed, Deed::Fail]);
    shelf.refused_starts.store(2, Ordering::SeqCst);
    shelf.refused_finishes.store(2, Ordering::SeqCst);
    let (_, ended) = run_until(shelf, 4, |shelf| shelf.ended().len() == 2).await;
    assert_eq!(words(&ended), ["done", "connect_refused"]);
}

#[tokio::test]
async fn an_ending_that_the_store_refuses_becomes_a_failure_and_holds_up_no_other() {
    let mut shelf = Shelf::with(std::iter::repeat_n(Deed::Succeed, 5));
    shelf.unstorable = Some(3);
    let (_, ended) = run_until(shelf, 5, |shelf| shelf.ended().len() == 5).await;
    assert_eq!(words(&ended), ["done", "done", "done", "internal", "done"]);
}

#[tokio::test]
async fn a_drain_takes_nothing_more_and_hands_back_what_does_not_end() {
    let shelf = Shelf::with([Deed::Hang, Deed::Hang, Deed::Succeed]);
    let (shelf, ended) =
        run_until(shelf, 2, |shelf| shelf.running.load(Ordering::SeqCst) == 2).await;
    assert_eq!(
        words(&ended),
        [
            format!("{:?}", Stop::HandBack),
            format!("{:?}", Stop::HandBack)
        ]
    );
    assert_eq!(
        shelf.waiting.lock().unwrap().len(),
        1,
        "the third was never taken"
    );
    assert_eq!(shelf.running.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn stopping_one_unit_stops_that_one() {
    let shelf = Arc::new(Shelf::with([Deed::Hang, Deed::Hang]));
    let stop = CancellationToken::new();
    let held = Held::default();
    let runner = Runner::new(Arc::clone(&shelf), held.clone(), 2);
    let running = tokio::spawn(runner.run(stop.clone(), LIMITS));
    wait_until("both to run", PATIENCE, async || held.keys().len() == 2)
        .await
        .unwrap();
    held.stop_where(Stop::Cancelled, |key| *key == 1);
    wait_until("one to end", PATIENCE, async || !shelf.ended().is_empty())
        .await
        .unwrap();
    assert_eq!(shelf.ended(), [(1, "Cancelled".to_owned())]);
    assert_eq!(held.keys(), [0]);
    stop.cancel();
    running.await.unwrap().unwrap();
    assert!(held.keys().is_empty());
}
