-- The tables of Trawl, in a schema of their own: a pooler may leak another client's search_path,
-- so every name in every statement is qualified. States are text with a CHECK, held equal to the
-- Rust enums by a test: an enum type would make the driver prepare a hidden named statement.
-- Columns that change often (heartbeats, counters, turns) stand in no index, so their updates stay
-- heap-only; the fill factors leave room for that.

create table trawl.workers (
    id           uuid primary key,                  -- new with every start of a process, never reused
    state        text not null default 'live'
                 constraint workers_state_check check (state in ('live', 'draining', 'gone')),
    heartbeat_at timestamptz not null default clock_timestamp(),
    lease_ttl    interval not null constraint workers_lease_ttl_check check (lease_ttl > interval '0'),
    host         text not null,
    pid          integer not null,
    version      text not null,
    started_at   timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

create table trawl.batches (
    id             uuid primary key,
    kind           text not null
                   constraint batches_kind_check check (kind in ('batch', 'scan')),
    state          text not null default 'pending'
                   constraint batches_state_check check (state in
                       ('pending', 'running', 'cancelling', 'complete', 'partial', 'failed', 'cancelled')),
    total          integer not null constraint batches_total_check check (total > 0),
    completed      integer not null default 0,
    failed         integer not null default 0,
    cancelled      integer not null default 0,
    max_pages      integer not null constraint batches_max_pages_check check (max_pages > 0),
    max_concurrent integer not null constraint batches_max_concurrent_check check (max_concurrent > 0),
    turn           bigint not null,                 -- jobs claimed so far, from a fair start: who has least is next
    request_hash   bytea not null,                  -- of the normalized request: a repeated batch_id is a replay or a conflict
    metadata       json not null default '{}',      -- json, not jsonb: the submitter's text comes back as it was
    retry_of       uuid,                            -- the batch whose failed domains this one tries again
    deadline_at    timestamptz,                     -- what has not ended by then fails
    paused_at      timestamptz,                     -- while set, nothing of it is claimed
    created_at     timestamptz not null default clock_timestamp(),
    updated_at     timestamptz not null default clock_timestamp(),
    started_at     timestamptz,                     -- first claim of a job
    ended_at       timestamptz,                     -- last job ended
    expired_at     timestamptz,                     -- the retention began to delete its rows
    constraint batches_counts_check check (
        completed >= 0 and failed >= 0 and cancelled >= 0 and completed + failed + cancelled <= total),
    constraint batches_ended_check check (
        (state in ('complete', 'partial', 'failed', 'cancelled'))
        = (completed + failed + cancelled = total)
        and (ended_at is not null) = (completed + failed + cancelled = total))
) with (fillfactor = 50);

create index batches_live_idx on trawl.batches (id)
    where state in ('pending', 'running', 'cancelling');
-- For the retention, which looks for the oldest.
create index batches_ended_idx on trawl.batches (ended_at)
    where ended_at is not null;

create table trawl.domain_jobs (
    id             uuid primary key,
    batch_id       uuid not null references trawl.batches,
    ordinal        integer not null,                -- place in the submission, from 0
    domain         text not null,                   -- host or host:port, normalized
    host_key       text not null,                   -- politeness group: host without www.
    start_url      text not null,                   -- the domain with the submitter's scheme and path
    state          text not null default 'pending'
                   constraint domain_jobs_state_check check (state in
                       ('pending', 'running', 'complete', 'failed', 'cancelled')),
    run_at         timestamptz not null default clock_timestamp(),
    attempt        integer not null default 0,
    token          bigint not null default 0,       -- fencing token: grows with every claim and every loss of one
    worker_id      uuid references trawl.workers,
    claimed_at     timestamptz,
    cancel_requested boolean not null default false, -- of this job alone; its worker learns it by heartbeat
    retry_of       uuid,                            -- the failed job this one tries again
    pages_recorded integer not null default 0,      -- rows in pages
    pages_scraped  integer not null default 0,      -- of these, fetched
    started_at     timestamptz,
    ended_at       timestamptz,
    updated_at     timestamptz not null default clock_timestamp(),
    error_code     text,
    error          text,
    stop_reason    text,
    result         jsonb,
    constraint domain_jobs_batch_domain_unique unique (batch_id, domain),
    constraint domain_jobs_lease_check check ((state = 'running') = (worker_id is not null)),
    constraint domain_jobs_ended_check check (
        (state in ('complete', 'failed', 'cancelled')) = (ended_at is not null)),
    constraint domain_jobs_reason_check check (state <> 'failed' or error_code is not null)
) with (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 500,
    autovacuum_analyze_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0
);

create index domain_jobs_pending_idx on trawl.domain_jobs (batch_id, run_at, ordinal)
    where state = 'pending';
create index domain_jobs_running_batch_idx on trawl.domain_jobs (batch_id)
    where state = 'running';
-- The same rows as those of state running, by domain_jobs_lease_check. Said so, because the check of
-- the foreign key asks for a worker's jobs of any state when the worker is deleted.
create index domain_jobs_running_worker_idx on trawl.domain_jobs (worker_id)
    where worker_id is not null;
-- The guarantee that no host is crawled twice at once; the claim avoids running into it.
create unique index domain_jobs_running_host_idx on trawl.domain_jobs (host_key)
    where state = 'running';

-- Append-only: one row an attempt that ended, whatever way. Attempts that were handed back do not count.
create table trawl.job_attempts (
    job_id     uuid not null references trawl.domain_jobs,
    token      bigint not null,                     -- of the claim that the attempt was
    attempt    integer not null,
    outcome    text not null
               constraint job_attempts_outcome_check check (outcome in
                   ('complete', 'failed', 'cancelled', 'pending')),
    started_at timestamptz not null,
    ended_at   timestamptz not null default clock_timestamp(),
    error_code text,
    error      text,
    primary key (job_id, token)
);

-- Append-only: one row a URL that has ended. A job's frontier is rebuilt from these rows alone.
create table trawl.pages (
    job_id      uuid not null references trawl.domain_jobs,
    url_key     bytea not null,                     -- first 16 bytes of the SHA-256 of url
    seq         integer not null,                   -- order within the job, from 0
    token       bigint not null,                    -- of the claim that wrote it
    url         text not null,                      -- canonical, as asked for
    final_url   text,                               -- after redirects, where different
    state       text not null
                constraint pages_state_check check (state in ('fetched', 'failed', 'skipped')),
    depth       integer not null,
    http_status integer,
    body_bytes  bigint not null,                    -- decoded
    duration_ms integer not null,
    error_code  text,
    error       text,
    discovered  jsonb not null,                     -- in-scope URLs this page was the first of its job to show
    facts       jsonb,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (job_id, url_key)
);
