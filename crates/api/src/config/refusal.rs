//! What is said of a command line or a variable that cannot be used: one line.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use trawl_persistence::pool::PoolBuildError;

/// Why no command is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody asked for a text: help or the version.
    Asked(String),
    /// One line that names the variable, its value and what is allowed.
    Invalid(String),
}

impl Refusal {
    pub(super) fn of_clap(error: &clap::Error, command: &clap::Command) -> Self {
        match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Self::Asked(error.render().to_string())
            }
            ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
                Self::Invalid(wrong_value(error, command).unwrap_or_else(|| first_paragraph(error)))
            }
            _ => Self::Invalid(first_paragraph(error)),
        }
    }

    /// Says what is wrong with a database URL, without its password.
    pub(super) fn of_url(variable: &str, url: &str, error: &PoolBuildError) -> Self {
        // The innermost cause names the option or the place, such as "unknown option `pgbouncer`".
        let cause = std::iter::successors(error.source(), |cause| (*cause).source())
            .last()
            .map(|cause| format!(" ({cause})"))
            .unwrap_or_default();
        Self::Invalid(format!(
            "{variable} is {:?}: {error}{cause}; must be of the form \
             postgres://user:password@host:port/database",
            without_password(url)
        ))
    }
}

fn wrong_value(error: &clap::Error, command: &clap::Command) -> Option<String> {
    let argument = text(error.get(ContextKind::InvalidArg)?)?;
    let value = text(error.get(ContextKind::InvalidValue)?)?;
    let setting = setting_of(command, argument);
    let allowed = match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(source), _) => source.to_string(),
        (None, Some(ContextValue::Strings(words))) => format!("must be {}", words.join(" or ")),
        (None, _) => return None,
    };
    Some(format!("{setting} is {value:?}: {allowed}"))
}

fn text(value: &ContextValue) -> Option<&str> {
    match value {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

/// The variable and the flag of an argument as `clap` writes it, such as `--bind <ADDRESS>`.
fn setting_of(command: &clap::Command, written: &str) -> String {
    let flag = written.split(' ').next().unwrap_or(written);
    let variable = command
        .get_arguments()
        .find(|argument| {
            argument.get_long().is_some() && argument.get_long() == flag.strip_prefix("--")
        })
        .and_then(|argument| argument.get_env())
        .and_then(|variable| variable.to_str());
    match variable {
        Some(variable) => format!("{variable} ({flag})"),
        None => flag.trim_matches(['<', '>']).to_owned(),
    }
}

fn first_paragraph(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let paragraph = text.split("\n\n").next().unwrap_or(&text);
    let paragraph = paragraph.strip_prefix("error: ").unwrap_or(paragraph);
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Hides what stands between the first colon of the user information and the last `@`, and the
/// value of `password=`. Made for text that is not a URL as well, so it hides too much rather than
/// too little.
fn without_password(url: &str) -> String {
    let mut shown = url.to_owned();
    let start = shown.find("://").map_or(0, |at| at + 3);
    if let Some(end) = shown.rfind('@').filter(|end| *end > start)
        && let Some(colon) = shown.get(start..end).and_then(|user| user.find(':'))
    {
        shown.replace_range(start + colon + 1..end, "***");
    }
    if let Some(at) = shown.to_ascii_lowercase().find("password") {
        shown.truncate(at);
        shown.push_str("password***");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        for (url, shown) in [
            ("postgres://u:secret@h/db", "postgres://u:***@h/db"),
            ("postgres://u:se@c:ret@h:5/db", "postgres://u:***@h:5/db"),
            (
                "postgres://h/db?password=secret",
                "postgres://h/db?password***",
            ),
            ("host=h password=secret user=u", "host=h password***"),
            ("u:secret@h", "u:***@h"),
            ("postgres://h:5432/db", "postgres://h:5432/db"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
