-- Inserts a batch; no row in the answer means that the id is taken, or that more than $9 domains
-- would wait or run (two submissions at once may both just fit). Caller: submit, in its
-- transaction. A concurrent submission of the same id is waited for. Rows touched: one.
-- A new batch starts at the least turn of the live ones, so that it neither waits nor monopolizes.
insert into trawl.batches (id, kind, total, max_pages, max_concurrent, request_hash, metadata,
                           deadline_at, turn, options)
select $1, $2, $3, $4, $5, $6, $7::text::json,
       clock_timestamp() + $8 * interval '1 second',
       coalesce((select min(turn) from trawl.batches
                 where state in ('pending', 'running', 'cancelling')), 0),
       $10::text::jsonb
where (select coalesce(sum(total - completed - failed - cancelled), 0) from trawl.batches
       where state in ('pending', 'running', 'cancelling')) + $3::integer <= $9::bigint
on conflict (id) do nothing
returning created_at
