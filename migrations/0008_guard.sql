-- What a statement must not inherit from another client of the pooler is mended or refused where it
-- counts: at the write itself, however it was sent and by whichever version of Trawl.
--
-- A transaction of Trawl's spells its settings out; a statement of its own cannot, in one round trip.
-- See docs/transaction-pooling.md.

-- Caller: every write of every table, once a statement. Rows touched: none.
create function trawl.statement_guard_v1() returns trigger
language plpgsql volatile
as $$
begin
    -- The texts of this statement were read as something else on their way in, so nothing of it may
    -- stay. 25001 is what the functions say that need READ COMMITTED: the caller spells its settings
    -- out and comes again.
    if current_setting('client_encoding') <> 'UTF8' then
        raise exception 'trawl is written to in UTF8, not in %', current_setting('client_encoding')
            using errcode = '25001';
    end if;
    -- What is accepted is durable. A SET clause of a function would end before the commit, while this
    -- holds until the transaction has ended; what waits for more than a flush is left alone.
    if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
        perform set_config('synchronous_commit', 'on', true);
    end if;
    return null;
end $$;

create trigger statement_guard before insert or update or delete on trawl.workers
    for each statement execute function trawl.statement_guard_v1();
create trigger statement_guard before insert or update or delete on trawl.batches
    for each statement execute function trawl.statement_guard_v1();
create trigger statement_guard before insert or update or delete on trawl.domain_jobs
    for each statement execute function trawl.statement_guard_v1();
create trigger statement_guard before insert or update or delete on trawl.job_attempts
    for each statement execute function trawl.statement_guard_v1();
create trigger statement_guard before insert or update or delete on trawl.pages
    for each statement execute function trawl.statement_guard_v1();
create trigger statement_guard before insert or update or delete on trawl.hosts
    for each statement execute function trawl.statement_guard_v1();
create trigger statement_guard before insert or update or delete on trawl.schema_migrations
    for each statement execute function trawl.statement_guard_v1();

-- Also under a leaked session_replication_role, which silences ordinary triggers.
alter table trawl.workers enable always trigger statement_guard;
alter table trawl.batches enable always trigger statement_guard;
alter table trawl.domain_jobs enable always trigger statement_guard;
alter table trawl.job_attempts enable always trigger statement_guard;
alter table trawl.pages enable always trigger statement_guard;
alter table trawl.hosts enable always trigger statement_guard;
alter table trawl.schema_migrations enable always trigger statement_guard;
