-- Carries pages over to the jobs of a retry, a slice a call. See migrations/0009_retries.sql.
-- Caller: the retry call, worker maintenance.
select trawl.pages_carry_v1($1, $2)
