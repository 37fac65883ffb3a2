//! What the nemesis is going to do, and when: a pure function of a seed.

use std::fmt;
use std::time::Duration;
use trawl_test_support::dice::Dice;

/// Time between two deeds, in milliseconds (chosen: less than a lease, so that troubles overlap).
const PAUSE_MILLIS: std::ops::RangeInclusive<usize> = 200..=1_200;

/// How long a killed process stays away, as a supervisor would take to notice, in milliseconds.
const ABSENCE_MILLIS: std::ops::RangeInclusive<usize> = 200..=2_500;

/// How long a worker is stopped: beyond its lease of two seconds, so that it wakes up as a zombie.
const SLEEP_MILLIS: std::ops::RangeInclusive<usize> = 2_500..=5_000;

/// How PostgreSQL goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shutdown {
    /// SIGINT: transactions are rolled back, clients are told.
    Fast,
    /// SIGQUIT: nobody is told, the next start recovers.
    Immediate,
}

/// Where a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// The server never sees the request.
    Before,
    /// Nobody knows.
    During,
    /// The server has done it; the answer is lost.
    After,
    /// As [`Cut::After`], but nothing is closed.
    Silence,
}

/// One thing that the nemesis does. Numbers are those of workers and API processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    KillWorker(usize),
    StartWorker(usize),
    SuspendWorker(usize),
    ResumeWorker(usize),
    DrainWorker(usize),
    KillApi(usize),
    StartApi(usize),
    RestartPostgres(Shutdown),
    RestartPooler,
    TerminateBackends,
    FillPool,
    CutAllConnections,
    CutIdleConnections,
    SilenceConnections,
    /// The next requests, so many, are late by this time.
    DelayRequests(usize, Duration),
    /// The next COMMIT breaks.
    CutCommit(Cut),
    /// Some request soon breaks: after so many others.
    CutRequest(Cut, usize),
}

/// A deed and its time since the start of the storm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) at: Duration,
    pub(super) deed: Deed,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:7.2} s  {:?}", self.at.as_secs_f64(), self.deed)
    }
}

/// The steps of a storm of this length, in their order.
///
/// What is taken away comes back, even if after the end of the storm: a supervisor starts killed
/// processes, and a stopped one is woken up.
pub(super) fn plan(seed: u64, length: Duration, workers: usize, apis: usize) -> Vec<Step> {
    let mut planner = Planner {
        dice: Dice::of(seed, 0),
        steps: Vec::new(),
        workers_away: vec![Duration::ZERO; workers],
        apis_away: vec![Duration::ZERO; apis],
    };
    let mut now = Duration::from_secs(1);
    while now < length {
        planner.add(now);
        now += planner.dice.millis(PAUSE_MILLIS);
    }
    planner.steps.sort_by_key(|step| step.at);
    planner.steps
}

struct Planner {
    dice: Dice,
    steps: Vec<Step>,
    /// When each is back.
    workers_away: Vec<Duration>,
    apis_away: Vec<Duration>,
}

impl Planner {
    fn add(&mut self, at: Duration) {
        const CUTS: [Cut; 4] = [Cut::Before, Cut::During, Cut::After, Cut::Silence];
        // As often as they stand here. What stops everything is rare, or nothing would go on that
        // could break.
        match self.dice.below(24) {
            0..=3 => self.worker_down(at, Deed::KillWorker, Deed::StartWorker, ABSENCE_MILLIS),
            4..=6 => self.worker_down(at, Deed::SuspendWorker, Deed::ResumeWorker, SLEEP_MILLIS),
            7 => self.worker_down(at, Deed::DrainWorker, Deed::StartWorker, ABSENCE_MILLIS),
            8..=9 => self.api_down(at),
            10 => self.push(at, Deed::RestartPostgres(Shutdown::Fast)),
            11 => self.push(at, Deed::RestartPostgres(Shutdown::Immediate)),
            12 => self.push(at, Deed::RestartPooler),
            13..=14 => self.push(at, Deed::TerminateBackends),
            15 => self.push(at, Deed::FillPool),
            16..=17 => self.push(at, Deed::CutAllConnections),
            18 => self.push(at, Deed::CutIdleConnections),
            19 => self.push(at, Deed::SilenceConnections),
            20 => {
                let (count, late) = (1 + self.dice.below(40), self.dice.millis(20..=900));
                self.push(at, Deed::DelayRequests(count, late));
            }
            21 => {
                let cut = self.dice.choose(&CUTS).copied().unwrap_or(Cut::After);
                self.push(at, Deed::CutCommit(cut));
            }
            _ => {
                let cut = self.dice.choose(&CUTS).copied().unwrap_or(Cut::After);
                let after = self.dice.below(8);
                self.push(at, Deed::CutRequest(cut, after));
            }
        }
    }

    fn worker_down(
        &mut self,
        at: Duration,
        down: fn(usize) -> Deed,
        up: fn(usize) -> Deed,
        millis: std::ops::RangeInclusive<usize>,
    ) {
        let back = at + self.dice.millis(millis);
        if let Some(number) = take_one(&mut self.dice, &mut self.workers_away, at, back) {
            self.push(at, down(number));
            self.push(back, up(number));
        }
    }

    fn api_down(&mut self, at: Duration) {
        let back = at + self.dice.millis(ABSENCE_MILLIS);
        if let Some(number) = take_one(&mut self.dice, &mut self.apis_away, at, back) {
            self.push(at, Deed::KillApi(number));
            self.push(back, Deed::StartApi(number));
        }
    }

    fn push(&mut self, at: Duration, deed: Deed) {
        self.steps.push(Step { at, deed });
    }
}

/// One that is there, away from now on until `back`; all of them may be away at once.
fn take_one(dice: &mut Dice, away: &mut [Duration], at: Duration, back: Duration) -> Option<usize> {
    let here: Vec<usize> = (0..away.len()).filter(|index| away[*index] <= at).collect();
    let number = dice.choose(&here).copied()?;
    away[number] = back;
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(600);

    #[test]
    fn a_seed_is_a_plan() {
        assert_eq!(plan(3, LENGTH, 3, 2), plan(3, LENGTH, 3, 2));
        assert_ne!(plan(3, LENGTH, 3, 2), plan(4, LENGTH, 3, 2));
    }

    #[test]
    fn a_shorter_storm_is_the_beginning_of_a_longer_one() {
        let short = plan(5, Duration::from_secs(20), 3, 2);
        let long = plan(5, LENGTH, 3, 2);
        assert!(short.iter().all(|step| long.contains(step)));
    }

    #[test]
    fn whoever_goes_comes_back_before_going_again() {
        let mut here = [true; 3];
        for step in plan(1, LENGTH, 3, 2) {
            let (number, is_back) = match step.deed {
                Deed::KillWorker(number)
                | Deed::SuspendWorker(number)
                | Deed::DrainWorker(number) => (number, false),
                Deed::StartWorker(number) | Deed::ResumeWorker(number) => (number, true),
                _ => continue,
            };
            assert_ne!(here[number], is_back, "{step}");
            here[number] = is_back;
        }
        assert_eq!(here, [true; 3]);
    }

    #[test]
    fn the_short_storm_has_what_matters_most() {
        let short = crate::chaos::SHORT;
        let length = Duration::from_secs_f64(short.minutes * 60.0);
        let steps = plan(short.seed.unwrap(), length, 3, 2);
        let has = |wanted: fn(&Deed) -> bool| steps.iter().any(|step| wanted(&step.deed));
        assert!(has(|deed| matches!(deed, Deed::KillWorker(_))));
        assert!(has(|deed| matches!(deed, Deed::SuspendWorker(_))));
        assert!(has(|deed| matches!(deed, Deed::RestartPostgres(_))));
        assert!(has(|deed| matches!(deed, Deed::RestartPooler)));
        assert!(has(|deed| matches!(deed, Deed::CutAllConnections)));
        assert!(has(|deed| matches!(
            deed,
            Deed::CutCommit(_) | Deed::CutRequest(..)
        )));
        assert!(!has(|deed| matches!(deed, Deed::SilenceConnections)));
    }

    #[test]
    fn a_long_storm_has_every_kind_of_deed() {
        let words: std::collections::BTreeSet<String> = plan(2, LENGTH, 3, 2)
            .iter()
            .map(|step| {
                let word = format!("{:?}", step.deed);
                word.split('(').next().unwrap_or_default().to_owned()
            })
            .collect();
        assert_eq!(words.len(), 17, "{words:?}");
    }
}
