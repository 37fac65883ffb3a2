-- Pages of a job after the one in place $2, at most $3 of them; one row of nulls where it has none.
-- No row: unknown or expired job. Caller: the call that lists pages. Index: domain_jobs_pkey,
-- pages_job_id_seq_idx.
select p.seq, p.url, p.final_url, p.state, p.depth, p.http_status, p.body_bytes, p.duration_ms,
       p.first_byte_ms, p.etag, p.last_modified, p.error_code, p.error, p.not_fetched::text,
       p.facts::text, p.content::text, p.recorded_at
from trawl.domain_jobs j
join trawl.batches b on b.id = j.batch_id
left join lateral (
    select * from trawl.pages o where o.job_id = j.id and o.seq > $2 order by o.seq limit $3
) p on true
where j.id = $1 and b.expired_at is null
  and (select set_config('client_encoding', 'UTF8', true)) is not null  -- as in job_status.sql
order by p.seq
