//! The binary `trawl`: reads the configuration, runs one command, and tells how it ended.
//!
//! Exit codes: 0 for success, 2 for a configuration that cannot be used, 1 for everything else.

use std::io::{self, Write as _};
use std::process::ExitCode;

use trawl_api::commands;
use trawl_api::config::{Cli, Refusal};

const EXIT_CONFIGURATION: u8 = 2;

fn main() -> ExitCode {
    let command = match Cli::read(std::env::args_os()) {
        Ok(command) => command,
        Err(Refusal::Asked(text)) => {
            // Whoever asked may have closed the pipe, as `trawl --help | head` does.
            let _ = io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(Refusal::Invalid(line)) => {
            let _ = writeln!(io::stderr(), "trawl: {line}");
            return ExitCode::from(EXIT_CONFIGURATION);
        }
    };
    let ended = trawl_api::init_log(command.log()).and_then(|()| commands::run(command));
    match ended {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "trawl: {error:#}");
            ExitCode::FAILURE
        }
    }
}
