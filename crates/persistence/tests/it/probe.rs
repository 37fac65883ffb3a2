//! The probe measures what is really there, by either route, and leaves nothing behind.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use trawl_persistence::class::ErrorClass;
use trawl_persistence::probe::{Answer, Measurements, Mode, Pooler, Probe, ProbeError};

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
    ensure!(!measured.encryption.own_leg);
    ensure!(measured.is_clean);
    match db.route() {
        Route::Direct => {
            ensure!(measured.pooler.is_none(), "{:?}", measured.pooler);
            ensure!(measured.mode == Mode::Session);
            ensure!(measured.settings_leak == Answer::No);
            ensure!(measured.named_statements == Answer::Yes);
        }
        Route::Pooled => {
            let Some(Pooler::PgBouncer { version, limits }) = &measured.pooler else {
                anyhow::bail!("{:?}", measured.pooler);
            };
            ensure!(version.as_deref().is_some_and(|v| v.starts_with("PgBouncer")), "{version:?}");
            ensure!(limits.context("no limits")?.pool_size == 2, "{limits:?}");
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
            tokio_postgres::connect(&db.url(), tokio_postgres::NoTls).await?;
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
