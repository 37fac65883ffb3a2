-- Announces a worker process. Caller: worker start. Rows touched: one.
-- Repeated with the same id it renews the lease of a live worker and revives no other.
insert into trawl.workers (id, lease_ttl, host, pid, version)
values ($1, $2 * interval '1 millisecond', $3, $4, $5)
on conflict (id) do update set heartbeat_at = clock_timestamp()
where workers.state = 'live'
