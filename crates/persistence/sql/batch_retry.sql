-- Tries the failed domains of a batch again, as batch $2. See migrations/0006_options.sql.
-- Caller: the retry call.
select * from trawl.batch_retry_v2($1, $2)
