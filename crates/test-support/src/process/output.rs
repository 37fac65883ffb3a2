//! Collects what a child writes, so that it never blocks on a full pipe.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long the rest of the output may take once the child has ended. Its own output is in the
/// pipe by then; a grandchild that lives on may keep the pipe open for ever.
const REST_TIMEOUT: Duration = Duration::from_secs(1);

/// A growing text.
#[derive(Clone, Debug)]
pub(super) struct Output {
    collected: Arc<Mutex<Vec<u8>>>,
    /// Its sender lives as long as the pipe is read.
    reading: watch::Receiver<()>,
}

impl Output {
    /// Reads a pipe on a task of its own.
    pub(super) fn collect(pipe: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let (reader, reading) = watch::channel(());
        let collected = Arc::new(Mutex::new(Vec::new()));
        if let Some(mut pipe) = pipe {
            let collected = Arc::clone(&collected);
            tokio::spawn(async move {
                let mut chunk = Vec::with_capacity(8 * 1024);
                while matches!(pipe.read_buf(&mut chunk).await, Ok(1..)) {
                    collected
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .append(&mut chunk);
                }
                drop(reader);
            });
        }
        Self { collected, reading }
    }

    /// What was written so far.
    pub(super) fn text(&self) -> String {
        let collected = self
            .collected
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&collected).into_owned()
    }

    /// Waits until the pipe is read to its end.
    pub(super) async fn end(&self) {
        let mut reading = self.reading.clone();
        // Nothing is ever sent; both a closed pipe and one kept open by a grandchild are the end.
        let _ = timeout(REST_TIMEOUT, reading.changed()).await;
    }
}
