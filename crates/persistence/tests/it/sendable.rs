//! Every operation may run on a task of its own: its future can be sent to another thread.

use std::time::Duration;

use trawl_persistence::batches::{NewBatch, batch_status, batch_submit};
use trawl_persistence::hosts::{host_release, host_take};
use trawl_persistence::jobs::{
    EndedJob, job_claim, job_finish, job_hand_back, job_rescue, job_status,
};
use trawl_persistence::pages::{PageRecord, page_record, pages_of_job};
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_persistence::workers::{
    JobLease, WorkerIdentity, worker_drain, worker_forget, worker_gone, worker_heartbeat,
    worker_register,
};
use trawl_persistence::{audit, health, migrate};
use uuid::Uuid;

fn is_sendable<T: Send>(future: T) {
    drop(future);
}

/// Compiling it is the test; borrowed arguments are what the compiler had refused.
fn every_operation(
    pool: &Pool,
    batch: &NewBatch<'_>,
    worker: &WorkerIdentity,
    (leases, ended, pages): (&[JobLease], &[EndedJob], &[PageRecord]),
) {
    let id = Uuid::nil();
    is_sendable(audit::audit(pool));
    is_sendable(health::ping(pool));
    is_sendable(migrate::up(pool));
    is_sendable(migrate::status(pool));
    is_sendable(migrate::verify(pool));
    is_sendable(batch_submit(pool, batch));
    is_sendable(batch_status(pool, id, Vec::new, |ids, line| {
        ids.push(line.id)
    }));
    for lease in leases {
        is_sendable(host_take(pool, *lease, ""));
        is_sendable(host_release(pool, *lease, ""));
    }
    is_sendable(job_claim(pool, id, 1, None));
    is_sendable(job_finish(pool, ended));
    is_sendable(job_hand_back(pool, leases));
    is_sendable(job_rescue(pool, 1, 1));
    is_sendable(job_status(pool, id));
    is_sendable(page_record(pool, pages));
    is_sendable(pages_of_job(pool, id, None, 10_000));
    is_sendable(worker_register(pool, worker));
    is_sendable(worker_heartbeat(pool, id, leases, Duration::ZERO));
    is_sendable(worker_drain(pool, id));
    is_sendable(worker_gone(pool, id));
    is_sendable(worker_forget(pool));
}

#[test]
fn the_future_of_every_operation_can_be_sent() {
    let pool = Pool::new(
        "postgres://nobody@127.0.0.1:1/none",
        PoolOptions::with_size(1),
    )
    .unwrap();
    let submission = crate::fixtures::Submission::sized("never-sent", 1);
    let worker = WorkerIdentity {
        id: Uuid::nil(),
        host: String::new(),
        pid: 0,
        lease_ttl: Duration::ZERO,
    };
    every_operation(&pool, &submission.batch(), &worker, (&[], &[], &[]));
}
