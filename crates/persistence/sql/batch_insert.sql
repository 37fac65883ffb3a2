-- Inserts a batch; no row in the answer means that the id is taken. Caller: submit, in its
-- transaction. A concurrent submission of the same id is waited for. Rows touched: one.
-- A new batch starts at the least turn of the live ones, so that it neither waits nor monopolizes.
insert into trawl.batches (id, kind, total, max_pages, max_concurrent, request_hash, metadata,
                           deadline_at, turn)
select $1, $2, $3, $4, $5, $6, $7::text::json,
       clock_timestamp() + $8 * interval '1 second',
       coalesce((select min(turn) from trawl.batches
                 where state in ('pending', 'running', 'cancelling')), 0)
on conflict (id) do nothing
returning created_at
