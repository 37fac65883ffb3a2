-- Page results of many jobs in one statement, fenced.
-- Caller: worker recorder. Locks: the jobs' rows, in id order. Rows touched: one a page, one a job.
-- Answers the jobs whose token is current; a job missing from the answer was taken away, and
-- nothing was written for it. Repeating the call writes and counts nothing twice.

create function trawl.page_record_v1(
    p_job uuid[], p_token bigint[], p_url_key bytea[], p_seq integer[], p_url text[],
    p_final_url text[], p_state text[], p_depth integer[], p_http_status integer[],
    p_body_bytes bigint[], p_duration_ms integer[], p_error_code text[], p_error text[],
    p_discovered text[], p_facts text[])
returns table (job_id uuid)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    held uuid[];
begin
    select array_agg(h.id) into held from (
        select j.id
        from trawl.domain_jobs j
        join (select distinct t.job, t.token from unnest(p_job, p_token) as t (job, token)) i
          on i.job = j.id and i.token = j.token
        where j.state = 'running'
        order by j.id
        for update of j
    ) h;
    if held is null then
        return;
    end if;

    with written as (
        insert into trawl.pages as p (job_id, url_key, seq, token, url, final_url, state, depth,
            http_status, body_bytes, duration_ms, error_code, error, discovered, facts)
        select t.job, t.url_key, t.seq, t.token, t.url, t.final_url, t.state, t.depth,
            t.http_status, t.body_bytes, t.duration_ms, t.error_code, t.error,
            t.discovered::jsonb, t.facts::jsonb
        from unnest(p_job, p_token, p_url_key, p_seq, p_url, p_final_url, p_state, p_depth,
                    p_http_status, p_body_bytes, p_duration_ms, p_error_code, p_error,
                    p_discovered, p_facts)
             as t (job, token, url_key, seq, url, final_url, state, depth, http_status, body_bytes,
                   duration_ms, error_code, error, discovered, facts)
        -- Locked above, so the token is still the one that was compared. Compared again, since one
        -- call may bring pages of two claims of a job.
        join trawl.domain_jobs j on j.id = t.job and j.token = t.token
        where t.job = any (held)
        on conflict (job_id, url_key) do nothing
        returning p.job_id, p.state
    ), counted as (
        select w.job_id, count(*)::integer as recorded,
               (count(*) filter (where w.state = 'fetched'))::integer as scraped
        from written w group by w.job_id
    )
    update trawl.domain_jobs j
    set pages_recorded = j.pages_recorded + c.recorded,
        pages_scraped = j.pages_scraped + c.scraped,
        updated_at = clock_timestamp()
    from counted c where j.id = c.job_id;

    return query select unnest(held);
end $$;
