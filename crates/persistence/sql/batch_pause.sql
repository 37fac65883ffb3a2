-- Pauses or resumes a batch. See migrations/0005_control.sql. Caller: the pause and resume calls.
select * from trawl.batch_pause_v1($1, $2)
