-- Tries the failed domains of a batch again, as batch $2. See migrations/0005_control.sql.
-- Caller: the retry call.
select * from trawl.batch_retry_v1($1, $2)
