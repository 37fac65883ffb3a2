//! Free ports on the loopback address.

use crate::error::LocalPostgresError;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

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
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(LocalPostgresError::files(
            "find a free port on",
            Path::new("127.0.0.1"),
        ))
}
