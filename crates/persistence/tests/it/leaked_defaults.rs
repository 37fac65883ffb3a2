//! Session defaults that another client of the pooler left behind, or that the server was given:
//! nothing Trawl does may depend on them.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio_postgres::NoTls;
use tokio_postgres::types::Type;
use trawl_domain::failure::{Failure, FailureCode};
use trawl_persistence::batches::batch_status;
use trawl_persistence::control::{batch_cancel, batch_pause, batch_retry, job_cancel};
use trawl_persistence::health::ping;
use trawl_persistence::jobs::{EndedJob, Ending, job_attempts, job_claim, job_finish, job_status};
use trawl_persistence::pages::{PageRecord, page_record, pages_of_job, pages_view};
use trawl_persistence::pool::{Pool, PoolOptions};
use trawl_persistence::retention::batch_expire;
use trawl_persistence::scope::{ScopeSettings, SessionScope, Statement};
use trawl_test_support::hostile::{BACKENDS, HostilePooler, Hostility};
use trawl_test_support::wait_until;
use uuid::Uuid;

use crate::database::{Db, Route};
use crate::fixtures::{Submission, failed, page, snoozed, worker};
use crate::path_of_a_batch::every_call_in_order;

const DEFAULTS: [(&str, &str); 10] = [
    ("default_transaction_read_only", "on"),
    ("default_transaction_isolation", "serializable"),
    ("statement_timeout", "1ms"),
    ("lock_timeout", "1ms"),
    ("search_path", ""),
    ("TimeZone", "Asia/Kathmandu"),
    ("DateStyle", "SQL, DMY"),
    ("bytea_output", "escape"),
    ("synchronous_commit", "off"),
    // Last: it may set no more of them. It may do nothing with what is not its own.
    ("role", "pg_signal_backend"),
];

/// Makes every backend that the pool can meet one with these defaults.
async fn poison(db: &Db, defaults: &[(&str, &str)]) -> Result<()> {
    match db.route() {
        // A new session takes them from its database.
        Route::Direct => {
            for (name, value) in defaults {
                let sql = format!(
                    "do $$ begin execute format('alter database %I set {name} = %L', \
                     current_database(), '{value}'); end $$"
                );
                db.admin.batch_execute(&sql).await?;
            }
        }
        Route::Pooled => leave_behind(&db.url(), 2, defaults).await?,
    }
    Ok(())
}

/// Rude clients leave these defaults on all `backends` of a pooler, which they hold at once.
async fn leave_behind(url: &str, backends: usize, defaults: &[(&str, &str)]) -> Result<()> {
    let mut rude = Vec::new();
    for _ in 0..backends {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute("begin").await?;
        rude.push(client);
    }
    for client in rude {
        for (name, value) in defaults {
            client
                .batch_execute(&format!("set session {name} = '{value}'"))
                .await?;
        }
        client.batch_execute("commit").await?;
    }
    Ok(())
}

both_routes!(every_call_works_under_hostile_defaults, async |db| {
    poison(db, &DEFAULTS).await?;
    every_call_in_order(&db.pool).await
});

both_routes!(a_scope_does_not_inherit_a_default, async |db| {
    const SEEN: Statement = Statement::repeatable(
        "seen",
        "select current_setting('transaction_read_only'), \
         current_setting('transaction_isolation'), current_setting('statement_timeout'), \
         current_setting('role'), current_setting('default_transaction_read_only')",
    );
    poison(db, &DEFAULTS).await?;
    let rows = SessionScope::run(&db.pool, ScopeSettings::SHORT, async |scope| {
        scope.query(&SEEN, &[]).await
    })
    .await?;
    let seen: Vec<&str> = (0..5).map(|index| rows[0].get(index)).collect();
    // The last one proves that the backend was poisoned indeed.
    assert_eq!(seen, ["off", "read committed", "10s", "none", "on"]);
    Ok(())
});

both_routes!(a_lone_statement_falls_back_to_a_transaction, async |db| {
    const WRITE: Statement =
        Statement::once_only("note_insert", "insert into trawl.notes values ($1)");
    db.admin
        .batch_execute("create table trawl.notes (id integer)")
        .await?;
    for (name, value) in DEFAULTS {
        poison(db, &[(name, value)]).await?;
    }
    for number in 0..5 {
        SessionScope::once(&db.pool, &WRITE, &[(&number, Type::INT4)]).await?;
    }
    let written: i64 = db.value("select count(*) from trawl.notes", &[]).await?;
    assert_eq!(written, 5);
    Ok(())
});

both_routes!(
    a_leaked_lock_limit_does_not_fail_a_lone_statement,
    async |db| {
        const WAIT: Statement =
            Statement::once_only("note_wait", "update trawl.notes set id = id + 1");
        db.admin
            .batch_execute("create table trawl.notes as select 1 as id")
            .await?;
        poison(db, &[("lock_timeout", "10ms")]).await?;
        let holder = db.another_admin().await?;
        holder.batch_execute("begin").await?;
        holder.batch_execute("lock table trawl.notes").await?;
        let (outcome, released) = tokio::join!(SessionScope::once(&db.pool, &WAIT, &[]), async {
            // Released only once the fallback waits for the lock, under its own limit.
            wait_until(
                "a transaction to wait",
                Duration::from_secs(20),
                async || {
                    db.value::<bool>(
                        "select exists (select from pg_stat_activity
                     where datname = current_database() and wait_event_type = 'Lock'
                       and xact_start < query_start)",
                        &[],
                    )
                    .await
                    .is_ok_and(|waits| waits)
                },
            )
            .await?;
            holder.batch_execute("commit").await?;
            anyhow::Ok(())
        });
        released?;
        outcome?;
        Ok(())
    }
);

both_routes!(a_poisoned_backend_is_shown_to_be_poisoned, async |db| {
    poison(db, &DEFAULTS[..1]).await?;
    let (stranger, connection) = tokio_postgres::connect(&db.url(), NoTls).await?;
    tokio::spawn(connection);
    let refused = stranger
        .batch_execute("create table trawl.never (id integer)")
        .await;
    ensure!(refused.is_err(), "the write should have been refused");
    Ok(())
});

/// Refuses whatever is about to be committed without a flush. It looks at the last moment, when the
/// functions have returned.
const REFUSE_WHAT_A_CRASH_LOSES: &str = "
    create function public.refuse() returns trigger language plpgsql as $$
    begin
        if current_setting('synchronous_commit') = 'off' then
            raise exception 'a write to % would be lost', tg_table_name;
        end if;
        return null;
    end $$;
    do $$
    declare t regclass;
    begin
        for t in select oid from pg_class
                 where relnamespace = 'trawl'::regnamespace and relkind = 'r' loop
            execute format('create constraint trigger refuse after insert or update or delete on %s
                            deferrable initially deferred for each row
                            execute function public.refuse()', t);
        end loop;
    end $$";

both_routes!(what_is_written_is_durable_whatever_leaks, async |db| {
    const WRITE: &str = "insert into trawl.hosts values ('a.test', clock_timestamp())";
    const OLD: Duration = Duration::from_secs(0);
    db.admin.batch_execute(REFUSE_WHAT_A_CRASH_LOSES).await?;
    poison(db, &[("synchronous_commit", "off")]).await?;
    every_call_in_order(&db.pool).await?;

    let batch = Submission::sized("durable", 9).accepted(&db.pool).await?;
    let me = worker(&db.pool).await?;
    let claimed = job_claim(&db.pool, me, 2, None).await?;
    let ended = [
        snoozed(claimed[0].lease, "busy.test", OLD, 1),
        failed(claimed[1].lease),
    ];
    job_finish(&db.pool, &ended).await?;
    job_cancel(&db.pool, batch.jobs[3].id).await?;
    batch_pause(&db.pool, batch.id, true).await?;
    batch_cancel(&db.pool, batch.id).await?;
    batch_retry(&db.pool, batch.id, Uuid::now_v7(), u32::MAX).await?;
    while batch_expire(&db.pool, OLD).await? > 0 {}
    let left: i64 = db.value("select count(*) from trawl.pages", &[]).await?;
    assert_eq!(left, 0, "it was deleted with its batch");

    // Without the guard of its table the write is lost, and the trigger says so.
    db.admin.batch_execute(WRITE).await?;
    db.admin
        .batch_execute("alter table trawl.hosts disable trigger statement_guard")
        .await?;
    db.admin
        .batch_execute("set synchronous_commit = off")
        .await?;
    let refused = db.admin.batch_execute("delete from trawl.hosts").await;
    ensure!(refused.is_err(), "the test sees nothing");
    Ok(())
});

/// Through a pooler that, unlike `PgBouncer`, knows nothing of encodings.
#[tokio::test]
async fn texts_stay_what_they_are_under_a_leaked_encoding() -> Result<()> {
    const TITLE: &str = r#"{"title": "Bücher in 東京, Ã©tÃ©"}"#;
    let db = Db::migrated(Route::Direct).await?;
    let pooler = HostilePooler::start(&db.url(), Hostility::none()).await?;
    let pool = Pool::new(&pooler.url(), PoolOptions::with_size(2))?;
    // The backends last as long as somebody is connected.
    ping(&pool).await?;
    // As the first one anything can be read, as the others not even this.
    for encoding in ["LATIN1", "EUC_JP", "WIN1252"] {
        // Before each call, since one that fails costs a backend.
        let url = pooler.url();
        let leaked = [("client_encoding", encoding)];
        let leak = || leave_behind(&url, BACKENDS, &leaked);
        leak().await?;
        let mut batch = Submission::of([format!("{}.test", &encoding[..3])]);
        batch.metadata = TITLE.to_owned();
        let batch = batch.accepted(&pool).await?;
        let me = worker(&pool).await?;
        let lease = job_claim(&pool, me, 1, Some(batch.id)).await?[0].lease;
        let written = PageRecord {
            facts: Some(TITLE.to_owned()),
            failure: Some(Failure::new(FailureCode::Internal, TITLE)),
            ..page(lease, 0)
        };
        leak().await?;
        page_record(&pool, &[written]).await?;
        let ended = EndedJob {
            lease,
            ending: Ending::Failed(Failure::new(FailureCode::Internal, TITLE)),
        };
        leak().await?;
        job_finish(&pool, &[ended]).await?;

        leak().await?;
        let (view, errors) = batch_status(&pool, batch.id, Vec::new, |errors, line| {
            errors.extend(line.failure.map(|(_, error)| error.to_owned()));
        })
        .await?
        .context("the batch")?;
        leak().await?;
        let job = job_status(&pool, lease.job).await?.context("the job")?;
        leak().await?;
        let attempts = job_attempts(&pool, lease.job).await?;
        leak().await?;
        let stored = pages_of_job(&pool, lease.job, None, 10).await?;
        leak().await?;
        let pages = pages_view(&pool, lease.job, None, 10).await?;
        let pages = pages.context("the job")?;
        let second = |failure: &Option<(String, String)>| Some(failure.as_ref()?.1.clone());
        let read = [
            Some(view.metadata),
            errors.first().cloned(),
            Some(job.metadata),
            second(&job.failure),
            second(&attempts[0].failure),
            stored[0].facts.clone(),
            pages[0].facts.clone(),
            second(&pages[0].failure),
        ];
        assert_eq!(
            read,
            [const { Some(TITLE) }; 8].map(|text| text.map(str::to_owned))
        );
        let stored: Vec<String> = db
            .column("select facts ->> 'title' from trawl.pages", &[])
            .await?;
        ensure!(
            stored.iter().all(|title| TITLE.contains(title)),
            "{stored:?}"
        );
    }
    Ok(())
}
