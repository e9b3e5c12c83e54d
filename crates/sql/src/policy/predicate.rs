//! Conditions of row rules: SQL over one table's own columns that can be true, false or NULL, and
//! nothing else: no value makes it fail, for an error would tell of rows that are out of scope.

use std::sync::Arc;

use super::columns::{Columns, Visibility};
use super::{Access, BoundPolicy};
use crate::ir::{self, Body, Call, Expr, Item, Special};
use crate::policy::bind::{quoted_name, source_column};
use crate::refusal::{Reason, Refusal, Result};
use crate::render::Writer;
use crate::resolve::Resolver;
use crate::snapshot::{Relation, Snapshot};
use crate::{Context, Session, lower, parse};

/// Operators that no pair of values makes fail.
const OPERATORS: &[&str] = &[
    "=", "<>", "<", "<=", ">", ">=", "~~", "!~~", "~~*", "!~~*", "~", "!~", "~*", "!~*",
];

/// Functions that no value makes fail, the order of whose arguments does not matter here.
const FUNCTIONS: &[&str] = &[
    "lower",
    "upper",
    "left",
    "right",
    "btrim",
    "ltrim",
    "rtrim",
    "starts_with",
    "length",
    "char_length",
];

/// Types that every value has a text of.
const TEXTS: &[&str] = &["text", "varchar"];

const NO_SESSION: Session<'static> = Session {
    user: "",
    database: "",
    search_path: &[],
    id: "",
    grant: "",
    expires_at: "",
    budget: "",
    write: false,
};

/// The condition as SQL over the columns of the relation, visible as `alias`, everything qualified.
///
/// # Errors
/// Names what is not understood, not known to the table, or could fail.
pub(super) fn predicate(
    text: &str,
    relation: &Relation,
    alias: &str,
    snapshot: &Snapshot,
) -> Result<String> {
    let mut alone = BoundPolicy::default();
    let column = |column| source_column(column, Visibility::Visible, snapshot);
    let columns: Columns = relation.columns.iter().map(column).collect();
    alone
        .access
        .insert(relation.oid, Access::Open(Arc::new(columns)));
    let cx = Context {
        snapshot,
        policy: &alone,
        session: &NO_SESSION,
        temporary: crate::Temporary::NONE,
    };
    let name = quoted_name(relation);
    let mut query = one_query(&format!("SELECT ({text}) FROM {name} AS \"{alias}\""))?;
    only_expression(&query).and_then(total)?;
    let mut resolver = Resolver::new(&cx);
    resolver.statement(&mut query)?;
    let resolution = resolver.finish();
    let mut writer = Writer::text(&resolution, &cx);
    writer.expr(only_expression(&query)?);
    writer.finish()
}

fn one_query(text: &str) -> Result<ir::Query> {
    let mut statements = parse::statements(text)?.into_iter();
    match (statements.next(), statements.next()) {
        (Some(sqlparser::ast::Statement::Query(query)), None) => lower::query(*query),
        _other => Err(unfit("it is not one condition")),
    }
}

/// The one item of `SELECT item FROM relation`, which nothing else is part of.
fn only_expression(query: &ir::Query) -> Result<&Expr> {
    let ir::Query {
        with: None,
        body: Body::Select(select),
        order_by,
        limit: None,
        with_ties: _,
        offset: None,
        locks,
    } = query
    else {
        return Err(unfit("it is not one condition"));
    };
    let ir::Select {
        distinct: ir::Distinct::No,
        items,
        from,
        filter: None,
        group_by,
        having: None,
        windows,
        group_distinct: false,
    } = select.as_ref()
    else {
        return Err(unfit("it is not one condition"));
    };
    let alone = order_by.is_empty()
        && locks.is_empty()
        && group_by.is_empty()
        && windows.is_empty()
        && matches!(from.as_slice(), [ir::From::Relation(_)]);
    match items.as_slice() {
        [Item::Expr { expr, .. }] if alone => Ok(expr),
        _other => Err(unfit("it is not one condition")),
    }
}

/// Whether the expression is made of what cannot fail only.
fn total(expr: &Expr) -> Result<()> {
    match expr {
        Expr::Unresolved(_) | Expr::Column(_) | Expr::Literal(_) => Ok(()),
        Expr::And(list) | Expr::Or(list) => list.iter().try_for_each(total),
        Expr::Not(operand)
        | Expr::Is {
            operand,
            test: _,
            negated: _,
        } => total(operand),
        Expr::Binary {
            first,
            rest,
            place: _,
        } => {
            total(first)?;
            rest.iter().try_for_each(|(operator, operand)| {
                if OPERATORS.contains(&operator.0.as_ref()) {
                    total(operand)
                } else {
                    Err(unfit(format!("operator {} may fail", operator.0)))
                }
            })
        }
        Expr::IsDistinct {
            left,
            right,
            negated: _,
        } => total(left).and_then(|()| total(right)),
        Expr::InList {
            operand,
            list,
            negated: _,
        } => total(operand).and_then(|()| list.iter().try_for_each(total)),
        Expr::Between {
            operand,
            low,
            high,
            symmetric: _,
            negated: _,
        } => [operand, low, high].into_iter().try_for_each(|e| total(e)),
        Expr::Case {
            operand,
            arms,
            otherwise,
        } => {
            operand.iter().chain(otherwise).try_for_each(|e| total(e))?;
            arms.iter()
                .try_for_each(|(when, then)| total(when).and_then(|()| total(then)))
        }
        // A constant fails always or never; a column's value only where its type is read from text.
        Expr::Cast { operand, ty } => match operand.as_ref() {
            Expr::Literal(_) => Ok(()),
            operand if is_text(ty) => total(operand),
            _other => Err(unfit("a column can only be cast to text")),
        },
        Expr::Collate { operand, .. } => total(operand),
        Expr::Call(call) => function(call),
        Expr::Special(Special::Coalesce | Special::Nullif, list) => list.iter().try_for_each(total),
        Expr::Special(
            Special::Greatest | Special::Least | Special::Row | Special::Array | Special::Grouping,
            _,
        )
        | Expr::Unary { .. }
        | Expr::IsJson { .. }
        | Expr::Json(_)
        | Expr::UnresolvedRow(_)
        | Expr::Default
        | Expr::CurrentOf(_)
        | Expr::Row { .. }
        | Expr::Output(_)
        | Expr::Parameter(_)
        | Expr::ValueFunction(_)
        | Expr::Quantified { .. }
        | Expr::Exists(_)
        | Expr::ArrayQuery(_)
        | Expr::Scalar(_)
        | Expr::Subscript { .. }
        | Expr::Field { .. } => Err(unfit(
            "it may hold columns, constants, comparisons, LIKE, IN, BETWEEN, IS, CASE, AND, OR and NOT",
        )),
    }
}

fn function(call: &Call) -> Result<()> {
    let name = call.path.last().map_or("", |name| &name.name);
    let plain = !call.star
        && !call.distinct
        && !call.variadic
        && call.order_by.is_empty()
        && call.within_group.is_empty()
        && call.filter.is_none()
        && call.over.is_none();
    if !plain || !FUNCTIONS.contains(&name) {
        return Err(unfit(format!("function {name} may fail or is not known")));
    }
    call.arguments
        .iter()
        .try_for_each(|argument| total(&argument.value))
}

fn is_text(ty: &ir::TypeName) -> bool {
    let name = ty.path.last().map_or("", |name| &name.name);
    TEXTS.contains(&name) && !ty.array && ty.modifiers.is_empty()
}

fn unfit(detail: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new(Reason::RowRule, detail)
}
