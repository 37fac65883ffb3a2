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
)
select exists (select 1 from beat) as alive,
       array(select h.job from held h
             left join trawl.domain_jobs j
               on j.id = h.job and j.token = h.token and j.state = 'running'
             where j.id is null) as lost,
       -- Looked up for each job: a join may start from the cancelled batches and all their jobs.
       array(select h.job from held h
             where (select b.state = 'cancelling'
                    from trawl.domain_jobs j join trawl.batches b on b.id = j.batch_id
                    where j.id = h.job)) as cancelling,
       orphan.jobs, orphan.tokens
from (
    select coalesce(array_agg(j.id), '{}') as jobs, coalesce(array_agg(j.token), '{}') as tokens
    from trawl.domain_jobs j
    where j.worker_id = $1 and j.id <> all ($2::uuid[])     -- a job with a worker is running
      and j.claimed_at < clock_timestamp() - $4 * interval '1 millisecond'
) orphan
