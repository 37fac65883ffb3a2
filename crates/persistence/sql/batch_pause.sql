-- Pauses or resumes a batch. See migrations/0009_retries.sql. Caller: the pause and resume calls.
select * from trawl.batch_pause_v2($1, $2)
