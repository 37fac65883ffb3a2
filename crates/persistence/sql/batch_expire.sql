-- Deletes a slice of what ended long ago. See migrations/0009_retries.sql. Caller: worker maintenance.
select trawl.batch_expire_v2($1 * interval '1 second', $2)
