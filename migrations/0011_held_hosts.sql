-- A crawl owns every host that it asks, not only the one that was submitted: where redirects, subdomains
-- and sitemaps lead elsewhere, that host is taken first. See docs/adr/0007-held-hosts.md.
-- Processes of the version before go on: what they claim passes over held hosts as well, and what they
-- ask beside the host of the job they do not take.

-- The further hosts of running jobs; what a job was submitted with stands in domain_jobs. A row counts
-- while its job runs under this token. So nothing is written when a job ends, however it ends: what no
-- longer counts is overwritten, or deleted by the maintenance of any worker.
-- Without a foreign key, which would lock the job's row: a row of no job does not count.
create table trawl.held_hosts (
    host_key text primary key,                      -- as in domain_jobs
    job_id   uuid not null,
    token    bigint not null                        -- of the claim that took it
) with (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
    autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

create trigger statement_guard before insert or update or delete on trawl.held_hosts
    for each statement execute function trawl.statement_guard_v1();
alter table trawl.held_hosts enable always trigger statement_guard;

-- The running job that asks a host, if one does. Written so that PostgreSQL makes it a part of the
-- query that calls it. Caller: claim and take, each under the lock of the host.
-- Index: domain_jobs_running_host_idx, held_hosts_pkey, domain_jobs_pkey.
create function trawl.host_holders_v1(p_host_key text)
returns table (job_id uuid)
language sql stable
as $$
    select j.id from trawl.domain_jobs j
    where j.host_key = p_host_key and j.state = 'running'
    union all
    select j.id
    from trawl.held_hosts h
    join trawl.domain_jobs j on j.id = h.job_id and j.token = h.token
    where h.host_key = p_host_key and j.state = 'running'
$$;

-- Takes a further host for a running job, until the job leaves that state.
-- Caller: worker, before the first request to the host. Locks: one advisory transaction lock, as the
-- claim (never waited for), then one row of held_hosts; so it can deadlock with nothing. Rows touched: one.
-- Outcomes: taken, also where this very claim has it already; held by another job, and for how long that
-- has been at work; snoozed, and for how much longer; stale, where the job is not held by this token any
-- more.
create function trawl.host_take_v1(p_job uuid, p_token bigint, p_host_key text)
returns table (outcome text, duration_ms bigint)
language plpgsql volatile
set plan_cache_mode = force_custom_plan
set lock_timeout = '5s'
as $$
declare
    found_ms bigint;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'host_take_v1 needs READ COMMITTED' using errcode = '25001';
    end if;
    perform 1 from trawl.domain_jobs j
    where j.id = p_job and j.token = p_token and j.state = 'running';
    if not found then
        return query select 'stale', null::bigint;
        return;
    end if;
    -- Whoever has the lock is about to have the host.
    if not pg_try_advisory_xact_lock(hashtextextended(p_host_key, 7238)) then
        return query select 'held', 0::bigint;
        return;
    end if;
    -- A new snapshot: it sees what was claimed or taken before our lock.
    select max(extract(epoch from clock_timestamp() - j.claimed_at) * 1000)::bigint into found_ms
    from trawl.host_holders_v1(p_host_key) h join trawl.domain_jobs j on j.id = h.job_id
    where h.job_id <> p_job;
    if found_ms is not null then
        return query select 'held', found_ms;
        return;
    end if;
    -- After the holders: a job that snoozes a host leaves it in the same commit.
    select ceil(extract(epoch from h.not_before - clock_timestamp()) * 1000)::bigint into found_ms
    from trawl.hosts h where h.host_key = p_host_key;
    if found_ms > 0 then
        return query select 'snoozed', found_ms;
        return;
    end if;
    insert into trawl.held_hosts as h (host_key, job_id, token)
    values (p_host_key, p_job, p_token)
    on conflict (host_key) do update set job_id = excluded.job_id, token = excluded.token;
    return query select 'taken', null::bigint;
end $$;

-- As version 4, passes over the jobs whose host another job holds, and tells what is left of the time of
-- the batch. See 0010_bounds.sql.
-- With a limit for its waits, too: what gives up has claimed nothing.
create function trawl.job_claim_v5(p_worker uuid, p_want integer, p_batch uuid)
returns table (job_id uuid, batch_id uuid, domain text, start_url text, token bigint,
               attempt integer, max_pages integer, pages_recorded integer, options text,
               snoozes integer, deadline_ms bigint)
language plpgsql volatile
set plan_cache_mode = force_custom_plan
set jit = off
set lock_timeout = '5s'
as $$
#variable_conflict use_column
declare
    wanted  integer := p_want;
    due     timestamptz := clock_timestamp();
    -- A cursor, since a FOR loop over the query would lock ten batches ahead of the one it works on.
    live    no scroll cursor for
        select b.id, b.max_concurrent, b.max_pages, b.options, b.deadline_at
        from trawl.batches b
        where b.state in ('pending', 'running') and b.paused_at is null
          and (p_batch is null or b.id = p_batch)
          and exists (select 1 from trawl.domain_jobs j
                      where j.batch_id = b.id and j.state = 'pending' and j.run_at <= due
                      offset 0)
        order by b.turn, b.id
        for update of b skip locked;
    batch   record;
    room    integer;
    chosen  uuid[];
    taken   integer;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'job_claim_v5 needs READ COMMITTED' using errcode = '25001';
    end if;
    -- A worker that was declared gone claims nothing, and none is declared gone while it claims.
    perform 1 from trawl.workers w where w.id = p_worker and w.state = 'live' for key share;
    if not found then
        return;                                     -- its next heartbeat tells it why
    end if;

    open live;
    while wanted > 0 loop
        fetch live into batch;
        exit when not found;

        select batch.max_concurrent - count(*) into room
        from trawl.domain_jobs j where j.batch_id = batch.id and j.state = 'running';
        continue when room <= 0;

        -- Candidates whose host is free and not snoozed; the advisory lock keeps two claims from choosing one host.
        with candidate as materialized (
            select j.id, j.host_key, j.run_at, j.ordinal
            from trawl.domain_jobs j
            where j.batch_id = batch.id and j.state = 'pending' and j.run_at <= due
              and not exists (select 1 from trawl.host_holders_v1(j.host_key))
              and not exists (select 1 from trawl.hosts h
                              where h.host_key = j.host_key and h.not_before > clock_timestamp())
            order by j.run_at, j.ordinal
            limit least(wanted, room)
            for update of j skip locked
        ), one_a_host as materialized (
            select distinct on (c.host_key) c.id, c.host_key
            from candidate c order by c.host_key, c.run_at, c.ordinal
        )
        select array_agg(o.id) into chosen
        from one_a_host o
        where pg_try_advisory_xact_lock(hashtextextended(o.host_key, 7238));
        continue when chosen is null;

        -- A new snapshot: it sees a host that another claim or take had before our lock.
        return query
            update trawl.domain_jobs j
            set state = 'running', attempt = j.attempt + 1, token = j.token + 1,
                worker_id = p_worker, claimed_at = clock_timestamp(),
                started_at = coalesce(j.started_at, clock_timestamp()),
                updated_at = clock_timestamp()
            where j.id = any (chosen) and j.state = 'pending'
              and not exists (select 1 from trawl.host_holders_v1(j.host_key))
              and not exists (select 1 from trawl.hosts h
                              where h.host_key = j.host_key and h.not_before > clock_timestamp())
            returning j.id, j.batch_id, j.domain, j.start_url, j.token, j.attempt,
                      batch.max_pages, j.pages_recorded, batch.options::text, j.snoozes,
                      (extract(epoch from batch.deadline_at - clock_timestamp()) * 1000)::bigint;
        get diagnostics taken = row_count;
        wanted := wanted - taken;

        if taken > 0 then
            update trawl.batches b
            set turn = b.turn + taken, state = 'running',
                started_at = coalesce(b.started_at, clock_timestamp()),
                updated_at = clock_timestamp()
            where b.id = batch.id;
        end if;
    end loop;
end $$;

-- As version 2, but a snooze is that of the host that asked for it, p_snoozed_host; null is the job's
-- own. See 0007_hosts.sql. Of one host at most one job runs or holds it; where two of a process of the
-- version before ask one, they write its row one after the other, hosts in the order of their keys.
-- Job and host wait until the same moment: what is claimed then finds its host free.
create function trawl.job_leave_v3(
    p_job uuid[], p_token bigint[], p_target text[], p_charged boolean[], p_delay_ms bigint[],
    p_error_code text[], p_error text[], p_stop_reason text[], p_result text[],
    p_snoozes integer[], p_snoozed_host text[])
returns table (job_id uuid, state text)
language plpgsql volatile
set lock_timeout = '5s'
as $$
#variable_conflict use_column
declare
    left_at timestamptz;
    ended record;
begin
    perform trawl.job_lock_v1(p_job);
    left_at := clock_timestamp();

    for ended in
        with moved as (
            update trawl.domain_jobs j
            set state = i.target, token = j.token + 1, worker_id = null,
                attempt = case when i.charged then j.attempt else greatest(j.attempt - 1, 0) end,
                run_at = case when i.target = 'pending'
                              then left_at + i.delay_ms * interval '1 millisecond'
                              else j.run_at end,
                ended_at = case when i.target = 'pending' then null else left_at end,
                updated_at = left_at,
                error_code = i.error_code, error = i.error,
                snoozes = coalesce(i.snoozes, j.snoozes),
                stop_reason = i.stop_reason, result = i.result::jsonb
            from (
                select t.job, t.token, t.charged, t.delay_ms, t.error_code, t.error, t.stop_reason,
                       t.result, t.snoozes, coalesce(t.snoozed_host, o.host_key) as snoozed_host,
                       case when t.target = 'pending'
                                 and (b.state = 'cancelling' or o.cancel_requested)
                            then 'cancelled' else t.target end as target
                from unnest(p_job, p_token, p_target, p_charged, p_delay_ms, p_error_code, p_error,
                            p_stop_reason, p_result, p_snoozes, p_snoozed_host)
                     as t (job, token, target, charged, delay_ms, error_code, error, stop_reason,
                           result, snoozes, snoozed_host)
                join trawl.domain_jobs o on o.id = t.job
                join trawl.batches b on b.id = o.batch_id
            ) i
            where j.id = i.job and j.token = i.token and j.state = 'running'
            returning j.id, j.batch_id, j.state, i.token, i.charged, j.attempt, j.claimed_at,
                      j.error_code, j.error, i.delay_ms, i.snoozes, i.snoozed_host
        ), history as (
            insert into trawl.job_attempts
                (job_id, token, attempt, outcome, started_at, error_code, error)
            select m.id, m.token, m.attempt, m.state, m.claimed_at, m.error_code, m.error
            from moved m where m.charged
        ), snoozed as (
            insert into trawl.hosts as h (host_key, not_before)
            select m.snoozed_host, left_at + max(m.delay_ms) * interval '1 millisecond'
            from moved m where m.snoozes is not null
            group by m.snoozed_host order by m.snoozed_host
            on conflict (host_key) do update
                set not_before = greatest(h.not_before, excluded.not_before)
        )
        select m.batch_id, array_agg(m.id) as ids, array_agg(m.state) as states,
               count(*) filter (where m.state = 'complete') as completed,
               count(*) filter (where m.state = 'failed') as failed,
               count(*) filter (where m.state = 'cancelled') as cancelled
        from moved m group by m.batch_id order by m.batch_id
    loop
        if ended.completed + ended.failed + ended.cancelled > 0 then
            perform trawl.batch_count_v1(ended.batch_id, ended.completed, ended.failed, ended.cancelled);
        end if;
        return query select * from unnest(ended.ids, ended.states);
    end loop;
end $$;

-- For processes of the version before.
create or replace function trawl.job_claim_v4(p_worker uuid, p_want integer, p_batch uuid)
returns table (job_id uuid, batch_id uuid, domain text, start_url text, token bigint,
               attempt integer, max_pages integer, pages_recorded integer, options text,
               snoozes integer)
language sql volatile
as $$
    select c.job_id, c.batch_id, c.domain, c.start_url, c.token, c.attempt, c.max_pages,
           c.pages_recorded, c.options, c.snoozes
    from trawl.job_claim_v5(p_worker, p_want, p_batch) c
$$;

-- For processes of the version before: a snooze is that of the job's own host.
create or replace function trawl.job_leave_v2(
    p_job uuid[], p_token bigint[], p_target text[], p_charged boolean[], p_delay_ms bigint[],
    p_error_code text[], p_error text[], p_stop_reason text[], p_result text[],
    p_snoozes integer[])
returns table (job_id uuid, state text)
language sql volatile
as $$
    select * from trawl.job_leave_v3(
        p_job, p_token, p_target, p_charged, p_delay_ms, p_error_code, p_error, p_stop_reason, p_result,
        p_snoozes, array_fill(null::text, array[cardinality(p_job)]))
$$;

-- For job_rescue_v1, whose endings are no snoozes.
create or replace function trawl.job_leave_v1(
    p_job uuid[], p_token bigint[], p_target text[], p_charged boolean[], p_delay_ms bigint[],
    p_error_code text[], p_error text[], p_stop_reason text[], p_result text[])
returns table (job_id uuid, state text)
language sql volatile
as $$
    select * from trawl.job_leave_v3(
        p_job, p_token, p_target, p_charged, p_delay_ms, p_error_code, p_error, p_stop_reason, p_result,
        array_fill(null::integer, array[cardinality(p_job)]),
        array_fill(null::text, array[cardinality(p_job)]))
$$;

-- What neither this version calls nor the one before.
drop function trawl.job_claim_v1(uuid, integer, uuid);
drop function trawl.job_claim_v2(uuid, integer, uuid);
drop function trawl.job_claim_v3(uuid, integer, uuid);
drop function trawl.page_record_v1(uuid[], bigint[], bytea[], integer[], text[], text[], text[], integer[],
                                   integer[], bigint[], integer[], text[], text[], text[], text[]);
drop function trawl.page_record_v2(uuid[], bigint[], bytea[], integer[], text[], text[], text[], integer[],
                                   integer[], bigint[], integer[], text[], text[], text[], text[],
                                   integer[], text[], text[], bytea[], text[], text[]);
drop function trawl.batch_pause_v1(uuid, boolean);
drop function trawl.batch_retry_v1(uuid, uuid);
drop function trawl.batch_retry_v2(uuid, uuid);
drop function trawl.batch_expire_v1(interval, integer);
drop function trawl.batch_sweep_v1(integer);
