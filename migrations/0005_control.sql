-- What users ask of batches and jobs: cancel, pause, resume, retry; and what time does to them:
-- deadlines and retention. Large batches are changed in slices of p_limit rows, one statement each,
-- so that no statement is long; what a caller leaves undone, the maintenance of any worker does.

-- Ends pending jobs of one batch, a slice of them, as failed or cancelled.
-- Caller: functions that hold the batch's row lock. Answers how many it ended.
create function trawl.batch_end_pending_v1(
    p_batch uuid, p_limit integer, p_target text, p_error_code text, p_error text)
returns integer
language plpgsql volatile
as $$
declare
    ended integer;
begin
    with chosen as materialized (
        select j.id from trawl.domain_jobs j
        where j.batch_id = p_batch and j.state = 'pending'
        order by j.id limit p_limit
        for update
    )
    update trawl.domain_jobs j
    set state = p_target, token = j.token + 1, ended_at = clock_timestamp(),
        updated_at = clock_timestamp(), error_code = p_error_code, error = p_error
    from chosen c where j.id = c.id;
    get diagnostics ended = row_count;
    if ended > 0 then
        perform trawl.batch_count_v1(
            p_batch, 0,
            case when p_target = 'failed' then ended else 0 end,
            case when p_target = 'cancelled' then ended else 0 end);
    end if;
    return ended;
end $$;

-- Asks to cancel a batch: nothing more is claimed, a slice of what waits is cancelled at once, what
-- runs is stopped by its workers. Repeating it cancels the next slice. No row: unknown batch.
create function trawl.batch_cancel_v1(p_batch uuid, p_limit integer)
returns table (found_state text, state text, slice integer)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    found_word text;
    ended integer := 0;
begin
    select b.state into found_word from trawl.batches b where b.id = p_batch for update;
    if not found then
        return;
    end if;
    if found_word in ('pending', 'running', 'cancelling') then
        update trawl.batches b set state = 'cancelling', updated_at = clock_timestamp()
        where b.id = p_batch and b.state <> 'cancelling';
        ended := trawl.batch_end_pending_v1(p_batch, p_limit, 'cancelled', null, null);
    end if;
    return query select found_word, b.state, ended from trawl.batches b where b.id = p_batch;
end $$;

-- Asks to cancel one job. No row: unknown job.
create function trawl.job_cancel_v1(p_job uuid)
returns table (found_state text, state text)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    found_job record;
begin
    perform trawl.job_lock_v1(array[p_job]);
    select j.state, j.batch_id into found_job from trawl.domain_jobs j where j.id = p_job;
    if not found then
        return;
    end if;
    if found_job.state = 'pending' then
        update trawl.domain_jobs j
        set state = 'cancelled', token = j.token + 1, ended_at = clock_timestamp(),
            updated_at = clock_timestamp(), cancel_requested = true
        where j.id = p_job;
        perform trawl.batch_count_v1(found_job.batch_id, 0, 0, 1);
    elsif found_job.state = 'running' then
        update trawl.domain_jobs j set cancel_requested = true, updated_at = clock_timestamp()
        where j.id = p_job;
    end if;
    return query select found_job.state, j.state from trawl.domain_jobs j where j.id = p_job;
end $$;

-- Pauses or resumes a batch. No row: unknown batch. A batch that has ended or is being cancelled is
-- left as it is; its state tells.
create function trawl.batch_pause_v1(p_batch uuid, p_paused boolean)
returns table (found_state text, paused boolean)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    update trawl.batches b
    set paused_at = case when p_paused then coalesce(b.paused_at, clock_timestamp()) end,
        updated_at = clock_timestamp()
    where b.id = p_batch and b.state in ('pending', 'running')
      and (b.paused_at is not null) <> p_paused;
    return query select b.state, b.paused_at is not null from trawl.batches b where b.id = p_batch;
end $$;

-- A new batch of the failed domains of one that has ended, with the pages it had fetched: these are
-- not fetched again. What has ended stays as it was. No row: unknown batch; no new batch while the
-- old one is alive or where nothing failed (total 0), nor where the id is taken (total -1); the same
-- id twice is the same retry.
create function trawl.batch_retry_v1(p_batch uuid, p_new uuid)
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
                                    turn, retry_of)
    select p_new, old.kind, jobs, old.max_pages, old.max_concurrent, old.request_hash, old.metadata,
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
                             body_bytes, duration_ms, error_code, error, discovered, facts, recorded_at)
    select n.id, p.url_key, p.seq, 0, p.url, p.final_url, p.state, p.depth, p.http_status,
           p.body_bytes, p.duration_ms, p.error_code, p.error, p.discovered, p.facts, p.recorded_at
    from trawl.domain_jobs n join trawl.pages p on p.job_id = n.retry_of
    where n.batch_id = p_new;

    update trawl.domain_jobs n
    set pages_recorded = o.pages_recorded, pages_scraped = o.pages_scraped
    from trawl.domain_jobs o
    where n.batch_id = p_new and o.id = n.retry_of and o.pages_recorded > 0;

    return query select old.state, jobs, born;
end $$;

-- What is left to do for batches that are being cancelled or past their deadline: a slice of the
-- pending jobs of one of them. Caller: worker maintenance, until it answers 0.
create function trawl.batch_sweep_v1(p_limit integer)
returns integer
language plpgsql volatile
as $$
declare
    batch record;
begin
    select b.id, b.state into batch
    from trawl.batches b
    where b.state in ('pending', 'running', 'cancelling')
      and (b.state = 'cancelling' or b.deadline_at < clock_timestamp())
      and exists (select 1 from trawl.domain_jobs j where j.batch_id = b.id and j.state = 'pending')
    order by b.id limit 1
    for update skip locked;
    if not found then
        return 0;
    end if;
    if batch.state = 'cancelling' then
        return trawl.batch_end_pending_v1(batch.id, p_limit, 'cancelled', null, null);
    end if;
    return trawl.batch_end_pending_v1(
        batch.id, p_limit, 'failed', 'deadline_exceeded',
        'The batch reached its deadline before this site was done.');
end $$;

-- Deletes a slice of what ended longer than p_age ago: pages first, then jobs, then the batch.
-- Caller: worker maintenance, until it answers 0. Rows touched: at most p_limit a table.
create function trawl.batch_expire_v1(p_age interval, p_limit integer)
returns integer
language plpgsql volatile
as $$
declare
    old uuid;
    slice uuid[];
    deleted integer;
begin
    select b.id into old from trawl.batches b
    where b.ended_at < clock_timestamp() - p_age
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
