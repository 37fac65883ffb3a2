-- The pages of a job in their order, to resume it. Caller: worker start. Index: pages_job_id_seq_idx.
select url, final_url, state, depth, discovered::text, facts::text, body_bytes, body_hash,
       not_fetched::text
from trawl.pages where job_id = $1 order by seq
