//! Between rows and the domain's types.

use std::str::FromStr;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

/// SQLite has no unsigned integers; no counter comes near the limit.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A counter read back; a negative one is damage that reads as zero.
pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A text column as a type that is made from text.
pub(crate) fn parse<T: FromStr>(row: &SqliteRow, column: &str) -> Result<T, ()> {
    let text: &str = row.try_get(column).map_err(|_| ())?;
    text.parse().map_err(|_| ())
}
