-- What an earlier submission of the same id was. Caller: submit, after a conflict. Rows touched: none.
-- The jobs' ids come along for a scan, which has one.
select b.created_at, b.request_hash,
       (select j.id from trawl.domain_jobs j where j.batch_id = b.id and b.kind = 'scan' limit 1),
       b.expired_at is not null
from trawl.batches b where b.id = $1
