//! What the tables say: the schema, the queue, the promises.

use std::time::Duration;

use trawl_persistence::audit;
use trawl_persistence::error::ScopeError;
use trawl_persistence::migrate::{self, MigrateError, MigrationStatus};
use trawl_persistence::pool::Pool;
use trawl_persistence::queue::{QueueView, queue_view};

use super::promises;
use super::report::{Finding, State};
use crate::config::HumanDuration;
use trawl_worker::core::chain::Chain;

/// How long due work may wait while a worker lives and nothing moves (chosen: workers look for work
/// at least every few seconds).
const STANDSTILL: Duration = Duration::from_secs(60);

/// For the audit, which reads every row (chosen: `trawl audit` has more).
const AUDIT_LIMIT: Duration = Duration::from_secs(60);

/// What to do about rows that cannot be read.
const UNREADABLE: &str = "see the log of the server; the role must own or be granted the schema \
                          `trawl`; where there are very many rows, `trawl audit` has more time";

/// Looks at the schema, and at the rows only where it is ours.
pub(super) async fn findings(pool: &Pool) -> Vec<Finding> {
    let migrations = migrations(migrate::status(pool).await);
    if migrations.state != State::Ok {
        return vec![migrations];
    }
    let queue = match queue_view(pool).await {
        Ok(view) => queue(&view),
        Err(error) => unreadable("queue", &error),
    };
    let audit = match audit::audit_within(pool, AUDIT_LIMIT).await {
        Ok(lines) => promises::finding(&lines),
        Err(error) => unreadable("audit", &error),
    };
    vec![migrations, queue, audit]
}

fn migrations(status: Result<Vec<MigrationStatus>, MigrateError>) -> Finding {
    let name = "migrations";
    match status {
        Ok(status) => {
            let missing: Vec<_> = status
                .iter()
                .filter(|migration| !migration.applied)
                .map(|migration| migration.name)
                .collect();
            let finding = if missing.is_empty() {
                Finding::ok(name, format!("all {} are applied", status.len()))
            } else {
                Finding::fail(
                    name,
                    format!("{} are missing: {}", missing.len(), missing.join(", ")),
                    "run `trawl migrate`, or start `trawl serve` or `trawl worker`, which apply \
                     them; queue and promises were not looked at",
                )
            };
            finding.with("known", status.len()).with("missing", missing)
        }
        Err(error @ MigrateError::Newer { .. }) => Finding::fail(
            name,
            Chain(&error).to_string(),
            "use a version of Trawl that is at least as new as the database",
        ),
        Err(error @ MigrateError::Edited { .. }) => Finding::fail(
            name,
            Chain(&error).to_string(),
            "use the version of Trawl that migrated this database, or one that follows it",
        ),
        Err(error @ (MigrateError::Scope { .. } | MigrateError::Missing { .. })) => Finding::fail(
            name,
            Chain(&error).to_string(),
            "let the role read the schema `trawl`; see the log of the server for more",
        ),
    }
}

fn queue(view: &QueueView) -> Finding {
    let name = "queue";
    let QueueView {
        due,
        later,
        paused,
        running,
        live_batches,
        live_workers,
        oldest_due,
    } = *view;
    let age = HumanDuration(Duration::from_secs(oldest_due.as_secs()));
    let mut found = format!(
        "{live_batches} batches under way: {due} domains are due, {later} later, {paused} paused, \
         {running} running, by {live_workers} workers"
    );
    if due > 0 {
        found.push_str(&format!("; the oldest has been due for {age}"));
    }
    let finding = if due > 0 && live_workers == 0 {
        Finding::warn(
            name,
            found,
            "no worker lives: start `trawl worker`, or `trawl serve` without --no-worker",
        )
    } else if due > 0 && running == 0 && oldest_due > STANDSTILL {
        Finding::warn(
            name,
            found,
            "workers live and take nothing: see their logs for what keeps them from claiming",
        )
    } else {
        Finding::ok(name, found)
    };
    finding
        .with("due", due)
        .with("later", later)
        .with("paused", paused)
        .with("running", running)
        .with("live_batches", live_batches)
        .with("live_workers", live_workers)
        .with("oldest_due_seconds", oldest_due.as_secs_f64())
}

fn unreadable(name: &'static str, error: &ScopeError) -> Finding {
    Finding::fail(
        name,
        format!("cannot be read: {}", Chain(error)),
        UNREADABLE,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_work_needs_a_worker_that_takes_it() {
        let idle = QueueView::default();
        let due = QueueView {
            due: 3,
            live_batches: 1,
            oldest_due: Duration::from_secs(61),
            ..idle
        };
        let watched = QueueView {
            live_workers: 1,
            ..due
        };
        let moving = QueueView {
            running: 1,
            ..watched
        };
        let fresh = QueueView {
            oldest_due: Duration::from_secs(5),
            ..watched
        };
        for (view, expected) in [
            (idle, State::Ok),
            (due, State::Warn),
            (watched, State::Warn),
            (moving, State::Ok),
            (fresh, State::Ok),
        ] {
            assert_eq!(queue(&view).state, expected, "{view:?}");
        }
    }

    #[test]
    fn a_newer_database_fails_and_says_so() {
        let finding = migrations(Err(MigrateError::Newer { found: 9, known: 5 }));
        assert_eq!(finding.state, State::Fail);
        assert!(
            finding.found.contains("newer than this binary"),
            "{finding:?}"
        );
    }
}
