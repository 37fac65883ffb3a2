-- A worker changes its state on the way out. Caller: worker drain. Rows touched: one.
update trawl.workers set state = $2 where id = $1 and state <> 'gone'
