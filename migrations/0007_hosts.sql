-- Sites that ask to be left alone: no job of theirs is claimed until they may be asked again, whatever
-- batch it belongs to and whoever claims.

-- Only hosts that asked; what has passed is deleted by the maintenance of any worker.
create table trawl.hosts (
    host_key   text primary key,                    -- as in domain_jobs
    not_before timestamptz not null                 -- in no index, so that updates stay heap-only
) with (fillfactor = 70);

-- Waits in a row that the site asked for, without a page between them. Its worker counts and gives up.
alter table trawl.domain_jobs add column snoozes integer not null default 0;

-- As version 2, passes over snoozed hosts and tells the waits so far. See 0006_options.sql.
-- Index: hosts_pkey, once for each candidate.
create function trawl.job_claim_v3(p_worker uuid, p_want integer, p_batch uuid)
returns table (job_id uuid, batch_id uuid, domain text, start_url text, token bigint,
               attempt integer, max_pages integer, pages_recorded integer, options text,
               snoozes integer)
language plpgsql volatile
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    wanted  integer := p_want;
    -- A cursor, since a FOR loop over the query would lock ten batches ahead of the one it works on.
    live    no scroll cursor for
        select b.id, b.max_concurrent, b.max_pages, b.options
        from trawl.batches b
        where b.state in ('pending', 'running') and b.paused_at is null
          and (p_batch is null or b.id = p_batch)
          and exists (select 1 from trawl.domain_jobs j
                      where j.batch_id = b.id and j.state = 'pending'
                        and j.run_at <= clock_timestamp())
        order by b.turn, b.id
        for update of b skip locked;
    batch   record;
    room    integer;
    chosen  uuid[];
    taken   integer;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'job_claim_v3 needs READ COMMITTED' using errcode = '25001';
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
            where j.batch_id = batch.id and j.state = 'pending' and j.run_at <= clock_timestamp()
              and not exists (select 1 from trawl.domain_jobs r
                              where r.host_key = j.host_key and r.state = 'running')
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

        -- A new snapshot: it sees a host that another claim took before our lock.
        return query
            update trawl.domain_jobs j
            set state = 'running', attempt = j.attempt + 1, token = j.token + 1,
                worker_id = p_worker, claimed_at = clock_timestamp(),
                started_at = coalesce(j.started_at, clock_timestamp()),
                updated_at = clock_timestamp()
            where j.id = any (chosen) and j.state = 'pending'
              and not exists (select 1 from trawl.domain_jobs r
                              where r.host_key = j.host_key and r.state = 'running')
              and not exists (select 1 from trawl.hosts h
                              where h.host_key = j.host_key and h.not_before > clock_timestamp())
            returning j.id, j.batch_id, j.domain, j.start_url, j.token, j.attempt,
                      batch.max_pages, j.pages_recorded, batch.options::text,
                      j.snoozes;
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

-- As version 1, and snoozes: where p_snoozes is not null, the job waits for p_delay_ms because its site
-- asked for it, and in the same statement its host is snoozed for everybody. See 0004_finish.sql.
-- Of one host at most one job runs, so no two calls write the same row of hosts at once.
create function trawl.job_leave_v2(
    p_job uuid[], p_token bigint[], p_target text[], p_charged boolean[], p_delay_ms bigint[],
    p_error_code text[], p_error text[], p_stop_reason text[], p_result text[],
    p_snoozes integer[])
returns table (job_id uuid, state text)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    ended record;
begin
    perform trawl.job_lock_v1(p_job);

    for ended in
        with moved as (
            update trawl.domain_jobs j
            set state = i.target, token = j.token + 1, worker_id = null,
                attempt = case when i.charged then j.attempt else greatest(j.attempt - 1, 0) end,
                run_at = case when i.target = 'pending'
                              then clock_timestamp() + i.delay_ms * interval '1 millisecond'
                              else j.run_at end,
                ended_at = case when i.target = 'pending' then null else clock_timestamp() end,
                updated_at = clock_timestamp(),
                error_code = i.error_code, error = i.error,
                snoozes = coalesce(i.snoozes, j.snoozes),
                stop_reason = i.stop_reason, result = i.result::jsonb
            from (
                select t.job, t.token, t.charged, t.delay_ms, t.error_code, t.error, t.stop_reason,
                       t.result, t.snoozes,
                       case when t.target = 'pending'
                                 and (b.state = 'cancelling' or o.cancel_requested)
                            then 'cancelled' else t.target end as target
                from unnest(p_job, p_token, p_target, p_charged, p_delay_ms, p_error_code, p_error,
                            p_stop_reason, p_result, p_snoozes)
                     as t (job, token, target, charged, delay_ms, error_code, error, stop_reason,
                           result, snoozes)
                join trawl.domain_jobs o on o.id = t.job
                join trawl.batches b on b.id = o.batch_id
            ) i
            where j.id = i.job and j.token = i.token and j.state = 'running'
            returning j.id, j.batch_id, j.state, i.token, i.charged, j.attempt, j.claimed_at,
                      j.error_code, j.error, j.host_key, i.delay_ms, i.snoozes
        ), history as (
            insert into trawl.job_attempts
                (job_id, token, attempt, outcome, started_at, error_code, error)
            select m.id, m.token, m.attempt, m.state, m.claimed_at, m.error_code, m.error
            from moved m where m.charged
        ), snoozed as (
            insert into trawl.hosts as h (host_key, not_before)
            select m.host_key, clock_timestamp() + max(m.delay_ms) * interval '1 millisecond'
            from moved m where m.snoozes is not null
            group by m.host_key order by m.host_key
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

-- What callers of version 1 end is no snooze.
create or replace function trawl.job_leave_v1(
    p_job uuid[], p_token bigint[], p_target text[], p_charged boolean[], p_delay_ms bigint[],
    p_error_code text[], p_error text[], p_stop_reason text[], p_result text[])
returns table (job_id uuid, state text)
language sql volatile
as $$
    select * from trawl.job_leave_v2(
        p_job, p_token, p_target, p_charged, p_delay_ms, p_error_code, p_error, p_stop_reason, p_result,
        array_fill(null::integer, array[cardinality(p_job)]))
$$;
