-- Ends, re-queues or hands back jobs, fenced. See migrations/0004_finish.sql. Caller: worker finisher
-- and heartbeat.
select * from trawl.job_leave_v1($1, $2, $3, $4, $5, $6, $7, $8, $9)
