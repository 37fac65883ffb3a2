//! How server connections are shared between clients, and what of a session survives that.
//!
//! Found out by trying, with two connections of our own and names that nobody else uses. All
//! transactions are read-only, bounded in time, and ended before anything else is done.

use std::collections::HashSet;
use std::time::Duration;

use super::error::ProbeError;
use super::wire::Wire;
use super::{Answer, Mode, Traces};

/// Short transactions of each of the two connections (chosen: a pooler hands the server connection
/// that it got back last to the next client, so the first of them tells; more where others work).
const ROUNDS: usize = 8;

/// Tries to meet one server connection again (chosen: beside busy strangers it takes a few, and as
/// many as the pool is large where a pooler takes its server connections in turn).
const MEETINGS: usize = 64;

/// For what may have to wait for a server connection that we hold ourselves (chosen: pools of one
/// are rare, and then nothing else tells).
const HELD_LIMIT: Duration = Duration::from_secs(2);

/// No transaction of ours outlives its client's silence for longer than this (chosen: beyond
/// [`HELD_LIMIT`]).
const BEGUN: &str = "select pg_backend_pid(), \
                     set_config('idle_in_transaction_session_timeout', '10s', true), \
                     set_config('statement_timeout', '10s', true)";

/// What was found out about sharing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sharing {
    pub(super) mode: Mode,
    pub(super) settings_leak: Answer,
    pub(super) named_statements: Answer,
    pub(super) is_clean: bool,
}

/// Finds out everything.
pub(super) async fn find_out(
    one: &mut Wire,
    other: &mut Wire,
    traces: &Traces,
) -> Result<Sharing, ProbeError> {
    let mode = match mode(one, other).await {
        Err(error) if refuses_transactions(&error) => {
            return Ok(Sharing {
                mode: Mode::Statement,
                settings_leak: Answer::Unknown,
                named_statements: Answer::Unknown,
                is_clean: true,
            });
        }
        mode => mode?,
    };
    if mode != Mode::Transaction {
        // A server connection is this client's alone: what it sets reaches nobody.
        let named = named_alone(one, traces).await?;
        return Ok(Sharing {
            mode,
            settings_leak: Answer::No,
            named_statements: named,
            is_clean: true,
        });
    }
    let (settings_leak, setting_gone) = settings_leak(one, other, traces).await?;
    let (named_statements, statement_gone) = named_statements(one, other, traces).await?;
    Ok(Sharing {
        mode,
        settings_leak,
        named_statements,
        is_clean: setting_gone && statement_gone,
    })
}

/// Begins a read-only transaction and answers the process of the server connection that it is on.
pub(super) async fn begin(wire: &mut Wire) -> Result<String, ProbeError> {
    let request = "the start of a transaction";
    wire.query(request, "begin isolation level read committed read only")
        .await?;
    let rows = wire.query(request, BEGUN).await?;
    rows.into_iter()
        .next()
        .and_then(|row| row.into_iter().next().flatten())
        .ok_or_else(|| ProbeError::Unexpected {
            request,
            what: "no process id".to_owned(),
        })
}

pub(super) async fn commit(wire: &mut Wire) -> Result<(), ProbeError> {
    wire.query("the end of a transaction", "commit")
        .await
        .map(drop)
}

/// Ends a transaction in which a statement failed.
async fn roll_back(wire: &mut Wire) -> Result<(), ProbeError> {
    wire.query("the end of a transaction", "rollback")
        .await
        .map(drop)
}

async fn visit(wire: &mut Wire) -> Result<String, ProbeError> {
    let process = begin(wire).await?;
    commit(wire).await?;
    Ok(process)
}

/// `PgBouncer` in statement mode says so under 08P01 when a transaction begins.
pub(super) fn refuses_transactions(error: &ProbeError) -> bool {
    matches!(error, ProbeError::Refused { code, message }
        if code == "08P01" && message.contains("transaction blocks not allowed"))
}

async fn mode(one: &mut Wire, other: &mut Wire) -> Result<Mode, ProbeError> {
    let (mut ones, mut others) = (HashSet::new(), HashSet::new());
    let is_shared = |ones: &HashSet<String>, others: &HashSet<String>| {
        ones.len() > 1 || others.len() > 1 || !ones.is_disjoint(others)
    };
    for _round in 0..ROUNDS {
        ones.insert(visit(one).await?);
        others.insert(visit(other).await?);
        if is_shared(&ones, &others) {
            return Ok(Mode::Transaction);
        }
    }
    // Two transactions at once take two server connections, and given back in the other order
    // they change owners.
    ones.insert(begin(one).await?);
    others.insert(begin(other).await?);
    commit(one).await?;
    commit(other).await?;
    ones.insert(visit(one).await?);
    others.insert(visit(other).await?);
    Ok(if is_shared(&ones, &others) {
        Mode::Transaction
    } else {
        Mode::Session
    })
}

/// Begins a transaction on one server connection, if it can be met again; it stays open.
async fn meet(wire: &mut Wire, process: &str) -> Result<bool, ProbeError> {
    for _try in 0..MEETINGS {
        if begin(wire).await? == process {
            return Ok(true);
        }
        commit(wire).await?;
    }
    Ok(false)
}

/// Sets something for the session on one connection and looks whether the other sees it.
async fn settings_leak(
    one: &mut Wire,
    other: &mut Wire,
    traces: &Traces,
) -> Result<(Answer, bool), ProbeError> {
    let name = &traces.setting;
    let process = begin(one).await?;
    one.query(
        "a setting",
        &format!("select set_config('{name}', 'set', false)"),
    )
    .await?;
    commit(one).await?;
    if !meet(other, &process).await? {
        return Ok((Answer::Unknown, false));
    }
    let seen = other
        .query(
            "a setting",
            &format!("select current_setting('{name}', true)"),
        )
        .await?;
    other.query("a setting", &format!("reset {name}")).await?;
    commit(other).await?;
    let value = seen.first().and_then(|row| row.first()).cloned().flatten();
    let leaks = Answer::of(value.as_deref() == Some("set"));
    Ok((leaks, true))
}

/// Names a statement on one connection and calls it by its name while the other holds the server
/// connection that knows it.
async fn named_statements(
    one: &mut Wire,
    other: &mut Wire,
    traces: &Traces,
) -> Result<(Answer, bool), ProbeError> {
    let name = &traces.statement;
    let process = begin(one).await?;
    match one.name_statement(name, "select 1").await {
        Err(error) if refuses_names(&error) => {
            if !one.is_spent {
                roll_back(one).await?;
            }
            return Ok((Answer::No, true));
        }
        named => named?,
    }
    commit(one).await?;
    let held = meet(other, &process).await?;
    let patience = one.limit;
    one.set_limit(HELD_LIMIT);
    let called = one.run_named(name).await;
    one.set_limit(patience);
    let answer = match called {
        Ok(_row) if held => {
            one.forget_statement(name).await?;
            Answer::Yes
        }
        Ok(_row) => Answer::Unknown,
        Err(error) if refuses_names(&error) => {
            one.give_up();
            Answer::No
        }
        // The only server connection is the one that is held.
        Err(ProbeError::Silent { .. }) => Answer::Unknown,
        Err(error) => return Err(error),
    };
    if !held {
        return Ok((answer, false));
    }
    let is_gone = forget_here(other, name).await?;
    Ok((answer, is_gone))
}

/// Whether a pooler, or the server that it has turned to, will not have a statement of this name: it
/// is unknown or taken (26000, 42P05), the kind is not supported (0A000), or Supavisor refuses it
/// (`EPSSIMPLEQUERY` and its like, which end the connection).
fn refuses_names(error: &ProbeError) -> bool {
    matches!(error.code(), Some("26000" | "42P05" | "0A000"))
        || error
            .pooler_code()
            .is_some_and(|code| code.starts_with("EPS"))
}

/// Forgets the statement on the server connection of the open transaction, and ends that.
async fn forget_here(wire: &mut Wire, name: &str) -> Result<bool, ProbeError> {
    let request = "the end of a named statement";
    let known = wire
        .query(
            request,
            &format!("select from pg_catalog.pg_prepared_statements where name = '{name}'"),
        )
        .await?;
    // A pooler that keeps track of statements gives them names of its own, and forgets them itself.
    // By message and not by DEALLOCATE, which Supavisor refuses (`EPSSIMPLEQUERY`).
    if !known.is_empty()
        && let Err(_refused) = wire.forget_statement(name).await
    {
        if !wire.is_spent {
            roll_back(wire).await?;
        }
        return Ok(false);
    }
    commit(wire).await?;
    Ok(true)
}

/// Names a statement and calls it by its name in a later transaction, on a server connection that
/// nobody shares.
async fn named_alone(wire: &mut Wire, traces: &Traces) -> Result<Answer, ProbeError> {
    let name = &traces.statement;
    let called = async {
        wire.name_statement(name, "select 1").await?;
        visit(wire).await?;
        wire.run_named(name).await
    };
    match called.await {
        Ok(_row) => {
            wire.forget_statement(name).await?;
            Ok(Answer::Yes)
        }
        Err(error) if refuses_names(&error) => {
            wire.give_up();
            Ok(Answer::No)
        }
        Err(error) => Err(error),
    }
}
