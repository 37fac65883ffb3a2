-- The attempts at one job that have ended. Caller: the job status call. Index: job_attempts_pkey.
select attempt, outcome, started_at, ended_at, error_code, error
from trawl.job_attempts where job_id = $1 order by token
