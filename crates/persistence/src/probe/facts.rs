//! What the server says of itself, how far away it is, and what its clock says.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

use super::error::ProbeError;
use super::wire::Wire;

/// Round trips of which the median counts (chosen: odd, and over in a moment).
const ROUND_TRIPS: usize = 9;

/// One row about the server and about our own connection there. Everybody may read all of it, and no
/// setting that another client has left behind changes what it says.
const FACTS: &str = "\
select current_setting('server_version'), current_setting('max_connections'), \
       current_setting('superuser_reserved_connections'), \
       (select sum(numbackends) from pg_catalog.pg_stat_database), \
       (select rolconnlimit from pg_catalog.pg_roles where rolname = current_user), \
       (select datconnlimit from pg_catalog.pg_database where datname = current_database()), \
       pg_is_in_recovery()::text, \
       current_database() || ' since ' || extract(epoch from pg_postmaster_start_time()), \
       (select application_name from pg_catalog.pg_stat_activity where pid = pg_backend_pid()), \
       (select version || ' ' || cipher from pg_catalog.pg_stat_ssl \
        where pid = pg_backend_pid() and ssl), \
       pg_backend_pid()";

/// What the server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its version, as it writes it.
    pub version: String,
    /// Connections that it accepts.
    pub max_connections: u32,
    /// Of these, kept for superusers.
    pub reserved_connections: u32,
    /// Connections that it has now, ours among them; counted by database, which every role may see.
    pub connections: u32,
    /// Connections that the role may have; `None` without a limit.
    pub role_limit: Option<u32>,
    /// Connections that the database may have; `None` without a limit.
    pub database_limit: Option<u32>,
    /// Whether it is a standby, which takes no writes.
    pub is_standby: bool,
    /// The same for two URLs that lead to the same database of the same running server.
    pub identity: String,
    /// The name under which our own connection is known there: a pooler may write its own.
    pub application_name: String,
    /// The server process of our own connection, when it was asked.
    pub process: String,
}

/// How the connection of this process is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnLeg {
    /// Not at all.
    Plain,
    /// Encrypted, by a server whose certificate was verified.
    Encrypted {
        /// When the time of that certificate is over; `None` where it cannot be read.
        certificate_ends: Option<OffsetDateTime>,
    },
}

/// Who can listen in on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// The connection that this process opened.
    pub own_leg: OwnLeg,
    /// Protocol and cipher of the server's connection: behind a pooler, that between the two.
    pub server_leg: Option<String>,
}

/// Two clocks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// How many seconds the server's clock is ahead of ours.
    pub ahead_seconds: f64,
    /// By how much that may be wrong: half the round trip it was measured with.
    pub uncertainty: Duration,
}

/// Reads everything that the server says.
pub(super) async fn read(wire: &mut Wire) -> Result<(Server, Encryption), ProbeError> {
    let request = "the questions about the server";
    let rows = wire.query(request, FACTS).await?;
    let row = rows.into_iter().next().unwrap_or_default();
    let text = |index: usize| row.get(index).cloned().flatten();
    let number = |index: usize| {
        text(index)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| ProbeError::Unexpected {
                request,
                what: format!("no number in column {index}"),
            })
    };
    // PostgreSQL writes -1 where there is no limit.
    let limit = |index: usize| text(index).and_then(|text| text.parse().ok());
    let server = Server {
        version: text(0).unwrap_or_default(),
        max_connections: number(1)?,
        reserved_connections: number(2)?,
        connections: number(3)?,
        role_limit: limit(4),
        database_limit: limit(5),
        is_standby: text(6).as_deref() == Some("true"),
        identity: text(7).unwrap_or_default(),
        application_name: text(8).unwrap_or_default(),
        process: text(10).unwrap_or_default(),
    };
    let encryption = Encryption {
        own_leg: wire.own_leg,
        server_leg: text(9),
    };
    Ok((server, encryption))
}

/// Measures the way there and back, and compares the clocks by the fastest of the trips.
pub(super) async fn time(wire: &mut Wire) -> Result<(Duration, Clock), ProbeError> {
    let request = "the question for the time";
    let mut trips = Vec::with_capacity(ROUND_TRIPS);
    for _trip in 0..ROUND_TRIPS {
        let sent_at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let started = Instant::now();
        let rows = wire
            .query(request, "select extract(epoch from clock_timestamp())")
            .await?;
        let trip = started.elapsed();
        let said: f64 = rows
            .first()
            .and_then(|row| row.first()?.as_deref()?.parse().ok())
            .ok_or_else(|| ProbeError::Unexpected {
                request,
                what: "no time".to_owned(),
            })?;
        let ahead_seconds = said - (sent_at + trip / 2).as_secs_f64();
        trips.push((trip, ahead_seconds));
    }
    trips.sort_by_key(|(trip, _ahead)| *trip);
    let (fastest, ahead_seconds) = trips.first().copied().unwrap_or_default();
    let median = trips
        .get(trips.len() / 2)
        .map_or(fastest, |(trip, _)| *trip);
    let clock = Clock {
        ahead_seconds,
        uncertainty: fastest / 2,
    };
    Ok((median, clock))
}
