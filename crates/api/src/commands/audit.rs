//! `trawl audit`: the promises of the service, checked over the rows themselves.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use trawl_persistence::audit;

use crate::config::AuditArgs;
use crate::database::Database;
use crate::doctor::promises;
use crate::shutdown;

/// It reads every row there is, so it has far more time than a statement of the service (chosen).
const LIMIT: Duration = Duration::from_secs(30 * 60);

pub(super) async fn audit(args: AuditArgs) -> anyhow::Result<ExitCode> {
    let stop = shutdown::on_signals()?;
    let mut database = Database::new(args.database);
    let audited = stop
        .run_until_cancelled(async {
            let pool = database.open().await?;
            audit::audit_within(&pool, LIMIT)
                .await
                .context("check the promises")
        })
        .await;
    database.close().await;
    let lines = audited.context("interrupted before the promises were checked")??;
    let text = if args.json {
        promises::as_json(&lines)?
    } else {
        promises::as_text(&lines)
    };
    io::stdout()
        .write_all(text.as_bytes())
        .context("write the promises to stdout")?;
    Ok(if promises::are_kept(&lines) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
