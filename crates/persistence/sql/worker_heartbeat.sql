-- Renews the leases of a worker and answers what became of its jobs: control comes back the same way.
-- Caller: worker heartbeat. Indexes: primary keys, domain_jobs_running_worker_idx. Locks: the
-- worker's row. Rows touched: one.
-- $1 worker, $2 jobs it holds, $3 their tokens, $4 age in ms of a claim whose answer must have arrived.
with beat as (
    update trawl.workers set heartbeat_at = clock_timestamp()
    where id = $1 and state in ('live', 'draining')
    returning id
), held as (
    select t.job, t.token from unnest($2::uuid[], $3::bigint[]) as t (job, token)
), known as (
    -- Looked up for each job (that is what the offset is for): a join may start from the cancelled
    -- batches and all their jobs.
    select h.job, k.ours, k.cancelling, k.paused, k.overdue
    from held h
    left join lateral (
        select j.token = h.token and j.state = 'running' and j.worker_id = $1 as ours,
               b.state = 'cancelling' or j.cancel_requested as cancelling,
               b.paused_at is not null as paused,
               coalesce(b.deadline_at < clock_timestamp(), false) as overdue
        from trawl.domain_jobs j join trawl.batches b on b.id = j.batch_id
        where j.id = h.job
        offset 0
    ) k on true
), orphan as (
    select coalesce(array_agg(j.id), '{}') as jobs, coalesce(array_agg(j.token), '{}') as tokens
    from trawl.domain_jobs j
    where j.worker_id = $1 and j.id <> all ($2::uuid[])     -- a job with a worker is running
      and j.claimed_at < clock_timestamp() - $4 * interval '1 millisecond'
)
select exists (select 1 from beat),
       array(select k.job from known k where k.ours is not true),
       array(select k.job from known k where k.ours and k.cancelling),
       array(select k.job from known k where k.ours and k.paused),
       array(select k.job from known k where k.ours and k.overdue),
       o.jobs, o.tokens
from orphan o
