//! Ports that accept a client in form only: the connect, or whatever comes after it, hangs.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// How long a connect may take before it is taken to hang. On loopback it takes microseconds; a
/// dropped SYN is repeated after a second, so anything between would do.
const HANGING_CONNECT: Duration = Duration::from_millis(400);

/// More connects than a queue of length one can hold on any kernel.
const QUEUE_FILLERS: usize = 16;

/// A port of 127.0.0.1 on which clients hang.
#[derive(Debug)]
pub struct StalledListener {
    address: SocketAddr,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Nobody accepts, and the queue is full.
    Full {
        _listener: TcpListener,
        _queue: Vec<TcpStream>,
    },
    /// Everybody is accepted, and nobody is answered.
    Silent { accepting: AbortHandle },
}

impl StalledListener {
    /// A port where the connect itself hangs: its queue is full, and the kernel drops what comes.
    ///
    /// # Errors
    ///
    /// When no port can be had, or the kernel accepts connects all the same (Linux does as
    /// described unless `net.ipv4.tcp_abort_on_overflow` is set).
    pub async fn full() -> Result<Self> {
        let socket = TcpSocket::new_v4().context("open a socket")?;
        socket
            .bind((Ipv4Addr::LOCALHOST, 0).into())
            .context("bind a stalled port")?;
        let listener = socket.listen(1).context("listen on a stalled port")?;
        let address = listener.local_addr()?;
        let mut queue = Vec::new();
        for _ in 0..QUEUE_FILLERS {
            match timeout(HANGING_CONNECT, TcpStream::connect(address)).await {
                Ok(stream) => queue.push(stream.context("fill the queue of a stalled port")?),
                Err(_hangs) => {
                    return Ok(Self {
                        address,
                        kind: Kind::Full {
                            _listener: listener,
                            _queue: queue,
                        },
                    });
                }
            }
        }
        bail!("{QUEUE_FILLERS} connects were not enough to fill a queue of one")
    }

    /// A port that accepts and then says nothing: a TLS handshake hangs, and so does plain HTTP.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub async fn silent() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("bind a silent port")?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            let mut clients = Vec::new();
            loop {
                let accepted: io::Result<_> = listener.accept().await;
                clients.extend(accepted);
            }
        })
        .abort_handle();
        Ok(Self {
            address,
            kind: Kind::Silent { accepting },
        })
    }

    /// Where clients hang.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port where clients hang.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for StalledListener {
    fn drop(&mut self) {
        match &self.kind {
            Kind::Full { .. } => {}
            Kind::Silent { accepting } => accepting.abort(),
        }
    }
}
