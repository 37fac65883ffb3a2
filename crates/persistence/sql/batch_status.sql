-- A batch and its jobs in one snapshot. Caller: the status call. Rows touched: none.
-- Index: batches_pkey, domain_jobs_batch_domain_unique. The metadata and options come once, on the first row.
select b.id, b.state, b.total, b.completed, b.failed, b.cancelled, b.max_pages, b.max_concurrent,
       b.created_at, b.updated_at, b.started_at, b.ended_at,
       extract(epoch from coalesce(b.ended_at, clock_timestamp()) - b.started_at)::double precision,
       case when j.ordinal = 0 then b.metadata::text end,
       j.id, j.domain, j.state, j.pages_scraped, j.updated_at, j.error_code, j.error,
       b.paused_at is not null, b.deadline_at, b.retry_of,
       case when j.ordinal = 0 then b.options::text end
from trawl.batches b
join trawl.domain_jobs j on j.batch_id = b.id
where b.id = $1 and b.expired_at is null
  and (select set_config('client_encoding', 'UTF8', true)) is not null  -- as in job_status.sql
order by j.ordinal
