-- Records pages of many jobs, fenced. See migrations/0003_record.sql. Caller: worker recorder.
select * from trawl.page_record_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
