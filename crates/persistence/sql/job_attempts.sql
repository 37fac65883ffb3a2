-- The attempts at one job that have ended. Caller: the job status call. Index: job_attempts_pkey.
select attempt, outcome, started_at, ended_at, error_code, error
from trawl.job_attempts
where job_id = $1
  and (select set_config('client_encoding', 'UTF8', true)) is not null  -- as in job_status.sql
order by token
