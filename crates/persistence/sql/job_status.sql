-- One job with what its batch and its host say of it. Caller: the job status call.
-- Index: domain_jobs_pkey, hosts_pkey.
select j.id, j.batch_id, b.kind, j.domain, j.state, j.attempt, b.max_pages, j.pages_scraped,
       b.created_at, greatest(j.updated_at, b.created_at), j.started_at, j.ended_at,
       j.error_code, j.error, j.stop_reason, j.result::text, b.metadata::text,
       j.retry_of, j.cancel_requested,
       case when j.state = 'pending' and greatest(j.run_at, h.not_before) > clock_timestamp()
            then greatest(j.run_at, h.not_before) end
from trawl.domain_jobs j join trawl.batches b on b.id = j.batch_id
left join trawl.hosts h on h.host_key = j.host_key
where j.id = $1 and b.expired_at is null
  -- Evaluated once and before any row: the texts come as UTF-8 under a leaked encoding, too.
  and (select set_config('client_encoding', 'UTF8', true)) is not null
