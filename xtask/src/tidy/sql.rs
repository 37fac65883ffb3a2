//! SQL that a transaction-mode pooler cannot serve.
//!
//! Under such a pooler the next statement may run on another server session, so whatever outlives
//! its transaction is lost or leaks to a stranger. The words are found outside comments, strings
//! and quoted names; the bodies of functions are code and looked at as well.

use super::workspace::File;

/// Words that have no use but one that needs a session.
const SESSION_WORDS: [&str; 10] = [
    "listen",
    "unlisten",
    "prepare",
    "deallocate",
    "discard",
    "copy",
    "temp",
    "temporary",
    "pg_temp",
    "load",
];

/// What may follow `set` at the start of a statement, since it ends with the transaction.
const LOCAL_SETTINGS: [&str; 3] = ["local", "transaction", "constraints"];

/// Statements that need a session, in files that go through a pooler.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (line, what) in session_sql(&file.text) {
            findings.push(format!("{}:{line}: {what} needs a session", file.path));
        }
    }
    findings
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    line: usize,
    /// A lower-case word, or one character, or `$` for either end of a dollar-quoted body.
    text: String,
}

fn session_sql(sql: &str) -> Vec<(usize, String)> {
    let tokens = tokens(sql);
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text.as_str());
    let mut found = Vec::new();
    let mut starts_statement = true;
    let mut in_body = false;
    for (index, Token { line, text: word }) in tokens.iter().enumerate() {
        let (line, word, next) = (*line, word.as_str(), text(index + 1));
        if SESSION_WORDS.contains(&word) || is_session_lock(word) {
            found.push((line, word.to_owned()));
        } else if word == "with" && next == "hold" {
            found.push((line, "with hold".to_owned()));
        } else if word == "set" && starts_statement && !LOCAL_SETTINGS.contains(&next) {
            found.push((line, "set without local".to_owned()));
        } else if word == "reset" && starts_statement {
            found.push((line, "reset".to_owned()));
        } else if word == "set_config" && next == "(" && !is_local_set_config(&tokens[index + 1..])
        {
            found.push((line, "set_config without true".to_owned()));
        }
        if word == "$" {
            in_body = !in_body;
        }
        // After the end of a body come the clauses of its function, `set` among them.
        starts_statement =
            matches!(word, ";" | "begin" | "then" | "else" | "loop") || (word == "$" && in_body);
    }
    found
}

/// A function for advisory locks other than those that end with the transaction.
fn is_session_lock(word: &str) -> bool {
    word.starts_with("pg_") && word.contains("advisory") && !word.contains("_xact_")
}

/// Whether the last argument of the call whose parenthesis comes first is `true`.
fn is_local_set_config(call: &[Token]) -> bool {
    let mut depth = 0_usize;
    for (index, token) in call.iter().enumerate() {
        match token.text.as_str() {
            "(" => depth += 1,
            ")" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index > 0 && call[index - 1].text == "true";
                }
            }
            _ => {}
        }
    }
    false
}

/// Words and signs outside comments, strings and quoted names.
fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '\'' || first == '"' {
            rest[1..].find(first).map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = dollar_quote(rest) {
            tokens.push(Token {
                line,
                text: "$".to_owned(),
            });
            length
        } else if is_word(first) {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(Token {
                line,
                text: rest[..length].to_lowercase(),
            });
            length
        } else {
            if !first.is_whitespace() {
                tokens.push(Token {
                    line,
                    text: first.to_string(),
                });
            }
            first.len_utf8()
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// The length of `$$` or `$name$`, if the text begins with one; `$1` is a parameter.
fn dollar_quote(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('$')?;
    let end = inner.find('$')?;
    let name = &inner[..end];
    let starts_well = !name.starts_with(|c: char| c.is_ascii_digit());
    (starts_well && name.chars().all(is_word)).then_some(end + 2)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_that_ends_with_its_transaction_is_fine() {
        for sql in [
            "update t set a = 1; select pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(2)",
            "set local lock_timeout = '1s'; set transaction read only; set constraints all deferred",
            "create function f() returns int language plpgsql set search_path = '' as $$ begin return 1; end $$",
            "create function f() returns int as $body$ begin return 1; end; $body$ language plpgsql set jit = off;",
            "select set_config('lock_timeout', concat($1, 'ms'), true)",
            "insert into t values ('set x; listen') on conflict do update set a = 1 -- listen\n",
            "select \"temp\" /* prepare; listen */ from t",
            "notify changes; alter table t alter a set not null",
        ] {
            assert_eq!(session_sql(sql), Vec::new(), "{sql}");
        }
    }

    #[test]
    fn sql_that_needs_a_session_is_found() {
        for (sql, expected) in [
            ("SET search_path = x", "set without local"),
            (
                "select 1;\nset session authorization y",
                "set without local",
            ),
            ("do $$ begin set jit = off; end $$", "set without local"),
            (
                "create function f() as $b$ begin if a then set jit = off; end if; end $b$",
                "set without local",
            ),
            ("reset all", "reset"),
            (
                "select set_config('a', 'b', false)",
                "set_config without true",
            ),
            (
                "select set_config('a', f(true), $1)",
                "set_config without true",
            ),
            ("LISTEN jobs", "listen"),
            ("unlisten *", "unlisten"),
            ("select pg_advisory_lock(1)", "pg_advisory_lock"),
            (
                "select pg_try_advisory_lock_shared(1)",
                "pg_try_advisory_lock_shared",
            ),
            ("select pg_advisory_unlock_all()", "pg_advisory_unlock_all"),
            ("create temp table t (a int)", "temp"),
            ("create temporary view v as select 1", "temporary"),
            ("declare c cursor with hold for select 1", "with hold"),
            ("copy t from stdin", "copy"),
            ("prepare p as select 1", "prepare"),
            ("deallocate all", "deallocate"),
            ("discard all", "discard"),
        ] {
            let found: Vec<String> = session_sql(sql).into_iter().map(|(_, what)| what).collect();
            assert_eq!(found, [expected], "{sql}");
        }
    }

    #[test]
    fn a_finding_names_file_and_line() {
        let text = "-- A comment\nselect 'two\nlines';\nlisten jobs;\n".to_owned();
        let file = File {
            path: "migrations/0009_bad.sql".into(),
            text,
        };
        assert_eq!(
            check(&[file]),
            ["migrations/0009_bad.sql:4: listen needs a session"]
        );
    }
}
