//! What an error of the database means for the caller.
//!
//! Classed by SQLSTATE, and for Supavisor by the code in parentheses at the start of the message:
//! all of its own errors are XX000 (measured, see `docs/transaction-pooling.md`).

use tokio_postgres::error::SqlState;

/// What a caller may do after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Nothing took effect; the same again may succeed.
    Retryable,
    /// Nothing took effect; the pooler blocks this address for two minutes after refused passwords.
    RetryLater,
    /// Nothing took effect; the data found does not allow it.
    Conflict,
    /// It is not known whether it took effect: only an idempotent operation may be repeated.
    OutcomeUnknown,
    /// Nothing took effect and nothing will until somebody changes the configuration.
    Permanent,
    /// Nothing took effect; the statement or the data is wrong: a defect of Trawl.
    Bug,
}

/// The code that Supavisor puts in parentheses before its messages, such as `ECHECKOUTTIMEOUT`.
pub(crate) fn pooler_code(message: &str) -> Option<&str> {
    let code = message.strip_prefix('(')?.split_once(')')?.0;
    let is_code = code.starts_with('E')
        && code
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    is_code.then_some(code)
}

/// The class of an error *answer*: the server said that nothing took effect.
///
/// Lost connections have no answer; see [`crate::error::ScopeError::class`].
pub(crate) fn of_answer(state: &SqlState, message: &str) -> ErrorClass {
    if let Some(code) = pooler_code(message) {
        return of_pooler_code(code);
    }
    match *state {
        // The pooler and PostgreSQL refuse the identity or the target: trying again helps nobody,
        // and ten refused passwords block the address at Supavisor.
        SqlState::INVALID_PASSWORD
        | SqlState::INVALID_AUTHORIZATION_SPECIFICATION
        | SqlState::INVALID_CATALOG_NAME
        | SqlState::INSUFFICIENT_PRIVILEGE
        | SqlState::UNDEFINED_TABLE
        | SqlState::UNDEFINED_FUNCTION
        | SqlState::INVALID_SCHEMA_NAME => ErrorClass::Permanent,
        // A leaked session default of another client (25006), a statement timeout or a cancel that
        // was meant for somebody else (57014), a lock not had in time, a transaction that waited too
        // long for its client (25P03).
        SqlState::READ_ONLY_SQL_TRANSACTION
        | SqlState::QUERY_CANCELED
        | SqlState::LOCK_NOT_AVAILABLE
        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        | SqlState::T_R_SERIALIZATION_FAILURE
        | SqlState::T_R_DEADLOCK_DETECTED => ErrorClass::Retryable,
        SqlState::UNIQUE_VIOLATION | SqlState::EXCLUSION_VIOLATION => ErrorClass::Conflict,
        _ => of_class(state.code(), message),
    }
}

/// Parts of PgBouncer's messages: a startup parameter that it does not pass on, a wrong password (the
/// first one by SCRAM), a user that it does not know.
const MENDED_BY_CONFIGURATION: [&str; 4] = [
    "unsupported startup parameter",
    "SASL authentication failed",
    "password authentication failed",
    "no such user",
];

fn of_class(code: &str, message: &str) -> ErrorClass {
    match code.get(..2).unwrap_or_default() {
        // 08P01 is PgBouncer's code for all of its own errors: no backend in time, a lost backend, no
        // room for another client, and these, which only another configuration can mend.
        "08" if MENDED_BY_CONFIGURATION
            .iter()
            .any(|words| message.contains(words)) =>
        {
            ErrorClass::Permanent
        }
        // Connection exceptions, insufficient resources, operator intervention.
        "08" | "53" | "57" => ErrorClass::Retryable,
        // System errors and internal errors, poolers' included.
        "58" | "XX" => ErrorClass::Retryable,
        // Integrity, data, syntax, everything else: the statement is wrong.
        _ => ErrorClass::Bug,
    }
}

/// Supavisor's own codes (measured; `docs/transaction-pooling.md`).
fn of_pooler_code(code: &str) -> ErrorClass {
    match code {
        "ECIRCUITBREAKER" => ErrorClass::RetryLater,
        "ENOTFOUND" | "ENOIDENTIFIER" | "ESSLREQUIRED" => ErrorClass::Permanent,
        // ECHECKOUTTIMEOUT, ECHECKOUTRETRIES, EMAXCONN, EMAXCONNSESSION and codes yet unknown:
        // the pooler could not serve the request and says so before running it.
        _ => ErrorClass::Retryable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_classed_by_state_and_by_the_poolers_code() {
        for (state, message, expected) in [
            (
                "XX000",
                "(ECHECKOUTTIMEOUT) unable to check out connection",
                ErrorClass::Retryable,
            ),
            (
                "XX000",
                "(ECHECKOUTRETRIES) failed to check out",
                ErrorClass::Retryable,
            ),
            (
                "XX000",
                "(EMAXCONN) max client connections reached",
                ErrorClass::Retryable,
            ),
            (
                "XX000",
                "(ECIRCUITBREAKER) too many failures",
                ErrorClass::RetryLater,
            ),
            (
                "XX000",
                "(ENOTFOUND) tenant/user app.nope not found",
                ErrorClass::Permanent,
            ),
            (
                "XX000",
                "(ESSLREQUIRED) SSL connection is required",
                ErrorClass::Permanent,
            ),
            (
                "28P01",
                "password authentication failed",
                ErrorClass::Permanent,
            ),
            (
                "3D000",
                "database \"nodb\" does not exist",
                ErrorClass::Permanent,
            ),
            (
                "08P01",
                "no more connections allowed (max_client_conn)",
                ErrorClass::Retryable,
            ),
            ("08P01", "server conn crashed?", ErrorClass::Retryable),
            ("08P01", "query_wait_timeout", ErrorClass::Retryable),
            (
                "08P01",
                "unsupported startup parameter: options",
                ErrorClass::Permanent,
            ),
            ("08P01", "SASL authentication failed", ErrorClass::Permanent),
            (
                "08006",
                "Failed to connect to database",
                ErrorClass::Retryable,
            ),
            ("57P01", "terminating connection", ErrorClass::Retryable),
            (
                "57P03",
                "the database system is starting up",
                ErrorClass::Retryable,
            ),
            (
                "57014",
                "canceling statement due to user request",
                ErrorClass::Retryable,
            ),
            (
                "25006",
                "cannot execute UPDATE in a read-only transaction",
                ErrorClass::Retryable,
            ),
            ("40001", "could not serialize access", ErrorClass::Retryable),
            ("40P01", "deadlock detected", ErrorClass::Retryable),
            (
                "55P03",
                "canceling statement due to lock timeout",
                ErrorClass::Retryable,
            ),
            (
                "25P03",
                "terminating connection due to idle-in-transaction timeout",
                ErrorClass::Retryable,
            ),
            ("53300", "too many connections", ErrorClass::Retryable),
            ("23505", "duplicate key", ErrorClass::Conflict),
            ("23514", "violates check constraint", ErrorClass::Bug),
            ("42601", "syntax error", ErrorClass::Bug),
            (
                "26000",
                "prepared statement does not exist",
                ErrorClass::Bug,
            ),
            (
                "XX000",
                "(see the log) something else",
                ErrorClass::Retryable,
            ),
        ] {
            let found = of_answer(&SqlState::from_code(state), message);
            assert_eq!(found, expected, "{state} {message}");
        }
    }
}
