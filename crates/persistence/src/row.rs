//! Reading rows into types, with the statement's name in every error.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::error::ScopeError;
use crate::scope::Statement;

/// The value of the column at `index`.
pub(crate) fn get<'r, T: FromSql<'r>>(
    statement: &Statement,
    row: &'r Row,
    index: usize,
) -> Result<T, ScopeError> {
    row.try_get(index).map_err(|source| ScopeError::Row {
        statement: statement.name,
        source,
    })
}

/// The state (or code) that the word in the column at `index` stands for.
pub(crate) fn get_word<T>(
    statement: &Statement,
    row: &Row,
    index: usize,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, ScopeError> {
    let word: &str = get(statement, row, index)?;
    read(word).ok_or_else(|| ScopeError::UnknownWord {
        statement: statement.name,
        word: word.to_owned(),
    })
}

/// A count that the schema keeps at zero or more.
pub(crate) fn get_count(statement: &Statement, row: &Row, index: usize) -> Result<u32, ScopeError> {
    let count: i32 = get(statement, row, index)?;
    Ok(u32::try_from(count).unwrap_or(0))
}
