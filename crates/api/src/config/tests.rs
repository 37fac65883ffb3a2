use clap::CommandFactory as _;

use super::*;
use crate::request::Options;

const DOCUMENT: &str = include_str!("../../../../docs/configuration.md");

fn read(line: &[&str]) -> Result<Command, Refusal> {
    Cli::read(line.iter().copied())
}

/// The rows that the document must have, made of what `--help` says.
fn rows() -> Vec<String> {
    let command = Cli::command();
    let settings = command.get_arguments().filter_map(|argument| {
        let variable = argument.get_env()?.to_str()?;
        let flag = argument.get_long()?;
        let meaning = argument.get_help()?.to_string().replace('|', "\\|");
        let defaults: Vec<_> = argument
            .get_default_values()
            .iter()
            .map(|default| format!("`{}`", default.to_string_lossy()))
            .collect();
        let default = match defaults.as_slice() {
            [] => "unset".to_owned(),
            defaults => defaults.join(" "),
        };
        Some(format!(
            "| `{variable}` | `--{flag}` | {meaning} | {default} |"
        ))
    });
    settings.collect()
}

#[test]
fn the_document_says_what_help_says() {
    let expected = rows();
    let found: Vec<_> = DOCUMENT
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    assert_eq!(
        found,
        expected,
        "docs/configuration.md must have:\n{}",
        expected.join("\n")
    );
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn no_command_is_serve_with_its_flags() {
    match read(&["trawl", "--bind", "127.0.0.1:1", "--no-worker"]) {
        Ok(Command::Serve(args)) => {
            assert!(args.no_worker);
            assert_eq!(args.http.bind.port(), 1);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_default_of_a_scan_is_that_of_a_batch() {
    match read(&["trawl", "scan", "example.com"]) {
        Ok(Command::Scan(args)) => assert_eq!(args.max_pages, MaxPages::DEFAULT),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_scan_has_a_flag_for_each_option_of_a_request() {
    let command = Cli::command();
    let scan = command.find_subcommand("scan");
    let of_scan: Vec<_> = scan
        .into_iter()
        .flat_map(clap::Command::get_arguments)
        .filter(|argument| argument.get_help_heading() == Some("Options of the scan"))
        .filter_map(|argument| argument.get_long())
        .collect();
    // A flag names one glob, and is given again for the next.
    let named = |name: &&str| name.replace("_paths", "_path").replace('_', "-");
    let of_requests: Vec<_> = Options::NAMES.iter().map(named).collect();
    assert_eq!(of_scan, of_requests);
    match read(&["trawl", "scan", "example.com"]) {
        Ok(Command::Scan(args)) => {
            assert_eq!(args.options.to_options().ok(), Some(Options::default()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn settings_that_no_version_has_are_named() {
    let names = ["TRAWL_BIND", "TRAWL_BINDS", "TRAWL_TEST_X", "PATH"].map(OsString::from);
    assert_eq!(Cli::unknown_variables(names), ["TRAWL_BINDS"]);
}
