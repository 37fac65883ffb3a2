//! What any process does for all: rescue the jobs of lost workers, end what waits in cancelled and
//! overdue batches, carry pages over to retries, delete what ended long ago, forget workers long gone,
//! snoozes that have passed and hosts that nobody holds.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use trawl_domain::lease::LeaseTerms;
use trawl_persistence::control::pages_carry;
use trawl_persistence::error::ScopeError;
use trawl_persistence::jobs::job_rescue;
use trawl_persistence::pool::Pool;
use trawl_persistence::retention::{batch_expire, batch_sweep, held_forget, host_forget};
use trawl_persistence::workers::worker_forget;

use crate::core::chain::Chain;
use crate::core::wake::Wake;

/// Jobs rescued in one statement at most: it holds their batches' locks.
const RESCUE_MAX: u32 = 500;
/// Slices deleted in one round at most, with a pause between two: the deletion of old batches must
/// never be what the database is busy with (chosen).
const EXPIRE_SLICES_MAX: u32 = 50;
const EXPIRE_PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Maintenance {
    pub(crate) pool: Pool,
    pub(crate) terms: LeaseTerms,
    pub(crate) max_attempts: u32,
    pub(crate) retention: Option<Duration>,
    pub(crate) wake: Wake,
}

impl Maintenance {
    /// Maintains the queue until `stop`: at once, then two or three times in a time-to-live.
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            for done in [
                self.rescue().await,
                self.sweep().await,
                self.carry().await,
                self.forget().await,
            ] {
                if let Err(error) = done {
                    tracing::warn!(error = %Chain(&error), "cannot maintain the queue yet");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause(self.terms, rand::random())) => {}
            }
        }
    }

    async fn rescue(&self) -> Result<(), ScopeError> {
        loop {
            let rescued = job_rescue(&self.pool, RESCUE_MAX, self.max_attempts).await?;
            if rescued.is_empty() {
                return Ok(());
            }
            tracing::warn!(count = rescued.len(), "rescued jobs of lost workers");
            self.wake.notify();
        }
    }

    async fn sweep(&self) -> Result<(), ScopeError> {
        while batch_sweep(&self.pool).await? > 0 {}
        Ok(())
    }

    async fn carry(&self) -> Result<(), ScopeError> {
        while pages_carry(&self.pool, None).await? > 0 {
            self.wake.notify();
        }
        Ok(())
    }

    async fn forget(&self) -> Result<(), ScopeError> {
        worker_forget(&self.pool).await?;
        host_forget(&self.pool).await?;
        held_forget(&self.pool).await?;
        let Some(age) = self.retention else {
            return Ok(());
        };
        for _slice in 0..EXPIRE_SLICES_MAX {
            if batch_expire(&self.pool, age).await? == 0 {
                break;
            }
            tokio::time::sleep(EXPIRE_PAUSE).await;
        }
        Ok(())
    }
}

/// A third to a half of the time-to-live: many processes spread out.
fn pause(terms: LeaseTerms, draw: f64) -> Duration {
    terms.ttl().mul_f64(1.0 / 3.0 + draw.clamp(0.0, 1.0) / 6.0)
}
