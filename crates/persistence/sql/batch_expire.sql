-- Deletes a slice of what ended long ago. See migrations/0005_control.sql. Caller: worker maintenance.
select trawl.batch_expire_v1($1 * interval '1 second', $2)
