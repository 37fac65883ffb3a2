-- Deletes rows of hosts whose job no longer runs under the token that took them. Caller: worker maintenance.
-- Reads all held hosts, which are few, and looks each job up by domain_jobs_pkey. Locks: rows of held_hosts
-- (skip locked). Rows touched: at most 1,000 a call.
-- What was stale is locked as it was read: a row that another job has taken meanwhile is another.
with stale as materialized (
    select h.host_key, h.job_id, h.token from trawl.held_hosts h
    where not exists (select 1 from trawl.domain_jobs j
                      where j.id = h.job_id and j.token = h.token and j.state = 'running' offset 0)
    limit 1000
), locked as materialized (
    select h.host_key from trawl.held_hosts h
    join stale s on s.host_key = h.host_key and s.job_id = h.job_id and s.token = h.token
    for update of h skip locked
)
delete from trawl.held_hosts where host_key in (select l.host_key from locked l)
