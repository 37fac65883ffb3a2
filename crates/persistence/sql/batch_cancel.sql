-- Cancels a batch, a slice of its pending jobs a call. See migrations/0005_control.sql.
-- Caller: the cancel call.
select * from trawl.batch_cancel_v1($1, $2)
