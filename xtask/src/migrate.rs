//! `cargo xtask migrate`: the migration runner of `trawl-persistence`, from the command line.

use anyhow::{Context, Result, bail};
use std::env;
use std::process::ExitCode;
use trawl_persistence::migrate;
use trawl_persistence::pool::{Pool, PoolOptions};

/// In order of preference: migrations belong on a connection without a pooler where there is one.
const URL_VARIABLES: [&str; 2] = ["DATABASE_DIRECT_URL", "DATABASE_URL"];

/// What to do with the migrations of `DATABASE_DIRECT_URL`, or else `DATABASE_URL`.
#[derive(Debug, Clone, Copy, clap::Subcommand)]
pub(crate) enum Action {
    /// Applies what is missing.
    Up,
    /// Lists the migrations and whether each was applied.
    Status,
    /// Fails unless exactly these migrations were applied, unedited.
    Verify,
}

/// Does it on the database that the environment names.
pub(crate) async fn run(action: Action) -> Result<ExitCode> {
    let (variable, url) = database_url(|name| env::var(name).ok())?;
    let pool = Pool::new(&url, PoolOptions::with_size(1))
        .with_context(|| format!("cannot use {variable}"))?;
    match action {
        Action::Up => {
            let applied = migrate::up(&pool).await?;
            for name in &applied {
                println!("applied {name}");
            }
            if applied.is_empty() {
                println!("nothing to apply");
            }
        }
        Action::Status => {
            for migration in migrate::status(&pool).await? {
                let state = if migration.applied {
                    "applied"
                } else {
                    "missing"
                };
                println!("{state}  {}", migration.name);
            }
        }
        Action::Verify => {
            migrate::verify(&pool).await?;
            println!("the database has exactly these migrations");
        }
    }
    pool.close();
    Ok(ExitCode::SUCCESS)
}

/// The variable that counts, and its value.
fn database_url(value: impl Fn(&str) -> Option<String>) -> Result<(&'static str, String)> {
    for variable in URL_VARIABLES {
        match value(variable) {
            Some(url) if !url.is_empty() => return Ok((variable, url)),
            Some(_) | None => {}
        }
    }
    bail!(
        "set {} to the database to migrate",
        URL_VARIABLES.join(" or ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_direct_connection_comes_first() {
        for (direct, pooled, expected) in [
            (Some("d"), Some("p"), Some(("DATABASE_DIRECT_URL", "d"))),
            (None, Some("p"), Some(("DATABASE_URL", "p"))),
            (Some(""), Some("p"), Some(("DATABASE_URL", "p"))),
            (None, None, None),
        ] {
            let value = |name: &str| {
                let value = if name == "DATABASE_URL" {
                    pooled
                } else {
                    direct
                };
                value.map(str::to_owned)
            };
            let expected = expected.map(|(name, url)| (name, url.to_owned()));
            assert_eq!(database_url(value).ok(), expected);
        }
    }
}
