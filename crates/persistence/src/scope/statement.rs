//! Statements: constant SQL with a name, and what may be done when its outcome is unknown.

use tokio_postgres::types::{ToSql, Type};

/// A typed parameter. The type is stated, so that the server need not be asked.
pub type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// One statement. Names appear in errors and logs.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
    pub(crate) repeatable: bool,
}

impl Statement {
    /// A statement that must not be repeated when its outcome is unknown.
    pub const fn once_only(name: &'static str, sql: &'static str) -> Self {
        Self {
            name,
            sql,
            repeatable: false,
        }
    }

    /// A statement that has the same effect once or many times: a read, or a write that recognizes
    /// its own earlier run (fenced, keyed). It may be repeated when its outcome is unknown.
    pub const fn repeatable(name: &'static str, sql: &'static str) -> Self {
        Self {
            name,
            sql,
            repeatable: true,
        }
    }
}
