//! From sqlparser's tree to our own form: exhaustive, by value, or refused by name.
//!
//! No arm here is a wildcard, and `..` stands only in arms that refuse: when a release of
//! sqlparser adds a field or a variant, the build breaks until somebody has read what it means.

mod access;
mod argument;
mod call;
mod cast;
mod chain;
mod compare;
pub(crate) mod definition;
mod expr;
mod from;
mod json;
mod literal;
mod operator;
mod query;
mod spelled;
mod types;
mod window;
mod write;

use sqlparser::ast::{self, Spanned};
use sqlparser::tokenizer::Span;

use crate::allow::keyword;
use crate::ir::{Ident, Name};
use crate::parse;
use crate::refusal::{Place, Reason, Refusal, Result};

pub(crate) use expr::expr;
pub(crate) use query::query;
pub(crate) use types::type_name;
pub(crate) use write::write;

/// The refusal of a construct that the gateway does not understand.
pub(crate) fn unsupported(what: &str, place: Place) -> Refusal {
    Refusal::new(
        Reason::Construct,
        format!("{what} is not supported through the gateway"),
    )
    .near(place)
}

/// Refuses a construct if it is there.
pub(crate) fn absent<T>(value: Option<T>, what: &str, place: Place) -> Result<()> {
    value.map_or(Ok(()), |_unsupported| Err(unsupported(what, place)))
}

/// Where a piece of the tree starts.
pub(crate) fn place(spanned: &impl Spanned) -> Place {
    span_place(spanned.span())
}

fn span_place(span: Span) -> Place {
    Place(u32::try_from(span.start.column).unwrap_or(0))
}

/// Where a name stands.
pub(crate) fn name_place(name: &ast::Ident) -> Place {
    span_place(name.span)
}

/// A name that a client wrote.
pub(crate) fn ident(ident: ast::Ident) -> Result<Ident> {
    if let Some(marker) = parse::marker(&ident) {
        let what = match marker {
            parse::Marker::Only => "ONLY here",
            parse::Marker::Variadic => "VARIADIC here",
            parse::Marker::Star => "a star here",
            parse::Marker::Collate => "COLLATE here",
            parse::Marker::Symmetric => "SYMMETRIC here",
            parse::Marker::Move => "MOVE here",
            parse::Marker::CurrentRow | parse::Marker::Unbounded | parse::Marker::Exclude(_) => {
                "this window frame"
            }
            parse::Marker::Empty => "an empty list here",
            parse::Marker::Ties => "WITH TIES here",
            parse::Marker::RowsFrom => "ROWS FROM here",
            parse::Marker::UsingAlias => "an alias of USING here",
            parse::Marker::Any => "ANY here",
            parse::Marker::All => "ALL here",
            parse::Marker::GroupingSets => "GROUPING SETS here",
            parse::Marker::GroupDistinct => "GROUP BY DISTINCT here",
            parse::Marker::NoKey | parse::Marker::Key => "KEY here",
            parse::Marker::Local => "LOCAL here",
            parse::Marker::Nested => "a query in these brackets",
            parse::Marker::Operand => "a list of this kind",
            parse::Marker::Overriding(_) => "OVERRIDING here",
            parse::Marker::CurrentOf => "CURRENT OF here",
            parse::Marker::Search => "SEARCH or CYCLE here",
            parse::Marker::Untyped => "a column without a type here",
        };
        return Err(unsupported(what, span_place(ident.span)));
    }
    let ast::Ident {
        value,
        quote_style,
        span,
    } = ident;
    match quote_style {
        None | Some('"') => Ok(Ident {
            name: Name::from(value),
            place: span_place(span),
        }),
        Some(_) => Err(unsupported("this way of quoting a name", span_place(span))),
    }
}

/// A name where PostgreSQL's grammar takes no reserved word (`ColId`).
pub(crate) fn column_id(name: ast::Ident) -> Result<Ident> {
    let reserved = name.quote_style.is_none()
        && matches!(
            keyword::category(&name.value),
            Some(keyword::Category::Reserved)
        );
    if reserved {
        return Err(Refusal::new(
            Reason::Syntax,
            format!("syntax error at or near \"{}\"", name.value),
        )
        .near(span_place(name.span)));
    }
    ident(name)
}

/// The marker that a call's name is.
fn call_marker(function: &ast::Function) -> Option<parse::Marker> {
    match function.name.0.as_slice() {
        [ast::ObjectNamePart::Identifier(name)] => parse::marker(name),
        _other => None,
    }
}

/// A list of names.
pub(crate) fn idents(list: Vec<ast::Ident>) -> Result<Vec<Ident>> {
    list.into_iter().map(ident).collect()
}

/// A dotted name.
pub(crate) fn object_name(name: ast::ObjectName) -> Result<Vec<Ident>> {
    let ast::ObjectName(parts) = name;
    parts.into_iter().map(part).collect()
}

fn part(part: ast::ObjectNamePart) -> Result<Ident> {
    match part {
        ast::ObjectNamePart::Identifier(name) => ident(name),
        ast::ObjectNamePart::Function(ast::ObjectNamePartFunction { name, args: _ }) => Err(
            unsupported("a function as part of a name", span_place(name.span)),
        ),
    }
}

/// The one word, typed without quotes, that a dotted name is.
fn bare_word(name: &ast::ObjectName) -> Option<&str> {
    let ast::ObjectName(parts) = name;
    match parts.as_slice() {
        [
            ast::ObjectNamePart::Identifier(ast::Ident {
                value,
                quote_style: None,
                span: _,
            }),
        ] => Some(value.as_str()),
        _other => None,
    }
}
