-- Ends or re-queues jobs, fenced. See migrations/0004_finish.sql. Caller: worker finisher.
select * from trawl.job_finish_v1($1, $2, $3, $4, $5, $6, $7, $8)
