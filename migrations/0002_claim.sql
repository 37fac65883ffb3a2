-- The claim: what to work on next, in one round trip.
-- Caller: worker poll. Locks: the caller's worker row (key share), batches and jobs (skip locked),
-- one advisory transaction lock a host taken. Rows touched: at most p_want jobs and their batches.
--
-- A function because each statement in it has a snapshot of its own: counting what runs and claiming
-- in one SQL statement claims more than max_concurrent. READ COMMITTED is assumed and asserted.
-- Versioned by name, so that old and new processes can run side by side during a deployment.

create function trawl.job_claim_v1(p_worker uuid, p_want integer, p_batch uuid)
returns table (job_id uuid, batch_id uuid, domain text, start_url text, token bigint,
               attempt integer, max_pages integer, pages_recorded integer)
language plpgsql volatile
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    wanted  integer := p_want;
    -- A cursor, since a FOR loop over the query would lock ten batches ahead of the one it works on.
    live    no scroll cursor for
        select b.id, b.max_concurrent, b.max_pages
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
        raise exception 'job_claim_v1 needs READ COMMITTED' using errcode = '25001';
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

        -- Candidates whose host is free; the advisory lock keeps two claims from choosing one host.
        with candidate as materialized (
            select j.id, j.host_key, j.run_at, j.ordinal
            from trawl.domain_jobs j
            where j.batch_id = batch.id and j.state = 'pending' and j.run_at <= clock_timestamp()
              and not exists (select 1 from trawl.domain_jobs r
                              where r.host_key = j.host_key and r.state = 'running')
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
            returning j.id, j.batch_id, j.domain, j.start_url, j.token, j.attempt,
                      batch.max_pages, j.pages_recorded;
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
