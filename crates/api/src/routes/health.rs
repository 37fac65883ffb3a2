//! `GET /health`, also `/health/ready`: whether the service can work, after a real round trip to the
//! database. `GET /health/live`: whether the process answers at all.

use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;

use crate::error::ApiError;
use crate::probe::Found;
use crate::service::{Service, Stage};
use crate::timestamp::Timestamp;

/// Age of a worker's last look for work at which it counts as stuck (chosen: it looks every second,
/// and a database in trouble may hold one look up for most of a minute).
const PULSE_AGE_MAX: Duration = Duration::from_secs(90);

#[derive(Serialize)]
struct Health {
    status: Word,
    message: &'static str,
    timestamp: Timestamp,
    version: &'static str,
    checks: Checks,
}

#[derive(Serialize)]
struct Checks {
    database: Check,
    migrations: Check,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<Check>,
}

#[derive(Clone, Copy, Serialize)]
struct Check {
    status: Word,
    message: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
enum Word {
    #[serde(rename = "OK")]
    Good,
    #[serde(rename = "ERROR")]
    Bad,
}

pub(super) async fn health(service: Data<Service>) -> Result<HttpResponse, ApiError> {
    let (database, migrations) = match service.pool() {
        Ok(pool) => of_found(service.probe(&pool).await),
        Err(_not_ready) => of_stage(service.stage()),
    };
    let worker = service.expects_worker().then(|| worker(&service));
    let first_bad = [Some(database), Some(migrations), worker]
        .into_iter()
        .flatten()
        .find(|check| check.status == Word::Bad);
    let health = Health {
        status: first_bad.map_or(Word::Good, |_| Word::Bad),
        message: first_bad.map_or("The service is ready.", |check| check.message),
        timestamp: Timestamp::now(),
        version: env!("CARGO_PKG_VERSION"),
        checks: Checks {
            database,
            migrations,
            worker,
        },
    };
    let mut answer = match health.status {
        Word::Good => HttpResponse::Ok(),
        Word::Bad => HttpResponse::ServiceUnavailable(),
    };
    Ok(answer
        .content_type("application/json")
        .body(serde_json::to_vec(&health)?))
}

#[derive(Serialize)]
struct Live {
    status: Word,
    timestamp: Timestamp,
}

/// `GET /health/live`: that the process answers, and nothing of its database. Whoever restarts what
/// is not live must not restart what waits for a database.
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Live {
        status: Word::Good,
        timestamp: Timestamp::now(),
    })
}

const ANSWERS: Check = good("The database answers.");
const UNKNOWN: Check = bad("Not known while the database cannot be asked.");

fn of_found(found: Found) -> (Check, Check) {
    match found {
        Found::Good => (ANSWERS, good("All migrations are applied.")),
        Found::Newer => (
            ANSWERS,
            bad("A newer version has migrated the database further than this one knows."),
        ),
        Found::SchemaRefused => (ANSWERS, bad(Stage::SchemaRefused.sentence())),
        Found::Refused => (bad(Stage::Refused.sentence()), UNKNOWN),
        Found::Silent => (bad("The database does not answer."), UNKNOWN),
    }
}

fn of_stage(stage: Stage) -> (Check, Check) {
    match stage {
        Stage::StartingDatabase | Stage::Connecting | Stage::Refused => {
            (bad(stage.sentence()), UNKNOWN)
        }
        Stage::SchemaRefused => of_found(Found::SchemaRefused),
        // Ready and yet not to be asked: it refused this service a moment ago.
        Stage::Ready => of_found(Found::Refused),
    }
}

fn worker(service: &Service) -> Check {
    match service.worker() {
        None => bad("The worker has not started yet."),
        Some(worker) => of_pulse(worker.pulse.last_claim_attempt(), Instant::now()),
    }
}

fn of_pulse(last_claim_attempt: Option<Instant>, now: Instant) -> Check {
    match last_claim_attempt {
        None => bad("The worker has not looked for work yet."),
        Some(looked) if now.saturating_duration_since(looked) > PULSE_AGE_MAX => {
            bad("The worker has not looked for work for a while.")
        }
        Some(_) => good("The worker looks for work."),
    }
}

const fn good(message: &'static str) -> Check {
    Check {
        status: Word::Good,
        message,
    }
}

const fn bad(message: &'static str) -> Check {
    Check {
        status: Word::Bad,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_has_not_looked_for_work_for_a_while_is_not_ready() {
        let now = Instant::now();
        let status = |looked| of_pulse(looked, now + PULSE_AGE_MAX).status;
        assert!(status(Some(now)) == Word::Good);
        assert!(of_pulse(Some(now), now).status == Word::Good);
        assert!(status(None) == Word::Bad);
        let late = now + PULSE_AGE_MAX + Duration::from_millis(1);
        let check = of_pulse(Some(now), late);
        assert!(check.status == Word::Bad);
        assert_eq!(
            check.message,
            "The worker has not looked for work for a while."
        );
    }
}
