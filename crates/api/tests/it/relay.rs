//! A database that can be taken away and given back: a TCP relay before the real one.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A relay on a fixed port. Dropping it takes the database away.
pub(crate) struct Relay {
    address: SocketAddr,
    upstream: String,
    url: String,
    running: JoinSet<()>,
}

impl Relay {
    /// A relay to the server of this URL, closed yet.
    pub(crate) async fn closed(url: &str) -> Self {
        let (user, rest) = url.rsplit_once('@').unwrap();
        let (upstream, database) = rest.split_once('/').unwrap();
        // The port is taken and given up again; nobody else is told of it meanwhile.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        Self {
            address,
            upstream: upstream.to_owned(),
            url: format!("{user}@{address}/{database}"),
            running: JoinSet::new(),
        }
    }

    /// The database's URL through this relay.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Lets connections through.
    pub(crate) async fn open(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        let upstream = self.upstream.clone();
        self.running.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let upstream = upstream.clone();
                connections.spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(&upstream).await {
                        // Either end may break off: that is what this is for.
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
    }

    /// Accepts connections and never answers on them.
    pub(crate) async fn hang(&mut self) {
        self.close().await;
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.running.spawn(async move {
            let mut kept = Vec::new();
            while let Ok(accepted) = listener.accept().await {
                kept.push(accepted);
            }
        });
    }

    /// Cuts every connection and refuses new ones.
    pub(crate) async fn close(&mut self) {
        self.running.shutdown().await;
    }
}
