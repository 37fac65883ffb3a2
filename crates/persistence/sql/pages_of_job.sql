-- The pages of a job in their order, to resume it. Caller: worker start. Index: pages_pkey.
select url, final_url, state, depth, discovered::text, facts::text
from trawl.pages where job_id = $1 order by seq
