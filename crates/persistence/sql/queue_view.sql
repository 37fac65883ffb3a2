-- What waits, what runs, and since when: one row. Caller: `trawl doctor`. One snapshot; locks
-- nothing. Reads the live batches and their jobs through their partial indexes, and all workers.
with waiting as (
    select j.run_at,
           j.run_at <= clock_timestamp()
           and not exists (select 1 from trawl.hosts h
                           where h.host_key = j.host_key and h.not_before > clock_timestamp()) as is_due,
           b.paused_at is not null as is_paused
    from trawl.domain_jobs j join trawl.batches b on b.id = j.batch_id
    where j.state = 'pending'
)
select (select count(*) from waiting where is_due and not is_paused) as due,
       (select count(*) from waiting where not is_due and not is_paused) as later,
       (select count(*) from waiting where is_paused) as paused,
       (select count(*) from trawl.domain_jobs j where j.state = 'running') as running,
       (select count(*) from trawl.batches b
        where b.state in ('pending', 'running', 'cancelling')) as live_batches,
       (select count(*) from trawl.workers w
        where w.state = 'live' and w.heartbeat_at + w.lease_ttl > clock_timestamp()) as live_workers,
       coalesce((select extract(epoch from clock_timestamp() - min(run_at))
                 from waiting where is_due and not is_paused), 0)::float8 as oldest_due_seconds
