//! The probe measures what is really there, by either route, and leaves nothing behind.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use trawl_persistence::class::ErrorClass;
use trawl_persistence::probe::{Answer, Measurements, Mode, OwnLeg, Pooler, Probe, ProbeError};

use tokio_postgres::NoTls;
use trawl_local_postgres::{PgBouncer, PgBouncerOptions, ServerAddress};
use trawl_test_support::database::Servers;
use trawl_test_support::hostile::{Deed, HostilePooler, Hostility};

use crate::database::{Db, Route};

const LIMIT: Duration = Duration::from_secs(10);

async fn measure(db: &Db) -> Result<Measurements> {
    Ok(Probe::new(&db.url(), None, LIMIT)?.measure().await?)
}

both_routes!(empty: what_stands_behind_the_url_is_found_out, async |db: &Db| {
    let measured = measure(db).await?;
    ensure!(measured.server.version.starts_with(|c: char| c.is_ascii_digit()));
    ensure!(measured.round_trip > Duration::ZERO);
    ensure!(measured.clock.ahead_seconds.abs() < 1.0, "{:?}", measured.clock);
    ensure!(measured.encryption.own_leg == OwnLeg::Plain);
    ensure!(measured.is_clean);
    match db.route() {
        Route::Direct => {
            ensure!(measured.pooler.is_none(), "{:?}", measured.pooler);
            ensure!(measured.mode == Mode::Session);
            ensure!(measured.settings_leak == Answer::No);
            ensure!(measured.named_statements == Answer::Yes);
        }
        Route::Pooled => {
            match &measured.pooler {
                // Its console is open to the role of the tests where this project started it.
                Some(Pooler::PgBouncer { version, limits }) => {
                    let said = version.as_deref().unwrap_or("PgBouncer");
                    ensure!(said.starts_with("PgBouncer"), "{said}");
                    ensure!(limits.is_none_or(|limits| limits.pool_size == 2), "{limits:?}");
                }
                Some(Pooler::Supavisor) => {}
                other => anyhow::bail!("{other:?}"),
            }
            ensure!(measured.mode == Mode::Transaction);
            ensure!(measured.settings_leak == Answer::Yes);
            ensure!(measured.named_statements == Answer::No);
        }
    }
    Ok(())
});

both_routes!(empty: a_probe_leaves_nothing_behind, async |db: &Db| {
    let measured = measure(db).await?;
    let idle_in_transaction = "select count(*) from pg_stat_activity \
                               where datname = current_database() and state like 'idle in tr%'";
    ensure!(db.value::<i64>(idle_in_transaction, &[]).await? == 0);
    // Two clients at once, so that both of the pooler's server connections are looked at.
    let look = format!(
        "begin; select coalesce(current_setting('{}', true), ''), \
                       (select count(*) from pg_prepared_statements \
                        where name like 'trawl_doctor%')::text, pg_backend_pid()::text",
        measured.traces.setting
    );
    let mut seen = Vec::new();
    let mut clients = Vec::new();
    for _client in 0..2 {
        let (client, connection) =
            tokio_postgres::connect(&db.url(), NoTls).await?;
        tokio::spawn(connection);
        for message in client.simple_query(&look).await? {
            if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
                ensure!(row.get(0) == Some(""), "the setting is left behind: {row:?}");
                ensure!(row.get(1) == Some("0"), "a statement is left behind: {row:?}");
                seen.push(row.get(2).map(str::to_owned));
            }
        }
        clients.push(client);
    }
    ensure!(seen.len() == 2 && seen[0] != seen[1], "{seen:?}");
    for client in clients {
        client.batch_execute("rollback").await?;
    }
    Ok(())
});

both_routes!(empty: strangers_in_the_pool_do_not_confuse_it, async |db: &Db| {
    let strangers = async {
        loop {
            if let Err(error) = trawl_persistence::health::ping(&db.pool).await {
                return error;
            }
        }
    };
    let measured = tokio::select! {
        measured = measure(db) => measured?,
        error = strangers => return Err(error.into()),
    };
    let expected = match db.route() {
        Route::Direct => (Mode::Session, Answer::No, Answer::Yes),
        Route::Pooled => (Mode::Transaction, Answer::Yes, Answer::No),
    };
    let found = (measured.mode, measured.settings_leak, measured.named_statements);
    ensure!(found == expected, "{measured:?}");
    ensure!(measured.is_clean);
    Ok(())
});

both_routes!(empty: a_wrong_password_is_permanent, async |db: &Db| {
    let wrong = db.url().replacen(
        &format!(":{}@", password_of(&db.url())?),
        ":wrong@",
        1,
    );
    let Err(error) = Probe::new(&wrong, None, LIMIT)?.measure().await else {
        anyhow::bail!("a wrong password was taken");
    };
    ensure!(matches!(error, ProbeError::Refused { .. }), "{error:?}");
    ensure!(error.class() == ErrorClass::Permanent, "{error:?}");
    Ok(())
});

fn password_of(url: &str) -> Result<String> {
    let start = url.find("://").context("a URL")? + 3;
    let user = url[start..].split('@').next().context("a user")?;
    Ok(user.split_once(':').context("a password")?.1.to_owned())
}

/// Changes settings of a pooler while it runs.
async fn set(pooler: &PgBouncer, settings: &[&str]) -> Result<()> {
    let (console, connection) = tokio_postgres::connect(&pooler.console_url(), NoTls).await?;
    tokio::spawn(connection);
    for setting in settings {
        console.simple_query(&format!("set {setting}")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_pool_of_one_and_the_other_modes_are_told_too() -> Result<()> {
    let servers = Servers::from_environment();
    let url = servers.direct();
    let directory = tempfile::tempdir()?;
    let pooler = PgBouncer::start(PgBouncerOptions {
        dir: directory.path().to_path_buf(),
        server: ServerAddress {
            host: url.host_str().context("a host")?.to_owned(),
            port: url.port().context("a port")?,
            user: url.username().to_owned(),
            password: url.password().context("a password")?.to_owned(),
        },
        default_pool_size: 1,
        max_client_conn: 20,
    })
    .await?;
    let probe = Probe::new(&pooler.url("postgres"), None, LIMIT)?;

    let one = probe.measure().await?;
    ensure!(one.mode == Mode::Transaction, "{one:?}");
    ensure!(one.settings_leak == Answer::Yes, "{one:?}");
    // While the only server connection is held, nobody can call a statement on it.
    ensure!(one.named_statements == Answer::Unknown, "{one:?}");
    ensure!(one.is_clean, "{one:?}");

    set(&pooler, &["default_pool_size = 5", "pool_mode = 'session'"]).await?;
    let session = probe.measure().await?;
    ensure!(session.mode == Mode::Session, "{session:?}");
    ensure!(
        matches!(session.pooler, Some(Pooler::PgBouncer { .. })),
        "{session:?}"
    );
    ensure!(session.settings_leak == Answer::No, "{session:?}");
    ensure!(session.named_statements == Answer::Yes, "{session:?}");

    set(&pooler, &["pool_mode = 'statement'"]).await?;
    let statement = probe.measure().await?;
    ensure!(statement.mode == Mode::Statement, "{statement:?}");
    pooler.stop().await?;
    Ok(())
}

/// As [`measure`], through a hostile pooler.
async fn measure_behind(db: &Db, hostility: Hostility) -> Result<Measurements> {
    let pooler = HostilePooler::start(&db.url(), hostility).await?;
    let measured = Probe::new(&pooler.url(), None, LIMIT)?.measure().await;
    let report = pooler.report();
    ensure!(report.astray.is_empty(), "sent too early: {report}");
    measured.with_context(|| format!("no measurement: {report}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_refuses_or_forgets_names_is_no_broken_connection() -> Result<()> {
    let db = Db::empty(Route::Direct).await?;
    for hostility in [
        Hostility::none().with(Deed::RefuseNamed, 1.0),
        Hostility::none().with(Deed::ForgetStatements, 1.0),
        Hostility::poison_only(),
    ] {
        for seed in 1..=3 {
            let measured = measure_behind(&db, hostility.clone().with_seed(seed)).await?;
            ensure!(measured.mode == Mode::Transaction, "{measured:?}");
            ensure!(measured.named_statements == Answer::No, "{measured:?}");
        }
    }
    // Refused here and there: at the naming, at the call or at the end.
    for seed in 1..=12 {
        let hostility = Hostility::none()
            .with(Deed::RefuseNamed, 0.4)
            .with_seed(seed);
        let measured = measure_behind(&db, hostility).await?;
        ensure!(measured.named_statements == Answer::No, "{measured:?}");
    }
    Ok(())
}
