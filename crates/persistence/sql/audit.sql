-- The promises, as a query: each row is a check and the number of rows that break it.
-- Caller: tests and operators. One snapshot; locks nothing. Reads all batches and jobs.
select 'counters equal rows' as promise, count(*) as broken
from trawl.batches b
join (select j.batch_id,
             count(*) as total,
             count(*) filter (where j.state = 'complete') as completed,
             count(*) filter (where j.state = 'failed') as failed,
             count(*) filter (where j.state = 'cancelled') as cancelled
      from trawl.domain_jobs j group by j.batch_id) r on r.batch_id = b.id
where b.expired_at is null
  and (b.total, b.completed, b.failed, b.cancelled)
      is distinct from (r.total, r.completed, r.failed, r.cancelled)
union all
select 'every batch has its jobs', count(*)
from trawl.batches b
where b.expired_at is null
  and not exists (select 1 from trawl.domain_jobs j where j.batch_id = b.id)
union all
select 'a batch has ended if and only if all its jobs have', count(*)
from trawl.batches b
where (b.state in ('complete', 'partial', 'failed', 'cancelled'))
      = exists (select 1 from trawl.domain_jobs j
                where j.batch_id = b.id and j.state in ('pending', 'running'))
union all
select 'no running job without a live lease', count(*)
from trawl.domain_jobs j join trawl.workers w on w.id = j.worker_id
where j.state = 'running'
  and (w.state = 'gone' or w.heartbeat_at + 2 * w.lease_ttl < clock_timestamp())
union all
select 'max_concurrent is kept', count(*)
from (select j.batch_id from trawl.domain_jobs j join trawl.batches b on b.id = j.batch_id
      where j.state = 'running'
      group by j.batch_id, b.max_concurrent having count(*) > b.max_concurrent) o
union all
select 'every failed job has a reason', count(*)
from trawl.domain_jobs j
where j.state = 'failed' and (j.error_code is null or j.error is null)
union all
select 'page counts equal page rows', count(*)
from trawl.domain_jobs j
join trawl.batches b on b.id = j.batch_id and b.expired_at is null
left join (select p.job_id, count(*) as recorded,
                  count(*) filter (where p.state = 'fetched') as scraped
           from trawl.pages p group by p.job_id) r on r.job_id = j.id
where (j.pages_recorded, j.pages_scraped)
      is distinct from (coalesce(r.recorded, 0), coalesce(r.scraped, 0))
union all
select 'no job has more pages than its limit', count(*)
from trawl.domain_jobs j join trawl.batches b on b.id = j.batch_id
where j.pages_scraped > b.max_pages
union all
select 'every ended job has the history of its last attempt', count(*)
from trawl.domain_jobs j
where j.state in ('complete', 'failed') and j.attempt > 0
  and not exists (select 1 from trawl.job_attempts a
                  where a.job_id = j.id
                    -- What failed by the deadline of its batch may have been waiting for its next attempt.
                    and (a.outcome = j.state
                         or j.error_code = 'deadline_exceeded' and a.outcome = 'pending'))
union all
select 'fencing tokens grow with every attempt', count(*)
from trawl.job_attempts a join trawl.domain_jobs j on j.id = a.job_id
where a.token >= j.token
union all
select 'no host is asked by two jobs at once', count(*)
from (select a.host_key
      from (select j.host_key, j.id from trawl.domain_jobs j where j.state = 'running'
            union all
            select h.host_key, j.id
            from trawl.held_hosts h
            join trawl.domain_jobs j on j.id = h.job_id and j.token = h.token
            where j.state = 'running') a
      group by a.host_key having count(distinct a.id) > 1) o
union all
-- The row of the job is locked while a page is written, so the times are in the order of the claims.
select 'no page of a fenced writer after one of a newer claim', count(*)
from (select p.token,
             max(p.token) over (partition by p.job_id order by p.recorded_at) as newest
      from trawl.pages p) o
where o.token < o.newest
union all
select 'no page has a token that its job did not have', count(*)
from trawl.pages p join trawl.domain_jobs j on j.id = p.job_id
where p.token > j.token
