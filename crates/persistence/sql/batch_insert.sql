-- Inserts a batch; no row in the answer means that the id is taken, or that more than $9 domains
-- would wait or run (two submissions at once may both just fit). Caller: submit, in its
-- transaction. A concurrent submission of the same id is waited for. Rows touched: one.
-- The functions: see migrations/0009_retries.sql.
insert into trawl.batches (id, kind, total, max_pages, max_concurrent, request_hash, metadata,
                           deadline_at, turn, options)
select $1, $2, $3, $4, $5, $6, $7::text::json,
       clock_timestamp() + $8 * interval '1 second',
       trawl.turn_now_v1(), $10::text::jsonb
where trawl.queue_length_v1() + $3::integer <= $9::bigint
on conflict (id) do nothing
returning created_at
