-- Deletes hosts that may be asked again for a while. Caller: worker maintenance.
-- Reads all hosts that are or were snoozed, which are few. Rows touched: at most 1,000 a call.
delete from trawl.hosts
where host_key in (
    select h.host_key from trawl.hosts h
    where h.not_before < clock_timestamp() - interval '1 minute'
    limit 1000
    for update skip locked)
