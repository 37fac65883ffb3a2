-- Hands jobs back, fenced. See migrations/0004_finish.sql. Caller: worker drain and heartbeat.
select * from trawl.job_hand_back_v1($1, $2)
