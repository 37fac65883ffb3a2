-- Ends a slice of what waits in cancelled and overdue batches. See migrations/0010_bounds.sql.
-- Caller: worker maintenance.
select trawl.batch_sweep_v2($1)
