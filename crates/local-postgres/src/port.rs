//! Free ports on the loopback address.

use crate::error::LocalPostgresError;
use rand::RngExt;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::Path;

/// Below the ports that systems give to outgoing connections (Linux from 32768, BSD and macOS from
/// 49152), so that a server that was stopped for a moment finds its port free again.
const PREFERRED: Range<u16> = 20_000..32_000;

/// Draws from the preferred range. Fewer are needed unless the machine is full of servers.
const TRIES: u32 = 50;

/// Whether a server could listen on this loopback port now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A port that was free a moment ago.
///
/// Another process may take it before the server does: callers try again when that happens.
///
/// # Errors
///
/// [`LocalPostgresError::Files`] when the system gives no port at all.
pub(crate) fn free() -> Result<u16, LocalPostgresError> {
    let mut rng = rand::rng();
    let drawn = (0..TRIES)
        .map(|_try| rng.random_range(PREFERRED))
        .find(|port| is_free(*port));
    match drawn {
        Some(port) => Ok(port),
        None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .map(|address| address.port())
            .map_err(LocalPostgresError::files(
                "find a free port on",
                Path::new("127.0.0.1"),
            )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        assert!(!is_free(listener.local_addr().expect("an address").port()));
    }

    #[test]
    fn a_free_port_is_one_that_outgoing_connections_leave_alone() {
        assert!(PREFERRED.contains(&free().expect("a port")));
    }
}
