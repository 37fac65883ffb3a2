-- The ways out of running. A job leaves that state in job_leave_v1 and nowhere else, and a batch's
-- counters change in batch_count_v1 and nowhere else. Every function here locks batches in id order,
-- then jobs in id order, so that none can deadlock with another.

-- Adds endings to the counters of one batch; whoever adds the last one ends the batch.
-- Caller: functions that hold the batch's row lock. Rows touched: one.
create function trawl.batch_count_v1(p_batch uuid, p_completed bigint, p_failed bigint, p_cancelled bigint)
returns void
language sql volatile
as $$
    update trawl.batches b
    set completed = b.completed + p_completed,
        failed = b.failed + p_failed,
        cancelled = b.cancelled + p_cancelled,
        updated_at = clock_timestamp(),
        ended_at = case when b.completed + b.failed + b.cancelled
                             + p_completed + p_failed + p_cancelled >= b.total
                        then clock_timestamp() end,
        state = case
            when b.completed + b.failed + b.cancelled + p_completed + p_failed + p_cancelled < b.total
                then b.state
            when b.state = 'cancelling' and b.cancelled + p_cancelled > 0 then 'cancelled'
            when b.completed + p_completed = b.total then 'complete'
            when b.completed + p_completed > 0 then 'partial'
            when b.failed + p_failed > 0 then 'failed'
            else 'cancelled' end
    where b.id = p_batch
$$;

-- Locks the batches of jobs and then the jobs, in the one order that everybody keeps.
create function trawl.job_lock_v1(p_job uuid[])
returns void
language plpgsql volatile
as $$
begin
    perform 1 from trawl.batches b
    where b.id in (select j.batch_id from trawl.domain_jobs j where j.id = any (p_job))
    order by b.id for update;
    perform 1 from trawl.domain_jobs j where j.id = any (p_job) order by j.id for update;
end $$;

-- Ends or re-queues claimed jobs, fenced by token.
-- Caller: worker finisher, heartbeat and drain; the rescue below. p_target: complete, failed,
-- cancelled, or pending after p_delay_ms. p_charged: whether the attempt counts. What was to be
-- queued again while somebody asked to cancel it is cancelled.
-- Answers the jobs it moved; one missing from the answer had been moved before (by this very call,
-- repeated) or taken away, so repeating the call counts nothing twice.
create function trawl.job_leave_v1(
    p_job uuid[], p_token bigint[], p_target text[], p_charged boolean[], p_delay_ms bigint[],
    p_error_code text[], p_error text[], p_stop_reason text[], p_result text[])
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
                stop_reason = i.stop_reason, result = i.result::jsonb
            from (
                select t.job, t.token, t.charged, t.delay_ms, t.error_code, t.error, t.stop_reason,
                       t.result,
                       case when t.target = 'pending'
                                 and (b.state = 'cancelling' or o.cancel_requested)
                            then 'cancelled' else t.target end as target
                from unnest(p_job, p_token, p_target, p_charged, p_delay_ms, p_error_code, p_error,
                            p_stop_reason, p_result)
                     as t (job, token, target, charged, delay_ms, error_code, error, stop_reason,
                           result)
                join trawl.domain_jobs o on o.id = t.job
                join trawl.batches b on b.id = o.batch_id
            ) i
            where j.id = i.job and j.token = i.token and j.state = 'running'
            returning j.id, j.batch_id, j.state, i.token, i.charged, j.attempt, j.claimed_at,
                      j.error_code, j.error
        ), history as (
            insert into trawl.job_attempts
                (job_id, token, attempt, outcome, started_at, error_code, error)
            select m.id, m.token, m.attempt, m.state, m.claimed_at, m.error_code, m.error
            from moved m where m.charged
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

-- Takes the jobs of workers that stopped renewing their leases: back to pending while attempts are
-- left, else failed with the reason. Any process may call it; it never looks at max_concurrent.
-- Caller: worker maintenance. Locks: lost workers (skip locked), batches, jobs. Answers the moved jobs.
create function trawl.job_rescue_v1(p_limit integer, p_max_attempts integer)
returns table (job_id uuid, state text)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    stranded uuid[];
    claim record;
begin
    update trawl.workers w set state = 'gone'
    where w.id in (select l.id from trawl.workers l
                   where l.state in ('live', 'draining')
                     and l.heartbeat_at + l.lease_ttl < clock_timestamp()
                   for update skip locked);

    select array_agg(s.id) into stranded from (
        select j.id from trawl.domain_jobs j join trawl.workers w on w.id = j.worker_id
        where w.state = 'gone'                      -- a job with a worker is running
        limit p_limit
    ) s;
    if stranded is null then
        return;
    end if;

    -- Read again under the locks: some may have left, or be another worker's by now.
    perform trawl.job_lock_v1(stranded);
    select array_agg(j.id) as jobs, array_agg(j.token) as tokens,
           -- What somebody asked to cancel is cancelled, not failed, by whatever it ended.
           array_agg(case when b.state = 'cancelling' or j.cancel_requested then 'cancelled'
                          when j.attempt >= p_max_attempts then 'failed'
                          else 'pending' end) as targets,
           count(*)::integer as count
    into claim
    from trawl.domain_jobs j
    join trawl.workers w on w.id = j.worker_id
    join trawl.batches b on b.id = j.batch_id
    where j.id = any (stranded) and j.state = 'running' and w.state = 'gone';
    if claim.count = 0 then
        return;
    end if;

    return query select * from trawl.job_leave_v1(
        claim.jobs, claim.tokens, claim.targets,
        array_fill(true, array[claim.count]), array_fill(0::bigint, array[claim.count]),
        array_fill('worker_lost'::text, array[claim.count]),
        array_fill('The worker that crawled this site stopped responding.'::text, array[claim.count]),
        array_fill(null::text, array[claim.count]), array_fill(null::text, array[claim.count]));
end $$;
