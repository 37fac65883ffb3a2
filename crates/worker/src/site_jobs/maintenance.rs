//! What any process does for all: rescue the jobs of lost workers, forget workers long gone.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use trawl_domain::lease::LeaseTerms;
use trawl_persistence::error::ScopeError;
use trawl_persistence::jobs::job_rescue;
use trawl_persistence::pool::Pool;
use trawl_persistence::workers::worker_forget;

use crate::core::chain::Chain;
use crate::core::wake::Wake;

/// Jobs rescued in one statement at most: it holds their batches' locks.
const RESCUE_MAX: u32 = 500;

/// Maintains the queue until `stop`: at once, then about twice in a lease's time-to-live.
pub(crate) async fn run(
    pool: Pool,
    terms: LeaseTerms,
    max_attempts: u32,
    wake: Wake,
    stop: CancellationToken,
) {
    loop {
        if let Err(error) = maintain(&pool, max_attempts, &wake).await {
            tracing::warn!(error = %Chain(&error), "cannot maintain the queue yet");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause(terms, rand::random())) => {}
        }
    }
}

/// A third to a half of the time-to-live: many processes spread out.
fn pause(terms: LeaseTerms, draw: f64) -> Duration {
    terms.ttl().mul_f64(1.0 / 3.0 + draw.clamp(0.0, 1.0) / 6.0)
}

async fn maintain(pool: &Pool, max_attempts: u32, wake: &Wake) -> Result<(), ScopeError> {
    loop {
        let rescued = job_rescue(pool, RESCUE_MAX, max_attempts).await?;
        if rescued.is_empty() {
            break;
        }
        tracing::warn!(count = rescued.len(), "rescued jobs of lost workers");
        wake.notify();
    }
    worker_forget(pool).await
}
