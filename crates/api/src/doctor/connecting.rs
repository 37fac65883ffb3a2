//! What to do about a connection that did not come about.

use std::io::ErrorKind;

use trawl_persistence::probe::ProbeError;

use super::report::Finding;
use trawl_worker::core::chain::Chain;

const WRONG_PASSWORD: &str = "correct user and password in the URL, and escape what is not a letter \
                              or digit there (%40 for @); it was tried once and not again, since \
                              Supavisor blocks an address after ten refused passwords";

/// The finding of a failed connection.
pub(super) fn failed(name: &'static str, error: &ProbeError) -> Finding {
    let found = match error {
        // Its own words already end with the advice.
        ProbeError::Tls { address, refusal } => {
            format!("cannot connect to {address}: {}", refusal.problem())
        }
        error => Chain(error).to_string(),
    };
    let finding = Finding::fail(name, found, advice(error));
    match error.pooler_code().or(error.code()) {
        Some(code) => finding.with("code", code),
        None => finding,
    }
}

fn advice(error: &ProbeError) -> String {
    match error {
        ProbeError::Tls { refusal, .. } => return refusal.advice().to_owned(),
        ProbeError::Refused { code, message } => refused(code, message, error.pooler_code()),
        ProbeError::Unreachable { source, .. } => match source.kind() {
            ErrorKind::ConnectionRefused => {
                "nothing listens there: start the server, or correct host and port in the URL \
                 (Supavisor: 6543 in transaction mode, 5432 in session mode)"
            }
            _ => "correct host and port in the URL, and see whether the way there is open",
        },
        ProbeError::Silent { .. } => {
            "something swallows the connection or has no time for it: look for a firewall on the \
             way, and at the load of the server and of its pooler"
        }
        ProbeError::Lost { .. } => {
            "the other side hung up: see its log, and whether it is PostgreSQL that listens there"
        }
        ProbeError::UnsupportedLogin => {
            "let the role log in by password (SCRAM-SHA-256) in pg_hba.conf or in the pooler"
        }
        ProbeError::PasswordMissing => "put the password into the URL: postgres://user:password@…",
        ProbeError::Unexpected { .. } => {
            "see what listens there: it answers, and not as PostgreSQL does"
        }
    }
    .to_owned()
}

/// By Supavisor's code where there is one: the SQLSTATE of all of those is XX000.
fn refused(code: &str, message: &str, pooler_code: Option<&str>) -> &'static str {
    match (pooler_code, code) {
        (Some("ENOTFOUND" | "ENOIDENTIFIER"), _) => {
            "Supavisor finds its tenant in the user's name: write it as role.tenant, such as \
             postgres.abcdefghij, and take the host name of that tenant's region"
        }
        (Some("ECIRCUITBREAKER"), _) => {
            "Supavisor blocks this address for two minutes after ten refused passwords: stop every \
             process that has the wrong one, wait, and try the right one once"
        }
        (Some("ESSLREQUIRED"), _) => "the tenant wants TLS: add sslmode=require to the URL",
        (Some("EMAXCONN"), _) => {
            "the pooler has as many clients as it takes: lower TRAWL_DB_POOL_SIZE of all processes \
             together, or raise the pooler's client limit"
        }
        (Some("EMAXCONNSESSION"), _) => {
            "this is the session port, where each client keeps a server connection: use the \
             transaction port (6543) in DATABASE_URL, and this one for DATABASE_DIRECT_URL alone"
        }
        (Some("ECHECKOUTTIMEOUT" | "ECHECKOUTRETRIES"), _) => {
            "all of the pooler's server connections are taken: look for long transactions of other \
             clients, or raise its pool size"
        }
        (_, "28P01" | "28000") => WRONG_PASSWORD,
        // PgBouncer's words for both.
        (_, "08P01") if message.contains("authentication failed") => WRONG_PASSWORD,
        (_, "3D000") => "create the database, or correct its name at the end of the URL",
        (_, "42501") => "let the role connect to this database (GRANT CONNECT)",
        (_, "53300") => {
            "the server has as many connections as it takes: lower the pools before it, or raise \
             max_connections"
        }
        (_, "57P03") => "the server is starting or stopping: try again in a moment",
        (_, "08P01") if message.contains("no such user") => {
            "the pooler does not know the user of the URL: add it to its auth_file or auth_query"
        }
        (_, "08P01") if message.contains("no more connections") => {
            "PgBouncer has as many clients as it takes: lower TRAWL_DB_POOL_SIZE of all processes \
             together, or raise max_client_conn"
        }
        _ => "this is the server's or the pooler's own answer: see its log for more",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_an_advice_of_its_own() {
        for (code, message, part) in [
            (
                "XX000",
                "(ENOTFOUND) tenant/user app not found",
                "role.tenant",
            ),
            ("XX000", "(ECIRCUITBREAKER) too many", "two minutes"),
            ("XX000", "(ESSLREQUIRED) SSL", "sslmode=require"),
            ("XX000", "(EMAXCONNSESSION) max clients", "6543"),
            ("28P01", "password authentication failed", "tried once"),
            (
                "3D000",
                "database \"x\" does not exist",
                "create the database",
            ),
            ("08P01", "no such user: u", "auth_file"),
            ("08P01", "SASL authentication failed", "tried once"),
        ] {
            let error = ProbeError::Refused {
                code: code.to_owned(),
                message: message.to_owned(),
            };
            let finding = failed("connection", &error);
            let advice = finding.advice.unwrap();
            assert!(advice.contains(part), "{code} {message}: {advice}");
            assert!(finding.found.contains(message), "{}", finding.found);
        }
    }
}
