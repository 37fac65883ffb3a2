-- Pages of a job after the one in place $2, at most $3 of them, to resume it. Caller: worker start.
-- Index: pages_job_id_seq_idx.
select url, final_url, state, depth,
       -- Before there were sitemaps, it was the links alone.
       (case jsonb_typeof(discovered) when 'array' then jsonb_build_object('links', discovered)
                                      else discovered end)::text,
       facts::text, body_bytes, body_hash,
       not_fetched::text, duration_ms, seq, recorded_at
from trawl.pages
where job_id = $1 and seq > $2
  and (select set_config('client_encoding', 'UTF8', true)) is not null  -- as in job_status.sql
order by seq limit $3
