//! Looks at the rows while the storm goes on: what must hold at every moment, holds in every sample.

use super::world::connect;
use anyhow::Result;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use trawl_persistence::audit::audit;
use trawl_persistence::pool::{Pool, PoolOptions};
use uuid::Uuid;

/// Between two samples, and how much longer than a sample takes.
const PAUSE: Duration = Duration::from_millis(250);
const PAUSE_FACTOR: u32 = 5;

/// The one promise that a fault may break for a while; it holds again when all has recovered.
const BREAKABLE: &str = "no running job without a live lease";

/// Jobs that changed lately, so that a sample costs the same at the end of a long storm.
const LATELY: &str = "SELECT id, token, state FROM trawl.domain_jobs \
                      WHERE updated_at > clock_timestamp() - interval '15 s'";

/// What the samples showed.
#[derive(Debug, Default)]
pub(super) struct Samples {
    pub(super) taken: usize,
    /// The database could not be asked: it was down.
    pub(super) missed: usize,
    pub(super) violations: Vec<String>,
    jobs: BTreeMap<Uuid, (i64, String)>,
}

/// Takes samples until `stop`.
pub(super) async fn watch(direct_url: &str, stop: CancellationToken) -> Result<Samples> {
    let pool = Pool::new(direct_url, PoolOptions::with_size(1))?;
    let mut samples = Samples::default();
    let mut client = None;
    while !stop.is_cancelled() {
        let began = Instant::now();
        match samples.take(&pool, &mut client, direct_url).await {
            Ok(()) => samples.taken += 1,
            Err(_down) => {
                samples.missed += 1;
                client = None;
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(PAUSE.max(began.elapsed() * PAUSE_FACTOR)) => {}
        }
    }
    Ok(samples)
}

impl Samples {
    async fn take(&mut self, pool: &Pool, client: &mut Option<Client>, url: &str) -> Result<()> {
        for line in audit(pool).await? {
            if line.broken > 0 && line.promise != BREAKABLE {
                self.violations.push(format!(
                    "in a sample: {}: {} rows",
                    line.promise, line.broken
                ));
            }
        }
        let client = match client {
            Some(client) => client,
            none => none.insert(connect(url).await?),
        };
        for row in client.query(LATELY, &[]).await? {
            self.compare(row.get(0), row.get(1), row.get(2));
        }
        Ok(())
    }

    /// A token only grows, and with every change of state; what has ended stays as it ended.
    fn compare(&mut self, job: Uuid, token: i64, state: String) {
        if let Some((old_token, old_state)) = self.jobs.get(&job) {
            let has_ended = matches!(old_state.as_str(), "complete" | "failed" | "cancelled");
            let has_moved = state != *old_state;
            let has_grown = token > *old_token;
            let is_wrong = token < *old_token || has_moved && !has_grown || has_ended && has_grown;
            if is_wrong {
                self.violations.push(format!(
                    "job {job} went from {old_state} with token {old_token} to {state} with {token}"
                ));
            }
        }
        self.jobs.insert(job, (token, state));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_grow_with_every_change_and_an_end_is_an_end() {
        let job = Uuid::nil();
        for (steps, violations) in [
            (
                vec![
                    (1, "running"),
                    (1, "running"),
                    (2, "complete"),
                    (2, "complete"),
                ],
                0,
            ),
            (vec![(1, "running"), (2, "pending"), (5, "running")], 0),
            (vec![(3, "running"), (2, "running")], 1),
            (vec![(3, "running"), (3, "pending")], 1),
            (vec![(3, "failed"), (4, "running")], 1),
        ] {
            let mut samples = Samples::default();
            for (token, state) in &steps {
                samples.compare(job, *token, (*state).to_owned());
            }
            assert_eq!(samples.violations.len(), violations, "{steps:?}");
        }
    }
}
