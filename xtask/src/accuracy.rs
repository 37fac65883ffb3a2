//! `cargo xtask accuracy`: how well the extraction does on labeled pages.
//!
//! The pages, their labels and the measuring belong to the scraper; this runs its example.

use anyhow::Result;

use crate::run;

/// What to print.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Also prints each value that was found wrongly or missed, by page.
    #[arg(long)]
    errors: bool,
}

/// Prints precision and recall by field and language.
pub(crate) async fn run(options: Options) -> Result<()> {
    let mut command = run::cargo();
    command.args(["run", "--quiet", "--package", "trawl-scraper"]);
    command.args(["--example", "accuracy"]);
    if options.errors {
        command.args(["--", "--errors"]);
    }
    run::run(command).await
}
