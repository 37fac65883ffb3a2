-- Ends, re-queues, snoozes or hands back jobs, fenced. See migrations/0011_held_hosts.sql. Caller: worker
-- finisher and heartbeat.
select * from trawl.job_leave_v3($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
