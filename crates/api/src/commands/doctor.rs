//! `trawl doctor`: what stands behind the database URL, and whether everything is in order there.
//!
//! Changes nothing: it applies no migration and touches no batch.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::config::DoctorArgs;
use crate::database::Database;
use crate::doctor::{self, State};
use crate::shutdown;

pub(super) async fn doctor(args: DoctorArgs) -> anyhow::Result<ExitCode> {
    let stop = shutdown::on_signals()?;
    let mut database = Database::new(args.database);
    let examined = stop
        .run_until_cancelled(async {
            let pool = database.open().await?;
            let url = database.url().context("there is no database URL")?;
            anyhow::Ok(doctor::examine(url, database.args(), &pool).await?)
        })
        .await;
    database.close().await;
    let report = examined.context("interrupted before everything was looked at")??;
    let text = if args.json {
        report.as_json()?
    } else {
        report.as_text()
    };
    io::stdout()
        .write_all(text.as_bytes())
        .context("write the findings to stdout")?;
    Ok(match report.state() {
        State::Ok => ExitCode::SUCCESS,
        State::Warn | State::Fail => ExitCode::FAILURE,
    })
}
