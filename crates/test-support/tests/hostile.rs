//! The hostile pooler bites every careless client, each kind of hostility its own, and lets a correct
//! one through.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, NoTls, Row};
use trawl_test_support::hostile::{Deed, HostilePooler, Hostility};
use trawl_test_support::{Route, TestDatabase, wait_until};

const PATIENCE: Duration = Duration::from_secs(20);
/// What has no answer by then has none; only ever waited for where none is expected.
const SILENCE: Duration = Duration::from_millis(300);
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

struct Fixture {
    pooler: HostilePooler,
    database: TestDatabase,
}

impl Fixture {
    async fn new(hostility: Hostility) -> Result<Self> {
        let database = TestDatabase::create(Route::Direct).await?;
        let admin = database.admin().await?;
        admin
            .batch_execute("CREATE TABLE rows (number int PRIMARY KEY, note text)")
            .await?;
        let pooler = HostilePooler::start(&database.url(), hostility).await?;
        Ok(Self { pooler, database })
    }

    async fn only(deed: Deed) -> Result<Self> {
        Self::new(Hostility::none().with(deed, 1.0)).await
    }

    async fn connect(&self) -> Result<Client, Error> {
        let (client, connection) = tokio_postgres::connect(&self.pooler.url(), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    async fn stored(&self) -> Result<Vec<i32>> {
        let admin = self.database.admin().await?;
        let rows = admin
            .query_typed("SELECT number FROM rows ORDER BY number", &[])
            .await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

async fn insert(client: &Client, number: i32) -> Result<u64, Error> {
    let parameters: &[(&(dyn ToSql + Sync), Type)] = &[(&number, Type::INT4)];
    client
        .execute_typed("INSERT INTO public.rows (number) VALUES ($1)", parameters)
        .await
}

async fn text(client: &Client, sql: &str) -> Result<String, Error> {
    Ok(client.query_typed(sql, &[]).await?[0].get(0))
}

/// The answer to a question that names its asker.
async fn ask(client: &Client, asker: i32) -> Result<Vec<Row>, Error> {
    let parameters: &[(&(dyn ToSql + Sync), Type)] = &[(&asker, Type::INT4)];
    client.query_typed("SELECT $1", parameters).await
}

fn code(outcome: Result<impl Sized, Error>) -> Option<SqlState> {
    outcome.err().and_then(|error| error.code().cloned())
}

#[tokio::test]
async fn every_transaction_has_another_backend_and_keeps_it() -> Result<()> {
    let fixture = Fixture::new(Hostility::none()).await?;
    let client = fixture.connect().await?;
    let pid = "SELECT pg_backend_pid()::text";
    let mut before = text(&client, pid).await?;
    for _ in 0..20 {
        client.batch_execute(BEGIN).await?;
        let first = text(&client, pid).await?;
        let second = text(&client, pid).await?;
        client.batch_execute("COMMIT").await?;
        assert_eq!(first, second);
        assert_ne!(first, before);
        before = first;
    }
    Ok(())
}

#[tokio::test]
async fn a_session_setting_is_not_where_it_was_left() -> Result<()> {
    let fixture = Fixture::new(Hostility::none()).await?;
    let client = fixture.connect().await?;
    client
        .batch_execute("SET application_name = 'mine'")
        .await?;
    assert_ne!(text(&client, "SHOW application_name").await?, "mine");
    Ok(())
}

#[tokio::test]
async fn poison_reaches_a_client_that_relies_on_defaults() -> Result<()> {
    let fixture = Fixture::only(Deed::PoisonSettings).await?;
    let client = fixture.connect().await?;
    let mut read_only = 0;
    let mut without_right = 0;
    let mut without_path = 0;
    for number in 0..200 {
        match code(insert(&client, number).await) {
            Some(SqlState::READ_ONLY_SQL_TRANSACTION) => read_only += 1,
            Some(SqlState::INSUFFICIENT_PRIVILEGE) => without_right += 1,
            Some(SqlState::QUERY_CANCELED) | None => {}
            Some(other) => panic!("{other:?}"),
        }
        if code(client.query_typed("SELECT FROM rows", &[]).await)
            == Some(SqlState::UNDEFINED_TABLE)
        {
            without_path += 1;
        }
    }
    assert!(
        read_only > 0 && without_right > 0 && without_path > 0,
        "{read_only} {without_right} {without_path}"
    );
    Ok(())
}

#[tokio::test]
async fn named_statements_are_refused() -> Result<()> {
    let fixture = Fixture::only(Deed::RefuseNamed).await?;
    for _ in 0..12 {
        let client = fixture.connect().await?;
        let refused = code(client.query("SELECT 1", &[]).await).unwrap();
        assert!(
            [
                SqlState::INVALID_SQL_STATEMENT_NAME,
                SqlState::DUPLICATE_PSTATEMENT,
                SqlState::INTERNAL_ERROR,
            ]
            .contains(&refused),
            "{refused:?}"
        );
    }
    let client = fixture.connect().await?;
    assert_eq!(ask(&client, 7).await?[0].get::<_, i32>(0), 7);
    client
        .batch_execute("prepare named as select 1")
        .await
        .unwrap_err();
    Ok(())
}

#[tokio::test]
async fn prepared_statements_are_forgotten() -> Result<()> {
    let fixture = Fixture::only(Deed::ForgetStatements).await?;
    let client = fixture.connect().await?;
    let statement = client.prepare("SELECT 1").await?;
    assert!(client.query(&statement, &[]).await.is_err());
    Ok(())
}

#[tokio::test]
async fn who_takes_an_error_for_the_end_of_a_request_is_never_answered() -> Result<()> {
    let fixture = Fixture::only(Deed::MisrouteEarlyBytes).await?;
    let (careless, bystander) = (fixture.connect().await?, fixture.connect().await?);
    // The bystander's transaction waits on its backend when the stray request gets there.
    bystander.batch_execute(BEGIN).await?;
    careless.query_typed("SELECT 1/0", &[]).await.unwrap_err();
    assert!(timeout(SILENCE, ask(&careless, 1)).await.is_err());
    assert_eq!(fixture.pooler.report().astray, ["SELECT $1"]);
    // And a stranger has its row.
    match timeout(PATIENCE, ask(&bystander, 2)).await? {
        Ok(rows) => assert_eq!(rows[0].get::<_, i32>(0), 1),
        Err(_unexpected_message) => {}
    }
    Ok(())
}

#[tokio::test]
async fn pipelined_requests_go_astray_as_well() -> Result<()> {
    let fixture = Fixture::only(Deed::MisrouteEarlyBytes).await?;
    let client = fixture.connect().await?;
    let both = async { tokio::join!(ask(&client, 1), ask(&client, 2)) };
    assert!(timeout(SILENCE, both).await.is_err());
    assert_eq!(fixture.pooler.report().astray.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_rollback_at_once_after_an_error_in_a_transaction_is_the_clients_own() -> Result<()> {
    let fixture = Fixture::only(Deed::MisrouteEarlyBytes).await?;
    let client = fixture.connect().await?;
    for _ in 0..10 {
        client.batch_execute(BEGIN).await?;
        client.query_typed("SELECT 1/0", &[]).await.unwrap_err();
        client.batch_execute("ROLLBACK").await?;
        assert_eq!(ask(&client, 3).await?[0].get::<_, i32>(0), 3);
    }
    assert_eq!(fixture.pooler.report().astray, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn what_is_cut_at_commit_is_lost_stored_or_anybodys_guess() -> Result<()> {
    for (deed, stored) in [
        (Deed::CutBeforeCommit, Some(false)),
        (Deed::CutDuringCommit, None),
        (Deed::CutAfterCommit, Some(true)),
    ] {
        let fixture = Fixture::only(deed).await?;
        let client = fixture.connect().await?;
        client.batch_execute(BEGIN).await?;
        insert(&client, 1).await?;
        assert!(client.batch_execute("COMMIT").await.is_err(), "{deed:?}");
        match stored {
            Some(true) => assert_eq!(fixture.stored().await?, [1], "{deed:?}"),
            Some(false) => assert_eq!(fixture.stored().await?, [0_i32; 0], "{deed:?}"),
            None => {}
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_autocommitted_statement_is_cut_like_a_commit() -> Result<()> {
    for (deed, stored) in [
        (Deed::CutBefore, Some(false)),
        (Deed::CutDuring, None),
        (Deed::CutAfter, Some(true)),
        (Deed::AdminShutdown, Some(false)),
        (Deed::AdminShutdownAfter, Some(true)),
        (Deed::CheckoutTimeout, Some(false)),
        (Deed::DeadBackend, Some(false)),
        (Deed::WrongCancel, Some(false)),
    ] {
        let fixture = Fixture::only(deed).await?;
        let client = fixture.connect().await?;
        let expected = match deed {
            Deed::AdminShutdown | Deed::AdminShutdownAfter => Some(SqlState::ADMIN_SHUTDOWN),
            Deed::CheckoutTimeout => Some(SqlState::INTERNAL_ERROR),
            Deed::WrongCancel => Some(SqlState::QUERY_CANCELED),
            _ => None,
        };
        let failed = insert(&client, 1).await;
        assert!(failed.is_err(), "{deed:?}");
        assert_eq!(code(failed), expected, "{deed:?}");
        if let Some(stored) = stored {
            assert_eq!(!fixture.stored().await?.is_empty(), stored, "{deed:?}");
        }
        assert_eq!(fixture.pooler.report().count(deed), 1, "{deed:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_black_hole_answers_nothing_and_closes_nothing() -> Result<()> {
    for (deed, stored) in [(Deed::BlackHoleBefore, false), (Deed::BlackHoleAfter, true)] {
        let fixture = Fixture::only(deed).await?;
        let client = fixture.connect().await?;
        assert!(timeout(SILENCE, insert(&client, 1)).await.is_err());
        assert!(!client.is_closed());
        assert_eq!(!fixture.stored().await?.is_empty(), stored, "{deed:?}");
    }
    let fixture = Fixture::only(Deed::BlackHoleAtConnect).await?;
    assert!(timeout(SILENCE, fixture.connect()).await.is_err());
    Ok(())
}

#[tokio::test]
async fn too_many_clients_are_told_so() -> Result<()> {
    let fixture = Fixture::only(Deed::TooManyClients).await?;
    let refused = fixture.connect().await.err().context("refused")?;
    let message = refused.as_db_error().context("an answer")?.message();
    assert!(message.starts_with("(EMAXCONN)"), "{message}");
    Ok(())
}

#[tokio::test]
async fn an_idle_client_is_disconnected() -> Result<()> {
    let fixture = Fixture::only(Deed::CutIdle).await?;
    let client = fixture.connect().await?;
    wait_until("the end", PATIENCE, async || client.is_closed()).await
}

#[tokio::test]
async fn a_transaction_whose_client_has_gone_keeps_its_locks_for_a_while() -> Result<()> {
    let fixture = Fixture::only(Deed::HalfOpen).await?;
    let other = fixture.connect().await?;
    let (gone, connection) = tokio_postgres::connect(&fixture.pooler.url(), NoTls).await?;
    let connection = tokio::spawn(connection);
    gone.batch_execute(BEGIN).await?;
    insert(&gone, 1).await?;
    // Without a farewell, as a process that was killed.
    connection.abort();
    // The other waits for the lock, and goes on waiting when its future is dropped.
    assert!(timeout(SILENCE, insert(&other, 1)).await.is_err());
    assert_eq!(fixture.stored().await?, [0_i32; 0]);
    wait_until("the pooler to notice", PATIENCE, async || {
        fixture.stored().await.unwrap() == [1]
    })
    .await
}

#[tokio::test]
async fn a_stray_cancel_hits_whoever_runs() -> Result<()> {
    let fixture = Fixture::new(Hostility::none()).await?;
    let (sleeper, other) = (fixture.connect().await?, fixture.connect().await?);
    let sleeping = sleeper.query_typed("SELECT pg_sleep(60)", &[]);
    let hitting = async {
        fixture
            .pooler
            .set_hostility(Hostility::none().with(Deed::StrayCancel, 1.0));
        loop {
            let _ = ask(&other, 1).await;
        }
    };
    let slept = tokio::select! {
        slept = timeout(PATIENCE, sleeping) => slept?,
        () = hitting => unreachable!("it never ends"),
    };
    assert_eq!(code(slept), Some(SqlState::QUERY_CANCELED));
    Ok(())
}

#[tokio::test]
async fn crumbs_and_delays_change_no_answer_and_large_requests_arrive() -> Result<()> {
    let hostility = Hostility::none()
        .with(Deed::Trickle, 1.0)
        .with(Deed::Delay, 1.0)
        .with(Deed::SlowLargeRequests, 1.0);
    let fixture = Fixture::new(hostility).await?;
    let client = fixture.connect().await?;
    assert_eq!(ask(&client, 5).await?[0].get::<_, i32>(0), 5);
    let large = "x".repeat(500_000);
    let parameters: &[(&(dyn ToSql + Sync), Type)] = &[(&large, Type::TEXT)];
    let rows = client.query_typed("SELECT length($1)", parameters).await?;
    assert_eq!(rows[0].get::<_, i32>(0), 500_000);
    assert_eq!(fixture.pooler.report().count(Deed::SlowLargeRequests), 2);
    Ok(())
}

/// What a correct client spells out in each of its transactions.
const SETTINGS: &str = "SELECT set_config('role', 'none', true), \
     set_config('statement_timeout', '10s', true), set_config('lock_timeout', '10s', true)";

/// Inserts one row as a correct client does, trying again what another's time limit cancelled.
async fn insert_with_care(client: &Client, number: i32) -> Result<(), Error> {
    loop {
        let outcome = async {
            client.batch_execute(BEGIN).await?;
            client.query_typed(SETTINGS, &[]).await?;
            insert(client, number).await
        };
        match outcome.await {
            Ok(_inserted) => return client.batch_execute("COMMIT").await,
            Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => {
                client.batch_execute("ROLLBACK").await?;
            }
            Err(error) => return Err(error),
        }
    }
}

#[tokio::test]
async fn a_correct_client_does_not_notice_poison() -> Result<()> {
    let fixture = Fixture::new(Hostility::poison_only().with_seed(11)).await?;
    let clients = tokio::try_join!(fixture.connect(), fixture.connect(), fixture.connect())?;
    let work = async |client: &Client, first: i32| -> Result<(), Error> {
        for number in first..first + 50 {
            insert_with_care(client, number).await?;
        }
        Ok(())
    };
    tokio::try_join!(
        work(&clients.0, 0),
        work(&clients.1, 50),
        work(&clients.2, 100)
    )?;
    assert_eq!(fixture.stored().await?, (0..150).collect::<Vec<_>>());
    let report = fixture.pooler.report();
    assert_eq!(report.astray, [""; 0]);
    assert!(report.count(Deed::PoisonSettings) > 20, "{report}");
    Ok(())
}
