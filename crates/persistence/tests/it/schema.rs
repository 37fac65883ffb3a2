//! What all migrations together make, compared with a snapshot that people review.

use std::fmt::Write as _;

use anyhow::Result;

use crate::database::Db;
use crate::snapshot;

/// Each section of the snapshot: its title and a query whose rows are its lines.
const SECTIONS: [(&str, &str); 7] = [
    (
        "tables",
        "select concat_ws(' ', relname, array_to_string(reloptions, ' '))
         from pg_class where relnamespace = 'trawl'::regnamespace and relkind = 'r'
         order by relname collate \"C\"",
    ),
    (
        "columns",
        "select concat_ws(' ', table_name || '.' || column_name, udt_name,
                          case is_nullable when 'NO' then 'not null' end, 'default ' || column_default)
         from information_schema.columns where table_schema = 'trawl'
         order by table_name collate \"C\", ordinal_position",
    ),
    (
        "constraints",
        "select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
         from pg_constraint where connamespace = 'trawl'::regnamespace
         order by conrelid::regclass::text collate \"C\", conname collate \"C\"",
    ),
    (
        "indexes",
        "select indexdef from pg_indexes where schemaname = 'trawl'
         order by tablename collate \"C\", indexname collate \"C\"",
    ),
    (
        "functions",
        "select p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ') returns '
                || pg_get_function_result(p.oid) || ' ' || l.lanname || ' '
                || case p.provolatile when 'v' then 'volatile' when 's' then 'stable'
                                      else 'immutable' end
                || coalesce(' ' || array_to_string(p.proconfig, ' '), '')
         from pg_proc p join pg_language l on l.oid = p.prolang
         where p.pronamespace = 'trawl'::regnamespace order by p.proname collate \"C\"",
    ),
    (
        "triggers",
        "select pg_get_triggerdef(t.oid) || case t.tgenabled when 'A' then ' always' else '' end
         from pg_trigger t join pg_class c on c.oid = t.tgrelid
         where c.relnamespace = 'trawl'::regnamespace and not t.tgisinternal
         order by c.relname collate \"C\", t.tgname collate \"C\"",
    ),
    (
        "types of the application, of which there must be none",
        "select t.typname::text from pg_type t left join pg_class c on c.oid = t.typrelid
         where t.typnamespace = 'trawl'::regnamespace and t.typcategory <> 'A'
           and coalesce(c.relkind, 'x') <> 'r'
         order by 1",
    ),
];

async fn describe(db: &Db) -> Result<String> {
    // So that every name comes with its schema, whatever the role of the tests is called.
    db.admin.batch_execute("set search_path = ''").await?;
    let mut text = String::new();
    for (title, query) in SECTIONS {
        writeln!(text, "== {title}")?;
        for line in db.column::<String>(query, &[]).await? {
            writeln!(text, "{line}")?;
        }
    }
    Ok(text)
}

both_routes!(empty: the_schema_is_the_reviewed_one, async |db| {
    trawl_persistence::migrate::up(&db.pool).await?;
    let found = describe(db).await?;
    snapshot::compare("schema.snap", &found)
});
