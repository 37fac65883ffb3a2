//! The migration runner: forward only, each file once, whoever else runs it at the same time.

use std::error::Error;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use trawl_persistence::migrate::{self, MIGRATIONS, MigrateError, Migration};

use crate::database::Db;

fn names() -> Vec<&'static str> {
    MIGRATIONS.iter().map(|migration| migration.name).collect()
}

async fn recorded(db: &Db) -> Result<Vec<i32>> {
    db.column(
        "select version from trawl.schema_migrations order by version",
        &[],
    )
    .await
}

both_routes!(empty: an_empty_database_gets_every_migration_once, async |db| {
    assert_eq!(migrate::up(&db.pool).await?, names());
    assert_eq!(migrate::up(&db.pool).await?, [""; 0]);
    migrate::verify(&db.pool).await?;
    assert!(migrate::status(&db.pool).await?.iter().all(|line| line.applied));
    assert_eq!(recorded(db).await?.len(), MIGRATIONS.len());
    Ok(())
});

both_routes!(empty: an_empty_database_is_seen_as_such_and_left_alone, async |db| {
    let status = migrate::status(&db.pool).await?;
    assert_eq!(status.len(), MIGRATIONS.len());
    assert!(status.iter().all(|line| !line.applied));
    let missing = migrate::verify(&db.pool).await.unwrap_err();
    assert!(
        matches!(missing, MigrateError::Missing { missing } if missing == names()[0]),
        "{missing}"
    );
    let schemas: i64 = db
        .value("select count(*) from pg_namespace where nspname = 'trawl'", &[])
        .await?;
    assert_eq!(schemas, 0);
    Ok(())
});

both_routes!(empty: many_runners_at_once_apply_each_migration_once, async |db| {
    let pools = db.pools_by_both_routes(6)?;
    let applied = try_join_all((0..12).map(|number| migrate::up(&pools[number % 2]))).await?;
    let mut applied: Vec<_> = applied.into_iter().flatten().collect();
    applied.sort_unstable();
    assert_eq!(applied, names());
    migrate::verify(&db.pool).await?;
    Ok(())
});

both_routes!(an_edited_file_is_refused_by_name, async |db| {
    db.admin
        .batch_execute("update trawl.schema_migrations set checksum = 'another' where version = 2")
        .await?;
    for refused in [
        migrate::up(&db.pool).await.map(drop),
        migrate::status(&db.pool).await.map(drop),
        migrate::verify(&db.pool).await,
    ] {
        assert!(
            matches!(refused, Err(MigrateError::Edited { name }) if name == names()[1]),
            "{refused:?}"
        );
    }
    Ok(())
});

both_routes!(a_newer_history_is_refused, async |db| {
    db.admin
        .batch_execute(
            "insert into trawl.schema_migrations (version, name, checksum)
             values (9999, '9999_future.sql', 'x')",
        )
        .await?;
    for refused in [
        migrate::up(&db.pool).await.map(drop),
        migrate::status(&db.pool).await.map(drop),
        migrate::verify(&db.pool).await,
    ] {
        assert!(
            matches!(refused, Err(MigrateError::Newer { found: 9999, .. })),
            "{refused:?}"
        );
    }
    Ok(())
});

/// The text of a migration's file.
fn text_of(migration: &Migration) -> Result<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    Ok(std::fs::read_to_string(folder.join(migration.name))?)
}

/// The newest migration and those before it, which an empty database gets as a run of them would
/// have left it.
async fn all_but_newest(db: &Db) -> Result<&'static Migration> {
    let (newest, older) = MIGRATIONS.split_last().context("there are migrations")?;
    db.admin
        .batch_execute(
            "create schema trawl;
             create table trawl.schema_migrations (
                 version integer primary key, name text not null, checksum text not null,
                 applied_at timestamptz not null default clock_timestamp())",
        )
        .await?;
    for migration in older {
        db.admin.batch_execute(&text_of(migration)?).await?;
        let record = format!(
            "insert into trawl.schema_migrations values ({}, '{}', '{}')",
            migration.version,
            migration.name,
            migration.checksum()
        );
        db.admin.batch_execute(&record).await?;
    }
    Ok(newest)
}

both_routes!(empty: an_older_history_is_brought_up_to_date, async |db| {
    let newest = all_but_newest(db).await?;
    let missing = migrate::verify(&db.pool).await.unwrap_err();
    assert!(
        matches!(missing, MigrateError::Missing { missing } if missing == newest.name),
        "{missing}"
    );
    let status = migrate::status(&db.pool).await?;
    let applied = status.iter().filter(|line| line.applied).count();
    assert_eq!(applied, MIGRATIONS.len() - 1);
    assert_eq!(migrate::up(&db.pool).await?, [newest.name]);
    migrate::verify(&db.pool).await?;
    Ok(())
});

both_routes!(empty: a_migration_that_fails_leaves_nothing_behind, async |db| {
    let newest = all_but_newest(db).await?;
    // Its last function is there already, so the newest migration fails near its end.
    let text = text_of(newest)?;
    let last = &text[text.rfind("create function").context("it makes functions")?..];
    let (last, _rest) = last.split_once("$$;").context("its body ends")?;
    db.admin.batch_execute(&format!("{last}$$;")).await?;
    let shape = "select (select count(*) from pg_proc where pronamespace = 'trawl'::regnamespace)
                      + (select count(*) from pg_attribute a join pg_class c on c.oid = a.attrelid
                         where c.relnamespace = 'trawl'::regnamespace)";
    let before: i64 = db.value(shape, &[]).await?;
    let failed = migrate::up(&db.pool).await.unwrap_err();
    ensure!(matches!(failed, MigrateError::Scope { .. }), "{failed}");
    let cause = failed.source().map(ToString::to_string).unwrap_or_default();
    assert!(
        cause.contains(newest.name),
        "the cause names the file: {cause}"
    );
    assert_eq!(recorded(db).await?.len(), MIGRATIONS.len() - 1);
    let after: i64 = db.value(shape, &[]).await?;
    assert_eq!(before, after, "functions and columns were left behind");
    Ok(())
});
