//! What CREATE TABLE says of columns and constraints.

use super::{Expr, Ident, TypeName};

/// The columns and constraints of a new table.
#[derive(Debug, PartialEq, Default)]
pub(crate) struct TableDefinition {
    pub(crate) columns: Vec<ColumnDefinition>,
    pub(crate) constraints: Vec<TableConstraint>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct ColumnDefinition {
    pub(crate) name: Ident,
    pub(crate) ty: ColumnTypeName,
    pub(crate) collation: Option<Vec<Ident>>,
    pub(crate) constraints: Vec<(Option<Ident>, ColumnConstraint)>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum ColumnTypeName {
    Plain(TypeName),
    /// `serial` and kin: words of the grammar (`parse_utilcmd.c`, transformColumnDefinition), which
    /// make a sequence in the table's own schema.
    Serial(&'static str),
}

#[derive(Debug, PartialEq)]
pub(crate) enum ColumnConstraint {
    Null,
    NotNull,
    Default(Expr),
    PrimaryKey,
    Unique,
    Check(Expr),
    References(References),
    /// `GENERATED ALWAYS` or `BY DEFAULT AS IDENTITY`.
    Identity(&'static str),
    /// `GENERATED ALWAYS AS (expression) STORED`.
    Generated(Expr),
}

#[derive(Debug, PartialEq)]
pub(crate) struct TableConstraint {
    pub(crate) name: Option<Ident>,
    pub(crate) kind: ConstraintKind,
}

#[derive(Debug, PartialEq)]
pub(crate) enum ConstraintKind {
    PrimaryKey(Vec<Ident>),
    Unique(Vec<Ident>),
    Check(Expr),
    ForeignKey(Vec<Ident>, References),
}

/// `REFERENCES table (columns) ON DELETE ... ON UPDATE ...`
#[derive(Debug, PartialEq)]
pub(crate) struct References {
    /// After `resolve` one name: that of a table of the session's own.
    pub(crate) table: Vec<Ident>,
    /// Empty for its primary key.
    pub(crate) columns: Vec<Ident>,
    /// In the grammar's words.
    pub(crate) on_delete: Option<&'static str>,
    pub(crate) on_update: Option<&'static str>,
}

/// `ON COMMIT ...`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnCommit {
    Default,
    PreserveRows,
    DeleteRows,
    Drop,
}
