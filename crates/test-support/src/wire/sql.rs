//! What SQL does to a session, as far as its words tell.
//!
//! A judge of Trawl's own statements, not a parser: words in strings, quoted names, comments and
//! function bodies do not count, everything else does. Where in doubt it finds fault, since a
//! false alarm is looked at and a missed one is not.

use super::request::RequestKind;

/// What a statement would leave behind in its session, or need to find there; `None` if nothing.
pub(crate) fn session_state(sql: &str) -> Option<&'static str> {
    let tokens = tokens(sql);
    tokens
        .split(|token| *token == Token::Mark(';'))
        .find_map(by_first_words)
        .or_else(|| (0..tokens.len()).find_map(|index| by_call(&tokens[index..])))
        .or_else(|| tokens.windows(2).find_map(by_pair))
}

/// Whether a simple query is one that a pooled connection may send: the ends of a transaction, or
/// its beginning with isolation and access mode spelled out.
pub(crate) fn is_transaction_control(sql: &str) -> bool {
    let tokens = tokens(sql);
    let mut words: Vec<&str> = Vec::new();
    for token in &tokens {
        match token {
            Token::Word(word) => words.push(word),
            // Between the modes of a transaction it is optional.
            Token::Mark(',') => {}
            Token::Mark(_) | Token::Quoted | Token::Text => return false,
        }
    }
    match words.as_slice() {
        ["COMMIT" | "ROLLBACK"] => true,
        ["BEGIN", modes @ ..] | ["START", "TRANSACTION", modes @ ..] => {
            let has_isolation = modes.windows(2).any(|pair| pair == ["ISOLATION", "LEVEL"]);
            let has_access = modes
                .windows(2)
                .any(|pair| matches!(pair, ["READ", "WRITE" | "ONLY"]));
            has_isolation && has_access
        }
        _ => false,
    }
}

/// What a request does, by its first statement.
pub(crate) fn kind(sql: &str) -> RequestKind {
    match tokens(sql).first() {
        Some(Token::Word(word)) => match word.as_str() {
            "BEGIN" | "START" => RequestKind::Begin,
            "COMMIT" | "END" => RequestKind::Commit,
            "ROLLBACK" | "ABORT" => RequestKind::Rollback,
            _ => RequestKind::Statement,
        },
        _ => RequestKind::Statement,
    }
}

/// How a statement is called in reports: what its leading comment says, or its own text.
pub(crate) fn label(sql: &str) -> String {
    const LONGEST: usize = 120;
    let sql = sql.trim_start();
    let comment = if let Some(rest) = sql.strip_prefix("/*") {
        rest.split_once("*/").map(|(comment, _sql)| comment)
    } else if let Some(rest) = sql.strip_prefix("--") {
        rest.lines().next()
    } else {
        None
    };
    let words: Vec<_> = comment.unwrap_or(sql).split_whitespace().collect();
    words.join(" ").chars().take(LONGEST).collect()
}

fn by_first_words(statement: &[Token]) -> Option<&'static str> {
    let mut words = statement.iter().map(|token| match token {
        Token::Word(word) => word.as_str(),
        Token::Mark(_) | Token::Quoted | Token::Text => "",
    });
    match words.next()? {
        // `SET TRANSACTION` and `SET CONSTRAINTS` end with the transaction as well.
        "SET" => match words.next() {
            Some("LOCAL" | "TRANSACTION" | "CONSTRAINTS") => None,
            _ => Some("SET without LOCAL"),
        },
        "RESET" => Some("RESET"),
        "LISTEN" => Some("LISTEN"),
        "UNLISTEN" => Some("UNLISTEN"),
        "PREPARE" => Some("PREPARE"),
        "EXECUTE" => Some("EXECUTE"),
        "DEALLOCATE" => Some("DEALLOCATE"),
        "DISCARD" => Some("DISCARD"),
        "COPY" => Some("COPY"),
        "LOAD" => Some("LOAD"),
        _ => None,
    }
}

fn by_call(tokens: &[Token]) -> Option<&'static str> {
    let [Token::Word(function), Token::Mark('('), arguments @ ..] = tokens else {
        return None;
    };
    let is_advisory =
        function.starts_with("PG_ADVISORY_") || function.starts_with("PG_TRY_ADVISORY_");
    match function.as_str() {
        _ if is_advisory && !function.contains("_XACT_") => Some("session advisory lock"),
        "SET_CONFIG" if !last_argument_is_true(arguments) => Some("set_config for the session"),
        "LASTVAL" | "CURRVAL" => Some("sequence value of the session"),
        _ => None,
    }
}

/// Whether the last argument of a call, whose arguments `tokens` begins with, is the word `true`.
fn last_argument_is_true(tokens: &[Token]) -> bool {
    let mut depth = 0;
    let mut last: &[Token] = &[];
    let mut start = 0;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            Token::Mark('(') => depth += 1,
            Token::Mark(')') if depth == 0 => {
                last = &tokens[start..index];
                break;
            }
            Token::Mark(')') => depth -= 1,
            Token::Mark(',') if depth == 0 => start = index + 1,
            Token::Mark(_) | Token::Word(_) | Token::Quoted | Token::Text => {}
        }
    }
    matches!(last, [Token::Word(word)] if word == "TRUE")
}

fn by_pair(pair: &[Token]) -> Option<&'static str> {
    let [Token::Word(first), Token::Word(second)] = pair else {
        return None;
    };
    match (first.as_str(), second.as_str()) {
        ("CREATE" | "REPLACE" | "LOCAL" | "GLOBAL" | "INTO", "TEMP" | "TEMPORARY") => {
            Some("temporary object")
        }
        ("WITH", "HOLD") => Some("cursor WITH HOLD"),
        _ => None,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A keyword or unquoted name, in upper case; a number or parameter as well.
    Word(String),
    /// A quoted name.
    Quoted,
    /// A string, or a function body.
    Text,
    /// Any other character.
    Mark(char),
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (token, bytes) = match first {
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (None, block_comment_bytes(rest)),
            '\'' => (Some(Token::Text), quoted_bytes(rest, '\'', false)),
            'e' | 'E' if rest[1..].starts_with('\'') => {
                (Some(Token::Text), 1 + quoted_bytes(&rest[1..], '\'', true))
            }
            '"' => (Some(Token::Quoted), quoted_bytes(rest, '"', false)),
            '$' => match dollar_quoted_bytes(rest) {
                Some(bytes) => (Some(Token::Text), bytes),
                None => word(rest),
            },
            _ if first.is_whitespace() => (None, first.len_utf8()),
            _ if is_word(first) => word(rest),
            _ => (Some(Token::Mark(first)), first.len_utf8()),
        };
        tokens.extend(token);
        rest = &rest[bytes..];
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn word(rest: &str) -> (Option<Token>, usize) {
    let bytes = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    (Some(Token::Word(rest[..bytes].to_uppercase())), bytes)
}

/// Length of a comment; they nest in PostgreSQL.
fn block_comment_bytes(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Length of a string or quoted name; a doubled quote is part of it, and so is an escaped one.
fn quoted_bytes(rest: &str, quote: char, has_escapes: bool) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && has_escapes {
            chars.next();
        } else if c == quote && chars.next_if(|(_at, next)| *next == quote).is_none() {
            return at + quote.len_utf8();
        }
    }
    rest.len()
}

/// Length of a `$tag$…$tag$` string; `None` if this is a parameter such as `$1`.
fn dollar_quoted_bytes(rest: &str) -> Option<usize> {
    let tag_bytes = rest[1..].find('$')? + 2;
    let (opening, body) = rest.split_at(tag_bytes);
    let tag = &opening[1..opening.len() - 1];
    let is_tag = tag.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !tag.starts_with(|c: char| c.is_ascii_digit());
    is_tag.then(|| match body.find(opening) {
        Some(end) => tag_bytes + end + tag_bytes,
        None => rest.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_state_is_found() {
        for (sql, expected) in [
            ("SET statement_timeout = 1", "SET without LOCAL"),
            ("set session time zone 'UTC'", "SET without LOCAL"),
            ("BEGIN; SET ROLE other; COMMIT", "SET without LOCAL"),
            ("/* why */ -- and\n SET x = 1", "SET without LOCAL"),
            ("RESET ALL", "RESET"),
            ("listen jobs", "LISTEN"),
            ("UNLISTEN *", "UNLISTEN"),
            ("SELECT pg_advisory_lock(1)", "session advisory lock"),
            (
                "SELECT pg_try_advisory_lock_shared ($1)",
                "session advisory lock",
            ),
            ("SELECT pg_advisory_unlock_all()", "session advisory lock"),
            ("CREATE TEMP TABLE t (a int)", "temporary object"),
            (
                "create local temporary table t as select 1",
                "temporary object",
            ),
            (
                "CREATE OR REPLACE TEMP VIEW v AS SELECT 1",
                "temporary object",
            ),
            ("SELECT 1 INTO TEMP t", "temporary object"),
            (
                "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
                "cursor WITH HOLD",
            ),
            ("COPY t FROM STDIN", "COPY"),
            ("PREPARE p AS SELECT 1", "PREPARE"),
            ("EXECUTE p", "EXECUTE"),
            ("DEALLOCATE ALL", "DEALLOCATE"),
            ("DISCARD ALL", "DISCARD"),
            (
                "SELECT set_config('a.b', f(1, true), false)",
                "set_config for the session",
            ),
            (
                "SELECT set_config($1, $2, $3)",
                "set_config for the session",
            ),
            (
                "SELECT set_config('a', '1', true), set_config('b', '2', false)",
                "set_config for the session",
            ),
            ("SELECT currval('s')", "sequence value of the session"),
        ] {
            assert_eq!(session_state(sql), Some(expected), "{sql}");
        }
    }

    #[test]
    fn what_ends_with_the_transaction_is_no_session_state() {
        for sql in [
            "",
            "SELECT $1::text",
            "SET LOCAL statement_timeout = 1",
            "SET TRANSACTION READ ONLY",
            "SELECT set_config('a', '1', true), set_config('b', coalesce($1, '2'), TRUE)",
            "SELECT pg_advisory_xact_lock(1), pg_try_advisory_xact_lock_shared(2)",
            "UPDATE t SET a = 1",
            "INSERT INTO t VALUES ('SET x = 1; LISTEN y') ON CONFLICT DO UPDATE SET a = 2",
            "SELECT 'it''s; SET x = 1', E'\\'; LISTEN y', $a$; LISTEN z$a$, $$;COPY$$",
            "SELECT \"a\"\"; LISTEN\" FROM t; /* ; LISTEN /* ; COPY */ ; COPY */ SELECT 1",
            "SELECT 1 -- ; LISTEN y",
            "CREATE TABLE temp (temporary int)",
            "SELECT $1, $2; SELECT 1",
            "NOTIFY jobs",
        ] {
            assert_eq!(session_state(sql), None, "{sql}");
        }
    }

    #[test]
    fn only_whole_transaction_control_may_be_simple() {
        for sql in [
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            "START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            "/* scope */ COMMIT",
            "ROLLBACK",
        ] {
            assert!(is_transaction_control(sql), "{sql}");
        }
        for sql in [
            "",
            "BEGIN",
            "START TRANSACTION",
            "BEGIN ISOLATION LEVEL READ COMMITTED",
            "BEGIN READ WRITE",
            "COMMIT; SELECT 1",
            "COMMIT AND CHAIN",
            "SELECT 1",
        ] {
            assert!(!is_transaction_control(sql), "{sql}");
        }
    }

    #[test]
    fn statements_are_called_by_their_comment_or_their_text() {
        assert_eq!(label("/* job_claim */ SELECT 1"), "job_claim");
        assert_eq!(label("-- job_finish\nSELECT 1"), "job_finish");
        assert_eq!(label("  SELECT\n  1"), "SELECT 1");
    }
}
