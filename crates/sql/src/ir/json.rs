//! The standard's functions of JSON that have a grammar of their own (gram.y, `func_expr_common_subexpr`):
//! what they compute, they compute of their arguments.

use super::{Expr, TypeName};
use crate::refusal::Place;

/// `JSON_OBJECT('k': v ABSENT ON NULL RETURNING jsonb)` and kin.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Json {
    pub(crate) form: JsonForm,
    /// The members of an object, with keys, or of an array; or a document and a path.
    pub(crate) members: Vec<(Option<Expr>, Expr)>,
    /// `NULL ON NULL` or `ABSENT ON NULL`.
    pub(crate) nulls: Option<&'static str>,
    pub(crate) returning: Option<TypeName>,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonForm {
    Object,
    Array,
    Exists,
    Query,
    Value,
}

impl JsonForm {
    /// The word in the grammar, which also names the output column (`parse_target.c`,
    /// FigureColnameInternal).
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Object => "json_object",
            Self::Array => "json_array",
            Self::Exists => "json_exists",
            Self::Query => "json_query",
            Self::Value => "json_value",
        }
    }

    /// The same as it is written.
    pub(crate) const fn keyword(self) -> &'static str {
        match self {
            Self::Object => "JSON_OBJECT",
            Self::Array => "JSON_ARRAY",
            Self::Exists => "JSON_EXISTS",
            Self::Query => "JSON_QUERY",
            Self::Value => "JSON_VALUE",
        }
    }

    /// Whether it asks a document by a path.
    pub(crate) const fn asks(self) -> bool {
        match self {
            Self::Object | Self::Array => false,
            Self::Exists | Self::Query | Self::Value => true,
        }
    }

    /// The first major version that has it.
    pub(crate) const fn since(self) -> u16 {
        if self.asks() { 17 } else { 16 }
    }
}
