-- What a client asks of each crawl, and what a page keeps beside its facts.
-- Functions whose answer or parameters change get a new version: processes that were started before
-- this migration go on with the old ones, whose rows are whole without the new columns.

-- What is at its default is left out, so most rows have {}.
alter table trawl.batches add column options jsonb not null default '{}';

alter table trawl.pages
    add column first_byte_ms integer,               -- from the request to the head of the answer
    add column etag          text,                  -- of the answer, for a conditional request
    add column last_modified text,                  -- as above
    add column body_hash     bytea,                 -- first 16 bytes of the SHA-256 of the decoded body
    add column not_fetched   jsonb,                 -- URLs that it named and that are never fetched, counted by reason
    add column content       jsonb;                 -- the formats that were asked for: text, markdown, links

-- Pages are read in the order in which they were recorded, a slice at a time: to resume a job, and by
-- clients. Without it each slice would sort all pages of its job.
create index pages_job_id_seq_idx on trawl.pages (job_id, seq);

-- As version 1, and tells the options of the batch. See 0002_claim.sql.
create function trawl.job_claim_v2(p_worker uuid, p_want integer, p_batch uuid)
returns table (job_id uuid, batch_id uuid, domain text, start_url text, token bigint,
               attempt integer, max_pages integer, pages_recorded integer, options text)
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
        raise exception 'job_claim_v2 needs READ COMMITTED' using errcode = '25001';
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
                      batch.max_pages, j.pages_recorded, batch.options::text;
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

-- As version 1, with the columns of above. See 0003_record.sql.
create function trawl.page_record_v2(
    p_job uuid[], p_token bigint[], p_url_key bytea[], p_seq integer[], p_url text[],
    p_final_url text[], p_state text[], p_depth integer[], p_http_status integer[],
    p_body_bytes bigint[], p_duration_ms integer[], p_error_code text[], p_error text[],
    p_discovered text[], p_facts text[], p_first_byte_ms integer[], p_etag text[],
    p_last_modified text[], p_body_hash bytea[], p_not_fetched text[], p_content text[])
returns table (job_id uuid)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    held uuid[];
begin
    select array_agg(h.id) into held from (
        select j.id
        from trawl.domain_jobs j
        join (select distinct t.job, t.token from unnest(p_job, p_token) as t (job, token)) i
          on i.job = j.id and i.token = j.token
        where j.state = 'running'
        order by j.id
        for update of j
    ) h;
    if held is null then
        return;
    end if;

    with written as (
        insert into trawl.pages as p (job_id, url_key, seq, token, url, final_url, state, depth,
            http_status, body_bytes, duration_ms, error_code, error, discovered, facts,
            first_byte_ms, etag, last_modified, body_hash, not_fetched, content)
        select t.job, t.url_key, t.seq, t.token, t.url, t.final_url, t.state, t.depth,
            t.http_status, t.body_bytes, t.duration_ms, t.error_code, t.error,
            t.discovered::jsonb, t.facts::jsonb,
            t.first_byte_ms, t.etag, t.last_modified, t.body_hash, t.not_fetched::jsonb,
            t.content::jsonb
        from unnest(p_job, p_token, p_url_key, p_seq, p_url, p_final_url, p_state, p_depth,
                    p_http_status, p_body_bytes, p_duration_ms, p_error_code, p_error,
                    p_discovered, p_facts, p_first_byte_ms, p_etag, p_last_modified, p_body_hash,
                    p_not_fetched, p_content)
             as t (job, token, url_key, seq, url, final_url, state, depth, http_status, body_bytes,
                   duration_ms, error_code, error, discovered, facts, first_byte_ms, etag, last_modified,
                   body_hash, not_fetched, content)
        -- Locked above, so the token is still the one that was compared. Compared again, since one
        -- call may bring pages of two claims of a job.
        join trawl.domain_jobs j on j.id = t.job and j.token = t.token
        where t.job = any (held)
        on conflict (job_id, url_key) do nothing
        returning p.job_id, p.state
    ), counted as (
        select w.job_id, count(*)::integer as recorded,
               (count(*) filter (where w.state = 'fetched'))::integer as scraped
        from written w group by w.job_id
    )
    update trawl.domain_jobs j
    set pages_recorded = j.pages_recorded + c.recorded,
        pages_scraped = j.pages_scraped + c.scraped,
        updated_at = clock_timestamp()
    from counted c where j.id = c.job_id;

    return query select unnest(held);
end $$;

-- As version 1: the options and the columns of above go over as well. See 0005_control.sql.
create function trawl.batch_retry_v2(p_batch uuid, p_new uuid)
returns table (found_state text, total integer, created_at timestamptz)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    old record;
    born timestamptz;
    jobs integer;
begin
    select b.* into old from trawl.batches b where b.id = p_batch for share;
    if not found then
        return;
    end if;
    jobs := old.failed;
    if old.ended_at is null or jobs = 0 then
        return query select old.state, 0, null::timestamptz;
        return;
    end if;

    insert into trawl.batches as n (id, kind, total, max_pages, max_concurrent, request_hash, metadata,
                                    options, turn, retry_of)
    select p_new, old.kind, jobs, old.max_pages, old.max_concurrent, old.request_hash, old.metadata,
           old.options,
           coalesce((select min(b.turn) from trawl.batches b
                     where b.state in ('pending', 'running', 'cancelling')), 0), old.id
    on conflict (id) do nothing
    returning n.created_at into born;
    if born is null then
        return query select old.state,
                            case when b.retry_of = p_batch then b.total else -1 end, b.created_at
                     from trawl.batches b where b.id = p_new;
        return;
    end if;

    insert into trawl.domain_jobs (id, batch_id, ordinal, domain, host_key, start_url, retry_of)
    select gen_random_uuid(), p_new, (row_number() over (order by j.ordinal))::integer - 1,
           j.domain, j.host_key, j.start_url, j.id
    from trawl.domain_jobs j where j.batch_id = p_batch and j.state = 'failed';

    insert into trawl.pages (job_id, url_key, seq, token, url, final_url, state, depth, http_status,
                             body_bytes, duration_ms, error_code, error, discovered, facts, recorded_at,
                             first_byte_ms, etag, last_modified, body_hash, not_fetched, content)
    select n.id, p.url_key, p.seq, 0, p.url, p.final_url, p.state, p.depth, p.http_status,
           p.body_bytes, p.duration_ms, p.error_code, p.error, p.discovered, p.facts, p.recorded_at,
           p.first_byte_ms, p.etag, p.last_modified, p.body_hash, p.not_fetched, p.content
    from trawl.domain_jobs n join trawl.pages p on p.job_id = n.retry_of
    where n.batch_id = p_new;

    update trawl.domain_jobs n
    set pages_recorded = o.pages_recorded, pages_scraped = o.pages_scraped
    from trawl.domain_jobs o
    where n.batch_id = p_new and o.id = n.retry_of and o.pages_recorded > 0;

    return query select old.state, jobs, born;
end $$;
