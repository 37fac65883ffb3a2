//! What the measurements mean.

use std::time::Duration;

use time::OffsetDateTime;
use trawl_persistence::probe::{
    Answer, Clock, Encryption, Measurements, Mode, OwnLeg, Pooler, PoolerLimits, ProbeError, Server,
};

use super::connecting;
use super::report::Finding;
use crate::timestamp::Timestamp;

/// Above this, each statement is felt (chosen: a batch of pages is one statement, a claim another).
const ROUND_TRIP_MAX: Duration = Duration::from_millis(100);

/// Leases and due times are the server's own, so only deadlines of clients suffer (chosen).
const CLOCK_SECONDS_MAX: f64 = 5.0;

/// Days that are left to renew a certificate at ease (chosen: those of 90 days are renewed with 30
/// left).
const CERTIFICATE_DAYS_MIN: i64 = 14;

/// One finding for each thing measured.
pub(super) fn findings(measured: &Measurements, pool_size: usize, is_local: bool) -> Vec<Finding> {
    vec![
        Finding::ok("connection", format!("logged in at {}", measured.address)),
        server(&measured.server),
        pooler(measured),
        session_settings(measured),
        named_statements(measured),
        round_trip(measured.round_trip),
        encryption(
            &measured.encryption,
            measured.pooler.is_some(),
            is_local,
            OffsetDateTime::now_utc(),
        ),
        pool_sizes(&measured.server, measured.pooler.as_ref(), pool_size),
        clock(measured.clock),
    ]
}

/// Whether the direct URL leads to the same database.
pub(super) fn direct_url(direct: Result<Server, ProbeError>, pooled: &Server) -> Finding {
    let name = "direct_url";
    match direct {
        Err(error) => connecting::failed(name, &error),
        Ok(direct) if direct.identity == pooled.identity => Finding::ok(
            name,
            "DATABASE_DIRECT_URL leads to the same database as DATABASE_URL",
        ),
        Ok(direct) => Finding::fail(
            name,
            format!(
                "DATABASE_DIRECT_URL leads to {}, DATABASE_URL to {}",
                direct.identity, pooled.identity
            ),
            "make both lead to the same database: migrations go by the one, everything else by the \
             other",
        ),
    }
}

fn server(server: &Server) -> Finding {
    let name = "server";
    let found = format!("PostgreSQL {}", server.version);
    let finding = if server.is_standby {
        Finding::fail(
            name,
            format!("{found}, a standby: it takes no writes"),
            "use the address of the primary",
        )
    } else {
        Finding::ok(name, found)
    };
    finding.with("version", server.version.as_str())
}

fn pooler(measured: &Measurements) -> Finding {
    let name = "pooler";
    let who = match &measured.pooler {
        None => "no pooler: PostgreSQL itself answers".to_owned(),
        Some(Pooler::Supavisor) => "Supavisor".to_owned(),
        Some(Pooler::PgBouncer {
            version: Some(version),
            ..
        }) => version.clone(),
        Some(Pooler::PgBouncer { version: None, .. }) => "PgBouncer".to_owned(),
        Some(Pooler::Unnamed) => "a pooler that does not say its name".to_owned(),
    };
    let mode = match measured.mode {
        Mode::Session => "session",
        Mode::Transaction => "transaction",
        Mode::Statement => "statement",
    };
    let finding = match (&measured.pooler, measured.mode) {
        (None, _) => Finding::ok(name, who),
        (Some(_), Mode::Transaction) => Finding::ok(name, format!("{who}, in transaction mode")),
        (Some(_), Mode::Session) => Finding::ok(
            name,
            format!(
                "{who}, in session mode: it works, and each connection of the pool holds one of \
                 the server's"
            ),
        ),
        (Some(_), Mode::Statement) => Finding::fail(
            name,
            format!("{who}, in statement mode: it refuses transactions"),
            "set its pool mode to transaction",
        ),
    };
    let kind = match &measured.pooler {
        None => "none",
        Some(Pooler::Supavisor) => "supavisor",
        Some(Pooler::PgBouncer { .. }) => "pgbouncer",
        Some(Pooler::Unnamed) => "unnamed",
    };
    finding.with("kind", kind).with("mode", mode)
}

fn session_settings(measured: &Measurements) -> Finding {
    let name = "session_settings";
    let found = match measured.settings_leak {
        Answer::No => "what one client sets for its session reaches no other",
        Answer::Yes => {
            "what one client sets for its session reaches others; Trawl sets nothing that outlives \
             its transaction, and trusts no default"
        }
        Answer::Unknown => "whether they leak could not be told: the pool is too busy",
    };
    let finding = if measured.is_clean {
        Finding::ok(name, found)
    } else {
        Finding::warn(
            name,
            format!("{found}; a probe of this examination was left behind"),
            format!(
                "nothing: {} and {} are names that nobody else uses, and end with their server \
                 connection",
                measured.traces.setting, measured.traces.statement
            ),
        )
    };
    finding.with("leak", truth(measured.settings_leak))
}

fn named_statements(measured: &Measurements) -> Finding {
    let found = match measured.named_statements {
        Answer::Yes => "named statements can be called in later transactions; Trawl uses none",
        Answer::No => {
            "named statements are lost between transactions; Trawl uses none, other programs must \
             turn them off"
        }
        Answer::Unknown => "whether named statements survive could not be told; Trawl uses none",
    };
    Finding::ok("named_statements", found).with("survive", truth(measured.named_statements))
}

fn truth(answer: Answer) -> Option<bool> {
    match answer {
        Answer::Yes => Some(true),
        Answer::No => Some(false),
        Answer::Unknown => None,
    }
}

fn round_trip(median: Duration) -> Finding {
    let name = "round_trip";
    let milliseconds = median.as_secs_f64() * 1_000.0;
    let found = format!("{milliseconds:.2} ms");
    let finding = if median > ROUND_TRIP_MAX {
        Finding::warn(
            name,
            found,
            "run Trawl closer to its database: every claim, flush and answer is one round trip",
        )
    } else {
        Finding::ok(name, found)
    };
    finding.with("median_ms", milliseconds)
}

fn encryption(
    encryption: &Encryption,
    is_pooled: bool,
    is_local: bool,
    now: OffsetDateTime,
) -> Finding {
    let name = "encryption";
    let server_leg = encryption.server_leg.as_deref();
    let (finding, ends) = match encryption.own_leg {
        OwnLeg::Encrypted { certificate_ends } => {
            let way = match (is_pooled, server_leg) {
                (false, Some(cipher)) => format!("encrypted and verified ({cipher})"),
                (false, None) => "encrypted and verified".to_owned(),
                (true, Some(cipher)) => {
                    format!("encrypted and verified, from the pooler to the server too ({cipher})")
                }
                (true, None) => "encrypted and verified as far as the pooler; from there to the \
                                 server in the clear"
                    .to_owned(),
            };
            (
                certificate(name, way, certificate_ends, now),
                certificate_ends,
            )
        }
        OwnLeg::Plain if is_local => (Finding::ok(name, "in the clear, on this machine"), None),
        OwnLeg::Plain => {
            let finding = Finding::warn(
                name,
                "in the clear: whoever is on the way reads all that is stored",
                "offer TLS at the server and add sslmode=require to the URL; a root certificate of \
                 its own goes into TRAWL_DATABASE_CA",
            );
            (finding, None)
        }
    };
    finding
        .with("own_leg", encryption.own_leg != OwnLeg::Plain)
        .with("server_leg", server_leg)
        .with(
            "certificate_ends",
            ends.and_then(|ends| serde_json::to_value(Timestamp(ends)).ok()),
        )
}

/// A certificate that ends soon is something to look at while it still works.
fn certificate(
    name: &'static str,
    way: String,
    ends: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Finding {
    let Some(ends) = ends else {
        return Finding::ok(name, way);
    };
    let left = (ends - now).whole_days();
    let found = format!(
        "{way}; the certificate ends on {} ({left} days)",
        ends.date()
    );
    if left < CERTIFICATE_DAYS_MIN {
        Finding::warn(name, found, "renew it: an expired one is refused")
    } else {
        Finding::ok(name, found)
    }
}

fn pool_sizes(server: &Server, pooler: Option<&Pooler>, pool_size: usize) -> Finding {
    let name = "pool_size";
    let pool_size = u32::try_from(pool_size).unwrap_or(u32::MAX);
    let accepted = server
        .max_connections
        .saturating_sub(server.reserved_connections);
    let own_limit = [server.role_limit, server.database_limit]
        .into_iter()
        .flatten()
        .min();
    let finding = match pooler {
        None => match own_limit.filter(|limit| pool_size > *limit) {
            Some(limit) => Finding::warn(
                name,
                format!(
                    "TRAWL_DB_POOL_SIZE is {pool_size}; the role or the database may have {limit} \
                     connections"
                ),
                "lower TRAWL_DB_POOL_SIZE, or raise the limit (ALTER ROLE or ALTER DATABASE … \
                 CONNECTION LIMIT)",
            ),
            None => against(pool_size, "the server", accepted, server.connections),
        },
        Some(Pooler::PgBouncer {
            limits: Some(limits),
            ..
        }) => against_pooler(pool_size, limits, accepted),
        Some(_) => Finding::ok(
            name,
            format!(
                "TRAWL_DB_POOL_SIZE is {pool_size}; the pooler does not tell its limits: the pools \
                 of all processes together must stay below its client limit"
            ),
        ),
    };
    let finding = match pooler {
        Some(Pooler::PgBouncer {
            limits: Some(limits),
            ..
        }) => finding
            .with("pooler_clients_max", limits.clients_max)
            .with("pooler_clients", limits.clients)
            .with("pooler_pool_size", limits.pool_size),
        _ => finding,
    };
    finding
        .with("pool_size", pool_size)
        .with("max_connections", server.max_connections)
        .with("connections", server.connections)
}

fn against(pool_size: u32, who: &str, accepted: u32, taken: u32) -> Finding {
    let name = "pool_size";
    let found = format!(
        "TRAWL_DB_POOL_SIZE is {pool_size}; {who} takes {accepted} connections and has {taken}"
    );
    if pool_size > accepted.saturating_sub(taken) {
        Finding::warn(
            name,
            found,
            format!("lower TRAWL_DB_POOL_SIZE, or raise the limit of {who}"),
        )
    } else {
        Finding::ok(name, found)
    }
}

fn against_pooler(pool_size: u32, limits: &PoolerLimits, accepted: u32) -> Finding {
    if limits.pool_size > accepted {
        return Finding::warn(
            "pool_size",
            format!(
                "the pooler may open {} connections for one user and database, and the server \
                 takes {accepted}",
                limits.pool_size
            ),
            "lower the pooler's pool size, or raise max_connections",
        );
    }
    let mut finding = against(pool_size, "the pooler", limits.clients_max, limits.clients);
    if pool_size > limits.pool_size {
        finding.found.push_str(&format!(
            "; of these, {} work at once and the others queue",
            limits.pool_size
        ));
    }
    finding
}

fn clock(clock: Clock) -> Finding {
    let name = "clock";
    let Clock {
        ahead_seconds,
        uncertainty,
    } = clock;
    let uncertain_seconds = uncertainty.as_secs_f64();
    let which = if ahead_seconds < 0.0 {
        "behind"
    } else {
        "ahead of"
    };
    let found = format!(
        "the server's clock is {:.3} s {which} ours (±{uncertain_seconds:.3} s)",
        ahead_seconds.abs()
    );
    let finding = if ahead_seconds.abs() - uncertain_seconds > CLOCK_SECONDS_MAX {
        Finding::warn(
            name,
            found,
            "let both machines keep time (NTP): deadlines given by clients are off by as much",
        )
    } else {
        Finding::ok(name, found)
    };
    finding.with("ahead_seconds", ahead_seconds)
}

#[cfg(test)]
mod tests {
    use super::super::report::State;
    use super::*;

    const LIMITS: PoolerLimits = PoolerLimits {
        clients_max: 100,
        clients: 10,
        pool_size: 20,
    };

    fn a_server() -> Server {
        Server {
            version: "15.1".to_owned(),
            max_connections: 100,
            reserved_connections: 3,
            connections: 10,
            role_limit: None,
            database_limit: None,
            is_standby: false,
            identity: "trawl".to_owned(),
            application_name: "trawl doctor".to_owned(),
            process: String::new(),
        }
    }

    #[test]
    fn a_pool_is_held_against_what_is_left() {
        let pooler = |limits| {
            Some(Pooler::PgBouncer {
                version: None,
                limits: Some(limits),
            })
        };
        let large = PoolerLimits {
            pool_size: 98,
            ..LIMITS
        };
        for (pooler, pool_size, expected) in [
            (None, 87, State::Ok),
            (None, 88, State::Warn),
            (pooler(LIMITS), 90, State::Ok),
            (pooler(LIMITS), 91, State::Warn),
            (pooler(large), 8, State::Warn),
            (Some(Pooler::Supavisor), 1_000, State::Ok),
        ] {
            let finding = pool_sizes(&a_server(), pooler.as_ref(), pool_size);
            assert_eq!(finding.state, expected, "{finding:?}");
        }
        let limited = Server {
            role_limit: Some(12),
            ..a_server()
        };
        assert_eq!(pool_sizes(&limited, None, 12).state, State::Ok);
        assert_eq!(pool_sizes(&limited, None, 13).state, State::Warn);
    }

    #[test]
    fn a_clock_is_judged_beyond_its_uncertainty() {
        for (ahead_seconds, milliseconds, expected) in [
            (0.2, 1, State::Ok),
            (-6.0, 1, State::Warn),
            (6.0, 2_000, State::Ok),
        ] {
            let finding = clock(Clock {
                ahead_seconds,
                uncertainty: Duration::from_millis(milliseconds),
            });
            assert_eq!(finding.state, expected, "{finding:?}");
        }
    }

    #[test]
    fn plaintext_is_fine_on_this_machine_alone() {
        let plain = Encryption {
            own_leg: OwnLeg::Plain,
            server_leg: None,
        };
        let now = OffsetDateTime::UNIX_EPOCH;
        assert_eq!(encryption(&plain, false, true, now).state, State::Ok);
        assert_eq!(encryption(&plain, false, false, now).state, State::Warn);
    }

    #[test]
    fn a_certificate_that_ends_soon_is_to_look_at() {
        let now = OffsetDateTime::UNIX_EPOCH;
        for (days, expected) in [(13, State::Warn), (14, State::Ok), (-1, State::Warn)] {
            let ends = now + time::Duration::days(days);
            let encrypted = Encryption {
                own_leg: OwnLeg::Encrypted {
                    certificate_ends: Some(ends),
                },
                server_leg: None,
            };
            let finding = encryption(&encrypted, false, false, now);
            assert_eq!(finding.state, expected, "{finding:?}");
            assert!(
                finding.found.contains(&ends.date().to_string()),
                "{finding:?}"
            );
        }
    }

    #[test]
    fn a_standby_and_another_database_fail() {
        let standby = Server {
            is_standby: true,
            ..a_server()
        };
        assert_eq!(server(&standby).state, State::Fail);
        let other = Server {
            identity: "other".to_owned(),
            ..a_server()
        };
        assert_eq!(direct_url(Ok(other), &a_server()).state, State::Fail);
        assert_eq!(direct_url(Ok(a_server()), &a_server()).state, State::Ok);
    }
}
