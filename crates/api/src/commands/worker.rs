//! `trawl worker`: a worker without the API.

use std::process::ExitCode;

use trawl_worker::worker::Worker;

use crate::config::WorkerArgs;
use crate::database::Database;
use crate::shutdown;

pub(super) async fn worker(args: WorkerArgs) -> anyhow::Result<ExitCode> {
    let stop = shutdown::on_signals()?;
    let options = args.crawl.worker_options(args.shutdown, None);
    let mut database = Database::new(args.database);
    let worked = async {
        let up = stop
            .run_until_cancelled(database.bring_up(|_stage| ()))
            .await;
        if let Some(pool) = up.transpose()? {
            tracing::info!("working");
            let worker = Worker::new(pool, options)?;
            let working = async { Ok(Box::pin(worker.run(stop.clone())).await?) };
            database.keep_while(working).await?;
        }
        anyhow::Ok(())
    }
    .await;
    database.close().await;
    worked.map(|()| ExitCode::SUCCESS)
}
