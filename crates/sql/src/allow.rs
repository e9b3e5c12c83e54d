//! What built-in functions, operators, types, catalog relations, settings and words mean to the
//! gateway: allow-lists, generated from each supported major's catalog by `cargo xtask
//! allow-lists`, reviewed, and committed as the text tables beside this file.
//!
//! A name that is not in a table is not allowed. A row that says `deny` says why after its `#`;
//! one that a new major brought and nobody has reviewed says `deny` and `unreviewed`.

mod alternative;
mod function;
pub(crate) mod keyword;
mod operator;
mod relation;
mod setting;
mod table;
mod types;

pub(crate) use alternative::instead_of;
#[cfg(test)]
pub(crate) use function::aggregates;
pub(crate) use function::{
    Columns, Function, FunctionKind, Guard, NullOf, function, function_denied,
    information_schema_function,
};
pub(crate) use operator::{operator, prefix_operator};
pub(crate) use relation::{catalog_relation, catalog_relation_denied};
pub(crate) use setting::{Setting, names_pattern, setting};
pub(crate) use types::type_name;
