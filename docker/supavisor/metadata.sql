-- Where Supavisor keeps its tenants: a database of its own, with the schema that its migrations
-- expect. Run once, by PostgreSQL's image, when the data directory is created.

create database supavisor;
\connect supavisor
create schema _supavisor;
