-- Cancels one job. See migrations/0005_control.sql. Caller: the cancel call.
select * from trawl.job_cancel_v1($1)
