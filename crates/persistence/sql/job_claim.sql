-- Takes up to $2 jobs for worker $1, only of batch $3 where that is given. See migrations/0011_held_hosts.sql.
-- Caller: worker poll. Not repeatable: a lost answer leaves claimed jobs, which the heartbeat finds.
select * from trawl.job_claim_v5($1, $2, $3)
