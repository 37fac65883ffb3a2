//! The defects, and the tests that have to notice them.

/// One defect.
#[derive(Debug)]
pub(super) struct Mutation {
    /// The promise that it breaks, in words.
    pub(super) name: &'static str,
    pub(super) place: Place,
    /// What is replaced by what: the first occurrence from the place on, in turn.
    pub(super) edits: &'static [(&'static str, &'static str)],
    /// Whose integration tests are run.
    pub(super) package: &'static str,
    /// Parts of the names of those that have to notice.
    pub(super) tests: &'static [&'static str],
}

/// Where a defect is put.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// A file, from the root of the repository.
    File(&'static str),
    /// The newest version of a function of the schema, `trawl.NAME_vN`.
    Function(&'static str),
}

const PERSISTENCE: &str = "trawl-persistence";
const SCOPE: Place = Place::File("crates/persistence/src/scope/mod.rs");
const POOL: Place = Place::File("crates/persistence/src/pool.rs");

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "no token in the finishing write",
        place: Place::Function("job_leave"),
        edits: &[(
            "where j.id = i.job and j.token = i.token and j.state",
            "where j.id = i.job and j.state",
        )],
        package: PERSISTENCE,
        tests: &["crowd::", "leases::", "transitions::"],
    },
    Mutation {
        name: "no token in the recording write",
        place: Place::Function("page_record"),
        edits: &[
            ("on i.job = j.id and i.token = j.token", "on i.job = j.id"),
            ("on j.id = t.job and j.token = t.token", "on j.id = t.job"),
        ],
        package: PERSISTENCE,
        tests: &["leases::", "record::"],
    },
    Mutation {
        name: "counting what runs outside the lock of the batch",
        place: Place::Function("job_claim"),
        edits: &[
            (
                "select b.id, b.max_concurrent, b.max_pages, b.options, b.deadline_at\n",
                "select b.id, b.max_concurrent, b.max_pages, b.options, b.deadline_at,\n               \
                 (select count(*) from trawl.domain_jobs j\n                \
                 where j.batch_id = b.id and j.state = 'running') as running\n",
            ),
            (
                "select batch.max_concurrent - count(*) into room\n        \
                 from trawl.domain_jobs j where j.batch_id = batch.id and j.state = 'running';",
                "room := batch.max_concurrent - batch.running;",
            ),
        ],
        package: PERSISTENCE,
        tests: &["claim::", "crowd::"],
    },
    Mutation {
        name: "no lock of the host that is claimed",
        place: Place::Function("job_claim"),
        edits: &[(
            "where pg_try_advisory_xact_lock(hashtextextended(o.host_key, 7238));",
            ";",
        )],
        package: PERSISTENCE,
        tests: &["claim::", "crowd::"],
    },
    Mutation {
        name: "a claim of a host that another job holds",
        place: Place::Function("host_holders"),
        edits: &[(
            "where h.host_key = p_host_key and j.state",
            "where false and h.host_key = p_host_key and j.state",
        )],
        package: PERSISTENCE,
        tests: &["hosts::", "crowd::"],
    },
    Mutation {
        name: "no lock of the host that is taken",
        place: Place::Function("host_take"),
        edits: &[(
            "if not pg_try_advisory_xact_lock(hashtextextended(p_host_key, 7238)) then",
            "if false then",
        )],
        package: PERSISTENCE,
        tests: &["hosts::", "crowd::"],
    },
    Mutation {
        name: "requests to hosts that were not taken",
        place: Place::File("crates/scraper/src/crawl/turns.rs"),
        edits: &[("self.take(host_key).await?;", "")],
        package: "trawl-worker",
        tests: &["hosts::"],
    },
    Mutation {
        name: "pages counted as sent, not as written",
        place: Place::Function("page_record"),
        edits: &[(
            "from written w group by",
            "from unnest(p_job, p_state) as w (job_id, state) group by",
        )],
        package: PERSISTENCE,
        tests: &["record::", "faults::"],
    },
    Mutation {
        name: "a session SET",
        place: SCOPE,
        edits: &[(
            "set_config('statement_timeout', $1, true)",
            "set_config('statement_timeout', $1, false)",
        )],
        package: PERSISTENCE,
        tests: &["scope::", "wire::"],
    },
    Mutation {
        name: "a plain BEGIN",
        place: SCOPE,
        edits: &[("settings.access.begin()", "\"begin\"")],
        package: PERSISTENCE,
        tests: &["leaked_defaults::", "wire::"],
    },
    Mutation {
        name: "a dirty connection returned to the pool",
        place: POOL,
        edits: &[("drop(Object::take(object));", "drop(object);")],
        package: PERSISTENCE,
        tests: &["cancellation::", "scope::an_error_of_a_lone"],
    },
    Mutation {
        name: "a connection reused on ErrorResponse alone",
        place: POOL,
        edits: &[(
            "self.ready = answer.is_ok();",
            "self.ready = answer.as_ref().err().is_none_or(|error| error.as_db_error().is_some());",
        )],
        package: PERSISTENCE,
        tests: &["scope::an_error_of_a_lone", "wire::errors_and_drops"],
    },
    Mutation {
        name: "an unknown commit retried without idempotency",
        place: Place::File("crates/persistence/src/scope/retry.rs"),
        edits: &[(
            "ErrorClass::OutcomeUnknown => self.repeatable",
            "ErrorClass::OutcomeUnknown => true",
        )],
        package: PERSISTENCE,
        tests: &["scope::a_commit_whose", "faults::"],
    },
];
