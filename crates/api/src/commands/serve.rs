//! `trawl serve`: the API, and a worker beside it.
//!
//! The address is bound first: the process is live, and says itself that it is not ready, while its
//! database is started, reached or migrated. The end goes the other way round: no more connections,
//! requests finished and work handed back, and the private PostgreSQL last, whatever failed before.

use std::process::ExitCode;
use std::sync::Arc;

use actix_web::dev::Server;
use anyhow::Context as _;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use trawl_persistence::pool::Pool;
use trawl_worker::worker::{Worker, WorkerOptions};

use crate::config::ServeArgs;
use crate::database::Database;
use crate::service::{Service, WorkerLink};
use crate::{http, shutdown};

pub(super) async fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let stop = shutdown::on_signals()?;
    let options = (!args.no_worker).then(|| args.crawl.worker_options(args.shutdown, None));
    let service = Arc::new(Service::new(
        Handle::current(),
        args.database.db_pool_size,
        options.is_some(),
        args.crawl.retention(),
        args.http.queue_limit(),
    ));
    let server = http::listen(args.http.bind, &service, args.shutdown.limit())?;
    let serving = tokio::spawn(serve_until(server, stop.clone()));

    let mut database = Database::new(args.database);
    let worked = async {
        let up = database.bring_up(|stage| service.set_stage(stage));
        let Some(pool) = stop.run_until_cancelled(up).await.transpose()? else {
            return Ok(());
        };
        database
            .keep_while(work(&service, pool, options, &stop))
            .await
    }
    .await;
    // Whatever ended the work ends the API too: a process that only looks alive helps nobody.
    stop.cancel();
    let served = ended(serving).await;
    database.close().await;
    worked.and(served).map(|()| ExitCode::SUCCESS)
}

/// Opens the service, and works until `stop`.
async fn work(
    service: &Service,
    pool: Pool,
    options: Option<WorkerOptions>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let Some(options) = options else {
        service.set_ready(pool);
        tracing::info!("ready, without a worker");
        stop.cancelled().await;
        return Ok(());
    };
    let worker = Worker::new(pool.clone(), options)?;
    service.set_worker(WorkerLink {
        wake: worker.wake(),
        pulse: worker.pulse(),
    });
    service.set_ready(pool);
    tracing::info!("ready");
    Ok(Box::pin(worker.run(stop.clone())).await?)
}

/// Serves until `stop`, then until the requests that are under way have their answers.
async fn serve_until(server: Server, stop: CancellationToken) -> anyhow::Result<()> {
    let handle = server.handle();
    let stopping = stop.clone();
    let asking_to_stop = async move {
        stopping.cancelled().await;
        handle.stop(true).await;
    };
    let (served, ()) = tokio::join!(
        async {
            let served = server.await;
            stop.cancel();
            served
        },
        asking_to_stop
    );
    served.context("serve the API")
}

async fn ended(serving: JoinHandle<anyhow::Result<()>>) -> anyhow::Result<()> {
    serving.await.context("the task of the API ended early")?
}
