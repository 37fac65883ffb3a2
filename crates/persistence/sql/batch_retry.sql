-- Tries the failed domains of a batch again, as batch $2, unless more than $3
-- would wait or run. See migrations/0009_retries.sql.
-- Caller: the retry call.
select * from trawl.batch_retry_v3($1, $2, $3)
