-- Records pages of many jobs, fenced. See migrations/0009_retries.sql. Caller: worker recorder.
select * from trawl.page_record_v3($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
                                   $16, $17, $18, $19, $20, $21)
