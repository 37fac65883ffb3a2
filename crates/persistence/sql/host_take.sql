-- Takes host $3 for job $1 under token $2. See migrations/0011_held_hosts.sql. Caller: worker, before a
-- crawl asks a host that is not its job's own.
select * from trawl.host_take_v1($1, $2, $3)
