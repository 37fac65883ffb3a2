//! TLS to the database: what the URL asks for, and whom we trust.
//!
//! The driver knows `disable`, `prefer` and `require`, and none of them verifies anything. Here
//! every TLS connection verifies the certificate's chain and name, so `require`, `verify-ca` and
//! `verify-full` mean the same, the strictest. There is no way to accept an unknown certificate:
//! name its root with `TRAWL_DATABASE_CA`.

use std::error::Error;
use std::io;
use std::iter;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use thiserror::Error;
use time::OffsetDateTime;
use tokio_postgres::config::{Host, SslMode};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// Why TLS cannot be set up.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The file with the database's own root certificates has none.
    #[error("the database's CA file has no usable certificate in PEM form")]
    Ca,
    /// Nobody is trusted: no root certificates on this machine and none given.
    #[error(
        "the system has no root certificates and TRAWL_DATABASE_CA names none, so no database \
         certificate could be verified"
    )]
    NoRoots,
    /// The library refuses its own defaults.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

/// Why an encrypted connection did not come about. Nothing changes that by waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[error("{}: {}", .0.problem(), .0.advice())]
pub struct TlsRefusal(TlsFault);

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsFault {
    /// The URL asks for TLS and the server has none. Nothing was sent to it.
    NotOffered,
    /// No trusted root stands behind the certificate.
    UnknownIssuer,
    /// The certificate is somebody else's.
    WrongName,
    /// The certificate's time is over, or has not begun.
    OutOfDate,
    /// The certificate has another fault.
    Unusable,
    /// The two sides could not agree, or the server refused.
    Disagreement,
}

impl TlsFault {
    fn problem(self) -> &'static str {
        match self {
            Self::NotOffered => "the server offers no TLS and sslmode asks for it",
            Self::UnknownIssuer => {
                "the server's certificate is signed by nobody who is trusted here"
            }
            Self::WrongName => "the server's certificate is not for the host in the URL",
            Self::OutOfDate => "the server's certificate is not valid today",
            Self::Unusable => "the server's certificate cannot be used",
            Self::Disagreement => "the server and Trawl could not agree on TLS",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::NotOffered => {
                "give the server a certificate, or use sslmode=disable where nobody can listen in"
            }
            Self::UnknownIssuer => "name the file with its root certificate in TRAWL_DATABASE_CA",
            Self::WrongName => {
                "use a host name that it has, or give the server one for this name, signed by a \
                 root that TRAWL_DATABASE_CA names"
            }
            Self::OutOfDate => "renew it, and check the clock of this machine",
            Self::Unusable => {
                "it must be of version 3, name its host as a subject alternative name, not be a \
                 root itself, and be signed by a root that the system or TRAWL_DATABASE_CA names"
            }
            Self::Disagreement => {
                "the server must speak TLS 1.2 or 1.3 and ask for no client certificate"
            }
        }
    }
}

/// What the driver says when the server answered that it has no TLS; it has no type of its own.
const NOT_OFFERED: &str = "server does not support TLS";

impl TlsRefusal {
    /// Of this fault.
    pub(crate) fn of(fault: TlsFault) -> Self {
        Self(fault)
    }

    /// What is wrong.
    pub fn fault(self) -> TlsFault {
        self.0
    }

    /// What is wrong, in words.
    pub fn problem(self) -> &'static str {
        self.0.problem()
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        self.0.advice()
    }

    /// The refusal that `error` or one of its causes tells of; `None` when it is about something
    /// else, such as a connection that was cut during the handshake.
    pub(crate) fn find_in(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut causes = iter::successors(Some(error), |cause| (*cause).source());
        causes.find_map(|cause| {
            if let Some(tls) = cause.downcast_ref() {
                return Self::of_tls(tls);
            }
            // The source of an I/O error is that of the error within it, so look inside.
            let within = cause.downcast_ref().and_then(io::Error::get_ref);
            if let Some(tls) = within.and_then(|within| within.downcast_ref()) {
                return Self::of_tls(tls);
            }
            (cause.source().is_none() && cause.to_string() == NOT_OFFERED)
                .then_some(Self(TlsFault::NotOffered))
        })
    }

    fn of_tls(error: &rustls::Error) -> Option<Self> {
        let rustls::Error::InvalidCertificate(fault) = error else {
            return Some(Self(TlsFault::Disagreement));
        };
        Some(Self(match fault {
            // A bad signature: another root of the same name is trusted.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                TlsFault::UnknownIssuer
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsFault::WrongName
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => TlsFault::OutOfDate,
            _ => TlsFault::Unusable,
        }))
    }
}

/// `url` with its `sslmode` in the driver's words.
pub(crate) fn in_drivers_words(url: &str) -> String {
    url.replace("sslmode=verify-full", "sslmode=require")
        .replace("sslmode=verify-ca", "sslmode=require")
}

/// Settles what a URL without `sslmode` means: plaintext on this machine, where PostgreSQL offers
/// a certificate that nobody could verify; otherwise TLS if the server offers it.
pub(crate) fn settle_mode(url: &str, config: &mut tokio_postgres::Config) {
    if !url.contains("sslmode=") && config.get_hosts().iter().all(is_local) {
        config.ssl_mode(SslMode::Disable);
    }
}

/// Whether the way to a host does not leave this machine.
pub(crate) fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse()
                    .is_ok_and(|address: IpAddr| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Trusts the system's roots and those in `ca_pem`.
pub(crate) fn client_config(ca_pem: Option<&[u8]>) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    // A single unreadable file of the system's is no reason to trust none of the others.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(pem) = ca_pem {
        let certificates = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_unreadable| TlsError::Ca)?;
        let (added, _unusable) = roots.add_parsable_certificates(certificates);
        if added == 0 {
            return Err(TlsError::Ca);
        }
    }
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// When the time of a certificate is over; `None` where it cannot be read.
pub(crate) fn end_of(certificate: &CertificateDer<'_>) -> Option<OffsetDateTime> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let end = certificate.tbs_certificate.validity.not_after;
    Some(OffsetDateTime::UNIX_EPOCH + end.to_unix_duration())
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn mode(url: &str) -> SslMode {
        let mut config = tokio_postgres::Config::from_str(&in_drivers_words(url)).unwrap();
        settle_mode(url, &mut config);
        config.get_ssl_mode()
    }

    #[test]
    fn what_was_asked_for_is_what_happens() {
        for (url, expected) in [
            ("postgres://u@127.0.0.1/d", SslMode::Disable),
            ("postgres://u@localhost/d", SslMode::Disable),
            ("postgres://u@[::1]/d", SslMode::Disable),
            ("host=/run/postgresql user=u", SslMode::Disable),
            ("postgres://u@db.example/d", SslMode::Prefer),
            (
                "postgres://u@db.example/d?sslmode=disable",
                SslMode::Disable,
            ),
            ("postgres://u@127.0.0.1/d?sslmode=require", SslMode::Require),
            (
                "postgres://u@db.example/d?sslmode=verify-full",
                SslMode::Require,
            ),
            ("host=db.example user=u sslmode=verify-ca", SslMode::Require),
        ] {
            assert_eq!(mode(url), expected, "{url}");
        }
    }

    #[test]
    fn a_ca_file_without_a_certificate_is_refused() {
        for pem in [
            "",
            "no certificate",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        ] {
            assert!(
                matches!(client_config(Some(pem.as_bytes())), Err(TlsError::Ca)),
                "{pem}"
            );
        }
    }
}
