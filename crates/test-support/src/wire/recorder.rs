//! What all conversations through a proxy add up to.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::report::{LogEntry, Violation, WireReport};

/// How many events are kept for looking at a failure.
const LOG_ENTRIES: usize = 2_000;

/// How many violations are kept; a client that is wrong at every turn would fill the memory.
const KEPT_VIOLATIONS: usize = 1_000;

/// The one place that conversations write to.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    records: Mutex<Records>,
}

#[derive(Debug, Default)]
struct Records {
    report: WireReport,
    log: VecDeque<LogEntry>,
}

impl Recorder {
    pub(super) fn report(&self) -> WireReport {
        self.lock().report.clone()
    }

    pub(super) fn entries(&self) -> Vec<LogEntry> {
        self.lock().log.iter().cloned().collect()
    }

    pub(super) fn reset(&self) {
        *self.lock() = Records::default();
    }

    pub(super) fn count(&self, count: impl FnOnce(&mut WireReport)) {
        count(&mut self.lock().report);
    }

    pub(super) fn violation(&self, violation: Violation) {
        let violations = &mut self.lock().report.violations;
        if violations.len() < KEPT_VIOLATIONS {
            violations.push(violation);
        }
    }

    pub(super) fn log(&self, entry: LogEntry) {
        let log = &mut self.lock().log;
        if log.len() == LOG_ENTRIES {
            log.pop_front();
        }
        log.push_back(entry);
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
