//! `trawl migrate`: applies the migrations that the database lacks, and ends.

use std::process::ExitCode;

use crate::config::MigrateArgs;
use crate::database::Database;
use crate::shutdown;

pub(super) async fn migrate(args: MigrateArgs) -> anyhow::Result<ExitCode> {
    let stop = shutdown::on_signals()?;
    let mut database = Database::new(args.database);
    let migrated = stop
        .run_until_cancelled(async {
            let pool = database.open().await?;
            database.migrate(&pool).await
        })
        .await;
    database.close().await;
    match migrated {
        Some(applied) => {
            let applied = applied?;
            tracing::info!(applied = applied.len(), "the database is up to date");
            Ok(ExitCode::SUCCESS)
        }
        None => anyhow::bail!("interrupted before the migrations were applied"),
    }
}
