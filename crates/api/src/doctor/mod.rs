//! The doctor: looks at the database that the configuration names, and says what it found and what
//! to do about it.
//!
//! [`trawl_persistence::probe`] measures; here the measurements become findings. Nothing is tried
//! twice, so that a wrong password stays one wrong password.

mod connecting;
mod measured;
pub(crate) mod promises;
mod report;
mod work;

use std::time::Duration;

use trawl_persistence::pool::{Pool, PoolBuildError};
use trawl_persistence::probe::Probe;

pub(crate) use report::{Report, State};

use crate::config::DatabaseArgs;

/// For one connection and for one answer (chosen: what takes longer is the finding).
const LIMIT: Duration = Duration::from_secs(10);

/// Looks at everything, the connection first: without it nothing else is tried.
pub(crate) async fn examine(
    url: &str,
    args: &DatabaseArgs,
    pool: &Pool,
) -> Result<Report, PoolBuildError> {
    let mut report = Report::default();
    let probe = Probe::new(url, args.ca_pem(), LIMIT)?;
    let measurements = match probe.measure().await {
        Ok(measurements) => measurements,
        Err(error) => {
            report.add(connecting::failed("connection", &error));
            return Ok(report);
        }
    };
    for finding in measured::findings(&measurements, args.db_pool_size, probe.is_local()) {
        report.add(finding);
    }
    if let Some(direct) = args.direct_url() {
        let direct = Probe::new(direct, args.ca_pem(), LIMIT)?.server().await;
        report.add(measured::direct_url(direct, &measurements.server));
    }
    for finding in work::findings(pool).await {
        report.add(finding);
    }
    Ok(report)
}
