-- Inserts a slice of a batch's jobs. Caller: submit, in its transaction, slices cut by bytes.
-- Rows touched: one a domain. Null host key or start URL: the same as the domain.
insert into trawl.domain_jobs (id, batch_id, ordinal, domain, host_key, start_url)
select t.id, $1, $2 + t.place::integer - 1, t.domain,
       coalesce(t.host_key, t.domain), coalesce(t.start_url, t.domain)
from unnest($3::uuid[], $4::text[], $5::text[], $6::text[])
     with ordinality as t (id, domain, host_key, start_url, place)
