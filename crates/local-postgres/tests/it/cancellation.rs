//! A start that is given up, wherever it has got to, leaves nothing in the way of the next one.

use crate::support::{ask, eventually, options, pid_file, start};
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use trawl_local_postgres::{LocalPostgres, Stopped};

/// Polls a future a number of times, then drops it; `None` if it had not ended by then.
async fn poll_times<T>(work: impl Future<Output = T>, times: u32) -> Option<T> {
    let mut work = pin!(work);
    let mut left = times;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn a_start_dropped_at_any_point_leaves_no_server_and_no_obstacle() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let data_dir = directory.path();
    // Looks at the condition "ready" vary with the machine, so the steps widen as they go.
    let mut times = 0;
    loop {
        if let Some(started) = poll_times(LocalPostgres::start(options(data_dir)), times).await {
            let postgres = started.expect("starts");
            assert_eq!(postgres.stop().await.expect("stops"), Stopped::Down);
            break;
        }
        eventually("no server is left", || !pid_file(data_dir).exists()).await;
        times += 1 + times / 4;
    }
    let postgres = start(data_dir).await;
    assert_eq!(ask(postgres.url(), "SELECT 1").await.expect("answers"), "1");
    assert_eq!(postgres.stop().await.expect("stops"), Stopped::Down);
}
