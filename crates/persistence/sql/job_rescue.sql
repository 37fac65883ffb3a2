-- Takes jobs of lost workers. See migrations/0004_finish.sql. Caller: worker maintenance.
select * from trawl.job_rescue_v1($1, $2)
