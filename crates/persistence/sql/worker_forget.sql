-- Deletes workers that are long gone and hold nothing. Caller: worker maintenance.
-- Rows touched: at most 1,000 a call.
delete from trawl.workers
where id in (
    select w.id from trawl.workers w
    where w.state = 'gone' and w.heartbeat_at < clock_timestamp() - interval '1 day'
      and not exists (select 1 from trawl.domain_jobs j
                      where j.worker_id = w.id)
    limit 1000
    for update skip locked)
