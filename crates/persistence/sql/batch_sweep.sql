-- Ends a slice of what waits in cancelled and overdue batches. See migrations/0005_control.sql.
-- Caller: worker maintenance.
select trawl.batch_sweep_v1($1)
