//! The database suites once more, behind a pooler that is harder than any real one.
//!
//! Every transaction gets another backend, in a state that other clients have left: read only, with
//! an empty `search_path`, a tiny `statement_timeout`, another encoding, another role, without
//! prepared statements. What is sent before `ReadyForQuery` goes to strangers, requests arrive late
//! and at a cost that is quadratic in their size, answers come in crumbs. What is left out is left out
//! by name, each with its reason; anything else that fails fails the run.
//!
//! Cuts, black holes and refusals are not among it: after those a single call may rightly fail, so a
//! test that demands its answer says nothing. The `hostile` modules have them.

use anyhow::Result;
use trawl_test_support::{HostilePooler, Hostility};

use crate::provision::{DIRECT_URL, POOLED_URL, TestServers};
use crate::run::{cargo, run};

/// What the dice throw; printed, so that a failure can be replayed with `cargo xtask servers`.
const SEED: u64 = 1;

/// Tests that say nothing here, or cannot pass.
const LEFT_OUT: &[(&str, &str)] = &[
    ("::direct", "passes by the pooler"),
    ("plans::", "passes by the pooler"),
    (
        "controls::a_session_setting_reaches_a_stranger",
        "a stranger's setting is soon another's",
    ),
    (
        "controls::named_statements_fail_behind_the_pooler_and_nowhere_else",
        "a named statement does not even succeed where it was prepared",
    ),
    (
        "controls::an_enum_column_breaks_the_typed_call_and_its_text_does_not",
        "as above",
    ),
    ("hostile::", "brings a hostile pooler of its own"),
    (
        "probe::a_wrong_password_is_permanent",
        "the hostile pooler asks nobody for a password",
    ),
    (
        "probe::strangers_in_the_pool_do_not_confuse_it",
        "whether a setting is met again is a matter of the dice",
    ),
    (
        "probe::what_stands_behind_the_url_is_found_out",
        "measures PgBouncer itself",
    ),
    ("doctor::", "measures PgBouncer itself"),
    (
        "leaked_defaults::a_poisoned_backend_is_shown_to_be_poisoned",
        "what the test leaks is overwritten by what the pooler leaks",
    ),
    (
        "leaked_defaults::a_scope_does_not_inherit_a_default",
        "as above",
    ),
    (
        "leaked_defaults::a_leaked_lock_limit_does_not_fail_a_lone_statement",
        "the pooler's own leaks refuse the statement before the lock does",
    ),
    (
        "scope::an_error_of_a_lone_statement_costs_its_connection",
        "behind a leaked default the statement is none that is alone",
    ),
    (
        "faults::a_claim_whose_answer_is_lost_is_found_by_the_heartbeat",
        "what a leaked default refused has claimed nothing when its answer is lost",
    ),
    (
        "wire::each_call_takes_the_round_trips_it_is_known_for",
        "a leaked default costs round trips more",
    ),
    (
        "wire::every_call_keeps_the_rules",
        "a leaked default costs a connection, which is abandoned",
    ),
    (
        "wire::a_batch_sends_nothing_that_a_transaction_mode_pooler_cannot_serve",
        "a leaked default costs a connection, which is abandoned",
    ),
];

/// Runs the suites of persistence, worker and API behind the hostile pooler.
pub(crate) async fn test(servers: &TestServers) -> Result<()> {
    let pooler = HostilePooler::start(&servers.direct_url, Hostility::bearable(SEED)).await?;
    println!("seed {SEED}; left out:");
    for (name, reason) in LEFT_OUT {
        println!("  {name}: {reason}");
    }
    let mut command = cargo();
    command
        .args(["test", "--no-fail-fast", "--package", "trawl-persistence"])
        .args(["--package", "trawl-worker", "--package", "trawl-api"])
        .args(["--test", "it", "--test", "service", "--"])
        .args(LEFT_OUT.iter().flat_map(|(name, _)| ["--skip", name]))
        .env(DIRECT_URL, &servers.direct_url)
        .env(POOLED_URL, pooler.url());
    let outcome = run(command).await;
    println!("{}", pooler.report());
    outcome
}
