-- Retries of any size, turns that nobody hoards, and waits that end with a page.
-- Processes that were started before this migration go on with the old functions.

-- As version 2, and a page that was fetched ends the waits in a row that the site asked for.
-- See 0003_record.sql.
create function trawl.page_record_v3(
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
        snoozes = case when c.scraped > 0 then 0 else j.snoozes end,
        updated_at = clock_timestamp()
    from counted c where j.id = c.job_id;

    return query select unnest(held);
end $$;

-- Domains that wait or run, of all batches. Caller: what adds some. Index: batches_live_idx.
create function trawl.queue_length_v1()
returns bigint
language sql stable
as $$
    select coalesce(sum(b.total - b.completed - b.failed - b.cancelled), 0)::bigint
    from trawl.batches b where b.state in ('pending', 'running', 'cancelling')
$$;

-- The turn at which a batch comes in that has waited for nothing: where the next claim is, so that it
-- neither waits for what others have had nor has it all itself. A batch that claims pass over (paused,
-- at its max_concurrent, or with nothing due) stays behind at some turn, so it does not count.
-- Where all are passed over it is the greatest turn: nobody waits for the newcomer then.
-- Caller: submission, retry, resume.
create function trawl.turn_now_v1()
returns bigint
language sql stable
as $$
    select coalesce(
        (select b.turn from trawl.batches b
         where b.state in ('pending', 'running') and b.paused_at is null
           and exists (select 1 from trawl.domain_jobs j
                       where j.batch_id = b.id and j.state = 'pending'
                         and j.run_at <= statement_timestamp() offset 0)
           and (select count(*) from trawl.domain_jobs j
                where j.batch_id = b.id and j.state = 'running') < b.max_concurrent
         order by b.turn limit 1),
        (select max(b.turn) from trawl.batches b
         where b.state in ('pending', 'running', 'cancelling')),
        0)
$$;

-- As version 1, and a batch that is resumed does not claim the turns that it was paused for.
-- See 0005_control.sql.
create function trawl.batch_pause_v2(p_batch uuid, p_paused boolean)
returns table (found_state text, paused boolean)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    update trawl.batches b
    set paused_at = case when p_paused then coalesce(b.paused_at, clock_timestamp()) end,
        turn = case when p_paused then b.turn else greatest(b.turn, trawl.turn_now_v1()) end,
        updated_at = clock_timestamp()
    where b.id = p_batch and b.state in ('pending', 'running')
      and (b.paused_at is not null) <> p_paused;
    return query select b.state, b.paused_at is not null from trawl.batches b where b.id = p_batch;
end $$;

-- As version 2, but the pages are carried over afterwards, in slices, by pages_carry_v1: until then
-- run_at of a job that has some is infinity, which no claim reaches. The new batch has as long until
-- its deadline as the old one had, and is refused where more than p_limit domains would wait or run.
-- An expired batch is unknown, and its id is taken until it is deleted.
-- Outcomes: accepted (also a retry that was accepted before), refused, conflict, full.
-- See 0005_control.sql.
create function trawl.batch_retry_v3(p_batch uuid, p_new uuid, p_limit bigint)
returns table (outcome text, found_state text, total integer, created_at timestamptz)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    old record;
    found_new record;
    born timestamptz;
    jobs integer;
begin
    -- The lock keeps the retention from the jobs that are counted and then copied.
    select b.* into old from trawl.batches b
    where b.id = p_batch and b.expired_at is null for share;
    if not found then
        return;
    end if;
    select count(*) into jobs
    from trawl.domain_jobs j where j.batch_id = p_batch and j.state = 'failed';
    if old.ended_at is null or jobs = 0 then
        return query select 'refused', old.state, null::integer, null::timestamptz;
        return;
    end if;

    insert into trawl.batches as n (id, kind, total, max_pages, max_concurrent, request_hash, metadata,
                                    options, deadline_at, turn, retry_of)
    select p_new, old.kind, jobs, old.max_pages, old.max_concurrent, old.request_hash, old.metadata,
           old.options, clock_timestamp() + (old.deadline_at - old.created_at),
           trawl.turn_now_v1(), old.id
    where trawl.queue_length_v1() + jobs <= p_limit
    on conflict (id) do nothing
    returning n.created_at into born;
    if born is null then
        select b.total, b.created_at,
               b.expired_at is null and b.retry_of is not distinct from p_batch as is_same
        into found_new
        from trawl.batches b where b.id = p_new;
        if not found then
            return query select 'full', old.state, null::integer, null::timestamptz;
        elsif found_new.is_same then
            return query select 'accepted', old.state, found_new.total, found_new.created_at;
        else
            return query select 'conflict', old.state, null::integer, null::timestamptz;
        end if;
        return;
    end if;

    insert into trawl.domain_jobs (id, batch_id, ordinal, domain, host_key, start_url, retry_of, run_at)
    select gen_random_uuid(), p_new, (row_number() over (order by j.ordinal))::integer - 1,
           j.domain, j.host_key, j.start_url, j.id,
           case when j.pages_recorded > 0 then 'infinity' else clock_timestamp() end
    from trawl.domain_jobs j where j.batch_id = p_batch and j.state = 'failed';

    return query select 'accepted', old.state, jobs, born;
end $$;

-- Copies the pages of failed jobs to the jobs that try them again, about p_pages of them and those of
-- one job more at most, and lets these jobs be claimed. A job is carried once: its pages come in the
-- statement that sets its run_at.
-- Caller: the retry call, for its batch; worker maintenance, for any, until it answers 0.
-- Index: batches_live_idx, domain_jobs_pending_idx, pages_pkey. Locks: 50 jobs at most (skip locked).
-- Answers how many jobs it carried.
create function trawl.pages_carry_v1(p_batch uuid, p_pages integer)
returns integer
language plpgsql volatile
set plan_cache_mode = force_custom_plan
as $$
declare
    chosen uuid[];
begin
    with waiting as materialized (
        select j.id, j.retry_of, j.batch_id, j.ordinal
        from trawl.batches b
        cross join lateral (
            select w.id, w.retry_of, w.batch_id, w.ordinal
            from trawl.domain_jobs w
            where w.batch_id = b.id and w.state = 'pending' and w.run_at = 'infinity'
              and w.retry_of is not null
            order by w.ordinal limit 50
            for update skip locked
        ) j
        where b.state in ('pending', 'running') and b.retry_of is not null
          and (p_batch is null or b.id = p_batch)
        limit 50
    ), summed as (
        select w.id, sum(coalesce(o.pages_recorded, 0)) over (order by w.batch_id, w.ordinal)
                     - coalesce(o.pages_recorded, 0) as pages_before
        from waiting w left join trawl.domain_jobs o on o.id = w.retry_of
    )
    select array_agg(s.id) into chosen from summed s where s.pages_before < p_pages;
    if chosen is null then
        return 0;
    end if;

    insert into trawl.pages (job_id, url_key, seq, token, url, final_url, state, depth, http_status,
                             body_bytes, duration_ms, error_code, error, discovered, facts, recorded_at,
                             first_byte_ms, etag, last_modified, body_hash, not_fetched, content)
    select n.id, p.url_key, p.seq, 0, p.url, p.final_url, p.state, p.depth, p.http_status,
           p.body_bytes, p.duration_ms, p.error_code, p.error, p.discovered, p.facts, p.recorded_at,
           p.first_byte_ms, p.etag, p.last_modified, p.body_hash, p.not_fetched, p.content
    from trawl.domain_jobs n join trawl.pages p on p.job_id = n.retry_of
    where n.id = any (chosen);

    update trawl.domain_jobs n
    set pages_recorded = coalesce(o.pages_recorded, 0),
        pages_scraped = coalesce(o.pages_scraped, 0),
        run_at = clock_timestamp(), updated_at = clock_timestamp()
    from trawl.domain_jobs c left join trawl.domain_jobs o on o.id = c.retry_of
    where c.id = any (chosen) and n.id = c.id;

    return cardinality(chosen);
end $$;

-- As version 1, but spares what a live retry may still carry pages over from. See 0005_control.sql.
create function trawl.batch_expire_v2(p_age interval, p_limit integer)
returns integer
language plpgsql volatile
as $$
declare
    -- A variable, since a volatile function does not bound the scan of an index.
    ended_before timestamptz := clock_timestamp() - p_age;
    old uuid;
    slice uuid[];
    deleted integer;
begin
    select b.id into old from trawl.batches b
    where b.ended_at < ended_before
      and not exists (select 1 from trawl.batches r
                      where r.retry_of = b.id and r.state in ('pending', 'running', 'cancelling'))
    order by b.ended_at limit 1
    for update skip locked;
    if not found then
        return 0;
    end if;
    -- From here on nobody is shown what is left of it.
    update trawl.batches b set expired_at = clock_timestamp()
    where b.id = old and b.expired_at is null;
    select array_agg(s.id) into slice from (
        select j.id from trawl.domain_jobs j where j.batch_id = old limit p_limit) s;
    delete from trawl.pages p
    where (p.job_id, p.url_key) in (
        select c.job_id, c.url_key from trawl.pages c where c.job_id = any (slice) limit p_limit);
    get diagnostics deleted = row_count;
    if deleted > 0 then
        return deleted;
    end if;
    if slice is not null then
        delete from trawl.job_attempts a where a.job_id = any (slice);
        delete from trawl.domain_jobs j where j.id = any (slice);
        get diagnostics deleted = row_count;
        return deleted;
    end if;
    delete from trawl.batches b where b.id = old;
    return 1;
end $$;
