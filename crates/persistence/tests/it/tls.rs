//! TLS against a private PostgreSQL that has a certificate: trusted, or refused with what to do.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio_postgres::{Client, NoTls};
use trawl_local_postgres::{Durability, LocalPostgres, PostgresOptions};
use trawl_persistence::class::ErrorClass;
use trawl_persistence::error::ScopeError;
use trawl_persistence::health::ping;
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_persistence::probe::{Measurements, OwnLeg, Probe, ProbeError};
use trawl_persistence::tls::TlsFault;
use trawl_test_support::wait_for;

const PATIENCE: Duration = Duration::from_secs(30);

/// A certificate authority of its own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM form.
struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(
            params,
            KeyPair::generate()?,
        )?))
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for `name` that is valid for a day, which began `age_days` ago.
    fn issue(&self, name: &str, age_days: i64) -> Result<Identity> {
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.not_before = OffsetDateTime::now_utc() - time::Duration::days(age_days);
        params.not_after = params.not_before + time::Duration::days(1);
        let key = KeyPair::generate()?;
        Ok(Identity {
            certificate: params.signed_by(&key, &self.0)?.pem(),
            key: key.serialize_pem(),
        })
    }
}

/// A private server that can be given a certificate while it runs.
struct Server {
    postgres: LocalPostgres,
    admin: Client,
    _directory: TempDir,
}

impl Server {
    async fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let postgres = LocalPostgres::start(PostgresOptions {
            data_dir: directory.path().to_path_buf(),
            durability: Durability::Disposable,
            max_connections: 20,
        })
        .await?;
        let (admin, connection) = tokio_postgres::connect(postgres.url(), NoTls).await?;
        tokio::spawn(connection);
        Ok(Self {
            postgres,
            admin,
            _directory: directory,
        })
    }

    /// From now on the server speaks TLS with this certificate.
    async fn present(&self, identity: &Identity) -> Result<()> {
        self.write("server.crt", &identity.certificate).await?;
        self.write("server.key", &identity.key).await?;
        self.admin
            .batch_execute("alter system set ssl = on")
            .await?;
        self.admin.batch_execute("select pg_reload_conf()").await?;
        // Not before the postmaster has read it does a connection meet it.
        wait_for(
            "the server to speak TLS with its new certificate",
            PATIENCE,
            async || {
                let seen = self.served_certificate().await?;
                ensure!(seen == identity.certificate.trim(), "still another");
                Ok(())
            },
        )
        .await
    }

    /// The certificate that the postmaster has loaded, once its reload is over: a new backend
    /// inherits settings and certificate together.
    async fn served_certificate(&self) -> Result<String> {
        let (fresh, connection) = tokio_postgres::connect(self.postgres.url(), NoTls).await?;
        tokio::spawn(connection);
        let row = fresh
            .query_one(
                "select current_setting('ssl'), pg_conf_load_time() >= \
                 (pg_stat_file('server.key')).modification, pg_read_file('server.crt')",
                &[],
            )
            .await?;
        let (ssl, is_loaded): (String, bool) = (row.get(0), row.get(1));
        ensure!(ssl == "on" && is_loaded, "not yet");
        Ok(row.get::<_, String>(2).trim().to_owned())
    }

    /// Writes a file that only the server's own account can read, as it asks for its key.
    async fn write(&self, name: &str, pem: &str) -> Result<()> {
        let lines: Vec<_> = pem.lines().map(|line| format!("('{line}')")).collect();
        let copy = format!(
            "copy (values {}) to program 'umask 077 && cat > {name}'",
            lines.join(", ")
        );
        Ok(self.admin.batch_execute(&copy).await?)
    }

    /// The URL with another host, still at the same address, and this `sslmode`.
    fn url(&self, host: &str, sslmode: &str) -> String {
        let url = self
            .postgres
            .url()
            .replacen("@127.0.0.1:", &format!("@{host}:"), 1);
        format!("{url}?hostaddr=127.0.0.1{sslmode}")
    }

    async fn stop(self) -> Result<()> {
        drop(self.admin);
        self.postgres.stop().await?;
        Ok(())
    }
}

fn options(ca: Option<&str>) -> PoolOptions {
    PoolOptions {
        ca_pem: ca.map(|pem| Arc::from(pem.as_bytes())),
        ..PoolOptions::with_size(1)
    }
}

/// The failure of the pool's first connection.
async fn refusal(url: &str, ca: Option<&str>) -> Result<ScopeError> {
    let pool = Pool::new(url, options(ca))?;
    match ping(&pool).await {
        Ok(()) => bail!("{url} was taken"),
        Err(error) => Ok(error),
    }
}

async fn measure(url: &str, ca: Option<&str>) -> Result<Measurements, ProbeError> {
    let ca = options(ca).ca_pem;
    let probe = Probe::new(url, ca.as_ref(), PATIENCE).unwrap_or_else(|error| panic!("{error:?}"));
    probe.measure().await
}

/// Checks that pool and probe refuse for this reason, for good, and say what to do.
async fn assert_refused(url: &str, ca: Option<&str>, fault: TlsFault, advice: &str) -> Result<()> {
    let error = refusal(url, ca).await?;
    ensure!(
        matches!(&error, ScopeError::Tls { refusal, .. } if refusal.fault() == fault),
        "{fault:?}: {error:?}"
    );
    ensure!(error.class() == ErrorClass::Permanent, "{error:?}");
    ensure!(error.to_string().contains(advice), "{error}");
    let Err(error) = measure(url, ca).await else {
        bail!("the probe took it: {fault:?}");
    };
    ensure!(
        matches!(&error, ProbeError::Tls { refusal, .. } if refusal.fault() == fault),
        "{fault:?}: {error:?}"
    );
    ensure!(error.class() == ErrorClass::Permanent, "{error:?}");
    Ok(())
}

async fn assert_encrypted(url: &str, ca: &str) -> Result<()> {
    ping(&Pool::new(url, options(Some(ca)))?).await?;
    let measured = measure(url, Some(ca)).await?;
    let OwnLeg::Encrypted {
        certificate_ends: Some(ends),
    } = measured.encryption.own_leg
    else {
        bail!("{measured:?}");
    };
    let left = ends - OffsetDateTime::now_utc();
    let issued_for = time::Duration::days(1);
    ensure!(left.is_positive() && left <= issued_for, "{left}");
    let leg = measured
        .encryption
        .server_leg
        .clone()
        .context("not encrypted")?;
    ensure!(leg.starts_with("TLSv1."), "{leg}");
    ensure!(measured.pooler.is_none(), "{measured:?}");
    Ok(())
}

#[tokio::test]
async fn a_certificate_is_trusted_by_chain_and_name_or_refused_with_what_to_do() -> Result<()> {
    let server = Server::start().await?;
    let (authority, stranger) = (Authority::new()?, Authority::new()?);
    let (ca, other_ca) = (authority.pem(), stranger.pem());

    // Without a certificate: refused where TLS is asked for, never in the clear instead.
    for sslmode in ["require", "verify-ca", "verify-full"] {
        let url = server.url("db.test", &format!("&sslmode={sslmode}"));
        assert_refused(&url, Some(&ca), TlsFault::NotOffered, "offers no TLS").await?;
    }
    // Where it is not asked for, a server without TLS is used as it is.
    let measured = measure(&server.url("db.test", ""), Some(&ca)).await?;
    ensure!(measured.encryption.own_leg == OwnLeg::Plain, "{measured:?}");

    server.present(&authority.issue("db.test", 0)?).await?;
    for sslmode in [
        "",
        "&sslmode=require",
        "&sslmode=verify-ca",
        "&sslmode=verify-full",
    ] {
        // Without `sslmode`, a name that is not of this machine takes TLS where it is offered.
        assert_encrypted(&server.url("db.test", sslmode), &ca).await?;
        let (url, ca_file) = (server.url("db.test", sslmode), "TRAWL_DATABASE_CA");
        assert_refused(&url, None, TlsFault::UnknownIssuer, ca_file).await?;
        assert_refused(&url, Some(&other_ca), TlsFault::UnknownIssuer, ca_file).await?;
        let url = server.url("other.test", sslmode);
        assert_refused(
            &url,
            Some(&ca),
            TlsFault::WrongName,
            "host name that it has",
        )
        .await?;
    }

    // On this machine nothing is encrypted unless it is asked for, and then it is verified too.
    let loopback = server.postgres.url();
    let measured = measure(loopback, None).await?;
    ensure!(measured.encryption.server_leg.is_none(), "{measured:?}");
    let asked = format!("{loopback}?sslmode=require");
    assert_refused(
        &asked,
        Some(&ca),
        TlsFault::WrongName,
        "host name that it has",
    )
    .await?;

    server.present(&authority.issue("127.0.0.1", 0)?).await?;
    assert_encrypted(&asked, &ca).await?;

    server.present(&authority.issue("db.test", 3)?).await?;
    let url = server.url("db.test", "&sslmode=require");
    assert_refused(&url, Some(&ca), TlsFault::OutOfDate, "renew it").await?;
    server.stop().await
}
