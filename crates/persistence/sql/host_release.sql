-- Lets a host go that job $1 took under token $2. Caller: worker, when a crawl has read what it wanted of a
-- host outside of its site. Index: held_hosts_pkey. Locks: one row. Rows touched: at most one.
delete from trawl.held_hosts where host_key = $3 and job_id = $1 and token = $2
