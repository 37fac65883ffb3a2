//! The words that the database allows are the words that the code knows, and every statement
//! answers in types that the driver knows without asking.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use tokio_postgres::types::Type;
use trawl_domain::batch::BatchState;
use trawl_domain::job::JobState;
use trawl_domain::page::PageState;
use trawl_persistence::batches::BatchKind;
use trawl_persistence::workers::WorkerState;

use crate::database::Db;

/// Types with smaller OIDs are PostgreSQL's own (`FirstNormalObjectId` of its sources).
const FIRST_FOREIGN_OID: u32 = 16_384;

/// The words in quotes in the definition of a CHECK constraint.
async fn words_of(db: &Db, constraint: &str) -> Result<BTreeSet<String>> {
    let definition: String = db
        .value(
            "select pg_get_constraintdef(oid) from pg_constraint where conname = $1",
            &[(&constraint, Type::TEXT)],
        )
        .await
        .with_context(|| format!("find {constraint}"))?;
    let quoted = definition.split('\'').skip(1).step_by(2);
    Ok(quoted.map(str::to_owned).collect())
}

fn words(known: impl IntoIterator<Item = &'static str>) -> BTreeSet<String> {
    known.into_iter().map(str::to_owned).collect()
}

both_routes!(each_check_allows_the_words_of_its_enum, async |db| {
    for (constraint, known) in [
        (
            "batches_state_check",
            words(BatchState::ALL.map(BatchState::as_str)),
        ),
        (
            "batches_kind_check",
            words(BatchKind::ALL.map(BatchKind::as_str)),
        ),
        (
            "domain_jobs_state_check",
            words(JobState::ALL.map(JobState::as_str)),
        ),
        (
            "pages_state_check",
            words(PageState::STORED.map(PageState::as_str)),
        ),
        (
            "workers_state_check",
            words(WorkerState::ALL.map(WorkerState::as_str)),
        ),
        (
            "job_attempts_outcome_check",
            words(
                JobState::ALL
                    .into_iter()
                    .filter(|state| *state != JobState::Running)
                    .map(JobState::as_str),
            ),
        ),
        (
            "batches_ended_check",
            words(
                BatchState::ALL
                    .into_iter()
                    .filter(|state| state.is_terminal())
                    .map(BatchState::as_str),
            ),
        ),
        (
            "domain_jobs_ended_check",
            words(
                JobState::ALL
                    .into_iter()
                    .filter(|state| state.is_terminal())
                    .map(JobState::as_str),
            ),
        ),
    ] {
        assert_eq!(words_of(db, constraint).await?, known, "{constraint}");
    }
    Ok(())
});

#[tokio::test]
async fn every_column_of_every_statement_has_a_built_in_type() -> Result<()> {
    let db = Db::migrated(crate::database::Route::Direct).await?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
    let mut statements = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let sql = std::fs::read_to_string(&path)?;
        let prepared = db
            .admin
            .prepare(&sql)
            .await
            .with_context(|| format!("prepare {}", path.display()))?;
        for column in prepared.columns() {
            ensure!(
                column.type_().oid() < FIRST_FOREIGN_OID,
                "{} answers {} as {}",
                path.display(),
                column.name(),
                column.type_()
            );
        }
        statements += 1;
    }
    assert!(statements > 10, "only {statements} statements were found");
    Ok(())
}
