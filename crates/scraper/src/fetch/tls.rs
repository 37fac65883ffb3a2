//! The TLS side of every https fetch: certificates are checked, always.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

/// TLS could not be set up.
#[derive(Debug, Error)]
#[error("TLS cannot be set up")]
pub struct TlsSetupError(#[from] rustls::Error);

/// Trusts what the system trusts, and Mozilla's list where the system names nothing, as in a
/// container without a certificate package.
pub(super) fn client_config() -> Result<ClientConfig, TlsSetupError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "some certificates of the system could not be read");
    }
    roots.add_parsable_certificates(native.certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    trusting(roots)
}

/// A configuration that trusts these roots and no others.
pub(super) fn trusting(roots: RootCertStore) -> Result<ClientConfig, TlsSetupError> {
    // The provider is named rather than installed: a library must not decide for the process.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
