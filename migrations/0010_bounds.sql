-- What does not grow with the queue: waits for a lock, and the work of a claim and of a sweep.

-- A statement of its own carries no settings, so without a limit of the server's a backend would wait
-- for a stranger's lock for ever: its client gives up, sends it again, and leaves one more behind.
-- 55P03 is tried again. The calls that submit have the limits of their transaction.
alter function trawl.job_leave_v2(uuid[], bigint[], text[], boolean[], bigint[], text[], text[], text[],
                                  text[], integer[]) set lock_timeout = '5s';
alter function trawl.page_record_v3(uuid[], bigint[], bytea[], integer[], text[], text[], text[],
                                    integer[], integer[], bigint[], integer[], text[], text[], text[],
                                    text[], integer[], text[], text[], bytea[], text[], text[])
    set lock_timeout = '5s';
alter function trawl.job_rescue_v1(integer, integer) set lock_timeout = '5s';
alter function trawl.batch_cancel_v1(uuid, integer) set lock_timeout = '5s';
alter function trawl.job_cancel_v1(uuid) set lock_timeout = '5s';
alter function trawl.batch_pause_v2(uuid, boolean) set lock_timeout = '5s';
alter function trawl.batch_retry_v3(uuid, uuid, bigint) set lock_timeout = '5s';
alter function trawl.batch_expire_v2(interval, integer) set lock_timeout = '5s';
alter function trawl.pages_carry_v1(uuid, integer) set lock_timeout = '5s';

-- Whose rows the retention deletes in bulk, or every claim and ending writes anew: at the server's 20 %
-- a large table would hold many times what the service leaves dead in a day. As domain_jobs has it.
alter table trawl.batches set (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
    autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
alter table trawl.pages set (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
    autovacuum_analyze_scale_factor = 0.02);
alter table trawl.job_attempts set (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
    autovacuum_analyze_scale_factor = 0.02);

-- For the claim and the turn of a newcomer, which read the first few of these. It costs the heap-only
-- updates of turn; what that weighs is in docs/adr/0006-claims-by-an-index-on-turn.md.
create index batches_turn_idx on trawl.batches (turn, id)
    where state in ('pending', 'running') and paused_at is null;
-- For the sweep.
create index batches_cancelling_idx on trawl.batches (id) where state = 'cancelling';
create index batches_deadline_idx on trawl.batches (deadline_at)
    where deadline_at is not null and ended_at is null;

-- As version 3, but it reads the batches in the order of batches_turn_idx until it has what it wants.
-- Each is asked for due jobs as it comes (that is what the offset is for): a join would begin with all.
-- What is due is bounded by a variable, since a volatile function does not bound the scan of an index.
-- Without jit: compiling a plan that may read many rows takes longer than reading the few that it does.
-- See 0007_hosts.sql.
create function trawl.job_claim_v4(p_worker uuid, p_want integer, p_batch uuid)
returns table (job_id uuid, batch_id uuid, domain text, start_url text, token bigint,
               attempt integer, max_pages integer, pages_recorded integer, options text,
               snoozes integer)
language plpgsql volatile
set plan_cache_mode = force_custom_plan
set jit = off
as $$
#variable_conflict use_column
declare
    wanted  integer := p_want;
    due     timestamptz := clock_timestamp();
    -- A cursor, since a FOR loop over the query would lock ten batches ahead of the one it works on.
    live    no scroll cursor for
        select b.id, b.max_concurrent, b.max_pages, b.options
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
        raise exception 'job_claim_v4 needs READ COMMITTED' using errcode = '25001';
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

-- As version 1, but by the indexes of above. See 0005_control.sql.
create function trawl.batch_sweep_v2(p_limit integer)
returns integer
language plpgsql volatile
set plan_cache_mode = force_custom_plan
set jit = off
set lock_timeout = '5s'
as $$
declare
    overdue timestamptz := clock_timestamp();
    batch uuid;
begin
    select b.id into batch
    from trawl.batches b
    where b.state = 'cancelling'
      and exists (select 1 from trawl.domain_jobs j
                  where j.batch_id = b.id and j.state = 'pending' offset 0)
    limit 1
    for update skip locked;
    if found then
        return trawl.batch_end_pending_v1(batch, p_limit, 'cancelled', null, null);
    end if;

    select b.id into batch
    from trawl.batches b
    where b.deadline_at < overdue and b.ended_at is null and b.state <> 'cancelling'
      and exists (select 1 from trawl.domain_jobs j
                  where j.batch_id = b.id and j.state = 'pending' offset 0)
    order by b.deadline_at limit 1
    for update skip locked;
    if not found then
        return 0;
    end if;
    return trawl.batch_end_pending_v1(
        batch, p_limit, 'failed', 'deadline_exceeded',
        'The batch reached its deadline before this site was done.');
end $$;
