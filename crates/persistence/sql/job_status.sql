-- One job with what its batch says of it. Caller: the job status call. Index: domain_jobs_pkey.
select j.id, j.batch_id, b.kind, j.domain, j.state, j.attempt, b.max_pages, j.pages_scraped,
       b.created_at, greatest(j.updated_at, b.created_at), j.started_at, j.ended_at,
       j.error_code, j.error, j.stop_reason, j.result::text, b.metadata::text,
       j.retry_of, j.cancel_requested
from trawl.domain_jobs j join trawl.batches b on b.id = j.batch_id
where j.id = $1 and b.expired_at is null
  -- Evaluated once and before any row: the texts come as UTF-8 under a leaked encoding, too.
  and (select set_config('client_encoding', 'UTF8', true)) is not null
